//! B8, B9: ranges that meet, and ranges in descending order.

use serde_json::{Value, json};

use super::{CONNECTOR, FIXTURES, FLAT, operations, replay};

fn bound(column: &str, value: i64, inclusive: bool) -> Value {
    json!({"values": {column: value}, "inclusive": inclusive})
}

#[test]
fn b8_ranges_that_meet_in_a_boundary() {
    for fixture in FIXTURES {
        let flat = replay(fixture, &["accept.b8"], FLAT);
        let time = |record: &Value| record["value"]["source"]["ts_us"].as_i64().unwrap();
        assert_eq!(flat[0]["value"]["range"], json!({"start": null, "end": bound("c", 5, false)}));
        assert_eq!(flat[1]["value"]["range"], json!({"start": bound("c", 5, true), "end": null}));
        assert_eq!(time(&flat[0]) + 1000, time(&flat[1]));
        let connector = replay(fixture, &["accept.b8"], CONNECTOR);
        let c = json!({"name": "c", "value": "5", "type": "org.apache.cassandra.db.marshal.Int32Type"});
        let (first, second) = (&connector[0]["value"]["after"], &connector[1]["value"]["after"]);
        assert_eq!(operations(&connector[..2]), ["r", "r"]);
        assert_eq!(first["_range_start"], json!({"method": "INCL_START_BOUND", "values": []}));
        assert_eq!(first["_range_end"], json!({"method": "EXCL_END_BOUND", "values": [c]}));
        assert_eq!(second["_range_start"], json!({"method": "INCL_START_BOUND", "values": [c]}));
        assert_eq!(second["_range_end"], json!({"method": "INCL_END_BOUND", "values": []}));
    }
}

#[test]
fn b9_a_range_in_descending_order() {
    for fixture in FIXTURES {
        let flat = replay(fixture, &["accept.b9"], FLAT);
        // `c > 3 AND c <= 9`: 9 comes first.
        assert_eq!(
            flat[0]["value"]["range"],
            json!({"start": bound("c", 9, true), "end": bound("c", 3, false)})
        );
        let connector = replay(fixture, &["accept.b9"], CONNECTOR);
        let after = &connector[0]["value"]["after"];
        let class = "org.apache.cassandra.db.marshal.ReversedType(org.apache.cassandra.db.marshal.Int32Type)";
        let c = |value: &str| json!([{"name": "c", "value": value, "type": class}]);
        assert_eq!(after["_range_start"], json!({"method": "INCL_START_BOUND", "values": c("9")}));
        assert_eq!(after["_range_end"], json!({"method": "EXCL_END_BOUND", "values": c("3")}));
    }
}
