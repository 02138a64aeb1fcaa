//! What happens to a file log's directory before it is written to.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::num::NonZeroU16;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::sink::SinkError;

use super::commit_file::Commit;
use super::{DIR_MODE, FILE_MODE, names, recovery};

/// Make the directory if it is missing (then true), refuse it if it holds anything but a file log.
pub(super) fn prepare(dir: &Path) -> Result<bool, SinkError> {
    if !dir.exists() {
        let made = DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir);
        made.map_err(|e| SinkError::io("create", dir, e))?;
        return Ok(true);
    }
    let found = recovery::entries(dir)?;
    let is_log = found.iter().any(|(name, _)| name == names::COMMIT);
    // A crash while the log was made can leave these.
    let is_begun = || found.iter().all(|(name, _)| name == names::LOCK || name == names::COMMIT_TEMPORARY);
    if is_log || is_begun() {
        return Ok(false);
    }
    Err(SinkError::Unfit {
        path: dir.to_owned(),
        what: format!("is not empty and has no {}", names::COMMIT),
        hint: "name an empty directory or a file log",
    })
}

/// The lock that only one writer can have.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // To close the file would leave the lock to a process that is being started and has a copy of it for a moment.
        let _ = self.0.unlock();
    }
}

/// Take the lock.
pub(super) fn lock(dir: &Path) -> Result<Lock, SinkError> {
    let path = dir.join(names::LOCK);
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(FILE_MODE).open(&path);
    let file = file.map_err(|e| SinkError::io("open", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(SinkError::Locked { path }),
        Err(TryLockError::Error(e)) => Err(SinkError::io("lock", &path, e)),
    }
}

/// Refuse another number of partitions than the log has.
pub(super) fn check_partitions(
    dir: &Path,
    commit: &Commit,
    asked: Option<NonZeroU16>,
) -> Result<(), SinkError> {
    match asked {
        Some(asked) if asked != commit.partitions => {
            Err(SinkError::Partitions { path: dir.to_owned(), has: commit.partitions, asked })
        }
        _ => Ok(()),
    }
}
