//! Decodes payloads with one schema.

use std::rc::Rc;

use super::column_list::{ColumnList, KnownLists, ListError};
use super::mutation::{Deletion, Mutation, MutationError, PartitionUpdate};
use super::parts::{MutationParts, Parts, WholeMutation};
use super::row::{self, Epochs};
use crate::primitives::{self as bytes, Malformed};
use crate::schema::{Schema, TableCache, TableId, TableSchema};

const IS_EMPTY: u8 = 0x01;
const IS_REVERSED: u8 = 0x02;
const HAS_PARTITION_DELETION: u8 = 0x04;
const HAS_STATIC_ROW: u8 = 0x08;
const HAS_ROW_ESTIMATE: u8 = 0x10;
const KNOWN_FLAGS: u8 = IS_EMPTY | IS_REVERSED | HAS_PARTITION_DELETION | HAS_STATIC_ROW | HAS_ROW_ESTIMATE;

/// What a payload says without a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peek<'a> {
    /// Number of partition updates.
    pub updates: u64,
    /// Table of the first update.
    pub table: TableId,
    /// Partition key of the first update (all updates of a mutation share its bytes).
    pub partition_key: &'a [u8],
}

/// Reads what can be read without a schema.
///
/// # Errors
/// The payload is too short for it.
#[inline]
pub fn peek(payload: &[u8]) -> Result<Peek<'_>, MutationError> {
    let read = || {
        let (rest, updates) = bytes::uvint(payload)?;
        let (rest, id) = bytes::fixed(rest)?;
        let (_, partition_key) = bytes::vbytes(rest)?;
        Ok(Peek { updates, table: TableId(id), partition_key })
    };
    read().map_err(|error| MutationError::malformed(error, payload.len(), None))
}

/// A table that was met, and the column lists its statements have.
#[derive(Debug)]
struct KnownTable<'s> {
    table: &'s TableSchema,
    statics: KnownLists,
    regulars: KnownLists,
}

impl<'s> KnownTable<'s> {
    fn new(schema: &'s Schema, id: TableId) -> Result<Self, MutationError> {
        let table = schema.table(id).ok_or(MutationError::UnknownTable(id))?;
        Ok(Self { table, statics: KnownLists::default(), regulars: KnownLists::default() })
    }
}

/// Decodes mutations; keeps what it learned about the shapes of statements.
#[derive(Debug)]
pub struct Decoder<'s> {
    schema: &'s Schema,
    known: TableCache<KnownTable<'s>>,
    present: Vec<usize>,
}

enum Failed {
    Bytes(nom::Err<Malformed>),
    Other(MutationError),
}

impl From<nom::Err<Malformed>> for Failed {
    fn from(error: nom::Err<Malformed>) -> Self {
        Self::Bytes(error)
    }
}

impl From<MutationError> for Failed {
    fn from(error: MutationError) -> Self {
        Self::Other(error)
    }
}

impl From<ListError> for Failed {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Bytes(error) => Self::Bytes(error),
            ListError::Schema(error) => Self::Other(error),
        }
    }
}

impl<'s> Decoder<'s> {
    /// A decoder for `schema`.
    #[must_use]
    pub fn new(schema: &'s Schema) -> Self {
        Self { schema, known: TableCache::default(), present: Vec::new() }
    }

    /// The schema it decodes with.
    #[must_use]
    pub fn schema(&self) -> &'s Schema {
        self.schema
    }

    /// Decodes a whole payload into `mutation`, which is emptied first.
    ///
    /// # Errors
    /// See [`MutationError`]; `mutation` is then empty.
    pub fn decode<'a>(&mut self, payload: &'a [u8], mutation: &mut Mutation<'a>) -> Result<(), MutationError>
    where
        's: 'a,
    {
        self.decode_parts(payload, mutation, &mut WholeMutation)
    }

    /// Decodes a whole payload part by part into `mutation`: each time it holds `most` rows, cells and other
    /// items it is given to `visit`, and emptied. A part ends between two rows, and not inside a range; it holds
    /// the rest of an update whose deletion and static row stood in an earlier part.
    ///
    /// # Errors
    /// See [`MutationError`]: parts before it were visited already. What `visit` returns.
    pub fn decode_in_parts<'a, E: From<MutationError>>(
        &mut self,
        payload: &'a [u8],
        mutation: &mut Mutation<'a>,
        most: usize,
        visit: impl FnMut(&Mutation<'a>) -> Result<(), E>,
    ) -> Result<(), E>
    where
        's: 'a,
    {
        let mut parts = MutationParts { most, visit, stopped: None };
        let done = self.decode_parts(payload, mutation, &mut parts);
        match (parts.stopped.take(), done) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(())) => (parts.visit)(mutation),
        }
    }

    fn decode_parts<'a>(
        &mut self,
        payload: &'a [u8],
        mutation: &mut Mutation<'a>,
        parts: &mut impl Parts<'a>,
    ) -> Result<(), MutationError>
    where
        's: 'a,
    {
        mutation.clear();
        let mut table = None;
        let result = self.updates(payload, mutation, &mut table, parts);
        result.map_err(|failed| {
            mutation.clear();
            match failed {
                Failed::Bytes(error) => {
                    MutationError::malformed(error, payload.len(), table.map(|table| table.id))
                }
                Failed::Other(error) => error,
            }
        })
    }

    fn updates<'a>(
        &mut self,
        payload: &'a [u8],
        mutation: &mut Mutation<'a>,
        table: &mut Option<&'s TableSchema>,
        parts: &mut impl Parts<'a>,
    ) -> Result<(), Failed>
    where
        's: 'a,
    {
        let (mut rest, count) = bytes::uvint(payload)?;
        if count == 0 {
            bytes::malformed::<()>(payload, "at least one partition update")?;
        }
        for index in 0..count {
            if index > 0 {
                expect_same_key(payload, rest)?;
            }
            let (after, id) = bytes::fixed(rest)?;
            let (id, schema) = (TableId(id), self.schema);
            let known = self.known.get_or_try_make(id, || KnownTable::new(schema, id))?;
            *table = Some(known.table);
            rest = update(after, known, &mut self.present, mutation, parts)?;
            if parts.is_full(mutation) && !parts.take(mutation) {
                return Ok(());
            }
        }
        if !rest.is_empty() {
            bytes::malformed::<()>(rest, "the end of the mutation")?;
        }
        Ok(())
    }
}

/// All updates have the same key. Where another one stands, the update before was misread, with types that are not
/// those of the log: the bytes may be anything, also a cell's.
#[inline(never)]
fn expect_same_key(payload: &[u8], update: &[u8]) -> Result<(), Failed> {
    let (rest, _) = bytes::fixed::<16>(update)?;
    let (_, key) = bytes::vbytes(rest)?;
    if peek(payload)?.partition_key != key {
        bytes::malformed::<()>(update, "an update with the partition key of the first one")?;
    }
    Ok(())
}

fn update<'s: 'a, 'a>(
    input: &'a [u8],
    known: &mut KnownTable<'s>,
    present: &mut Vec<usize>,
    mutation: &mut Mutation<'a>,
    parts: &mut impl Parts<'a>,
) -> Result<&'a [u8], Failed> {
    let table: &'a TableSchema = known.table;
    let (rest, partition_key) = bytes::vbytes(input)?;
    let (rest, flags) = bytes::u8(rest)?;
    let first = mutation.unfiltereds.len();
    let mut update =
        PartitionUpdate { table, partition_key, deletion: None, static_row: None, unfiltereds: first..first };
    if flags & !KNOWN_FLAGS != 0 || flags & IS_REVERSED != 0 {
        bytes::malformed::<()>(rest, "known partition flags")?;
    }
    if flags & IS_EMPTY != 0 {
        mutation.updates.push(update);
        return Ok(rest);
    }
    let (mut rest, epochs) = Epochs::read(rest)?;
    let mut statics: Option<Rc<ColumnList>> = None;
    if flags & HAS_STATIC_ROW != 0 {
        let (after, list) = known.statics.read(rest, table, true)?;
        statics = Some(list);
        rest = after;
    }
    let (mut rest, regulars) = known.regulars.read(rest, table, false)?;
    if flags & HAS_PARTITION_DELETION != 0 {
        let (after, deletion) = epochs.deletion(rest)?;
        update.deletion = deletion;
        rest = after;
    }
    let mut rows = row::Rows { table, epochs, present, mutation };
    if let Some(statics) = &statics {
        let (after, row) = rows.static_row(rest, statics)?;
        update.static_row = Some(row);
        rest = after;
    }
    if flags & HAS_ROW_ESTIMATE != 0 {
        rest = bytes::uvint(rest)?.0;
    }
    let mut end;
    (rest, end) = rows.unfiltereds(rest, &regulars, parts)?;
    while !end {
        update.unfiltereds.end = rows.mutation.unfiltereds.len();
        rows.mutation.updates.push(update);
        if !parts.take(rows.mutation) {
            return Ok(&[]);
        }
        update =
            PartitionUpdate { table, partition_key, deletion: None, static_row: None, unfiltereds: 0..0 };
        (rest, end) = rows.unfiltereds(rest, &regulars, parts)?;
    }
    update.unfiltereds.end = mutation.unfiltereds.len();
    mutation.updates.push(update);
    Ok(rest)
}

/// The deletion that is none: `i64::MIN`. Its local time differs between versions and is not looked at.
pub(super) fn live(deletion: Deletion) -> Option<Deletion> {
    (deletion.ts_us != i64::MIN).then_some(deletion)
}
