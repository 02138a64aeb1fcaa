//! The value of an expression for one row.

use super::{Expr, Function, Literal, Operator};
use crate::jobs::value::Value;

/// What an expression looks at.
pub trait Row {
    /// The typed value of a column; None is NULL.
    fn column(&self, column: usize) -> Option<Value<'_>>;
    /// The record's Kafka timestamp in milliseconds.
    fn kafka_time(&self) -> i64;
    /// Whether the payload is an object.
    fn is_object(&self) -> bool;
    /// Whether the payload carries the column's field.
    fn is_carried(&self, column: usize) -> bool;
    /// Whether the field's content is no value of the column's type.
    fn is_untyped(&self, column: usize) -> bool;
    /// Whether the record's write time is known.
    fn has_write_time(&self) -> bool;
}

impl Literal {
    /// The value.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::Text(text.as_str().into()),
            Self::Integer(number) => Value::Integer(*number),
            Self::Decimal(number) => Value::Decimal(*number),
            Self::Double(number) => Value::Double(*number),
            Self::Boolean(on) => Value::Boolean(*on),
            Self::Timestamp(ms) => Value::Timestamp(*ms),
            Self::Date(days) => Value::Date(*days),
            Self::Time(ns) => Value::Time(*ns),
        }
    }
}

impl Expr {
    /// The truth of a condition: TRUE, FALSE, or None for NULL.
    #[must_use]
    pub fn truth<'v>(&'v self, row: &'v dyn Row) -> Option<bool> {
        match self.value(row)? {
            Value::Boolean(on) => Some(on),
            _ => None,
        }
    }

    /// The value; None is NULL.
    #[must_use]
    pub fn value<'v>(&'v self, row: &'v dyn Row) -> Option<Value<'v>> {
        let boolean = |on: bool| Some(Value::Boolean(on));
        match self {
            Self::Column(column) => row.column(*column),
            Self::KafkaTime => Some(Value::Timestamp(row.kafka_time())),
            Self::Literal(literal) => Some(literal.value()),
            Self::IsObject => boolean(row.is_object()),
            Self::IsCarried(column) => boolean(row.is_carried(*column)),
            Self::IsUntyped(column) => boolean(row.is_untyped(*column)),
            Self::HasWriteTime => boolean(row.has_write_time()),
            Self::Not(inner) => inner.truth(row).map(|on| Value::Boolean(!on)),
            Self::And(parts) => all(parts, row, false).map(Value::Boolean),
            Self::Or(parts) => all(parts, row, true).map(Value::Boolean),
            Self::IsNull(inner) => boolean(inner.value(row).is_none()),
            Self::IsTrue(inner) => boolean(inner.truth(row) == Some(true)),
            Self::IsFalse(inner) => boolean(inner.truth(row) == Some(false)),
            Self::Compare { by, left, right } => boolean(by.holds(&left.value(row)?, &right.value(row)?)),
            Self::InList { value, list } => {
                let value = value.value(row)?;
                let same =
                    |literal: &Literal| crate::jobs::value::Comparison::Equal.holds(&value, &literal.value());
                boolean(list.iter().any(same))
            }
            Self::Matches { value, pattern } => match value.value(row)? {
                Value::Text(text) => boolean(pattern.is_in(&text)),
                _ => None,
            },
            Self::Arithmetic { by, left, right } => arithmetic(*by, &left.value(row)?, &right.value(row)?),
            Self::ToDouble(inner) => match inner.value(row)? {
                Value::Integer(number) => Some(Value::Double(to_double(number))),
                _ => None,
            },
            Self::Call(function, arguments) => call(*function, arguments, row),
            Self::AddSeconds { value, seconds } => match value.value(row)? {
                Value::Timestamp(ms) => Some(Value::Timestamp(ms.saturating_add(i64::from(*seconds) * 1000))),
                _ => None,
            },
            Self::Case { branches, otherwise } => {
                let branch = branches.iter().find(|(condition, _)| condition.truth(row) == Some(true));
                branch.map(|(_, value)| value).or(otherwise.as_deref())?.value(row)
            }
        }
    }
}

/// `AND` when `decides` is false, `OR` when it is true: one part that decides is enough, else a NULL makes NULL.
fn all(parts: &[Expr], row: &dyn Row, decides: bool) -> Option<bool> {
    let mut result = Some(!decides);
    for part in parts {
        match part.truth(row) {
            Some(on) if on == decides => return Some(decides),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}

fn arithmetic<'v>(by: Operator, left: &Value<'_>, right: &Value<'_>) -> Option<Value<'v>> {
    match (left, right) {
        // As Java's long.
        (Value::Integer(a), Value::Integer(b)) => match by {
            Operator::Add => Some(Value::Integer(a.wrapping_add(*b))),
            Operator::Subtract => Some(Value::Integer(a.wrapping_sub(*b))),
            Operator::Multiply => Some(Value::Integer(a.wrapping_mul(*b))),
            Operator::Divide => None,
        },
        (Value::Double(a), Value::Double(b)) => Some(Value::Double(match by {
            Operator::Add => a + b,
            Operator::Subtract => a - b,
            Operator::Multiply => a * b,
            Operator::Divide => a / b,
        })),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "rounds to the nearest double, as Java does")]
fn to_double(number: i64) -> f64 {
    number as f64
}

fn call<'v>(function: Function, arguments: &'v [Expr], row: &'v dyn Row) -> Option<Value<'v>> {
    if function == Function::Coalesce {
        return arguments.iter().find_map(|argument| argument.value(row));
    }
    match (function, arguments.first()?.value(row)?) {
        (Function::CharLength, Value::Text(text)) => {
            i64::try_from(text.chars().count()).ok().map(Value::Integer)
        }
        (Function::Trim, Value::Text(text)) => Some(Value::Text(text.trim_matches(' ').to_owned().into())),
        (Function::Abs, Value::Integer(number)) => Some(Value::Integer(number.wrapping_abs())),
        (Function::Abs, Value::Double(number)) => Some(Value::Double(number.abs())),
        _ => None,
    }
}
