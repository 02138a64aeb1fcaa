//! The spool at the start of the agent, and which one an earlier agent had: what waits there must not be forgotten.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::agent::exit::{Exit, Failure};
use crate::cdc_raw::Directory;
use crate::cdc_raw::spool::{Spool, SpoolLimits};
use crate::cli::LogArgs;
use crate::commitlog::SegmentName;
use crate::durable::replace;

/// In the state directory: where the spool is.
const FILE: &str = "spool.json";

/// The directory with its spool, if one is configured.
///
/// # Errors
/// The spool cannot be used, or segments wait in another one.
pub(super) fn open(log: &LogArgs, directory: Directory) -> Result<(Directory, Option<Spool>), Failure> {
    let record = log.state_dir.join(FILE);
    let before = kept(&record)?;
    if let Some(before) = before.as_ref().filter(|before| Some(*before) != log.spool_dir.as_ref())
        && holds_segments(before)?
    {
        let what =
            format!("segments wait in the spool {}, which spool_directory does not name", before.display());
        return Err(Failure::new(Exit::Usage, what)
            .next("set spool_directory to it until it is empty, or move its files back to cdc_raw"));
    }
    let Some(path) = &log.spool_dir else {
        let gone = fs::remove_file(&record);
        return match gone {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Failure::cannot_write(&record, error))
            }
            _ => Ok((directory, None)),
        };
    };
    if before.as_ref() != Some(path) {
        let name = path.to_str().ok_or_else(|| {
            Failure::new(Exit::Usage, format!("spool_directory {} is no UTF-8", path.display()))
        })?;
        let text = json!({ "spool_directory": name }).to_string();
        replace(&record, &record.with_extension("tmp"), &[text.as_bytes()])
            .map_err(|error| Failure::cannot_write(&record, error.source))?;
    }
    let unfit = || Failure::new(Exit::Usage, "spool_directory cannot be used");
    if let Some(why) = log.unfit_spool() {
        return Err(unfit().next(why));
    }
    let spool = Spool::open(path, &directory, limits(log)).map_err(|error| unfit().because(error))?;
    let directory = directory.with_spool(path).map_err(|error| unfit().because(error))?;
    Ok((directory, Some(spool)))
}

fn limits(log: &LogArgs) -> SpoolLimits {
    let bytes = |mebibytes: u64| mebibytes.saturating_mul(1 << 20);
    SpoolLimits { most: bytes(log.spool_max_mb.get()), free: bytes(log.spool_min_free_mb) }
}

/// Which spool an earlier agent had.
fn kept(record: &Path) -> Result<Option<PathBuf>, Failure> {
    let unfit = || Failure::new(Exit::Usage, format!("{} cannot be read", record.display()));
    let next = "it says where segments may wait to be published: set spool_directory to that place, and remove the file";
    let text = match fs::read_to_string(record) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| unfit().because(error).next(next))?,
    };
    let known: Value = serde_json::from_str(&text).map_err(|error| unfit().because(error).next(next))?;
    let path = known.get("spool_directory").and_then(Value::as_str);
    path.map(|path| Some(PathBuf::from(path))).ok_or_else(|| unfit().next(next))
}

fn holds_segments(path: &Path) -> Result<bool, Failure> {
    let entries = match path.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other.map_err(|error| {
            let what = format!("the spool {}, in which segments may wait, cannot be read", path.display());
            Failure::new(Exit::Unreadable, what).because(error)
        })?,
    };
    let is_segment = |name: &str| name.parse::<SegmentName>().is_ok();
    Ok(entries.filter_map(Result::ok).any(|entry| entry.file_name().to_str().is_some_and(is_segment)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::run::tests::log_args;

    #[test]
    fn a_spool_in_which_segments_wait_is_not_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir(&path).unwrap();
            path
        };
        let (cdc_raw, state_dir) = (folder("cdc_raw"), folder("state"));
        let spool = dir.path().join("spool");
        let with = LogArgs { cdc_raw, state_dir, spool_dir: Some(spool.clone()), ..log_args() };
        let opened = || Directory::open(&with.cdc_raw).unwrap();
        assert!(open(&with, opened()).unwrap().1.is_some());
        fs::write(spool.join("CommitLog-7-1.log"), "").unwrap();
        let without = LogArgs { spool_dir: None, ..with.clone() };
        let failure = open(&without, opened()).unwrap_err();
        assert!(failure.to_string().contains("segments wait in the spool"), "{failure}");
        assert!(open(&with, opened()).unwrap().1.is_some());
        fs::remove_file(spool.join("CommitLog-7-1.log")).unwrap();
        assert!(open(&without, opened()).unwrap().1.is_none());
        fs::write(with.state_dir.join(FILE), "{").unwrap();
        assert!(open(&without, opened()).unwrap_err().to_string().contains("spool.json cannot be read"));
        fs::remove_file(with.state_dir.join(FILE)).unwrap();
        // And what is put there afterwards by somebody else is none of the agent's.
        fs::write(spool.join("CommitLog-7-1.log"), "").unwrap();
        assert!(open(&without, opened()).unwrap().1.is_none());
    }

    #[test]
    fn a_spool_inside_of_cdc_raw_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let inside = LogArgs {
            cdc_raw: dir.path().to_owned(),
            state_dir: dir.path().to_owned(),
            spool_dir: Some(dir.path().join("spool")),
            ..log_args()
        };
        let failure = open(&inside, Directory::open(dir.path()).unwrap()).unwrap_err();
        assert!(failure.to_string().contains("counts against Cassandra's limit"), "{failure}");
    }
}
