//! A row of a payload, while it is being made.

use crate::jobs::calendar;
use crate::jobs::column::{Column, ColumnSource, Shape, TimeForm};
use crate::jobs::expression::Literal;
use crate::jobs::rules::TableRules;

/// The content of a column's field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// The field is not there.
    Missing,
    /// It is null.
    Null,
    /// A value of the column's type.
    Value(Literal),
    /// Any JSON.
    Json(&'static str),
}

/// A payload: a cell for each column, or no object at all.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Row {
    /// An object.
    Cells(Vec<Cell>),
    /// What is no object.
    Other(&'static [u8]),
}

impl Row {
    /// The bytes of the payload: compact JSON, fields in the order of the columns.
    pub(super) fn payload(&self, rules: &TableRules) -> Vec<u8> {
        let cells = match self {
            Self::Cells(cells) => cells,
            Self::Other(bytes) => return bytes.to_vec(),
        };
        let mut fields: Vec<(&str, String)> = Vec::new();
        for (column, cell) in rules.columns.iter().zip(cells) {
            let ColumnSource::Field(name) = &column.source else { continue };
            // Two columns may come from one field.
            if let Some(text) = json(column, cell)
                && !fields.iter().any(|(known, _)| known == name)
            {
                fields.push((name, text));
            }
        }
        object(fields.iter().map(|(name, text)| (*name, text.as_str()))).into_bytes()
    }

    /// Compact JSON of the key's columns; None when one of them has no value.
    pub(super) fn key(&self, rules: &TableRules) -> Option<String> {
        let Self::Cells(cells) = self else { return None };
        let mut fields = Vec::new();
        for number in &rules.key {
            let (column, cell) = (rules.columns.get(*number)?, cells.get(*number)?);
            match cell {
                Cell::Value(_) => fields.push((column.name.as_str(), json(column, cell)?)),
                _ => return None,
            }
        }
        Some(object(fields.iter().map(|(name, text)| (*name, text.as_str()))))
    }
}

fn object<'f>(fields: impl Iterator<Item = (&'f str, &'f str)>) -> String {
    let fields: Vec<String> = fields.map(|(name, text)| format!("{}:{text}", quoted(name))).collect();
    format!("{{{}}}", fields.join(","))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The text of a cell; None when the field is missing.
fn json(column: &Column, cell: &Cell) -> Option<String> {
    match cell {
        Cell::Missing => None,
        Cell::Null => Some("null".to_owned()),
        Cell::Json(text) => Some((*text).to_owned()),
        Cell::Value(value) => Some(value_json(column.shape, value)),
    }
}

/// Decimals are texts: as numbers they would go through a double.
fn value_json(shape: Shape, value: &Literal) -> String {
    let is_epoch = matches!(
        shape,
        Shape::Timestamp(TimeForm::Epoch) | Shape::Date(TimeForm::Epoch) | Shape::Time(TimeForm::Epoch)
    );
    match value {
        Literal::Text(text) => quoted(text),
        Literal::Integer(number) => number.to_string(),
        Literal::Double(number) => serde_json::Value::from(*number).to_string(),
        Literal::Decimal(number) => quoted(&number.to_string()),
        Literal::Boolean(on) => on.to_string(),
        Literal::Timestamp(number) | Literal::Date(number) | Literal::Time(number) if is_epoch => {
            number.to_string()
        }
        Literal::Timestamp(ms) => quoted(&(calendar::write_timestamp(*ms).replace(' ', "T") + "Z")),
        Literal::Date(days) => quoted(&calendar::write_date(*days)),
        Literal::Time(ns) => quoted(&time_of_day(*ns)),
    }
}

fn time_of_day(ns: i64) -> String {
    let seconds = ns / 1_000_000_000;
    format!("{:02}:{:02}:{:02}.{:09}", seconds / 3600, seconds / 60 % 60, seconds % 60, ns % 1_000_000_000)
}
