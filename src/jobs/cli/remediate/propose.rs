//! `remediate propose`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::look::{Known, known};
use super::open::{Opened, now_ms, open, open_until};
use super::{ProposeArgs, text};
use crate::agent::exit::{Exit, Failure};
use crate::jobs::cli::{Format, print, print_json};
use crate::jobs::drift::{Both, Side};
use crate::jobs::remediate::decide::Changes;
use crate::jobs::remediate::propose::{Found, Proposer};
use crate::jobs::remediate::standing::Standing;
use crate::jobs::remediate::store::{Records, place};

pub(super) fn run(args: &ProposeArgs) -> Result<Exit, Failure> {
    let found = propose(&open(&args.table, Some(&args.from))?, now_ms())?;
    let is_unknown = found.is_none();
    told(args, &found.unwrap_or_default(), is_unknown)?;
    Ok(if is_unknown { Exit::Damaged } else { Exit::Ok })
}

/// Does what `propose` does by another clock, and gives all proposals that are known then; for `cdc-agent demo`.
///
/// # Errors
/// As of `propose`.
pub(in crate::jobs) fn propose_at(args: &ProposeArgs, now_ms: i64) -> Result<Vec<Known>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let opened = open_until(&args.table, Some(&args.from), stop)?;
    propose(&opened, now_ms)?;
    Ok(known(&opened)?)
}

/// Takes the steps of a run; None when a node is silent and nothing is proposed.
fn propose(opened: &Opened, now_ms: i64) -> Result<Option<Found>, Failure> {
    // First, so that nobody else proposes the same at the same time.
    let mut writer = opened.store.writer(&opened.job("remediate"))?;
    let standings = opened.store.standings(opened.name())?;
    let book = opened.store.book(opened.name())?;
    if standings.is_unknown {
        return Ok(None);
    }
    let proposer = Proposer { table: &opened.table, rules: opened.rules(), drift: &opened.drift, now_ms };
    let fresh = proposer.fresh(&standings, &book);
    let mut records = Records::default();
    for side in Side::BOTH {
        let topic = opened
            .store
            .sides
            .of(side)
            .cdc_topic(&opened.file.rules.table.value.keyspace, &opened.file.rules.table.value.table);
        // Of another topic nothing is read with this side's user.
        let wanted =
            fresh.iter().filter_map(|standing| standing.evidence(side)).filter(|found| found.topic == topic);
        opened.store.records(side, wanted.map(place), &mut records)?;
    }
    let change = |standing: &Standing, side: Side| {
        let evidence = standing.evidence(side)?;
        let event = (side, standing.event_id(side)?);
        Some(records.change(&opened.table, event, place(evidence)))
    };
    let changes = |standing: &Standing| -> Changes {
        Both { onprem: change(standing, Side::Onprem), cloud: change(standing, Side::Cloud) }
    };
    let (steps, found) = proposer.steps(&standings, &book, changes);
    writer.record(&steps)?;
    Ok(Some(found))
}

fn told(args: &ProposeArgs, found: &Found, is_unknown: bool) -> Result<(), Failure> {
    match args.table.format {
        Format::Json => {
            let mut answer = json!(found);
            if let Some(answer) = answer.as_object_mut() {
                answer.insert("node_is_silent".to_owned(), json!(is_unknown));
            }
            print_json(&answer)
        }
        Format::Text => print(&text::found(found, is_unknown)),
    }
}
