//! Where the state of a job is.

use std::path::{Path, PathBuf};

use super::args::JobArgs;
use crate::agent::exit::{Exit, Failure};
use crate::jobs::engine::places::Place;
use crate::jobs::environment::Environment;

/// The directory of the job's state: the option's; else beside the file log; else where environments.yaml says.
///
/// # Errors
/// It would be in a log that is read or written, or nothing names a folder of this machine.
pub(super) fn state_path(job: &str, environment: &Environment, args: &JobArgs) -> Result<PathBuf, Failure> {
    let path = named(job, environment, args)?;
    [&args.from, &args.out].into_iter().try_for_each(|log| is_apart(&path, log))?;
    Ok(path)
}

fn named(job: &str, environment: &Environment, args: &JobArgs) -> Result<PathBuf, Failure> {
    if let Some(state) = &args.state {
        return Ok(state.clone());
    }
    if let Place::Directory(out) = &args.out {
        let mut beside = out.clone().into_os_string();
        beside.push(".state");
        return Ok(PathBuf::from(beside).join(job));
    }
    let checkpoints = &environment.checkpoints.directory.value;
    let folder = checkpoints.strip_prefix("file://").filter(|path| path.starts_with('/'));
    folder.map(|folder| PathBuf::from(folder).join("embedded").join(job)).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("checkpoints in {checkpoints} are no folder of this machine"))
            .next("name one for this job: --state DIR")
    })
}

/// That the state is in no file log: the directory of a log is locked by who writes it, and what is in it are its topics.
///
/// # Errors
/// It is.
pub(super) fn is_apart(state: &Path, log: &Place) -> Result<(), Failure> {
    match log {
        Place::Directory(log) if resolved(state).starts_with(resolved(log)) => {
            let what = format!("the state in {} would be in the file log {}", state.display(), log.display());
            Err(Failure::new(Exit::Usage, what).next("give the job a directory of its own: --state DIR"))
        }
        _ => Ok(()),
    }
}

/// A path without links, as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = whole.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    match there {
        Some((above, found)) => found.join(whole.strip_prefix(above).unwrap_or(Path::new(""))),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_state_is_in_a_file_log() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("log/topic/0")).unwrap();
        std::os::unix::fs::symlink(at("log"), at("link")).unwrap();
        let log = Place::Directory(at("log"));
        for name in [
            "log",
            "log/",
            "log/topic",
            "log/topic/0/state",
            "log/new/state",
            "link",
            "link/new",
            "log/../log",
        ] {
            let error = is_apart(&at(name), &log).unwrap_err();
            assert_eq!(error.exit(), Exit::Usage, "{name}");
            assert!(error.to_string().contains("would be in the file log"), "{name}: {error}");
        }
        for name in ["log.state", "log.state/dq", "new", "logs"] {
            assert!(is_apart(&at(name), &log).is_ok(), "{name}");
        }
        assert!(is_apart(&at("log"), &Place::Kafka).is_ok());
        // Through a link to the log, and where the log is not there yet.
        assert!(is_apart(&at("log/state"), &Place::Directory(at("link"))).is_err());
        assert!(is_apart(&at("out/state"), &Place::Directory(at("out"))).is_err());
    }
}
