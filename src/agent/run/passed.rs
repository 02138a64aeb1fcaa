//! Segments into which nobody writes, that were gone through and stay in `cdc_raw` because they are damaged.
//!
//! Going through them again would tell of their damage again. So they are remembered: in memory until that is committed,
//! from then on in a file as well, for the next agent.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::kept;
use crate::agent::log;
use crate::cdc_raw::{Scan, SegmentFile};
use crate::checkpoint::Checkpoint;
use crate::durable::replace;

const FILE: &str = "passed-segments.json";
const VERSION: u32 = 1;

/// The segments that are not gone through again.
#[derive(Debug)]
pub(super) struct Passed {
    path: PathBuf,
    kept: Vec<Mark>,
    /// Those of which what was told is not committed.
    news: Vec<Mark>,
}

/// A segment as it was. Another file, or one that changed, is gone through again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    segment: String,
    inode: u64,
    length: u64,
    /// Nanoseconds since 1970.
    modified_ns: u64,
    /// The position up to which it was read, where something of it can be: an operator can go back behind it.
    read_to: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    segments: Vec<Mark>,
}

impl Passed {
    /// What an agent with this state directory passed before.
    pub(super) fn open(state: &Path) -> Self {
        let path = state.join(FILE);
        let follows = "damaged segments that stay are told of once more";
        let kept = kept::read(&path, |kept: &Kept| kept.version == VERSION, follows);
        Self { path, kept: kept.map(|kept| kept.segments).unwrap_or_default(), news: Vec::new() }
    }

    /// It was gone through, up to where `checkpoint` says.
    pub(super) fn add(&mut self, file: &SegmentFile, checkpoint: &Checkpoint) {
        let read_to = checkpoint.open_at(file.name.id).map(|place| place.to_string());
        self.news.push(Mark { read_to, ..mark(file) });
    }

    /// Whether it is not to be gone through again.
    pub(super) fn has(&self, file: &SegmentFile, checkpoint: &Checkpoint) -> bool {
        if self.kept.is_empty() && self.news.is_empty() {
            return false;
        }
        let now = mark(file);
        let reached = checkpoint.open_at(file.name.id);
        let is_it = |mark: &&Mark| Mark { read_to: None, ..(*mark).clone() } == now;
        let read_to = |mark: &Mark| mark.read_to.as_ref().and_then(|place| place.parse().ok());
        self.kept.iter().chain(&self.news).filter(is_it).any(|mark| read_to(mark) <= reached)
    }

    /// What was told of is not committed, and is to be told again.
    pub(super) fn rewind(&mut self) {
        self.news.clear();
    }

    /// What was told of is committed. What is not there any more is forgotten.
    pub(super) fn committed(&mut self, scan: &Scan) {
        if self.news.is_empty() {
            return;
        }
        self.kept.append(&mut self.news);
        self.kept.retain(|mark| scan.segments.iter().any(|file| file.name.to_string() == mark.segment));
        let kept = Kept { version: VERSION, segments: self.kept.clone() };
        let text = serde_json::to_vec(&kept).unwrap_or_default();
        if let Err(error) = replace(&self.path, &self.path.with_extension("tmp"), &[&text]) {
            log::unwritten(&format!("damaged segments that stay are told of again after a restart: {error}"));
        }
    }
}

fn mark(file: &SegmentFile) -> Mark {
    let since = file.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Mark {
        segment: file.name.to_string(),
        inode: file.id.inode,
        length: file.length,
        modified_ns: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX),
        read_to: None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cdc_raw::FileId;
    use crate::commitlog::{Index, SegmentId, SegmentName};

    fn file() -> SegmentFile {
        SegmentFile {
            name: SegmentName { id: SegmentId(7), version: 7 },
            id: FileId { device: 1, inode: 5 },
            length: 100,
            links: 1,
            modified: UNIX_EPOCH + Duration::from_nanos(12_345),
            changed: UNIX_EPOCH,
            index: Index::Absent,
            has_index: false,
            is_spooled: false,
        }
    }

    fn scan() -> Scan {
        Scan { segments: vec![file()], ..Scan::default() }
    }

    fn read_to(place: &str) -> Checkpoint {
        let mut checkpoint = Checkpoint::default();
        checkpoint.advance(place.parse().unwrap(), None).unwrap();
        checkpoint
    }

    #[test]
    fn what_was_committed_is_passed_by_the_next_agent() {
        let dir = tempfile::tempdir().unwrap();
        let mut passed = Passed::open(dir.path());
        let checkpoint = read_to("7:90:0");
        passed.add(&file(), &checkpoint);
        assert!(passed.has(&file(), &checkpoint));
        assert!(!Passed::open(dir.path()).has(&file(), &checkpoint), "it is not committed");
        passed.committed(&scan());
        let next = Passed::open(dir.path());
        assert!(next.has(&file(), &checkpoint));
        assert!(!next.has(&file(), &read_to("7:20:0")), "an operator went back");
        assert!(!next.has(&SegmentFile { length: 101, ..file() }, &checkpoint), "it changed");
    }

    #[test]
    fn what_was_not_committed_is_gone_through_again_after_a_rewind() {
        let dir = tempfile::tempdir().unwrap();
        let mut passed = Passed::open(dir.path());
        let checkpoint = Checkpoint::default();
        passed.add(&file(), &checkpoint);
        passed.rewind();
        assert!(!passed.has(&file(), &checkpoint));
        passed.add(&file(), &checkpoint);
        passed.committed(&scan());
        passed.rewind();
        assert!(passed.has(&file(), &checkpoint));
    }
}
