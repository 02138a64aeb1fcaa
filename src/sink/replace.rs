//! Replaces a file in one step: after a crash either the old one is there or the new one, whole.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::SinkError;
use crate::failpoint;

/// Only the owner reads.
const FILE_MODE: u32 = 0o600;

/// Writes `text` to `temporary`, in the folder of `path`, and makes it durable there as `path`.
///
/// # Errors
/// What the operating system refuses; `path` is what it was then.
pub(super) fn replace(path: &Path, temporary: &Path, text: &[u8]) -> Result<(), SinkError> {
    let mut options = OpenOptions::new();
    let written = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(temporary)
        .and_then(|mut file| file.write_all(text).and_then(|()| file.sync_all()));
    written.map_err(|error| SinkError::io("write", temporary, error))?;
    failpoint::cross("file_replace_written");
    fs::rename(temporary, path).map_err(|error| SinkError::io("replace", path, error))?;
    failpoint::cross("file_replace_renamed");
    path.parent().map_or(Ok(()), sync_dir)
}

/// Makes the entries of a directory durable.
///
/// # Errors
/// What the operating system refuses.
pub(super) fn sync_dir(dir: &Path) -> Result<(), SinkError> {
    // A path without a folder stands in the working directory.
    let dir = if dir == Path::new("") { Path::new(".") } else { dir };
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| SinkError::io("sync", dir, error))
}
