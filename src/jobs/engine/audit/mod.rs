//! The audit trail of a table: each write once, by the agents' records (docs/jobs.md).

mod entry;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use self::entry::{Entry, Operation};
use super::error::EngineError;
use super::job::{Job, JobReport, Kind, Sample};
use super::outlet::Output;
use super::record::{InputRecord, OutputRecord, Spread};
use super::repeats::Repeats;
use crate::agent::exit::Exit;
use crate::jobs::environment::Environment;
use crate::jobs::rules::{REMEMBERED, TableRules};

/// What a record was, counted since the first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Totals {
    read: u64,
    /// Writes by what they did.
    written: BTreeMap<String, u64>,
    repeats: u64,
    heartbeats: u64,
    /// Rows that a snapshot read.
    snapshot_rows: u64,
    tombstones: u64,
    /// Records that no agent wrote.
    strange: u64,
}

/// The job.
#[derive(Debug)]
pub struct AuditJob {
    name: String,
    topic: String,
    out: String,
    /// Names of the key's columns.
    key: Vec<String>,
    totals: Totals,
    repeats: Repeats,
    max_event_ids: usize,
}

impl AuditJob {
    /// The job of the rules' table in an environment: it reads the table's CDC topic.
    #[must_use]
    pub fn new(rules: &TableRules, environment: &Environment) -> Self {
        let table = &rules.table.value;
        let name_of = |number: &usize| rules.columns.get(*number).map(|column| column.name.clone());
        Self {
            name: format!("audit-{}-{}.{}", environment.name.value, table.keyspace, table.table),
            topic: environment.cdc_topic(&table.keyspace, &table.table),
            out: environment.audit_topic(&table.keyspace, &table.table),
            key: rules.key.iter().filter_map(name_of).collect(),
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

    /// What its outputs depend on, beside its input.
    #[must_use]
    pub fn definition(&self) -> String {
        let own = format!("audit {} {}", self.out, self.key.join(","));
        // So that what was saved before there was such a limit to set is still this job's.
        match self.max_event_ids {
            most if most as u64 == REMEMBERED.0 => own,
            most => format!("{own} {most}"),
        }
    }

    fn write(
        &mut self,
        record: &InputRecord,
        (operation, event_id, text): (Operation, Option<&str>, &str),
        output: &mut dyn Output,
    ) -> Result<(), EngineError> {
        let place = (record.input, record.partition);
        if self.repeats.is_repeat(place, event_id, record.timestamp_ms) {
            self.totals.repeats += 1;
            return Ok(());
        }
        let value = entry::record(operation, record.key.as_deref(), text, &self.key);
        output.record(&OutputRecord {
            topic: &self.out,
            // A key's records stay in their order: they come from one partition, and go to one.
            spread: Spread::Key,
            key: record.key.as_deref(),
            value: Some(value.as_bytes()),
            headers: &record.headers,
            timestamp_ms: record.timestamp_ms,
        })?;
        *self.totals.written.entry(operation.word().to_owned()).or_default() += 1;
        Ok(())
    }
}

impl Totals {
    fn written(&self) -> u64 {
        self.written.values().sum()
    }

    fn of(&self, operation: Operation) -> u64 {
        self.written.get(operation.word()).copied().unwrap_or_default()
    }
}

impl Job for AuditJob {
    fn process(&mut self, record: &InputRecord, output: &mut dyn Output) -> Result<(), EngineError> {
        self.totals.read += 1;
        let Some(value) = record.value.as_deref() else {
            self.totals.tombstones += 1;
            return Ok(());
        };
        match Entry::of(value) {
            Entry::Write { operation, event_id, text } => {
                return self.write(record, (operation, event_id.as_deref(), text), output);
            }
            Entry::Snapshot => self.totals.snapshot_rows += 1,
            Entry::Heartbeat => self.totals.heartbeats += 1,
            Entry::Strange => self.totals.strange += 1,
        }
        Ok(())
    }

    fn save(&self, state: &mut Vec<u8>) -> Result<(), EngineError> {
        let totals = serde_json::to_vec(&self.totals)
            .map_err(|error| EngineError::new(Exit::Bug, format!("the state cannot be written: {error}")))?;
        state.extend(totals);
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
        let left_out = totals.repeats + totals.heartbeats + totals.snapshot_rows + totals.tombstones;
        let sum = totals.written() + left_out + totals.strange;
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
        let mut samples: Vec<Sample> = Operation::ALL
            .iter()
            .map(|operation| {
                let labels = vec![("operation", operation.word().to_owned())];
                counter(
                    "audit_writes_total",
                    "Writes in the trail, by operation",
                    labels,
                    totals.of(*operation),
                )
            })
            .collect();
        let forgotten = self.repeats.forgotten();
        for (name, help, value) in [
            ("audit_records_total", "Records that were read", totals.read),
            ("audit_repeats_total", "Records of writes that were there before", totals.repeats),
            ("audit_heartbeats_total", "Heartbeats, which are no writes", totals.heartbeats),
            (
                "audit_snapshot_rows_total",
                "Rows that a snapshot read, which are no writes",
                totals.snapshot_rows,
            ),
            ("audit_tombstones_total", "Records without a value", totals.tombstones),
            ("audit_strange_total", "Records that no agent wrote", totals.strange),
            ("audit_forgotten_ids_total", "Event ids forgotten before their time", forgotten),
        ] {
            samples.push(counter(name, help, Vec::new(), value));
        }
        JobReport {
            samples,
            summary: json!({
                "read": totals.read, "written": totals.written, "repeats": totals.repeats,
                "heartbeats": totals.heartbeats, "snapshot_rows": totals.snapshot_rows,
                "tombstones": totals.tombstones, "strange": totals.strange,
            }),
            lines: vec![
                ("read".to_owned(), totals.read.to_string()),
                ("writes".to_owned(), format!("{} in {}", totals.written(), self.out)),
                ("repeats".to_owned(), totals.repeats.to_string()),
                ("strange".to_owned(), totals.strange.to_string()),
            ],
        }
    }
}
