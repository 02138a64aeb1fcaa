//! Segments that are missing: each is told of once.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::indexed::Indexed;
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
    /// Somebody else deletes segments that nobody has read: others of which nothing is left may have gone too.
    is_deleted_from: bool,
    told: BTreeSet<SegmentId>,
    /// Which of the segments that are read had an index.
    indexed: Indexed,
}

/// Something to tell of, or to do, about a missing segment.
#[derive(Debug)]
pub(super) struct News {
    pub(super) level: Level,
    /// For the log and the control topic; `None` when nothing is lost.
    pub(super) what: Option<Value>,
    /// The segment of which nothing more can be read.
    pub(super) closed: Option<SegmentId>,
    /// Whether something is parked in it.
    pub(super) parked: bool,
}

/// Places of parked mutations that are named in one record.
const NAMED: usize = 20;

/// What is said of missing segments: in the log and in the control topic.
pub(super) fn missing(
    (first, last): (SegmentId, SegmentId),
    checkpoint: &Checkpoint,
    evidence: &str,
    is_loss: bool,
) -> Value {
    let mut what = json!({
        "first": first.to_string(),
        "last": last.to_string(),
        "read_to": checkpoint.open_at(first).map(|place| place.to_string()),
        "is_loss": is_loss,
        "evidence": evidence,
    });
    let parked = checkpoint.parked_in(first).count();
    if let Some(fields) = what.as_object_mut().filter(|_| parked > 0) {
        let places: Vec<String> =
            checkpoint.parked_in(first).take(NAMED).map(|place| place.to_string()).collect();
        fields.insert("parked".to_owned(), json!(parked));
        fields.insert("parked_places".to_owned(), json!(places));
    }
    what
}

impl Told {
    pub(super) fn new(blocks_writes: bool, indexed: Indexed) -> Self {
        Self { blocks_writes, is_deleted_from: false, told: BTreeSet::new(), indexed }
    }

    /// What was told of is not committed, and is to be told again.
    pub(super) fn rewind(&mut self) {
        self.is_deleted_from = false;
        self.told.clear();
    }

    /// The directory was emptied.
    pub(super) fn note_emptied(&mut self) {
        self.is_deleted_from = true;
    }

    /// What was not told of before.
    pub(super) fn news(&mut self, scan: &Scan, lives: &Lives, checkpoint: &Checkpoint) -> Vec<News> {
        let open: Vec<Position> = checkpoint.open().collect();
        let is_done = |id: SegmentId| checkpoint.is_complete(id);
        self.indexed.note(scan, checkpoint);
        let had_index = |id: SegmentId| self.indexed.has(id);
        let parked: Vec<SegmentId> = checkpoint.parked_segments().collect();
        let known = Known {
            scan,
            vanished: &lives.vanished,
            is_done: &is_done,
            parked: &parked,
            had_index: &had_index,
            open: &open,
            last_done: checkpoint.done().map(|(id, _)| id).max(),
            blocks_writes: Some(self.blocks_writes),
        };
        let (mut found, mut unknown) = (gaps(&known), Level::Info);
        self.is_deleted_from |=
            found.iter().any(|gap| gap.evidence.is_proof() && !self.told.contains(&gap.first));
        // Until there is a segment again nobody knows how far it goes.
        if self.is_deleted_from && !scan.segments.is_empty() {
            found = gaps(&Known { blocks_writes: Some(false), ..known });
            (self.is_deleted_from, unknown) = (false, Level::Warn);
        }
        let mut news = Vec::new();
        for gap in found.into_iter().filter(|gap| self.told.insert(gap.first)) {
            let (level, evidence) = match gap.evidence {
                Evidence::Unread if checkpoint.done_as(gap.first).is_some() => {
                    (Level::Error, "it held changes that are parked, and cannot be read any more")
                }
                Evidence::Unread => (Level::Error, "it held changes and was not read to its end"),
                Evidence::ReadAsSeen => {
                    (Level::Warn, "all that was seen of it was read; what came after is lost")
                }
                Evidence::PartlyRead(_) => {
                    (Level::Warn, "it was read in part; if it got an index later, its rest is lost")
                }
                Evidence::Parked => {
                    (Level::Error, "it is gone; what is parked in it cannot be read any more")
                }
                Evidence::Unknown => (unknown, "segments with such ids may have been deleted unread"),
            };
            let what = missing((gap.first, gap.last), checkpoint, evidence, gap.evidence.is_proof());
            let closed = checkpoint.open_at(gap.first).map(|place| place.segment);
            news.push(News { level, what: Some(what), closed, parked: parked.contains(&gap.first) });
        }
        // Cassandra removes segments without changes of tables with CDC.
        for gone in lives.vanished.iter().filter(|gone| !gone.had_index) {
            if open.iter().any(|place| place.segment == gone.name.id) && self.told.insert(gone.name.id) {
                let closed = Some(gone.name.id);
                news.push(News { level: Level::Info, what: None, closed, parked: false });
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::cdc_raw::directory::StrayIndex;
    use crate::cdc_raw::{FileId, SegmentFile};
    use crate::checkpoint::Fingerprint;
    use crate::commitlog::{Index, SegmentName};

    fn name(id: i64) -> SegmentName {
        SegmentName { id: SegmentId(id), version: 7 }
    }

    fn scan(segments: &[i64], stray_indexes: &[i64]) -> Scan {
        let file = |id: &i64| SegmentFile {
            name: name(*id),
            id: FileId { device: 1, inode: id.unsigned_abs() },
            length: 1,
            links: 2,
            modified: UNIX_EPOCH,
            changed: UNIX_EPOCH,
            index: Index::Absent,
            has_index: false,
            is_spooled: false,
        };
        let stray = |id: &i64| StrayIndex { name: name(*id), modified: UNIX_EPOCH };
        Scan {
            segments: segments.iter().map(file).collect(),
            stray_indexes: stray_indexes.iter().map(stray).collect(),
            ..Scan::default()
        }
    }

    /// The gaps told of when this is seen and 4 was read.
    fn told(told: &mut Told, scan: &Scan) -> Vec<String> {
        let mut checkpoint = Checkpoint::default();
        checkpoint.finish(SegmentId(4), Fingerprint::of(b"", b"")).unwrap();
        let news = told.news(scan, &Lives::default(), &checkpoint);
        let span =
            |what: &Value| format!("{}-{}", what["first"].as_str().unwrap(), what["last"].as_str().unwrap());
        news.iter().filter_map(|news| news.what.as_ref().map(span)).collect()
    }

    #[test]
    fn when_somebody_deletes_segments_those_without_a_trace_are_told_of_too() {
        let mut gaps = Told::new(true, Indexed::default());
        // What was made and deleted while the agent was away left one index that Cassandra wrote again.
        assert_eq!(told(&mut gaps, &scan(&[], &[7])), ["7-7"]);
        assert_eq!(told(&mut gaps, &scan(&[9], &[7])), ["5-8"]);
        assert_eq!(told(&mut gaps, &scan(&[9], &[7])), [""; 0]);
        // Later ones are Cassandra's to delete again.
        assert_eq!(told(&mut gaps, &scan(&[20], &[7])), [""; 0]);
    }

    /// What is told of when these are there, 4 and 5 were read, and something is parked in 5.
    fn told_of_parked(told: &mut Told, scan: &Scan) -> Vec<Value> {
        let mut checkpoint = Checkpoint::default();
        for place in ["5:20:1", "5:90:0"] {
            checkpoint.park(place.parse().unwrap(), [1]).unwrap();
        }
        [4, 5]
            .into_iter()
            .for_each(|id| checkpoint.finish(SegmentId(id), Fingerprint::of(b"", b"")).unwrap());
        let news = told.news(scan, &Lives::default(), &checkpoint);
        assert!(news.iter().all(|news| news.parked && news.closed.is_none()), "{news:?}");
        news.into_iter().filter_map(|news| news.what).collect()
    }

    #[test]
    fn a_segment_in_which_something_is_parked_is_missed_with_its_places() {
        let mut gaps = Told::new(true, Indexed::default());
        assert_eq!(told_of_parked(&mut gaps, &scan(&[5, 9], &[])), [Value::Null; 0]);
        let gone = told_of_parked(&mut gaps, &scan(&[9], &[]));
        let expected = json!({
            "first": "5", "last": "5", "read_to": null, "is_loss": false,
            "evidence": "it is gone; what is parked in it cannot be read any more",
            "parked": 2, "parked_places": ["5:20:1", "5:90:0"],
        });
        assert_eq!(gone, [expected]);
        assert_eq!(told_of_parked(&mut gaps, &scan(&[9], &[])), [Value::Null; 0], "it is told of once");
        let proven = told_of_parked(&mut Told::new(true, Indexed::default()), &scan(&[6], &[4, 5]));
        assert_eq!((proven.len(), &proven[0]["is_loss"], &proven[0]["parked"]), (1, &json!(true), &json!(2)));
    }

    #[test]
    fn an_agent_that_was_away_while_the_directory_was_emptied_tells_of_all_that_may_be_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut checkpoint = Checkpoint::default();
        checkpoint.advance("5:20:1".parse().unwrap(), Some(Fingerprint::of(b"", b""))).unwrap();
        let mut before = scan(&[5], &[]);
        before.segments.iter_mut().for_each(|file| file.has_index = true);
        let open = || Told::new(true, Indexed::open(folder.path()));
        assert!(open().news(&before, &Lives::default(), &checkpoint).is_empty());
        let news = open().news(&scan(&[9], &[]), &Lives::default(), &checkpoint);
        let what: Vec<&Value> = news.iter().filter_map(|news| news.what.as_ref()).collect();
        let told: Vec<_> =
            what.iter().map(|what| (&what["first"], &what["last"], &what["is_loss"])).collect();
        assert_eq!(
            told,
            [(&json!("5"), &json!("5"), &json!(true)), (&json!("6"), &json!("8"), &json!(false))]
        );
        assert_eq!(news[0].closed, Some(SegmentId(5)));
    }

    #[test]
    fn after_the_directory_was_emptied_the_ids_up_to_the_next_segment_are_told_of() {
        let mut gaps = Told::new(true, Indexed::default());
        assert_eq!(told(&mut gaps, &scan(&[9], &[])), [""; 0]);
        gaps.note_emptied();
        assert_eq!(told(&mut gaps, &scan(&[], &[])), [""; 0]);
        assert_eq!(told(&mut gaps, &scan(&[9], &[])), ["5-8"]);
    }
}
