//! `values.jsonl` once more: the text of a range's bound in profile debezium-cassandra is Cassandra's own.

use cdc_agent::envelope::options::Profile;

use super::values::vectors;
use super::{text, unhex};
use crate::support::mutation_writer::{Deletion, Item, Update, payload};
use crate::support::records::{config, records_of_payload};
use crate::support::table::Table;

#[test]
fn bounds_are_cassandras_texts() {
    let (_, lines) = vectors();
    let mut checked = 0;
    for line in &lines {
        let type_text = text(line, "type");
        // Nested types are in hex on purpose; counters and durations are never clustering columns.
        if type_text.contains('<') || matches!(type_text, "counter" | "duration" | "address") {
            continue;
        }
        let Some(expected) = line["string"].as_str() else { continue };
        let bytes = unhex(&line["value"]);
        if type_text == "timestamp" && bytes.first().is_some_and(|first| *first >= 0x80) {
            // Before the year 1 Cassandra prints the year of the era.
            let millis: i64 = text(line, "java").parse().unwrap();
            if millis < -62_135_596_800_000 {
                continue;
            }
        }
        let table = Table::new([["id", "partition_key", "int"], ["ck", "clustering", type_text]]);
        let deletion = Deletion(1, 1);
        let update = Update {
            key: vec![0, 0, 0, 1],
            items: vec![
                Item::Marker(1, vec![Some(bytes)], vec![deletion]),
                Item::Marker(6, Vec::new(), vec![deletion]),
            ],
            ..Update::default()
        };
        let config = config(Profile::DebeziumCassandra);
        let records = records_of_payload(&table.schema(), &config, &payload(&table, &update))
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        let found = &records[0].json()["after"]["_range_start"]["values"][0];
        assert_eq!(found["value"], expected, "{line}");
        checked += 1;
    }
    assert!(checked > 200, "{checked} values");
}
