//! Expressions over the columns of a record: one small tree that is read from a rule's text, evaluated here, and
//! printed as Flink SQL.
//!
//! The tree is typed when it is made: operands have the types that SQL would give them, conversions are nodes of
//! their own. Logic has three values; NULL is [`None`].

mod evaluate;
mod lexer;
mod parse;
mod sql;
#[cfg(test)]
mod tests;
mod types;

use super::decimal::Decimal;
use super::pattern::Pattern;
use super::value::{Comparison, Type};

pub use evaluate::Row;
pub use parse::{ExpressionError, KAFKA_TIME, Scope, parse};
pub use sql::{Dialect, PLACE, quoted, sql_text};

/// A node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// The typed value of a column, by its number in the rules.
    Column(usize),
    /// The record's Kafka timestamp.
    KafkaTime,
    /// A value.
    Literal(Literal),
    /// The payload is what its source promises: a JSON object. Never NULL.
    IsObject,
    /// The payload carries the column's field, null or not. Never NULL.
    IsCarried(usize),
    /// The field has content that is no value of the column's type. Never NULL.
    IsUntyped(usize),
    /// The agent's record says when its row was written, in a form that Cassandra takes. Never NULL.
    HasWriteTime,
    /// `NOT`
    Not(Box<Self>),
    /// `AND` of at least one.
    And(Vec<Self>),
    /// `OR` of at least one.
    Or(Vec<Self>),
    /// `IS NULL`; never NULL.
    IsNull(Box<Self>),
    /// `IS TRUE`; never NULL.
    IsTrue(Box<Self>),
    /// `IS FALSE`; never NULL.
    IsFalse(Box<Self>),
    /// Two values of one type.
    Compare {
        /// How.
        by: Comparison,
        /// On the left.
        left: Box<Self>,
        /// On the right.
        right: Box<Self>,
    },
    /// `IN (…)` with values of one type.
    InList {
        /// What is looked for.
        value: Box<Self>,
        /// Where; at least one.
        list: Vec<Literal>,
    },
    /// `REGEXP(text, pattern)`
    Matches {
        /// The text.
        value: Box<Self>,
        /// What is looked for in it.
        pattern: Pattern,
    },
    /// Two numbers of one type, `BIGINT` (which wraps around) or `DOUBLE`.
    Arithmetic {
        /// How.
        by: Operator,
        /// On the left.
        left: Box<Self>,
        /// On the right.
        right: Box<Self>,
    },
    /// `CAST(… AS DOUBLE)` of a whole number.
    ToDouble(Box<Self>),
    /// A function.
    Call(Function, Vec<Self>),
    /// `TIMESTAMPADD(SECOND, seconds, timestamp)`
    AddSeconds {
        /// The timestamp.
        value: Box<Self>,
        /// May be negative.
        seconds: i32,
    },
    /// `CASE WHEN condition THEN value … ELSE value END`
    Case {
        /// Conditions and values; the first that is TRUE counts.
        branches: Vec<(Self, Self)>,
        /// What counts otherwise; without it NULL.
        otherwise: Option<Box<Self>>,
    },
}

/// A value in an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// Whole number.
    Integer(i64),
    /// Decimal number.
    Decimal(Decimal),
    /// Double.
    Double(f64),
    /// Truth value.
    Boolean(bool),
    /// Milliseconds since the epoch.
    Timestamp(i64),
    /// Days since the epoch.
    Date(i64),
    /// Nanoseconds of the day.
    Time(i64),
}

impl Literal {
    /// Its type.
    #[must_use]
    pub fn value_type(&self) -> Type {
        match self {
            Self::Text(_) => Type::Text,
            Self::Integer(_) => Type::Integer,
            Self::Decimal(_) => Type::Decimal,
            Self::Double(_) => Type::Double,
            Self::Boolean(_) => Type::Boolean,
            Self::Timestamp(_) => Type::Timestamp,
            Self::Date(_) => Type::Date,
            Self::Time(_) => Type::Time,
        }
    }
}

/// An operator between numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, of doubles alone.
    Divide,
}

/// A function of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `CHAR_LENGTH(text)`: code points.
    CharLength,
    /// `TRIM(text)`: without the spaces (U+0020) at both ends.
    Trim,
    /// `ABS(number)`
    Abs,
    /// `COALESCE(value, value, …)`: the first that is not NULL.
    Coalesce,
}

impl Expr {
    /// `a <by> b`
    #[must_use]
    pub fn compare(by: Comparison, left: Self, right: Self) -> Self {
        Self::Compare { by, left: Box::new(left), right: Box::new(right) }
    }

    /// `NOT a`
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// The columns that it looks at, in ascending order.
    #[must_use]
    pub fn columns(&self) -> Vec<usize> {
        let mut found = Vec::new();
        self.collect_columns(&mut found);
        found.sort_unstable();
        found.dedup();
        found
    }

    fn collect_columns(&self, found: &mut Vec<usize>) {
        self.visit(&mut |node| {
            if let Self::Column(column) | Self::IsCarried(column) | Self::IsUntyped(column) = node {
                found.push(*column);
            }
        });
    }

    /// Calls the function with each node, from the root on.
    pub fn visit<'e>(&'e self, see: &mut dyn FnMut(&'e Self)) {
        see(self);
        match self {
            Self::Column(_)
            | Self::IsCarried(_)
            | Self::IsUntyped(_)
            | Self::KafkaTime
            | Self::HasWriteTime
            | Self::Literal(_)
            | Self::IsObject => {}
            Self::Not(inner)
            | Self::IsNull(inner)
            | Self::IsTrue(inner)
            | Self::IsFalse(inner)
            | Self::ToDouble(inner)
            | Self::InList { value: inner, .. }
            | Self::Matches { value: inner, .. }
            | Self::AddSeconds { value: inner, .. } => inner.visit(see),
            Self::And(parts) | Self::Or(parts) | Self::Call(_, parts) => {
                parts.iter().for_each(|part| part.visit(see));
            }
            Self::Compare { left, right, .. } | Self::Arithmetic { left, right, .. } => {
                left.visit(see);
                right.visit(see);
            }
            Self::Case { branches, otherwise } => {
                for (condition, value) in branches {
                    condition.visit(see);
                    value.visit(see);
                }
                if let Some(value) = otherwise {
                    value.visit(see);
                }
            }
        }
    }
}
