//! What happens to a file log's directory before it is written to, and that it stays what it was.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::num::NonZeroU16;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::cdc_raw::FileId;
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

/// The directory of a log, held by its one writer.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
    directory: File,
    /// With the lock that only one writer can have.
    lock: File,
}

impl Drop for Home {
    fn drop(&mut self) {
        // To close the file would leave the lock to a process that is being started and has a copy of it for a moment.
        let _ = self.lock.unlock();
    }
}

impl Home {
    /// Takes the lock.
    pub(super) fn lock(dir: &Path) -> Result<Self, SinkError> {
        let directory = File::open(dir).map_err(|e| SinkError::io("open", dir, e))?;
        let path = dir.join(names::LOCK);
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(FILE_MODE).open(&path);
        let lock = file.map_err(|e| SinkError::io("open", &path, e))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: dir.to_owned(), directory, lock }),
            Err(TryLockError::WouldBlock) => Err(SinkError::Locked { path }),
            Err(TryLockError::Error(e)) => Err(SinkError::io("lock", &path, e)),
        }
    }

    /// Refuses to go on when readers find another directory, or another writer another lock, where this one was: what is
    /// written would be nobody's.
    pub(super) fn check(&self) -> Result<(), SinkError> {
        still_at(&self.path, &self.directory)?;
        still_at(&self.path.join(names::LOCK), &self.lock)
    }
}

/// Refuses when the path leads to something else than what was opened there.
pub(super) fn still_at(path: &Path, opened: &File) -> Result<(), SinkError> {
    let opened = opened.metadata().map_err(|e| SinkError::io("look at", path, e))?;
    match path.metadata() {
        Ok(found) if FileId::of(&found) == FileId::of(&opened) => Ok(()),
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(SinkError::io("look at", path, e)),
        Ok(_) | Err(_) => Err(SinkError::Unfit {
            path: path.to_owned(),
            what:
                "is not there any more, or not what was opened: it was removed, moved, replaced or unmounted"
                    .to_owned(),
            hint: "bring back what was there and start again, which continues from the last commit",
        }),
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
