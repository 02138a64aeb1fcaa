//! Every fixture, decoded, equals what Cassandra's own `CommitLogReader` found in it: cell by cell.
//!
//! `mutations.jsonl.gz` is written by `tests/oracle/dump.sh`; its form is described in `tests/oracle/README.md`.

use std::collections::BTreeSet;
use std::path::Path;

use cdc_agent::commitlog::mutation::{
    Cell, CellValue, ColumnCells, Deletion, Liveness, Marker, PartitionUpdate, Row, Unfiltered,
};
use cdc_agent::commitlog::{Decoder, FrameStep, Mutation, MutationError, SectionStep, Sections, Segment};
use cdc_agent::schema::Schema;
use serde_json::{Map, Value, json};

use crate::support::{FIXTURES, fixture, fixture_key, read, schema, segments};

/// The decoded mutations of a segment whose updates are all of known tables, as the oracle prints them.
pub(crate) fn decoded(name: &str, bytes: &[u8], schema: &Schema) -> Vec<Value> {
    let segment = Segment::open(bytes, Some(name.parse().unwrap()), &fixture_key).unwrap();
    let mut sections = Sections::new(&segment);
    let mut decoder = Decoder::new(schema);
    let mut lines = Vec::new();
    while let Some(step) = sections.next_section() {
        let SectionStep::Section(mut frames) = step else { panic!("{name}: {step:?}") };
        let start = frames.bounds().logical_start;
        let mut mutation = Mutation::default();
        while let Some(step) = frames.next_frame() {
            let FrameStep::Frame(frame) = step else { panic!("{name}: {step:?}") };
            match decoder.decode(frame.payload, &mut mutation) {
                Ok(()) => {
                    let end = start + frame.end() as u64;
                    lines.push(json!({
                        "segment": name, "pos": end, "size": frame.payload.len(),
                        "updates": mutation.updates().iter().map(|u| update(&mutation, u)).collect::<Vec<_>>(),
                    }));
                }
                Err(MutationError::UnknownTable(_)) => {}
                Err(error) => panic!("{name}: entry {} at {}: {error}", frame.entry, frame.offset),
            }
        }
    }
    lines
}

fn object(fields: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    Value::Object(
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>(),
    )
}

fn update(mutation: &Mutation<'_>, update: &PartitionUpdate<'_>) -> Value {
    let unfiltered = |item: &Unfiltered| match item {
        Unfiltered::Row(item) => row(mutation, item),
        Unfiltered::Marker(item) => marker(mutation, item),
    };
    object([
        ("table_id", Some(json!(update.table.id.to_string()))),
        ("keyspace", Some(json!(update.table.keyspace))),
        ("table", Some(json!(update.table.name))),
        ("key", Some(json!(hex::encode(update.partition_key)))),
        ("deletion", update.deletion.map(deletion)),
        ("static", update.static_row.as_ref().map(|item| row(mutation, item))),
        ("unfiltereds", Some(mutation.unfiltereds(update).iter().map(unfiltered).collect())),
    ])
}

fn deletion(deletion: Deletion) -> Value {
    json!({"ts": deletion.ts_us, "ldt": deletion.local_time})
}

fn values(values: &[Option<&[u8]>]) -> Value {
    values.iter().map(|value| value.map_or(Value::Null, |value| json!(hex::encode(value)))).collect()
}

fn row(mutation: &Mutation<'_>, row: &Row) -> Value {
    object([
        ("clustering", (!row.is_static).then(|| values(mutation.clustering(row)))),
        ("liveness", row.liveness.map(liveness)),
        ("deletion", row.deletion.map(deletion)),
        ("columns", Some(mutation.columns(row).iter().map(|item| column(mutation, item)).collect())),
    ])
}

fn liveness(liveness: Liveness) -> Value {
    object([
        ("ts", Some(json!(liveness.ts_us))),
        ("ttl", liveness.expiry.map(|expiry| json!(expiry.ttl))),
        ("ldt", liveness.expiry.map(|expiry| json!(expiry.local_time))),
    ])
}

fn column(mutation: &Mutation<'_>, item: &ColumnCells<'_>) -> Value {
    let cells = mutation.cells(item);
    let name = Some(json!(item.column.name));
    if !item.column.multi_cell {
        assert_eq!(cells.len(), 1);
        return object([("name", name), ("cell", Some(cell(&cells[0])))]);
    }
    let cells = cells.iter().map(cell).collect();
    object([("name", name), ("deletion", item.deletion.map(deletion)), ("cells", Some(cells))])
}

fn cell(cell: &Cell<'_>) -> Value {
    let (local_time, ttl, value) = match cell.value {
        CellValue::Tombstone { local_time } => (Some(local_time), None, None),
        CellValue::Live { value, expiry } => {
            (expiry.map(|expiry| expiry.local_time), expiry.map(|expiry| expiry.ttl), Some(value))
        }
    };
    object([
        ("path", cell.path.map(|path| json!(hex::encode(path)))),
        ("ts", Some(json!(cell.ts_us))),
        ("ldt", local_time.map(|time| json!(time))),
        ("ttl", ttl.map(|ttl| json!(ttl))),
        ("deleted", value.is_none().then_some(Value::Bool(true))),
        ("value", value.map(|value| json!(hex::encode(value)))),
    ])
}

fn marker(mutation: &Mutation<'_>, marker: &Marker) -> Value {
    let boundary = marker.kind.name().ends_with("BOUNDARY");
    let only = marker.start.or(marker.end).filter(|_| !boundary);
    object([
        ("kind", Some(json!(marker.kind.name()))),
        ("clustering", Some(values(mutation.bound(marker)))),
        ("deletion", only.map(deletion)),
        ("end", marker.end.filter(|_| boundary).map(deletion)),
        ("start", marker.start.filter(|_| boundary).map(deletion)),
    ])
}

/// Compares a folder's segments with an oracle file beside them.
pub(crate) fn compare(folder: &Path, schema_file: &str, oracle: &str) {
    let schema = schema(&folder.join(schema_file));
    let oracle = String::from_utf8(read(&folder.join(oracle))).unwrap();
    let expected: Vec<Value> = oracle.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mutations = expected.iter().filter(|line| line.get("updates").is_some());
    let found: Vec<Value> =
        segments(folder).iter().flat_map(|(name, bytes)| decoded(name, bytes, &schema)).collect();
    let mut found = found.iter();
    for (number, expected) in mutations.enumerate() {
        let found = found
            .next()
            .unwrap_or_else(|| panic!("{}: mutation {number} is missing: {expected}", folder.display()));
        assert_eq!(found, expected, "{}: mutation {number}", folder.display());
    }
    if let Some(more) = found.next() {
        panic!("{}: the oracle does not have {more}", folder.display());
    }
}

#[test]
fn every_user_mutation_is_what_cassandras_reader_found() {
    for name in FIXTURES {
        compare(&fixture(name), "schema.json", "mutations.jsonl.gz");
    }
}

#[test]
fn every_system_mutation_is_what_cassandras_reader_found() {
    let folders: BTreeSet<_> =
        FIXTURES.iter().filter(|name| fixture(name).join("system-mutations.jsonl.gz").exists()).collect();
    assert!(!folders.is_empty());
    for name in folders {
        compare(&fixture(name), "system-schema.json", "system-mutations.jsonl.gz");
    }
}
