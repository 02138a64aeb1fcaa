//! The content of one column of an event, told apart as records need it: whole or in part.

use super::json::write_null;
use super::options::ValueFormat;
use super::value::{is_object_key, write_map_entry, write_nested, write_uuid, write_value};
use crate::commitlog::mutation::{Cell, CellValue, ColumnCells};
use crate::cql::number::write_integer;
use crate::cql::{CqlType, ValueError};

/// What an event says of a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'m, 'a> {
    /// The whole new value of a simple column, serialised; `None` is deleted.
    Simple(Option<&'a [u8]>),
    /// The whole new value of a collection or user-defined type: its live cells.
    Whole(&'m [Cell<'a>]),
    /// A collection or user-defined type changed in part.
    Part(&'m [Cell<'a>]),
    /// The shards of a counter.
    Counter(&'a [u8]),
}

impl<'m, 'a> Content<'m, 'a> {
    #[inline]
    pub(super) fn of(column: &ColumnCells<'a>, cells: &'m [Cell<'a>]) -> Self {
        if column.column.multi_cell {
            return if column.deletion.is_some() { Self::Whole(cells) } else { Self::Part(cells) };
        }
        match cells.first().map(|cell| cell.value) {
            Some(CellValue::Live { value, .. }) if column.column.cql_type == CqlType::Counter => {
                Self::Counter(value)
            }
            Some(CellValue::Live { value, .. }) => Self::Simple(Some(value)),
            Some(CellValue::Tombstone { .. }) | None => Self::Simple(None),
        }
    }

    /// Whether it stands in `patch`, not in `after`.
    #[inline]
    pub(super) fn is_partial(&self) -> bool {
        matches!(self, Self::Part(_) | Self::Counter(_))
    }
}

/// The live cells of a column that its own deletion does not cover.
#[inline]
pub(super) fn live_cells<'m, 'a>(
    column: &ColumnCells<'a>,
    cells: &'m [Cell<'a>],
) -> impl Iterator<Item = (&'m Cell<'a>, &'a [u8])> + Clone {
    let covered_up_to = column.deletion.map(|deletion| deletion.ts_us);
    cells.iter().filter_map(move |cell| match cell.value {
        CellValue::Live { value, .. } if Some(cell.ts_us) > covered_up_to => Some((cell, value)),
        _ => None,
    })
}

const NO_PATH: ValueError = ValueError { type_name: "element", problem: "it has no path" };
const NO_FIELD: ValueError = ValueError { type_name: "field index", problem: "the schema has no such field" };
const NOT_COMPLEX: ValueError = ValueError { type_name: "collection", problem: "its type has no elements" };

/// Appends the JSON of a collection or user-defined type that was assigned whole; null when nothing is left.
pub(super) fn write_whole(
    column: &ColumnCells<'_>,
    cells: &[Cell<'_>],
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    let live = live_cells(column, cells);
    if live.clone().next().is_none() {
        write_null(out);
        return Ok(());
    }
    match &column.column.cql_type {
        CqlType::List { element, .. } => {
            write_joined(b"[", b"]", live, out, |(_, value), out| write_value(element, value, format, out))
        }
        CqlType::Set { element, .. } => write_joined(b"[", b"]", live, out, |(cell, _), out| {
            write_value(element, cell.path.ok_or(NO_PATH)?, format, out)
        }),
        CqlType::Map { key, value: value_type, .. } => {
            let object = is_object_key(key);
            let (open, close) = if object { (b"{", b"}") } else { (b"[", b"]") };
            write_joined(open, close, live, out, |(cell, value), out| {
                write_map_entry((key, cell.path), (value_type, Some(value)), object, format, out)
            })
        }
        CqlType::Udt { udt, .. } => {
            let mut fields = vec![None; udt.fields.len()];
            for (cell, value) in live {
                *fields.get_mut(field_index(cell)?).ok_or(NO_FIELD)? = Some(value);
            }
            write_joined(b"{", b"}", udt.fields.iter().zip(fields), out, |((name, cql_type), value), out| {
                out.extend_from_slice(&super::json::field(name));
                write_nested(cql_type, value, format, out)
            })
        }
        _ => Err(NOT_COMPLEX),
    }
}

/// Appends what is put into and removed from a collection or user-defined type.
pub(super) fn write_patch(
    column: &ColumnCells<'_>,
    cells: &[Cell<'_>],
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    let cql_type = &column.column.cql_type;
    let is_set = matches!(cql_type, CqlType::Set { .. });
    out.extend_from_slice(b"{\"put\":");
    write_joined(b"[", b"]", live_cells(column, cells), out, |(cell, value), out| {
        if is_set {
            return write_path(cql_type, cell, format, out);
        }
        out.push(b'[');
        write_path(cql_type, cell, format, out)?;
        out.push(b',');
        write_value(element_type(cql_type, cell)?, value, format, out)?;
        out.push(b']');
        Ok(())
    })?;
    out.extend_from_slice(b",\"remove\":");
    let removed = cells.iter().filter(|cell| crate::change::event::is_tombstone(&cell.value));
    write_joined(b"[", b"]", removed, out, |cell, out| write_path(cql_type, cell, format, out))?;
    out.push(b'}');
    Ok(())
}

/// Appends what is put into a collection or user-defined type, in the form of its whole value: elements of a
/// list or set; keys or field names with their new values, null for removed ones.
pub(super) fn write_elements_put(
    cql_type: &CqlType,
    cells: &[Cell<'_>],
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    let live = |cell: &Cell<'_>| !crate::change::event::is_tombstone(&cell.value);
    match cql_type {
        CqlType::List { element, .. } => {
            let put = cells.iter().filter_map(|cell| value_of(cell));
            write_joined(b"[", b"]", put, out, |value, out| write_value(element, value, format, out))
        }
        CqlType::Set { .. } => {
            let put = cells.iter().filter(|cell| live(cell));
            write_joined(b"[", b"]", put, out, |cell, out| write_path(cql_type, cell, format, out))
        }
        CqlType::Map { key, value, .. } => {
            let object = is_object_key(key);
            let (open, close) = if object { (b"{", b"}") } else { (b"[", b"]") };
            write_joined(open, close, cells.iter(), out, |cell, out| {
                write_map_entry((key, cell.path), (value, value_of(cell)), object, format, out)
            })
        }
        CqlType::Udt { .. } => write_joined(b"{", b"}", cells.iter(), out, |cell, out| {
            write_path(cql_type, cell, format, out)?;
            out.push(b':');
            write_nested(element_type(cql_type, cell)?, value_of(cell), format, out)
        }),
        _ => Err(NOT_COMPLEX),
    }
}

/// The bytes of a live cell.
fn value_of<'a>(cell: &Cell<'a>) -> Option<&'a [u8]> {
    match cell.value {
        CellValue::Live { value, .. } => Some(value),
        CellValue::Tombstone { .. } => None,
    }
}

/// Appends the JSON of an element's path: timeuuid, set element, map key or field name.
pub(super) fn write_path(
    cql_type: &CqlType,
    cell: &Cell<'_>,
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    let path = cell.path.ok_or(NO_PATH)?;
    match cql_type {
        CqlType::List { .. } => {
            let id = path
                .try_into()
                .map_err(|_| ValueError { type_name: "list element", problem: "its path is no timeuuid" })?;
            write_uuid(id, out);
            Ok(())
        }
        CqlType::Set { element, .. } => write_value(element, path, format, out),
        CqlType::Map { key, .. } => write_value(key, path, format, out),
        CqlType::Udt { udt, .. } => {
            let (name, _) = udt.fields.get(field_index(cell)?).ok_or(NO_FIELD)?;
            super::json::write_string(name, out);
            Ok(())
        }
        _ => Err(NOT_COMPLEX),
    }
}

/// The type of an element's value; of a set its path is the value.
pub(super) fn element_type<'t>(cql_type: &'t CqlType, cell: &Cell<'_>) -> Result<&'t CqlType, ValueError> {
    match cql_type {
        CqlType::List { element, .. } | CqlType::Set { element, .. } => Ok(element),
        CqlType::Map { value, .. } => Ok(value),
        CqlType::Udt { udt, .. } => {
            udt.fields.get(field_index(cell)?).map(|(_, cql_type)| cql_type).ok_or(NO_FIELD)
        }
        _ => Err(NOT_COMPLEX),
    }
}

/// The index that the two bytes of a field's path name.
fn field_index(cell: &Cell<'_>) -> Result<usize, ValueError> {
    let path = cell.path.ok_or(NO_PATH)?;
    path.try_into().map(|index| usize::from(u16::from_be_bytes(index))).map_err(|_| NO_FIELD)
}

/// Appends the shards of a counter context.
pub(super) fn write_shard_list(context: &[u8], out: &mut Vec<u8>) -> Result<(), ValueError> {
    let shards = crate::cql::counter::shards(context)?;
    write_joined(b"[", b"]", shards, out, |shard, out| {
        out.extend_from_slice(b"{\"id\":");
        write_uuid(shard.id, out);
        out.extend_from_slice(b",\"clock\":");
        write_integer(shard.clock, out);
        out.extend_from_slice(b",\"count\":");
        write_integer(shard.count, out);
        out.push(b'}');
        Ok(())
    })
}

/// Appends `items` with commas between them.
pub(super) fn write_joined<T>(
    open: &[u8],
    close: &[u8],
    items: impl Iterator<Item = T>,
    out: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>) -> Result<(), ValueError>,
) -> Result<(), ValueError> {
    out.extend_from_slice(open);
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(item, out)?;
    }
    out.extend_from_slice(close);
    Ok(())
}
