//! What is known of proposals: their steps, folded.

use std::collections::BTreeMap;

use serde_json::Value;

use super::step::{Proposal, Step, StepKind};
use crate::jobs::drift::Side;

/// What is known of a proposal. Its state is its last step that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The id.
    pub id: String,
    /// `keyspace.table`
    pub table: String,
    /// Primary key.
    pub key: Value,
    /// The side that is written to.
    pub target: Side,
    /// What is repaired, by what.
    pub proposal: Proposal,
    /// The steps that counted, in their order; at least one.
    pub steps: Vec<Step>,
    state: StepKind,
    proposed_ms: i64,
    applied_ms: Option<i64>,
}

impl Entry {
    fn new(step: &Step, proposal: &Proposal) -> Self {
        Self {
            id: step.id.clone(),
            table: step.table.clone(),
            key: step.key.clone(),
            target: step.target,
            proposal: proposal.clone(),
            steps: vec![step.clone()],
            state: step.step,
            proposed_ms: step.at_ms,
            applied_ms: None,
        }
    }

    /// The last step that counts.
    #[must_use]
    pub fn state(&self) -> StepKind {
        self.state
    }

    /// When it was proposed, milliseconds.
    #[must_use]
    pub fn proposed_ms(&self) -> i64 {
        self.proposed_ms
    }

    /// When it was applied, milliseconds.
    #[must_use]
    pub fn applied_ms(&self) -> Option<i64> {
        self.applied_ms
    }

    /// Whether it may be written: approved, and not written yet.
    #[must_use]
    pub fn is_approved(&self) -> bool {
        matches!(self.state, StepKind::Approved | StepKind::Failed)
    }

    /// Whether something may still become of it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_approved() || self.state == StepKind::Proposed
    }

    /// Whether the loop guard escalated it, which holds until `loop_window` is over.
    pub(super) fn is_looping(&self) -> bool {
        self.steps.last().is_some_and(Step::is_of_a_loop)
    }

    /// Whether a step counts, as things are. What comes too late (a rejection of what is applied) changes nothing.
    fn takes(&self, step: StepKind) -> bool {
        match step {
            StepKind::Proposed => self.state == StepKind::Expired || self.is_looping(),
            StepKind::Approved => self.state == StepKind::Proposed,
            StepKind::Rejected | StepKind::Expired => self.is_open(),
            StepKind::Applied | StepKind::Failed => self.is_approved(),
            StepKind::Escalated => self.state != StepKind::Escalated,
        }
    }
}

/// All proposals of a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Book {
    entries: BTreeMap<String, Entry>,
}

impl Book {
    /// Takes a step; whether it counts.
    pub fn take(&mut self, step: &Step) -> bool {
        let Some(entry) = self.entries.get_mut(&step.id) else {
            let first = step.proposal.as_ref();
            let first = first.filter(|_| matches!(step.step, StepKind::Proposed | StepKind::Escalated));
            let Some(proposal) = first else { return false };
            self.entries.insert(step.id.clone(), Entry::new(step, proposal));
            return true;
        };
        if !entry.takes(step.step) {
            return false;
        }
        entry.state = step.step;
        if let Some(proposal) = &step.proposal {
            entry.proposal = proposal.clone();
        }
        match step.step {
            StepKind::Proposed => entry.proposed_ms = step.at_ms,
            StepKind::Applied => entry.applied_ms = Some(step.at_ms),
            _ => {}
        }
        entry.steps.push(step.clone());
        true
    }

    /// The proposal of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// What may be written to a side: the oldest first, and behind it what failed before. What fails ends a run, and
    /// would else keep all from being written that was approved after it.
    #[must_use]
    pub fn approved(&self, target: Side) -> Vec<&Entry> {
        let mut approved = self.entries();
        approved.retain(|entry| entry.is_approved() && entry.target == target);
        approved.sort_by_key(|entry| entry.state == StepKind::Failed);
        approved
    }

    /// All, the oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_by_key(|entry| (entry.proposed_ms, &entry.id));
        entries
    }

    /// When repairs were written to a side, milliseconds, the oldest first.
    #[must_use]
    pub fn applied_ms(&self, target: Side) -> Vec<i64> {
        let of_side = self.entries.values().filter(|entry| entry.target == target);
        let mut times: Vec<i64> = of_side.filter_map(|entry| entry.applied_ms).collect();
        times.sort_unstable();
        times
    }

    /// The last repair of a key since a time, other than `id`. The two halves of one version, one for each side, are no
    /// repair of each other.
    #[must_use]
    pub fn repaired_since(&self, since_ms: i64, id: &str, target: Side, of: (&Value, i64)) -> Option<&Entry> {
        let (key, version_us) = of;
        let is_half = |entry: &Entry| entry.target != target && entry.proposal.version_us == version_us;
        self.entries
            .values()
            .filter(|entry| entry.key == *key && entry.id != id && !is_half(entry))
            .filter(|entry| entry.applied_ms.is_some_and(|at_ms| at_ms >= since_ms))
            .max_by_key(|entry| entry.applied_ms)
    }
}
