//! The file of a history: a line that says what follows and its checksum, then one JSON object.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::StoreError;
use crate::durable::{replace, sync_dir};

/// The file in the state directory.
pub(super) const NAME: &str = "schema-history.json";

/// What it is before it is complete.
const TEMPORARY: &str = "schema-history.json.new";

const FORMAT: &str = "cdc-agent schema history";

/// The version written here, and the highest one read.
const VERSION: u64 = 1;

/// Names that a file that is put aside may get.
const ASIDE: u32 = 1000;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: String,
    version: u64,
    /// Length of what follows.
    bytes: u64,
    /// SHA-256 of what follows, hex.
    sha256: String,
}

/// A file that is not used, and where it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutAside {
    /// Where it is now.
    pub path: PathBuf,
    /// Why it is not used.
    pub reason: String,
}

/// The object of the file; `None` when there is no file.
pub(super) fn read(dir: &Path) -> Result<Option<Result<Value, String>>, StoreError> {
    let path = dir.join(NAME);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(parse(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read", &path, error)),
    }
}

fn parse(bytes: &[u8]) -> Result<Value, String> {
    let end = memchr::memchr(b'\n', bytes).ok_or("it has no first line")?;
    let (head, body) = bytes.split_at_checked(end + 1).ok_or("it has no first line")?;
    let head: Head =
        serde_json::from_slice(head).map_err(|_| "its first line is not that of a schema history")?;
    if head.format != FORMAT {
        return Err("its first line is not that of a schema history".to_owned());
    }
    if head.version != VERSION {
        return Err(format!("it has version {}, and this program reads version {VERSION}", head.version));
    }
    if u64::try_from(body.len()) != Ok(head.bytes) {
        return Err(format!("its first line announces {} bytes, and {} follow", head.bytes, body.len()));
    }
    if digest(body) != head.sha256 {
        return Err("its checksum is wrong".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn digest(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// Moves the file out of the way, so that nothing is lost that somebody may want to look at.
pub(super) fn put_aside(dir: &Path, reason: String) -> Result<PutAside, StoreError> {
    let path = dir.join(NAME);
    let free = (1..ASIDE).map(|n| dir.join(format!("{NAME}.aside-{n}"))).find(|path| !path.exists());
    let aside = free.ok_or_else(|| {
        let error = io::Error::other(format!("there are already {ASIDE} such files: remove some"));
        StoreError::io("put aside", &path, error)
    })?;
    fs::rename(&path, &aside).map_err(|error| StoreError::io("put aside", &path, error))?;
    sync_dir(dir)?;
    Ok(PutAside { path: aside, reason })
}

/// Replaces the file: after a crash either the old one is there or this one.
pub(super) fn write(dir: &Path, body: &[u8]) -> Result<(), StoreError> {
    let head = Head {
        format: FORMAT.to_owned(),
        version: VERSION,
        bytes: u64::try_from(body.len()).unwrap_or(u64::MAX),
        sha256: digest(body),
    };
    let mut line = serde_json::to_vec(&head).map_err(|error| StoreError::io("write", dir, error.into()))?;
    line.push(b'\n');
    Ok(replace(&dir.join(NAME), &dir.join(TEMPORARY), &[&line, body])?)
}
