//! A page of rows as a node sent it: serialised values, of whatever table.

use serde::{Deserialize, Serialize};

/// Of how many replicas rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadConsistency {
    /// `LOCAL_ONE`.
    #[default]
    LocalOne,
    /// `LOCAL_QUORUM`.
    LocalQuorum,
}

/// Rows of one page. The values are in the form of the native protocol from version 3 on, in which Cassandra stores
/// them, too; of a collection or user-defined type it is the one of its frozen form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    bytes: Vec<u8>,
    /// Where each value stands, row by row; `None` is null.
    values: Vec<Option<(usize, usize)>>,
    columns: usize,
    /// From where the next page is asked for; `None` after the last one.
    pub next: Option<Vec<u8>>,
}

impl Page {
    /// A page without rows, of so many columns.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self { columns, ..Self::default() }
    }

    /// Adds the next value of the row at hand.
    pub fn push(&mut self, value: Option<&[u8]>) {
        let place = value.map(|value| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(value);
            (start, self.bytes.len())
        });
        self.values.push(place);
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Memory in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + self.values.capacity() * size_of::<Option<(usize, usize)>>()
    }

    /// A value of a row; `None` is null.
    #[must_use]
    pub fn value(&self, row: usize, column: usize) -> Option<&[u8]> {
        let index = row.checked_mul(self.columns)?.checked_add(column)?;
        let (start, end) = self.values.get(index).copied().flatten()?;
        self.bytes.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_they_were_put() {
        let mut page = Page::new(2);
        for value in [Some(&b"a"[..]), None, Some(b""), Some(b"bc")] {
            page.push(value);
        }
        assert_eq!(page.rows(), 2);
        assert_eq!((page.value(0, 0), page.value(0, 1)), (Some(&b"a"[..]), None));
        assert_eq!((page.value(1, 0), page.value(1, 1)), (Some(&b""[..]), Some(&b"bc"[..])));
        assert_eq!(page.value(2, 0), None);
    }
}
