//! Files that are replaced in one step: after a crash either the old one is there or the new one, whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::failpoint;

/// Only the owner reads.
pub(crate) const FILE_MODE: u32 = 0o600;

/// What the operating system refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct DurableError {
    /// What was tried: `write`, `replace` or `sync`.
    pub action: &'static str,
    /// With which file or directory.
    pub path: PathBuf,
    /// Why it was not done.
    pub source: io::Error,
}

impl DurableError {
    fn of(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { action, path: path.to_owned(), source }
    }
}

/// Writes `parts`, one behind the other, to `temporary`, in the folder of `path`, and makes them durable there as `path`.
///
/// # Errors
/// What the operating system refuses; `path` is what it was then.
pub fn replace(path: &Path, temporary: &Path, parts: &[&[u8]]) -> Result<(), DurableError> {
    write(temporary, parts).and_then(|file| file.sync_all()).map_err(DurableError::of("write", temporary))?;
    failpoint::cross("file_replace_written");
    fs::rename(temporary, path).map_err(DurableError::of("replace", path))?;
    failpoint::cross("file_replace_renamed");
    path.parent().map_or(Ok(()), sync_dir)
}

/// As [`replace`], but for a failure of power, after which it can be what it was, or empty: it waits for no disk.
///
/// # Errors
/// What the operating system refuses; `path` is what it was then.
pub(crate) fn swap(path: &Path, temporary: &Path, parts: &[&[u8]]) -> Result<(), DurableError> {
    write(temporary, parts).map_err(DurableError::of("write", temporary))?;
    fs::rename(temporary, path).map_err(DurableError::of("replace", path))
}

fn write(path: &Path, parts: &[&[u8]]) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(FILE_MODE).open(path)?;
    parts.iter().try_for_each(|part| file.write_all(part))?;
    Ok(file)
}

/// Makes the entries of a directory durable.
///
/// # Errors
/// What the operating system refuses.
pub fn sync_dir(dir: &Path) -> Result<(), DurableError> {
    // A path without a folder stands in the working directory.
    let dir = if dir == Path::new("") { Path::new(".") } else { dir };
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(DurableError::of("sync", dir))
}
