//! `event_id`: the content identity of a change event.
//!
//! The same client write has the same id on every replica. The encoding is written down, with vectors, in
//! `docs/identity.md`.

use std::convert::Infallible;

use sha2::{Digest, Sha256};

use super::event::{Bound, ChangeEvent, Operation, Shape};
use super::event_columns::{EventCells, EventColumns};
use crate::commitlog::mutation::{Cell, CellValue, Deletion};
use crate::schema::{TableCache, TableSchema};

/// Version of the encoding.
const VERSION: u8 = 1;

const HAS_DELETION: u8 = 1;
const HAS_LIVENESS: u8 = 2;
const LIVENESS_EXPIRES: u8 = 4;
const LIVENESS_HAS_TIMESTAMP: u8 = 8;

const TOMBSTONE: u8 = 1;
const EXPIRING: u8 = 2;
const HAS_PATH: u8 = 4;
const COMPLEX_DELETION: u8 = 8;
const WITHHELD: u8 = 16;
const HAS_TIMESTAMP: u8 = 32;

/// 16 bytes of SHA-256, printed as 32 lower-case hex digits.
pub type EventId = [u8; 16];

/// Computes event ids; keeps its buffers.
#[derive(Debug, Default)]
pub struct EventIdEncoder {
    /// Version and name, of each table.
    heads: TableCache<Vec<u8>>,
    encoded: Vec<u8>,
    cells: Vec<usize>,
}

impl EventIdEncoder {
    /// The id of `event`. `columns` are its columns; `withheld` tells by a column's index in its table which
    /// ones contribute their name and times only.
    pub fn event_id(
        &mut self,
        event: &ChangeEvent<'_, '_>,
        columns: &EventColumns<'_, '_>,
        withheld: impl Fn(usize) -> bool,
    ) -> EventId {
        let digest = Sha256::digest(self.encode(event, columns, withheld));
        let mut id = EventId::default();
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        id
    }

    /// The bytes that are hashed.
    pub fn encode(
        &mut self,
        event: &ChangeEvent<'_, '_>,
        columns: &EventColumns<'_, '_>,
        withheld: impl Fn(usize) -> bool,
    ) -> &[u8] {
        let out = &mut self.encoded;
        out.clear();
        let table = event.update.table;
        let made = self.heads.get_or_try_make(table.id, || Ok::<_, Infallible>(head(table)));
        let Ok(head) = made;
        out.extend_from_slice(head);
        put_bytes(event.update.partition_key, out);
        out.push(operation_code(event.operation));
        put_shape(&event.shape, out);
        put_row_times(event, columns.newest_us(), out);
        let columns_of = columns.as_slice();
        let entries = columns_of.iter().map(|it| it.cells.len() + usize::from(it.column.deletion.is_some()));
        put_length(entries.sum(), out);
        for cells in columns_of {
            if withheld(cells.column.index) {
                put_withheld(cells, columns.newest_us(), out);
            } else {
                put_column(cells, columns.newest_us(), &mut self.cells, out);
            }
        }
        &self.encoded
    }
}

fn head(table: &TableSchema) -> Vec<u8> {
    let mut head = vec![VERSION];
    put_bytes(format!("{}.{}", table.keyspace, table.name).as_bytes(), &mut head);
    head
}

fn operation_code(operation: Operation) -> u8 {
    match operation {
        Operation::Create => b'c',
        Operation::Update => b'u',
        Operation::Delete => b'd',
        Operation::RangeDelete => b't',
        Operation::Read => b'r',
    }
}

fn put_shape(shape: &Shape<'_, '_>, out: &mut Vec<u8>) {
    match shape {
        Shape::Row { clustering } => {
            out.push(0);
            put_clustering(clustering, out);
        }
        Shape::StaticRow => out.push(1),
        Shape::Range { start, end } => {
            out.push(2);
            put_bound(*start, out);
            put_bound(*end, out);
        }
    }
}

fn put_bound(bound: Option<Bound<'_, '_>>, out: &mut Vec<u8>) {
    let (kind, values) = match bound {
        None => (0, &[][..]),
        Some(Bound { values, inclusive: true }) => (1, values),
        Some(Bound { values, inclusive: false }) => (2, values),
    };
    out.push(kind);
    put_clustering(values, out);
}

fn put_clustering(values: &[Option<&[u8]>], out: &mut Vec<u8>) {
    put_length(values.len(), out);
    for value in values {
        out.push(u8::from(value.is_some()));
        if let Some(value) = value {
            put_bytes(value, out);
        }
    }
}

/// The event's own timestamp, and the times of its deletion and liveness. A deletion is all that its event
/// holds, so its timestamp is the event's.
fn put_row_times(event: &ChangeEvent<'_, '_>, event_us: i64, out: &mut Vec<u8>) {
    let liveness = event.liveness();
    let expiry = liveness.and_then(|liveness| liveness.expiry);
    let own_us = liveness.map(|liveness| liveness.ts_us).filter(|ts_us| *ts_us != event_us);
    let flag = |flag, is_set| if is_set { flag } else { 0 };
    let flags = flag(HAS_DELETION, event.deletion.is_some())
        | flag(HAS_LIVENESS, liveness.is_some())
        | flag(LIVENESS_EXPIRES, expiry.is_some())
        | flag(LIVENESS_HAS_TIMESTAMP, own_us.is_some());
    let [a, b, c, d, e, f, g, h] = event_us.to_be_bytes();
    out.extend_from_slice(&[a, b, c, d, e, f, g, h, flags]);
    if let Some(deletion) = event.deletion {
        out.extend_from_slice(&deletion.local_time.to_be_bytes());
    }
    if let Some(own_us) = own_us {
        out.extend_from_slice(&own_us.to_be_bytes());
    }
    if let Some(expiry) = expiry {
        out.extend_from_slice(&expiry.ttl.to_be_bytes());
        out.extend_from_slice(&expiry.local_time.to_be_bytes());
    }
}

/// The complex deletion, then the cells by path.
fn put_column(column: &EventCells<'_, '_>, event_us: i64, order: &mut Vec<usize>, out: &mut Vec<u8>) {
    let EventCells { column, cells } = *column;
    let name = &column.column.name_bytes;
    if let Some(deletion) = column.deletion {
        put_complex_deletion(name, COMPLEX_DELETION, deletion, event_us, out);
    } else if let [cell] = cells {
        return put_cell(name, cell, event_us, out);
    }
    if cells.is_sorted_by_key(|cell| cell.path) {
        for cell in cells {
            put_cell(name, cell, event_us, out);
        }
        return;
    }
    order.clear();
    order.extend(0..cells.len());
    order.sort_by_key(|position| cells.get(*position).map(|cell| cell.path));
    for cell in order.iter().filter_map(|position| cells.get(*position)) {
        put_cell(name, cell, event_us, out);
    }
}

fn put_complex_deletion(name: &[u8], flags: u8, deletion: Deletion, event_us: i64, out: &mut Vec<u8>) {
    put_head(name, flags, deletion.ts_us, event_us, out);
    out.extend_from_slice(&deletion.local_time.to_be_bytes());
}

#[inline]
fn put_cell(name: &[u8], cell: &Cell<'_>, event_us: i64, out: &mut Vec<u8>) {
    let path = if cell.path.is_some() { HAS_PATH } else { 0 };
    put_cell_times(name, cell, path, event_us, out);
    if let Some(path) = cell.path {
        put_bytes(path, out);
    }
    if let CellValue::Live { value, .. } = cell.value {
        put_bytes(value, out);
    }
}

/// Name, flags and times of a cell.
#[inline]
fn put_cell_times(name: &[u8], cell: &Cell<'_>, flags: u8, event_us: i64, out: &mut Vec<u8>) {
    match cell.value {
        CellValue::Tombstone { local_time } => {
            put_head(name, flags | TOMBSTONE, cell.ts_us, event_us, out);
            out.extend_from_slice(&local_time.to_be_bytes());
        }
        CellValue::Live { expiry: Some(expiry), .. } => {
            put_head(name, flags | EXPIRING, cell.ts_us, event_us, out);
            out.extend_from_slice(&expiry.local_time.to_be_bytes());
            out.extend_from_slice(&expiry.ttl.to_be_bytes());
        }
        CellValue::Live { expiry: None, .. } => put_head(name, flags, cell.ts_us, event_us, out),
    }
}

/// Name, flags, and the timestamp where it is not the event's.
#[inline]
fn put_head(name: &[u8], flags: u8, ts_us: i64, event_us: i64, out: &mut Vec<u8>) {
    put_bytes(name, out);
    if ts_us == event_us {
        out.push(flags);
    } else {
        out.push(flags | HAS_TIMESTAMP);
        out.extend_from_slice(&ts_us.to_be_bytes());
    }
}

/// A withheld column: in the order of the log, without paths and values.
fn put_withheld(column: &EventCells<'_, '_>, event_us: i64, out: &mut Vec<u8>) {
    let EventCells { column, cells } = *column;
    let name = &column.column.name_bytes;
    if let Some(deletion) = column.deletion {
        put_complex_deletion(name, COMPLEX_DELETION | WITHHELD, deletion, event_us, out);
    }
    for cell in cells {
        put_cell_times(name, cell, WITHHELD, event_us, out);
    }
}

/// LEB128: seven bits a byte from the lowest, the high bit set while more follow.
#[inline]
fn put_length(length: usize, out: &mut Vec<u8>) {
    let mut rest = length;
    while let Err(_) | Ok(0x80..) = u8::try_from(rest) {
        out.push(low_bits(rest) | 0x80);
        rest >>= 7;
    }
    out.push(low_bits(rest));
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "seven bits fit")]
fn low_bits(value: usize) -> u8 {
    (value & 0x7F) as u8
}

#[inline]
fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}
