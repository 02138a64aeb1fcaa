//! Whether the counters of a data quality job go together with what it read and with its dead letters, minute by minute
//! of Kafka time: `cdc-jobs reconcile`. It looks at topics alone, so that it is the same check for both engines.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::engine::cdc_record::CdcRecord;
use super::engine::repeats::Repeats;
use super::record::{Change, change};

const MINUTE_MS: i64 = 60_000;
/// How long an event's id is remembered: of records that are gone nobody knows for so long which ids they had.
const REMEMBERED_MS: i64 = 24 * 60 * MINUTE_MS;

/// What is known of a minute.
#[derive(Debug, Clone, Copy, Default)]
struct Minute {
    read: u64,
    letters: u64,
    /// `valid_count` and `total_count`.
    valid: Option<(u64, u64)>,
    /// `invalid_count` and `total_count`.
    invalid: Option<(u64, u64)>,
}

/// A minute in which numbers do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its beginning, milliseconds since the epoch.
    pub minute_ms: i64,
    /// Records that were read and judged.
    pub read: u64,
    /// Records in the topic of dead letters.
    pub dead_letters: u64,
    /// Valid records by their counter; None without a row.
    pub valid_count: Option<u64>,
    /// Invalid records by their counter; None without a row.
    pub invalid_count: Option<u64>,
    /// Both counters go together, and tell of fewer records than were read: a job that began without its state in this
    /// minute (`submit --fresh`) counted the rest of it, and wrote that over what stood there.
    pub counted_anew: bool,
}

/// What was compared, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Minutes that were compared.
    pub minutes: u64,
    /// Records of them that were read and judged.
    pub read: u64,
    /// Valid ones by the counters.
    pub valid: u64,
    /// Invalid ones by the counters.
    pub invalid: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Records of events that were there before; they are not counted.
    pub repeats: u64,
    /// Minutes of which records are not read, or not committed as read.
    pub open_minutes: u64,
    /// Minutes before this are not compared: records of them are gone. Milliseconds since the epoch.
    pub unknown_before_ms: Option<i64>,
    /// Dead letters of a record that has one already.
    pub letters_twice: u64,
    /// Minutes in which numbers do not go together.
    pub differences: Vec<Difference>,
}

impl Report {
    /// Whether everything goes together.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.differences.is_empty() && self.letters_twice == 0
    }
}

/// The numbers of one job.
#[derive(Debug)]
pub struct Ledger {
    job: String,
    is_cdc: bool,
    minutes: BTreeMap<i64, Minute>,
    open: BTreeSet<i64>,
    known_from: Option<i64>,
    repeats: Repeats,
    repeated: u64,
    letters: HashSet<(i64, i64)>,
    letters_twice: u64,
}

/// What stands in a dead letter.
#[derive(Deserialize)]
struct Letter {
    job: String,
    partition: i64,
    offset: i64,
    kafka_ts: i64,
}

/// What stands in a counter.
#[derive(Deserialize)]
struct Counter {
    job_name: String,
    window_start: i64,
    total_count: u64,
    valid_count: Option<u64>,
    invalid_count: Option<u64>,
}

fn minute(timestamp_ms: i64) -> i64 {
    timestamp_ms.div_euclid(MINUTE_MS).saturating_mul(MINUTE_MS)
}

impl Ledger {
    /// An empty one. `job` is the job's name; `event_ids` is how many of a partition a job remembers that reads agents'
    /// records, None of a business topic.
    #[must_use]
    pub fn new(job: &str, event_ids: Option<usize>) -> Self {
        Self {
            job: job.to_owned(),
            is_cdc: event_ids.is_some(),
            minutes: BTreeMap::new(),
            open: BTreeSet::new(),
            known_from: None,
            repeats: Repeats::new(event_ids.unwrap_or_default()),
            repeated: 0,
            letters: HashSet::new(),
            letters_twice: 0,
        }
    }

    /// Says that records of a topic are gone, the first of which that is still there has this time. None: none is there.
    pub fn gone(&mut self, is_input: bool, first_ms: Option<i64>) {
        let memory = if is_input && self.is_cdc { REMEMBERED_MS } else { 0 };
        let from =
            first_ms.map_or(i64::MAX, |ms| minute(ms).saturating_add(MINUTE_MS).saturating_add(memory));
        self.known_from = self.known_from.max(Some(from));
    }

    /// A record of the input. `is_read`: the job has committed that it read it. Records of a partition come in their order.
    pub fn record(&mut self, partition: u32, timestamp_ms: i64, value: Option<&[u8]>, is_read: bool) {
        if !self.is_judged(value) {
            return;
        }
        if self.is_cdc {
            let change = value.and_then(CdcRecord::parse);
            let event_id = change.as_ref().and_then(CdcRecord::row_event_id);
            if self.repeats.is_repeat((0, partition), event_id, timestamp_ms) {
                self.repeated += 1;
                return;
            }
        }
        match is_read {
            true => self.minutes.entry(minute(timestamp_ms)).or_default().read += 1,
            false => _ = self.open.insert(minute(timestamp_ms)),
        }
    }

    fn is_judged(&self, value: Option<&[u8]>) -> bool {
        let text = value.and_then(|value| std::str::from_utf8(value).ok());
        let is_no_row = text.and_then(change).is_some_and(|change| matches!(change, Change::Other));
        !self.is_cdc || (value.is_some() && !is_no_row)
    }

    /// A record of the topic of dead letters, which may be of another job.
    pub fn letter(&mut self, value: &[u8]) {
        let Ok(letter) = serde_json::from_slice::<Letter>(value) else { return };
        if letter.job != self.job {
            return;
        }
        if self.letters.insert((letter.partition, letter.offset)) {
            self.minutes.entry(minute(letter.kafka_ts)).or_default().letters += 1;
        } else {
            self.letters_twice += 1;
        }
    }

    /// A record of one of the topics of counters, which may be of another job. Of a minute the last one counts.
    pub fn counter(&mut self, value: &[u8]) {
        let Ok(counter) = serde_json::from_slice::<Counter>(value) else { return };
        if counter.job_name != self.job {
            return;
        }
        let minute = self.minutes.entry(counter.window_start).or_default();
        if let Some(valid) = counter.valid_count {
            minute.valid = Some((valid, counter.total_count));
        }
        if let Some(invalid) = counter.invalid_count {
            minute.invalid = Some((invalid, counter.total_count));
        }
    }

    /// Compares what is known.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut report = Report {
            repeats: self.repeated,
            open_minutes: u64::try_from(self.open.len()).unwrap_or(u64::MAX),
            unknown_before_ms: self.known_from,
            letters_twice: self.letters_twice,
            ..Report::default()
        };
        let known = self.known_from.unwrap_or(i64::MIN);
        for (start, found) in self.minutes.range(known..) {
            if self.open.contains(start) {
                continue;
            }
            report.minutes += 1;
            report.read += found.read;
            report.dead_letters += found.letters;
            report.valid += found.valid.unwrap_or_default().0;
            report.invalid += found.invalid.unwrap_or_default().0;
            if !found.goes_together() {
                report.differences.push(Difference {
                    minute_ms: *start,
                    read: found.read,
                    dead_letters: found.letters,
                    valid_count: found.valid.map(|(count, _)| count),
                    invalid_count: found.invalid.map(|(count, _)| count),
                    counted_anew: found.is_counted_anew(),
                });
            }
        }
        report
    }
}

impl Minute {
    /// valid + invalid = read, invalid = dead letters, and both rows say the same of the whole.
    fn goes_together(&self) -> bool {
        let (Some((valid, total)), Some((invalid, same_total))) = (self.valid, self.invalid) else {
            return false;
        };
        valid + invalid == self.read
            && invalid == self.letters
            && (total, same_total) == (self.read, self.read)
    }

    /// The counters are right in themselves, and of a part of the records alone.
    fn is_counted_anew(&self) -> bool {
        let (Some((valid, total)), Some((invalid, same_total))) = (self.valid, self.invalid) else {
            return false;
        };
        total == same_total && valid + invalid == total && total < self.read && invalid <= self.letters
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const JOB: &str = "dq-onprem-sales.events";

    fn letter(job: &str, offset: i64, ts: i64) -> Vec<u8> {
        json!({"job": job, "topic": "t", "partition": 0, "offset": offset, "kafka_ts": ts, "payload": "\"é\n"})
            .to_string()
            .into_bytes()
    }

    fn counter(job: &str, start: i64, name: &str, count: u64, total: u64) -> Vec<u8> {
        json!({"job_name": job, "window_start": start, name: count, "total_count": total})
            .to_string()
            .into_bytes()
    }

    /// Three records in the first minute, one of them broken, and one in the second, which is not committed.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::new(JOB, None);
        for (ts, is_read) in [(0, true), (59_999, true), (1, true), (60_000, false)] {
            ledger.record(0, ts, Some(b"{}"), is_read);
        }
        ledger.letter(&letter(JOB, 1, 59_999));
        ledger.letter(&letter("dq-onprem-sales.users", 1, 59_999));
        ledger.letter(b"nonsense");
        ledger.counter(&counter(JOB, 0, "valid_count", 1, 2));
        ledger.counter(&counter(JOB, 0, "valid_count", 2, 3));
        ledger.counter(&counter(JOB, 0, "invalid_count", 1, 3));
        ledger.counter(&counter("other", 0, "invalid_count", 9, 9));
        ledger.counter(&counter(JOB, 60_000, "valid_count", 9, 9));
        ledger
    }

    #[test]
    fn what_goes_together() {
        let report = ledger().report();
        assert!(report.is_right(), "{report:?}");
        assert_eq!((report.minutes, report.read, report.valid, report.invalid), (1, 3, 2, 1));
        assert_eq!((report.dead_letters, report.open_minutes), (1, 1));
    }

    #[test]
    fn what_does_not() {
        type Change = fn(&mut Ledger);
        let changes: [Change; 6] = [
            |ledger| ledger.counter(&counter(JOB, 0, "valid_count", 1, 3)),
            |ledger| ledger.counter(&counter(JOB, 0, "valid_count", 2, 2)),
            |ledger| ledger.letter(&letter(JOB, 2, 5)),
            |ledger| ledger.letter(&letter(JOB, 1, 59_999)),
            |ledger| ledger.record(0, 30_000, None, true),
            |ledger| ledger.record(0, 120_000, Some(b"{}"), true),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut ledger = ledger();
            change(&mut ledger);
            assert!(!ledger.report().is_right(), "{number}");
        }
    }

    /// A job that begins without its state in the middle of a minute counts the rest of it; its dead letters are all there.
    #[test]
    fn a_minute_that_was_counted_anew_is_named() {
        let counted_anew = |valid: u64, invalid: u64, total: u64| {
            let mut ledger = ledger();
            ledger.counter(&counter(JOB, 0, "valid_count", valid, total));
            ledger.counter(&counter(JOB, 0, "invalid_count", invalid, total));
            let report = ledger.report();
            assert_eq!(report.differences.len(), 1, "{report:?}");
            report.differences[0].counted_anew
        };
        assert!(counted_anew(1, 0, 1) && counted_anew(1, 1, 2) && counted_anew(0, 1, 1));
        // More than was read, more invalid ones than dead letters, a sum that is none.
        assert!(!counted_anew(3, 1, 4) && !counted_anew(0, 2, 2) && !counted_anew(1, 0, 2));
    }

    /// Records that are gone, and those of a CDC topic that are no rows or were there before.
    #[test]
    fn what_is_not_compared() {
        let mut ledger = ledger();
        ledger.counter(&counter(JOB, -60_000, "valid_count", 7, 7));
        assert!(!ledger.report().is_right());
        ledger.gone(true, Some(-30_000));
        assert!(ledger.report().is_right() && ledger.report().minutes == 1);
        ledger.gone(false, None);
        assert_eq!(ledger.report().minutes, 0);

        let mut ledger = Ledger::new(JOB, Some(1000));
        let row = br#"{"op":"c","after":{"id":1},"event_id":"a"}"#;
        let others: [Option<&[u8]>; 4] = [Some(row), Some(row), Some(br#"{"op":"d"}"#), None];
        others.into_iter().for_each(|value| ledger.record(0, 5, value, true));
        ledger.record(0, 6, Some(b"broken"), true);
        let report = ledger.report();
        assert_eq!((report.read, report.repeats), (2, 1));
        let mut forgetful = Ledger::new(JOB, Some(1));
        let other = br#"{"op":"c","after":{"id":1},"event_id":"b"}"#;
        for value in [row.as_slice(), other, row] {
            forgetful.record(0, 5, Some(value), true);
        }
        assert_eq!(forgetful.report().repeats, 0, "it forgets when the job does");
        ledger.gone(true, Some(0));
        assert_eq!(ledger.report().unknown_before_ms, Some(86_460_000));
    }
}
