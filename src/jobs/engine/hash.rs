//! Hash events: what Cassandra really holds, by the agents' records of a table (docs/jobs.md).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::cdc_record::CdcRecord;
use super::error::EngineError;
use super::job::{Job, JobReport, Kind, Sample};
use super::outlet::Output;
use super::record::{Header, InputRecord, OutputRecord, Spread};
use super::repeats::Repeats;
use crate::agent::exit::Exit;
use crate::jobs::calendar::agent_timestamp;
use crate::jobs::column::Shape;
use crate::jobs::environment::Environment;
use crate::jobs::members::object_text;
use crate::jobs::record::{scalar_texts, whole};
use crate::jobs::rules::{TableRules, Version, VersionUnit};

/// The header of a heartbeat that says from which topic it comes: a topic of hash events holds those of several tables.
pub const SOURCE_TOPIC: &str = "source_topic";

/// What a record was, counted since the first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Totals {
    read: u64,
    /// Events by `hash_kind`.
    events: BTreeMap<String, u64>,
    heartbeats: u64,
    repeats: u64,
    tombstones: u64,
    /// Records that no agent wrote.
    strange: u64,
}

/// The job.
#[derive(Debug)]
pub struct HashJob {
    name: String,
    topic: String,
    out: String,
    table: String,
    version: Option<VersionColumn>,
    totals: Totals,
    repeats: Repeats,
    max_event_ids: usize,
}

/// The column that holds the version.
#[derive(Debug)]
struct VersionColumn {
    name: String,
    unit: VersionUnit,
    is_timestamp: bool,
}

/// The value of a hash event, behind its table and key.
#[derive(Serialize)]
struct Event<'e> {
    op: &'e str,
    row_hash: Option<&'e str>,
    hash_kind: Option<&'e str>,
    hash_def: Option<&'e str>,
    version_us: Option<i64>,
    source_dc: Option<&'e str>,
    host_id: Option<&'e str>,
    event_id: Option<&'e str>,
}

/// The value of a heartbeat.
#[derive(Serialize)]
struct Heartbeat<'e> {
    op: &'e str,
    host_id: Option<&'e str>,
    partition: u32,
    wm_us: i64,
    source_dc: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_us: Option<i64>,
}

impl HashJob {
    /// The job of these rules in an environment: it reads the CDC topic of the table that the columns describe.
    #[must_use]
    pub fn new(rules: &TableRules, environment: &Environment) -> Self {
        let own = &rules.table.value;
        let version = match rules.version {
            Version::WriteTime => None,
            Version::Column { column, unit } => rules.columns.get(column).map(|column| VersionColumn {
                name: column.name.clone(),
                unit,
                is_timestamp: matches!(column.shape, Shape::Timestamp(_)),
            }),
        };
        let table = format!("{}.{}", own.keyspace, own.table);
        Self {
            name: format!("hash-{}-{table}", environment.name.value),
            // The records of the table itself: what the rules' source sends is not what Cassandra holds.
            topic: environment.cdc_topic(&own.keyspace, &own.table),
            out: environment.hash_topic(),
            table,
            version,
            totals: Totals::default(),
            repeats: Repeats::new(rules.max_event_ids),
            max_event_ids: rules.max_event_ids,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The topic that it reads.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The version of an event: of a row by the rules, of a deletion its write time. None when the change does not carry
    /// the column, or no number of microseconds of 64 bits.
    fn version_us(&self, change: &CdcRecord<'_>) -> Option<i64> {
        let version = match &self.version {
            Some(version) if change.is_row => version,
            _ => return change.source.ts_us,
        };
        let text = scalar_texts(change.after?, &[version.name.as_str()])?.into_iter().next()??;
        // The agent writes timestamps as numbers, or by an option as texts.
        let timestamp = version.is_timestamp.then(|| agent_timestamp(&text)).flatten();
        let number = timestamp.or_else(|| whole(Some(text)))?;
        match version.unit {
            VersionUnit::Millis => number.checked_mul(1000),
            VersionUnit::Micros => Some(number),
        }
    }

    fn event(
        &mut self,
        record: &InputRecord,
        change: &CdcRecord<'_>,
        output: &mut dyn Output,
    ) -> Result<(), EngineError> {
        let kind = change.hash_kind.as_deref();
        let event = Event {
            op: &change.op,
            row_hash: change.row_hash.as_deref(),
            hash_kind: kind,
            hash_def: change.hash_def.as_deref(),
            version_us: self.version_us(change),
            source_dc: change.source.dc.as_deref(),
            host_id: change.source.host_id.as_deref(),
            event_id: change.event_id.as_deref(),
        };
        let value = self.with_key(object_text(record.key.as_deref()), &text(&event)?)?;
        let kind = kind.unwrap_or("none").to_owned();
        self.send(record, &value, &record.headers, output)?;
        *self.totals.events.entry(kind).or_default() += 1;
        Ok(())
    }

    /// The value of an event with its table and key. The key stands as in the record's own, so that no digit changes.
    fn with_key(&self, key: &str, event: &[u8]) -> Result<Vec<u8>, EngineError> {
        let mut value = b"{\"table\":".to_vec();
        value.extend(text(&self.table)?);
        value.extend_from_slice(b",\"key\":");
        value.extend_from_slice(key.as_bytes());
        value.push(b',');
        value.extend(event.get(1..).unwrap_or_default());
        Ok(value)
    }

    /// All of one input partition goes to one partition, in its order: heartbeats tell of what is before them.
    fn send(
        &self,
        record: &InputRecord,
        value: &[u8],
        headers: &[Header],
        output: &mut dyn Output,
    ) -> Result<(), EngineError> {
        output.record(&OutputRecord {
            topic: &self.out,
            spread: Spread::Partition(record.partition),
            key: record.key.as_deref(),
            value: Some(value),
            headers,
            timestamp_ms: record.timestamp_ms,
        })
    }
}

fn text(value: &impl Serialize) -> Result<Vec<u8>, EngineError> {
    serde_json::to_vec(value)
        .map_err(|error| EngineError::new(Exit::Bug, format!("a record cannot be written as JSON: {error}")))
}

impl Job for HashJob {
    fn process(&mut self, record: &InputRecord, output: &mut dyn Output) -> Result<(), EngineError> {
        self.totals.read += 1;
        let Some(value) = record.value.as_deref() else {
            self.totals.tombstones += 1;
            return Ok(());
        };
        let Some(change) = CdcRecord::parse(value) else {
            self.totals.strange += 1;
            return Ok(());
        };
        match (&*change.op, change.wm_us) {
            ("m", Some(wm_us)) => {
                let heartbeat = Heartbeat {
                    op: "m",
                    host_id: change.source.host_id.as_deref(),
                    partition: record.partition,
                    wm_us,
                    source_dc: change.source.dc.as_deref(),
                    created_us: change.source.ts_us.filter(|_| change.source.file.is_some()),
                };
                let value = text(&heartbeat)?;
                let header =
                    Header { name: SOURCE_TOPIC.to_owned(), value: Some(self.topic.clone().into_bytes()) };
                self.totals.heartbeats += 1;
                self.send(record, &value, &[header], output)
            }
            ("c" | "u" | "r" | "d" | "rt", _) => {
                let place = (record.input, record.partition);
                if self.repeats.is_repeat(place, change.event_id.as_deref(), record.timestamp_ms) {
                    self.totals.repeats += 1;
                    return Ok(());
                }
                self.event(record, &change, output)
            }
            _ => {
                self.totals.strange += 1;
                Ok(())
            }
        }
    }

    fn save(&self, state: &mut Vec<u8>) -> Result<(), EngineError> {
        state.extend(text(&self.totals)?);
        state.push(b'\n');
        self.repeats.save(state);
        Ok(())
    }

    fn load(&mut self, state: &[u8]) -> Result<(), EngineError> {
        let strange = || EngineError::new(Exit::Unreadable, "the saved state is none of this job");
        let end = memchr::memchr(b'\n', state).ok_or_else(strange)?;
        let (line, rest) = state.split_at(end);
        self.totals = serde_json::from_slice(line).map_err(|_| strange())?;
        let mut rest = rest.get(1..).unwrap_or_default();
        self.repeats = Repeats::load(&mut rest, self.max_event_ids).ok_or_else(strange)?;
        Ok(())
    }

    fn contradiction(&self) -> Option<String> {
        let totals = &self.totals;
        let events: u64 = totals.events.values().sum();
        let sum = events + totals.heartbeats + totals.repeats + totals.tombstones + totals.strange;
        if sum != totals.read {
            return Some(format!("{}: {} records were read, and {sum} are counted", self.name, totals.read));
        }
        let what = format!(
            "{}: topic {} holds records that no agent wrote; they are left out and counted",
            self.name, self.topic
        );
        (totals.strange > 0).then_some(what)
    }

    fn report(&self) -> JobReport {
        let totals = &self.totals;
        let counter = |name, help, labels, value| Sample { name, kind: Kind::Counter, help, labels, value };
        let mut samples: Vec<Sample> = totals
            .events
            .iter()
            .map(|(kind, number)| {
                counter(
                    "hash_events_total",
                    "Hash events by hash_kind",
                    vec![("kind", kind.clone())],
                    *number,
                )
            })
            .collect();
        for (name, help, value) in [
            ("hash_records_total", "Records that were read", totals.read),
            ("hash_repeats_total", "Records of changes that were there before", totals.repeats),
            ("hash_heartbeats_total", "Heartbeats that were passed on", totals.heartbeats),
            ("hash_strange_total", "Records that no agent wrote", totals.strange),
            ("hash_forgotten_ids_total", "Event ids forgotten before their time", self.repeats.forgotten()),
        ] {
            samples.push(counter(name, help, Vec::new(), value));
        }
        let events: u64 = totals.events.values().sum();
        JobReport {
            samples,
            summary: json!({
                "read": totals.read, "events": totals.events, "heartbeats": totals.heartbeats,
                "repeats": totals.repeats, "tombstones": totals.tombstones, "strange": totals.strange,
            }),
            lines: vec![
                ("read".to_owned(), totals.read.to_string()),
                ("hash events".to_owned(), format!("{events} in {}", self.out)),
                ("heartbeats".to_owned(), totals.heartbeats.to_string()),
                ("repeats".to_owned(), totals.repeats.to_string()),
                ("strange".to_owned(), totals.strange.to_string()),
            ],
        }
    }
}
