//! Numbers of which two programs can think otherwise; ChangeRecordTest in flink/ has the same.

use serde_json::{Value, json};

use super::*;

fn event(value: &Value) -> RowEvent {
    let columns = vec![("s".to_owned(), "set<double>".to_owned())];
    let layout = Layout {
        table: "shop.orders".to_owned(),
        key: vec!["id".to_owned()],
        partition_key: 1,
        columns,
        version: None,
        clustering: Vec::new(),
        timestamps: Vec::new(),
    };
    let read = Read { side: Side::Cloud, topic: "t".to_owned(), partition: 0, offset: 0, timestamp_ms: 7 };
    match change(value, &layout, &read).unwrap() {
        Some(Input::Event(event)) => *event,
        other => panic!("{other:?}"),
    }
}

/// Positions are numbers of 64 bits with a sign, of which the negative ones are none.
#[test]
fn positions() {
    for (pos, expected) in [
        ("7", Some(7)),
        ("9223372036854775807", Some(i64::MAX.cast_unsigned())),
        ("9223372036854775808", None),
        ("18446744073709551615", None),
        ("-1", None),
        ("7.0", None),
        ("\"7\"", None),
    ] {
        let text =
            format!(r#"{{"op":"d","ts_ms":1,"before":{{"id":1}},"source":{{"ts_us":1,"pos":{pos}}}}}"#);
        assert_eq!(event(&serde_json::from_str(&text).unwrap()).place.pos, expected, "{pos}");
    }
}

/// A set of doubles can hold both zeros, each with its own time.
#[test]
fn times_of_both_zeros() {
    let elements = json!([{"path": -0.0, "ts_us": 3}, {"path": 0.0, "ts_us": 4}]);
    let value = json!({
        "op": "u", "ts_ms": 1, "after": {"id": 1}, "patch": {"s": {"put": [0.0, -0.0]}},
        "cells": {"s": {"elements": elements}}, "source": {"ts_us": 1},
    });
    let times: Vec<i64> = event(&value).content.cells.iter().map(|(_, cell)| cell.ts_us).collect();
    assert_eq!(times, [4, 3]);
}
