//! A second, simple walk through a mutation's payload that names every byte.
//!
//! It shares only the primitives with the decoder: `inspect --at` shows what the bytes are, also where the
//! decoder disagrees with them. The format is described in `docs/commit-log-format.md`.

mod fields;
mod rows;
#[cfg(test)]
mod tests;
mod times;

pub use fields::{Field, Part, Stop};

use crate::schema::{Schema, TableId, TableSchema};
use fields::{Cursor, Walked};
use rows::Table;

/// Every byte of a payload, as far as it could be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The fields, without gaps, from the payload's first byte.
    pub fields: Vec<Field>,
    /// Why the walk ended before the payload's end; `None` when it reached the end.
    pub stop: Option<Stop>,
}

/// Partition update flags.
const IS_EMPTY: u8 = 0x01;
const HAS_PARTITION_DELETION: u8 = 0x04;
const HAS_STATIC_ROW: u8 = 0x08;
const HAS_ROW_ESTIMATE: u8 = 0x10;

/// Names the bytes of a mutation of segment format `version` (6 or newer).
#[must_use]
pub fn annotate(payload: &[u8], version: u32, schema: &Schema) -> Annotation {
    let mut cursor = Cursor::new(payload);
    let stop = mutation(&mut cursor, version, schema).err();
    Annotation { fields: cursor.into_fields(), stop }
}

fn mutation(cursor: &mut Cursor<'_>, version: u32, schema: &Schema) -> Walked<()> {
    let updates = cursor.count(|count| format!("partition updates: {count}"))?;
    for _ in 0..updates {
        update(cursor, version, schema)?;
    }
    if cursor.left() > 0 {
        return cursor.stop("bytes follow the last update");
    }
    Ok(())
}

fn update(cursor: &mut Cursor<'_>, version: u32, schema: &Schema) -> Walked<()> {
    cursor.begin(Part::Update, 1);
    let lookup = |id: &[u8]| {
        let id = TableId(id.try_into().ok()?);
        schema.table(id).cloned()
    };
    let id = cursor.structure(16, |id| match (lookup(id), <[u8; 16]>::try_from(id)) {
        (Some(table), _) => format!("table {}.{}", table.keyspace, table.name),
        (None, Ok(id)) => format!("table {}, not in the schema", TableId(id)),
        (None, Err(_)) => "table".to_owned(),
    })?;
    let schema = lookup(id);
    partition_key(cursor, schema.as_deref())?;
    let flags = cursor.byte(update_flags)?;
    if flags & IS_EMPTY != 0 {
        return Ok(());
    }
    let minima = times::minima(cursor, version)?;
    let statics = if flags & HAS_STATIC_ROW != 0 { columns(cursor, "static")? } else { Vec::new() };
    let regulars = columns(cursor, "regular")?;
    if flags & HAS_PARTITION_DELETION != 0 {
        times::deletion(cursor, minima, "partition deletion")?;
    }
    let table = Table { schema: schema.as_deref(), minima, statics: &statics, regulars: &regulars };
    if flags & HAS_STATIC_ROW != 0 {
        rows::static_row(cursor, &table)?;
    }
    cursor.set_depth(1);
    if flags & HAS_ROW_ESTIMATE != 0 {
        cursor.uvint(|rows| format!("row estimate: {rows}"))?;
    }
    rows::unfiltereds(cursor, &table)
}

fn update_flags(flags: u8) -> String {
    let names = [
        (IS_EMPTY, "IS_EMPTY"),
        (0x02, "IS_REVERSED"),
        (HAS_PARTITION_DELETION, "HAS_PARTITION_DELETION"),
        (HAS_STATIC_ROW, "HAS_STATIC_ROW"),
        (HAS_ROW_ESTIMATE, "HAS_ROW_ESTIMATE"),
    ];
    flag_names("update flags", flags, &names)
}

/// `what: A | B`, with the bits that have no name as a number.
fn flag_names(what: &str, flags: u8, names: &[(u8, &str)]) -> String {
    let mut set: Vec<String> = Vec::new();
    let mut unnamed = flags;
    for (bit, name) in names {
        if flags & bit != 0 {
            set.push((*name).to_owned());
            unnamed &= !bit;
        }
    }
    if unnamed != 0 {
        set.push(format!("unknown {unnamed:#04x}"));
    }
    if set.is_empty() {
        set.push("none".to_owned());
    }
    format!("{what}: {}", set.join(" | "))
}

/// One component is its bytes; several are length, bytes and a zero byte each.
fn partition_key(cursor: &mut Cursor<'_>, schema: Option<&TableSchema>) -> Walked<()> {
    let Some(schema) = schema.filter(|schema| schema.partition_key.len() > 1) else {
        let name = match schema.and_then(|schema| schema.partition_key.first()) {
            Some(column) => format!("partition key {}", column.name),
            None => "partition key".to_owned(),
        };
        return cursor.sized_value(&name).map(drop);
    };
    let length = cursor.count(|length| format!("length of the partition key: {length}"))?;
    let end = cursor.left() - length;
    for column in &schema.partition_key {
        let name = &column.name;
        let length = cursor.short(|length| format!("length of key component {name}: {length}"))?;
        cursor.value(usize::from(length), &format!("key component {name}"))?;
        cursor.byte(|_| format!("end of key component {name}"))?;
    }
    if cursor.left() == end { Ok(()) } else { cursor.stop("the components do not fill the partition key") }
}

fn columns<'p>(cursor: &mut Cursor<'p>, kind: &str) -> Walked<Vec<&'p [u8]>> {
    let count = cursor.count(|count| format!("{kind} columns: {count}"))?;
    let mut names = Vec::with_capacity(count);
    for index in 0..count {
        let length = cursor.count(|length| format!("length of column name {index}: {length}"))?;
        let name = if length == 0 {
            &[][..]
        } else {
            cursor.structure(length, |name| {
                format!("{kind} column {index}: {}", String::from_utf8_lossy(name))
            })?
        };
        names.push(name);
    }
    Ok(names)
}
