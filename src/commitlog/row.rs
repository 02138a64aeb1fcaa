//! Rows, range tombstone markers and cells of a partition update.

use super::column_list::{ColumnList, read_subset};
use super::decoder::live;
use super::mutation::{
    BoundKind, Cell, CellValue, ColumnCells, Deletion, Expiry, Liveness, Marker, Mutation, Row, Unfiltered,
};
use super::parts::Parts;
use crate::primitives::{self as bytes, Malformed, Parsed};
use crate::schema::{Column, TableSchema};

/// 2015-09-22T00:00:00Z in microseconds: from there minimum timestamps count.
const TIMESTAMP_EPOCH_US: i64 = 1_442_880_000_000_000;
/// The same in seconds, for local deletion times.
const DELETION_TIME_EPOCH: u32 = 1_442_880_000;

const END_OF_PARTITION: u8 = 0x01;
const IS_MARKER: u8 = 0x02;
const HAS_TIMESTAMP: u8 = 0x04;
const HAS_TTL: u8 = 0x08;
const HAS_DELETION: u8 = 0x10;
const HAS_ALL_COLUMNS: u8 = 0x20;
const HAS_COMPLEX_DELETION: u8 = 0x40;
const EXTENSION_FLAG: u8 = 0x80;

const EXTENDED_IS_STATIC: u8 = 0x01;
const EXTENDED_SHADOWABLE_DELETION: u8 = 0x02;

const CELL_DELETED: u8 = 0x01;
const CELL_EXPIRING: u8 = 0x02;
const CELL_EMPTY_VALUE: u8 = 0x04;
const CELL_USE_ROW_TIMESTAMP: u8 = 0x08;
const CELL_USE_ROW_TTL: u8 = 0x10;

/// The minima against which an update's times are encoded. All arithmetic wraps, as the writer's does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Epochs {
    timestamp: i64,
    local_time: u32,
    ttl: u32,
}

impl Epochs {
    pub(super) fn read(input: &[u8]) -> Parsed<'_, Self> {
        let (rest, timestamp) = bytes::uvint(input)?;
        let (rest, local_time) = bytes::uvint(rest)?;
        let (rest, ttl) = bytes::uvint(rest)?;
        let epochs = Self {
            timestamp: TIMESTAMP_EPOCH_US.wrapping_add(timestamp.cast_signed()),
            local_time: DELETION_TIME_EPOCH.wrapping_add(low_word(local_time)),
            ttl: low_word(ttl),
        };
        Ok((rest, epochs))
    }

    #[inline]
    fn timestamp<'a>(&self, input: &'a [u8]) -> Parsed<'a, i64> {
        let (rest, delta) = bytes::uvint(input)?;
        Ok((rest, self.timestamp.wrapping_add(delta.cast_signed())))
    }

    #[inline]
    fn local_time<'a>(&self, input: &'a [u8]) -> Parsed<'a, u32> {
        let (rest, delta) = bytes::uvint(input)?;
        Ok((rest, self.local_time.wrapping_add(low_word(delta))))
    }

    #[inline]
    fn ttl<'a>(&self, input: &'a [u8]) -> Parsed<'a, u32> {
        let (rest, delta) = bytes::uvint(input)?;
        Ok((rest, self.ttl.wrapping_add(low_word(delta))))
    }

    /// A deletion, or `None` for the one that deletes nothing.
    pub(super) fn deletion<'a>(&self, input: &'a [u8]) -> Parsed<'a, Option<Deletion>> {
        let (rest, ts_us) = self.timestamp(input)?;
        let (rest, local_time) = self.local_time(rest)?;
        Ok((rest, live(Deletion { ts_us, local_time })))
    }
}

/// The low 32 bits: local times and TTLs are differences modulo 2^32.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "modulo 2^32 is what the format means")]
fn low_word(value: u64) -> u32 {
    value as u32
}

/// Reads the rows of one partition update into a mutation's buffers.
pub(super) struct Rows<'r, 'a> {
    pub(super) table: &'a TableSchema,
    pub(super) epochs: Epochs,
    pub(super) present: &'r mut Vec<usize>,
    pub(super) mutation: &'r mut Mutation<'a>,
}

type Read<'a, T> = Result<(&'a [u8], T), nom::Err<Malformed>>;

impl<'a> Rows<'_, 'a> {
    pub(super) fn static_row(&mut self, input: &'a [u8], columns: &ColumnList) -> Read<'a, Row> {
        let (rest, flags) = bytes::u8(input)?;
        let (rest, extended) = extended_flags(rest, flags)?;
        if flags & (END_OF_PARTITION | IS_MARKER) != 0 || extended & EXTENDED_IS_STATIC == 0 {
            return bytes::malformed(input, "the flags of a static row");
        }
        self.row(rest, flags, true, columns)
    }

    /// Rows and markers up to the end of the partition, or until a part is full; `true` at the end.
    pub(super) fn unfiltereds(
        &mut self,
        input: &'a [u8],
        columns: &ColumnList,
        parts: &impl Parts<'a>,
    ) -> Read<'a, bool> {
        let mut rest = input;
        let mut is_in_range = false;
        loop {
            let (after, flags) = bytes::u8(rest)?;
            if flags & END_OF_PARTITION != 0 {
                return Ok((after, true));
            }
            if parts.is_full(self.mutation) {
                if !is_in_range {
                    return Ok((rest, false));
                }
                if parts.is_too_full(self.mutation) {
                    return bytes::malformed(rest, "an end of the range after fewer rows");
                }
            }
            rest = if flags & IS_MARKER != 0 {
                let (rest, marker) = self.marker(after)?;
                is_in_range = marker.kind.start_inclusive().is_some();
                self.mutation.unfiltereds.push(Unfiltered::Marker(marker));
                rest
            } else {
                let (after, extended) = extended_flags(after, flags)?;
                if extended & EXTENDED_IS_STATIC != 0 {
                    return bytes::malformed(rest, "a row that is not static");
                }
                let (rest, row) = self.row(after, flags, false, columns)?;
                self.mutation.unfiltereds.push(Unfiltered::Row(row));
                rest
            };
        }
    }

    #[inline]
    fn row(&mut self, input: &'a [u8], flags: u8, is_static: bool, columns: &ColumnList) -> Read<'a, Row> {
        let count = if is_static { 0 } else { self.table.clustering.len() };
        let clustering_start = self.mutation.clusterings.len();
        let rest = self.clustering(input, count)?;
        let (rest, liveness) = self.liveness(rest, flags)?;
        let (rest, deletion) =
            if flags & HAS_DELETION != 0 { self.epochs.deletion(rest)? } else { (rest, None) };
        let columns_start = self.mutation.columns.len();
        let rest = self.row_columns(rest, flags, is_static, liveness, columns)?;
        let row = Row {
            is_static,
            liveness,
            deletion,
            clustering: clustering_start..self.mutation.clusterings.len(),
            columns: columns_start..self.mutation.columns.len(),
        };
        Ok((rest, row))
    }

    fn liveness(&self, input: &'a [u8], flags: u8) -> Read<'a, Option<Liveness>> {
        if flags & HAS_TIMESTAMP == 0 {
            return Ok((input, None));
        }
        let (rest, ts_us) = self.epochs.timestamp(input)?;
        if flags & HAS_TTL == 0 {
            return Ok((rest, Some(Liveness { ts_us, expiry: None })));
        }
        let (rest, ttl) = self.epochs.ttl(rest)?;
        let (rest, local_time) = self.epochs.local_time(rest)?;
        Ok((rest, Some(Liveness { ts_us, expiry: Some(Expiry { ttl, local_time }) })))
    }

    fn row_columns(
        &mut self,
        input: &'a [u8],
        flags: u8,
        is_static: bool,
        liveness: Option<Liveness>,
        list: &ColumnList,
    ) -> Result<&'a [u8], nom::Err<Malformed>> {
        let table = self.table;
        let columns = if is_static { &table.statics } else { &table.regulars };
        let has_deletion = flags & HAS_COMPLEX_DELETION != 0;
        let mut rest = input;
        if flags & HAS_ALL_COLUMNS != 0 {
            for index in &list.indexes {
                rest = self.column(rest, columns, *index, has_deletion, liveness)?;
            }
            return Ok(rest);
        }
        let mut present = std::mem::take(self.present);
        let (mut rest, ()) = read_subset(rest, list.indexes.len(), &mut present)?;
        for position in &present {
            let index = list.indexes.get(*position).copied().unwrap_or(usize::MAX);
            rest = self.column(rest, columns, index, has_deletion, liveness)?;
        }
        *self.present = present;
        Ok(rest)
    }

    #[inline]
    fn column(
        &mut self,
        input: &'a [u8],
        columns: &'a [Column],
        index: usize,
        has_deletion: bool,
        liveness: Option<Liveness>,
    ) -> Result<&'a [u8], nom::Err<Malformed>> {
        let Some(column) = columns.get(index) else {
            return bytes::malformed(input, "a column of the table").map(|(rest, ())| rest);
        };
        if column.multi_cell {
            return self.complex_column(input, column, index, has_deletion, liveness);
        }
        let first = self.mutation.cells.len();
        let rest = match self.plain_cell(input, liveness, ValueLength::of(column)) {
            Some((rest, cell)) => {
                self.mutation.cells.push(cell);
                rest
            }
            None => self.cell(input, liveness, ValueLength::of(column), false)?,
        };
        self.mutation.columns.push(ColumnCells { column, index, deletion: None, cells: first..first + 1 });
        Ok(rest)
    }

    /// The cell that nearly every write logs: a value without a TTL. `None` for any other, and for one that is
    /// cut short.
    #[inline]
    fn plain_cell(
        &self,
        input: &'a [u8],
        liveness: Option<Liveness>,
        length: ValueLength,
    ) -> Option<(&'a [u8], Cell<'a>)> {
        let (flags, rest) = input.split_first()?;
        let (rest, ts_us) = match (*flags, liveness) {
            (CELL_USE_ROW_TIMESTAMP, Some(liveness)) => (rest, liveness.ts_us),
            (0, _) => self.epochs.timestamp(rest).ok()?,
            _ => return None,
        };
        let (rest, value) = length.read(rest).ok()?;
        Some((rest, Cell { ts_us, path: None, value: CellValue::Live { value, expiry: None } }))
    }

    fn complex_column(
        &mut self,
        input: &'a [u8],
        column: &'a Column,
        index: usize,
        has_deletion: bool,
        liveness: Option<Liveness>,
    ) -> Result<&'a [u8], nom::Err<Malformed>> {
        let first = self.mutation.cells.len();
        let (rest, deletion) = self.complex_cells(input, has_deletion, liveness)?;
        let cells = first..self.mutation.cells.len();
        // A statement that adds nothing to a collection (`s = s + {}`) lists the column all the same.
        if deletion.is_some() || !cells.is_empty() {
            self.mutation.columns.push(ColumnCells { column, index, deletion, cells });
        }
        Ok(rest)
    }

    fn complex_cells(
        &mut self,
        input: &'a [u8],
        has_deletion: bool,
        liveness: Option<Liveness>,
    ) -> Read<'a, Option<Deletion>> {
        let (rest, deletion) = if has_deletion { self.epochs.deletion(input)? } else { (input, None) };
        let (mut rest, count) = bytes::uvint(rest)?;
        for _ in 0..count {
            rest = self.cell(rest, liveness, ValueLength::Prefixed, true)?;
        }
        Ok((rest, deletion))
    }

    fn cell(
        &mut self,
        input: &'a [u8],
        liveness: Option<Liveness>,
        length: ValueLength,
        has_path: bool,
    ) -> Result<&'a [u8], nom::Err<Malformed>> {
        let (rest, flags) = bytes::u8(input)?;
        let row_time = flags & CELL_USE_ROW_TIMESTAMP != 0;
        let row_ttl = flags & CELL_USE_ROW_TTL != 0;
        let (rest, ts_us) = match liveness {
            Some(liveness) if row_time => (rest, liveness.ts_us),
            _ if row_time => {
                return bytes::malformed(input, "a row timestamp").map(|(rest, ())| rest);
            }
            _ => self.epochs.timestamp(rest)?,
        };
        let (rest, local_time, ttl) = self.cell_expiry(rest, flags, row_ttl, liveness)?;
        let (rest, path) = if has_path {
            let (rest, path) = bytes::vbytes(rest)?;
            (rest, Some(path))
        } else {
            (rest, None)
        };
        let (rest, value) = if flags & CELL_EMPTY_VALUE == 0 { length.read(rest)? } else { (rest, &[][..]) };
        let value = if flags & CELL_DELETED != 0 {
            CellValue::Tombstone { local_time }
        } else {
            let expiry = (flags & CELL_EXPIRING != 0).then_some(Expiry { ttl, local_time });
            CellValue::Live { value, expiry }
        };
        self.mutation.cells.push(Cell { ts_us, path, value });
        Ok(rest)
    }

    /// Local time and TTL of a cell: its own or the row's; zero when it has none.
    #[inline]
    fn cell_expiry(
        &self,
        input: &'a [u8],
        flags: u8,
        row_ttl: bool,
        liveness: Option<Liveness>,
    ) -> Result<(&'a [u8], u32, u32), nom::Err<Malformed>> {
        if flags & (CELL_DELETED | CELL_EXPIRING) == 0 {
            return Ok((input, 0, 0));
        }
        if row_ttl {
            return match liveness.and_then(|liveness| liveness.expiry) {
                Some(expiry) => Ok((input, expiry.local_time, expiry.ttl)),
                None => bytes::malformed(input, "a row TTL").map(|(rest, ())| (rest, 0, 0)),
            };
        }
        let (rest, local_time) = self.epochs.local_time(input)?;
        let (rest, ttl) = if flags & CELL_EXPIRING != 0 { self.epochs.ttl(rest)? } else { (rest, 0) };
        Ok((rest, local_time, ttl))
    }

    fn marker(&mut self, input: &'a [u8]) -> Read<'a, Marker> {
        let (rest, ordinal) = bytes::u8(input)?;
        let Some(kind) = BoundKind::from_ordinal(ordinal) else {
            return bytes::malformed(input, "the kind of a range tombstone marker");
        };
        let (rest, count) = bytes::u16(rest)?;
        let count = usize::from(count);
        if count > self.table.clustering.len() {
            return bytes::malformed(input, "no more bound values than clustering columns");
        }
        let first = self.mutation.clusterings.len();
        let rest = self.clustering(rest, count)?;
        let clustering = first..self.mutation.clusterings.len();
        let (mut rest, mut end) = (rest, None);
        if kind.end_inclusive().is_some() {
            (rest, end) = self.epochs.deletion(rest)?;
        }
        let mut start = None;
        if kind.start_inclusive().is_some() {
            (rest, start) = self.epochs.deletion(rest)?;
        }
        Ok((rest, Marker { kind, end, start, clustering }))
    }

    /// `count` clustering values, in blocks of up to 32 behind a header of two bits each.
    fn clustering(&mut self, input: &'a [u8], count: usize) -> Result<&'a [u8], nom::Err<Malformed>> {
        let mut rest = input;
        let columns = self.table.clustering.get(..count).unwrap_or_default();
        for block in columns.chunks(32) {
            let mut header;
            (rest, header) = bytes::uvint(rest)?;
            for column in block {
                let value;
                (rest, value) = match header & 0b11 {
                    0 => ValueLength::of(column).read(rest).map(|(rest, value)| (rest, Some(value)))?,
                    0b01 => (rest, Some(&[][..])),
                    _ => (rest, None),
                };
                self.mutation.clusterings.push(value);
                header >>= 2;
            }
        }
        Ok(rest)
    }
}

#[inline]
fn extended_flags(input: &[u8], flags: u8) -> Parsed<'_, u8> {
    if flags & EXTENSION_FLAG == 0 {
        return Ok((input, 0));
    }
    let (rest, extended) = bytes::u8(input)?;
    if extended & !(EXTENDED_IS_STATIC | EXTENDED_SHADOWABLE_DELETION) != 0 {
        return bytes::malformed(input, "known extended row flags");
    }
    Ok((rest, extended))
}

/// How the length of a value is known.
#[derive(Clone, Copy)]
enum ValueLength {
    Fixed(usize),
    Prefixed,
}

impl ValueLength {
    #[inline]
    fn of(column: &Column) -> Self {
        column.fixed_length.map_or(Self::Prefixed, Self::Fixed)
    }

    #[inline]
    fn read<'a>(self, input: &'a [u8]) -> Parsed<'a, &'a [u8]> {
        match self {
            Self::Fixed(length) => match input.split_at_checked(length) {
                Some((value, rest)) => Ok((rest, value)),
                None => bytes::malformed(input, "a value of its type's length"),
            },
            Self::Prefixed => bytes::vbytes(input),
        }
    }
}
