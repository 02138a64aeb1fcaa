//! The `source` block of profiles `flat` and `debezium`.

use super::json::write_string;
use super::parts::Parts;
use crate::cql::number::write_integer;

/// Appends `"source":{…}`.
pub(super) fn write_source(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) {
    let plan = parts.plan;
    out.extend_from_slice(&plan.source_head);
    write_integer(parts.ts_us.div_euclid(1000), out);
    out.extend_from_slice(b",\"ts_us\":");
    write_integer(parts.ts_us, out);
    out.extend_from_slice(&plan.source_middle);
    write_string(parts.place.file, out);
    out.extend_from_slice(b",\"pos\":");
    write_integer(parts.place.marker, out);
    out.extend_from_slice(b",\"entry\":");
    write_integer(parts.place.entry, out);
    out.extend_from_slice(b",\"row\":");
    write_integer(parts.event.index, out);
    out.extend_from_slice(&plan.source_tail);
    out.extend_from_slice(b",\"late\":");
    out.extend_from_slice(json_bool(parts.place.late));
    out.extend_from_slice(b",\"replay\":");
    out.extend_from_slice(json_bool(parts.config.source.replay));
    out.push(b'}');
}

fn json_bool(value: bool) -> &'static [u8] {
    if value { b"true" } else { b"false" }
}
