//! `event_id.jsonl`: the encoded bytes and the id of every event.

use std::error::Error;

use cdc_agent::change::event_id::EventIdEncoder;
use cdc_agent::change::filter::{ColumnRule, ColumnRules};
use cdc_agent::change::for_each_event;
use cdc_agent::change::{ChangeEvent, EventColumns};
use cdc_agent::commitlog::mutation::{Cell, CellValue, Expiry, PartitionUpdate};
use cdc_agent::commitlog::{Decoder, Mutation};
use cdc_agent::envelope::options::Profile;
use serde_json::Value;

use super::{lines, text, unhex};
use crate::support::mutation_writer::{
    Bytes, CellContent, CellData, ColumnData, Content, Deletion, Item, Row, Update, payload,
};
use crate::support::records::{config, records_of_payload};
use crate::support::table::{Column, Table};

/// A vector, described for the writer.
struct Case {
    table: Table,
    update: Update,
    rules: ColumnRules,
}

fn number<T: TryFrom<i64, Error: std::fmt::Debug>>(value: &Value) -> T {
    value.as_i64().unwrap_or_else(|| panic!("no number: {value}")).try_into().unwrap()
}

fn bytes(value: &Value) -> Vec<Bytes> {
    value.as_array().unwrap().iter().map(|value| (!value.is_null()).then(|| unhex(value))).collect()
}

fn deletion(value: &Value) -> Option<Deletion> {
    (!value.is_null()).then(|| Deletion(number(&value["ts"]), number(&value["ldt"])))
}

fn liveness(value: &Value) -> Option<(i64, Option<(u32, u32)>)> {
    let ttl = value["ttl"].as_i64().filter(|ttl| *ttl != 0);
    (!value.is_null())
        .then(|| (number(&value["ts"]), ttl.map(|ttl| (ttl.try_into().unwrap(), number(&value["ldt"])))))
}

/// A cell; what a withheld one does not tell is made up.
fn cell(value: &Value, complex: bool, position: usize) -> CellData {
    let made_up = || format!("secret {position}").into_bytes();
    let path = value.get("path").map(unhex).or_else(|| complex.then(made_up));
    let content = if value.get("deleted").is_some() {
        CellContent::Deleted(number(&value["ldt"]))
    } else {
        let ttl = value.get("ttl").map(|ttl| (number(ttl), number(&value["ldt"])));
        CellContent::Live(value.get("value").map_or_else(made_up, unhex), ttl)
    };
    CellData { path, ts: number(&value["ts"]), value: content }
}

/// The cells of one column.
fn column(name: &str, cells: &[&Value]) -> ColumnData {
    let is_deletion = |cell: &&&Value| cell.get("complex_deletion").is_some();
    let complex =
        cells.len() > 1 || cells.iter().any(|cell| is_deletion(&cell) || cell.get("path").is_some());
    let own = cells.iter().find(is_deletion).and_then(|cell| deletion(cell));
    let rest = cells.iter().filter(|cell| !is_deletion(cell));
    let mut data: Vec<CellData> =
        rest.enumerate().map(|(position, value)| cell(value, complex, position)).collect();
    let content = if complex { Content::Complex(own, data) } else { Content::Simple(data.remove(0)) };
    ColumnData { name: name.to_owned(), content }
}

/// Markers around nothing.
fn markers(range: &Value, deletion: Deletion) -> Vec<Item> {
    let bound = |end: &str, open: u8, inclusive: u8, exclusive: u8| {
        let bound = &range[end];
        let kind = match text(bound, "kind") {
            "open" => open,
            "inclusive" => inclusive,
            _ => exclusive,
        };
        Item::Marker(kind, bytes(&bound["values"]), vec![deletion])
    };
    vec![bound("start", 1, 1, 7), bound("end", 6, 6, 0)]
}

fn case(line: &Value) -> Case {
    let is_static = text(line, "shape") == "static";
    let mut rules = ColumnRules::default();
    let mut columns: Vec<ColumnData> = Vec::new();
    let mut table = Table::new([["pk", "partition_key", "blob"]]);
    (table.keyspace, table.name) = (text(line, "keyspace").to_owned(), text(line, "table").to_owned());
    let cells = line["cells"].as_array().unwrap();
    for value in cells {
        let name = text(value, "column");
        if columns.iter().any(|column| column.name == name) {
            continue;
        }
        let mine: Vec<&Value> = cells.iter().filter(|cell| cell["column"] == name).collect();
        let data = column(name, &mine);
        let complex = matches!(data.content, Content::Complex(..));
        let kind = if is_static { "static" } else { "regular" };
        table.columns.push(Column::new(name, kind, if complex { "map<blob, blob>" } else { "blob" }));
        if value.get("withheld").is_some() {
            let key = ((table.keyspace.clone(), table.name.clone()), name.to_owned());
            rules.add(key, ColumnRule::Mask).unwrap();
        }
        columns.push(data);
    }
    let mut update = Update { key: unhex(&line["partition_key"]), ..Update::default() };
    let row = Row {
        clustering: bytes(&line["clustering"]),
        liveness: liveness(&line["liveness"]),
        deletion: deletion(&line["deletion"]),
        columns,
    };
    let mut clustering_columns = row.clustering.len();
    match (text(line, "shape"), text(line, "op")) {
        ("static", _) => update.static_row = Some(row),
        ("row", _) => update.items.push(Item::Row(row)),
        (_, op) => {
            let range = &line["range"];
            let own = row.deletion.unwrap();
            let whole = text(&range["start"], "kind") == "open" && text(&range["end"], "kind") == "open";
            if whole {
                update.deletion = Some(own);
                clustering_columns = usize::from(op == "rt");
            } else {
                update.items = markers(range, own);
                let count = |end: &str| range[end]["values"].as_array().unwrap().len();
                clustering_columns = count("start").max(count("end")).max(1);
            }
        }
    }
    for number in 0..clustering_columns {
        table.columns.push(Column::new(&format!("ck{number}"), "clustering", "blob"));
    }
    Case { table, update, rules }
}

/// The encoded bytes of the only event.
fn encoded(case: &Case, payload: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let schema = case.table.schema();
    let mut mutation = Mutation::default();
    Decoder::new(&schema).decode(payload, &mut mutation)?;
    let mut found = Vec::new();
    for_each_event::<Box<dyn Error>>(&mutation, |event| {
        let columns = EventColumns::of(&event);
        let withheld = |index| {
            let found = columns.find(index).map(|cells| &cells.column.column.name);
            found.is_some_and(|name| case.rules.rule(event.update.table, name).is_some())
        };
        found.push(EventIdEncoder::default().encode(&event, &columns, withheld).to_vec());
        Ok(())
    })?;
    assert_eq!(found.len(), 1, "one event");
    Ok(found.remove(0))
}

#[test]
fn every_event_has_the_bytes_and_the_id_of_the_vectors() {
    let lines = lines("event_id.jsonl");
    let mut checked = 0;
    // Snapshot rows do not come from a log (below), and an update without content is no event.
    let is_event =
        |line: &&Value| line["op"] != "r" && (line["op"] != "u" || line["cells"] != serde_json::json!([]));
    for line in lines.iter().filter(is_event) {
        let name = text(line, "name");
        let case = case(line);
        let payload = payload(&case.table, &case.update);
        let found = encoded(&case, &payload).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(hex::encode(found), text(line, "encoded"), "{name}");
        for profile in [Profile::Flat, Profile::DebeziumCassandra, Profile::Debezium] {
            let mut config = config(profile);
            config.rules = case.rules.clone();
            let records = records_of_payload(&case.table.schema(), &config, &payload).unwrap();
            assert_eq!(records.len(), 1, "{name}");
            assert_eq!(records[0].event_id, text(line, "event_id"), "{name}");
        }
        checked += 1;
    }
    assert!(checked > 130, "{checked} rows");
}

#[test]
fn rows_that_were_read_have_the_bytes_and_the_id_of_the_vectors() {
    let lines = lines("event_id.jsonl");
    let mut checked = 0;
    for line in lines.iter().filter(|line| line["op"] == "r") {
        let (name, case) = (text(line, "name"), case(line));
        let schema = case.table.schema();
        let table = schema.tables().next().unwrap();
        let is_static = text(line, "shape") == "static";
        let values: Vec<CellData> =
            line["cells"].as_array().unwrap().iter().map(|value| cell(value, false, 0)).collect();
        let cells = line["cells"].as_array().unwrap().iter().zip(&values).map(|(value, data)| {
            let (index, column) = table.column(is_static, text(value, "column").as_bytes()).unwrap();
            let value = match &data.value {
                CellContent::Deleted(local_time) => CellValue::Tombstone { local_time: *local_time },
                CellContent::Live(value, ttl) => {
                    CellValue::Live { value, expiry: ttl.map(|(ttl, local_time)| Expiry { ttl, local_time }) }
                }
            };
            (index, column, Cell { ts_us: data.ts, path: None, value })
        });
        let key = unhex(&line["partition_key"]);
        let update = PartitionUpdate::of_partition(table, &key);
        let clustering = bytes(&line["clustering"]);
        let mut mutation = Mutation::default();
        let row = mutation.set_row(is_static, clustering.iter().map(Option::as_deref), cells);
        let event = ChangeEvent::read(&update, &mutation, &row);
        let encoded = EventIdEncoder::default().encode(&event, &EventColumns::of(&event), |_| false).to_vec();
        assert_eq!(hex::encode(encoded), text(line, "encoded"), "{name}");
        checked += 1;
    }
    assert!(checked > 5, "{checked} rows");
}
