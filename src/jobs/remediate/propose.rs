//! What stands and what is known → the steps that a run of `propose` takes.

use serde::Serialize;
use serde_json::Value;

use super::book::{Book, Entry};
use super::decide::{Changes, Decision, decide, sources};
use super::repair::RepairTable;
use super::settings::RemediateRules;
use super::standing::{Standing, Standings};
use super::step::{LOOPS, Proposal, Step, StepKind};
use crate::jobs::drift::{DriftRules, Side};

/// Who takes steps that nobody asked for by name.
pub const ITSELF: &str = "cdc-jobs";

/// Everything that decides about proposals.
#[derive(Debug)]
pub struct Proposer<'p> {
    /// The table.
    pub table: &'p RepairTable,
    /// How drift is repaired.
    pub rules: &'p RemediateRules,
    /// How it is found.
    pub drift: &'p DriftRules,
    /// Now, milliseconds.
    pub now_ms: i64,
}

/// What a run found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Proposals that are made, by id.
    pub proposed: Vec<String>,
    /// Proposals that are escalated, by id.
    pub escalated: Vec<String>,
    /// Proposals that are expired, by id.
    pub expired: Vec<String>,
    /// Verdicts of which the proposals are known.
    pub known: usize,
    /// Confirmed verdicts that have not stood long enough.
    pub young: usize,
    /// Confirmed verdicts that are older than `max_age`.
    pub old: usize,
    /// Verdicts that are not confirmed: `INCOMPARABLE`.
    pub unconfirmed: usize,
    /// Verdicts for which there is no room: open proposals are as many as an incident takes.
    pub left: usize,
}

fn ms(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
}

impl Proposer<'_> {
    fn older_than_ms(&self) -> i64 {
        ms(self.rules.older_than_s.unwrap_or(self.drift.grace_s))
    }

    /// Confirmed verdicts that have stood long enough, not too long, and are not proposed: their changes are needed.
    pub fn fresh<'s>(&self, standings: &'s Standings, book: &Book) -> Vec<&'s Standing> {
        let is_fresh = |standing: &&Standing| {
            self.is_old_enough(standing)
                && !self.is_too_old(standing)
                && self.is_to_be_proposed(standing, book)
        };
        let room = self.room(book);
        let confirmed = |standing: &&Standing| !sources(standing.status, self.rules.winner).is_empty();
        standings.iter().filter(confirmed).filter(is_fresh).take(room).collect()
    }

    fn is_old_enough(&self, standing: &Standing) -> bool {
        let decided_ms = standing.decided_us.unwrap_or(i64::MAX) / 1000;
        self.now_ms.saturating_sub(decided_ms) >= self.older_than_ms()
    }

    fn is_too_old(&self, standing: &Standing) -> bool {
        standing.decided_us.is_some_and(|decided_us| is_too_old(decided_us, self.rules, self.now_ms))
    }

    /// How many proposals may be made.
    fn room(&self, book: &Book) -> usize {
        let open = book.entries().into_iter().filter(|entry| entry.is_open()).count();
        usize::try_from(self.rules.per_incident).unwrap_or(usize::MAX).saturating_sub(open)
    }

    /// What is known of the proposals for a verdict.
    fn entries<'b>(&self, standing: &Standing, book: &'b Book) -> Vec<&'b Entry> {
        let id = |source: Side| {
            let proposal = Proposal::of(standing, source)?;
            book.get(&proposal.id(&standing.table, &standing.key))
        };
        sources(standing.status, self.rules.winner).into_iter().filter_map(id).collect()
    }

    /// Whether a proposal may be made anew: it is expired, or the loop guard escalated it and `loop_window` is over.
    fn is_over(&self, entry: &Entry, book: &Book) -> bool {
        let is_no_loop = || self.loops(&entry.key, &entry.proposal, book).is_none();
        entry.state() == StepKind::Expired || (entry.is_looping() && is_no_loop())
    }

    /// Whether nothing is known of a verdict, or something of it may be proposed anew.
    fn is_to_be_proposed(&self, standing: &Standing, book: &Book) -> bool {
        let entries = self.entries(standing, book);
        entries.is_empty() || entries.iter().any(|entry| self.is_over(entry, book))
    }

    /// The steps of a run, and what it found; `changes` are those of a verdict that is [`Self::fresh`].
    pub fn steps(
        &self,
        standings: &Standings,
        book: &Book,
        mut changes: impl FnMut(&Standing) -> Changes,
    ) -> (Vec<Step>, Found) {
        let (mut steps, mut found) = (self.expired(standings, book), Found::default());
        let mut room = self.room(book);
        for standing in standings.iter() {
            if sources(standing.status, self.rules.winner).is_empty() {
                found.unconfirmed += 1;
                continue;
            }
            let known = self.entries(standing, book);
            let known: Vec<&Entry> = known.into_iter().filter(|entry| !self.is_over(entry, book)).collect();
            steps.extend(known.iter().filter_map(|entry| self.still(entry)));
            if !self.is_to_be_proposed(standing, book) {
                found.known += 1;
            } else if self.is_too_old(standing) {
                found.old += 1;
            } else if !self.is_old_enough(standing) {
                found.young += 1;
            } else if room == 0 {
                found.left += 1;
            } else {
                room -= 1;
                let decisions =
                    decide(standing, self.rules.winner, &changes(standing), self.table, self.now_ms / 1000);
                let made = decisions.into_iter().map(|decision| self.step(standing, decision, book));
                steps.extend(made.filter(|step| known.iter().all(|entry| entry.id != step.id)));
            }
        }
        for step in &steps {
            match step.step {
                StepKind::Proposed => found.proposed.push(step.id.clone()),
                StepKind::Escalated => found.escalated.push(step.id.clone()),
                _ => found.expired.push(step.id.clone()),
            }
        }
        (steps, found)
    }

    /// Open proposals that nobody applied in time, or that repair what does not stand any more.
    fn expired(&self, standings: &Standings, book: &Book) -> Vec<Step> {
        let entries = book.entries().into_iter().filter(|entry| entry.is_open());
        let expired = entries.filter_map(|entry| {
            let why = stale(entry, standings.of(&entry.key), self.rules, self.now_ms)?;
            Some(step_of(entry, StepKind::Expired, self.now_ms, (ITSELF, Some(why.to_owned()))))
        });
        expired.collect()
    }

    /// The escalation of a repair that is written, and whose drift stands all the same.
    fn still(&self, entry: &Entry) -> Option<Step> {
        let applied_ms = entry.applied_ms().filter(|_| entry.state() == StepKind::Applied)?;
        let patience_ms = ms(self.drift.tolerance_s).saturating_add(ms(self.drift.grace_s));
        let until_ms = applied_ms.saturating_add(patience_ms).saturating_add(self.older_than_ms());
        let why = "it was repaired, and the drift stands all the same";
        (self.now_ms > until_ms)
            .then(|| step_of(entry, StepKind::Escalated, self.now_ms, (ITSELF, Some(why.to_owned()))))
    }

    fn step(&self, standing: &Standing, decision: Decision, book: &Book) -> Step {
        let (kind, proposal, reason) = match decision {
            Decision::Propose(proposal) => match self.loops(&standing.key, &proposal, book) {
                Some(why) => (StepKind::Escalated, proposal, Some(why)),
                None => (StepKind::Proposed, proposal, None),
            },
            Decision::Escalate(proposal, why) => (StepKind::Escalated, proposal, Some(why)),
        };
        Step {
            id: proposal.id(&standing.table, &standing.key),
            step: kind,
            table: standing.table.clone(),
            key: standing.key.clone(),
            target: proposal.source.other(),
            at_ms: self.now_ms,
            by: ITSELF.to_owned(),
            reason,
            proposal: Some(proposal),
        }
    }

    /// Why a key is not repaired once more.
    fn loops(&self, key: &Value, proposal: &Proposal, book: &Book) -> Option<String> {
        let since_ms = self.now_ms.saturating_sub(ms(self.rules.loop_window_s));
        let id = proposal.id(self.table.full_name(), key);
        let target = proposal.source.other();
        let repaired = book.repaired_since(since_ms, &id, target, (key, proposal.version_us))?;
        Some(format!("{LOOPS} ({}), and drifts again", repaired.id))
    }
}

/// Why an open proposal may not be applied any more.
#[must_use]
pub fn stale(
    entry: &Entry,
    standing: Option<&Standing>,
    rules: &RemediateRules,
    now_ms: i64,
) -> Option<&'static str> {
    if !standing.is_some_and(|standing| entry.proposal.is_about(standing)) {
        return Some("what it repairs does not stand any more");
    }
    if now_ms.saturating_sub(entry.proposed_ms()) > ms(rules.expire_s) {
        return Some("it was not applied in time");
    }
    is_too_old(entry.proposal.decided_us, rules, now_ms)
        .then_some("the verdict is older than max_age: a deletion that took its place may be forgotten")
}

/// Whether a verdict of that time, microseconds, is too old to be repaired.
fn is_too_old(decided_us: i64, rules: &RemediateRules, now_ms: i64) -> bool {
    now_ms.saturating_mul(1000).saturating_sub(decided_us) > ms(rules.max_age_s).saturating_mul(1000)
}

/// A step of a known proposal.
#[must_use]
pub fn step_of(entry: &Entry, step: StepKind, at_ms: i64, (by, reason): (&str, Option<String>)) -> Step {
    Step {
        id: entry.id.clone(),
        step,
        table: entry.table.clone(),
        key: entry.key.clone(),
        target: entry.target,
        at_ms,
        by: by.to_owned(),
        reason,
        proposal: None,
    }
}
