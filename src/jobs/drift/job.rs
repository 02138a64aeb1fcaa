//! The drift job in the embedded engine: two sides in, verdicts out. It writes to no Cassandra.

use serde_json::{Value, json};

use super::event::{Both, Side};
use super::machine::{Machine, Output as Said, State};
use super::record::{Layout, NoRecord, Read, change, control, hash_event, is_truncation};
use super::settings::{DriftInput, DriftRules};
use super::verdict::Status;
use crate::agent::exit::Exit;
use crate::jobs::engine::{
    EngineError, InputRecord, Job, JobReport, Kind, Output, OutputRecord, Rebuilt, Sample, Spread,
};
use crate::jobs::environment::Environment;
use crate::jobs::rules::TableRules;

/// Every verdict but MATCH, in the order in which they were made.
pub const AUDIT_TOPIC: &str = "dq_reconciliation_audit";
/// Where the agents of a side tell of gaps.
pub const CONTROL_TOPIC: &str = "{prefix}.cdc.__control";
/// What holds of each row (compacted).
pub const CURRENT_TOPIC: &str = "dq_reconciliation_current";

/// The job.
#[derive(Debug)]
pub struct DriftJob {
    name: String,
    rules: DriftRules,
    layout: Layout,
    /// The topic and the control topic of `onprem`, then those of `cloud`.
    topics: [String; 4],
    /// Where hash events come from: the topic in the header of heartbeats.
    sources: Both<String>,
    machine: Option<Machine>,
    totals: Totals,
    /// Whether all is decided at the end of the input.
    is_finished: bool,
}

/// What was read, counted since the first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
struct Totals {
    read: u64,
    tombstones: u64,
    /// Records that no agent wrote.
    strange: u64,
    /// How often nodes of each side told that they truncated the table.
    #[serde(default)]
    truncations: Both<u64>,
}

/// What is saved.
#[derive(serde::Serialize, serde::Deserialize)]
struct Saved<S> {
    totals: Totals,
    state: S,
}

impl DriftJob {
    /// The job of a table, between two environments.
    #[must_use]
    pub fn new(rules: &TableRules, drift: &DriftRules, sides: Both<&Environment>) -> Self {
        let layout = drift.layout(rules);
        let table = &rules.table.value;
        let cdc = |side: Side| sides.of(side).cdc_topic(&table.keyspace, &table.table);
        let data = |side: Side| match drift.input {
            DriftInput::Cdc => cdc(side),
            DriftInput::Hash => sides.of(side).topic("{prefix}_hash_events"),
        };
        let told = |side: Side| sides.of(side).topic(CONTROL_TOPIC);
        Self {
            name: format!("drift-{}-{}", sides.onprem.name.value, layout.table),
            rules: drift.clone(),
            layout,
            topics: [data(Side::Onprem), told(Side::Onprem), data(Side::Cloud), told(Side::Cloud)],
            sources: Both { onprem: cdc(Side::Onprem), cloud: cdc(Side::Cloud) },
            machine: None,
            totals: Totals::default(),
            is_finished: false,
        }
    }

    /// Over finished input: when it ends all is decided, though no heartbeat says so.
    #[must_use]
    pub fn finished(self, is_finished: bool) -> Self {
        Self { is_finished, ..self }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The topics that it reads.
    #[must_use]
    pub fn topics(&self) -> &[String; 4] {
        &self.topics
    }

    /// What its state depends on.
    #[must_use]
    pub fn definition(&self) -> String {
        let kind = match self.rules.input {
            DriftInput::Cdc => "cdc",
            DriftInput::Hash => "hash",
        };
        let options = self.rules.options(&self.layout, Both::default());
        let mut of = json!([kind, format!("{:?}", self.layout), options, self.topics]);
        if let (true, Some(of)) = (self.is_finished, of.as_array_mut()) {
            of.push("finished".into());
        }
        hex::encode(<sha2::Sha256 as sha2::Digest>::digest(of.to_string()))
    }

    fn machine(&mut self) -> Result<&mut Machine, EngineError> {
        self.machine.as_mut().ok_or_else(|| EngineError::new(Exit::Bug, "drift: a record before its topics"))
    }

    /// What a record tells the machine.
    fn input(&mut self, record: &InputRecord, value: &[u8]) -> Result<Option<super::Input>, NoRecord> {
        let (side, is_control) = match record.input {
            0 => (Side::Onprem, false),
            1 => (Side::Onprem, true),
            2 => (Side::Cloud, false),
            _ => (Side::Cloud, true),
        };
        let value: Value =
            serde_json::from_slice(value).map_err(|error| NoRecord(format!("it is no JSON: {error}")))?;
        let read = Read {
            side,
            topic: self.topics.get(record.input).cloned().unwrap_or_default(),
            partition: record.partition.try_into().unwrap_or(i32::MAX),
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
        };
        if is_control {
            *self.totals.truncations.of_mut(side) += u64::from(is_truncation(&value, &self.layout.table));
            return Ok(control(&value, &read));
        }
        match self.rules.input {
            DriftInput::Cdc => change(&value, &self.layout, &read),
            // One topic of hash events has those of all tables.
            DriftInput::Hash if !self.is_from(record, side) => Ok(None),
            DriftInput::Hash => hash_event(&value, &self.layout, &read),
        }
    }

    /// Whether a record says that it comes from this table's topic, or does not say where it comes from.
    fn is_from(&self, record: &InputRecord, side: Side) -> bool {
        let source = record.headers.iter().find(|header| header.name == "source_topic");
        let source = source.and_then(|header| header.value.as_deref());
        source.is_none_or(|source| source == self.sources.of(side).as_bytes())
    }

    /// Writes what was said after a record of this timestamp.
    fn write(&self, said: &Said, timestamp_ms: i64, output: &mut dyn Output) -> Result<(), EngineError> {
        let table = &self.layout.table;
        let (topic, key, verdict) = match said {
            Said::Verdict(verdict) => (AUDIT_TOPIC, verdict.record_key(table), Some(verdict)),
            Said::Current { key, verdict } => {
                let parsed = key.as_ref().and_then(|key| serde_json::from_str::<Value>(key).ok());
                (CURRENT_TOPIC, json!({ "table": table, "key": parsed }), verdict.as_ref())
            }
        };
        let text = verdict.map(|verdict| verdict.to_json(table).to_string());
        let decided_us = self.machine.as_ref().and_then(Machine::watermark_us);
        output.record(&OutputRecord {
            topic,
            spread: Spread::Key,
            key: Some(key.to_string().as_bytes()),
            value: text.as_ref().map(String::as_bytes),
            headers: &[],
            timestamp_ms: decided_us.map_or(timestamp_ms, |us| us / 1000),
        })
    }

    fn take(
        &mut self,
        input: super::Input,
        timestamp_ms: i64,
        output: &mut dyn Output,
    ) -> Result<(), EngineError> {
        let mut said = Vec::new();
        self.machine()?.take(input, &mut said);
        said.iter().try_for_each(|said| self.write(said, timestamp_ms, output))
    }
}

impl Job for DriftJob {
    fn begin(&mut self, partitions: &[u32]) {
        let count =
            |input: usize| partitions.get(input).map_or(1, |count| (*count).try_into().unwrap_or(i32::MAX));
        let partitions = Both { onprem: count(0), cloud: count(2) };
        let options = self.rules.options(&self.layout, partitions);
        let state = self.machine.take().map(|machine| machine.state().clone()).unwrap_or_default();
        self.machine = Some(Machine::new(options, state));
    }

    fn process(&mut self, record: &InputRecord, output: &mut dyn Output) -> Result<(), EngineError> {
        self.totals.read += 1;
        let Some(value) = record.value.as_deref() else {
            self.totals.tombstones += 1;
            return Ok(());
        };
        match self.input(record, value) {
            Ok(Some(input)) => self.take(input, record.timestamp_ms, output),
            Ok(None) => Ok(()),
            Err(_) => {
                self.totals.strange += 1;
                Ok(())
            }
        }
    }

    fn end(&mut self, output: &mut dyn Output) -> Result<(), EngineError> {
        let mut said = Vec::new();
        if self.is_finished {
            self.machine()?.finish(&mut said);
        }
        // Whatever is said now has the time that decided it.
        said.iter().try_for_each(|said| self.write(said, 0, output))
    }

    fn save(&self, state: &mut Vec<u8>) -> Result<(), EngineError> {
        let nothing = State::default();
        let saved =
            Saved { totals: self.totals, state: self.machine.as_ref().map_or(&nothing, Machine::state) };
        serde_json::to_writer(state, &saved)
            .map_err(|error| EngineError::new(Exit::Bug, format!("state of the job: {error}")))
    }

    fn load(&mut self, state: &[u8]) -> Result<(), EngineError> {
        let saved: Saved<State> = serde_json::from_slice(state).map_err(|error| {
            EngineError::new(Exit::Unreadable, format!("state of the job: {error}"))
                .next("use the cdc-jobs that wrote it, or begin with --rebuild-state")
        })?;
        self.totals = saved.totals;
        let options = match &self.machine {
            Some(machine) => machine.options().clone(),
            None => self.rules.options(&self.layout, Both { onprem: 1, cloud: 1 }),
        };
        self.machine = Some(Machine::new(options, saved.state));
        Ok(())
    }

    fn rebuilt(&mut self, rebuilt: &Rebuilt) {
        if let (Some(until_ms), Some(machine)) = (rebuilt.unknown_until_ms, &mut self.machine) {
            machine.forgets_to(until_ms.saturating_mul(1000));
        }
    }

    fn report(&self) -> JobReport {
        let Some(machine) = &self.machine else { return JobReport::default() };
        let counts = machine.counts();
        let verdicts =
            Status::ALL.iter().map(|status| (status.name().to_owned(), Value::from(counts.of(*status))));
        let (rows, event_ids) = machine.remembered();
        JobReport {
            samples: self.samples(machine),
            summary: json!({
                "read": self.totals.read,
                "strange": self.totals.strange,
                "tombstones": self.totals.tombstones,
                "truncations": self.totals.truncations,
                "events": counts.events,
                "repeats": counts.repeats,
                "verdicts": Value::Object(verdicts.collect()),
                "before_start": counts.before_start,
                "watermark_us": machine.watermark_us(),
                "rows": rows,
                "event_ids": event_ids,
                "forgotten": counts.forgotten,
            }),
            lines: self.lines(machine),
        }
    }
}

impl DriftJob {
    fn samples(&self, machine: &Machine) -> Vec<Sample> {
        let counts = machine.counts();
        let (rows, event_ids) = machine.remembered();
        let one = |name, kind, help, value| Sample { name, kind, help, labels: Vec::new(), value };
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let mut samples: Vec<Sample> = Status::ALL
            .iter()
            .map(|status| Sample {
                name: "drift_verdicts_total",
                kind: Kind::Counter,
                help: "Verdicts by status",
                labels: vec![("status", status.name().to_owned())],
                value: counts.of(*status),
            })
            .collect();
        let watermark_s = machine.watermark_us().unwrap_or_default() / 1_000_000;
        let forgotten = counts.forgotten;
        let lost = [
            ("rows", forgotten.rows),
            ("versions", forgotten.undecided),
            ("event_ids", forgotten.event_ids),
            ("ranges", forgotten.ranges),
        ];
        samples.extend([
            one(
                "drift_events_total",
                Kind::Counter,
                "Events that were taken, each once a side",
                counts.events,
            ),
            one(
                "drift_repeats_total",
                Kind::Counter,
                "Further copies of events, of other replicas",
                counts.repeats,
            ),
            one("drift_strange_total", Kind::Counter, "Records that no agent wrote", self.totals.strange),
            one(
                "drift_before_start_total",
                Kind::Counter,
                "Versions that differ and are older than the stream of a side: no verdict",
                counts.before_start,
            ),
            one(
                "drift_watermark_seconds",
                Kind::Gauge,
                "Up to here both sides are complete and compared, seconds since 1970",
                u64::try_from(watermark_s).unwrap_or_default(),
            ),
            one("drift_rows", Kind::Gauge, "Rows that are remembered", count(rows)),
            one("drift_event_ids", Kind::Gauge, "Event ids that are remembered", count(event_ids)),
        ]);
        samples.extend(Side::BOTH.map(|side| Sample {
            name: "drift_truncations_total",
            kind: Kind::Counter,
            help: "Nodes that told that they truncated the table: what their side held before is gone",
            labels: vec![("side", side.name().to_owned())],
            value: *self.totals.truncations.of(side),
        }));
        samples.extend(lost.map(|(what, value)| Sample {
            name: "drift_forgotten_total",
            kind: Kind::Counter,
            help: "What was forgotten before its time because there was too much",
            labels: vec![("what", what.to_owned())],
            value,
        }));
        samples
    }

    fn lines(&self, machine: &Machine) -> Vec<(String, String)> {
        let counts = machine.counts();
        let line = |name: &str, text: String| (name.to_owned(), text);
        let mut lines = vec![
            line("read", format!("{}, {} of no agent", self.totals.read, self.totals.strange)),
            line("events", format!("{}, {} repeats", counts.events, counts.repeats)),
        ];
        let said = Status::ALL.iter().filter(|status| counts.of(**status) > 0);
        lines.extend(said.map(|status| line(status.name(), counts.of(*status).to_string())));
        let truncated = Side::BOTH.into_iter().filter(|side| *self.totals.truncations.of(*side) > 0);
        lines.extend(truncated.map(|side| {
            let count = self.totals.truncations.of(side);
            line(
                "truncated",
                format!("{}, as {count} nodes told: what it held before still counts", side.name()),
            )
        }));
        lines
    }
}
