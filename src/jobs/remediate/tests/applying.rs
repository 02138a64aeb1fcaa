//! What is applied, in which order, and what keeps it from being applied. The world is made of maps.

use std::collections::BTreeMap;

use serde_json::Value;

use super::world::{NOW, S, Written, change, insert, rules, standings, step, verdict};
use crate::agent::exit::Exit;
use crate::jobs::drift::Side;
use crate::jobs::engine::EngineError;
use crate::jobs::remediate::apply::{Applied, Applying, Stopped, World};
use crate::jobs::remediate::book::{Book, Entry};
use crate::jobs::remediate::repair::{Change, NoRepair, Repair, RepairTable};
use crate::jobs::remediate::standing::Standings;
use crate::jobs::remediate::step::{Step, StepKind};

use Side::Onprem;

struct Fake {
    table: RepairTable,
    now_ms: i64,
    steps: Vec<Step>,
    verdicts: Vec<Value>,
    written: Written,
    /// Repairs in the order in which they came to the data centre.
    repairs: Vec<Repair>,
    /// The write of this number fails.
    fails: Option<usize>,
    /// The process ends between a write and its record.
    dies: bool,
    is_unknown: bool,
    looks: usize,
}

impl Fake {
    /// So many approved proposals, of what cloud lacks.
    fn new(count: i64, kinds: &[StepKind]) -> Self {
        let (_, _, table) = rules("");
        let verdicts: Vec<Value> =
            (1..=count).map(|id| verdict(id, "MISSING_CLOUD", 7, &[(Onprem, "c")])).collect();
        let steps = verdicts.iter().flat_map(|verdict| {
            let one = |kind: &StepKind| step(verdict, Onprem, *kind, NOW - S);
            kinds.iter().map(one).collect::<Vec<_>>()
        });
        let written = (1..=count).map(|id| ((Onprem, id), insert(id, 5, 7))).collect();
        Self {
            table,
            now_ms: NOW,
            steps: steps.collect(),
            verdicts,
            written,
            repairs: Vec::new(),
            fails: None,
            dies: false,
            is_unknown: false,
            looks: 0,
        }
    }

    fn ids(&self) -> Vec<String> {
        let proposed = self.steps.iter().filter(|step| step.step == StepKind::Proposed);
        proposed.map(|step| step.id.clone()).collect()
    }

    fn states(&self) -> BTreeMap<StepKind, usize> {
        let mut states = BTreeMap::new();
        let mut book = Book::default();
        for step in &self.steps {
            book.take(step);
        }
        for entry in book.entries() {
            *states.entry(entry.state()).or_default() += 1;
        }
        states
    }

    fn run(&mut self, more: &str, is_executed: bool) -> Result<Applied, EngineError> {
        let (rules, _, table) = rules(more);
        let ids = self.ids();
        let applying = Applying {
            target: Side::Cloud,
            is_executed,
            waits: false,
            by: "ada",
            table: &table,
            rules: &rules.remediate,
        };
        applying.run(&ids, self)
    }
}

impl World for Fake {
    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn look(&mut self) -> Result<(Book, Standings), EngineError> {
        self.looks += 1;
        let mut book = Book::default();
        for step in &self.steps {
            book.take(step);
        }
        let mut standings = standings(&self.verdicts);
        standings.is_unknown = self.is_unknown;
        Ok((book, standings))
    }

    fn change(&mut self, entry: &Entry) -> Result<Result<Change, NoRepair>, EngineError> {
        let id = entry.key["id"].as_i64().unwrap();
        let record = self.written.get(&(Onprem, id)).cloned();
        let read = |record| change(&self.table, Onprem, record, &entry.proposal.event_id);
        Ok(record.map_or(Err(NoRepair::Gone), read))
    }

    fn write(&mut self, repair: &Repair) -> Result<(), EngineError> {
        if self.fails == Some(self.repairs.len()) {
            return Err(EngineError::passing("the nodes do not acknowledge the write"));
        }
        self.repairs.push(repair.clone());
        Ok(())
    }

    fn record(&mut self, step: &Step) -> Result<(), EngineError> {
        if self.dies {
            return Err(EngineError::new(Exit::Locked, "killed"));
        }
        self.steps.push(step.clone());
        Ok(())
    }

    fn wait_until(&mut self, at_ms: i64) -> bool {
        self.now_ms = at_ms;
        true
    }
}

const APPROVED: [StepKind; 2] = [StepKind::Proposed, StepKind::Approved];

#[test]
fn what_is_approved_is_written_once() {
    let mut world = Fake::new(3, &APPROVED);
    let done = world.run("", true).unwrap();
    assert_eq!((done.outcomes.len(), done.stopped, done.left), (3, None, 0));
    assert_eq!((world.repairs.len(), world.states()), (3, BTreeMap::from([(StepKind::Applied, 3)])));
    let done = world.run("", true).unwrap();
    assert_eq!((done, world.repairs.len()), (Applied::default(), 3));
}

#[test]
fn what_is_not_approved_is_never_written() {
    for kinds in [
        &[StepKind::Proposed][..],
        &[StepKind::Proposed, StepKind::Rejected],
        &[StepKind::Proposed, StepKind::Approved, StepKind::Rejected],
        &[StepKind::Proposed, StepKind::Approved, StepKind::Expired],
        &[StepKind::Proposed, StepKind::Approved, StepKind::Escalated],
    ] {
        let mut world = Fake::new(2, kinds);
        let done = world.run("", true).unwrap();
        assert_eq!((done.outcomes.len(), world.repairs.len()), (0, 0), "{kinds:?}");
    }
}

#[test]
fn a_dry_run_writes_and_records_nothing() {
    let mut world = Fake::new(2, &APPROVED);
    world.verdicts.pop();
    let before = world.steps.clone();
    let done = world.run("", false).unwrap();
    let words: Vec<&str> = done.outcomes.iter().map(|outcome| outcome.outcome).collect();
    assert_eq!(words, ["would_apply", "expired"]);
    assert_eq!(done.outcomes[0].writes[0].timestamp_us, 7);
    assert_eq!((&world.steps, world.repairs.len()), (&before, 0));
}

/// A crash between the write and its record: the same statement is written again.
#[test]
fn a_write_without_its_record_is_written_again() {
    let mut world = Fake::new(1, &APPROVED);
    world.dies = true;
    assert!(world.run("", true).is_err());
    assert_eq!((world.repairs.len(), world.states()), (1, BTreeMap::from([(StepKind::Approved, 1)])));
    world.dies = false;
    world.run("", true).unwrap();
    assert_eq!(world.states(), BTreeMap::from([(StepKind::Applied, 1)]));
    assert_eq!((world.repairs.len(), &world.repairs[0]), (2, &world.repairs[1]));
}

#[test]
fn a_limit_stops() {
    let mut world = Fake::new(5, &APPROVED);
    let done = world.run("remediate: {per_minute: 2}\n", true).unwrap();
    assert_eq!((done.stopped, done.left, world.repairs.len()), (Some(Stopped::Minute), 3, 2));
    let done = world.run("remediate: {per_minute: 2}\n", true).unwrap();
    assert_eq!(
        (done.stopped, world.repairs.len()),
        (Some(Stopped::Minute), 2),
        "the steps say what was written"
    );
    world.now_ms += 60 * S;
    let done = world.run("remediate: {per_minute: 2, per_incident: 3}\n", true).unwrap();
    assert_eq!((done.stopped, done.left, world.repairs.len()), (Some(Stopped::Incident), 2, 3));
    let mut world = Fake::new(5, &APPROVED);
    let done = world.run("remediate: {per_minute: 2}\n", false).unwrap();
    assert_eq!((done.outcomes.len(), done.stopped), (2, Some(Stopped::Minute)), "a dry run says the same");
}

#[test]
fn a_full_minute_can_be_waited_for() {
    let mut world = Fake::new(5, &APPROVED);
    let (rules, _, table) = rules("remediate: {per_minute: 2}\n");
    let ids = world.ids();
    let applying = Applying {
        target: Side::Cloud,
        is_executed: true,
        waits: true,
        by: "ada",
        table: &table,
        rules: &rules.remediate,
    };
    let done = applying.run(&ids, &mut world).unwrap();
    assert_eq!((done.outcomes.len(), done.stopped), (5, None));
    assert_eq!(world.now_ms, NOW + 120 * S);
    assert!(world.looks >= 3, "after a minute it looks again what stands");
}

#[test]
fn drift_must_still_stand() {
    let mut world = Fake::new(4, &APPROVED);
    world.verdicts[0] = verdict(1, "DRIFT", 7, &[(Onprem, "c")]);
    world.verdicts[1] = verdict(2, "MISSING_CLOUD", 8, &[(Onprem, "c")]);
    world.verdicts[2]["onprem_event_id"] = "another".into();
    let done = world.run("", true).unwrap();
    let words: Vec<&str> = done.outcomes.iter().map(|outcome| outcome.outcome).collect();
    assert_eq!(words, ["expired", "expired", "expired", "applied"]);
    assert_eq!(world.states(), BTreeMap::from([(StepKind::Expired, 3), (StepKind::Applied, 1)]));
    let mut world = Fake::new(1, &APPROVED);
    world.is_unknown = true;
    let done = world.run("", true).unwrap();
    assert_eq!((done.stopped, done.left, world.repairs.len()), (Some(Stopped::Unknown), 1, 0));
}

#[test]
fn what_is_too_old_or_gone_is_not_written() {
    let mut world = Fake::new(1, &APPROVED);
    let done = world.run("remediate: {max_age: 59s}\n", true).unwrap();
    assert!(done.outcomes[0].reason.as_ref().unwrap().contains("max_age"), "{done:?}");
    let mut world = Fake::new(1, &APPROVED);
    let done = world.run("remediate: {max_age: 60s}\n", true).unwrap();
    assert_eq!(done.outcomes[0].outcome, "applied");
    let mut world = Fake::new(1, &APPROVED);
    world.written.clear();
    let done = world.run("", true).unwrap();
    assert_eq!((done.outcomes[0].outcome, world.repairs.len()), ("escalated", 0));
    assert_eq!(world.states(), BTreeMap::from([(StepKind::Escalated, 1)]));
}

#[test]
fn a_write_that_fails_ends_the_run_and_can_be_tried_again() {
    let mut world = Fake::new(3, &APPROVED);
    world.fails = Some(1);
    let done = world.run("", true).unwrap();
    assert_eq!((done.stopped, done.left, world.repairs.len()), (Some(Stopped::Failed), 1, 1));
    assert_eq!(
        world.states(),
        BTreeMap::from([(StepKind::Applied, 1), (StepKind::Failed, 1), (StepKind::Approved, 1)])
    );
    world.fails = None;
    let done = world.run("", true).unwrap();
    assert_eq!((done.outcomes.len(), world.states()), (2, BTreeMap::from([(StepKind::Applied, 3)])));
}
