//! What Apache Flink answered to the same questions: tests/oracle/rules/make.py wrote the vectors.

use std::path::Path;

use serde_json::Value as Json;

use crate::jobs::column::{Shape, TimeForm};
use crate::jobs::decimal::Decimal;
use crate::jobs::expression::{Row, Scope, parse};
use crate::jobs::pattern::Pattern;
use crate::jobs::record::{Field, object};
use crate::jobs::value::{Type, Value};

fn vectors() -> Vec<Json> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/vectors/rules.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The row of make.py.
struct Asked;

const COLUMNS: [(&str, Type); 9] = [
    ("a", Type::Integer),
    ("b", Type::Double),
    ("t", Type::Text),
    ("n", Type::Integer),
    ("f", Type::Boolean),
    ("g", Type::Boolean),
    ("u", Type::Text),
    ("ts", Type::Timestamp),
    ("d", Type::Decimal),
];

impl Row for Asked {
    fn column(&self, column: usize) -> Option<Value<'_>> {
        match COLUMNS[column].0 {
            "a" => Some(Value::Integer(1)),
            "b" => Some(Value::Double(2.5)),
            "t" => Some(Value::Text("x".into())),
            "f" => Some(Value::Boolean(false)),
            "ts" => Some(Value::Timestamp(0)),
            "d" => Decimal::parse("12.30", 10, 2).map(Value::Decimal),
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

/// `true`, `false` or NULL.
fn truth(flink: &Json) -> Option<bool> {
    flink.as_str().map(|text| text == "true")
}

#[test]
fn conditions() {
    let mut wrong = Vec::new();
    let mut seen = [0; 3];
    for vector in vectors() {
        let Some(text) = vector["condition"].as_str() else { continue };
        let expected = truth(&vector["flink"]);
        seen[expected.map_or(2, usize::from)] += 1;
        match parse(text, Scope(&COLUMNS)) {
            Ok(condition) if condition.truth(&Asked) == expected => {}
            Ok(condition) => wrong.push(format!("{text}: {:?}, Flink {expected:?}", condition.truth(&Asked))),
            Err(error) => wrong.push(format!("{text}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {seen:?}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
}

#[test]
fn patterns() {
    for vector in vectors() {
        let Some(written) = vector["pattern"].as_str() else { continue };
        // Asked in Java's own form only, to say what a dot is to Java.
        if written == vector["java"] && written.contains(".?") {
            continue;
        }
        let pattern = Pattern::new(written).unwrap();
        let text = vector["text"].as_str().unwrap();
        assert_eq!(pattern.java(), vector["java"], "{written}");
        assert_eq!(Some(pattern.is_in(text)), truth(&vector["flink"]), "{written} in {text:?}");
    }
}

#[test]
fn payloads() {
    let mut count = 0;
    for vector in vectors() {
        let Some(payload) = vector["payload"].as_str() else { continue };
        let fields = object(payload, 1, &|name, found| {
            if name == "a" {
                found(0);
            }
        });
        let flink = &vector["flink"];
        count += 1;
        assert_eq!(Some(fields.is_some()), truth(&flink["is_object"]), "{payload:?}");
        // Of what is no object nothing else is asked.
        let Some(field) = fields.map(|mut fields| fields.remove(0)) else { continue };
        assert_eq!(Some(field != Field::Missing), truth(&flink["is_carried"]), "{payload:?}");
        assert_eq!(Some(matches!(field, Field::Nested(_))), truth(&flink["is_nested"]), "{payload:?}");
        let text = match &field {
            Field::Scalar(text) => Some(text.as_ref()),
            _ => None,
        };
        assert_eq!(text, flink["text"].as_str(), "{payload:?}");
    }
    assert!(count > 60, "{count}");
}

/// A value as Flink's CAST(… AS STRING) prints it.
fn printed(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) | Value::Opaque(text) => text.to_string(),
        Value::Integer(number) | Value::Time(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Double(number) => format!("{number:e}"),
        Value::Boolean(on) => on.to_string().to_uppercase(),
        Value::Timestamp(ms) => crate::jobs::calendar::write_timestamp(*ms),
        Value::Date(days) => crate::jobs::calendar::write_date(*days),
    }
}

/// Set this variable to write the SQL of every type for make.py.
const WRITE: &str = "CDC_AGENT_WRITE_TYPES";

#[test]
fn texts_of_every_type() {
    let decimal = Shape::Decimal { precision: 10, scale: 2 };
    let named =
        ["text", "ascii", "tinyint", "smallint", "int", "bigint", "varint", "double", "float", "boolean"];
    let times = ["timestamp", "date", "time"];
    let mut shapes: Vec<(String, Shape)> = named
        .iter()
        .chain(&["uuid", "timeuuid", "blob"])
        .map(|name| ((*name).to_owned(), Shape::of(name)))
        .collect();
    shapes.push(("decimal".to_owned(), decimal));
    for name in times {
        for (form, word) in [(TimeForm::Iso8601, "iso8601"), (TimeForm::Epoch, "epoch")] {
            shapes.push((format!("{name} {word}"), Shape::of(name).with_form(form)));
        }
    }
    let sql: serde_json::Map<String, Json> =
        shapes.iter().map(|(name, shape)| (name.clone(), shape.to_sql("`s`").into())).collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/rules/types.json");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, serde_json::to_string_pretty(&sql).unwrap() + "\n").unwrap();
    }
    let asked: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(Json::Object(sql), asked, "set {WRITE}, then run tests/oracle/rules/make.py");
    let mut wrong = Vec::new();
    let mut count = 0;
    for vector in vectors() {
        let Some(name) = vector["type"].as_str() else { continue };
        let shape = shapes.iter().find(|(known, _)| known == name).unwrap().1;
        let text = vector["text"].as_str().unwrap();
        let found = shape.read(text.into()).map(|value| printed(&value));
        let flink = vector["flink"].as_str().map(|text| match shape.value_type() {
            Type::Double => format!("{:e}", text.parse::<f64>().unwrap()),
            _ => text.to_owned(),
        });
        if found != flink {
            wrong.push(format!("{name} {text:?}: {found:?}, Flink {}", vector["flink"]));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 500, "{count}");
}
