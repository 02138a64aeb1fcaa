//! Records to try jobs with: good ones, and bad ones of which each breaks a named rule. The same seed and start make the
//! same records.
//!
//! The rules themselves say what is good: [`search`] draws values, lets [`judge`](super::judge) look at them, and draws
//! those anew that a broken rule looks at. What is drawn comes from the types ([`values`]) and from what the rules compare
//! with ([`interest`]), so that bounds are met from both sides.

mod interest;
mod row;
mod samples;
mod search;
mod summary;
mod text;
mod values;

use std::collections::VecDeque;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::judge::Verdict;
use super::record::Record;
use super::rules::{Severity, Source, TableRules};
use super::seen::InMemory;
use interest::Interest;
use row::Row;

pub use samples::SAMPLES;
pub use summary::Summary;

/// Rows that repeats are made of, at most.
const KEPT_ROWS: usize = 100;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedOptions {
    /// Start of the random numbers.
    pub seed: u64,
    /// Share of records that break a rule of severity `fail`, 0 to 1.
    pub bad_ratio: f64,
    /// Share of records that break a rule of severity `warn`, 0 to 1.
    pub warn_ratio: f64,
    /// Timestamp of the first record, milliseconds since the epoch.
    pub start_ms: i64,
    /// Records a second of Kafka time; one a millisecond when it is 0.
    pub rate: u32,
    /// Whether every payload must be JSON: the file log holds no other.
    pub is_json_only: bool,
}

/// A record that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeded {
    /// Its key: compact JSON of the key's columns; None when one of them has no value.
    pub key: Option<String>,
    /// Its value.
    pub payload: Vec<u8>,
    /// Its timestamp, milliseconds since the epoch.
    pub timestamp_ms: i64,
}

/// Why there are no records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// The topic is not one that people write to.
    #[error(
        "the rules of {0} have a cdc source: its records are the agents' own; write rows to its table instead"
    )]
    Changes(String),
    /// No record was found that keeps all rules.
    #[error("no record of {table} was found that keeps all rules; left over: {rules}")]
    NoneValid {
        /// The table.
        table: String,
        /// The rules that the last try broke.
        rules: String,
    },
    /// No record was found that breaks any of the rules.
    #[error("no record of {0} was found that breaks any of its rules")]
    NoneInvalid(String),
}

/// Makes records.
pub struct Seeder<'r> {
    rules: &'r TableRules,
    options: SeedOptions,
    interests: Vec<Interest>,
    random: ChaCha8Rng,
    seen: InMemory,
    recent: VecDeque<Row>,
    number: u64,
    /// Rules of each severity that are still believed to be breakable, and which is next.
    targets: [Targets; 2],
    summary: Summary,
}

/// The rules that bad records break in turn.
#[derive(Debug, Default)]
struct Targets {
    rules: Vec<usize>,
    next: usize,
}

impl<'r> Seeder<'r> {
    /// Records of these rules.
    ///
    /// # Errors
    /// The source is no business topic.
    pub fn new(rules: &'r TableRules, options: SeedOptions) -> Result<Self, SeedError> {
        let table = format!("{}.{}", rules.table.value.keyspace, rules.table.value.table);
        if matches!(rules.source, Source::Cdc { .. }) {
            return Err(SeedError::Changes(table));
        }
        let targets = [Severity::Fail, Severity::Warn].map(|severity| {
            let of = rules.rules.iter().enumerate().filter(|(_, rule)| rule.severity == severity);
            Targets { rules: of.map(|(number, _)| number).collect(), next: 0 }
        });
        Ok(Self {
            interests: Interest::of_columns(rules),
            random: ChaCha8Rng::seed_from_u64(options.seed),
            seen: InMemory::default(),
            recent: VecDeque::new(),
            number: 0,
            targets,
            summary: Summary::new(rules),
            rules,
            options,
        })
    }

    /// The next record, good or bad.
    ///
    /// # Errors
    /// The rules leave none.
    pub fn next_record(&mut self) -> Result<Seeded, SeedError> {
        let timestamp_ms = self.timestamp();
        let good = self.good(timestamp_ms)?;
        let luck: f64 = f64::from(self.random.random::<u32>()) / f64::from(u32::MAX);
        let (bad, warn) = (self.options.bad_ratio, self.options.warn_ratio);
        let made = if luck < bad {
            let broken = self.broken(Severity::Fail, &good, timestamp_ms);
            broken.ok_or_else(|| SeedError::NoneInvalid(self.table()))?
        } else if luck < bad + warn {
            self.broken(Severity::Warn, &good, timestamp_ms).unwrap_or_else(|| good.clone())
        } else {
            good.clone()
        };
        if self.recent.len() == KEPT_ROWS {
            self.recent.pop_front();
        }
        self.recent.push_back(good);
        self.number += 1;
        let key = made.key(self.rules);
        let payload = made.payload(self.rules);
        self.count(&payload, timestamp_ms);
        Ok(Seeded { key, payload, timestamp_ms })
    }

    /// A record that was not made here; it counts.
    #[must_use]
    pub fn sample(&mut self, payload: &str) -> Seeded {
        let timestamp_ms = self.timestamp();
        self.number += 1;
        self.count(payload.as_bytes(), timestamp_ms);
        Seeded { key: None, payload: payload.as_bytes().to_vec(), timestamp_ms }
    }

    /// What the records so far are.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    fn table(&self) -> String {
        format!("{}.{}", self.rules.table.value.keyspace, self.rules.table.value.table)
    }

    fn timestamp(&self) -> i64 {
        let number = i64::try_from(self.number).unwrap_or(i64::MAX);
        let rate = i64::from(self.options.rate);
        let since = if rate == 0 { number } else { number.saturating_mul(1000) / rate };
        self.options.start_ms.saturating_add(since)
    }

    /// The verdict is counted as a job would have it: with what was seen before.
    fn count(&mut self, payload: &[u8], timestamp_ms: i64) {
        let record = Record { payload: Some(payload), timestamp_ms, partition: 0, offset: 0 };
        match self.rules.judge(&record, &mut self.seen) {
            Verdict::Valid { warnings, .. } => self.summary.valid(&warnings, timestamp_ms),
            Verdict::Invalid { failed, warnings } => self.summary.invalid(&failed, &warnings, timestamp_ms),
            Verdict::NotJudged => {}
        }
    }
}

#[cfg(test)]
mod tests;
