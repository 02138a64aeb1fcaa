//! A verdict that stands → which side's change is written to the other one, or why none is.

use super::repair::{Change, NoRepair, RepairTable};
use super::settings::Winner;
use super::standing::Standing;
use super::step::Proposal;
use crate::jobs::drift::{Both, Side, Status, lacking};

/// What is to be done about a verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Write the change of `source` to the other side.
    Propose(Proposal),
    /// Somebody must look at it, and why.
    Escalate(Proposal, String),
}

/// The changes that a decision may need, by the sides that made them; those of sides that told nothing are None.
pub type Changes = Both<Option<Result<Change, NoRepair>>>;

/// The sides whose change may be written for a verdict, by the settings. None of verdicts that are not confirmed.
#[must_use]
pub fn sources(status: Status, winner: Winner) -> Vec<Side> {
    match (status, winner) {
        (Status::MissingOnprem, _) => vec![Side::Cloud],
        (Status::MissingCloud, _) => vec![Side::Onprem],
        (Status::Drift, Winner::Newest) => Side::BOTH.to_vec(),
        (Status::Drift, Winner::Side(side)) => vec![side],
        _ => Vec::new(),
    }
}

/// What is to be done about a verdict. `now_s`: seconds since 1970.
#[must_use]
pub fn decide(
    standing: &Standing,
    winner: Winner,
    changes: &Changes,
    table: &RepairTable,
    now_s: i64,
) -> Vec<Decision> {
    let sources = sources(standing.status, winner);
    let proposals: Vec<Proposal> =
        sources.iter().filter_map(|source| Proposal::of(standing, *source)).collect();
    let mut decisions = Vec::new();
    for proposal in &proposals {
        if let Some(why) = is_beside(proposal, winner) {
            decisions.push(Decision::Escalate(proposal.clone(), why));
            continue;
        }
        match needed(proposal, changes, table, now_s) {
            Ok(true) => decisions.push(Decision::Propose(proposal.clone())),
            Ok(false) => {}
            Err(why) => decisions.push(Decision::Escalate(proposal.clone(), why.to_string())),
        }
    }
    if let (true, Some(first)) = (decisions.is_empty(), proposals.into_iter().next()) {
        let why = match winner {
            Winner::Newest => {
                "the changes that are told of do not differ: an earlier one of this version does".to_owned()
            }
            Winner::Side(side) => format!(
                "{} wins, but of two writes of one time Cassandra keeps the other one: write a newer version to its source",
                side.name()
            ),
        };
        decisions.push(Decision::Escalate(first, why));
    }
    decisions
}

/// Why a change of a side that does not win is not written.
fn is_beside(proposal: &Proposal, winner: Winner) -> Option<String> {
    match winner {
        Winner::Side(side) if side != proposal.source => Some(format!(
            "{} wins, and lacks what {} wrote: nothing that is older can undo it",
            side.name(),
            proposal.source.name()
        )),
        _ => None,
    }
}

/// Whether writing it would change what the other side is known to hold.
fn needed(proposal: &Proposal, changes: &Changes, table: &RepairTable, now_s: i64) -> Result<bool, NoRepair> {
    let of = |side: Side| changes.of(side).as_ref().unwrap_or(&Err(NoRepair::Gone));
    let change = of(proposal.source).as_ref().map_err(Clone::clone)?;
    if proposal.status == Status::Drift {
        let held = of(proposal.source.other()).as_ref().map_err(Clone::clone)?;
        let (held, written) = (&held.event.content, &change.event.content);
        let now_us = now_s.saturating_mul(1_000_000);
        if lacking(held, written, &table.layout.clustering, now_us).is_empty() {
            return Ok(false);
        }
    }
    change.repair(table, now_s).map(|_| true)
}
