//! Where verdicts, steps and changes stand: Kafka, or file logs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::book::{Book, Entry};
use super::repair::{Change, NoRepair, RepairTable};
use super::standing::{Evidence, Standings};
use super::step::{REMEDIATION_TOPIC, Step};
use crate::agent::exit::Exit;
use crate::agent::log;
use crate::jobs::drift::{Both, CURRENT_TOPIC, Side};
use crate::jobs::engine::places::{Input, Place, open_outlet, open_source};
use crate::jobs::engine::{
    Committed, EngineError, Event, InputRecord, Marks, Outlet, OutputRecord, Positions, Source, Spread,
};
use crate::jobs::environment::Environment;
use crate::sink::file_log::FileLogReader;

/// How long brokers may send nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// Records between two that are wanted: beyond it the reader jumps.
const JUMP: i64 = 10_000;

/// Where things stand.
#[derive(Debug)]
pub struct Store {
    /// Where verdicts are, and steps are written.
    pub verdicts: Place,
    /// Whose brokers that is.
    pub environment: Environment,
    /// The environments of both sides.
    pub sides: Both<Environment>,
    /// Where the changes of each side are.
    pub from: Both<Place>,
    /// Ends waiting for brokers.
    pub stop: Arc<AtomicBool>,
}

/// A record: topic, partition, offset.
type At = (String, u32, i64);

/// Changes that were read, by their place.
#[derive(Debug, Default)]
pub struct Records(BTreeMap<At, Vec<u8>>);

impl Records {
    /// The change of a side at a place, which must be this event.
    ///
    /// # Errors
    /// It is not there any more, or no change.
    pub fn change(
        &self,
        table: &RepairTable,
        (side, event_id): (Side, &str),
        (topic, partition, offset): (&str, u32, i64),
    ) -> Result<Change, NoRepair> {
        let bytes = self.0.get(&(topic.to_owned(), partition, offset)).ok_or(NoRepair::Gone)?;
        Change::read(bytes, table, side, event_id)
    }
}

impl Store {
    /// The verdicts of a table that stand.
    ///
    /// # Errors
    /// They cannot be read, or no drift job ever wrote some.
    pub fn standings(&self, table: &str) -> Result<Standings, EngineError> {
        let mut standings = Standings::default();
        let mut strange = 0_usize;
        for record in self.read_all(CURRENT_TOPIC)? {
            let key = record.key.unwrap_or_default();
            strange += usize::from(standings.take(table, &key, record.value.as_deref()).is_err());
        }
        tell_strange(CURRENT_TOPIC, strange);
        Ok(standings)
    }

    /// The proposals of a table.
    ///
    /// # Errors
    /// Steps cannot be read.
    pub fn book(&self, table: &str) -> Result<Book, EngineError> {
        let mut book = Book::default();
        let mut strange = 0_usize;
        for record in self.steps()? {
            match serde_json::from_slice::<Step>(record.value.as_deref().unwrap_or_default()) {
                Ok(step) if step.table == table => {
                    book.take(&step);
                }
                Ok(_) => {}
                Err(_) => strange += 1,
            }
        }
        tell_strange(REMEDIATION_TOPIC, strange);
        Ok(book)
    }

    /// The records of all steps. In a file log the topic begins with its first record.
    fn steps(&self) -> Result<Vec<InputRecord>, EngineError> {
        if let Place::Directory(dir) = &self.verdicts {
            let reader = FileLogReader::open(dir)
                .map_err(|error| EngineError::new(Exit::Unreadable, error.to_string()))?;
            if !reader.has_topic(REMEDIATION_TOPIC) {
                return Ok(Vec::new());
            }
        }
        self.read_all(REMEDIATION_TOPIC)
    }

    fn input(environment: &Environment, topic: &str) -> Input {
        Input {
            environment: environment.clone(),
            topic: topic.to_owned(),
            group: format!("{}-remediate", environment.consumer_groups.audit.value),
            may_be_missing: false,
        }
    }

    /// All committed records of a topic, those of a partition in their order.
    fn read_all(&self, topic: &str) -> Result<Vec<InputRecord>, EngineError> {
        self.exists(topic)?;
        let mut source = open_source(&self.verdicts, &[Self::input(&self.environment, topic)], &self.stop)?;
        source.seek(&Positions::default())?;
        let mut open: BTreeSet<u32> = (0..source.partitions(0)).collect();
        let (mut records, mut since) = (Vec::new(), Instant::now());
        while !open.is_empty() {
            match source.next(Duration::from_millis(100))? {
                Event::Record(record) => {
                    since = Instant::now();
                    records.push(record);
                }
                Event::AtEnd { partition, .. } => drop(open.remove(&partition)),
                Event::Nothing if since.elapsed() > PATIENCE => {
                    return Err(EngineError::passing(format!("topic {topic}: the brokers send no records")));
                }
                Event::Nothing => {}
            }
        }
        Ok(records)
    }

    /// Refuses to go on without a topic: one that is made by asking would not be kept as it must be.
    #[cfg(feature = "kafka")]
    fn exists(&self, topic: &str) -> Result<(), EngineError> {
        use crate::jobs::kafka::{Access, Brokers};

        if self.verdicts != Place::Kafka {
            return Ok(());
        }
        let found =
            Access::of(&self.environment).and_then(Brokers::connect).and_then(|brokers| brokers.find(topic));
        match found {
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                let what = format!("there is no topic {topic}");
                let env = &self.environment.name.value;
                Err(EngineError::new(Exit::Usage, what).next(format!("cdc-jobs topics create --env {env}")))
            }
            Err(error) => {
                let failure = crate::agent::exit::Failure::from(error);
                Err(EngineError::new(failure.exit(), failure.to_string()))
            }
        }
    }

    #[cfg(not(feature = "kafka"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "with Kafka it asks the brokers")]
    fn exists(&self, _: &str) -> Result<(), EngineError> {
        Ok(())
    }

    /// The records of a side at these places, read with that side's own user. One that is gone is left out.
    ///
    /// # Errors
    /// The topic cannot be read.
    pub fn records<'w>(
        &self,
        side: Side,
        wanted: impl IntoIterator<Item = (&'w str, u32, i64)>,
        records: &mut Records,
    ) -> Result<(), EngineError> {
        let environment = self.sides.of(side);
        let mut by_topic: BTreeMap<&str, BTreeMap<u32, BTreeSet<i64>>> = BTreeMap::new();
        for (topic, partition, offset) in wanted {
            by_topic.entry(topic).or_default().entry(partition).or_default().insert(offset);
        }
        for (topic, partitions) in by_topic {
            let input = [Self::input(environment, topic)];
            let mut source = open_source(self.from.of(side), &input, &self.stop)?;
            for (partition, offsets) in partitions {
                read_places(source.as_mut(), (topic, partition), &offsets, records)?;
            }
        }
        Ok(())
    }

    /// Takes the topic of steps over, under this name: whoever has it cannot write any more.
    ///
    /// # Errors
    /// The brokers refuse, or another program writes the file log.
    pub fn writer(&self, job: &str) -> Result<StepWriter, EngineError> {
        let outlet = open_outlet(&self.verdicts, &self.environment, job, (None, &[]), None, &self.stop)?;
        Ok(StepWriter { outlet })
    }
}

/// Records of one partition, at places in ascending order.
fn read_places(
    source: &mut dyn Source,
    (topic, partition): (&str, u32),
    offsets: &BTreeSet<i64>,
    records: &mut Records,
) -> Result<(), EngineError> {
    let mut next: Option<i64> = None;
    for offset in offsets {
        if next.is_none_or(|next| offset.saturating_sub(next) > JUMP) {
            let mut positions = Positions::default();
            positions.set(topic, partition, *offset);
            source.seek(&positions)?;
            if partition >= source.partitions(0) {
                return Ok(());
            }
        }
        next = Some(offset.saturating_add(1));
        while let Some(record) = source.next_before(0, partition, offset.saturating_add(1))? {
            if record.offset == *offset {
                let value = record.value.unwrap_or_default();
                records.0.insert((topic.to_owned(), partition, *offset), value);
                break;
            }
        }
    }
    Ok(())
}

fn tell_strange(topic: &str, strange: usize) {
    if strange > 0 {
        log::warn(&format!("{topic}: {strange} records that no cdc-jobs wrote are passed over"));
    }
}

/// The place of a proposal's change.
#[must_use]
pub fn place_of(entry: &Entry) -> (&str, u32, i64) {
    let proposal = &entry.proposal;
    (&proposal.topic, proposal.partition, proposal.offset)
}

/// The place of a side's record.
#[must_use]
pub fn place(evidence: &Evidence) -> (&str, u32, i64) {
    (&evidence.topic, evidence.partition, evidence.offset)
}

/// Writes steps; each commit is durable and seen by all readers, or not there.
pub struct StepWriter {
    outlet: Box<dyn Outlet>,
}

impl StepWriter {
    /// Records steps, all or none.
    ///
    /// # Errors
    /// The topic cannot be written, or somebody else has taken it over.
    pub fn record(&mut self, steps: &[Step]) -> Result<(), EngineError> {
        if steps.is_empty() {
            return Ok(());
        }
        for step in steps {
            let value = serde_json::to_vec(step)
                .map_err(|error| EngineError::new(Exit::Bug, format!("a step: {error}")))?;
            self.outlet.send(&OutputRecord {
                topic: REMEDIATION_TOPIC,
                spread: Spread::Key,
                key: Some(step.record_key().as_bytes()),
                value: Some(&value),
                headers: &[],
                timestamp_ms: step.at_ms,
            })?;
        }
        let generation = self.outlet.committed().map_or(0, |committed| committed.generation);
        self.outlet.commit(&Committed {
            marks: Marks::default(),
            version: 1,
            state: String::new(),
            generation: generation.saturating_add(1),
            definition: REMEDIATION_TOPIC.to_owned(),
            defined_from: Positions::default(),
            positions: Positions::default(),
        })
    }
}

impl std::fmt::Debug for StepWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepWriter").finish_non_exhaustive()
    }
}
