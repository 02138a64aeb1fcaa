//! Expected values follow the SQL standard's three-valued logic, as PostgreSQL prints it for the same texts.

use super::*;
use crate::jobs::value::Value;

/// a = 1, b = 2.5, t = 'x', n = NULL (number), f = false, ts = the epoch.
struct Example;

const COLUMNS: [(&str, Type); 8] = [
    ("a", Type::Integer),
    ("b", Type::Double),
    ("t", Type::Text),
    ("n", Type::Integer),
    ("f", Type::Boolean),
    ("ts", Type::Timestamp),
    ("value", Type::Decimal),
    ("o", Type::Opaque),
];

impl Row for Example {
    fn column(&self, column: usize) -> Option<Value<'_>> {
        match column {
            0 => Some(Value::Integer(1)),
            1 => Some(Value::Double(2.5)),
            2 => Some(Value::Text("x".into())),
            4 => Some(Value::Boolean(false)),
            5 => Some(Value::Timestamp(0)),
            6 => Decimal::parse("12.30", 10, 2).map(Value::Decimal),
            7 => Some(Value::Opaque("{}".into())),
            _ => None,
        }
    }

    fn kafka_time(&self) -> i64 {
        1_735_689_600_000
    }

    fn is_object(&self) -> bool {
        true
    }

    fn is_carried(&self, _column: usize) -> bool {
        true
    }

    fn is_untyped(&self, _column: usize) -> bool {
        false
    }

    fn has_write_time(&self) -> bool {
        true
    }
}

fn truth(text: &str) -> Option<bool> {
    parse(text, Scope(&COLUMNS)).unwrap_or_else(|error| panic!("{text}: {error}")).truth(&Example)
}

#[test]
fn logic_has_three_values() {
    for (text, expected) in [
        ("n = 1", None),
        ("n = n", None),
        ("NOT n = 1", None),
        ("n = 1 AND f", Some(false)),
        ("n = 1 AND NOT f", None),
        ("n = 1 OR NOT f", Some(true)),
        ("n = 1 OR f", None),
        ("n IS NULL", Some(true)),
        ("n IS NOT NULL", Some(false)),
        ("(n = 1) IS TRUE", Some(false)),
        ("(n = 1) IS NOT FALSE", Some(true)),
        ("n IN (1, 2)", None),
        ("a IN (1, 2)", Some(true)),
        ("a NOT IN (2, 3)", Some(true)),
        ("n NOT IN (1)", None),
        ("a BETWEEN 0 AND 1", Some(true)),
        ("a NOT BETWEEN 0 AND 1", Some(false)),
        ("n BETWEEN 1 AND 0", None),
        ("COALESCE(n, 7) = 7", Some(true)),
        ("CASE WHEN n = 1 THEN 'y' WHEN a = 1 THEN 'z' END = 'z'", Some(true)),
        ("CASE WHEN f THEN 1 END IS NULL", Some(true)),
    ] {
        assert_eq!(truth(text), expected, "{text}");
    }
}

#[test]
fn operators_bind_as_in_sql() {
    for (text, expected) in [
        ("NOT f AND f", false),
        ("NOT f OR f", true),
        ("f AND f OR NOT f", true),
        ("f AND (f OR NOT f)", false),
        ("1 + 2 * 3 = 7", true),
        ("(1 + 2) * 3 = 9", true),
        ("10 - 2 - 3 = 5", true),
        ("a < b", true),
        ("b / 0e0 > 1e308", true),
        ("value = 12.3", true),
        ("value > 12", true),
        ("b = 2.5", true),
        ("a > 0.5", true),
        ("9223372036854775807 + 1 < 0", true),
        ("t <> 'y'", true),
        ("'a' < 'b' AND 'Z' < 'a' AND '\u{FFFF}' < '😀'", true),
        ("'it''s' = 'it''s'", true),
        ("CHAR_LENGTH('😀é') = 2", true),
        ("TRIM('  x ') = `t`", true),
        ("ABS(-3) = 3", true),
        ("REGEXP(t, '^[w-y]$')", true),
        ("kafka_ts = TIMESTAMP '2025-01-01 00:00:00'", true),
        ("ts < TIMESTAMPADD(DAY, -20000, kafka_ts)", true),
        ("DATE '2025-01-01' > DATE '2024-12-31'", true),
        ("f = FALSE", true),
    ] {
        assert_eq!(truth(text), Some(expected), "{text}");
    }
}

#[test]
fn mistakes_say_where_and_what_to_write() {
    for (text, at, words) in [
        ("a != 1", 3, "<>"),
        ("a == 1", 3, "write ="),
        ("a = 1 && f", 7, "AND"),
        ("t = \"x\"", 5, "'text'"),
        ("t = 1", 6, "single quotes"),
        ("ts > '2025-01-01'", 18, "TIMESTAMP"),
        ("valu = 1", 1, "value"),
        ("a = NULL", 5, "IS NULL"),
        ("ts < NOW()", 6, "NOW"),
        ("ts < CURRENT_TIMESTAMP", 6, "kafka_ts"),
        ("a", 1, "condition"),
        ("a = 1 b", 7, "end"),
        ("a / 2 = 1", 7, "zero"),
        ("a IN (b)", 8, "columns"),
        ("b IN (1.5)", 11, "exactly"),
        ("REGEXP(t, 'a**')", 11, "repetition"),
        ("f < TRUE", 9, "order"),
        ("o = o", 6, "IS NULL"),
        ("LOWER(t) = 'x'", 1, "CHAR_LENGTH"),
        ("'open", 1, "closing"),
        ("", 1, "value"),
        ("99999999999999999999 = a", 1, "large"),
    ] {
        let error = parse(text, Scope(&COLUMNS)).unwrap_err();
        assert!(error.message.contains(words), "{text}: {error}");
        assert!(error.at == at || words == "NOW" || words == "columns", "{text}: {error}");
    }
    let deep = format!("{}a = 1{}", "(".repeat(2000), ")".repeat(2000));
    assert!(parse(&deep, Scope(&COLUMNS)).is_err());
    let long = format!("{}1 = 1", "1 + ".repeat(2000));
    assert!(parse(&long, Scope(&COLUMNS)).is_err());
    let nots = format!("{}f", "NOT ".repeat(2000));
    assert!(parse(&nots, Scope(&COLUMNS)).is_err());
}

struct Names;

impl Dialect for Names {
    fn column(&self, column: usize) -> String {
        quoted(COLUMNS[column].0)
    }

    fn kafka_time(&self) -> String {
        quoted(KAFKA_TIME)
    }

    fn is_object(&self) -> String {
        quoted("is_object")
    }

    fn is_carried(&self, column: usize) -> String {
        format!("is_carried({column})")
    }

    fn is_untyped(&self, column: usize) -> String {
        format!("is_untyped({column})")
    }

    fn has_write_time(&self) -> String {
        "has_write_time".to_owned()
    }
}

#[test]
fn sql_is_quoted_and_typed() {
    for (text, sql) in [
        ("value > 1", "(`value` > 1)"),
        ("b > 1 AND t = 'it''s'", "((`b` > 1E0) AND (`t` = 'it''s'))"),
        ("a > b", "(CAST(`a` AS DOUBLE) > `b`)"),
        ("REGEXP(t, '^a$')", r"REGEXP(`t`, '^a\z')"),
        ("ts > TIMESTAMPADD(MINUTE, 5, kafka_ts)", "(`ts` > TIMESTAMPADD(SECOND, 300, `kafka_ts`))"),
        ("ts = TIMESTAMP '2025-01-01 00:00:00'", "(`ts` = TIMESTAMP '2025-01-01 00:00:00.000')"),
        ("a NOT IN (1)", "(NOT (`a` IN (1)))"),
        ("CASE WHEN f THEN 1 ELSE 2 END = 2", "(CASE WHEN `f` THEN 1 ELSE 2 END = 2)"),
        ("a + 1 = 2", "((`a` + CAST(1 AS BIGINT)) = 2)"),
    ] {
        assert_eq!(parse(text, Scope(&COLUMNS)).unwrap().to_sql(&Names), sql, "{text}");
    }
}
