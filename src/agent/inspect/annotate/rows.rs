//! Rows, range tombstone markers, columns and cells.

use std::iter;

use super::fields::{Cursor, Part, Walked};
use super::flag_names;
use super::times::{self, Minima};
use crate::cql::CqlType;
use crate::schema::TableSchema;

/// What the head of an update says about its rows.
pub(super) struct Table<'a, 'p> {
    pub(super) schema: Option<&'a TableSchema>,
    pub(super) minima: Minima,
    pub(super) statics: &'a [&'p [u8]],
    pub(super) regulars: &'a [&'p [u8]],
}

/// Flags of rows and markers.
const END_OF_PARTITION: u8 = 0x01;
const IS_MARKER: u8 = 0x02;
const HAS_TIMESTAMP: u8 = 0x04;
const HAS_TTL: u8 = 0x08;
const HAS_DELETION: u8 = 0x10;
const HAS_ALL_COLUMNS: u8 = 0x20;
const HAS_COMPLEX_DELETION: u8 = 0x40;
const EXTENSION: u8 = 0x80;

/// Flags of cells.
const CELL_DELETED: u8 = 0x01;
const CELL_EXPIRING: u8 = 0x02;
const CELL_EMPTY: u8 = 0x04;
const CELL_ROW_TIMESTAMP: u8 = 0x08;
const CELL_ROW_TTL: u8 = 0x10;

/// Range tombstone markers by their number on disk.
const MARKER_KINDS: [&str; 8] = [
    "EXCL_END_BOUND",
    "INCL_START_BOUND",
    "EXCL_END_INCL_START_BOUNDARY",
    "STATIC_CLUSTERING",
    "CLUSTERING",
    "INCL_END_EXCL_START_BOUNDARY",
    "INCL_END_BOUND",
    "EXCL_START_BOUND",
];

/// Clustering values are written in blocks of this many, each with a header.
const CLUSTERING_BLOCK: usize = 32;
/// From this many columns on, a row names its columns by index instead of by bitmap.
const LARGE_SUBSET: usize = 64;

pub(super) fn static_row(cursor: &mut Cursor<'_>, table: &Table<'_, '_>) -> Walked<()> {
    cursor.begin(Part::Row, 2);
    let flags = row_flags(cursor, "static row")?;
    row_body(cursor, table, flags, true)
}

/// Rows and markers up to the end of the update.
pub(super) fn unfiltereds(cursor: &mut Cursor<'_>, table: &Table<'_, '_>) -> Walked<()> {
    loop {
        match cursor.peek() {
            Some(flags) if flags & END_OF_PARTITION != 0 => {
                cursor.set_depth(1);
                cursor.byte(|_| "end of the update".to_owned())?;
                return Ok(());
            }
            Some(flags) if flags & IS_MARKER != 0 => marker(cursor, table)?,
            _ => row(cursor, table)?,
        }
    }
}

fn row(cursor: &mut Cursor<'_>, table: &Table<'_, '_>) -> Walked<()> {
    cursor.begin(Part::Row, 2);
    let flags = row_flags(cursor, "row")?;
    let Some(schema) = table.schema else {
        return cursor.stop("rows cannot be told apart without the table's schema");
    };
    clustering(cursor, schema, schema.clustering.len())?;
    row_body(cursor, table, flags, false)
}

fn row_flags(cursor: &mut Cursor<'_>, what: &str) -> Walked<u8> {
    let names = [
        (HAS_TIMESTAMP, "HAS_TIMESTAMP"),
        (HAS_TTL, "HAS_TTL"),
        (HAS_DELETION, "HAS_DELETION"),
        (HAS_ALL_COLUMNS, "HAS_ALL_COLUMNS"),
        (HAS_COMPLEX_DELETION, "HAS_COMPLEX_DELETION"),
        (EXTENSION, "EXTENSION"),
    ];
    let flags = cursor.byte(|flags| flag_names(&format!("{what} flags"), flags, &names))?;
    if flags & EXTENSION != 0 {
        let extended = [(0x01, "IS_STATIC"), (0x02, "HAS_SHADOWABLE_DELETION")];
        cursor.byte(|flags| flag_names("extended flags", flags, &extended))?;
    }
    Ok(flags)
}

fn row_body(cursor: &mut Cursor<'_>, table: &Table<'_, '_>, flags: u8, is_static: bool) -> Walked<()> {
    if flags & HAS_TIMESTAMP != 0 {
        times::timestamp(cursor, table.minima, "liveness")?;
        // Without a timestamp Cassandra does not look at this flag.
        if flags & HAS_TTL != 0 {
            times::ttl(cursor, table.minima, "liveness")?;
            times::local_time(cursor, table.minima, "liveness expires at")?;
        }
    }
    if flags & HAS_DELETION != 0 {
        times::deletion(cursor, table.minima, "row deletion")?;
    }
    let columns = if is_static { table.statics } else { table.regulars };
    let present = if flags & HAS_ALL_COLUMNS != 0 { columns.to_vec() } else { subset(cursor, columns)? };
    for name in present {
        column(cursor, table, name, is_static, flags & HAS_COMPLEX_DELETION != 0)?;
    }
    Ok(())
}

/// The columns of the list that the row has.
fn subset<'p>(cursor: &mut Cursor<'_>, columns: &[&'p [u8]]) -> Walked<Vec<&'p [u8]>> {
    if columns.len() < LARGE_SUBSET {
        let missing = cursor.uvint(|bits| format!("missing columns, bitmap: {bits:#b}"))?;
        let bits = iter::successors(Some(missing), |bits| Some(bits >> 1));
        let present = columns.iter().zip(bits).filter(|(_, bits)| bits & 1 == 0);
        return Ok(present.map(|(name, _)| *name).collect());
    }
    let missing = cursor.uvint(|missing| format!("missing columns: {missing}"))?;
    let Some(present) = usize::try_from(missing).ok().and_then(|missing| columns.len().checked_sub(missing))
    else {
        return cursor.stop("more columns are missing than there are");
    };
    if present == columns.len() {
        return Ok(columns.to_vec());
    }
    if present < columns.len() / 2 {
        let listed = indexes(cursor, columns.len(), present, "present")?;
        return Ok(listed.iter().filter_map(|index| columns.get(*index).copied()).collect());
    }
    let mut keep = vec![true; columns.len()];
    for index in indexes(cursor, columns.len(), columns.len() - present, "missing")? {
        if let Some(keep) = keep.get_mut(index) {
            *keep = false;
        }
    }
    Ok(columns.iter().zip(keep).filter(|(_, keep)| *keep).map(|(name, _)| *name).collect())
}

fn indexes(cursor: &mut Cursor<'_>, columns: usize, count: usize, word: &str) -> Walked<Vec<usize>> {
    let mut indexes = Vec::new();
    for _ in 0..count {
        let index = cursor.uvint(|index| format!("{word} column: {index}"))?;
        match usize::try_from(index).ok().filter(|index| *index < columns) {
            Some(index) => indexes.push(index),
            None => return cursor.stop(format!("there is no column {index}")),
        }
    }
    Ok(indexes)
}

fn clustering(cursor: &mut Cursor<'_>, schema: &TableSchema, count: usize) -> Walked<()> {
    let Some(columns) = schema.clustering.get(..count) else {
        return cursor.stop(format!(
            "{count} clustering values, and the table has {} clustering columns",
            schema.clustering.len()
        ));
    };
    for block in columns.chunks(CLUSTERING_BLOCK) {
        let header = cursor.uvint(|header| format!("clustering header: {header:#b}"))?;
        let headers = iter::successors(Some(header), |header| Some(header >> 2));
        for (column, header) in block.iter().zip(headers) {
            if header & 0b11 == 0 {
                typed_value(cursor, &column.cql_type, &format!("clustering {}", column.name))?;
            }
        }
    }
    Ok(())
}

fn typed_value(cursor: &mut Cursor<'_>, cql_type: &CqlType, meaning: &str) -> Walked<()> {
    match cql_type.fixed_length() {
        Some(length) => cursor.value(length, meaning).map(drop),
        None => cursor.sized_value(meaning).map(drop),
    }
}

fn marker(cursor: &mut Cursor<'_>, table: &Table<'_, '_>) -> Walked<()> {
    cursor.begin(Part::Marker, 2);
    cursor.byte(|flags| flag_names("range marker flags", flags, &[(IS_MARKER, "IS_MARKER")]))?;
    let name = |kind: u8| MARKER_KINDS.get(usize::from(kind)).copied().unwrap_or("unknown");
    let kind = cursor.byte(|kind| format!("kind of the range marker: {}", name(kind)))?;
    let values = cursor.short(|values| format!("clustering values: {values}"))?;
    match table.schema {
        Some(schema) => clustering(cursor, schema, usize::from(values))?,
        None if values == 0 => {}
        None => return cursor.stop("range markers cannot be told apart without the table's schema"),
    }
    if name(kind).ends_with("BOUNDARY") {
        times::deletion(cursor, table.minima, "deletion of the range that ends")?;
        return times::deletion(cursor, table.minima, "deletion of the range that starts").map(drop);
    }
    times::deletion(cursor, table.minima, "range deletion").map(drop)
}

fn column(
    cursor: &mut Cursor<'_>,
    table: &Table<'_, '_>,
    name: &[u8],
    is_static: bool,
    has_deletion: bool,
) -> Walked<()> {
    let shown = String::from_utf8_lossy(name);
    let Some((_, column)) = table.schema.and_then(|schema| schema.column(is_static, name)) else {
        return cursor.stop(format!("column {shown} is not in the schema, so its cell has no known length"));
    };
    let cql_type = &column.cql_type;
    if !cql_type.is_multi_cell() {
        return cell(cursor, table.minima, &shown, Some(cql_type));
    }
    cursor.begin(Part::Complex, 3);
    let place = cursor.place();
    let is_deleted = has_deletion && times::deletion(cursor, table.minima, &format!("{shown}: deletion"))?;
    let cells = cursor.count(|cells| format!("{shown}: cells: {cells}"))?;
    if cells == 0 && !is_deleted {
        cursor.begins_nothing(place);
    }
    for _ in 0..cells {
        cell(cursor, table.minima, &shown, None)?;
    }
    Ok(())
}

/// A cell; `simple` is the column's type unless the cell is an element of a collection or user-defined type.
fn cell(cursor: &mut Cursor<'_>, minima: Minima, name: &str, simple: Option<&CqlType>) -> Walked<()> {
    let names = [
        (CELL_DELETED, "IS_DELETED"),
        (CELL_EXPIRING, "IS_EXPIRING"),
        (CELL_EMPTY, "HAS_EMPTY_VALUE"),
        (CELL_ROW_TIMESTAMP, "USE_ROW_TIMESTAMP"),
        (CELL_ROW_TTL, "USE_ROW_TTL"),
    ];
    cursor.begin(Part::Cell, 3);
    let flags = cursor.byte(|flags| flag_names(&format!("{name}: cell flags"), flags, &names))?;
    if flags & CELL_ROW_TIMESTAMP == 0 {
        times::timestamp(cursor, minima, name)?;
    }
    let own_ttl = flags & CELL_ROW_TTL == 0;
    if own_ttl && flags & CELL_DELETED != 0 {
        times::local_time(cursor, minima, &format!("{name}: deleted at"))?;
    } else if own_ttl && flags & CELL_EXPIRING != 0 {
        times::local_time(cursor, minima, &format!("{name}: expires at"))?;
    }
    if own_ttl && flags & CELL_EXPIRING != 0 {
        times::ttl(cursor, minima, name)?;
    }
    if simple.is_none() {
        cursor.sized_value(&format!("path in {name}"))?;
    }
    let value = format!("value of {name}");
    match simple {
        _ if flags & CELL_EMPTY != 0 => Ok(()),
        Some(cql_type) => typed_value(cursor, cql_type, &value),
        None => cursor.sized_value(&value).map(drop),
    }
}
