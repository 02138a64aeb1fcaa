//! `event_id`: the content identity of a change event.
//!
//! The same client write has the same id on every replica. The encoding is written down, with vectors, in
//! `docs/identity.md`.

use sha2::{Digest, Sha256};

use super::event::{Bound, ChangeEvent, Operation, Shape};
use crate::commitlog::mutation::{Cell, CellValue, ColumnCells, Deletion};

/// Version of the encoding.
const VERSION: u8 = 1;
const NO_TIME: u32 = u32::MAX;
const NULL_LENGTH: u32 = u32::MAX;

const TOMBSTONE: u8 = 1;
const EXPIRING: u8 = 2;
const HAS_PATH: u8 = 4;
const COMPLEX_DELETION: u8 = 8;
const WITHHELD: u8 = 16;

/// 16 bytes of SHA-256, printed as 32 lower-case hex digits.
pub type EventId = [u8; 16];

/// Computes event ids; keeps its buffers.
#[derive(Debug, Default)]
pub struct EventIdEncoder {
    encoded: Vec<u8>,
    cells: Vec<usize>,
}

impl EventIdEncoder {
    /// The id of `event`. `order` is [`ChangeEvent::order_by_name`]; `withheld` tells which columns contribute
    /// their name and times only.
    pub fn event_id(
        &mut self,
        event: &ChangeEvent<'_, '_>,
        order: &[usize],
        withheld: impl Fn(&ColumnCells<'_>) -> bool,
    ) -> EventId {
        self.encode(event, order, withheld);
        let digest = Sha256::digest(&self.encoded);
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
        order: &[usize],
        withheld: impl Fn(&ColumnCells<'_>) -> bool,
    ) -> &[u8] {
        let out = &mut self.encoded;
        out.clear();
        out.push(VERSION);
        let table = event.update.table;
        put_length(table.keyspace.len() + 1 + table.name.len(), out);
        out.extend_from_slice(table.keyspace.as_bytes());
        out.push(b'.');
        out.extend_from_slice(table.name.as_bytes());
        put_bytes(event.update.partition_key, out);
        out.push(operation_code(event.operation));
        put_shape(&event.shape, out);
        put_deletion(event.deletion, out);
        put_liveness(event, out);
        self.put_columns(event, order, withheld);
        &self.encoded
    }

    fn put_columns(
        &mut self,
        event: &ChangeEvent<'_, '_>,
        order: &[usize],
        withheld: impl Fn(&ColumnCells<'_>) -> bool,
    ) {
        let columns = event.columns();
        let entries =
            columns.iter().map(|column| event.cells(column).len() + usize::from(column.deletion.is_some()));
        put_length(entries.sum(), &mut self.encoded);
        for position in order {
            let Some(column) = columns.get(*position) else { continue };
            let cells = event.cells(column);
            if withheld(column) {
                put_withheld(column, cells, &mut self.encoded);
            } else {
                put_column(column, cells, &mut self.cells, &mut self.encoded);
            }
        }
    }
}

fn operation_code(operation: Operation) -> u8 {
    match operation {
        Operation::Create => b'c',
        Operation::Update => b'u',
        Operation::Delete => b'd',
        Operation::RangeDelete => b't',
    }
}

fn put_shape(shape: &Shape<'_, '_>, out: &mut Vec<u8>) {
    match shape {
        Shape::Row { clustering } => {
            out.push(0);
            put_clustering(clustering, out);
        }
        Shape::StaticRow => {
            out.push(1);
            put_clustering(&[], out);
        }
        Shape::Range { start, end } => {
            out.push(2);
            put_clustering(&[], out);
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
    out.extend_from_slice(&u16::try_from(values.len()).unwrap_or(u16::MAX).to_be_bytes());
    for value in values {
        match value {
            Some(value) => put_bytes(value, out),
            None => out.extend_from_slice(&NULL_LENGTH.to_be_bytes()),
        }
    }
}

fn put_deletion(deletion: Option<Deletion>, out: &mut Vec<u8>) {
    out.push(u8::from(deletion.is_some()));
    if let Some(deletion) = deletion {
        out.extend_from_slice(&deletion.ts_us.to_be_bytes());
        out.extend_from_slice(&deletion.local_time.to_be_bytes());
    }
}

fn put_liveness(event: &ChangeEvent<'_, '_>, out: &mut Vec<u8>) {
    let liveness = event.liveness();
    out.push(u8::from(liveness.is_some()));
    if let Some(liveness) = liveness {
        let (ttl, local_time) =
            liveness.expiry.map_or((0, NO_TIME), |expiry| (expiry.ttl, expiry.local_time));
        out.extend_from_slice(&liveness.ts_us.to_be_bytes());
        out.extend_from_slice(&ttl.to_be_bytes());
        out.extend_from_slice(&local_time.to_be_bytes());
    }
}

/// The complex deletion, then the cells by path.
fn put_column(column: &ColumnCells<'_>, cells: &[Cell<'_>], order: &mut Vec<usize>, out: &mut Vec<u8>) {
    let name = &column.column.name_bytes;
    if let Some(deletion) = column.deletion {
        put_complex_deletion(name, COMPLEX_DELETION, deletion, out);
    }
    if cells.is_sorted_by_key(|cell| cell.path) {
        for cell in cells {
            put_cell(name, cell, out);
        }
        return;
    }
    order.clear();
    order.extend(0..cells.len());
    order.sort_by_key(|position| cells.get(*position).map(|cell| cell.path));
    for cell in order.iter().filter_map(|position| cells.get(*position)) {
        put_cell(name, cell, out);
    }
}

fn put_complex_deletion(name: &[u8], flags: u8, deletion: Deletion, out: &mut Vec<u8>) {
    put_bytes(name, out);
    out.push(flags);
    out.extend_from_slice(&deletion.ts_us.to_be_bytes());
    out.extend_from_slice(&deletion.local_time.to_be_bytes());
}

fn put_cell(name: &[u8], cell: &Cell<'_>, out: &mut Vec<u8>) {
    let path = if cell.path.is_some() { HAS_PATH } else { 0 };
    put_cell_times(name, cell, path, out);
    if let Some(path) = cell.path {
        put_bytes(path, out);
    }
    if let CellValue::Live { value, .. } = cell.value {
        put_bytes(value, out);
    }
}

/// Name, flags and times of a cell.
fn put_cell_times(name: &[u8], cell: &Cell<'_>, flags: u8, out: &mut Vec<u8>) {
    put_bytes(name, out);
    match cell.value {
        CellValue::Tombstone { local_time } => {
            put_flags_and_time(flags | TOMBSTONE, cell.ts_us, out);
            out.extend_from_slice(&local_time.to_be_bytes());
        }
        CellValue::Live { expiry: Some(expiry), .. } => {
            put_flags_and_time(flags | EXPIRING, cell.ts_us, out);
            out.extend_from_slice(&expiry.local_time.to_be_bytes());
            out.extend_from_slice(&expiry.ttl.to_be_bytes());
        }
        CellValue::Live { expiry: None, .. } => put_flags_and_time(flags, cell.ts_us, out),
    }
}

/// Both in one piece: every cell has them.
#[inline]
fn put_flags_and_time(flags: u8, ts_us: i64, out: &mut Vec<u8>) {
    let [a, b, c, d, e, f, g, h] = ts_us.to_be_bytes();
    out.extend_from_slice(&[flags, a, b, c, d, e, f, g, h]);
}

/// A withheld column: in the order of the log, without paths and values.
fn put_withheld(column: &ColumnCells<'_>, cells: &[Cell<'_>], out: &mut Vec<u8>) {
    let name = &column.column.name_bytes;
    if let Some(deletion) = column.deletion {
        put_complex_deletion(name, COMPLEX_DELETION | WITHHELD, deletion, out);
    }
    for cell in cells {
        put_cell_times(name, cell, WITHHELD, out);
    }
}

fn put_length(length: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

#[inline]
fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}
