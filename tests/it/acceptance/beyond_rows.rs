//! B1 to B7, B10 to B13, B24: static columns, collections, batches, times.

use serde_json::{Value, json};

use super::{CONNECTOR, FIXTURES, FLAT, cell, operations, replay, values};

fn both(table: &str, check: impl Fn(Vec<Value>, Vec<Value>)) {
    for fixture in FIXTURES {
        check(replay(fixture, &[table], FLAT), replay(fixture, &[table], CONNECTOR));
    }
}

#[test]
fn b1_b2_static_columns_alone_and_beside_a_row() {
    both("accept.b1", |flat, connector| {
        assert_eq!(operations(&flat), ["u", "u", "c"]);
        assert_eq!(flat[0]["key"], json!({"p": 1}));
        assert_eq!(flat[0]["value"]["after"], json!({"p": 1, "s": "alone"}));
        assert_eq!(flat[1]["value"]["after"], json!({"p": 1, "s": "beside"}));
        assert_eq!(flat[2]["value"]["after"], json!({"p": 1, "c": 2, "v": 3}));
        assert_eq!(operations(&connector), ["u", "u", "i"]);
        assert_eq!(connector[0]["key"], json!({"p": 1, "c": null}));
        assert_eq!(values(&connector[0]), json!({"p": 1, "s": "alone"}));
        assert_eq!(connector[2]["key"], json!({"p": 1, "c": 2}));
        assert_eq!(values(&connector[2]), json!({"p": 1, "c": 2, "v": 3}));
    });
}

#[test]
fn b3_removal_from_a_set() {
    both("accept.b3", |flat, connector| {
        assert_eq!(flat[0]["value"]["after"]["s"], json!(["x", "y"]));
        assert_eq!(flat[1]["value"]["patch"], json!({"s": {"put": [], "remove": ["x"]}}));
        let removed = json!({"value": [], "deletion_ts": null, "set": true, "removed": ["x"]});
        assert_eq!(connector[1]["value"]["after"]["s"], removed);
    });
}

#[test]
fn b4_removal_from_a_map_of_every_type_of_value() {
    both("accept.b4", |flat, connector| {
        assert_eq!((flat.len(), connector.len()), (44, 44));
        for (number, pair) in connector.chunks(2).enumerate() {
            let column = format!("m{number}");
            let whole = pair[0]["value"]["after"][&column]["value"].as_object().unwrap();
            assert_eq!(whole.keys().collect::<Vec<_>>(), ["k", "other"], "{column}");
            assert!(whole.values().all(|value| !value.is_null()), "{column}");
            assert_eq!(pair[1]["value"]["after"][&column], cell(json!({"k": null})), "{column}");
        }
        for (number, pair) in flat.chunks(2).enumerate() {
            let patch = json!({format!("m{number}"): {"put": [], "remove": ["k"]}});
            assert_eq!(pair[1]["value"]["patch"], patch);
        }
    });
}

#[test]
fn b5_b6_overwrite_append_delete() {
    both("accept.b5", |flat, connector| {
        assert_eq!(operations(&flat), ["u", "u", "u", "u"]);
        assert_eq!(flat[0]["value"]["after"], json!({"id": 1, "l": [1], "m": {"k": 1}, "s": ["a"]}));
        assert_eq!(flat[0]["value"].get("patch"), None);
        // The deletion of the old content is a microsecond older than the new one.
        let before = flat[0]["value"]["source"]["ts_us"].as_i64().unwrap() - 1;
        let deleted = json!({"deleted_ts_us": before});
        assert_eq!(flat[0]["value"]["cells"], json!({"l": deleted, "m": deleted, "s": deleted}));
        let patch = &flat[1]["value"]["patch"];
        assert_eq!(flat[1]["value"]["after"], json!({"id": 1}));
        assert_eq!(patch["l"]["put"][0][1], 2);
        assert_eq!((&patch["m"]["put"], &patch["s"]["put"]), (&json!([["j", 2]]), &json!(["b"])));
        assert_eq!(flat[1]["value"].get("cells"), None);
        // B6: the deletion of a whole column is as old as the statement.
        assert_eq!(flat[2]["value"]["after"], json!({"id": 1, "m": null}));
        assert_eq!(flat[2]["value"].get("cells"), None);
        assert_eq!(flat[3]["value"]["after"], json!({"id": 1, "l": null, "s": null}));
        // The connector's form does not tell an append from an overwrite.
        assert_eq!(values(&connector[0]), json!({"id": 1, "l": [1], "m": {"k": 1}, "s": ["a"]}));
        assert_eq!(values(&connector[1]), json!({"id": 1, "l": [2], "m": {"j": 2}, "s": ["b"]}));
        assert_eq!(connector[2]["value"]["after"]["m"], cell(Value::Null));
        assert_eq!(values(&connector[3]), json!({"id": 1, "l": null, "s": null}));
    });
}

#[test]
fn b7_a_field_of_a_user_defined_type() {
    both("accept.b7", |flat, connector| {
        assert_eq!(flat[0]["value"]["after"]["u"], json!({"street": "Main", "zip": 1}));
        assert_eq!(flat[1]["value"]["patch"], json!({"u": {"put": [["zip", 2]], "remove": ["street"]}}));
        assert_eq!(connector[0]["value"]["after"]["u"], cell(json!({"street": "Main", "zip": 1})));
        assert_eq!(connector[1]["value"]["after"]["u"], cell(json!({"street": null, "zip": 2})));
    });
}

#[test]
fn b10_delete_and_insert_of_one_row_in_a_batch() {
    both("accept.b10", |flat, connector| {
        assert_eq!((operations(&flat), operations(&connector)), (vec!["d", "c"], vec!["d", "i"]));
        let times = |record: &Value| record["value"]["source"]["ts_us"].as_i64().unwrap();
        for records in [&flat, &connector] {
            assert_eq!(records[0]["key"], records[1]["key"]);
            assert_eq!(times(&records[0]) + 1, times(&records[1]));
        }
        assert_eq!(
            (&flat[0]["value"]["source"]["row"], &flat[1]["value"]["source"]["row"]),
            (&json!(0), &json!(1))
        );
        assert_eq!(flat[1]["value"]["after"], json!({"p": 1, "c": 1, "v": 2}));
    });
}

#[test]
fn b12_every_row_of_a_batch_carries_its_own_time() {
    both("accept.b12", |flat, connector| {
        for records in [flat, connector] {
            let times: Vec<i64> =
                records.iter().map(|record| record["value"]["source"]["ts_us"].as_i64().unwrap()).collect();
            assert_eq!(times, [times[0], times[0] + 10, times[0] + 20]);
        }
    });
}

#[test]
fn b13_ttl_of_a_row_a_cell_and_an_element() {
    both("accept.b13", |flat, connector| {
        let row = &flat[0]["value"];
        assert_eq!((&row["op"], &row["liveness"]["ttl"]), (&json!("c"), &json!(3600)));
        for column in ["v", "w"] {
            assert_eq!(row["cells"][column]["ttl"], 3600);
            assert_eq!(row["cells"][column]["expires_at"], row["liveness"]["expires_at"]);
        }
        let cells = &flat[1]["value"]["cells"];
        assert_eq!((&cells["v"]["ttl"], cells.get("w")), (&json!(60), None));
        assert_eq!(flat[1]["value"].get("liveness"), None);
        // The TTL's cell is the older one of the batch.
        assert_eq!(
            cells["v"]["ts_us"].as_i64().unwrap() + 1000,
            flat[1]["value"]["source"]["ts_us"].as_i64().unwrap()
        );
        let elements = &flat[2]["value"]["cells"]["m"]["elements"];
        assert_eq!(
            (&elements[0]["path"], &elements[0]["ttl"], &elements[1]),
            (&json!("a"), &json!(60), &Value::Null)
        );
        assert_eq!(flat[2]["value"]["patch"]["m"]["put"], json!([["a", 1], ["b", 2]]));
        // The connector shows the expiry of single cells, in microseconds.
        let expiry = row["cells"]["v"]["expires_at"].as_i64().unwrap() * 1_000_000;
        assert_eq!(connector[0]["value"]["after"]["v"]["deletion_ts"], expiry);
        assert_eq!(connector[1]["value"]["after"]["w"]["deletion_ts"], Value::Null);
        assert_eq!(connector[2]["value"]["after"]["m"], cell(json!({"a": 1, "b": 2})));
    });
}

#[test]
fn b24_counters() {
    both("accept.counted", |flat, connector| {
        let shards = &flat[0]["value"]["patch"]["n"]["shards"];
        assert_eq!(shards[0]["count"], 42);
        assert_eq!(flat[0]["value"]["after"], json!({"id": 1}));
        assert_eq!(&connector[0]["value"]["after"]["n"]["shards"], shards);
    });
}
