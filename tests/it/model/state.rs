//! A replica in memory: records go in, rows come out. Every write is merged by timestamp, as Cassandra merges them, so that the
//! order of the records does not count.

use std::collections::BTreeMap;

use super::cells::{Cell, Content, Data};
use super::json::Json;
use super::select;
use super::types::{Column, Table, Tables};
use super::value::{self, Value};

/// A live row as `select.jsonl` has it: texts of its columns, write times (µs) and expiry (epoch seconds) of its cells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LiveRow {
    pub(super) columns: BTreeMap<String, String>,
    pub(super) writetime: BTreeMap<String, i64>,
    pub(super) expires_at: BTreeMap<String, i64>,
}

#[derive(Debug)]
struct Row {
    clustering: Vec<Value>,
    liveness: Option<Cell<()>>,
    deleted_us: i64,
    columns: BTreeMap<String, Content>,
}

#[derive(Debug)]
struct Bound {
    values: Vec<Value>,
    is_inclusive: bool,
}

#[derive(Debug)]
struct Range {
    start: Option<Bound>,
    end: Option<Bound>,
    deleted_us: i64,
}

#[derive(Debug)]
struct Partition {
    key: Vec<Value>,
    deleted_us: i64,
    ranges: Vec<Range>,
    /// The static columns.
    static_row: Row,
    rows: Vec<Row>,
}

/// The partitions of one table by the text of their key.
type Partitions = BTreeMap<String, Partition>;

#[derive(Debug)]
pub(super) struct Model<'a> {
    tables: &'a Tables,
    partitions: BTreeMap<String, Partitions>,
    records: usize,
}

impl Row {
    fn new(clustering: Vec<Value>) -> Self {
        Self { clustering, liveness: None, deleted_us: i64::MIN, columns: BTreeMap::new() }
    }
}

impl<'a> Model<'a> {
    pub(super) fn new(tables: &'a Tables) -> Self {
        Self { tables, partitions: BTreeMap::new(), records: 0 }
    }

    /// Apply the value of a record of profile `flat`.
    pub(super) fn apply(&mut self, event: &Json) {
        self.records += 1;
        let source = event.at("source");
        let name = format!("{}.{}", source.at("keyspace").text(), source.at("table").text());
        // A table that was dropped since has no rows to compare.
        let Some(table) = self.tables.get(&name) else { return };
        let event_us = source.at("ts_us").integer();
        let op = event.at("op").text();
        let columns = if matches!(op, "d" | "rt") { event.at("before") } else { event.at("after") };
        let read_key = |column: &Column| read_key(column, columns, event);
        let key: Vec<Value> = table.partition_key.iter().map(read_key).collect();
        let key_text = texts(table.partition_key.iter().zip(&key));
        let partition = self.partitions.entry(name).or_default().entry(key_text).or_insert_with(|| {
            let (ranges, rows) = (Vec::new(), Vec::new());
            Partition { key, deleted_us: i64::MIN, ranges, static_row: Row::new(Vec::new()), rows }
        });
        if op == "rt" {
            return delete_range(table, partition, event.at("range"), event_us);
        }
        let has_clustering = table.clustering.iter().all(|(column, _)| columns.get(&column.name).is_some());
        let row = if has_clustering {
            let clustering = table.clustering.iter().map(|(column, _)| read_key(column)).collect();
            find_row(table, &mut partition.rows, clustering)
        } else {
            &mut partition.static_row
        };
        match op {
            "d" => row.deleted_us = row.deleted_us.max(event_us),
            "c" | "u" => update(table, row, event, event_us, self.records),
            other => panic!("op {other}"),
        }
    }

    /// The live rows of a table, as a SELECT at this time (epoch seconds) gives them.
    pub(super) fn rows(&self, name: &str, now: i64) -> Vec<LiveRow> {
        let table = &self.tables[name];
        let partitions = self.partitions.get(name).into_iter().flat_map(BTreeMap::values);
        partitions.flat_map(|partition| partition_rows(table, partition, now)).collect()
    }
}

fn texts<'a>(columns: impl Iterator<Item = (&'a Column, &'a Value)>) -> String {
    // NaN and the infinities are keys of their own: not the text of a SELECT.
    columns.map(|(_, value)| format!("{value:?}")).collect()
}

/// A key column; a zero-length one is null, and says so under `cells`.
fn read_key(column: &Column, columns: &Json, event: &Json) -> Value {
    let times = event.get("cells").and_then(|cells| cells.get(&column.name));
    if times.and_then(|times| times.get("empty")).is_some_and(Json::is_true) {
        return Value::Empty;
    }
    value::read(&column.cql_type, columns.at(&column.name))
}

fn find_row<'r>(table: &Table, rows: &'r mut Vec<Row>, clustering: Vec<Value>) -> &'r mut Row {
    let is_same = |row: &Row| compare_clustering(table, &row.clustering, &clustering).is_eq();
    let at = rows.iter().position(is_same).unwrap_or_else(|| {
        rows.push(Row::new(clustering));
        rows.len() - 1
    });
    &mut rows[at]
}

/// In clustering order; the shorter one decides how many values count.
fn compare_clustering(table: &Table, left: &[Value], right: &[Value]) -> std::cmp::Ordering {
    table
        .clustering
        .iter()
        .zip(left.iter().zip(right))
        .map(|((column, is_descending), (left, right))| {
            let order = value::compare(&column.cql_type, left, right);
            if *is_descending { order.reverse() } else { order }
        })
        .find(|order| order.is_ne())
        .unwrap_or(std::cmp::Ordering::Equal)
}

fn delete_range(table: &Table, partition: &mut Partition, range: &Json, deleted_us: i64) {
    let bound = |name| match range.at(name) {
        Json::Null => None,
        bound => {
            let values = bound.at("values").fields().iter().zip(&table.clustering);
            let values = values.map(|((name, json), (column, _))| {
                assert_eq!(*name, column.name, "bounds are prefixes of the clustering columns");
                // A clustering value is never null: it is a zero-length value.
                match json {
                    Json::Null => Value::Empty,
                    json => value::read(&column.cql_type, json),
                }
            });
            Some(Bound { values: values.collect(), is_inclusive: bound.at("inclusive").is_true() })
        }
    };
    match (bound("start"), bound("end")) {
        (None, None) => partition.deleted_us = partition.deleted_us.max(deleted_us),
        (start, end) => partition.ranges.push(Range { start, end, deleted_us }),
    }
}

impl Range {
    fn covers(&self, table: &Table, clustering: &[Value]) -> bool {
        let compare = |bound: &Bound| compare_clustering(table, clustering, &bound.values);
        let after_start = self.start.as_ref().is_none_or(|bound| {
            let order = compare(bound);
            order.is_gt() || (order.is_eq() && bound.is_inclusive)
        });
        let before_end = self.end.as_ref().is_none_or(|bound| {
            let order = compare(bound);
            order.is_lt() || (order.is_eq() && bound.is_inclusive)
        });
        after_start && before_end
    }
}

fn update(table: &Table, row: &mut Row, event: &Json, event_us: i64, sequence: usize) {
    if event.at("op").text() == "c" {
        let times = event.get("liveness");
        let cell = Cell::read(times, event_us, Some(()));
        row.liveness = Some(Cell::newest(row.liveness.take(), cell));
    }
    let is_key = |name: &str| {
        let mut keys = table.partition_key.iter().chain(table.clustering.iter().map(|(column, _)| column));
        keys.any(|column| column.name == name)
    };
    let cells = |name: &str| event.get("cells").and_then(|cells| cells.get(name));
    let data = |column, json, times, is_patch| Data { column, json, times, event_us, sequence, is_patch };
    for (name, json) in event.at("after").fields() {
        // A dropped column can be in a record, and is in no SELECT.
        if let Some(column) = table.columns.get(name).filter(|_| !is_key(name)) {
            data(column, json, cells(name), false).merge_into(row.columns.entry(name.clone()).or_default());
        }
    }
    for (name, json) in event.get("patch").map_or(&[][..], Json::fields) {
        if let Some(column) = table.columns.get(name) {
            data(column, json, cells(name), true).merge_into(row.columns.entry(name.clone()).or_default());
        }
    }
}

fn partition_rows(table: &Table, partition: &Partition, now: i64) -> Vec<LiveRow> {
    let statics = live_columns(table, &partition.static_row, partition.deleted_us, now, true);
    let has_statics = statics.columns.values().any(|text| text != "null");
    let mut rows = Vec::new();
    for row in &partition.rows {
        let covering = partition.ranges.iter().filter(|range| range.covers(table, &row.clustering));
        let deleted_us = covering.map(|range| range.deleted_us).max().unwrap_or(i64::MIN);
        let deleted_us = deleted_us.max(partition.deleted_us).max(row.deleted_us);
        let mut live = live_columns(table, row, deleted_us, now, false);
        let has_cells = live.columns.values().any(|text| text != "null");
        let has_liveness = row.liveness.as_ref().is_some_and(|cell| cell.is_live(deleted_us, now));
        if has_cells || has_liveness {
            add_key(&mut live, table, &partition.key, Some(&row.clustering));
            rows.push(live);
        }
    }
    if rows.is_empty() && has_statics {
        let mut live = live_columns(table, &Row::new(Vec::new()), i64::MIN, now, false);
        add_key(&mut live, table, &partition.key, None);
        rows.push(live);
    }
    for row in &mut rows {
        row.columns.extend(statics.columns.clone());
        row.writetime.extend(statics.writetime.clone());
        row.expires_at.extend(statics.expires_at.clone());
    }
    rows
}

fn add_key(live: &mut LiveRow, table: &Table, key: &[Value], clustering: Option<&[Value]>) {
    for (column, value) in table.partition_key.iter().zip(key) {
        live.columns.insert(column.name.clone(), select::of_value(&column.cql_type, value));
    }
    for (at, (column, _)) in table.clustering.iter().enumerate() {
        let value = clustering.map_or(&Value::Null, |values| &values[at]);
        live.columns.insert(column.name.clone(), select::of_value(&column.cql_type, value));
    }
}

/// The static or the regular columns of a row.
fn live_columns(table: &Table, row: &Row, deleted_us: i64, now: i64, of_statics: bool) -> LiveRow {
    let mut live =
        LiveRow { columns: BTreeMap::new(), writetime: BTreeMap::new(), expires_at: BTreeMap::new() };
    for column in table.columns.values().filter(|column| column.is_static == of_statics) {
        let deleted_us = deleted_us.max(column.dropped_us.unwrap_or(i64::MIN));
        let content = row.columns.get(&column.name);
        let text = content.and_then(|content| content.text(column, deleted_us, now));
        let cell = content.and_then(|content| content.single(deleted_us, now));
        if let Some((ts_us, expires_at)) = cell.filter(|_| column.has_times && !table.is_compact) {
            live.writetime.insert(column.name.clone(), ts_us);
            live.expires_at.extend(expires_at.map(|at| (column.name.clone(), at)));
        }
        live.columns.insert(column.name.clone(), text.unwrap_or_else(|| "null".to_owned()));
    }
    live
}
