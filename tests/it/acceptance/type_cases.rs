//! T1 to T23: one value of each type, as `after.<column>.value`.

use serde_json::{Value, json};

use super::{CONNECTOR, FIXTURES, cell, operations, replay};

/// The value of a column of the row that has all types, in both fixtures; options come after the profile.
fn value_with(column: &str, options: &[&str]) -> Value {
    let found = FIXTURES.map(|fixture| {
        let options = [CONNECTOR, options].concat();
        let records = replay(fixture, &["accept.t"], &options);
        assert_eq!(operations(&records), ["i"]);
        records[0]["value"]["after"][column].clone()
    });
    assert_eq!(found[0], found[1]);
    let value = found[0]["value"].clone();
    assert_eq!(found[0], cell(value.clone()));
    value
}

fn value(column: &str) -> Value {
    value_with(column, &[])
}

#[test]
fn t1_to_t4_text_boolean_blob_integers() {
    assert_eq!(value("c_ascii"), "some text", "T1");
    assert_eq!(value("c_boolean"), true, "T2");
    assert_eq!(value("c_blob"), "c29tZSByYW5kb20gc3R1ZmYgaGVyZQ==", "T3");
    for (column, expected) in [("c_tinyint", 9), ("c_smallint", 2), ("c_int", 8), ("c_bigint", 8)] {
        assert_eq!(value(column), expected, "T4 {column}");
    }
}

/// The connector has the total of a snapshot; the log has the shard that the write touched.
#[test]
fn t5_counter() {
    for fixture in FIXTURES {
        let records = replay(fixture, &["accept.counted"], CONNECTOR);
        assert_eq!(operations(&records), ["u"]);
        let cell = &records[0]["value"]["after"]["n"];
        assert_eq!((&cell["value"], &cell["set"]), (&Value::Null, &json!(true)));
        assert_eq!((&cell["shards"][0]["count"], &cell["shards"][1]), (&json!(42), &Value::Null));
    }
}

#[test]
fn t6_decimal_in_three_forms() {
    assert_eq!(value("c_decimal"), std::f64::consts::PI);
    assert_eq!(value_with("c_decimal", &["--decimal-handling", "string"]), "3.141592653589793");
    // 3141592653589793 is 0x0b29430a256d21; its base64:
    let precise = json!({"scale": 15, "value": "CylDCiVtIQ=="});
    assert_eq!(value_with("c_decimal", &["--decimal-handling", "precise"]), precise);
}

#[test]
fn t7_to_t10_floats_duration_inet_varint() {
    assert_eq!(value("c_double"), 100.5, "T7");
    assert_eq!(value("c_float"), 66.6, "T7");
    assert_eq!(value("c_duration"), 2_851_200_000_000_500_i64, "T8");
    assert_eq!(value("c_inet"), "/10.11.12.13", "T9");
    assert_eq!(value("c_varint"), 8, "T10 long");
    assert_eq!(value_with("c_varint", &["--varint-handling", "precise"]), "CA==", "T10 precise");
    assert_eq!(value_with("c_varint", &["--varint-handling", "string"]), "8", "T10 string");
}

#[test]
fn t11_to_t14_collections_frozen_and_not() {
    for column in ["l", "fl"] {
        assert_eq!(value(column), json!([1, 3, 5]), "T11 {column}");
    }
    for column in ["m", "fm"] {
        assert_eq!(value(column), json!({"bar": 50.0, "foo": 1.0}), "T12 {column}");
    }
    assert_eq!(value("mi"), json!([[1, 1.5], [2, 3.1414]]), "T13");
    for column in ["s", "fs"] {
        assert_eq!(value(column), json!([42.0, 123.0]), "T14 {column}");
    }
}

#[test]
fn t15_to_t18_times_and_uuids() {
    assert_eq!(value("c_date"), 17946, "T15");
    assert_eq!(value("c_time"), 30, "T16");
    assert_eq!(value("c_timestamp"), 1_767_323_045_678_i64, "T17");
    assert_eq!(value("c_uuid"), "5132b130-ae79-11e4-ab27-0800200c9a66", "T18");
    assert_eq!(value("c_timeuuid"), "50554d6e-29bb-11e5-b345-feff819cdc9f", "T18");
}

#[test]
fn t17_timestamp_in_descending_order() {
    for fixture in FIXTURES {
        let records = replay(fixture, &["accept.t_reversed"], CONNECTOR);
        assert_eq!(operations(&records), ["i", "r"]);
        assert_eq!(records[0]["value"]["after"]["at"], cell(1_767_323_045_678_i64));
        let class =
            "org.apache.cassandra.db.marshal.ReversedType(org.apache.cassandra.db.marshal.TimestampType)";
        let bound = json!({"name": "at", "value": "2026-01-02T03:04:05.678Z", "type": class});
        let after = &records[1]["value"]["after"];
        // `at > x` stands before x when the order is descending.
        assert_eq!(after["_range_start"], json!({"method": "INCL_START_BOUND", "values": []}));
        assert_eq!(after["_range_end"], json!({"method": "EXCL_END_BOUND", "values": [bound]}));
    }
}

#[test]
fn t19_to_t23_tuple_user_types_text() {
    assert_eq!(value("c_tuple"), json!({"field1": "foo", "field2": 1}), "T19");
    let foo = json!({"asciiField": "foobar", "doubleField": 1.5, "durationField": 2_764_800_000_000_003_i64});
    assert_eq!(value("c_udt"), foo, "T20");
    assert_eq!(value("lu"), json!(["5132b130-ae79-11e4-ab27-0800200c9a66"]), "T21");
    assert_eq!(value("lo"), json!([{"name": "a", "words": ["p", "q"]}]), "T22");
    assert_eq!(value("c_text"), "Fourscore and seven years ago", "T23");
}
