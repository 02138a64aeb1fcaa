//! What was published under `written` and stands under no marker yet: a crash of the node forgets it, and then its
//! content identities are named.
//!
//! They are kept in a file as well, written before the commit that publishes them, so that they are known when the agent
//! dies together with the node.

use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::agent::exit::Failure;
use crate::agent::log;
use crate::agent::pipeline::batch::Batch;
use crate::agent::pipeline::worker::Outlet;
use crate::agent::pipeline::writer::Writer;
use crate::checkpoint::Checkpoint;
use crate::commitlog::{Position, SegmentId};
use crate::durable::FILE_MODE;

/// More are only counted. A marker comes every 100 ms.
const KEPT: usize = 500_000;

/// Identities in one record of the control topic.
const TOLD_AT_ONCE: usize = 1000;

const FILE: &str = "beyond-markers.jsonl";

/// Published records under no marker, in the order of the log.
#[derive(Debug)]
pub(super) struct Beyond {
    path: PathBuf,
    records: VecDeque<(Position, String)>,
    /// Those that are told of as forgotten with the next commit.
    told: Vec<(Position, String)>,
    is_changed: bool,
}

/// Records that the node forgot.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forgotten {
    pub(super) first: Position,
    /// Where reading goes on from: everything from `first` to here is forgotten.
    pub(super) reached: Position,
    pub(super) event_ids: Vec<String>,
}

impl Beyond {
    /// What an agent with this state directory published before.
    pub(super) fn open(state: &std::path::Path) -> Self {
        let path = state.join(FILE);
        let text = fs::read_to_string(&path).unwrap_or_default();
        // Older agents left it readable for others.
        let _ = fs::set_permissions(&path, Permissions::from_mode(FILE_MODE));
        let entry = |line: &str| {
            let entry: (String, String) = serde_json::from_str(line).ok()?;
            Some((entry.0.parse().ok()?, entry.1))
        };
        // A line that was not written whole is one that was not published.
        Self { path, records: text.lines().filter_map(entry).collect(), told: Vec::new(), is_changed: false }
    }

    /// Goes on from `checkpoint`: what was sent and not committed is sent again, and what was told of is told again.
    pub(super) fn rewind(&mut self, checkpoint: &Checkpoint) {
        self.records.extend(self.told.drain(..));
        self.records.make_contiguous().sort();
        self.records.retain(|(at, _)| match checkpoint.open_at(at.segment) {
            Some(reached) => *at < reached,
            None => checkpoint.done_as(at.segment).is_some(),
        });
        self.is_changed = true;
    }

    /// All that was sent is committed.
    pub(super) fn committed(&mut self) {
        self.is_changed |= !self.told.is_empty();
        self.told.clear();
    }

    /// Takes note of a record that is sent.
    fn add(&mut self, position: Position, event_id: &str) {
        if self.records.len() < KEPT {
            self.records.push_back((position, event_id.to_owned()));
            self.is_changed = true;
        }
    }

    /// Everything before `next` of its segment stands under a marker.
    pub(super) fn marked(&mut self, next: Position) {
        let is_marked = |at: &Position| at.segment == next.segment && at.marker < next.marker;
        let before = self.records.len();
        if self.records.front().is_some_and(|(at, _)| is_marked(at)) {
            self.records.retain(|(at, _)| !is_marked(at));
        }
        self.is_changed |= self.records.len() != before;
    }

    /// Takes out what stands in a segment from file offset `end` on, where its chain of markers ends for good, and was
    /// committed: it is not before `reached`.
    pub(super) fn forgotten(&mut self, segment: SegmentId, end: u64, reached: Position) -> Option<Forgotten> {
        let is_beyond = reached.marker > end || (reached.marker == end && reached.entry > 0);
        let (mut event_ids, told) = (Vec::new(), &mut self.told);
        let before = self.records.len();
        self.records.retain(|(at, event_id)| {
            let is_gone = at.segment == segment && at.marker >= end;
            if is_gone && *at < reached {
                event_ids.push(event_id.clone());
                told.push((*at, event_id.clone()));
            }
            !is_gone
        });
        self.is_changed |= self.records.len() != before;
        let first = Position { segment, marker: end, entry: 0, row: 0 };
        is_beyond.then_some(Forgotten { first, reached, event_ids })
    }

    /// The segments in which something stands under no marker.
    pub(super) fn segments(&self) -> BTreeSet<SegmentId> {
        self.records.iter().map(|(at, _)| at.segment).collect()
    }

    /// All of a segment was read from under its markers.
    pub(super) fn finished(&mut self, segment: SegmentId) {
        let before = self.records.len();
        self.records.retain(|(at, _)| at.segment != segment);
        self.is_changed |= self.records.len() != before;
    }

    /// Writes the file, before what it holds is committed.
    pub(super) fn keep(&mut self) {
        if !std::mem::take(&mut self.is_changed) {
            return;
        }
        let mut text = String::new();
        for (position, event_id) in self.records.iter().chain(&self.told) {
            text.push_str(&json!([position.to_string(), event_id]).to_string());
            text.push('\n');
        }
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(FILE_MODE).open(&self.path);
        if let Err(error) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
            log::warn(&format!("cannot write {}: {error}", self.path.display()));
        }
    }
}

impl Forgotten {
    /// What the control topic says: one record or several, so that none is too long.
    pub(super) fn entries(&self) -> Vec<Value> {
        let entry = |event_ids: &[String]| {
            json!({
                "segment": self.first.segment.to_string(),
                "first": self.first.to_string(),
                "reached": self.reached.to_string(),
                "events": self.event_ids.len(),
                "event_ids": event_ids,
            })
        };
        match self.event_ids.is_empty() {
            true => vec![entry(&[])],
            false => self.event_ids.chunks(TOLD_AT_ONCE).map(entry).collect(),
        }
    }
}

/// Sends records, and takes note of those that stand under no marker.
pub(super) struct Noting<'n, 'w> {
    pub(super) writer: &'n mut Writer<'w>,
    pub(super) beyond: &'n mut Beyond,
    /// File offset of the marker behind which nothing is marked.
    pub(super) from: u64,
}

impl Outlet for Noting<'_, '_> {
    fn take(&mut self, batch: &mut Batch) -> Result<(), Failure> {
        let records = batch.mutations().flat_map(|mutation| mutation.records());
        for record in records.filter(|record| record.position.marker >= self.from) {
            self.beyond.add(record.position, record.event_id);
        }
        self.writer.take(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Position {
        text.parse().unwrap()
    }

    #[test]
    fn what_no_marker_covers_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let mut beyond = Beyond::open(dir.path());
        for (place, id) in [("7:20:0", "a"), ("7:90:0", "b"), ("7:90:1", "c"), ("7:90:2", "d")] {
            beyond.add(at(place), id);
        }
        beyond.marked(at("7:90:3"));
        beyond.keep();
        let mut beyond = Beyond::open(dir.path());
        let forgotten = beyond.forgotten(SegmentId(7), 90, at("7:90:2")).unwrap();
        // The last one was not committed.
        assert_eq!(forgotten.event_ids, ["b", "c"]);
        assert_eq!(forgotten.first, at("7:90:0"));
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(dir.path().join(FILE)), 0o600);
        assert_eq!(beyond.forgotten(SegmentId(7), 90, at("7:90:0")), None, "nothing is beyond the end");
        beyond.keep();
        assert_eq!(Beyond::open(dir.path()).records.len(), 2, "that they are forgotten is not committed yet");
        beyond.committed();
        beyond.keep();
        assert!(Beyond::open(dir.path()).records.is_empty());
    }

    #[test]
    fn a_torn_file_gives_what_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "[\"7:20:0\",\"a\"]\n[\"7:20:1\",\"").unwrap();
        let beyond = Beyond::open(dir.path());
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "an older agent's is closed to others");
        assert_eq!(beyond.records, [(at("7:20:0"), "a".to_owned())]);
    }
}
