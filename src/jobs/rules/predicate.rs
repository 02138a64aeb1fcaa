//! The failing predicates of the rules. docs/rules.md has the same as Flink SQL.

use crate::jobs::expression::{Expr, Literal};
use crate::jobs::pattern::Pattern;
use crate::jobs::rules::model::{OnNull, VersionUnit};
use crate::jobs::value::Comparison;

fn column(number: usize) -> Expr {
    Expr::Column(number)
}

/// The predicate of `json`: the payload is no object.
#[must_use]
pub fn json() -> Expr {
    Expr::IsObject.negated()
}

/// The payload lacks the field; null is there.
pub(super) fn required(number: usize) -> Expr {
    Expr::IsCarried(number).negated()
}

/// The field is missing or null. A value of another type is there, and breaks `type` alone. With `changes` only a null
/// that is carried counts: what a change of a CDC topic does not touch is not known.
pub(super) fn not_null(number: usize, changes: bool) -> Expr {
    let mut parts = vec![Expr::IsNull(Box::new(column(number))), Expr::IsUntyped(number).negated()];
    if changes {
        parts.push(Expr::IsCarried(number));
    }
    Expr::And(parts)
}

/// The field's content is no value of the type.
pub(super) fn type_of(number: usize) -> Expr {
    Expr::IsUntyped(number)
}

/// The agent's record does not say when its row was written.
pub(super) fn unwritten() -> Expr {
    Expr::HasWriteTime.negated()
}

/// A version that is no write time: beyond 64 bits of microseconds, or Cassandra's mark of no time at all.
pub(super) fn no_write_time(number: usize, unit: VersionUnit) -> Option<Expr> {
    let most = match unit {
        VersionUnit::Millis => i64::MAX / 1000,
        VersionUnit::Micros => i64::MAX,
    };
    let bound = |number| Some(Expr::Literal(Literal::Integer(number)));
    range(number, bound(-most), bound(most).filter(|_| most < i64::MAX), false)
}

/// Outside of the bounds; at them, too, when they are exclusive.
pub(super) fn range(number: usize, least: Option<Expr>, most: Option<Expr>, exclusive: bool) -> Option<Expr> {
    let (below, above) = match exclusive {
        true => (Comparison::LessOrEqual, Comparison::GreaterOrEqual),
        false => (Comparison::Less, Comparison::Greater),
    };
    any(column(number), (below, least), (above, most))
}

/// Shorter or longer, in code points.
pub(super) fn length(number: usize, least: Option<Expr>, most: Option<Expr>) -> Option<Expr> {
    let length = Expr::Call(crate::jobs::expression::Function::CharLength, vec![column(number)]);
    any(length, (Comparison::Less, least), (Comparison::Greater, most))
}

fn any(value: Expr, least: (Comparison, Option<Expr>), most: (Comparison, Option<Expr>)) -> Option<Expr> {
    let bound = |(by, bound): (Comparison, Option<Expr>)| Some(Expr::compare(by, value.clone(), bound?));
    let mut parts: Vec<Expr> = [bound(least), bound(most)].into_iter().flatten().collect();
    if parts.len() < 2 { parts.pop() } else { Some(Expr::Or(parts)) }
}

/// None of the values.
pub(super) fn enumeration(number: usize, list: Vec<Literal>) -> Expr {
    not_in(number, list).negated()
}

/// One of the values.
pub(super) fn not_in(number: usize, list: Vec<Literal>) -> Expr {
    Expr::InList { value: Box::new(column(number)), list }
}

/// The pattern is not in the text.
pub(super) fn regex(number: usize, pattern: Pattern) -> Expr {
    Expr::Matches { value: Box::new(column(number)), pattern }.negated()
}

/// More than so many seconds before the record's Kafka timestamp.
pub(super) fn freshness(number: usize, seconds: i32) -> Expr {
    let limit = Expr::AddSeconds { value: Box::new(Expr::KafkaTime), seconds: seconds.saturating_neg() };
    Expr::compare(Comparison::Less, column(number), limit)
}

/// More than so many seconds after the record's Kafka timestamp.
pub(super) fn future(number: usize, seconds: i32) -> Expr {
    let limit = Expr::AddSeconds { value: Box::new(Expr::KafkaTime), seconds };
    Expr::compare(Comparison::Greater, column(number), limit)
}

/// A rule's predicate with its conditions: what must be TRUE for the rule to fail. What is no object breaks `json`
/// alone.
pub(super) fn with_conditions(fails: Expr, when: Option<&Expr>, on_null: OnNull) -> Expr {
    let fails = match on_null {
        OnNull::Pass => fails,
        OnNull::Fail => Expr::IsFalse(Box::new(fails)).negated(),
    };
    let when = when.map(|when| Expr::IsTrue(Box::new(when.clone())));
    let object = (fails != json()).then_some(Expr::IsObject);
    let mut parts: Vec<Expr> = object.into_iter().chain(when).collect();
    if parts.is_empty() {
        return fails;
    }
    parts.push(fails);
    Expr::And(parts)
}
