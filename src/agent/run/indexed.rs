//! Partly read segments that had an index when they were seen last, also by an agent before this one.
//!
//! An index is written only for a segment with changes of tables with CDC, and Cassandra does not delete such a segment
//! by itself. So when one of these is gone after a restart somebody else has deleted it, and perhaps others of which
//! nothing is left.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::kept;
use crate::agent::log;
use crate::cdc_raw::Scan;
use crate::checkpoint::Checkpoint;
use crate::commitlog::SegmentId;
use crate::durable::replace;

const FILE: &str = "indexed-segments.json";
const VERSION: u32 = 1;

#[derive(Debug, Default)]
pub(super) struct Indexed {
    /// `None`: nothing is kept.
    path: Option<PathBuf>,
    segments: BTreeSet<SegmentId>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    segments: Vec<i64>,
}

impl Indexed {
    /// What an agent with this state directory saw.
    pub(super) fn open(state: &Path) -> Self {
        let path = state.join(FILE);
        let follows =
            "a partly read segment that was deleted meanwhile is told of as one that may have held no change";
        let kept = kept::read(&path, |kept: &Kept| kept.version == VERSION, follows);
        let segments = kept.into_iter().flat_map(|kept| kept.segments).map(SegmentId).collect();
        Self { path: Some(path), segments }
    }

    /// Whether it had an index.
    pub(super) fn has(&self, id: SegmentId) -> bool {
        self.segments.contains(&id)
    }

    /// Notes what is there. What is not partly read any more is forgotten with the next one that is noted.
    pub(super) fn note(&mut self, scan: &Scan, checkpoint: &Checkpoint) {
        let open: BTreeSet<SegmentId> = checkpoint.open().map(|place| place.segment).collect();
        let seen = scan.segments.iter().filter(|file| file.has_index).map(|file| file.name.id);
        let new: Vec<SegmentId> = seen.filter(|id| open.contains(id) && !self.has(*id)).collect();
        if new.is_empty() {
            return;
        }
        self.segments.retain(|id| open.contains(id));
        self.segments.extend(new);
        self.keep();
    }

    fn keep(&self) {
        let Some(path) = &self.path else { return };
        let segments = self.segments.iter().map(|id| id.0).collect();
        let text = serde_json::to_vec(&Kept { version: VERSION, segments }).unwrap_or_default();
        if let Err(error) = replace(path, &path.with_extension("tmp"), &[&text]) {
            log::unwritten(&format!(
                "if the segment that is read now is deleted while the agent is away, its loss is told of as a possible one: {error}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::cdc_raw::{FileId, SegmentFile};
    use crate::commitlog::{Index, SegmentName};

    fn scan(segments: &[(i64, bool)]) -> Scan {
        let file = |(id, has_index): &(i64, bool)| SegmentFile {
            name: SegmentName { id: SegmentId(*id), version: 7 },
            id: FileId { device: 1, inode: id.unsigned_abs() },
            length: 1,
            links: 2,
            modified: UNIX_EPOCH,
            changed: UNIX_EPOCH,
            index: Index::Absent,
            has_index: *has_index,
            is_spooled: false,
        };
        Scan { segments: segments.iter().map(file).collect(), ..Scan::default() }
    }

    #[test]
    fn the_next_agent_knows_which_partly_read_segments_had_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let mut checkpoint = Checkpoint::default();
        for place in ["5:20:1", "6:20:1"] {
            checkpoint.advance(place.parse().unwrap(), None).unwrap();
        }
        let mut indexed = Indexed::open(folder.path());
        indexed.note(&scan(&[(5, true), (6, false), (7, true)]), &checkpoint);
        let next = Indexed::open(folder.path());
        let has = |id| next.has(SegmentId(id));
        assert!(has(5) && !has(6) && !has(7), "{next:?}");
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert!(!Indexed::open(folder.path()).has(SegmentId(5)));
    }
}
