//! What the rules compare a column with: values around it break rules, or just keep them.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::row::Cell;
use super::text;
use crate::jobs::column::Column;
use crate::jobs::decimal::Decimal;
use crate::jobs::expression::{Expr, Function, Literal};
use crate::jobs::pattern::Pattern;
use crate::jobs::rules::{Check, TableRules};
use crate::jobs::value::Type;

/// Longest text that is made to meet a length.
const LONGEST: i64 = 100_000;

/// What the rules say of a column.
#[derive(Debug, Clone, Default)]
pub(super) struct Interest {
    /// Values of its type.
    literals: Vec<Literal>,
    /// Lengths of its text, in code points.
    lengths: Vec<i64>,
    /// Patterns of its text.
    patterns: Vec<Pattern>,
    /// Seconds after the record's timestamp.
    seconds: Vec<i64>,
    /// Columns of the same type that it is compared with.
    peers: Vec<usize>,
}

impl Interest {
    /// Of each column.
    pub(super) fn of_columns(rules: &TableRules) -> Vec<Self> {
        let mut all = vec![Self::default(); rules.columns.len()];
        for rule in &rules.rules {
            let looked_at = rule.failing().into_iter().chain(rule.when.clone());
            looked_at.for_each(|expr| Self::add(&mut all, rules, &expr));
            if let Check::Lookup { column, list, .. } = &rule.check
                && let Some(interest) = all.get_mut(*column)
            {
                interest.literals.extend(list.values.iter().cloned().map(Literal::Text));
            }
        }
        all
    }

    fn add(all: &mut [Self], rules: &TableRules, expr: &Expr) {
        let mut found = Self::default();
        let mut has_length = false;
        expr.visit(&mut |node| match node {
            Expr::Literal(literal) => found.literals.push(literal.clone()),
            Expr::InList { list, .. } => found.literals.extend(list.iter().cloned()),
            Expr::Matches { pattern, .. } => found.patterns.push(pattern.clone()),
            Expr::AddSeconds { seconds, .. } => found.seconds.push((*seconds).into()),
            Expr::Call(Function::CharLength, _) => has_length = true,
            _ => {}
        });
        let columns = expr.columns();
        for number in &columns {
            let (Some(column), Some(interest)) = (rules.columns.get(*number), all.get_mut(*number)) else {
                continue;
            };
            let own = column.shape.value_type();
            let typed = found.literals.iter().filter(|literal| literal.value_type() == own).cloned();
            interest.literals.extend(typed);
            match own {
                Type::Text => {
                    interest.patterns.extend(found.patterns.iter().cloned());
                    let lengths = found.literals.iter().filter_map(|literal| match literal {
                        Literal::Integer(number) if has_length => Some(*number),
                        _ => None,
                    });
                    interest.lengths.extend(lengths);
                }
                Type::Timestamp => interest.seconds.extend(&found.seconds),
                _ => {}
            }
            let is_peer = |other: &&usize| {
                *other != number
                    && rules.columns.get(**other).is_some_and(|other| other.shape.value_type() == own)
            };
            interest.peers.extend(columns.iter().filter(is_peer));
        }
    }

    /// A value at or beside one that the rules name; None when they name none.
    pub(super) fn draw(
        &self,
        column: &Column,
        row: &[Cell],
        timestamp_ms: i64,
        random: &mut ChaCha8Rng,
    ) -> Option<Cell> {
        let mut choices: Vec<Literal> = Vec::new();
        if let Some(literal) = self.literals.choose(random) {
            choices.push(literal.clone());
        }
        if let Some(length) = self.lengths.choose(random) {
            choices
                .push(Literal::Text(of_length(length.saturating_add(random.random_range(-1..=1)), random)));
        }
        if let Some(held) = self.patterns.choose(random).and_then(|pattern| text::holding(pattern, random)) {
            choices.push(Literal::Text(held));
        }
        if let Some(seconds) = self.seconds.choose(random) {
            let ms = timestamp_ms.saturating_add(seconds.saturating_mul(1000));
            choices.push(Literal::Timestamp(ms));
        }
        let peer = self.peers.choose(random).and_then(|peer| row.get(*peer));
        if let Some(Cell::Value(value)) = peer
            && value.value_type() == column.shape.value_type()
        {
            choices.push(value.clone());
        }
        choices.choose(random).map(|value| Cell::Value(beside(value, random)))
    }
}

/// The value itself, or one a little before or after it.
fn beside(value: &Literal, random: &mut ChaCha8Rng) -> Literal {
    let step: i64 = random.random_range(-1..=1);
    let far = if random.random() { 1 } else { 1000 };
    match value {
        Literal::Integer(number) => Literal::Integer(number.saturating_add(step)),
        Literal::Double(number) => Literal::Double(match step {
            0 => *number,
            step if step < 0 => number - 0.5 * f64::from(far),
            _ => number + 0.5 * f64::from(far),
        }),
        Literal::Timestamp(ms) => Literal::Timestamp(ms.saturating_add(step * i64::from(far))),
        Literal::Date(days) => Literal::Date(days.saturating_add(step)),
        Literal::Time(ns) => Literal::Time(ns.saturating_add(step).clamp(0, 86_399_999_999_999)),
        Literal::Decimal(number) => Literal::Decimal(next_to(*number, step)),
        Literal::Boolean(on) => Literal::Boolean(*on ^ (step != 0)),
        Literal::Text(text) if step > 0 => Literal::Text(format!("{text}x")),
        Literal::Text(text) => Literal::Text(text.clone()),
    }
}

/// One more or less in the digit of the ones.
fn next_to(number: Decimal, step: i64) -> Decimal {
    let text = number.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let scale = u8::try_from(fraction.len()).unwrap_or(0);
    let moved = whole.parse::<i128>().ok().and_then(|whole| whole.checked_add(step.into()));
    let moved = moved.map(|whole| if scale == 0 { whole.to_string() } else { format!("{whole}.{fraction}") });
    moved.and_then(|text| Decimal::parse(&text, crate::jobs::decimal::MAX_PRECISION, scale)).unwrap_or(number)
}

/// Letters and digits, so many.
fn of_length(length: i64, random: &mut ChaCha8Rng) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |_| char::from(LETTERS.choose(random).copied().unwrap_or(b'x'));
    (0..length.clamp(0, LONGEST)).map(letter).collect()
}
