//! The annotated bytes of a payload: fields, one after the other, without gaps.

use std::ops::Range;

use crate::primitives::{self as bytes, Parsed};
use crate::schema::TableId;

/// A run of bytes and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Offsets in the payload.
    pub range: Range<usize>,
    /// How deep the field stands: 0 mutation, 1 update, 2 row or range marker, 3 column or cell.
    pub depth: usize,
    /// What the bytes mean. Never holds a value.
    pub meaning: String,
    /// Whether the bytes are a value: part of a key, a clustering value, a cell path or a cell value.
    pub is_value: bool,
    /// What begins with this field.
    pub begins: Option<Part>,
}

/// A part of a mutation that begins with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Partition update.
    Update,
    /// Row, static or not.
    Row,
    /// Range tombstone marker.
    Marker,
    /// Column that is stored as one cell an element.
    Complex,
    /// Cell.
    Cell,
}

/// Where and why the bytes could not be followed any further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Offset in the payload of the first byte without a meaning.
    pub offset: usize,
    /// Why.
    pub reason: String,
}

/// Collects fields while it moves through a payload.
pub(super) struct Cursor<'p> {
    payload: &'p [u8],
    at: usize,
    fields: Vec<Field>,
    depth: usize,
    begins: Option<Part>,
}

pub(super) type Walked<T> = Result<T, Stop>;

impl<'p> Cursor<'p> {
    pub(super) fn new(payload: &'p [u8]) -> Self {
        Self { payload, at: 0, fields: Vec::new(), depth: 0, begins: None }
    }

    pub(super) fn into_fields(self) -> Vec<Field> {
        self.fields
    }

    pub(super) fn left(&self) -> usize {
        self.payload.len() - self.at
    }

    pub(super) fn set_depth(&mut self, depth: usize) {
        self.depth = depth;
    }

    /// Says that the next field begins `part`.
    pub(super) fn begin(&mut self, part: Part, depth: usize) {
        self.begins = Some(part);
        self.depth = depth;
    }

    /// Number of fields so far: where the next one will be.
    pub(super) fn place(&self) -> usize {
        self.fields.len()
    }

    /// Says that the field at `place` begins no part, after all.
    pub(super) fn begins_nothing(&mut self, place: usize) {
        if let Some(field) = self.fields.get_mut(place) {
            field.begins = None;
        }
    }

    /// Stops in front of the bytes that were not given a meaning.
    pub(super) fn stop<T>(&self, reason: impl Into<String>) -> Walked<T> {
        Err(Stop { offset: self.at, reason: reason.into() })
    }

    /// The next byte, not consumed.
    pub(super) fn peek(&self) -> Option<u8> {
        self.payload.get(self.at).copied()
    }

    /// The partition key of the update that begins here, not consumed.
    pub(super) fn next_key(&self) -> Option<&'p [u8]> {
        let (rest, _) = bytes::fixed::<16>(self.payload.get(self.at..)?).ok()?;
        Some(bytes::vbytes(rest).ok()?.1)
    }

    pub(super) fn byte(&mut self, meaning: impl FnOnce(u8) -> String) -> Walked<u8> {
        self.field(bytes::u8, meaning)
    }

    pub(super) fn short(&mut self, meaning: impl FnOnce(u16) -> String) -> Walked<u16> {
        self.field(bytes::u16, meaning)
    }

    pub(super) fn table_id(&mut self, meaning: impl FnOnce(TableId) -> String) -> Walked<TableId> {
        self.field(|input| bytes::fixed(input).map(|(rest, id)| (rest, TableId(id))), meaning)
    }

    pub(super) fn uvint(&mut self, meaning: impl FnOnce(u64) -> String) -> Walked<u64> {
        self.field(bytes::uvint, meaning)
    }

    /// A vint that counts what needs at least one byte each: more than there are bytes left is refused.
    pub(super) fn count(&mut self, meaning: impl FnOnce(u64) -> String) -> Walked<usize> {
        let before = self.at;
        let count = self.uvint(meaning)?;
        match usize::try_from(count) {
            Ok(count) if count <= self.left() => Ok(count),
            _ => {
                Err(Stop { offset: before, reason: format!("{count} is more than the bytes that are left") })
            }
        }
    }

    /// `length` bytes of structure.
    pub(super) fn structure(
        &mut self,
        length: usize,
        meaning: impl FnOnce(&'p [u8]) -> String,
    ) -> Walked<&'p [u8]> {
        self.take(length, meaning, false)
    }

    /// `length` bytes of a value; an empty value is no field.
    pub(super) fn value(&mut self, length: usize, meaning: &str) -> Walked<&'p [u8]> {
        if length == 0 {
            return Ok(&[]);
        }
        self.take(length, |_| meaning.to_owned(), true)
    }

    /// A vint length, then that many bytes of a value.
    pub(super) fn sized_value(&mut self, meaning: &str) -> Walked<&'p [u8]> {
        let length = self.count(|length| format!("length of the {meaning}: {length}"))?;
        self.value(length, meaning)
    }

    fn take(
        &mut self,
        length: usize,
        meaning: impl FnOnce(&'p [u8]) -> String,
        is_value: bool,
    ) -> Walked<&'p [u8]> {
        let Some(bytes) = self.payload.get(self.at..self.at.saturating_add(length)) else {
            return self.stop(format!("{length} bytes are expected, {} are left", self.left()));
        };
        self.push(length, meaning(bytes), is_value);
        Ok(bytes)
    }

    fn field<T: Copy>(
        &mut self,
        parser: impl Fn(&'p [u8]) -> Parsed<'p, T>,
        meaning: impl FnOnce(T) -> String,
    ) -> Walked<T> {
        let rest = self.payload.get(self.at..).unwrap_or_default();
        let Ok((after, value)) = parser(rest) else {
            return self.stop("the payload ends too early");
        };
        self.push(rest.len() - after.len(), meaning(value), false);
        Ok(value)
    }

    fn push(&mut self, length: usize, meaning: String, is_value: bool) {
        let range = self.at..self.at + length;
        self.at = range.end;
        self.fields.push(Field { range, depth: self.depth, meaning, is_value, begins: self.begins.take() });
    }
}
