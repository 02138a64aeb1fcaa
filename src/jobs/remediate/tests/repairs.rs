//! Changes that are written again: text, values, times.

use serde_json::{Value, json};

use super::world::{change, rules};
use crate::jobs::drift::Side;
use crate::jobs::remediate::repair::{Bound, Repair, RepairTable};

const NOW_S: i64 = 1_800_000_000;

fn record(op: &str, row: &Value, ts_us: i64, more: &Value) -> Value {
    let is_deletion = matches!(op, "d" | "rt");
    let mut record = json!({
        "op": op, "ts_ms": 1, "before": if is_deletion { row } else { &Value::Null },
        "after": if is_deletion { &Value::Null } else { row }, "source": { "ts_us": ts_us, "host_id": "h" },
    });
    for (name, value) in more.as_object().unwrap() {
        record[name] = value.clone();
    }
    record
}

fn repair_of(table: &RepairTable, record: Value) -> Result<Repair, String> {
    let change = change(table, Side::Onprem, record, "e").map_err(|error| error.to_string())?;
    change.repair(table, NOW_S).map_err(|error| error.to_string())
}

fn texts(repair: &Repair) -> Vec<String> {
    let text = |value: &Bound| match value {
        Bound::Json(text) => text.clone(),
        Bound::TimeUs(time_us) => format!("{time_us} us"),
        Bound::TtlS(ttl_s) => format!("{ttl_s} s"),
    };
    repair.values.iter().map(text).collect()
}

fn row() -> Value {
    json!({ "cust": "it's", "id": 1 })
}

fn with(more: Value) -> Value {
    let mut row = row();
    for (name, value) in more.as_object().unwrap() {
        row[name] = value.clone();
    }
    row
}

/// CQL as Cassandra's documentation has it; the integration test gives it to a real node.
#[test]
fn statements() {
    let (_, _, table) = rules("");
    let place = r#"WHERE "cust" = fromJson(?) AND "id" = fromJson(?)"#;
    let from = r#"FROM "shop"."orders" USING TIMESTAMP ? WHERE "cust" = fromJson(?)"#;
    for (record, cql, values) in [
        (
            record("c", &with(json!({ "a": 5, "b": "x" })), 70, &json!({})),
            r#"INSERT INTO "shop"."orders" ("cust", "id", "a", "b") VALUES (fromJson(?), fromJson(?), fromJson(?), fromJson(?)) USING TIMESTAMP ? AND TTL ?"#.to_owned(),
            vec!["\"it's\"", "1", "5", "\"x\"", "70 us", "0 s"],
        ),
        (
            record("u", &with(json!({ "a": 5 })), 70, &json!({})),
            format!(r#"UPDATE "shop"."orders" USING TIMESTAMP ? AND TTL ? SET "a" = fromJson(?) {place}"#),
            vec!["70 us", "0 s", "5", "\"it's\"", "1"],
        ),
        (
            record("u", &with(json!({ "a": null, "b": null })), 70, &json!({})),
            r#"DELETE "a", "b" FROM "shop"."orders" USING TIMESTAMP ? WHERE "cust" = fromJson(?) AND "id" = fromJson(?)"#.to_owned(),
            vec!["70 us", "\"it's\"", "1"],
        ),
        (record("d", &row(), 70, &json!({})), format!(r#"DELETE {from} AND "id" = fromJson(?)"#), vec!["70 us", "\"it's\"", "1"]),
        (
            record("rt", &json!({ "cust": "it's" }), 70, &json!({ "range": { "start": null, "end": null } })),
            format!("DELETE {from}"),
            vec!["70 us", "\"it's\""],
        ),
        (
            record(
                "rt",
                &json!({ "cust": "it's" }),
                70,
                &json!({ "range": { "start": { "values": { "id": 3 }, "inclusive": true }, "end": { "values": { "id": 3 }, "inclusive": true } } }),
            ),
            format!(r#"DELETE {from} AND "id" = fromJson(?)"#),
            vec!["70 us", "\"it's\"", "3"],
        ),
        // A column of another time, one that expires, one that is deleted: one batch, each with its own time.
        (
            record(
                "c",
                &with(json!({ "a": 5, "b": "x", "tags": ["t"] })),
                70,
                &json!({
                    "liveness": { "ts_us": 60 },
                    "cells": { "b": { "ts_us": 50, "ttl": 100, "expires_at": NOW_S + 40 }, "tags": { "deleted_ts_us": 69 } },
                }),
            ),
            format!(
                r#"BEGIN UNLOGGED BATCH INSERT INTO "shop"."orders" ("cust", "id") VALUES (fromJson(?), fromJson(?)) USING TIMESTAMP ? AND TTL ?; UPDATE "shop"."orders" USING TIMESTAMP ? AND TTL ? SET "a" = fromJson(?), "tags" = fromJson(?) {place}; UPDATE "shop"."orders" USING TIMESTAMP ? AND TTL ? SET "b" = fromJson(?) {place}; APPLY BATCH"#
            ),
            vec![
                "\"it's\"", "1", "60 us", "0 s", "70 us", "0 s", "5", "[\"t\"]", "\"it's\"", "1", "50 us", "40 s", "\"x\"", "\"it's\"", "1",
            ],
        ),
        // A list that is deleted, and one that is one value, can be written twice.
        (
            record(
                "u",
                &with(json!({ "days": ["x"], "steps": null })),
                70,
                &json!({ "cells": { "steps": { "deleted_ts_us": 69 } } }),
            ),
            format!(
                r#"BEGIN UNLOGGED BATCH UPDATE "shop"."orders" USING TIMESTAMP ? AND TTL ? SET "days" = fromJson(?) {place}; DELETE "steps" {from} AND "id" = fromJson(?); APPLY BATCH"#
            ),
            vec!["70 us", "0 s", "[\"x\"]", "\"it's\"", "1", "69 us", "\"it's\"", "1"],
        ),
        // What has expired is a tombstone of its time.
        (
            record("u", &with(json!({ "a": 5 })), 70, &json!({ "cells": { "a": { "ttl": 1, "expires_at": NOW_S } } })),
            format!(r#"DELETE "a" {from} AND "id" = fromJson(?)"#),
            vec!["70 us", "\"it's\"", "1"],
        ),
    ] {
        let repair = repair_of(&table, record).unwrap();
        assert_eq!(repair.cql, cql);
        assert_eq!(texts(&repair), values, "{cql}");
    }
}

/// Where the version is a column, the write time is the version: as the sink writes it.
#[test]
fn the_version_is_the_write_time() {
    let (mut rules, drift, _) = rules("");
    rules.version =
        crate::jobs::rules::Version::Column { column: 2, unit: crate::jobs::rules::VersionUnit::Millis };
    let table = RepairTable::new(&rules, &drift);
    let more = json!({ "liveness": { "ts_us": 60 } });
    let repair = repair_of(&table, record("c", &with(json!({ "a": 5 })), 70, &more)).unwrap();
    let times: Vec<i64> = repair.writes.iter().map(|write| write.timestamp_us).collect();
    assert_eq!(times, [4990, 5000], "ten microseconds apart, and the newest is 5 ms");
    let repair = repair_of(&table, record("u", &with(json!({ "b": "x" })), 70, &json!({}))).unwrap();
    assert_eq!(repair.writes[0].timestamp_us, 70, "without the column it is the time of the write");
    let repair = repair_of(&table, record("d", &row(), 70, &json!({}))).unwrap();
    assert_eq!(repair.writes[0].timestamp_us, 70);
}

/// The hash of a column (`column_hash` of the agent) is a text as any other: the rules file says that it is one.
#[test]
fn withheld_columns_are_deleted_and_never_written() {
    let (_, _, table) = rules("remediate: {withheld: [b]}\n");
    let hash = "5d1c0f62a1b0c9e45d1c0f62a1b0c9e45d1c0f62a1b0c9e45d1c0f62a1b0c9e4";
    for op in ["c", "u"] {
        let error = repair_of(&table, record(op, &with(json!({ "a": 5, "b": hash })), 70, &json!({})));
        assert_eq!(error.unwrap_err(), "column b: the agents withhold its values (masked or hashed)");
    }
    // A deletion is told as it is, and so are other columns.
    let repair = repair_of(&table, record("u", &with(json!({ "a": 5, "b": null })), 70, &json!({}))).unwrap();
    let columns: Vec<_> = repair.writes.iter().map(|write| (write.statement, &*write.columns)).collect();
    assert_eq!(columns, [("UPDATE", &["a".to_owned()][..]), ("DELETE", &["b".to_owned()][..])]);
}

#[test]
fn what_is_not_written() {
    let (_, _, table) = rules("");
    for (record, word) in [
        (
            record("u", &row(), 70, &json!({ "patch": { "tags": { "put": ["x"], "remove": [] } } })),
            "column tags: what changes a part",
        ),
        (record("c", &with(json!({ "b": "" })), 70, &json!({ "truncated": [] })), "cut short"),
        (
            record("c", &with(json!({ "a": null })), 70, &json!({ "cells": { "a": { "empty": true } } })),
            "no bytes",
        ),
        (record("c", &with(json!({ "a": "5" })), 70, &json!({})), "column a: values of its type"),
        // What an agent masks (docs/envelope.md): the table holds another text than the record.
        (record("c", &with(json!({ "b": "***" })), 70, &json!({})), "column b: the agents withhold"),
        (record("u", &with(json!({ "tags": "***" })), 70, &json!({})), "column tags: the agents withhold"),
        (record("u", &with(json!({ "tags": ["x"] })), 70, &json!({})), "deleted and changed at two times"),
        (
            record(
                "u",
                &with(json!({ "steps": ["x"] })),
                70,
                &json!({ "cells": { "steps": { "deleted_ts_us": 69 } } }),
            ),
            "column steps: a list cannot be written twice",
        ),
        (record("r", &with(json!({ "a": 5 })), 70, &json!({})), "snapshot"),
        (
            record(
                "c",
                &row(),
                70,
                &json!({ "liveness": { "ts_us": 70, "ttl": 2_147_483_647, "expires_at": 1 } }),
            ),
            "materialized view",
        ),
        (
            record("c", &row(), 70, &json!({ "liveness": { "ttl": 5, "expires_at": NOW_S } })),
            "time to live is over",
        ),
        (
            record(
                "rt",
                &json!({ "cust": "x" }),
                70,
                &json!({ "range": { "start": { "values": { "id": 3 }, "inclusive": true }, "end": null } }),
            ),
            "a slice of a partition",
        ),
        // What Cassandra would never take is not tried: it would fail, and come first in each further run.
        (record("c", &json!({ "cust": "", "id": 1, "a": 5 }), 70, &json!({})), "partition key has no bytes"),
        (record("d", &json!({ "cust": "", "id": 1 }), 70, &json!({})), "partition key has no bytes"),
        (
            record("c", &json!({ "cust": "x".repeat(65_536), "id": 1 }), 70, &json!({})),
            "longer than 65535 bytes",
        ),
        (
            record("d", &json!({ "cust": "x", "id": 2_147_483_648_i64 }), 70, &json!({})),
            "column id: values of its type",
        ),
        (
            record("c", &with(json!({ "a": -2_147_483_649_i64 })), 70, &json!({})),
            "column a: values of its type",
        ),
        (
            record(
                "c",
                &with(json!({ "a": 5 })),
                70,
                &json!({ "cells": { "a": { "expires_at": i64::MAX } } }),
            ),
            "longer than the 20 years",
        ),
        (
            record("c", &row(), 70, &json!({ "liveness": { "ttl": 1, "expires_at": NOW_S + 630_720_001 } })),
            "longer than the 20 years",
        ),
        (json!({ "op": "c" }), "none of an agent"),
    ] {
        let error = repair_of(&table, record).unwrap_err();
        assert!(error.contains(word), "{word}: {error}");
    }
    let longest = json!({ "cust": "x".repeat(65_535), "id": 1 });
    assert!(repair_of(&table, record("d", &longest, 70, &json!({}))).is_ok());
    let other = change(&table, Side::Onprem, record("d", &row(), 70, &json!({})), "e");
    assert!(other.is_ok());
    let bytes = record("d", &row(), 70, &json!({ "event_id": "e" })).to_string();
    let other = crate::jobs::remediate::repair::Change::read(bytes.as_bytes(), &table, Side::Onprem, "f");
    assert_eq!(other.unwrap_err().to_string(), "its record is not in its topic any more");
}
