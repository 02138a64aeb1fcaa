//! The index beside a segment: how far Cassandra has written it, and whether all of that is there.

use super::input::SegmentFile;
use crate::commitlog::{Damage, DamageKind, Index, SectionStep};

/// The index of a segment, and what is to be said of an index that cannot be used: then nothing is known.
#[must_use]
pub fn of(file: &SegmentFile) -> (Index, Option<String>) {
    let Some(path) = file.name.map(|name| file.path.with_file_name(name.index_file())) else {
        return (Index::Absent, None);
    };
    match Index::read(&path) {
        Ok(index) => (index.unwrap_or(Index::Absent), None),
        Err(error) => (Index::Absent, Some(format!("the index {} is not used: {error}", path.display()))),
    }
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
    fn an_index_that_is_not_there_is_no_news_and_one_that_cannot_be_used_is() {
        let dir = tempfile::tempdir().unwrap();
        let index = dir.path().join("CommitLog-7-5_cdc.idx");
        let of = || of(&SegmentFile::from(dir.path().join("CommitLog-7-5.log")));
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
}
