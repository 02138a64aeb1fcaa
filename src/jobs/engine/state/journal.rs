//! The journal: in which order records were read, a line for each commit.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::agent::exit::Exit;
use crate::durable::{replace, sync_dir};
use crate::jobs::engine::error::EngineError;

const PREFIX: &str = "journal-";
/// Only the owner reads.
const FILE_MODE: u32 = 0o600;

/// What happened between two commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::jobs::engine) struct Frame {
    /// The commit at its end.
    pub generation: u64,
    /// In their order.
    pub steps: Vec<Step>,
}

/// Something that the job was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::jobs::engine) enum Step {
    /// The records of a partition from where it was up to an offset, which is not among them.
    Read {
        /// Number of the topic.
        input: usize,
        /// Partition.
        partition: u32,
        /// Offset of the record after them.
        to: i64,
    },
    /// A partition has had no record for a while.
    Idle {
        /// Number of the topic.
        input: usize,
        /// Partition.
        partition: u32,
    },
    /// Everything was read.
    End,
}

/// A journal that is written.
#[derive(Debug)]
pub(in crate::jobs::engine) struct Journal {
    path: PathBuf,
    file: File,
}

fn path_of(dir: &Path, base: u64) -> PathBuf {
    dir.join(format!("{PREFIX}{base}"))
}

/// The frames behind the snapshot of this generation, up to the first line that is not whole.
pub(super) fn read(dir: &Path, base: u64) -> Result<Vec<Frame>, EngineError> {
    let path = path_of(dir, base);
    let content = match fs::read(&path) {
        Ok(content) => content,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unusable("read", &path, &error)),
    };
    let lines = content.split_inclusive(|byte| *byte == b'\n');
    Ok(lines.map_while(parse).collect())
}

/// `<CRC-32 of the rest, 8 hex digits> <JSON>` and a newline.
fn parse(line: &[u8]) -> Option<Frame> {
    let text = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (sum, json) = text.split_once(' ')?;
    let is_whole = sum == format!("{:08x}", crc32fast::hash(json.as_bytes()));
    is_whole.then(|| serde_json::from_str(json).ok()).flatten()
}

fn line(frame: &Frame) -> Result<String, EngineError> {
    let json = serde_json::to_string(frame)
        .map_err(|error| EngineError::new(Exit::Bug, format!("a line of the journal: {error}")))?;
    Ok(format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())))
}

/// Removes the journals of older snapshots; one that stays does no harm.
pub(super) fn remove_others(dir: &Path, base: u64) {
    let own = path_of(dir, base);
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let is_journal = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_journal && entry.path() != own {
            let _ = fs::remove_file(entry.path());
        }
    }
}

impl Journal {
    /// An empty one behind the snapshot of this generation.
    pub(super) fn create(dir: &Path, base: u64) -> Result<Self, EngineError> {
        let path = path_of(dir, base);
        let mut options = OpenOptions::new();
        let opened = options.write(true).create(true).truncate(true).mode(FILE_MODE).open(&path);
        let file = opened.map_err(|error| unusable("write", &path, &error))?;
        sync_dir(dir)?;
        Ok(Self { path, file })
    }

    /// One of these frames alone, in the place of what is there. At no moment is there less than both have.
    pub(super) fn cut_back(dir: &Path, base: u64, frames: &[Frame]) -> Result<Self, EngineError> {
        let path = path_of(dir, base);
        let text = frames.iter().map(line).collect::<Result<String, _>>()?;
        replace(&path, &path.with_extension("tmp"), &[text.as_bytes()])
            .map_err(|error| unusable("write", &path, &error.source))?;
        let opened = OpenOptions::new().append(true).open(&path);
        let file = opened.map_err(|error| unusable("write", &path, &error))?;
        Ok(Self { path, file })
    }

    /// Appends a frame and makes it durable.
    pub(in crate::jobs::engine) fn append(&mut self, frame: &Frame) -> Result<(), EngineError> {
        let text = line(frame)?;
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| unusable("write", &self.path, &error))
    }
}

fn unusable(what: &str, path: &Path, error: &std::io::Error) -> EngineError {
    EngineError::new(Exit::Destination, format!("cannot {what} {}: {error}", path.display()))
        .next("make room and let this user write there; the job goes on from its last commit")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(generation: u64) -> Frame {
        Frame { generation, steps: vec![Step::End] }
    }

    #[test]
    fn a_journal_is_cut_back_at_once_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path(), 1).unwrap();
        [2, 3, 4].iter().for_each(|generation| journal.append(&frame(*generation)).unwrap());
        let all = read(folder.path(), 1).unwrap();
        // What is to be put in its place cannot be written.
        std::fs::create_dir(folder.path().join("journal-1.tmp")).unwrap();
        assert!(Journal::cut_back(folder.path(), 1, &all[..2]).is_err());
        assert_eq!(read(folder.path(), 1).unwrap(), all);
        std::fs::remove_dir(folder.path().join("journal-1.tmp")).unwrap();
        let mut shorter = Journal::cut_back(folder.path(), 1, &all[..2]).unwrap();
        shorter.append(&frame(9)).unwrap();
        assert_eq!(read(folder.path(), 1).unwrap(), [frame(2), frame(3), frame(9)]);
    }
}
