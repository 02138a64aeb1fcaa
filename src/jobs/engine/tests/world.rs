//! A broker of which one life of a job after the other takes hold.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use crate::jobs::engine::outlet::{Committed, Outlet};
use crate::jobs::engine::position::Positions;
use crate::jobs::engine::record::{InputRecord, OutputRecord, TableRow};
use crate::jobs::engine::runtime::RowSink;
use crate::jobs::engine::source::{Event, Source};
use crate::jobs::engine::{EngineError, crash};

/// xorshift64*: Marsaglia 2003, Vigna 2016.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % bound.max(1)
    }

    pub(super) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

/// A record that readers see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) topic: String,
    pub(super) key: Option<String>,
    pub(super) value: String,
}

/// What is in the broker and in the table.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) partitions: Vec<Vec<InputRecord>>,
    pub(super) seen: Vec<Seen>,
    pub(super) committed: Option<Committed>,
    pub(super) rows: Vec<TableRow>,
    /// Offsets of which records were handed over to a job that is to make outputs of them.
    pub(super) dice: Option<Random>,
    pub(super) indefinite: u64,
}

pub(super) type Shared = Rc<RefCell<World>>;

#[derive(Debug)]
pub(super) struct MemoryOutlet {
    world: Shared,
    committed: Option<Committed>,
    pending: Vec<Seen>,
}

impl MemoryOutlet {
    pub(super) fn open(world: &Shared) -> Self {
        let committed = world.borrow().committed.clone();
        Self { world: Rc::clone(world), committed, pending: Vec::new() }
    }
}

impl Outlet for MemoryOutlet {
    fn committed(&self) -> Option<&Committed> {
        self.committed.as_ref()
    }

    fn send(&mut self, record: &OutputRecord<'_>) -> Result<(), EngineError> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.pending.push(Seen {
            topic: record.topic.to_owned(),
            key: record.key.map(text),
            value: record.value.map(text).unwrap_or_default(),
        });
        Ok(())
    }

    fn commit(&mut self, committed: &Committed) -> Result<(), EngineError> {
        crash::cross("commit_begun")?;
        let mut world = self.world.borrow_mut();
        let dice = world.dice.as_mut().map_or(9, |dice| dice.below(12));
        if dice == 0 {
            return Err(EngineError::passing("the transaction was aborted"));
        }
        world.seen.append(&mut self.pending);
        world.committed = Some(committed.clone());
        self.committed = Some(committed.clone());
        if dice == 1 {
            world.indefinite += 1;
            return Err(EngineError::passing("nobody knows whether the transaction was committed"));
        }
        drop(world);
        crash::cross("commit_not_answered")
    }
}

/// Rows arrive one by one, whatever is committed.
#[derive(Debug)]
pub(super) struct MemoryRows(pub(super) Shared);

impl RowSink for MemoryRows {
    fn write(&mut self, row: TableRow) -> Result<(), EngineError> {
        crash::cross("row_written")?;
        self.0.borrow_mut().rows.push(row);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        crash::cross("rows_flushing")
    }
}

/// Reads partitions in another order each time.
#[derive(Debug)]
pub(super) struct MemorySource {
    world: Shared,
    topics: Vec<String>,
    next: BTreeMap<u32, usize>,
    told: BTreeSet<u32>,
    random: Random,
    /// Records before these offsets are gone.
    pub(super) first: BTreeMap<u32, i64>,
}

impl MemorySource {
    pub(super) fn open(world: &Shared, topic: &str, seed: u64) -> Self {
        Self {
            world: Rc::clone(world),
            topics: vec![topic.to_owned()],
            next: BTreeMap::new(),
            told: BTreeSet::new(),
            random: Random::new(seed),
            first: BTreeMap::new(),
        }
    }

    fn record(&self, partition: u32) -> Option<InputRecord> {
        let world = self.world.borrow();
        let place = *self.next.get(&partition)?;
        world.partitions.get(usize::try_from(partition).ok()?)?.get(place).cloned()
    }

    fn take(&mut self, partition: u32) -> Option<InputRecord> {
        let record = self.record(partition)?;
        *self.next.entry(partition).or_default() += 1;
        Some(record)
    }
}

impl Source for MemorySource {
    fn topics(&self) -> &[String] {
        &self.topics
    }

    fn seek(&mut self, positions: &Positions) -> Result<(), EngineError> {
        self.told.clear();
        for partition in 0..self.partitions(0) {
            let first = self.first.get(&partition).copied().unwrap_or_default();
            let from = positions.get(&self.topics[0], partition).unwrap_or_default().max(first);
            let world = self.world.borrow();
            let records = &world.partitions[usize::try_from(partition).unwrap()];
            let place = records.iter().position(|record| record.offset >= from).unwrap_or(records.len());
            self.next.insert(partition, place);
        }
        Ok(())
    }

    fn partitions(&self, _: usize) -> u32 {
        u32::try_from(self.world.borrow().partitions.len()).unwrap()
    }

    fn first(&mut self, _: usize, partition: u32) -> Result<i64, EngineError> {
        Ok(self.first.get(&partition).copied().unwrap_or_default())
    }

    fn end(&mut self, _: usize, partition: u32) -> Result<i64, EngineError> {
        let world = self.world.borrow();
        let last = world.partitions[usize::try_from(partition).unwrap()].last();
        Ok(last.map_or(0, |record| record.offset + 1))
    }

    fn next(&mut self, _: Duration) -> Result<Event, EngineError> {
        crash::cross("reading")?;
        let count = self.partitions(0);
        let partition = u32::try_from(self.random.below(count.into())).unwrap();
        if let Some(record) = self.take(partition) {
            return Ok(Event::Record(record));
        }
        if self.told.insert(partition) {
            return Ok(Event::AtEnd { input: 0, partition });
        }
        Ok(Event::Nothing)
    }

    fn next_before(&mut self, _: usize, partition: u32, to: i64) -> Result<Option<InputRecord>, EngineError> {
        let is_before = self.record(partition).is_some_and(|record| record.offset < to);
        Ok(if is_before { self.take(partition) } else { None })
    }

    fn lag(&self) -> u64 {
        0
    }
}
