//! What was published under `written` and stands under no marker yet: a crash of the node forgets it, and then its
//! content identities are named.
//!
//! They are kept in a file as well, written before the commit that publishes them, so that they are known when the agent
//! dies together with the node. Where it is not known whether they are all, that is said, and no number.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::agent::exit::Failure;
use crate::agent::log;
use crate::agent::pipeline::batch::Batch;
use crate::agent::pipeline::worker::Outlet;
use crate::agent::pipeline::writer::Writer;
use crate::checkpoint::Checkpoint;
use crate::commitlog::{Position, SegmentId};
use crate::durable::{FILE_MODE, swap};

/// More are not named. A marker comes every 100 ms.
const KEPT: usize = if cfg!(test) { 1_000 } else { 500_000 };

/// Identities in one record of the control topic.
const TOLD_AT_ONCE: usize = 1000;

const FILE: &str = "beyond-markers.jsonl";

/// Published records under no marker, in the order of the log.
#[derive(Debug)]
pub(super) struct Beyond {
    path: PathBuf,
    records: VecDeque<(Position, String)>,
    /// Segments in which there are, or may be, others: up to the section with this marker.
    unnamed: BTreeMap<SegmentId, u64>,
    /// Those that are told of as forgotten with the next commit.
    told: Vec<(Position, String)>,
    told_unnamed: Vec<(SegmentId, u64)>,
    /// What the agent before published is not known.
    is_unread: bool,
    is_changed: bool,
    /// The last write failed, and that was said.
    is_failing: bool,
}

/// Records that the node forgot.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forgotten {
    pub(super) first: Position,
    /// Where reading goes on from: everything from `first` to here is forgotten.
    pub(super) reached: Position,
    /// How many there are, where that is known.
    pub(super) events: Option<usize>,
    pub(super) event_ids: Vec<String>,
}

impl Beyond {
    /// What an agent with this state directory published before.
    pub(super) fn open(state: &Path) -> Self {
        let path = state.join(FILE);
        // Older agents left it readable for others.
        let _ = fs::set_permissions(&path, Permissions::from_mode(FILE_MODE));
        let mut beyond = Self {
            records: VecDeque::new(),
            unnamed: BTreeMap::new(),
            told: Vec::new(),
            told_unnamed: Vec::new(),
            is_unread: false,
            is_changed: false,
            is_failing: false,
            path,
        };
        let unread = match fs::read_to_string(&beyond.path) {
            Ok(text) => beyond.read(&text).err(),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = unread {
            log::warn(&format!(
                "{} is not read whole: {reason}; what the node forgets of what was published before is not numbered",
                beyond.path.display()
            ));
            beyond.is_unread = true;
        }
        beyond
    }

    /// Takes over the lines that are whole.
    fn read(&mut self, text: &str) -> Result<(), String> {
        let mut broken = 0;
        for line in text.lines() {
            let entry: Option<(String, Option<String>)> = serde_json::from_str(line).ok();
            match entry.and_then(|(place, event_id)| Some((place.parse::<Position>().ok()?, event_id))) {
                Some((place, Some(event_id))) => self.records.push_back((place, event_id)),
                Some((place, None)) => self.note_unnamed(place.segment, place.marker),
                None => broken += 1,
            }
        }
        if broken > 0 { Err(format!("{broken} of its lines are broken")) } else { Ok(()) }
    }

    /// Goes on from `checkpoint`: what was sent and not committed is sent again, and what was told of is told again.
    pub(super) fn rewind(&mut self, checkpoint: &Checkpoint) {
        self.records.extend(self.told.drain(..));
        self.records.make_contiguous().sort();
        self.records.retain(|(at, _)| match checkpoint.open_at(at.segment) {
            Some(reached) => *at < reached,
            None => checkpoint.done_as(at.segment).is_some(),
        });
        for (segment, marker) in std::mem::take(&mut self.told_unnamed) {
            self.note_unnamed(segment, marker);
        }
        if std::mem::take(&mut self.is_unread) {
            checkpoint.open().for_each(|reached| self.note_unnamed(reached.segment, reached.marker));
        }
        self.is_changed = true;
    }

    /// All that was sent is committed.
    pub(super) fn committed(&mut self) {
        self.is_changed |= !self.told.is_empty() || !self.told_unnamed.is_empty();
        self.told.clear();
        self.told_unnamed.clear();
    }

    /// Takes note of a record that is sent.
    fn add(&mut self, position: Position, event_id: &str) {
        if self.records.len() < KEPT {
            self.records.push_back((position, event_id.to_owned()));
        } else {
            self.note_unnamed(position.segment, position.marker);
        }
        self.is_changed = true;
    }

    fn note_unnamed(&mut self, segment: SegmentId, marker: u64) {
        let known = self.unnamed.entry(segment).or_insert(marker);
        *known = marker.max(*known);
    }

    /// Everything before `next` of its segment stands under a marker.
    pub(super) fn marked(&mut self, next: Position) {
        let is_marked = |at: &Position| at.segment == next.segment && at.marker < next.marker;
        let before = self.records.len();
        if self.records.front().is_some_and(|(at, _)| is_marked(at)) {
            self.records.retain(|(at, _)| !is_marked(at));
        }
        self.is_changed |= self.records.len() != before;
        if self.unnamed.get(&next.segment).is_some_and(|marker| *marker < next.marker) {
            self.unnamed.remove(&next.segment);
            self.is_changed = true;
        }
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
        let unnamed = self.unnamed.remove(&segment);
        self.is_changed |= unnamed.is_some();
        self.told_unnamed.extend(unnamed.map(|marker| (segment, marker)));
        // What stood under a marker that is gone, too, was not synced, and was not noted any longer.
        let was_marked = end > 0 && reached.marker > end;
        let is_known = !was_marked && unnamed.is_none_or(|marker| marker < end);
        let events = is_known.then_some(event_ids.len());
        let first = Position { segment, marker: end, entry: 0, row: 0 };
        is_beyond.then_some(Forgotten { first, reached, events, event_ids })
    }

    /// The segments in which something stands under no marker.
    pub(super) fn segments(&self) -> BTreeSet<SegmentId> {
        self.records.iter().map(|(at, _)| at.segment).collect()
    }

    /// All of a segment was read from under its markers.
    pub(super) fn finished(&mut self, segment: SegmentId) {
        let before = self.records.len();
        self.records.retain(|(at, _)| at.segment != segment);
        self.is_changed |= self.records.len() != before || self.unnamed.remove(&segment).is_some();
    }

    /// Writes the file, before what it holds is committed. It is not synced: that would take longer than a batch, and what a
    /// failure of power takes is not numbered anyway.
    pub(super) fn keep(&mut self) {
        if !std::mem::take(&mut self.is_changed) {
            return;
        }
        let mut text = String::new();
        let mut line = |position: Position, event_id: Option<&str>| {
            text.push_str(&json!([position.to_string(), event_id]).to_string());
            text.push('\n');
        };
        for (position, event_id) in self.records.iter().chain(&self.told) {
            line(*position, Some(event_id));
        }
        let unnamed = self.unnamed.iter().map(|(segment, marker)| (*segment, *marker));
        for (segment, marker) in unnamed.chain(self.told_unnamed.iter().copied()) {
            line(Position { segment, marker, entry: 0, row: 0 }, None);
        }
        let kept = swap(&self.path, &self.path.with_extension("tmp"), &[text.as_bytes()]);
        self.is_changed = kept.is_err();
        let was_failing = std::mem::replace(&mut self.is_failing, kept.is_err());
        match kept {
            Ok(()) => {}
            Err(_) if was_failing => log::still_unwritten(),
            Err(error) => log::unwritten(&format!(
                "{error}: what the node forgets is not named when the agent ends before it"
            )),
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
                "events": self.events,
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
        assert_eq!(forgotten.events, Some(2));
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

    /// The file that is there is whole until the next one is.
    #[test]
    fn a_file_that_cannot_be_written_is_what_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let mut beyond = Beyond::open(dir.path());
        beyond.add(at("7:20:0"), "a");
        beyond.keep();
        // In the way of what is written.
        let temporary = dir.path().join(FILE).with_extension("tmp");
        fs::create_dir(&temporary).unwrap();
        beyond.add(at("7:20:1"), "b");
        beyond.keep();
        assert_eq!(Beyond::open(dir.path()).records, [(at("7:20:0"), "a".to_owned())]);
        fs::remove_dir(&temporary).unwrap();
        beyond.keep();
        assert_eq!(Beyond::open(dir.path()).records.len(), 2, "it is tried again");
    }

    /// An agent that goes on at `7:90:2`.
    fn going_on(state: &Path) -> Beyond {
        let mut checkpoint = Checkpoint::default();
        checkpoint.advance(at("7:90:2"), None).unwrap();
        let mut beyond = Beyond::open(state);
        beyond.rewind(&checkpoint);
        beyond
    }

    #[test]
    fn a_file_that_is_not_whole_gives_no_number() {
        let dir = tempfile::tempdir().unwrap();
        let forgotten = |beyond: &mut Beyond, reached: &str| {
            let forgotten = beyond.forgotten(SegmentId(7), 90, at(reached)).unwrap();
            (forgotten.events, forgotten.event_ids.len())
        };
        for (text, events, named) in [
            ("[\"7:90:0\",\"a\"]\n[\"7:90:1\",\"b\"]\n", Some(2), 2),
            ("[\"7:90:0\",\"a\"]\n[\"7:90:1\",\"", None, 1),
            ("\0\0", None, 0),
        ] {
            fs::write(dir.path().join(FILE), text).unwrap();
            let mut beyond = going_on(dir.path());
            assert_eq!(forgotten(&mut beyond, "7:90:2"), (events, named), "{text}");
            // Told of again when it was not committed.
            beyond.rewind(&Checkpoint::default());
            assert_eq!(beyond.unnamed.is_empty(), events.is_some(), "{text}");
            // What comes behind a marker is known again.
            let mut beyond = going_on(dir.path());
            beyond.marked(at("7:200:0"));
            beyond.add(at("7:200:0"), "c");
            let forgotten = beyond.forgotten(SegmentId(7), 200, at("7:200:1")).unwrap();
            assert_eq!((forgotten.events, forgotten.event_ids.len()), (Some(1), 1), "{text}");
        }
        fs::remove_file(dir.path().join(FILE)).unwrap();
        fs::create_dir(dir.path().join(FILE)).unwrap();
        assert_eq!(forgotten(&mut going_on(dir.path()), "7:90:2"), (None, 0), "it cannot be read");
    }

    #[test]
    fn what_a_failure_of_power_took_from_under_its_markers_is_not_numbered() {
        let dir = tempfile::tempdir().unwrap();
        let mut beyond = Beyond::open(dir.path());
        beyond.add(at("7:90:0"), "a");
        // Up to 900 all stood under markers.
        let forgotten = beyond.forgotten(SegmentId(7), 90, at("7:900:0")).unwrap();
        assert_eq!((forgotten.events, forgotten.event_ids.len()), (None, 1));
        assert_eq!(forgotten.entries()[0]["events"], Value::Null);
        // Of a segment that the node has removed nothing was marked.
        beyond.add(at("8:20:0"), "b");
        assert_eq!(beyond.forgotten(SegmentId(8), 0, at("8:20:1")).unwrap().events, Some(1));
    }

    #[test]
    fn more_than_are_kept_are_not_numbered_by_the_next_agent_either() {
        let dir = tempfile::tempdir().unwrap();
        let mut beyond = Beyond::open(dir.path());
        (0..KEPT).for_each(|_| beyond.add(at("7:20:0"), "a"));
        beyond.marked(at("7:90:0"));
        beyond.records.resize(KEPT, (at("7:90:0"), "b".to_owned()));
        beyond.add(at("7:90:1"), "c");
        beyond.keep();
        for beyond in [&mut going_on(dir.path()), &mut beyond] {
            let forgotten = beyond.forgotten(SegmentId(7), 90, at("7:90:2")).unwrap();
            assert_eq!((forgotten.events, forgotten.event_ids.len()), (None, KEPT));
        }
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
