//! `partition.jsonl`: record keys, and the partitions that Kafka's own class gives to them.

use cdc_agent::envelope::options::Profile;
use serde_json::Value;

use super::{lines, live, partition_key, text, types, unhex};
use crate::support::mutation_writer::{ColumnData, Content, Item, Row, Update, payload};
use crate::support::records::{OwnedRecord, config, records_of_payload};
use crate::support::table::{Column, Table};

/// One record of a row whose partition key the line has; `clustered` adds a clustering column.
fn record(line: &Value, clustered: bool, profile: Profile) -> OwnedRecord {
    let columns = line["columns"].as_array().unwrap();
    let mut table = Table::new([["zz value", "regular", "int"]]);
    table.types = types(&line["udts"]);
    table.columns.extend(
        columns.iter().map(|column| Column::new(text(column, "name"), "partition_key", text(column, "type"))),
    );
    if clustered {
        table.columns.push(Column::new("zz clustering", "clustering", "int"));
    }
    let key: Vec<Vec<u8>> = columns.iter().map(|column| unhex(&column["value"])).collect();
    let value = ColumnData { name: "zz value".to_owned(), content: Content::Simple(live(None, 1, &[0; 4])) };
    let row = Row {
        clustering: if clustered { vec![Some(vec![0, 0, 0, 9])] } else { Vec::new() },
        columns: vec![value],
        ..Row::default()
    };
    let update = Update { key: partition_key(&key), items: vec![Item::Row(row)], ..Update::default() };
    let payload = payload(&table, &update);
    let mut records = records_of_payload(&table.schema(), &config(profile), &payload)
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    assert_eq!(records.len(), 1);
    records.remove(0)
}

fn check(line: &Value, record: &OwnedRecord) {
    for (count, partition) in line["partitions"].as_object().unwrap() {
        let found = record.partition_hash % count.parse::<u32>().unwrap();
        assert_eq!(u64::from(found), partition.as_u64().unwrap(), "{count} partitions, {line}");
    }
}

#[test]
fn keys_and_partitions_are_those_of_the_vectors() {
    let lines = lines("partition.jsonl");
    assert!(lines.len() >= 50);
    for line in &lines {
        let plain = record(line, false, Profile::Flat);
        assert_eq!(plain.key, text(line, "key"), "{line}");
        check(line, &plain);
        check(line, &record(line, false, Profile::Debezium));
        let clustered = record(line, true, Profile::Flat);
        let partition_part = text(line, "key").strip_suffix('}').unwrap();
        assert_eq!(clustered.key, format!("{partition_part},\"zz clustering\":9}}"));
        check(line, &clustered);
    }
}
