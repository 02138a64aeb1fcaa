//! The winner's change → the statement that writes it again, with its own write times.

mod key;
mod statement;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::json::{cassandra_json, is_multi_cell};
use crate::cql::{TypeExpr, type_grammar};
use crate::jobs::drift::record::{Layout, Read, change};
use crate::jobs::drift::{DriftRules, Input, RowEvent, Side};
use crate::jobs::rules::TableRules;
use key::key;
use statement::Writes;

pub use statement::{Bound, Repair, Write};

/// Row liveness of a materialized view that is expired on purpose: docs/envelope.md, 6.
const EXPIRED_VIEW_TTL: i64 = 2_147_483_647;

/// The longest time to live that Cassandra takes, seconds: 20 years.
const LONGEST_TTL_S: i64 = 630_720_000;

/// In place of the value of a column that an agent masks: docs/envelope.md, 10. A hash cannot be told from a value.
const MASKED: &str = "***";

/// Why a change cannot be written again. No value is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRepair {
    /// Its record is not in its topic any more, or another one is in its place.
    #[error("its record is not in its topic any more")]
    Gone,
    /// It is no record of an agent.
    #[error("its record is none of an agent: {0}")]
    Strange(String),
    /// What it changes is not written by this program.
    #[error("{0}")]
    Unsupported(String),
}

fn unsupported<T>(what: impl Into<String>) -> Result<T, NoRepair> {
    Err(NoRepair::Unsupported(what.into()))
}

/// A table as repairs need it.
#[derive(Debug, Clone)]
pub struct RepairTable {
    keyspace: String,
    name: String,
    /// What its records hold.
    pub layout: Layout,
    types: BTreeMap<String, TypeExpr>,
    /// Columns whose values the agents do not tell.
    withheld: Vec<String>,
}

impl RepairTable {
    /// The table of these rules.
    #[must_use]
    pub fn new(rules: &TableRules, drift: &DriftRules) -> Self {
        let kind = |text: &str| type_grammar::parse(text).ok();
        let types = rules
            .columns
            .iter()
            .filter_map(|column| Some((column.name.clone(), kind(&column.cql_type)?)))
            .collect();
        let table = &rules.table.value;
        let (keyspace, name) = (table.keyspace.clone(), table.table.clone());
        let withheld = rules.remediate.withheld.clone();
        Self { keyspace, name, layout: drift.layout(rules), types, withheld }
    }

    /// `keyspace.table`
    #[must_use]
    pub fn full_name(&self) -> &str {
        &self.layout.table
    }

    fn json(&self, column: &str, value: &Value) -> Result<String, NoRepair> {
        let kind = self.types.get(column);
        match kind.and_then(|kind| cassandra_json(kind, value)) {
            Some(json) => Ok(json.to_string()),
            None => unsupported(format!("column {column}: values of its type are not written")),
        }
    }
}

/// A change of a row, as one side told it.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it writes.
    pub event: Box<RowEvent>,
    record: Value,
}

impl Change {
    /// Reads the record of a side that must be this event.
    ///
    /// # Errors
    /// It is another one, or no record of an agent.
    pub fn read(bytes: &[u8], table: &RepairTable, side: Side, event_id: &str) -> Result<Self, NoRepair> {
        let strange = |what: String| NoRepair::Strange(what);
        let record: Value = serde_json::from_slice(bytes).map_err(|_| strange("it is no JSON".to_owned()))?;
        // Where it stands is known to who asked for it.
        let read = Read { side, topic: String::new(), partition: 0, offset: 0, timestamp_ms: 0 };
        let input = change(&record, &table.layout, &read).map_err(|error| strange(error.to_string()))?;
        match input {
            Some(Input::Event(event)) if event.event_id == event_id => Ok(Self { event, record }),
            _ => Err(NoRepair::Gone),
        }
    }

    /// The statement that writes it again; `now_s` decides what has expired, seconds since 1970.
    ///
    /// # Errors
    /// It changes what is not written: collections in part, counters, user-defined types, slices of a partition.
    pub fn repair(&self, table: &RepairTable, now_s: i64) -> Result<Repair, NoRepair> {
        if self.record.get("truncated").is_some() {
            return unsupported("its record is cut short: the values of long columns are not in it");
        }
        let source_us =
            self.record.get("source").and_then(|source| source.get("ts_us")).and_then(Value::as_i64);
        let Some(source_us) = source_us else { return unsupported("no write time is known of it") };
        let of = |name: &str| self.record.get(name).and_then(Value::as_object);
        let empty = Map::new();
        let mut writes = Writes::new(&table.keyspace, &table.name);
        match self.event.op.as_str() {
            "d" => writes.delete_row(key(table, of("before").unwrap_or(&empty))?, source_us),
            "rt" => {
                let mut place = key(table, of("before").unwrap_or(&empty))?;
                place.extend(self.prefix(table)?);
                writes.delete_row(place, source_us);
            }
            "c" | "u" => {
                let row = Row {
                    table,
                    after: of("after").unwrap_or(&empty),
                    times: of("cells").unwrap_or(&empty),
                    source_us,
                    // All times of a row are moved so that the newest is the version, as drift compares it.
                    shift_us: self.event.version_us.saturating_sub(source_us),
                    now_s,
                };
                row.write(&self.record, &self.event.op, &mut writes)?;
            }
            _ => return unsupported("it was read by a snapshot: not all of its write times are known"),
        }
        match writes.repair() {
            Some(repair) => Ok(repair),
            None => unsupported("its time to live is over"),
        }
    }

    /// The clustering values that a deletion of a range takes; none of a whole partition.
    fn prefix(&self, table: &RepairTable) -> Result<Vec<(String, String)>, NoRepair> {
        let range = self.event.content.range.as_ref();
        let bounds = range.map(|range| (range.start.as_ref(), range.end.as_ref()));
        match bounds {
            Some((None, None)) => Ok(Vec::new()),
            Some((Some(start), Some(end))) if start == end && start.inclusive && !start.values.is_empty() => {
                let names = table.layout.key.iter().skip(table.layout.partition_key);
                let value = |(name, value): (&String, &Value)| Ok((name.clone(), table.json(name, value)?));
                names.zip(&start.values).map(value).collect()
            }
            _ => unsupported("the deletion of a slice of a partition is not written"),
        }
    }
}

/// A row event whose columns are written again.
struct Row<'r> {
    table: &'r RepairTable,
    after: &'r Map<String, Value>,
    times: &'r Map<String, Value>,
    source_us: i64,
    shift_us: i64,
    now_s: i64,
}

impl Row<'_> {
    fn write(&self, record: &Value, op: &str, writes: &mut Writes) -> Result<(), NoRepair> {
        let patched = record.get("patch").and_then(Value::as_object).and_then(|patch| patch.keys().next());
        if let Some(column) = patched {
            return unsupported(format!("column {column}: what changes a part of it is not written"));
        }
        writes.place(key(self.table, self.after)?);
        if op == "c" {
            let liveness = record.get("liveness");
            let number =
                |name: &str| liveness.and_then(|liveness| liveness.get(name)).and_then(Value::as_i64);
            if number("ttl") == Some(EXPIRED_VIEW_TTL) {
                return unsupported("it is a row of a materialized view");
            }
            if let Some(ttl_s) = self.ttl(number("expires_at"))? {
                writes.insert(self.time(number("ts_us")), ttl_s);
            }
        }
        let is_key = |name: &String| self.table.layout.key.contains(name);
        for (name, value) in self.after.iter().filter(|(name, _)| !is_key(name)) {
            self.column(name, value, writes)?;
        }
        Ok(())
    }

    fn column(&self, name: &str, value: &Value, writes: &mut Writes) -> Result<(), NoRepair> {
        let times = self.times.get(name);
        let number = |field: &str| times.and_then(|times| times.get(field)).and_then(Value::as_i64);
        for (field, why) in [
            ("elements", "its elements have times of their own"),
            ("empty", "a value of no bytes is not written"),
            ("ts_known", "its write time is not known"),
        ] {
            if times.is_some_and(|times| times.get(field).is_some()) {
                return unsupported(format!("column {name}: {why}"));
            }
        }
        if value.is_null() {
            writes.delete_column(self.time(number("deleted_ts_us")), name);
            return Ok(());
        }
        // What stands there is a mask, or a hash: the table holds something else.
        if value == MASKED || self.table.withheld.iter().any(|withheld| withheld == name) {
            return unsupported(format!("column {name}: the agents withhold its values (masked or hashed)"));
        }
        let time_us = self.time(number("ts_us"));
        let kind = self.table.types.get(name);
        if matches!(kind, Some(TypeExpr::List(_))) {
            // Each write gives elements an identity of its own: written twice, a list would hold all of them twice.
            return unsupported(format!("column {name}: a list cannot be written twice without doubling it"));
        }
        let is_multi_cell = kind.is_some_and(is_multi_cell);
        if is_multi_cell && self.time(number("deleted_ts_us")) != time_us.saturating_sub(1) {
            return unsupported(format!("column {name}: it was deleted and changed at two times"));
        }
        let json = self.table.json(name, value)?;
        match self.ttl(number("expires_at"))? {
            Some(ttl_s) => writes.set((time_us, ttl_s), name, json),
            // Repair leaves a tombstone of what has expired, too.
            None => writes.delete_column(time_us, name),
        }
        Ok(())
    }

    fn time(&self, own_us: Option<i64>) -> i64 {
        own_us.unwrap_or(self.source_us).saturating_add(self.shift_us)
    }

    /// What is left of a time to live, seconds; 0 of what does not expire, None of what has.
    fn ttl(&self, expires_at: Option<i64>) -> Result<Option<i32>, NoRepair> {
        let Some(expires_at) = expires_at else { return Ok(Some(0)) };
        let left = expires_at.saturating_sub(self.now_s);
        match i32::try_from(left) {
            _ if left <= 0 => Ok(None),
            Ok(left_s) if left <= LONGEST_TTL_S => Ok(Some(left_s)),
            _ => unsupported("its time to live is longer than the 20 years that Cassandra takes"),
        }
    }
}
