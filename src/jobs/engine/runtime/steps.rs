//! What the job was told since the last commit, in its order, and when the next one is due.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::Options;
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::job::Job;
use crate::jobs::engine::outlet::Output;
use crate::jobs::engine::source::{Event, Source};
use crate::jobs::engine::state::Step;

type Place = (usize, u32);

pub(super) struct Steps {
    steps: Vec<Step>,
    records: u64,
    since: Option<Instant>,
    /// Partitions that are read to their end, since when; as long as they are.
    at_end: BTreeMap<Place, Instant>,
    idle: BTreeSet<Place>,
    /// Partitions of which the end was seen once.
    ended: BTreeSet<Place>,
    all: usize,
    idle_after: Duration,
}

impl Steps {
    pub(super) fn new(source: &dyn Source, idle_after: Duration) -> Self {
        let partitions = |input| usize::try_from(source.partitions(input)).unwrap_or_default();
        Self {
            steps: Vec::new(),
            records: 0,
            since: None,
            at_end: BTreeMap::new(),
            idle: BTreeSet::new(),
            ended: BTreeSet::new(),
            all: (0..source.topics().len()).map(partitions).sum(),
            idle_after,
        }
    }

    /// Tells the job of an event.
    pub(super) fn take(
        &mut self,
        event: &Event,
        job: &mut dyn Job,
        output: &mut dyn Output,
    ) -> Result<(), EngineError> {
        match event {
            Event::Record(record) => {
                let place = (record.input, record.partition);
                self.at_end.remove(&place);
                self.idle.remove(&place);
                self.read(place, record.offset.saturating_add(1));
                job.process(record, output)?;
            }
            Event::AtEnd { input, partition } => {
                self.ended.insert((*input, *partition));
                self.at_end.entry((*input, *partition)).or_insert_with(Instant::now);
            }
            Event::Nothing => {}
        }
        let quiet: Vec<Place> = self
            .at_end
            .iter()
            .filter(|(place, since)| since.elapsed() >= self.idle_after && !self.idle.contains(*place))
            .map(|(place, _)| *place)
            .collect();
        for (input, partition) in quiet {
            self.idle.insert((input, partition));
            self.push(Step::Idle { input, partition });
            job.idle(input, partition, output)?;
        }
        Ok(())
    }

    /// One more record of a partition.
    fn read(&mut self, (input, partition): Place, next: i64) {
        self.records += 1;
        match self.steps.last_mut() {
            Some(Step::Read { input: last, partition: of, to }) if (*last, *of) == (input, partition) => {
                *to = next;
            }
            _ => self.push(Step::Read { input, partition, to: next }),
        }
    }

    fn push(&mut self, step: Step) {
        self.since.get_or_insert_with(Instant::now);
        self.steps.push(step);
    }

    /// Tells the job that everything was read.
    pub(super) fn end(&mut self, job: &mut dyn Job, output: &mut dyn Output) -> Result<(), EngineError> {
        self.push(Step::End);
        job.end(output)
    }

    /// Whether the end of every partition was seen.
    pub(super) fn is_at_end(&self) -> bool {
        self.ended.len() >= self.all
    }

    /// Whether a commit is due.
    pub(super) fn is_due(&self, options: &Options) -> bool {
        self.records >= options.commit_records
            || self.since.is_some_and(|since| since.elapsed() >= options.commit_every)
    }

    /// The steps, for a commit; None when there are none.
    pub(super) fn cut(&mut self) -> Option<Vec<Step>> {
        self.records = 0;
        self.since = None;
        let steps = std::mem::take(&mut self.steps);
        (!steps.is_empty()).then_some(steps)
    }
}
