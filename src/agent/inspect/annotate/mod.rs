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
    /// The heads of the updates that were reached.
    pub updates: Vec<UpdateHead>,
    /// Why the walk ended before the payload's end; `None` when it reached the end.
    pub stop: Option<Stop>,
}

/// What an update says before its first row, without a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateHead {
    /// Table.
    pub table: TableId,
    /// Length of the partition key in bytes.
    pub key_bytes: usize,
    /// Flags as they stand in the log.
    pub flags: u8,
    /// Names of the static columns that the update lists.
    pub statics: Vec<String>,
    /// Names of the regular columns that the update lists.
    pub regulars: Vec<String>,
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
    let mut updates = Vec::new();
    let stop = mutation(&mut cursor, version, schema, &mut updates).err();
    Annotation { fields: cursor.into_fields(), updates, stop }
}

fn mutation(
    cursor: &mut Cursor<'_>,
    version: u32,
    schema: &Schema,
    heads: &mut Vec<UpdateHead>,
) -> Walked<()> {
    let updates = cursor.count(|count| format!("partition updates: {count}"))?;
    let key = cursor.next_key();
    for _ in 0..updates {
        // Anything may stand behind an update that was misread, also a cell's bytes.
        if cursor.next_key() != key {
            return cursor.stop(
                "no update with the partition key of the first one: the update before does not fit the schema",
            );
        }
        update(cursor, version, schema, heads)?;
    }
    if cursor.left() > 0 {
        return cursor.stop("bytes follow the last update");
    }
    Ok(())
}

fn update(cursor: &mut Cursor<'_>, version: u32, known: &Schema, heads: &mut Vec<UpdateHead>) -> Walked<()> {
    cursor.begin(Part::Update, 1);
    let table = cursor.table_id(|id| match known.table(id) {
        Some(table) => format!("table {}.{}", table.keyspace, table.name),
        None => format!("table {id}, not in the schema"),
    })?;
    let schema = known.table(table).map(AsRef::as_ref);
    let key_bytes = partition_key(cursor, schema)?;
    let flags = cursor.byte(update_flags)?;
    heads.push(UpdateHead { table, key_bytes, flags, statics: Vec::new(), regulars: Vec::new() });
    if flags & IS_EMPTY != 0 {
        return Ok(());
    }
    let minima = times::minima(cursor, version)?;
    let has_static_row = flags & HAS_STATIC_ROW != 0;
    let statics = if has_static_row { columns(cursor, "static")? } else { Vec::new() };
    let regulars = columns(cursor, "regular")?;
    if let Some(head) = heads.last_mut() {
        head.statics = names(&statics);
        head.regulars = names(&regulars);
    }
    if flags & HAS_PARTITION_DELETION != 0 {
        times::deletion(cursor, minima, "partition deletion")?;
    }
    let table = Table { schema, minima, statics: &statics, regulars: &regulars };
    if has_static_row {
        rows::static_row(cursor, &table)?;
    }
    cursor.set_depth(1);
    if flags & HAS_ROW_ESTIMATE != 0 {
        cursor.uvint(|rows| format!("row estimate: {rows}"))?;
    }
    rows::unfiltereds(cursor, &table)
}

fn names(columns: &[&[u8]]) -> Vec<String> {
    columns.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
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

/// One component is its bytes; several are length, bytes and a zero byte each. Gives the key's length.
fn partition_key(cursor: &mut Cursor<'_>, schema: Option<&TableSchema>) -> Walked<usize> {
    let Some(schema) = schema.filter(|schema| schema.partition_key.len() > 1) else {
        let name = match schema.and_then(|schema| schema.partition_key.first()) {
            Some(column) => format!("partition key {}", column.name),
            None => "partition key".to_owned(),
        };
        return cursor.sized_value(&name).map(<[u8]>::len);
    };
    let length = cursor.count(|length| format!("length of the partition key: {length}"))?;
    let end = cursor.left() - length;
    for column in &schema.partition_key {
        let name = &column.name;
        let component = cursor.short(|length| format!("length of key component {name}: {length}"))?;
        cursor.value(usize::from(component), &format!("key component {name}"))?;
        cursor.byte(|_| format!("end of key component {name}"))?;
    }
    if cursor.left() == end {
        Ok(length)
    } else {
        cursor.stop("the components do not fill the partition key")
    }
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
