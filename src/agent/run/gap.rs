//! Segments that are missing: each is told of once.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::agent::log::Level;
use crate::cdc_raw::gaps::{Evidence, Known, gaps};
use crate::cdc_raw::{Lives, Scan};
use crate::checkpoint::Checkpoint;
use crate::commitlog::{Position, SegmentId};

/// The gaps that were told of.
#[derive(Debug)]
pub(super) struct Told {
    /// Whether Cassandra refuses writes when the directory is full, and does not delete segments that nobody has read.
    blocks_writes: bool,
    told: BTreeSet<SegmentId>,
}

/// Something to tell of, or to do, about a missing segment.
#[derive(Debug)]
pub(super) struct News {
    pub(super) level: Level,
    /// For the log and the control topic; `None` when nothing is lost.
    pub(super) what: Option<Value>,
    /// The segment of which nothing more can be read.
    pub(super) closed: Option<SegmentId>,
}

impl Told {
    pub(super) fn new(blocks_writes: bool) -> Self {
        Self { blocks_writes, told: BTreeSet::new() }
    }

    /// What was not told of before.
    pub(super) fn news(&mut self, scan: &Scan, lives: &Lives, checkpoint: &Checkpoint) -> Vec<News> {
        let open: Vec<Position> = checkpoint.open().collect();
        let is_done = |id: SegmentId| checkpoint.done_as(id).is_some();
        let known = Known {
            scan,
            vanished: &lives.vanished,
            is_done: &is_done,
            open: &open,
            last_done: checkpoint.done().map(|(id, _)| id).max(),
            blocks_writes: Some(self.blocks_writes),
        };
        let mut news = Vec::new();
        for gap in gaps(&known).into_iter().filter(|gap| self.told.insert(gap.first)) {
            let (level, evidence) = match gap.evidence {
                Evidence::Unread => (Level::Error, "it held changes and was not read to its end"),
                Evidence::ReadAsSeen => {
                    (Level::Warn, "all that was seen of it was read; what came after is lost")
                }
                Evidence::PartlyRead(_) => {
                    (Level::Warn, "it was read in part; if it had an index then, its rest is lost")
                }
                Evidence::Unknown => (Level::Info, "segments with such ids may have been deleted unread"),
            };
            let read_to = open.iter().find(|place| place.segment == gap.first).map(ToString::to_string);
            let what = json!({
                "first": gap.first.to_string(),
                "last": gap.last.to_string(),
                "read_to": read_to,
                "is_loss": gap.evidence.is_proof(),
                "evidence": evidence,
            });
            news.push(News { level, what: Some(what), closed: read_to.map(|_| gap.first) });
        }
        // Cassandra removes segments without changes of tables with CDC.
        for gone in lives.vanished.iter().filter(|gone| !gone.had_index) {
            if open.iter().any(|place| place.segment == gone.name.id) && self.told.insert(gone.name.id) {
                news.push(News { level: Level::Info, what: None, closed: Some(gone.name.id) });
            }
        }
        news
    }
}
