//! Data quality: each record is judged by the rules of its table. Valid rows go to the table, broken records to the topic
//! of dead letters, and both are counted.

mod counters;
mod letters;
mod rows;
mod saved;

use std::collections::BTreeMap;

use serde_json::json;

use super::cdc_record::CdcRecord;
use super::error::EngineError;
use super::first_seen::{FirstSeen, Limits, id_of};
use super::job::{Job, JobReport, Kind, Rebuilt, Sample};
use super::outlet::Output;
use super::record::{InputRecord, OutputRecord, Spread};
use super::repeats::Repeats;
use crate::agent::exit::Exit;
use crate::jobs::environment::Environment;
use crate::jobs::judge::Verdict;
use crate::jobs::record::Record;
use crate::jobs::rules::{Check, Severity, Source as RulesSource, TableRules};
use crate::jobs::seen::{Question, Seen};

use counters::{Count, Counters, WINDOW_MS, Window};
use letters::Sender;
use rows::Rows;
pub use rows::{COUNTS_TABLE, Destination};

/// Topic of the counters of valid records.
pub const VALID_TOPIC: &str = "dq_metrics_valid";
/// Topic of the counters of invalid records.
pub const INVALID_TOPIC: &str = "dq_metrics_invalid";
/// Keyspace and name of the table of counters (docs/jobs.md).
pub const COUNTS: (&str, &str) = ("metrics", "dq_counts");

/// What a record was, counted since the first.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
struct Totals {
    read: u64,
    valid: u64,
    warned: u64,
    invalid: u64,
    repeats: u64,
    /// Deletions, ranges, heartbeats, tombstones of a CDC topic.
    not_judged: u64,
    dead_letters: u64,
    rows: u64,
    /// How many records broke each rule.
    by_rule: BTreeMap<String, u64>,
}

/// The job.
#[derive(Debug)]
pub struct DqJob {
    rules: TableRules,
    sender: Sender,
    datacenter: String,
    table: String,
    dead_letter_topic: String,
    is_cdc: bool,
    rows: Rows,
    partitions: u32,
    totals: Totals,
    counters: Counters,
    repeats: Repeats,
    uniques: Uniques,
}

/// What `unique` rules remember, by the number of the rule and the partition: as Flink does, where a task sees whole
/// partitions alone. So it does not matter, either, which of two partitions is read first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Uniques(BTreeMap<(usize, i32), FirstSeen>);

impl Seen for Uniques {
    fn is_repeat(&mut self, question: &Question<'_>) -> bool {
        let limits = Limits { within_ms: question.within_ms, most: question.most };
        let memory = self.0.entry((question.rule, question.partition)).or_default();
        memory.is_repeat(id_of(question.values.as_bytes()), question.timestamp_ms, limits)
    }
}

impl DqJob {
    /// The job of these rules in an environment.
    ///
    /// # Errors
    /// Valid rows are asked for, and a column has a type that cannot be written.
    pub fn new(
        rules: TableRules,
        environment: &Environment,
        destination: Destination,
    ) -> Result<Self, EngineError> {
        let name = &rules.table.value;
        let table = format!("{}.{}", name.keyspace, name.table);
        let (topic, is_cdc) = match &rules.source {
            RulesSource::Json { topic } => (environment.topic(&topic.value), false),
            RulesSource::Cdc { table } => {
                (environment.cdc_topic(&table.value.keyspace, &table.value.table), true)
            }
        };
        Ok(Self {
            sender: Sender {
                job: format!("dq-{}-{table}", environment.name.value),
                topic,
                rules_version: rules.rules_version.clone(),
            },
            datacenter: environment.cassandra.datacenter.value.clone(),
            dead_letter_topic: environment.topic(&rules.dead_letter_topic.value),
            rows: Rows::new(&rules, environment, destination)?,
            table,
            is_cdc,
            partitions: 0,
            totals: Totals::default(),
            counters: Counters::default(),
            repeats: Repeats::new(rules.max_event_ids),
            uniques: Uniques::default(),
            rules,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.sender.job
    }

    /// The topic that it reads.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.sender.topic
    }

    fn judge(&mut self, record: &InputRecord, output: &mut dyn Output) -> Result<(), EngineError> {
        let offset = record.offset;
        let partition = i32::try_from(record.partition).unwrap_or(i32::MAX);
        let (payload, timestamp_ms) = (record.value.as_deref(), record.timestamp_ms);
        let asked = Record { payload, timestamp_ms, partition, offset };
        match self.rules.judge(&asked, &mut self.uniques) {
            Verdict::NotJudged => self.totals.not_judged += 1,
            Verdict::Valid { warnings, row } => {
                count_rules(&mut self.totals.by_rule, &warnings);
                self.totals.valid += 1;
                self.totals.warned += u64::from(!warnings.is_empty());
                self.counters.count(timestamp_ms, &Count::Valid { is_warned: !warnings.is_empty() });
                if self.rows.write(record, &row, &warnings, output)? {
                    self.totals.rows += 1;
                }
            }
            Verdict::Invalid { failed, warnings } => {
                count_rules(&mut self.totals.by_rule, &failed);
                count_rules(&mut self.totals.by_rule, &warnings);
                self.totals.invalid += 1;
                self.counters.count(timestamp_ms, &Count::Invalid { failed: &failed });
                let letter = self.sender.letter(record, &failed, &warnings).map_err(no_json)?;
                output.record(&OutputRecord {
                    topic: &self.dead_letter_topic,
                    spread: record.key.as_ref().map_or(Spread::Partition(record.partition), |_| Spread::Key),
                    key: record.key.as_deref(),
                    value: Some(&letter),
                    headers: &record.headers,
                    timestamp_ms,
                })?;
                self.totals.dead_letters += 1;
            }
        }
        Ok(())
    }

    /// The rows of a window that is closed.
    fn tell(&self, start: i64, window: &Window, output: &mut dyn Output) -> Result<(), EngineError> {
        let metric_ts = start.saturating_add(WINDOW_MS);
        let total = window.valid + window.invalid;
        let failing = self.rules.rules.iter().filter(|rule| rule.severity == Severity::Fail);
        let by_rule: serde_json::Map<_, _> = failing
            .map(|rule| (rule.id.clone(), json!(window.by_rule.get(&rule.id).copied().unwrap_or_default())))
            .collect();
        let head = json!({
            "job_name": self.sender.job, "window_start": start, "metric_ts": metric_ts,
            "dc": self.datacenter, "table": self.table,
        });
        let version = json!({ "rules_version": self.sender.rules_version });
        let valid =
            json!({ "valid_count": window.valid, "warned_count": window.warned, "total_count": total });
        let invalid = json!({ "invalid_count": window.invalid, "total_count": total, "by_rule": by_rule });
        let key = json!({ "job_name": self.sender.job, "window_start": start }).to_string();
        for (topic, counts) in [(VALID_TOPIC, valid), (INVALID_TOPIC, invalid)] {
            output.record(&OutputRecord {
                topic,
                spread: Spread::Key,
                key: Some(key.as_bytes()),
                value: Some(joined([&head, &counts, &version]).as_bytes()),
                headers: &[],
                timestamp_ms: metric_ts,
            })?;
        }
        for (metric, number) in [("valid", window.valid), ("invalid", window.invalid)] {
            self.rows.count(&self.sender.job, (metric_ts, metric), (number, total), output)?;
        }
        Ok(())
    }
}

/// Objects as one, in their order.
fn joined(parts: [&serde_json::Value; 3]) -> String {
    let fields = parts.iter().filter_map(|part| part.as_object()).flatten();
    let all: serde_json::Map<_, _> = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
    serde_json::Value::Object(all).to_string()
}

fn count_rules(by_rule: &mut BTreeMap<String, u64>, rules: &[&str]) {
    for rule in rules {
        match by_rule.get_mut(*rule) {
            Some(number) => *number += 1,
            None => _ = by_rule.insert((*rule).to_owned(), 1),
        }
    }
}

fn no_json(error: serde_json::Error) -> EngineError {
    EngineError::new(Exit::Bug, format!("a record cannot be written as JSON: {error}"))
}

impl Job for DqJob {
    fn begin(&mut self, partitions: &[u32]) {
        self.partitions = partitions.first().copied().unwrap_or_default();
    }

    fn process(&mut self, record: &InputRecord, output: &mut dyn Output) -> Result<(), EngineError> {
        self.totals.read += 1;
        self.counters.pass(record.partition, record.timestamp_ms);
        if self.is_cdc {
            let change = record.value.as_deref().and_then(CdcRecord::parse);
            let event_id = change.as_ref().and_then(CdcRecord::row_event_id);
            let place = (record.input, record.partition);
            if self.repeats.is_repeat(place, event_id, record.timestamp_ms) {
                self.totals.repeats += 1;
                return Ok(());
            }
        }
        self.judge(record, output)
    }

    fn idle(&mut self, _: usize, partition: u32, _: &mut dyn Output) -> Result<(), EngineError> {
        self.counters.idle(partition);
        Ok(())
    }

    fn end(&mut self, _: &mut dyn Output) -> Result<(), EngineError> {
        self.counters.end();
        Ok(())
    }

    fn flush(&mut self, output: &mut dyn Output) -> Result<(), EngineError> {
        let closed = self.counters.close(self.partitions);
        closed.iter().try_for_each(|(start, window)| self.tell(*start, window, output))
    }

    fn save(&self, state: &mut Vec<u8>) -> Result<(), EngineError> {
        self.save_state(state)
    }

    fn load(&mut self, state: &[u8]) -> Result<(), EngineError> {
        self.load_state(state)
    }

    fn rebuilt(&mut self, rebuilt: &Rebuilt) {
        // What other rules said of a record is in the rows of its minute, and in dead letters: the rows stay as they are.
        if let Some(until_ms) = rebuilt.unknown_until_ms.max(rebuilt.other_until_ms) {
            self.counters.forget_before(until_ms);
        }
    }

    fn contradiction(&self) -> Option<String> {
        let totals = &self.totals;
        let judged = totals.valid + totals.invalid;
        let pairs = [
            ("records that were read", totals.read, judged + totals.repeats + totals.not_judged),
            ("invalid records and dead letters", totals.invalid, totals.dead_letters),
            ("verdicts and counters", judged, self.counters.sum()),
        ];
        let differing = pairs.iter().find(|(_, one, other)| one != other);
        let differing = differing.map(|(what, one, other)| {
            format!(
                "{}: {what} do not go together: {one} and {other}; do not trust the counters",
                self.name()
            )
        });
        differing.or_else(|| {
            let uncounted = self.counters.uncounted();
            let what = "records are of minutes that are not known any more: no counter tells of them";
            (uncounted > 0).then(|| format!("{}: {what}", self.name()))
        })
    }

    fn report(&self) -> JobReport {
        report(self)
    }
}

fn sample(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    labels: Vec<(&'static str, String)>,
    value: u64,
) -> Sample {
    Sample { name, kind, help, labels, value }
}

fn report(job: &DqJob) -> JobReport {
    let totals = &job.totals;
    let counter = |name, help, value| sample(name, Kind::Counter, help, Vec::new(), value);
    let mut samples = vec![
        counter("dq_valid_total", "Records without a broken rule of severity fail", totals.valid),
        counter("dq_warned_total", "Of these, records that broke a rule of severity warn", totals.warned),
        counter("dq_repeats_total", "Records of changes that were there before", totals.repeats),
        counter("dq_not_judged_total", "Deletions, ranges, heartbeats and tombstones", totals.not_judged),
        counter("dq_dead_letters_total", "Records in the topic of dead letters", totals.dead_letters),
        counter("dq_rows_total", "Valid rows that were written", totals.rows),
        counter("dq_records_total", "Records that were read", totals.read),
        counter(
            "dq_uncounted_total",
            "Records of minutes that are not known any more",
            job.counters.uncounted(),
        ),
    ];
    let help = "Records that broke a rule of severity fail, by rule; a record can break several";
    let of = |severity| job.rules.rules.iter().filter(move |rule| rule.severity == severity);
    let broken = |id: &String| totals.by_rule.get(id).copied().unwrap_or_default();
    for rule in of(Severity::Fail) {
        let labels = vec![("rule", rule.id.clone())];
        samples.push(sample("dq_invalid_total", Kind::Counter, help, labels, broken(&rule.id)));
    }
    let help = "Records that broke a rule of severity warn, by rule";
    for rule in of(Severity::Warn) {
        let labels = vec![("rule", rule.id.clone())];
        samples.push(sample("dq_warnings_total", Kind::Counter, help, labels, broken(&rule.id)));
    }
    let help = "Records with at least one broken rule of severity fail";
    samples.push(counter("dq_invalid_records_total", help, totals.invalid));
    let gauge = |name, help, value| sample(name, Kind::Gauge, help, Vec::new(), value);
    let remembered = job.repeats.len() + job.uniques.0.values().map(FirstSeen::len).sum::<usize>();
    let forgotten = job.repeats.forgotten() + job.uniques.0.values().map(FirstSeen::forgotten).sum::<u64>();
    samples.push(gauge(
        "dq_open_windows",
        "Minutes whose counters are not written yet",
        as_u64(job.counters.open_windows()),
    ));
    samples.push(gauge(
        "dq_remembered_ids",
        "Event ids and values of unique rules in memory",
        as_u64(remembered),
    ));
    samples.push(counter("dq_forgotten_ids_total", "Of these, forgotten before their time", forgotten));
    let by_rule: serde_json::Map<_, _> =
        job.rules.rules.iter().map(|rule| (rule.id.clone(), json!(broken(&rule.id)))).collect();
    let mut lines = vec![
        ("read".to_owned(), totals.read.to_string()),
        ("valid".to_owned(), format!("{}, {} of them with warnings", totals.valid, totals.warned)),
        (
            "invalid".to_owned(),
            format!("{}, as many dead letters in {}", totals.invalid, job.dead_letter_topic),
        ),
    ];
    if job.is_cdc {
        lines.push(("repeats".to_owned(), totals.repeats.to_string()));
        lines.push(("not judged".to_owned(), totals.not_judged.to_string()));
    }
    lines.push(("rows written".to_owned(), totals.rows.to_string()));
    let broken_rules = job.rules.rules.iter().filter(|rule| broken(&rule.id) > 0);
    lines.extend(broken_rules.map(|rule| (format!("  {}", rule.id), broken(&rule.id).to_string())));
    JobReport {
        samples,
        summary: json!({
            "read": totals.read, "valid": totals.valid, "warned": totals.warned, "invalid": totals.invalid,
            "dead_letters": totals.dead_letters, "repeats": totals.repeats, "not_judged": totals.not_judged,
            "rows": totals.rows, "uncounted": job.counters.uncounted(), "by_rule": by_rule,
            "rules_version": job.sender.rules_version,
        }),
        lines,
    }
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The numbers of the rules that remember values, with their ids.
fn remembering(rules: &TableRules) -> impl Iterator<Item = (usize, &str)> {
    let numbered = rules.rules.iter().enumerate();
    numbered
        .filter(|(_, rule)| matches!(rule.check, Check::Unique { .. }))
        .map(|(number, rule)| (number, rule.id.as_str()))
}
