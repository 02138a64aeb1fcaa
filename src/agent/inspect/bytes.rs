//! `inspect --at`: one mutation with its bytes, a line a field.

use std::io::{self, Write};

use super::annotate::{Field, annotate};
use super::json::hex;
use crate::commitlog::Frame;
use crate::schema::Schema;

/// Bytes on one line.
const LINE: usize = 16;
/// Lines shown of a value, at most.
const LINES: usize = 16;
/// Bytes before a payload: its length and the length's checksum.
const HEAD: usize = 8;

/// What to show of a mutation.
pub(super) struct Shown {
    /// Logical offset of the frame.
    pub(super) offset: u64,
    /// Segment format version.
    pub(super) version: u32,
    /// Whether values are shown.
    pub(super) values: bool,
    /// Whether anything behind the framing is shown.
    pub(super) contents: bool,
}

/// Writes a frame: offset, bytes, meaning.
pub(super) fn frame(
    out: &mut impl Write,
    plain: &[u8],
    frame: Frame<'_>,
    schema: &Schema,
    shown: &Shown,
) -> io::Result<()> {
    let payload = frame.payload_offset();
    let end = payload + frame.payload.len();
    let mut line = |from: usize, to: usize, meaning: &str| {
        let offset = shown.offset + (from - frame.offset) as u64;
        lines(out, offset, plain.get(from..to).unwrap_or_default(), meaning, true)
    };
    line(frame.offset, frame.offset + 4, &format!("length of the mutation: {}", frame.payload.len()))?;
    line(frame.offset + 4, payload, "checksum of the length")?;
    if shown.contents {
        contents(out, frame.payload, shown.offset + HEAD as u64, schema, shown)?;
    } else {
        writeln!(out, "{} bytes of a system keyspace, not shown (--include-system)", frame.payload.len())?;
    }
    let offset = shown.offset + (end - frame.offset) as u64;
    lines(
        out,
        offset,
        plain.get(end..frame.end()).unwrap_or_default(),
        "checksum of length and mutation",
        true,
    )
}

fn contents(
    out: &mut impl Write,
    payload: &[u8],
    base: u64,
    schema: &Schema,
    shown: &Shown,
) -> io::Result<()> {
    let annotation = annotate(payload, shown.version, schema);
    for Field { range, depth, meaning, is_value, .. } in &annotation.fields {
        let bytes = payload.get(range.clone()).unwrap_or_default();
        let meaning = format!("{:indent$}{meaning}", "", indent = depth * 2);
        lines(out, base + range.start as u64, bytes, &meaning, !is_value || shown.values)?;
    }
    let Some(stop) = annotation.stop else { return Ok(()) };
    let rest = payload.get(stop.offset..).unwrap_or_default();
    writeln!(out, "{:>10}  {} bytes not read: {}", base + stop.offset as u64, rest.len(), stop.reason)
}

/// Offset, hex and meaning; more than one line when there are many bytes.
fn lines(out: &mut impl Write, offset: u64, bytes: &[u8], meaning: &str, shown: bool) -> io::Result<()> {
    if !shown {
        let hidden = if bytes.len() > 1 { format!(".. ({} bytes)", bytes.len()) } else { "..".to_owned() };
        return writeln!(out, "{offset:>10}  {hidden:<32}  {meaning}");
    }
    for (index, line) in bytes.chunks(LINE).take(LINES).enumerate() {
        let meaning = if index == 0 { meaning } else { "" };
        let text = format!("{:>10}  {:<32}  {meaning}", offset + (index * LINE) as u64, hex(line));
        writeln!(out, "{}", text.trim_end())?;
    }
    match bytes.len().checked_sub(LINE * LINES) {
        Some(more @ 1..) => writeln!(out, "{:>10}  … {more} more bytes", ""),
        _ => Ok(()),
    }
}
