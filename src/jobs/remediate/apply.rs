//! Applying what is approved, into one data centre.

use serde::Serialize;

use super::book::{Book, Entry};
use super::limits::{Room, room};
use super::propose::{ITSELF, stale, step_of};
use super::repair::{Change, NoRepair, Repair, RepairTable, Write};
use super::settings::RemediateRules;
use super::standing::Standings;
use super::step::{Step, StepKind};
use crate::jobs::drift::Side;
use crate::jobs::engine::EngineError;

/// How long what was read of verdicts and steps is good for, milliseconds.
const GOOD_FOR_MS: i64 = 5_000;

/// What is read, written and recorded.
pub trait World {
    /// Now, milliseconds.
    fn now_ms(&self) -> i64;

    /// The steps and the verdicts as they stand.
    ///
    /// # Errors
    /// They cannot be read.
    fn look(&mut self) -> Result<(Book, Standings), EngineError>;

    /// The change that a proposal writes.
    ///
    /// # Errors
    /// Its topic cannot be read. That the record is gone is an answer.
    fn change(&mut self, entry: &Entry) -> Result<Result<Change, NoRepair>, EngineError>;

    /// Writes a repair; when this returns it is acknowledged.
    ///
    /// # Errors
    /// Cassandra does not take it, or does not answer.
    fn write(&mut self, repair: &Repair) -> Result<(), EngineError>;

    /// Records a step durably.
    ///
    /// # Errors
    /// The topic cannot be written, or somebody else applies.
    fn record(&mut self, step: &Step) -> Result<(), EngineError>;

    /// Waits until this time, milliseconds; false when it is to stop.
    fn wait_until(&mut self, at_ms: i64) -> bool;
}

/// How it is applied.
#[derive(Debug, Clone)]
pub struct Applying<'a> {
    /// The side that is written to.
    pub target: Side,
    /// Write, and record it; otherwise only say what would be written.
    pub is_executed: bool,
    /// Wait when a minute is full.
    pub waits: bool,
    /// Who applies.
    pub by: &'a str,
    /// The table.
    pub table: &'a RepairTable,
    /// How drift is repaired.
    pub rules: &'a RemediateRules,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Its id.
    pub id: String,
    /// `would_apply`, `applied`, `expired`, `escalated`, `failed`
    pub outcome: &'static str,
    /// Why, where it is not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Write>,
}

/// Why not everything was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// `per_minute`
    Minute,
    /// `per_incident`
    Incident,
    /// Nodes are silent: nobody knows what stands.
    Unknown,
    /// A write failed.
    Failed,
    /// It was asked to.
    Asked,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Of each proposal that was looked at.
    pub outcomes: Vec<Outcome>,
    /// Why not all were.
    pub stopped: Option<Stopped>,
    /// How many were not looked at.
    pub left: usize,
}

impl Applying<'_> {
    /// Applies these proposals in their order. Those that are not approved any more are passed over: they were when this
    /// began.
    ///
    /// # Errors
    /// Topics cannot be read or written. A write that fails is recorded, and ends it.
    pub fn run(&self, ids: &[String], world: &mut dyn World) -> Result<Applied, EngineError> {
        let mut done = Applied::default();
        let (mut book, mut standings) = world.look()?;
        let mut looked_ms = world.now_ms();
        let mut times_ms = book.applied_ms(self.target);
        for (number, id) in ids.iter().enumerate() {
            done.left = ids.len().saturating_sub(number);
            if !book.get(id).is_some_and(Entry::is_approved) {
                continue;
            }
            if let Some(stopped) = self.room(&times_ms, world) {
                done.stopped = Some(stopped);
                return Ok(done);
            }
            // Behind the wait for room: what was known before it may be old.
            if world.now_ms().saturating_sub(looked_ms) > GOOD_FOR_MS {
                (book, standings) = world.look()?;
                looked_ms = world.now_ms();
            }
            if standings.is_unknown {
                done.stopped = Some(Stopped::Unknown);
                return Ok(done);
            }
            let Some(entry) = book.get(id).filter(|entry| entry.is_approved()) else { continue };
            let outcome = self.one(entry, &standings, world)?;
            if matches!(outcome.outcome, "applied" | "would_apply") {
                times_ms.push(world.now_ms());
            }
            let is_failed = outcome.outcome == "failed";
            done.outcomes.push(outcome);
            if is_failed {
                done.left = done.left.saturating_sub(1);
                done.stopped = Some(Stopped::Failed);
                return Ok(done);
            }
        }
        done.left = 0;
        Ok(done)
    }

    /// Waits for room, or says why there is none.
    fn room(&self, times_ms: &[i64], world: &mut dyn World) -> Option<Stopped> {
        loop {
            match room(times_ms, world.now_ms(), self.rules) {
                Room::Open => return None,
                Room::Incident(_) => return Some(Stopped::Incident),
                Room::Minute(at_ms) if self.waits && self.is_executed => {
                    if !world.wait_until(at_ms) {
                        return Some(Stopped::Asked);
                    }
                }
                Room::Minute(_) => return Some(Stopped::Minute),
            }
        }
    }

    fn one(
        &self,
        entry: &Entry,
        standings: &Standings,
        world: &mut dyn World,
    ) -> Result<Outcome, EngineError> {
        let now_ms = world.now_ms();
        if let Some(why) = stale(entry, standings.of(&entry.key), self.rules, now_ms) {
            return self.end(entry, StepKind::Expired, why.to_owned(), world);
        }
        let change = world.change(entry)?;
        let repair = match change.and_then(|change| change.repair(self.table, now_ms / 1000)) {
            Ok(repair) => repair,
            Err(why) => return self.end(entry, StepKind::Escalated, why.to_string(), world),
        };
        if !self.is_executed {
            return Ok(outcome(entry, "would_apply", None, repair.writes));
        }
        if let Err(error) = world.write(&repair) {
            return self.end(entry, StepKind::Failed, error.to_string(), world);
        }
        world.record(&step_of(entry, StepKind::Applied, world.now_ms(), (self.by, None)))?;
        Ok(outcome(entry, "applied", None, repair.writes))
    }

    /// Ends a proposal without a write.
    fn end(
        &self,
        entry: &Entry,
        step: StepKind,
        why: String,
        world: &mut dyn World,
    ) -> Result<Outcome, EngineError> {
        if self.is_executed {
            let by = if step == StepKind::Failed { self.by } else { ITSELF };
            world.record(&step_of(entry, step, world.now_ms(), (by, Some(why.clone()))))?;
        }
        let word = match step {
            StepKind::Failed => "failed",
            StepKind::Escalated => "escalated",
            _ => "expired",
        };
        Ok(outcome(entry, word, Some(why), Vec::new()))
    }
}

fn outcome(entry: &Entry, outcome: &'static str, reason: Option<String>, writes: Vec<Write>) -> Outcome {
    Outcome { id: entry.id.clone(), outcome, reason, writes }
}
