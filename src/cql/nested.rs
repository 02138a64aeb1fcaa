//! What stands inside a frozen collection, vector, tuple or user-defined type: its parts, each with its type. A part's
//! bytes are looked at when it is visited.

use super::types::CqlType;
use super::value::{ValueError, cut};
use crate::primitives::{self, Parsed};

/// Elements of a frozen collection or vector, each with its type.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    rest: &'a [u8],
    left: usize,
    odd: bool,
    first: &'a CqlType,
    second: &'a CqlType,
    length: ElementLength,
}

#[derive(Debug, Clone, Copy)]
enum ElementLength {
    /// `i32` before each, negative for null.
    Prefixed,
    /// Vint before each (vectors of types without a fixed length).
    Vint,
    /// None (vectors of types with a fixed length).
    Fixed(usize),
}

/// An element: its type, and its bytes unless it is null.
pub type Element<'a> = (&'a CqlType, Option<&'a [u8]>);

/// `i32` count, then elements; `a_time` of them belong together.
pub(super) fn elements<'a>(
    type_name: &'static str,
    bytes: &'a [u8],
    first: &'a CqlType,
    second: &'a CqlType,
    a_time: usize,
) -> Result<Elements<'a>, ValueError> {
    let (rest, count) = primitives::i32(bytes).map_err(|_| cut(type_name))?;
    // Every element takes at least its own length.
    let left = usize::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(a_time))
        .filter(|count| count.checked_mul(4).is_some_and(|least| least <= rest.len()))
        .ok_or_else(|| cut(type_name))?;
    Ok(Elements { rest, left, odd: false, first, second, length: ElementLength::Prefixed })
}

pub(super) fn vector<'a>(bytes: &'a [u8], element: &'a CqlType, dimension: u32) -> Elements<'a> {
    let length = element.fixed_length().map_or(ElementLength::Vint, ElementLength::Fixed);
    let left = usize::try_from(dimension).unwrap_or(usize::MAX);
    Elements { rest: bytes, left, odd: false, first: element, second: element, length }
}

impl<'a> Elements<'a> {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    fn read(&self) -> Parsed<'a, Option<&'a [u8]>> {
        match self.length {
            ElementLength::Prefixed => prefixed(self.rest),
            ElementLength::Vint => primitives::vbytes(self.rest).map(|(rest, bytes)| (rest, Some(bytes))),
            ElementLength::Fixed(length) => {
                primitives::slice(length)(self.rest).map(|(rest, bytes)| (rest, Some(bytes)))
            }
        }
    }
}

/// `i32` length and that many bytes; a negative length is null.
fn prefixed(input: &[u8]) -> Parsed<'_, Option<&[u8]>> {
    let (rest, length) = primitives::i32(input)?;
    match usize::try_from(length) {
        Ok(length) => primitives::slice(length)(rest).map(|(rest, bytes)| (rest, Some(bytes))),
        Err(_) => Ok((rest, None)),
    }
}

pub(super) const CUT: ValueError = ValueError { type_name: "collection", problem: "it is cut short" };

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, ValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            let over = !std::mem::take(&mut self.rest).is_empty();
            return over
                .then_some(Err(ValueError { type_name: "collection", problem: "bytes are left over" }));
        }
        self.left -= 1;
        let Ok((rest, bytes)) = self.read() else {
            self.left = 0;
            self.rest = &[];
            return Some(Err(CUT));
        };
        self.rest = rest;
        let cql_type = if self.odd { self.second } else { self.first };
        self.odd = !self.odd;
        Some(Ok((cql_type, bytes)))
    }
}

/// Fields of a tuple or user-defined type, each with its type. Missing ones at the end come as null.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
    types: FieldTypes<'a>,
    next: usize,
}

#[derive(Debug, Clone, Copy)]
enum FieldTypes<'a> {
    Tuple(&'a [CqlType]),
    Udt(&'a [(String, CqlType)]),
}

impl<'a> FieldTypes<'a> {
    fn get(self, index: usize) -> Option<&'a CqlType> {
        match self {
            Self::Tuple(types) => types.get(index),
            Self::Udt(fields) => fields.get(index).map(|(_, cql_type)| cql_type),
        }
    }
}

impl<'a> Fields<'a> {
    pub(super) fn of_tuple(bytes: &'a [u8], types: &'a [CqlType]) -> Self {
        Self { rest: bytes, types: FieldTypes::Tuple(types), next: 0 }
    }

    pub(super) fn of_udt(bytes: &'a [u8], fields: &'a [(String, CqlType)]) -> Self {
        Self { rest: bytes, types: FieldTypes::Udt(fields), next: 0 }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Element<'a>, ValueError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(cql_type) = self.types.get(self.next) else {
            let over = !std::mem::take(&mut self.rest).is_empty();
            let problem = "it has more fields than the schema says";
            return over.then_some(Err(ValueError { type_name: "tuple or user-defined type", problem }));
        };
        self.next += 1;
        if self.rest.is_empty() {
            return Some(Ok((cql_type, None)));
        }
        match prefixed(self.rest) {
            Ok((rest, bytes)) => {
                self.rest = rest;
                Some(Ok((cql_type, bytes)))
            }
            Err(_) => {
                self.next = usize::MAX;
                self.rest = &[];
                Some(Err(ValueError { type_name: "tuple or user-defined type", problem: "it is cut short" }))
            }
        }
    }
}
