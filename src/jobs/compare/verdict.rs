//! Two rows of one key → what is equal and what is not.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Cell, Row};
use crate::jobs::rules::TableRules;

/// Bytes of a digest that are shown: enough to tell values apart.
const SHOWN_BYTES: usize = 8;

/// What was found of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All columns are equal.
    Equal,
    /// A column differs.
    Different,
    /// The first side has no such row.
    MissingFirst,
    /// The second side has none.
    MissingSecond,
    /// Neither has one.
    MissingBoth,
}

/// A column of a key's row.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Column {
    /// Its name.
    pub column: String,
    /// Whether both sides have the same value; write times may differ.
    pub is_equal: bool,
    /// Digest of each side's value; equal where the values are, within one run. None when the row is missing.
    pub digests: [Option<String>; 2],
    /// Write time of each side's value, microseconds since the epoch.
    pub write_times_us: [Option<i64>; 2],
    /// Each side's value as JSON, when values were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<[Option<String>; 2]>,
}

/// What was found of a key, column by column.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// As a whole.
    pub outcome: Outcome,
    /// Each column of the rules; none when no side has the row.
    pub columns: Vec<Column>,
}

/// Compares two rows. Digests are HMAC-SHA-256 under `secret`, which lasts for one run: who sees them cannot find short
/// values out by trying.
#[must_use]
pub fn verdict(rules: &TableRules, rows: [Option<&Row>; 2], secret: &[u8], with_values: bool) -> Verdict {
    let outcome = match rows {
        [None, None] => return Verdict { outcome: Outcome::MissingBoth, columns: Vec::new() },
        [None, Some(_)] => Outcome::MissingFirst,
        [Some(_), None] => Outcome::MissingSecond,
        [Some(one), Some(other)] => {
            let same = one.cells.iter().zip(&other.cells).all(|(one, other)| one.json == other.json);
            if same { Outcome::Equal } else { Outcome::Different }
        }
    };
    let column = |(number, column): (usize, &crate::jobs::column::Column)| {
        let cells = rows.map(|row| row.and_then(|row| row.cells.get(number)));
        Column {
            column: column.name.clone(),
            is_equal: matches!(cells, [Some(one), Some(other)] if one.json == other.json),
            digests: cells.map(|cell| cell.and_then(|cell| digest(cell, secret))),
            write_times_us: cells.map(|cell| cell.and_then(|cell| cell.write_time_us)),
            values: with_values.then(|| cells.map(|cell| cell.map(|cell| cell.json.clone()))),
        }
    };
    Verdict { outcome, columns: rules.columns.iter().enumerate().map(column).collect() }
}

fn digest(cell: &Cell, secret: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(cell.json.as_bytes());
    let bytes = mac.finalize().into_bytes();
    Some(hex::encode(bytes.get(..SHOWN_BYTES)?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::jobs::project::Project;

    fn row(amount: &str, write_time_us: i64) -> Row {
        let cell = |json: &str, time: Option<i64>| Cell { json: json.to_owned(), write_time_us: time };
        let time = Some(write_time_us);
        Row {
            cells: vec![cell("\"1\"", None), cell("\"2025\"", time), cell(amount, time), cell("null", None)],
        }
    }

    #[test]
    fn columns_are_compared_by_value() {
        let (project, _) = Project::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs"));
        let rules = &project.rules[0].rules;
        let (one, same, other) = (row("100.0", 1), row("100.0", 2), row("-7.25", 3));
        let judge = |rows, with_values| verdict(rules, rows, b"secret", with_values);
        let found = judge([Some(&one), Some(&same)], false);
        assert_eq!(found.outcome, Outcome::Equal);
        assert!(found.columns.iter().all(|column| column.is_equal && column.values.is_none()));
        let found = judge([Some(&one), Some(&other)], false);
        assert_eq!(found.outcome, Outcome::Different);
        let different: Vec<_> = found.columns.iter().filter(|column| !column.is_equal).collect();
        assert_eq!(different.len(), 1);
        assert_eq!(
            (different[0].column.as_str(), different[0].write_times_us),
            ("amount", [Some(1), Some(3)])
        );
        assert_ne!(different[0].digests[0], different[0].digests[1]);
        let text = serde_json::to_string(&found).unwrap();
        assert!(!text.contains("7.25") && !text.contains("values"), "{text}");
        let found = judge([Some(&one), Some(&other)], true);
        assert_eq!(found.columns[2].values, Some([Some("100.0".to_owned()), Some("-7.25".to_owned())]));
        assert_eq!(judge([None, Some(&one)], false).outcome, Outcome::MissingFirst);
        assert_eq!(judge([Some(&one), None], false).outcome, Outcome::MissingSecond);
        assert_eq!(judge([None, None], false).outcome, Outcome::MissingBoth);
        let under_another = verdict(rules, [Some(&one), None], b"other", false);
        assert_ne!(under_another.columns[0].digests[0], found.columns[0].digests[0]);
    }
}
