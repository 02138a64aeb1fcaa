//! The cells of `after`: `{"value":…,"deletion_ts":…,"set":true}`.

use crate::change::event::is_tombstone;
use crate::commitlog::mutation::{Cell, CellValue};
use crate::cql::number::write_integer;
use crate::cql::{CqlType, ValueError};
use crate::envelope::columns::{
    Content, write_elements_put, write_joined, write_path, write_shard_list, write_whole,
};
use crate::envelope::json::write_null;
use crate::envelope::parts::{EventColumn, Parts};
use crate::envelope::value::write_value;
use crate::envelope::withheld::write_withheld;

const MICROS_A_SECOND: i64 = 1_000_000;

/// Appends a cell without a deletion time, with the value that `write` appends.
pub(super) fn write_cell_of(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), ValueError>,
) -> Result<(), ValueError> {
    out.extend_from_slice(b"{\"value\":");
    write(out)?;
    out.extend_from_slice(b",\"deletion_ts\":null,\"set\":true}");
    Ok(())
}

/// Appends the cell of a column that the event carries.
pub(super) fn write_cell(
    parts: &Parts<'_, '_, '_>,
    item: &EventColumn<'_, '_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    let EventColumn { column, cells, plan } = *item;
    let (cql_type, format) = (&column.column.cql_type, parts.config.format);
    let content = Content::of(column, cells);
    out.extend_from_slice(b"{\"value\":");
    match (plan.rule, content) {
        (Some(rule), _) => write_withheld(rule, column, content, parts.config, out),
        (None, Content::Simple(Some(bytes))) => write_value(cql_type, bytes, format, out)?,
        (None, Content::Simple(None) | Content::Counter(_)) => write_null(out),
        (None, Content::Whole(cells)) => write_whole(column, cells, format, out)?,
        (None, Content::Part(cells)) => write_elements_put(cql_type, cells, format, out)?,
    }
    out.extend_from_slice(b",\"deletion_ts\":");
    match expiry(content, cells) {
        Some(seconds) => write_integer(i64::from(seconds) * MICROS_A_SECOND, out),
        None => write_null(out),
    }
    out.extend_from_slice(b",\"set\":true");
    match content {
        _ if plan.rule.is_some() => {}
        Content::Part(cells) => write_removed(parts, cql_type, cells, out)?,
        Content::Counter(context) => {
            out.extend_from_slice(b",\"shards\":");
            write_shard_list(context, out)?;
        }
        Content::Simple(_) | Content::Whole(_) => {}
    }
    out.push(b'}');
    Ok(())
}

/// When a simple value expires, in seconds since the epoch.
fn expiry(content: Content<'_, '_>, cells: &[Cell<'_>]) -> Option<u32> {
    match (content, cells) {
        (Content::Simple(Some(_)), [Cell { value: CellValue::Live { expiry, .. }, .. }]) => {
            expiry.map(|expiry| expiry.local_time)
        }
        _ => None,
    }
}

/// Removed elements of a list or set; those of a map or user-defined type are nulls in the value.
fn write_removed(
    parts: &Parts<'_, '_, '_>,
    cql_type: &CqlType,
    cells: &[Cell<'_>],
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    let mut removed = cells.iter().filter(|cell| is_tombstone(&cell.value)).peekable();
    if removed.peek().is_none() || !matches!(cql_type, CqlType::List { .. } | CqlType::Set { .. }) {
        return Ok(());
    }
    out.extend_from_slice(b",\"removed\":");
    write_joined(b"[", b"]", removed, out, |cell, out| write_path(cql_type, cell, parts.config.format, out))
}
