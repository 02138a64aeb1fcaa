//! What rules find in the view of the typed values.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::names::{self, IS_OBJECT, KAFKA_TS, WRITE_TIME_US};
use crate::jobs::column::{Column, Shape};
use crate::jobs::expression::{Dialect, quoted};

/// Names of the columns, and which of them were asked whether they are carried.
pub(super) struct Names<'c> {
    columns: &'c [Column],
    carried: RefCell<BTreeSet<usize>>,
}

impl<'c> Names<'c> {
    pub(super) fn new(columns: &'c [Column]) -> Self {
        Self { columns, carried: RefCell::default() }
    }

    /// The columns that some expression asked for whether they are carried.
    pub(super) fn carried(&self) -> Vec<&'c Column> {
        self.carried.borrow().iter().filter_map(|number| self.columns.get(*number)).collect()
    }

    fn of(&self, column: usize, sql: impl Fn(&'c Column) -> String) -> String {
        // Rules that were read name no other columns.
        self.columns.get(column).map_or_else(|| "NULL".to_owned(), sql)
    }
}

impl Dialect for Names<'_> {
    fn column(&self, column: usize) -> String {
        self.of(column, |column| quoted(&column.name))
    }

    fn kafka_time(&self) -> String {
        quoted(KAFKA_TS)
    }

    fn is_object(&self) -> String {
        quoted(IS_OBJECT)
    }

    fn is_carried(&self, column: usize) -> String {
        self.carried.borrow_mut().insert(column);
        self.of(column, |column| quoted(&names::carried(column)))
    }

    fn has_write_time(&self) -> String {
        format!("({} IS NOT NULL)", quoted(WRITE_TIME_US))
    }

    fn is_untyped(&self, column: usize) -> String {
        self.of(column, |column| match column.shape {
            // Whatever is there is a value.
            Shape::Opaque => "FALSE".to_owned(),
            _ => format!(
                "(({text} IS NOT NULL AND {value} IS NULL) OR {nested})",
                text = quoted(&names::text(column)),
                value = quoted(&column.name),
                nested = quoted(&names::nested(column)),
            ),
        })
    }
}
