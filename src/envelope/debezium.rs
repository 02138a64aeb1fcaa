//! Profile `debezium`: a changelog that Flink's `debezium-json` reads. `docs/envelope.md` 9.2 describes it.

use super::columns::Content;
use super::encoder::EncodeError;
use super::flat::write_after;
use super::parts::Parts;
use super::source::write_source;
use crate::change::{Operation, Shape};
use crate::cql::number::write_integer;

/// Why an event cannot be said as a changelog; `None` when it can.
pub(super) fn unrepresentable(parts: &Parts<'_, '_, '_>) -> Option<&'static str> {
    match parts.event.operation {
        Operation::Delete => return None,
        Operation::RangeDelete => return Some("a range delete"),
        Operation::Create | Operation::Update | Operation::Read => {}
    }
    if matches!(parts.event.shape, Shape::StaticRow) {
        return Some("a static row");
    }
    let mut whole = 0;
    for item in parts.columns() {
        match Content::of(item.column, item.cells) {
            Content::Part(_) => return Some("a collection or user-defined type that changes in part"),
            Content::Counter(_) => return Some("a counter update"),
            Content::Simple(_) | Content::Whole(_) => {
                whole += usize::from(item.column.column.dropped_at_us.is_none());
            }
        }
    }
    let lacks = parts.event.operation == Operation::Update && whole < parts.plan.shown_regulars;
    lacks.then_some("an update that does not carry every column")
}

/// Appends the value of a record.
pub(super) fn write(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if parts.event.operation == Operation::Delete {
        out.extend_from_slice(b"{\"before\":");
        out.extend_from_slice(parts.key);
        out.extend_from_slice(b",\"after\":null,\"op\":\"d\",\"ts_ms\":");
    } else {
        out.extend_from_slice(b"{\"before\":null,\"after\":");
        write_after(parts, out)?;
        let is_read = parts.event.operation == Operation::Read;
        out.extend_from_slice(if is_read { b",\"op\":\"r\"" } else { b",\"op\":\"c\"" });
        out.extend_from_slice(b",\"ts_ms\":");
    }
    write_integer(parts.now_ms, out);
    out.push(b',');
    write_source(parts, out);
    out.push(b'}');
    Ok(())
}
