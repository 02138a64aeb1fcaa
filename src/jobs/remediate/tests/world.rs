//! A table, its verdicts and changes, as the other tests need them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::jobs::drift::{DriftRules, Side};
use crate::jobs::finding::{Finding, Findings};
use crate::jobs::remediate::repair::{Change, NoRepair, RepairTable};
use crate::jobs::remediate::standing::{Standing, Standings};
use crate::jobs::remediate::step::{Proposal, Step, StepKind};
use crate::jobs::rules::{self, TableRules};
use crate::jobs::yaml;

/// A second in milliseconds.
pub(super) const S: i64 = 1000;
/// Now, milliseconds.
pub(super) const NOW: i64 = 1_800_000_000 * S;

const RULES: &str = "\
table: shop.orders
source: {kind: cdc}
sink: none
columns:
  cust: {type: text}
  id: {type: int}
  a: {type: int}
  b: {type: text}
  tags: {type: 'set<text>'}
  steps: {type: 'list<text>'}
  days: {type: 'frozen<list<text>>'}
key: [cust, id]
version: write_time
hash: {kind: v1}
drift:
  onprem: {environment: onprem, hosts: any}
  cloud: {environment: cloud, hosts: any}
  mode: merge
  tolerance: 10s
  grace: 20s
  partition_key: [cust]
";

pub(super) fn read_rules(more: &str) -> (Option<TableRules>, Vec<Finding>) {
    let root = yaml::parse(&format!("{RULES}{more}")).unwrap();
    let findings = RefCell::new(Findings::new("rules"));
    let rules = rules::read(&root, Path::new("."), &findings);
    (rules, findings.into_inner().into_sorted())
}

/// The rules of `shop.orders`, with more lines.
pub(super) fn rules(more: &str) -> (TableRules, DriftRules, RepairTable) {
    let (rules, findings) = read_rules(more);
    assert_eq!(findings, []);
    let rules = rules.unwrap();
    let drift = rules.drift.clone().unwrap();
    let table = RepairTable::new(&rules, &drift);
    (rules, drift, table)
}

pub(super) fn key(id: i64) -> Value {
    json!({ "cust": "ada", "id": id })
}

/// A verdict of this version, told by the sides with these operations, decided a minute ago.
pub(super) fn verdict(id: i64, status: &str, version_us: i64, told: &[(Side, &str)]) -> Value {
    let mut evidence = json!({ "columns": ["a"] });
    let event = |side: Side| {
        told.iter().any(|(told, _)| *told == side).then(|| format!("{}-{id}-{version_us}", side.name()))
    };
    for (side, op) in told {
        evidence[side.name()] = json!({
            "op": op, "topic": format!("{}.cdc.shop.orders", side.name()), "partition": 0, "offset": id,
            "file": null, "pos": null,
        });
    }
    json!({
        "table": "shop.orders", "key": key(id), "version_us": version_us, "status": status,
        "onprem_hash": "11", "cloud_hash": null, "onprem_event_id": event(Side::Onprem),
        "cloud_event_id": event(Side::Cloud), "hash_def": null, "first_seen_us": 5, "decided_us": (NOW - 60 * S) * 1000,
        "evidence": evidence,
    })
}

pub(super) fn standings(verdicts: &[Value]) -> Standings {
    let mut standings = Standings::default();
    for verdict in verdicts {
        let key = json!({ "table": "shop.orders", "key": verdict["key"] }).to_string();
        standings.take("shop.orders", key.as_bytes(), Some(verdict.to_string().as_bytes())).unwrap();
    }
    standings
}

/// A write of `a` and of the row itself.
pub(super) fn insert(id: i64, a: i64, ts_us: i64) -> Value {
    json!({
        "op": "c", "ts_ms": 1, "before": null, "after": { "cust": "ada", "id": id, "a": a },
        "source": { "ts_us": ts_us, "host_id": "h" },
    })
}

/// The change of a record of a side.
pub(super) fn change(
    table: &RepairTable,
    side: Side,
    mut record: Value,
    event_id: &str,
) -> Result<Change, NoRepair> {
    record["event_id"] = json!(event_id);
    Change::read(record.to_string().as_bytes(), table, side, event_id)
}

/// What each side wrote, by side and key.
pub(super) type Written = BTreeMap<(Side, i64), Value>;

/// The change of a side for a verdict, among what was written.
pub(super) fn found(
    table: &RepairTable,
    written: &Written,
    standing: &Standing,
    side: Side,
) -> Option<Result<Change, NoRepair>> {
    let event_id = standing.event_id(side)?;
    let id = standing.key["id"].as_i64().unwrap();
    let record = written.get(&(side, id)).cloned();
    Some(record.map_or(Err(NoRepair::Gone), |record| change(table, side, record, event_id)))
}

/// A step about a verdict of which one side told; the first one has the proposal.
pub(super) fn step(verdict: &Value, source: Side, step: StepKind, at_ms: i64) -> Step {
    let standing: Standing = serde_json::from_value(verdict.clone()).unwrap();
    let proposal = Proposal::of(&standing, source).unwrap();
    Step {
        id: proposal.id("shop.orders", &standing.key),
        step,
        table: "shop.orders".to_owned(),
        key: standing.key.clone(),
        target: source.other(),
        at_ms,
        by: "ada".to_owned(),
        reason: None,
        proposal: (step == StepKind::Proposed).then_some(proposal),
    }
}
