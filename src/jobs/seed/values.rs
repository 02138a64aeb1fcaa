//! Values of a type, and what is none.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::row::Cell;
use crate::jobs::column::{Column, Shape};
use crate::jobs::decimal::Decimal;
use crate::jobs::expression::Literal;

const WORDS: [&str; 12] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor", "iris", "juniper", "kestrel",
    "lagoon",
];

/// JSON that is no value of most types.
const NO_VALUES: [&str; 8] = [
    "{\"nested\":true}",
    "[1,2]",
    "\"not a value\"",
    "\" 12 \"",
    "true",
    "12.75",
    "\"2025-02-30T00:00:00Z\"",
    "\"\"",
];

/// What a value is made for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// The seed, so that keys of two seeds differ.
    pub(super) seed: u64,
    /// The number of the record.
    pub(super) number: u64,
    /// Its timestamp, milliseconds since the epoch.
    pub(super) timestamp_ms: i64,
}

/// A value as the column often has it; of a key's column another one for each record, as far as the type allows.
pub(super) fn typical(column: &Column, is_key: bool, moment: Moment, random: &mut ChaCha8Rng) -> Cell {
    let value = match column.shape {
        Shape::Text | Shape::Ascii if is_key => {
            Literal::Text(format!("{}-{:06}", moment.seed, moment.number))
        }
        Shape::Text | Shape::Ascii => {
            let word = WORDS.choose(random).copied().unwrap_or_default();
            Literal::Text(format!("{word}-{}", random.random_range(0..1000)))
        }
        Shape::Integer { least, most } if is_key => {
            let wide = i64::try_from(moment.seed.wrapping_mul(1_000_003).wrapping_add(moment.number) >> 1);
            Literal::Integer(between(wide.unwrap_or(0), least.max(0), most))
        }
        Shape::Integer { least, most } => Literal::Integer(random.random_range(0..1000).clamp(least, most)),
        Shape::Decimal { precision, scale } => decimal(random.random_range(0..100_000), precision, scale),
        Shape::Double | Shape::Float => {
            Literal::Double(f64::from(random.random_range(0..100_000_u32)) / 100.0)
        }
        Shape::Boolean => Literal::Boolean(random.random()),
        Shape::Timestamp(_) => {
            Literal::Timestamp(moment.timestamp_ms.saturating_sub(random.random_range(0..60_000)))
        }
        Shape::Date(_) => Literal::Date(moment.timestamp_ms.div_euclid(86_400_000)),
        Shape::Time(_) => Literal::Time(random.random_range(0..86_400_000_000_000)),
        Shape::Uuid(version) => Literal::Text(uuid(version.unwrap_or('4'), random)),
        Shape::Base64 => {
            let mut bytes = vec![0; random.random_range(0..16)];
            random.fill(bytes.as_mut_slice());
            Literal::Text(STANDARD.encode(bytes))
        }
        Shape::Opaque => return Cell::Json("[\"amber\"]"),
    };
    Cell::Value(value)
}

/// A number between two, each about as often.
fn between(number: i64, least: i64, most: i64) -> i64 {
    let span = most.saturating_sub(least).saturating_add(1).max(1);
    least.saturating_add(number.rem_euclid(span))
}

fn decimal(cents: i64, precision: u8, scale: u8) -> Literal {
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    let number = Decimal::parse(&text, precision, scale).or_else(|| Decimal::parse("0", precision, scale));
    Literal::Decimal(number.unwrap_or_else(|| Decimal::from(0)))
}

fn uuid(version: char, random: &mut ChaCha8Rng) -> String {
    let mut digits = String::new();
    for number in random.random::<[u8; 16]>() {
        digits.push_str(&format!("{number:02x}"));
    }
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-{version}{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

/// JSON that is no value of the column's type; of a text nearly everything is one.
pub(super) fn no_value(shape: Shape, random: &mut ChaCha8Rng) -> Cell {
    let nested = NO_VALUES.get(..2).unwrap_or_default();
    let from = if matches!(shape, Shape::Text | Shape::Ascii) { nested } else { &NO_VALUES };
    Cell::Json(from.choose(random).copied().unwrap_or("[]"))
}

/// Payloads that are no object.
pub(super) fn no_object(is_json_only: bool, random: &mut ChaCha8Rng) -> &'static [u8] {
    const JSON: [&[u8]; 2] = [b"[1,2,3]", b"42"];
    const OTHERS: [&[u8]; 7] = [
        b"[1,2,3]",
        b"42",
        b"",
        b"{\"id\":\"cut off",
        b"{\"id\":1}{\"id\":2}",
        b"{'id':1}",
        b"{\"id\":\"\xff\xfe\"}",
    ];
    let found = if is_json_only { JSON.choose(random) } else { OTHERS.choose(random) };
    found.copied().unwrap_or(b"[]")
}
