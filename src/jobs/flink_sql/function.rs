//! The functions of `flink/` that SQL calls (docs/flink-sink.md).

use super::script::{Part, SqlFile, note, statement};

/// Name in SQL, class.
const FUNCTIONS: [(&str, &str); 13] = [
    ("BASE64_BYTES", "Base64Bytes"),
    ("COLUMN_NAMES", "ColumnNames"),
    ("COUNT_INVALID", "CountInvalid"),
    ("COUNT_VALID", "CountValid"),
    ("DOUBLE_TEXT", "DoubleText"),
    ("FLOAT_TEXT", "FloatText"),
    ("JSON_PART", "JsonPart"),
    ("KEPT_RECORD", "KeptRecord"),
    ("REPEATED", "Repeated"),
    ("REPEATED_EVENT", "RepeatedEvent"),
    ("ROW_HASH", "RowHash"),
    ("RULE_LIST", "RuleList"),
    ("TIMESTAMP_US", "TimestampUs"),
];

/// What makes the functions that the files call.
pub(super) fn used(files: &[&SqlFile]) -> Vec<Part> {
    let is_called = |name: &str| {
        let call = format!("{name}(");
        files.iter().flat_map(|file| file.statements()).any(|statement| statement.contains(&call))
    };
    let mut parts = vec![note("Functions of the jar of this project.")];
    parts.extend(FUNCTIONS.iter().filter(|(name, _)| is_called(name)).map(|(name, class)| {
        statement(format!(
            "CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS `{name}` AS 'io.cdcagent.flink.functions.{class}' LANGUAGE JAVA"
        ))
    }));
    parts
}
