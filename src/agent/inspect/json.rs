//! `inspect --json`: one object a descriptor, section, mutation, damage, and one at the end.
//!
//! The shapes are written down in `docs/commands.md`. An update has the shape that `tests/oracle` prints, so
//! that the two can be compared.

use serde_json::{Value, json};

use super::annotate::{Annotation, Part, UpdateHead};
use super::places::Places;
use crate::agent::input::body_name;
use crate::agent::object::Object;
use crate::commitlog::mutation::{
    Cell, CellValue, ColumnCells, Deletion, Liveness, Marker, Mutation, PartitionUpdate, Row, Unfiltered,
};
use crate::commitlog::{Descriptor, SectionBounds};

/// Writes values as hex, or only their sizes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json {
    /// Whether values are shown.
    pub(super) values: bool,
}

pub(super) fn descriptor(segment: &str, descriptor: &Descriptor, file_bytes: u64) -> Value {
    json!({
        "type": "descriptor",
        "segment": segment,
        "file_bytes": file_bytes,
        "version": descriptor.version,
        "id": descriptor.id.0,
        "body": body_name(&descriptor.body),
        "length": descriptor.length,
        "parameters": descriptor.parameters,
    })
}

pub(super) fn section(bounds: SectionBounds, plain_bytes: usize, entries: u64) -> Value {
    json!({
        "type": "section",
        "marker": bounds.marker,
        "end": bounds.end,
        "logical_start": bounds.logical_start,
        "plain_bytes": plain_bytes,
        "entries": entries,
    })
}

/// The head of an update whose rows could not be decoded or are not shown.
pub(super) fn head(head: &UpdateHead, table: Option<(&str, &str)>) -> Value {
    let mut json = Object::default();
    json.put("table_id", head.table.to_string());
    if let Some((keyspace, table)) = table {
        json.put("keyspace", keyspace);
        json.put("table", table);
    }
    json.put("key_bytes", head.key_bytes);
    json.put("flags", head.flags);
    json.put("static_columns", head.statics.as_slice());
    json.put("regular_columns", head.regulars.as_slice());
    json.into()
}

impl Json {
    /// The updates of a decoded mutation.
    pub(super) fn updates(self, mutation: &Mutation<'_>, annotation: &Annotation, base: u64) -> Value {
        let mut places = Places::new(annotation, base);
        mutation.updates().iter().map(|update| self.update(mutation, update, &mut places)).collect()
    }

    fn update(self, mutation: &Mutation<'_>, update: &PartitionUpdate<'_>, places: &mut Places) -> Value {
        let mut json = at(places, Part::Update);
        json.put("table_id", update.table.id.to_string());
        json.put("keyspace", update.table.keyspace.as_str());
        json.put("table", update.table.name.as_str());
        self.value(&mut json, "key", update.partition_key);
        put_deletion(&mut json, "deletion", update.deletion);
        if let Some(row) = &update.static_row {
            json.put("static", self.row(mutation, row, places));
        }
        let unfiltereds = mutation.unfiltereds(update).iter();
        let unfiltereds: Vec<Value> = unfiltereds
            .map(|unfiltered| match unfiltered {
                Unfiltered::Row(row) => self.row(mutation, row, places),
                Unfiltered::Marker(marker) => self.marker(mutation, marker, places),
            })
            .collect();
        json.put("unfiltereds", unfiltereds);
        json.into()
    }

    fn row(self, mutation: &Mutation<'_>, row: &Row, places: &mut Places) -> Value {
        let mut json = at(places, Part::Row);
        if !row.is_static {
            self.clustering(&mut json, mutation.clustering(row));
        }
        if let Some(liveness) = row.liveness {
            json.put("liveness", liveness_json(liveness));
        }
        put_deletion(&mut json, "deletion", row.deletion);
        let columns = mutation.columns(row).iter();
        let columns: Vec<Value> = columns.map(|column| self.column(mutation, column, places)).collect();
        json.put("columns", columns);
        json.into()
    }

    fn marker(self, mutation: &Mutation<'_>, marker: &Marker, places: &mut Places) -> Value {
        let mut json = at(places, Part::Marker);
        json.put("kind", marker.kind.name());
        self.clustering(&mut json, mutation.bound(marker));
        let is_boundary = marker.kind.end_inclusive().is_some() && marker.kind.start_inclusive().is_some();
        if is_boundary {
            put_deletion(&mut json, "end", marker.end);
            put_deletion(&mut json, "start", marker.start);
        } else {
            put_deletion(&mut json, "deletion", marker.end.or(marker.start));
        }
        json.into()
    }

    fn clustering(self, json: &mut Object, values: &[Option<&[u8]>]) {
        let shown = |value: &[u8]| if self.values { Value::from(hex(value)) } else { value.len().into() };
        let values: Vec<Value> = values.iter().map(|value| value.map_or(Value::Null, shown)).collect();
        json.put(if self.values { "clustering" } else { "clustering_bytes" }, values);
    }

    fn column(self, mutation: &Mutation<'_>, column: &ColumnCells<'_>, places: &mut Places) -> Value {
        let cells = mutation.cells(column);
        if !column.column.multi_cell {
            let mut json = Object::default();
            json.put("name", column.column.name.as_str());
            if let Some(cell) = cells.first() {
                json.put("cell", self.cell(cell, places));
            }
            return json.into();
        }
        let mut json = at(places, Part::Complex);
        json.put("name", column.column.name.as_str());
        put_deletion(&mut json, "deletion", column.deletion);
        let cells: Vec<Value> = cells.iter().map(|cell| self.cell(cell, places)).collect();
        json.put("cells", cells);
        json.into()
    }

    fn cell(self, cell: &Cell<'_>, places: &mut Places) -> Value {
        let mut json = at(places, Part::Cell);
        if let Some(path) = cell.path {
            self.value(&mut json, "path", path);
        }
        json.put("ts", cell.ts_us);
        match cell.value {
            CellValue::Live { value, expiry } => {
                if let Some(expiry) = expiry {
                    json.put("ldt", expiry.local_time);
                    json.put("ttl", expiry.ttl);
                }
                self.value(&mut json, "value", value);
            }
            CellValue::Tombstone { local_time } => {
                json.put("ldt", local_time);
                json.put("deleted", true);
            }
        }
        json.into()
    }

    /// A value as `name` in hex, or its size as `<name>_bytes`.
    fn value(self, json: &mut Object, name: &str, value: &[u8]) {
        if self.values {
            json.put(name, hex(value));
        } else {
            json.put(&format!("{name}_bytes"), value.len());
        }
    }
}

fn at(places: &mut Places, part: Part) -> Object {
    let mut json = Object::default();
    if let Some(offset) = places.next(part) {
        json.put("at", offset);
    }
    json
}

fn liveness_json(liveness: Liveness) -> Value {
    let mut json = Object::default();
    json.put("ts", liveness.ts_us);
    if let Some(expiry) = liveness.expiry {
        json.put("ttl", expiry.ttl);
        json.put("ldt", expiry.local_time);
    }
    json.into()
}

fn put_deletion(json: &mut Object, name: &str, deletion: Option<Deletion>) {
    if let Some(deletion) = deletion {
        json.put(name, json!({ "ts": deletion.ts_us, "ldt": deletion.local_time }));
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
