//! `_range_start` and `_range_end`.

use super::bound_text::write_bound_text;
use crate::change::{Bound, Operation, Shape};
use crate::envelope::encoder::EncodeError;
use crate::envelope::json::write_string;
use crate::envelope::parts::Parts;

/// Appends both fields: null unless `op` is `r`.
pub(super) fn write_ranges(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match parts.event.shape {
        Shape::Range { start, end }
            if parts.event.operation == Operation::RangeDelete && !super::is_delete(parts.event) =>
        {
            out.extend_from_slice(b",\"_range_start\":");
            write_bound(parts, start, ["INCL_START_BOUND", "EXCL_START_BOUND"], out)?;
            out.extend_from_slice(b",\"_range_end\":");
            write_bound(parts, end, ["INCL_END_BOUND", "EXCL_END_BOUND"], out)
        }
        _ => {
            out.extend_from_slice(b",\"_range_start\":null,\"_range_end\":null");
            Ok(())
        }
    }
}

/// Appends a bound; an open one is inclusive without values.
fn write_bound(
    parts: &Parts<'_, '_, '_>,
    bound: Option<Bound<'_, '_>>,
    [inclusive, exclusive]: [&str; 2],
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let bound = bound.unwrap_or(Bound::ALL);
    let texts = parts.plan.connector.as_ref().map(|plan| plan.bounds.as_slice()).unwrap_or_default();
    out.extend_from_slice(b"{\"method\":\"");
    out.extend_from_slice(if bound.inclusive { inclusive } else { exclusive }.as_bytes());
    out.extend_from_slice(b"\",\"values\":[");
    let mut text = Vec::new();
    let columns = parts.event.update.table.clustering.iter().zip(texts);
    for (position, ((column, texts), value)) in columns.zip(bound.values).enumerate() {
        if position > 0 {
            out.push(b',');
        }
        text.clear();
        write_bound_text(&column.cql_type, value.unwrap_or_default(), &mut text)
            .map_err(|error| EncodeError::value(column, error))?;
        out.extend_from_slice(&texts.head);
        write_string(std::str::from_utf8(&text).unwrap_or_default(), out);
        out.extend_from_slice(&texts.tail);
    }
    out.extend_from_slice(b"]}");
    Ok(())
}
