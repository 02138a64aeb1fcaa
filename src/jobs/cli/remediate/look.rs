//! `remediate list`, `show` and `status`: they write nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::open::{Opened, now_ms, open};
use super::{ListArgs, ShowArgs, State, StatusArgs, text};
use crate::agent::exit::{Exit, Failure};
use crate::jobs::cli::{Format, print, print_json};
use crate::jobs::drift::Side;
use crate::jobs::engine::EngineError;
use crate::jobs::remediate::book::Entry;
use crate::jobs::remediate::limits::{Room, room};
use crate::jobs::remediate::standing::Standings;
use crate::jobs::remediate::step::StepKind;

impl State {
    fn kind(self) -> StepKind {
        match self {
            Self::Proposed => StepKind::Proposed,
            Self::Approved => StepKind::Approved,
            Self::Rejected => StepKind::Rejected,
            Self::Applied => StepKind::Applied,
            Self::Failed => StepKind::Failed,
            Self::Expired => StepKind::Expired,
            Self::Escalated => StepKind::Escalated,
        }
    }
}

/// A proposal as an object.
fn entry_json(entry: &Entry) -> Value {
    let last = entry.steps.last();
    json!({
        "id": entry.id,
        "state": entry.state().name(),
        "table": entry.table,
        "key": entry.key,
        "target": entry.target,
        "since_ms": last.map(|step| step.at_ms),
        "by": last.map(|step| step.by.as_str()),
        "reason": last.and_then(|step| step.reason.as_deref()),
        "proposal": entry.proposal,
    })
}

pub(super) fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let opened = open(&args.table, None)?;
    let book = opened.store.book(opened.name())?;
    let mut entries = book.entries();
    entries.retain(|entry| args.state.is_none_or(|state| state.kind() == entry.state()));
    match args.table.format {
        Format::Json => print_json(&entries.iter().map(|entry| entry_json(entry)).collect::<Vec<_>>())?,
        Format::Text => print(&text::list(&entries))?,
    }
    Ok(Exit::Ok)
}

/// A proposal, and what `show` says of it.
#[derive(Debug)]
pub(in crate::jobs) struct Known {
    /// The proposal.
    pub(in crate::jobs) entry: Entry,
    /// Lines of text.
    pub(in crate::jobs) shown: String,
}

/// All proposals of the table, the oldest first.
///
/// # Errors
/// Steps or verdicts cannot be read.
pub(super) fn known(opened: &Opened) -> Result<Vec<Known>, EngineError> {
    let (book, standings) = (opened.store.book(opened.name())?, opened.store.standings(opened.name())?);
    let known = |entry: &Entry| {
        let shown = text::show(entry, stands(entry, &standings));
        Known { entry: entry.clone(), shown }
    };
    Ok(book.entries().into_iter().map(known).collect())
}

/// Whether what a proposal repairs still stands.
fn stands(entry: &Entry, standings: &Standings) -> bool {
    standings.of(&entry.key).is_some_and(|standing| entry.proposal.is_about(standing))
}

pub(super) fn show(args: &ShowArgs) -> Result<Exit, Failure> {
    let opened = open(&args.table, None)?;
    let book = opened.store.book(opened.name())?;
    let Some(entry) = book.get(&args.id) else {
        return Err(Failure::new(Exit::Usage, format!("there is no proposal {}", args.id))
            .next("cdc-jobs remediate list shows them"));
    };
    let standings = opened.store.standings(opened.name())?;
    let stands = stands(entry, &standings);
    match args.table.format {
        Format::Json => {
            let mut answer = entry_json(entry);
            if let Some(answer) = answer.as_object_mut() {
                answer.insert("stands".to_owned(), json!(stands));
                answer.insert("steps".to_owned(), json!(entry.steps));
            }
            print_json(&answer)?;
        }
        Format::Text => print(&text::show(entry, stands))?,
    }
    Ok(Exit::Ok)
}

pub(super) fn status(args: &StatusArgs) -> Result<Exit, Failure> {
    let opened = open(&args.table, None)?;
    let book = opened.store.book(opened.name())?;
    let standings = opened.store.standings(opened.name())?;
    let now_ms = now_ms();
    let mut sides = serde_json::Map::new();
    for target in Side::BOTH {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let entries = book.entries();
        let own: Vec<&&Entry> = entries.iter().filter(|entry| entry.target == target).collect();
        for entry in &own {
            *counts.entry(entry.state().name()).or_default() += 1;
        }
        let written = own.iter().filter(|entry| entry.state() == StepKind::Applied);
        let (limit, again_ms) = match room(&book.applied_ms(target), now_ms, opened.rules()) {
            Room::Open => (None, None),
            Room::Minute(at_ms) => (Some("minute"), Some(at_ms)),
            Room::Incident(at_ms) => (Some("incident"), Some(at_ms)),
        };
        let side = json!({
            "environment": opened.store.sides.of(target).name.value,
            "states": counts,
            "applied_and_standing": written.filter(|entry| stands(entry, &standings)).count(),
            "limit": limit,
            "room_at_ms": again_ms,
        });
        sides.insert(target.name().to_owned(), side);
    }
    let answer = json!({
        "table": opened.name(),
        "verdicts_standing": standings.iter().count(),
        "node_is_silent": standings.is_unknown,
        "targets": sides,
    });
    match args.table.format {
        Format::Json => print_json(&answer)?,
        Format::Text => print(&text::status(&answer))?,
    }
    Ok(Exit::Ok)
}
