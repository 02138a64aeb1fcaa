//! One record and the rules of its table → a verdict. The same record always gets the same verdict: nothing looks at
//! the clock.

use std::borrow::Cow;

use super::column::{Column, ColumnSource};
use super::expression::Row;
use super::record::{Change, Field, Record, change, object, write_time_us};
use super::rules::{Check, OnNull, Rule, Severity, Source, TableRules, Version};
use super::seen::{Question, Seen};
use super::value::Value;

/// What the rules say of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict<'v> {
    /// No rule of severity `fail` is broken.
    Valid {
        /// Ids of the broken rules of severity `warn`, in the order of the rules.
        warnings: Vec<&'v str>,
        /// The value of each column, in the order of the rules' columns; None is NULL. Of a CDC record also what the
        /// change does not carry; a row hash is not computed here.
        row: Vec<Option<Value<'v>>>,
    },
    /// Some are.
    Invalid {
        /// Their ids, in the order of the rules; at least one.
        failed: Vec<&'v str>,
        /// Ids of the broken rules of severity `warn`.
        warnings: Vec<&'v str>,
    },
    /// A record of a CDC topic that holds no row: a deletion, a range, a heartbeat, a tombstone.
    NotJudged,
}

/// A payload's row.
pub(super) struct Parsed<'p> {
    values: Vec<Option<Value<'p>>>,
    carried: Vec<bool>,
    untyped: Vec<bool>,
    is_object: bool,
    has_write_time: bool,
    kafka_time: i64,
    partition: i32,
}

impl Row for Parsed<'_> {
    fn column(&self, column: usize) -> Option<Value<'_>> {
        self.values.get(column)?.clone()
    }

    fn kafka_time(&self) -> i64 {
        self.kafka_time
    }

    fn is_object(&self) -> bool {
        self.is_object
    }

    fn is_carried(&self, column: usize) -> bool {
        self.carried.get(column).copied().unwrap_or(false)
    }

    fn is_untyped(&self, column: usize) -> bool {
        self.untyped.get(column).copied().unwrap_or(false)
    }

    fn has_write_time(&self) -> bool {
        self.has_write_time
    }
}

impl TableRules {
    /// The verdict on a record. `seen` is what the `unique` rules remember.
    pub fn judge<'v>(&'v self, record: &Record<'v>, seen: &mut dyn Seen) -> Verdict<'v> {
        let text = match (record.payload, &self.source) {
            (None, Source::Cdc { .. }) => return Verdict::NotJudged,
            (payload, _) => payload.and_then(|payload| std::str::from_utf8(payload).ok()),
        };
        let fields = match (&self.source, text) {
            (Source::Json { .. }, text) => text,
            (Source::Cdc { .. }, text) => match text.and_then(change) {
                Some(Change::Other) => return Verdict::NotJudged,
                Some(Change::Row(after)) => Some(after),
                None => None,
            },
        };
        let mut row = self.parse(fields, record);
        if self.version == Version::WriteTime {
            row.has_write_time = text.and_then(write_time_us).is_some();
        }
        let (mut failed, mut warnings) = (Vec::new(), Vec::new());
        for (number, rule) in self.rules.iter().enumerate() {
            if self.is_broken(number, rule, &row, seen) {
                match rule.severity {
                    Severity::Fail => failed.push(rule.id.as_str()),
                    Severity::Warn => warnings.push(rule.id.as_str()),
                }
            }
        }
        if failed.is_empty() {
            Verdict::Valid { warnings, row: row.values }
        } else {
            Verdict::Invalid { failed, warnings }
        }
    }

    pub(super) fn parse<'p>(&self, text: Option<&'p str>, record: &Record<'_>) -> Parsed<'p> {
        let fields = text.and_then(|text| {
            object(text, self.columns.len(), &|name, found| {
                for (number, column) in self.columns.iter().enumerate() {
                    if matches!(&column.source, ColumnSource::Field(field) if field == name) {
                        found(number);
                    }
                }
            })
        });
        let is_object = fields.is_some();
        let fields = fields.unwrap_or_else(|| vec![Field::Missing; self.columns.len()]);
        let carried = fields.iter().map(|field| *field != Field::Missing).collect();
        let read = |(column, field)| typed(column, field);
        let (values, untyped) = self.columns.iter().zip(fields).map(read).unzip();
        let (kafka_time, partition) = (record.timestamp_ms, record.partition);
        Parsed { values, carried, untyped, is_object, has_write_time: false, kafka_time, partition }
    }

    /// Whether a rule is broken. What is no object breaks `json` and nothing else.
    fn is_broken(&self, number: usize, rule: &Rule, row: &Parsed<'_>, seen: &mut dyn Seen) -> bool {
        let is_about_object =
            matches!(&rule.check, Check::Fails(fails) if *fails == super::rules::no_object());
        if !row.is_object && !is_about_object {
            return false;
        }
        if rule.when.as_ref().is_some_and(|when| when.truth(row) != Some(true)) {
            return false;
        }
        let answer = match &rule.check {
            Check::Fails(fails) => fails.truth(row),
            Check::Lookup { column, list, denied } => match row.column(*column) {
                Some(Value::Text(text)) => Some(list.contains(&text) == *denied),
                _ => None,
            },
            Check::Unique { columns, within_s, most } => key(columns, row).map(|values| {
                let within_ms = i64::try_from(within_s.saturating_mul(1000)).unwrap_or(i64::MAX);
                let timestamp_ms = row.kafka_time;
                let (most, partition) = (*most, row.partition);
                let question =
                    Question { rule: number, partition, values: &values, timestamp_ms, within_ms, most };
                seen.is_repeat(&question)
            }),
        };
        answer.unwrap_or(rule.on_null == OnNull::Fail)
    }
}

/// The typed value of a field, and whether it is none of the column's type.
fn typed<'p>(column: &Column, field: Field<'p>) -> (Option<Value<'p>>, bool) {
    let text = match field {
        Field::Missing | Field::Null => return (None, false),
        Field::Nested(json) if column.shape == super::column::Shape::Opaque => Cow::Borrowed(json),
        Field::Nested(_) => return (None, true),
        Field::Scalar(text) => text,
    };
    let value = column.shape.read(text);
    let untyped = value.is_none();
    (value, untyped)
}

/// The values of columns as one text: each with its length before it. None when one of them is NULL.
fn key(columns: &[usize], row: &Parsed<'_>) -> Option<String> {
    let mut key = String::new();
    for column in columns {
        let text = match row.column(*column)? {
            Value::Text(text) | Value::Opaque(text) => text.into_owned(),
            Value::Integer(number) | Value::Timestamp(number) | Value::Date(number) | Value::Time(number) => {
                number.to_string()
            }
            Value::Decimal(number) => number.to_string(),
            Value::Boolean(on) => on.to_string(),
            Value::Double(_) => return None,
        };
        key.push_str(&format!("{}:{text}", text.len()));
    }
    Some(key)
}
