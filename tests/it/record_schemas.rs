//! Every record of every fixture, in every profile: valid under the JSON Schemas of docs, and canonical JSON.

use std::collections::HashSet;
use std::path::Path;

use cdc_agent::change::filter::TableFilter;
use cdc_agent::envelope::EncoderConfig;
use cdc_agent::envelope::options::{
    CellTimes, DecimalHandling, Profile, RowHashOptions, RowHashVersion, TimestampFormat, VarintHandling,
};
use cdc_agent::schema::Schema;
use jsonschema::Validator;
use serde_json::Value;

use crate::support::json::canonical;
use crate::support::records::{OwnedRecord, config, records_of_segments};
use crate::support::{FIXTURES, fixture, schema, segments};

/// The schema of a profile's values and of its keys.
struct Schemas {
    value: Validator,
    key: Validator,
}

impl Schemas {
    fn load(file: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file);
        let value: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let mut key = serde_json::json!({"$ref": "#/$defs/key"});
        for part in ["$schema", "$defs"] {
            key[part] = value[part].clone();
        }
        Self {
            value: jsonschema::validator_for(&value).unwrap(),
            key: jsonschema::validator_for(&key).unwrap(),
        }
    }

    fn check(&self, record: &OwnedRecord) {
        for (text, validator) in [(record.value.as_ref().unwrap(), &self.value), (&record.key, &self.key)] {
            let parsed: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            let errors: Vec<String> = validator
                .iter_errors(&parsed)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{errors:#?}\n{text}");
            assert_eq!(*text, canonical(text));
        }
        assert!(holds_its_key(record), "{}\n{}", record.key, record.value.as_ref().unwrap());
    }
}

/// What a JSON Schema cannot say: `before` is the key, `after` begins with the key's columns. In the connector's shape
/// each column of the key has a cell with the key's value, or none where the key has null.
fn holds_its_key(record: &OwnedRecord) -> bool {
    let key: Value = serde_json::from_str(&record.key).unwrap();
    let (key, value) = (key.as_object().unwrap(), record.json());
    let after = value["after"].as_object();
    if after.is_some_and(|after| after.contains_key("_range_start")) {
        return key.iter().all(|(column, value)| match &after.unwrap()[column] {
            Value::Null => value.is_null(),
            cell => cell["value"] == *value,
        });
    }
    match after {
        Some(after) => after.len() >= key.len() && key.iter().zip(after).all(|(key, column)| key == column),
        None => value["before"].as_object() == Some(key),
    }
}

/// Every table, whatever its `cdc` option says.
fn all_tables(schema: &Schema) -> TableFilter {
    let names = schema.tables().map(|table| (table.keyspace.clone(), table.name.clone()));
    TableFilter { tables: names.collect::<HashSet<_>>(), ..TableFilter::default() }
}

/// Records of all fixtures, handed to `check`; gives their number.
fn for_each_record(config: &EncoderConfig, check: impl Fn(&OwnedRecord)) -> usize {
    let mut count = 0;
    for name in FIXTURES {
        let folder = fixture(name);
        let schema = schema(&folder.join("schema.json"));
        let records = records_of_segments(&segments(&folder), &schema, &all_tables(&schema), config);
        assert!(!records.is_empty(), "{name}");
        records.iter().for_each(&check);
        count += records.len();
    }
    count
}

#[test]
fn flat_records_are_valid() {
    let schemas = Schemas::load("envelope.schema.json");
    let count = for_each_record(&config(Profile::Flat), |record| schemas.check(record));
    assert!(count > 3500, "{count} records");
}

#[test]
fn flat_records_with_every_option_are_valid() {
    let schemas = Schemas::load("envelope.schema.json");
    let mut config = config(Profile::Flat);
    config.cells = CellTimes::All;
    config.format.decimals = DecimalHandling::Precise;
    config.format.varints = VarintHandling::Long;
    config.format.timestamps = TimestampFormat::Iso8601;
    for version in [RowHashVersion::V1, RowHashVersion::V0] {
        config.row_hash = Some(RowHashOptions { version, ..RowHashOptions::default() });
        for_each_record(&config, |record| schemas.check(record));
    }
}

#[test]
fn records_of_the_connectors_profile_are_valid() {
    let schemas = Schemas::load("envelope.debezium-cassandra.schema.json");
    let mut config = config(Profile::DebeziumCassandra);
    for_each_record(&config, |record| schemas.check(record));
    config.format.decimals = DecimalHandling::Precise;
    config.format.varints = VarintHandling::Precise;
    for_each_record(&config, |record| schemas.check(record));
}

#[test]
fn records_of_profile_debezium_are_valid() {
    let (changelog, side) =
        (Schemas::load("envelope.debezium.schema.json"), Schemas::load("envelope.schema.json"));
    let (in_changelog, beside) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    for_each_record(&config(Profile::Debezium), |record| {
        let is_side = record.topic.ends_with(".flat");
        let (schemas, count) = if is_side { (&side, &beside) } else { (&changelog, &in_changelog) };
        schemas.check(record);
        count.set(count.get() + 1);
    });
    assert!(in_changelog.get() > 500 && beside.get() > 500, "{in_changelog:?} and {beside:?} records");
}

#[test]
fn a_tombstone_follows_every_delete_and_nothing_else() {
    for profile in [Profile::Flat, Profile::DebeziumCassandra, Profile::Debezium] {
        let mut config = config(profile);
        config.tombstones_on_delete = true;
        let folder = fixture("4.1-acceptance");
        let schema = schema(&folder.join("schema.json"));
        let records = records_of_segments(&segments(&folder), &schema, &all_tables(&schema), &config);
        let mut tombstones = 0;
        for pair in records.windows(2) {
            let deleted = pair[0].value.is_some() && pair[0].json()["op"] == "d";
            assert_eq!(pair[1].value.is_none(), deleted, "{pair:?}");
            if deleted {
                tombstones += 1;
                assert_eq!((&pair[1].topic, &pair[1].key), (&pair[0].topic, &pair[0].key));
                assert_eq!(pair[1].partition_hash, pair[0].partition_hash);
                assert_eq!(pair[1].event_id, pair[0].event_id);
            }
        }
        assert!(tombstones > 5, "{tombstones} tombstones");
    }
}
