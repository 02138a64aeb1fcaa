//! From where a job goes on: the newest savepoint or checkpoint of an earlier run.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::SubmitError;
use super::jobmanager::{JobManager, JobOverview};
use super::rest::RestError;

/// Where one job keeps what it saves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folders {
    /// URI of the folder of all jobs.
    root: String,
    /// URI of its checkpoints: Flink adds the id of the run.
    pub(super) checkpoints: String,
    /// URI of its savepoints.
    pub(super) savepoints: String,
}

impl Folders {
    /// Those of `job` in the folder of all jobs.
    pub(super) fn of(root: &str, job: &str) -> Self {
        let root = root.trim_end_matches('/');
        Self {
            root: root.to_owned(),
            checkpoints: format!("{root}/{job}/checkpoints"),
            savepoints: format!("{root}/{job}/savepoints"),
        }
    }
}

/// The URI from which the job goes on; none when nothing is known of an earlier run.
pub(super) fn find(
    jobmanager: &JobManager,
    jobs: &[JobOverview],
    name: &str,
    folders: &Folders,
) -> Result<Option<String>, SubmitError> {
    if let Some(path) = known_to_jobmanager(jobmanager, jobs, name)? {
        return Ok(Some(path));
    }
    match (local(&folders.root), local(&folders.checkpoints), local(&folders.savepoints)) {
        // A folder that is not there may be one of the machines on which Flink runs.
        (Some(root), Some(checkpoints), Some(savepoints)) if root.is_dir() => {
            Ok(newest(&checkpoints, &savepoints).map(|path| format!("file://{}", path.display())))
        }
        _ => Err(SubmitError::UnknownState { job: name.to_owned(), folder: folders.checkpoints.clone() }),
    }
}

/// What the newest run of this name has saved last, or else what it had gone on from.
fn known_to_jobmanager(
    jobmanager: &JobManager,
    jobs: &[JobOverview],
    name: &str,
) -> Result<Option<String>, RestError> {
    let Some(job) = jobs.iter().find(|job| job.name == name && job.has_ended()) else { return Ok(None) };
    let latest = jobmanager.checkpoints(&job.id)?.latest;
    let saved = [latest.completed, latest.savepoint].into_iter().flatten();
    let saved = saved.max_by_key(|checkpoint| checkpoint.trigger_timestamp);
    let path = saved.and_then(|checkpoint| checkpoint.external_path);
    Ok(path.or_else(|| latest.restored?.external_path).filter(|path| is_there(path)))
}

/// The path of a `file:` URI.
fn local(uri: &str) -> Option<PathBuf> {
    let path = uri.strip_prefix("file://").or_else(|| uri.strip_prefix("file:"))?;
    path.starts_with('/').then(|| path.into())
}

/// Whether what Flink names can still be there: of a folder that cannot be looked into, yes.
fn is_there(uri: &str) -> bool {
    local(uri).is_none_or(|path| !path.parent().is_some_and(Path::exists) || is_complete(&path))
}

/// `_metadata` is written last, and takes its name when it is whole.
fn is_complete(path: &Path) -> bool {
    path.join("_metadata").exists()
}

/// The newest of `checkpoints/<run>/chk-<number>` and `savepoints/savepoint-…`.
fn newest(checkpoints: &Path, savepoints: &Path) -> Option<PathBuf> {
    let runs = children(checkpoints);
    let saved = runs.iter().flat_map(|run| children(run)).chain(children(savepoints));
    let complete = saved.filter(|path| is_complete(path));
    complete.max_by_key(|path| modified(path))
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.join("_metadata").metadata().ok()?.modified().ok()
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{File, create_dir_all, write};
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_newest_complete_one_counts() {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders::of(&format!("file://{}/", folder.path().display()), "dq-a-b.c");
        assert_eq!(folders.savepoints, format!("file://{}/dq-a-b.c/savepoints", folder.path().display()));
        let (checkpoints, savepoints) =
            (local(&folders.checkpoints).unwrap(), local(&folders.savepoints).unwrap());
        assert_eq!(newest(&checkpoints, &savepoints), None);
        let saved = |path: &Path, seconds: u64| {
            create_dir_all(path).unwrap();
            write(path.join("_metadata"), "x").unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            File::options().write(true).open(path.join("_metadata")).unwrap().set_modified(time).unwrap();
        };
        saved(&checkpoints.join("run1/chk-9"), 10);
        saved(&checkpoints.join("run2/chk-2"), 30);
        saved(&savepoints.join("savepoint-1"), 20);
        create_dir_all(checkpoints.join("run2/chk-3")).unwrap();
        assert_eq!(newest(&checkpoints, &savepoints), Some(checkpoints.join("run2/chk-2")));
        saved(&savepoints.join("savepoint-2"), 40);
        assert_eq!(newest(&checkpoints, &savepoints), Some(savepoints.join("savepoint-2")));
    }

    #[test]
    fn only_files_can_be_looked_for() {
        assert_eq!(local("file:/a/b"), Some("/a/b".into()));
        assert_eq!(local("file:///a/b"), Some("/a/b".into()));
        for uri in ["s3://bucket/a", "hdfs:///a", "file://host/a", "/a"] {
            assert_eq!(local(uri), None, "{uri}");
        }
        assert!(is_there("s3://bucket/a"));
        assert!(!is_there("file:///tmp/no-such-checkpoint-of-a-test"));
    }
}
