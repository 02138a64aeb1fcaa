//! The index beside a segment: how far Cassandra has written it, and whether all of that is there.

use std::io::{self, Read};
use std::path::Path;

use super::input::SegmentFile;
use crate::commitlog::map::open_regular;
use crate::commitlog::{Damage, DamageKind, SectionStep};

/// More than an index has: a decimal offset, a line feed and `COMPLETED`.
const LONGEST_INDEX: u64 = 64;

/// What the index beside a segment says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// Cassandra writes no more into it, and the index names this logical end; after a crash of the node the length of
    /// the file instead. A single link alone does not say so: a copy of a growing segment has one, too.
    Completed(u64),
    /// It is on disk up to this logical position.
    Synced(u64),
    /// Nothing: there is none, or it is being written.
    Absent,
}

impl Index {
    /// The index of a segment, and what is to be said of an index that cannot be used: then nothing is known.
    #[must_use]
    pub fn of(file: &SegmentFile) -> (Self, Option<String>) {
        let Some(path) = file.name.map(|name| file.path.with_file_name(name.index_file())) else {
            return (Self::Absent, None);
        };
        match read(&path) {
            // It is rewritten in place and can be found empty.
            Ok(text) if text.is_empty() => (Self::Absent, None),
            Ok(text) => {
                let parsed = std::str::from_utf8(&text).ok().and_then(Self::parse);
                let garbage = || unusable(&path, "it holds no offset as Cassandra writes one");
                (parsed.unwrap_or(Self::Absent), parsed.is_none().then(garbage))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.symlink_metadata().is_err() => {
                (Self::Absent, None)
            }
            Err(error) => (Self::Absent, Some(unusable(&path, error))),
        }
    }

    /// `offset`, or `offset\nCOMPLETED`.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let offset = lines.next()?.parse().ok()?;
        match (lines.next(), lines.next()) {
            (Some("COMPLETED"), None) => Some(Self::Completed(offset)),
            (None, None) => Some(Self::Synced(offset)),
            _ => None,
        }
    }

    /// Whether a segment whose chain has this logical end, in a file of this length, is all that Cassandra wrote.
    fn is_reached_by(self, logical_end: u64, file_length: u64) -> bool {
        matches!(self, Self::Completed(offset) if logical_end >= offset || file_length == offset)
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    open_regular(path)?.take(LONGEST_INDEX + 1).read_to_end(&mut text)?;
    Ok(text)
}

fn unusable(path: &Path, why: impl std::fmt::Display) -> String {
    format!("the index {} is not used: {why}", path.display())
}

/// How the chain of markers of a segment ends, as far as it was read.
#[derive(Debug, Clone, Copy)]
pub struct ChainEnd {
    /// File offset.
    pub offset: usize,
    /// Whether nothing is wrong with the end.
    pub is_clean: bool,
    /// Whether no damage was met on the way.
    is_whole: bool,
}

impl Default for ChainEnd {
    fn default() -> Self {
        Self { offset: 0, is_clean: true, is_whole: true }
    }
}

/// Whether a segment is all that Cassandra wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It is, and it grows no more.
    Final,
    /// It is not, although Cassandra writes no more into it.
    Cut(Damage),
    /// It may still grow, or damage hides its end.
    Open,
}

impl ChainEnd {
    /// A marker stands at this file offset, and this stands behind it. Whether reading can go on there later: behind a
    /// last section that is damaged it cannot, because that may be whole then.
    pub fn marker(&mut self, offset: usize, step: Option<&SectionStep<'_>>) -> bool {
        let is_reached = step.is_some() || self.is_clean;
        if is_reached {
            (self.offset, self.is_clean) = (offset, true);
        }
        if matches!(step, Some(SectionStep::Damage(_))) {
            (self.is_clean, self.is_whole) = (false, false);
        }
        is_reached
    }

    /// A frame of the section at hand is damaged.
    pub fn damaged_frame(&mut self, kind: DamageKind) {
        self.is_whole = false;
        // Only told of a last section: no marker follows that corrects this one's pointer.
        self.is_clean &= !matches!(kind, DamageKind::TruncatedSection | DamageKind::MarkerTarget);
    }

    /// Judges the end by the index. `logical_end` is the end's logical offset, `file_length` is in bytes.
    #[must_use]
    pub fn judge(self, index: Index, logical_end: u64, file_length: u64) -> Ending {
        if !matches!(index, Index::Completed(_)) || !self.is_clean {
            return Ending::Open;
        }
        // Where damage was met the logical end is not known, and the loss was told of.
        if self.is_whole && !index.is_reached_by(logical_end, file_length) {
            return Ending::Cut(ends_early(self.offset));
        }
        Ending::Final
    }
}

/// Damage of a file that ends at a section boundary, before the end that its index names.
fn ends_early(end: usize) -> Damage {
    Damage {
        kind: DamageKind::TruncatedSection,
        offset: end as u64,
        plain_offset: None,
        lost_bytes: 0,
        lost_mutations: None,
        reason: Some(
            "the file ends before the end that its index names: it was cut, or is not yet whole".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_says_what_it_says_in_full_or_nothing() {
        let parsed = |text| Index::parse(text);
        assert_eq!(parsed("119881"), Some(Index::Synced(119_881)));
        assert_eq!(parsed("119881\n"), Some(Index::Synced(119_881)));
        assert_eq!(parsed("79010\nCOMPLETED"), Some(Index::Completed(79_010)));
        assert_eq!(parsed("79010\nCOMPLETED\n"), Some(Index::Completed(79_010)));
        for text in ["\n", "COMPLETED", "\nCOMPLETED", "12x", "-1", "12\nCOMP", "12\nCOMPLETED\nx"] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_index_that_is_not_there_is_no_news_and_one_that_cannot_be_used_is() {
        let dir = tempfile::tempdir().unwrap();
        let index = dir.path().join("CommitLog-7-5_cdc.idx");
        let of = || Index::of(&SegmentFile::from(dir.path().join("CommitLog-7-5.log")));
        assert_eq!(of(), (Index::Absent, None));
        std::fs::write(&index, "").unwrap();
        assert_eq!(of(), (Index::Absent, None));
        for garbage in [b"12\nCOMP".to_vec(), vec![0xff], vec![b'1'; 1 << 20]] {
            std::fs::write(&index, garbage).unwrap();
            let (parsed, problem) = of();
            assert_eq!(parsed, Index::Absent);
            assert!(problem.is_some_and(|problem| problem.contains("CommitLog-7-5_cdc.idx")));
        }
        std::fs::remove_file(&index).unwrap();
        std::os::unix::fs::symlink("nowhere", &index).unwrap();
        assert!(of().1.is_some());
    }

    #[test]
    fn a_completed_segment_reaches_the_end_that_its_index_names() {
        assert!(Index::Completed(500).is_reached_by(500, 9000));
        assert!(!Index::Completed(500).is_reached_by(499, 9000));
        // A node that was killed has written the length of the file; then nobody knows the logical end.
        assert!(Index::Completed(9000).is_reached_by(499, 9000));
        assert!(!Index::Completed(9000).is_reached_by(499, 8999));
        assert!(!Index::Synced(500).is_reached_by(500, 500) && !Index::Absent.is_reached_by(500, 500));
    }
}
