//! The drift job in the embedded engine: two sides in, verdicts out. It writes to no Cassandra.

mod report;

use serde_json::{Value, json};

use super::event::{Both, Side};
use super::machine::{Machine, Output as Said, State};
use super::record::{Layout, NoRecord, Read, change, control, dead_letter, hash_event, is_truncation};
use super::settings::{DriftInput, DriftRules};
use super::verdict::Status;
use crate::agent::exit::Exit;
use crate::jobs::engine::hash::SOURCE_TOPIC;
use crate::jobs::engine::{EngineError, InputRecord, Job, JobReport, Output, OutputRecord, Rebuilt, Spread};
use crate::jobs::environment::Environment;
use crate::jobs::rules::TableRules;

/// Every verdict but MATCH, in the order in which they were made.
pub const AUDIT_TOPIC: &str = "dq_reconciliation_audit";
/// Where the agents of a side tell of gaps.
pub const CONTROL_TOPIC: &str = "{prefix}.cdc.__control";
/// What holds of each row (compacted).
pub const CURRENT_TOPIC: &str = "dq_reconciliation_current";
/// Where the agents of a side point to records that Kafka did not take.
pub const DEAD_LETTER_TOPIC: &str = "{prefix}.cdc.__dead_letters";

/// The topics of a side: of its records, the control topic, and that of dead letters.
const TOPICS: usize = 3;

/// The job.
#[derive(Debug)]
pub struct DriftJob {
    name: String,
    rules: DriftRules,
    layout: Layout,
    topics: Both<[String; TOPICS]>,
    /// The topics of the table: where hash events come from, by the header of heartbeats.
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
            DriftInput::Hash => sides.of(side).hash_topic(),
        };
        let topics = |side: Side| {
            [data(side), sides.of(side).topic(CONTROL_TOPIC), sides.of(side).topic(DEAD_LETTER_TOPIC)]
        };
        Self {
            name: format!("drift-{}-{}", sides.onprem.name.value, layout.table),
            rules: drift.clone(),
            layout,
            topics: Both { onprem: topics(Side::Onprem), cloud: topics(Side::Cloud) },
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

    /// The topics of a side that it reads: of the records, the control topic, and that of dead letters.
    #[must_use]
    pub fn topics(&self, side: Side) -> &[String; TOPICS] {
        self.topics.of(side)
    }

    /// What its state depends on.
    #[must_use]
    pub fn definition(&self) -> String {
        let kind = match self.rules.input {
            DriftInput::Cdc => "cdc",
            DriftInput::Hash => "hash",
        };
        let options = self.rules.options(&self.layout, Both::default());
        let Both { onprem, cloud } = &self.topics;
        let mut of = json!([kind, format!("{:?}", self.layout), options, onprem, cloud]);
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
        let side = side_of(record.input);
        let number = record.input % TOPICS;
        let value: Value =
            serde_json::from_slice(value).map_err(|error| NoRecord(format!("it is no JSON: {error}")))?;
        let read = Read {
            side,
            topic: self.topics.of(side).get(number).cloned().unwrap_or_default(),
            partition: record.partition.try_into().unwrap_or(i32::MAX),
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
        };
        let source = self.sources.of(side).as_str();
        match (number, self.rules.input) {
            (0, DriftInput::Cdc) => change(&value, &self.layout, &read),
            (0, DriftInput::Hash) => match source_of(record) {
                // One topic of hash events has those of all tables.
                Some(of) if of != source.as_bytes() => Ok(None),
                None if value.get("op").and_then(Value::as_str) == Some("m") => {
                    Err(NoRecord("a heartbeat that does not say of which topic it tells".to_owned()))
                }
                _ => hash_event(&value, &self.layout, &read),
            },
            (1, _) => {
                let table = &self.layout.table;
                *self.totals.truncations.of_mut(side) += u64::from(is_truncation(&value, table));
                Ok(control(&value, table, &read))
            }
            _ => dead_letter(&value, record.key.as_deref(), (source, &self.layout), &read),
        }
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

    /// Where no heartbeat decides before the end, all that was read must be remembered until then.
    fn check_finished(&self) -> Result<(), EngineError> {
        let given_up = self.machine.as_ref().map_or(0, |machine| machine.counts().forgotten.undecided);
        if !self.is_finished || given_up == 0 {
            return Ok(());
        }
        let what = format!(
            "drift: more than {} events, or {} rows, wait for the end of finished logs",
            self.rules.max_waiting, self.rules.max_rows
        );
        Err(EngineError::new(Exit::Usage, what).next("raise max_waiting and max_rows of the section drift"))
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

/// The side of an input.
fn side_of(input: usize) -> Side {
    if input < TOPICS { Side::Onprem } else { Side::Cloud }
}

/// The topic that a hash event comes from, where it says so.
fn source_of(record: &InputRecord) -> Option<&[u8]> {
    let source = record.headers.iter().find(|header| header.name == SOURCE_TOPIC);
    source.and_then(|header| header.value.as_deref())
}

impl Job for DriftJob {
    fn begin(&mut self, partitions: &[u32]) {
        let count =
            |input: usize| partitions.get(input).map_or(1, |count| (*count).try_into().unwrap_or(i32::MAX));
        let partitions = Both { onprem: count(0), cloud: count(TOPICS) };
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
            Ok(Some(input)) => {
                self.take(input, record.timestamp_ms, output)?;
                self.check_finished()
            }
            Ok(None) => Ok(()),
            Err(_) => {
                self.totals.strange += 1;
                Ok(())
            }
        }
    }

    fn holds(&self, input: usize) -> bool {
        self.machine.as_ref().and_then(Machine::ahead) == Some(side_of(input))
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

    fn contradiction(&self) -> Option<String> {
        let what = format!(
            "{}: its topics hold records that no agent wrote; they are left out and counted. What they should have told \
             counts as lacking on their side",
            self.name
        );
        (self.totals.strange > 0).then_some(what)
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
                "unversioned": counts.unversioned,
                "verdicts": Value::Object(verdicts.collect()),
                "before_start": counts.before_start,
                "watermark_us": machine.watermark_us(),
                "rows": rows,
                "event_ids": event_ids,
                "waiting": machine.waiting(),
                "forgotten": counts.forgotten,
            }),
            lines: self.lines(machine),
        }
    }
}
