//! The row hash of a row of the job (docs/identity.md), as SQL.

use crate::jobs::check::hash_columns;
use crate::jobs::column::{Column, Shape};
use crate::jobs::expression::{quoted, sql_text};
use crate::jobs::rules::{HashKind, TableRules};

/// The hash; NULL where v0 has no exact text.
pub(super) fn row_hash(rules: &TableRules) -> String {
    let columns: Vec<&Column> = hash_columns(rules)
        .iter()
        .filter_map(|name| rules.columns.iter().find(|column| column.name == *name))
        .collect();
    match rules.hash.kind {
        HashKind::V1 => v1(rules, &columns),
        HashKind::V0 => v0(&columns),
    }
}

/// The function writes each field by the type of its argument.
fn v1(rules: &TableRules, columns: &[&Column]) -> String {
    let argument = |column: &&Column| {
        let value = quoted(&column.name);
        match column.shape {
            Shape::Float => format!("CAST({value} AS FLOAT)"),
            Shape::Base64 => format!("BASE64_BYTES({value})"),
            _ => value,
        }
    };
    let table = sql_text(&super::identity::table_text(rules));
    let arguments: Vec<String> = std::iter::once(table).chain(columns.iter().map(argument)).collect();
    format!("ROW_HASH({})", arguments.join(", "))
}

/// Texts joined by bars: null is `NULL`, and a timestamp that is null is left out.
fn v0(columns: &[&Column]) -> String {
    let text = |column: &&Column| match column.shape {
        Shape::Timestamp(_) => v0_text(column),
        _ => format!("COALESCE({}, 'NULL')", v0_text(column)),
    };
    let texts: Vec<String> = columns.iter().map(text).collect();
    let hash = format!("SHA256(CONCAT_WS('|', {}))", texts.join(", "));
    let exact: Vec<String> = columns.iter().filter_map(|column| exact(column)).collect();
    match exact.as_slice() {
        [] => hash,
        exact => format!("CASE WHEN {} THEN {hash} END", exact.join(" AND ")),
    }
}

fn v0_text(column: &Column) -> String {
    let value = quoted(&column.name);
    match column.shape {
        Shape::Double => format!("DOUBLE_TEXT({value})"),
        Shape::Float => format!("FLOAT_TEXT(CAST({value} AS FLOAT))"),
        Shape::Time(_) => {
            let part = |unit: &str, most: &str| {
                format!("LPAD(CAST(MOD({value} / {unit}, {most}) AS STRING), 2, '0')")
            };
            let (hour, minute, second) =
                (part("3600000000000", "24"), part("60000000000", "60"), part("1000000000", "60"));
            format!("CONCAT({hour}, ':', {minute}, ':', {second})")
        }
        _ => format!("CAST({value} AS STRING)"),
    }
}

/// Where every version of Java prints the digits that v0 has; never NULL.
fn exact(column: &Column) -> Option<String> {
    let below = match column.shape {
        Shape::Double => "1.8E16",
        Shape::Float => "33554432E0",
        _ => return None,
    };
    let value = quoted(&column.name);
    Some(format!("COALESCE({value} = 0E0 OR (ABS({value}) >= 6E-8 AND ABS({value}) < {below}), TRUE)"))
}
