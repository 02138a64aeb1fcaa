//! Rows that a write takes out of a materialized view: what Cassandra's reader finds, and the records.

use crate::program::{agent, fixtures, json_lines, segment, stderr};

/// Two writes of the workload change `status` of a row, which is part of the view's key: Cassandra logs row liveness with
/// a TTL that it never takes from a client, and what it says of it stands in `mutations.jsonl.gz` of the fixture.
#[test]
fn a_row_that_leaves_a_view_is_told_by_its_ttl() {
    let folder = fixtures().join("4.1-none");
    let schema = folder.join("schema.json");
    let [path, schema] = [&segment("4.1-none"), &schema].map(|path| path.to_str().unwrap().to_owned());
    let output = agent(["replay", &path, "--schema", &schema, "--table", "writes.by_status", "--quiet"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let records = json_lines(&output);
    let left = records.iter().filter(|record| record["value"]["liveness"]["ttl"] == 2_147_483_647);
    let found: Vec<_> = left
        .map(|record| {
            let value = &record["value"];
            let number = |place: &str| value.pointer(place).and_then(serde_json::Value::as_i64).unwrap();
            assert_eq!(value["op"], "c");
            (number("/source/ts_us"), number("/liveness/expires_at"))
        })
        .collect();
    assert_eq!(found, [(1_767_328_800_017_000, 1_795_362_947), (1_767_328_800_020_000, 1_795_362_947)]);
}
