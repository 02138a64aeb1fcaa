//! `liveness` and `cells`: the times that differ from the event's own, and what expires.

use super::columns::{element_type, live_cells, write_path};
use super::encoder::EncodeError;
use super::json::field;
use super::options::CellTimes;
use super::parts::{EventColumn, Parts};
use crate::change::Shape;
use crate::change::partition_key::for_each_component;
use crate::commitlog::mutation::{Cell, CellValue, Expiry};
use crate::cql::number::write_integer;
use crate::cql::value::is_no_value;
use crate::cql::{CqlType, ValueError};

/// Appends `,"liveness":{…}` when it applies.
pub(super) fn write_liveness(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) {
    if parts.is_read() && !parts.is_static() {
        // CQL does not tell of it.
        out.extend_from_slice(b",\"liveness\":{\"ts_known\":false}");
    }
    let Some(liveness) = parts.event.liveness() else { return };
    let all = parts.config.cells == CellTimes::All;
    if !all && liveness.ts_us == parts.ts_us && liveness.expiry.is_none() {
        return;
    }
    out.extend_from_slice(b",\"liveness\":{\"ts_us\":");
    write_integer(liveness.ts_us, out);
    if let Some(expiry) = liveness.expiry {
        out.push(b',');
        write_expiry(parts, expiry, out);
    }
    out.push(b'}');
}

fn write_expiry(parts: &Parts<'_, '_, '_>, expiry: Expiry, out: &mut Vec<u8>) {
    // CQL tells how much is left of it, and so when it ends, but not what was written.
    if !parts.is_read() {
        out.extend_from_slice(b"\"ttl\":");
        write_integer(expiry.ttl, out);
        out.push(b',');
    }
    out.extend_from_slice(b"\"expires_at\":");
    write_integer(expiry.local_time, out);
}

/// Appends `,"cells":{…}` when some column has something to tell.
pub(super) fn write_cells(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let when_differs = parts.config.cells == CellTimes::WhenDiffers;
    if when_differs && parts.plain && !parts.has_empty_key {
        return Ok(());
    }
    let mut cells = Cells { out, opened: false, inner: Vec::new() };
    if parts.has_empty_key {
        write_empty_keys(parts, &mut cells)?;
    }
    for item in parts.columns() {
        if when_differs && says_nothing(parts, &item) {
            continue;
        }
        cells.inner.clear();
        write_column(parts, &item, &mut cells.inner)
            .map_err(|error| EncodeError::value(item.column.column, error))?;
        cells.close_column(item.plan.field());
    }
    if cells.opened {
        out.push(b'}');
    }
    Ok(())
}

/// The object that is opened when its first column comes.
struct Cells<'o> {
    out: &'o mut Vec<u8>,
    opened: bool,
    /// Fields of the column at hand.
    inner: Vec<u8>,
}

impl Cells<'_> {
    /// Appends the column unless it has no fields.
    fn close_column(&mut self, field: &[u8]) {
        if self.inner.is_empty() {
            return;
        }
        self.out.extend_from_slice(if self.opened { b"," } else { b",\"cells\":{" });
        self.opened = true;
        self.out.extend_from_slice(field);
        self.out.push(b'{');
        self.out.extend_from_slice(&self.inner);
        self.out.push(b'}');
    }
}

/// The common case, told without writing: a simple column with the event's time and no TTL.
#[inline]
fn says_nothing(parts: &Parts<'_, '_, '_>, item: &EventColumn<'_, '_, '_>) -> bool {
    if item.column.column.multi_cell {
        return false;
    }
    item.cells.iter().all(|cell| {
        cell.ts_us == parts.ts_us
            && !parts.is_unknown(cell.ts_us)
            && match cell.value {
                CellValue::Tombstone { .. } => true,
                CellValue::Live { value, expiry } => {
                    expiry.is_none() && !is_no_value(&item.column.column.cql_type, value)
                }
            }
    })
}

/// Key columns only ever have the mark `empty`.
fn write_empty_keys(parts: &Parts<'_, '_, '_>, cells: &mut Cells<'_>) -> Result<(), EncodeError> {
    let table = parts.event.update.table;
    for_each_component::<EncodeError>(table, parts.event.update.partition_key, |index, value| {
        if let Some(column) = table.partition_key.get(index) {
            cells.mark_empty_key(&column.name, is_no_value(&column.cql_type, value));
        }
        Ok(())
    })?;
    if let Shape::Row { clustering } = parts.event.shape {
        for (column, value) in table.clustering.iter().zip(clustering) {
            cells.mark_empty_key(
                &column.name,
                value.is_some_and(|value| is_no_value(&column.cql_type, value)),
            );
        }
    }
    Ok(())
}

impl Cells<'_> {
    fn mark_empty_key(&mut self, name: &str, is_empty: bool) {
        if is_empty {
            self.inner.clear();
            self.inner.extend_from_slice(b"\"empty\":true");
            self.close_column(&field(name));
        }
    }
}

fn write_column(
    parts: &Parts<'_, '_, '_>,
    item: &EventColumn<'_, '_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    let EventColumn { column, cells, plan } = *item;
    if !column.column.multi_cell {
        if let Some(cell) = cells.first() {
            let cql_type = (column.column.cql_type != CqlType::Counter).then_some(&column.column.cql_type);
            write_cell(parts, cell, cql_type.filter(|_| plan.rule.is_none()), out);
        }
        return Ok(());
    }
    let shared = if plan.rule.is_some() { withheld_times(item) } else { shared_times(item) };
    if let Some((ts_us, expiry)) = shared {
        write_times(parts, b"\"ts_us\":", ts_us, expiry, out);
    }
    if let Some(deletion) = column.deletion {
        write_times(parts, b"\"deleted_ts_us\":", deletion.ts_us, None, out);
    }
    if plan.rule.is_some() {
        return Ok(());
    }
    write_elements(parts, item, shared.is_some(), out)
}

/// Time and expiry that all live elements share.
fn shared_times(item: &EventColumn<'_, '_, '_>) -> Option<(i64, Option<Expiry>)> {
    let mut live = live_cells(item.column, item.cells).map(|(cell, _)| times(cell));
    live.next().filter(|first| live.all(|other| other == *first))
}

/// Times of a withheld column: those of its only element, or the newest time of several.
fn withheld_times(item: &EventColumn<'_, '_, '_>) -> Option<(i64, Option<Expiry>)> {
    match item.cells {
        [only] => Some(times(only)),
        several => several.iter().map(|cell| cell.ts_us).max().map(|newest| (newest, None)),
    }
}

fn times(cell: &Cell<'_>) -> (i64, Option<Expiry>) {
    match cell.value {
        CellValue::Live { expiry, .. } => (cell.ts_us, expiry),
        CellValue::Tombstone { .. } => (cell.ts_us, None),
    }
}

/// Fields of one cell; `cql_type` is given where `empty` can apply.
fn write_cell(parts: &Parts<'_, '_, '_>, cell: &Cell<'_>, cql_type: Option<&CqlType>, out: &mut Vec<u8>) {
    match cell.value {
        CellValue::Tombstone { .. } => write_times(parts, b"\"deleted_ts_us\":", cell.ts_us, None, out),
        CellValue::Live { value, expiry } => {
            write_times(parts, b"\"ts_us\":", cell.ts_us, expiry, out);
            write_empty(cql_type, value, out);
        }
    }
}

/// The mark `empty` of a live value that shows as null.
fn write_empty(cql_type: Option<&CqlType>, value: &[u8], out: &mut Vec<u8>) {
    if cql_type.is_some_and(|cql_type| is_no_value(cql_type, value)) {
        separate(out);
        out.extend_from_slice(b"\"empty\":true");
    }
}

fn write_times(
    parts: &Parts<'_, '_, '_>,
    name: &[u8],
    ts_us: i64,
    expiry: Option<Expiry>,
    out: &mut Vec<u8>,
) {
    if parts.is_unknown(ts_us) {
        separate(out);
        out.extend_from_slice(b"\"ts_known\":false");
    } else if parts.config.cells == CellTimes::All || ts_us != parts.ts_us {
        separate(out);
        out.extend_from_slice(name);
        write_integer(ts_us, out);
    }
    if let Some(expiry) = expiry {
        separate(out);
        write_expiry(parts, expiry, out);
    }
}

/// A comma, unless nothing stands before it in its object.
fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'{')) {
        out.push(b',');
    }
}

/// `elements`: the live ones unless they share their times, the removed ones, the empty ones.
fn write_elements(
    parts: &Parts<'_, '_, '_>,
    item: &EventColumn<'_, '_, '_>,
    shared: bool,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    let EventColumn { column, cells, .. } = *item;
    let cql_type = &column.column.cql_type;
    let covered_up_to = column.deletion.map(|deletion| deletion.ts_us);
    let (mut opened, mut fields) = (false, Vec::new());
    for cell in cells.iter().filter(|cell| Some(cell.ts_us) > covered_up_to) {
        fields.clear();
        // A set's element is its path: its value never has bytes.
        let value_type = match cql_type {
            CqlType::Set { .. } => None,
            _ => Some(element_type(cql_type, cell)?),
        };
        match cell.value {
            CellValue::Live { value, .. } if shared => write_empty(value_type, value, &mut fields),
            _ => write_cell(parts, cell, value_type, &mut fields),
        }
        if fields.is_empty() {
            continue;
        }
        separate(out);
        if !std::mem::replace(&mut opened, true) {
            out.extend_from_slice(b"\"elements\":[");
        }
        out.extend_from_slice(b"{\"path\":");
        write_path(cql_type, cell, parts.config.format, out)?;
        out.push(b',');
        out.extend_from_slice(&fields);
        out.push(b'}');
    }
    if opened {
        out.push(b']');
    }
    Ok(())
}
