//! Profile `flat`: every detail of a change. `docs/envelope.md` describes each field.

use super::cell_times::{write_cells, write_liveness};
use super::columns::{Content, write_patch, write_shard_list, write_whole};
use super::encoder::EncodeError;
use super::json::write_null;
use super::key::write_clustering;
use super::options::CellTimes;
use super::parts::{EventColumn, Parts};
use super::source::write_source;
use super::value::write_value;
use super::withheld::write_withheld;
use crate::change::{Bound, Operation, Shape};
use crate::commitlog::mutation::CellValue;
use crate::cql::number::write_integer;

/// Appends the value of a record.
pub(super) fn write(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    out.extend_from_slice(b"{\"op\":\"");
    out.extend_from_slice(parts.event.operation.code().as_bytes());
    out.extend_from_slice(b"\",\"ts_ms\":");
    write_integer(parts.now_ms, out);
    match parts.event.operation {
        Operation::Create | Operation::Update | Operation::Read => {
            out.extend_from_slice(b",\"before\":null,\"after\":");
            if write_after(parts, out)? == After::NotAll {
                write_patches(parts, out)?;
            }
        }
        Operation::Delete | Operation::RangeDelete => {
            out.extend_from_slice(b",\"before\":");
            out.extend_from_slice(parts.key);
            out.extend_from_slice(b",\"after\":null");
        }
    }
    if parts.event.operation == Operation::RangeDelete {
        write_range(parts, out)?;
    }
    if parts.config.cells != CellTimes::None {
        write_liveness(parts, out);
        write_cells(parts, out)?;
    }
    if let Some(row_hash) = &parts.row_hash {
        row_hash.write(parts.plan, out);
    }
    out.extend_from_slice(b",\"event_id\":\"");
    out.extend_from_slice(parts.event_id.as_bytes());
    out.extend_from_slice(b"\",");
    write_source(parts, out);
    out.push(b'}');
    Ok(())
}

/// Appends the object of the key columns and of every column whose whole new value the event carries.
pub(super) fn write_after(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) -> Result<After, EncodeError> {
    let mut after = After::All;
    let without_brace = parts.key.strip_suffix(b"}").unwrap_or(parts.key);
    out.extend_from_slice(without_brace);
    if parts.plain {
        write_plain_values(parts, out)?;
        out.push(b'}');
        return Ok(After::All);
    }
    for item in parts.columns() {
        let content = Content::of(item.column, item.cells);
        if item.plan.rule.is_none() && content.is_partial() {
            after = After::NotAll;
            continue;
        }
        out.extend_from_slice(item.plan.separated());
        write_new_value(parts, item, content, out)?;
    }
    out.push(b'}');
    Ok(after)
}

/// Appends the columns of an event of which every column is one live value.
fn write_plain_values(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    for EventColumn { column, cells, plan } in parts.columns() {
        let Some(CellValue::Live { value, .. }) = cells.first().map(|cell| cell.value) else { continue };
        out.extend_from_slice(plan.separated());
        write_value(&column.column.cql_type, value, parts.config.format, out)
            .map_err(|error| EncodeError::value(column.column, error))?;
    }
    Ok(())
}

/// Whether `after` holds every column of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    All,
    /// Some columns changed in part: they stand in `patch`.
    NotAll,
}

fn write_new_value(
    parts: &Parts<'_, '_, '_>,
    item: EventColumn<'_, '_, '_>,
    content: Content<'_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let EventColumn { column, plan, .. } = item;
    let format = parts.config.format;
    if let Some(rule) = plan.rule {
        write_withheld(rule, column, content, parts.config, out);
        return Ok(());
    }
    let written = match content {
        Content::Simple(Some(bytes)) => write_value(&column.column.cql_type, bytes, format, out),
        Content::Whole(cells) => write_whole(column, cells, format, out),
        Content::Simple(None) | Content::Part(_) | Content::Counter(_) => {
            write_null(out);
            Ok(())
        }
    };
    written.map_err(|error| EncodeError::value(column.column, error))
}

fn write_patches(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut first = true;
    for EventColumn { column, cells, plan } in parts.columns() {
        let content = Content::of(column, cells);
        if plan.rule.is_some() || !content.is_partial() {
            continue;
        }
        out.extend_from_slice(if first { b",\"patch\":{" } else { b"," });
        first = false;
        out.extend_from_slice(plan.field());
        let written = match content {
            Content::Part(cells) => write_patch(column, cells, parts.config.format, out),
            Content::Counter(context) => {
                out.extend_from_slice(b"{\"shards\":");
                let written = write_shard_list(context, out);
                out.push(b'}');
                written
            }
            Content::Simple(_) | Content::Whole(_) => Ok(()),
        };
        written.map_err(|error| EncodeError::value(column.column, error))?;
    }
    if !first {
        out.push(b'}');
    }
    Ok(())
}

fn write_range(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let Shape::Range { start, end } = parts.event.shape else { return Ok(()) };
    out.extend_from_slice(b",\"range\":{\"start\":");
    write_bound(parts, start, out)?;
    out.extend_from_slice(b",\"end\":");
    write_bound(parts, end, out)?;
    out.push(b'}');
    Ok(())
}

fn write_bound(
    parts: &Parts<'_, '_, '_>,
    bound: Option<Bound<'_, '_>>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let Some(bound) = bound else {
        write_null(out);
        return Ok(());
    };
    out.extend_from_slice(b"{\"values\":{");
    write_clustering(parts.event.update.table, bound.values, parts.plan, parts.config.format, out)?;
    out.extend_from_slice(if bound.inclusive { b"},\"inclusive\":true}" } else { b"},\"inclusive\":false}" });
    Ok(())
}
