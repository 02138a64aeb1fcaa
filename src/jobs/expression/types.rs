//! Types of operands: what compares with what, and which conversions stand between.

use super::{Expr, Literal};
use crate::jobs::decimal::Decimal;
use crate::jobs::value::Type;

/// A node and its type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Typed {
    pub(super) expr: Expr,
    pub(super) value_type: Type,
}

impl Typed {
    pub(super) fn new(expr: Expr, value_type: Type) -> Self {
        Self { expr, value_type }
    }

    pub(super) fn literal(literal: Literal) -> Self {
        let value_type = literal.value_type();
        Self { expr: Expr::Literal(literal), value_type }
    }

    /// As a double: literals become doubles themselves, whole numbers are cast. None of a decimal column: how Flink
    /// rounds it is not ours to repeat.
    fn into_double(self) -> Option<Self> {
        let expr = match (self.value_type, self.expr) {
            (Type::Double, expr) => expr,
            (Type::Integer, Expr::Literal(Literal::Integer(number))) => {
                Expr::Literal(Literal::Double(number.to_string().parse().ok()?))
            }
            (Type::Decimal, Expr::Literal(Literal::Decimal(number))) => {
                Expr::Literal(Literal::Double(number.to_string().parse().ok()?))
            }
            (Type::Integer, expr) => Expr::ToDouble(Box::new(expr)),
            _ => return None,
        };
        Some(Self { expr, value_type: Type::Double })
    }
}

/// Brings two operands to one type, as SQL does; `Err` says what to do.
pub(super) fn unify(left: Typed, right: Typed) -> Result<(Typed, Typed), String> {
    let (a, b) = (left.value_type, right.value_type);
    let complaint = || format!("{a} and {b} do not go together{}", hint(a, b));
    match (a, b) {
        (Type::Opaque, _) | (_, Type::Opaque) => {
            Err("a collection or user-defined type has no operations but IS NULL".to_owned())
        }
        (a, b) if a == b => Ok((left, right)),
        (Type::Integer, Type::Decimal) | (Type::Decimal, Type::Integer) => Ok((left, right)),
        (Type::Double, Type::Integer | Type::Decimal) | (Type::Integer | Type::Decimal, Type::Double) => {
            match (left.into_double(), right.into_double()) {
                (Some(left), Some(right)) => Ok((left, right)),
                _ => Err(complaint()),
            }
        }
        _ => Err(complaint()),
    }
}

fn hint(a: Type, b: Type) -> &'static str {
    let has = |wanted: Type| a == wanted || b == wanted;
    if has(Type::Timestamp) {
        ": write TIMESTAMP '2025-01-31 12:00:00'"
    } else if has(Type::Date) {
        ": write DATE '2025-01-31'"
    } else if has(Type::Text) {
        ": a text stands in single quotes, a number does not"
    } else {
        ""
    }
}

/// The literal of a number as it is written: whole, with a point, or with an exponent.
pub(super) fn number(text: &str) -> Option<Literal> {
    if text.contains(['e', 'E']) {
        return text.parse().ok().filter(|number: &f64| number.is_finite()).map(Literal::Double);
    }
    if let Some((_, fraction)) = text.split_once('.') {
        let scale = u8::try_from(fraction.len()).ok()?;
        return Decimal::parse(text, crate::jobs::decimal::MAX_PRECISION, scale).map(Literal::Decimal);
    }
    text.parse().ok().map(Literal::Integer)
}
