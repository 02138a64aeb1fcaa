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

const SEAL_BEGINS: &[u8] = b",\"crc32\":\"";
const SEAL_ENDS: &[u8] = b"\"}";

/// A JSON object with one more field at its end, `crc32`: the checksum of all that stands before the field, eight hex
/// digits. A disk that changes a digit of a position must not make an agent skip what it did not publish.
#[must_use]
pub(crate) fn sealed(mut object: Vec<u8>) -> Vec<u8> {
    if object.pop_if(|last| *last == b'}').is_some() {
        let sum = format!("{:08x}", crc32fast::hash(&object));
        object.extend([SEAL_BEGINS, sum.as_bytes(), SEAL_ENDS].concat());
    }
    object
}

/// Whether an object is what was sealed. One that has no seal is taken as it is: older versions write none.
#[must_use]
pub(crate) fn is_as_sealed(object: &[u8]) -> bool {
    let body_and_sum = || {
        let (rest, sum) = object.trim_ascii_end().strip_suffix(SEAL_ENDS)?.split_last_chunk::<8>()?;
        Some((rest.strip_suffix(SEAL_BEGINS)?, sum))
    };
    body_and_sum().is_none_or(|(body, sum)| *sum == *format!("{:08x}", crc32fast::hash(body)).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_a_field_of_the_object_and_breaks_with_any_byte_before_it() {
        let text = sealed(b"{\"at\":\"7:90:3\",\"n\":12}".to_vec());
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["at"], "7:90:3");
        // By zlib.crc32 of Python.
        assert_eq!(value["crc32"], "8e115f8a");
        assert!(is_as_sealed(&text) && is_as_sealed(&[&text[..], b"\n"].concat()));
        for place in 0..text.len() - ",\"crc32\":\"01234567\"}".len() {
            let mut changed = text.clone();
            changed[place] ^= 1;
            assert!(!is_as_sealed(&changed), "{place}");
        }
        assert!(is_as_sealed(b"{}") && is_as_sealed(b"") && is_as_sealed(b"{\"at\":\"7:90:3\"}"));
    }
}
