//! `values.jsonl`: values of every type beside what Cassandra and the JDK print of them.

use base64::Engine as _;
use cdc_agent::cql::counter::shards;
use cdc_agent::envelope::options::{TimestampFormat, ValueFormat};
use cdc_agent::envelope::value::write_value;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::cassandra_json::expected;
use super::{lines, text, unhex};
use crate::support::table::{Column, Table, Udt};

/// The lines behind the first one, and the user-defined types of that.
pub(super) fn vectors() -> (Vec<Udt>, Vec<Value>) {
    let mut lines = lines("values.jsonl");
    let first = lines.remove(0);
    let strings = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    let udt = |row: &Value| {
        let fields = strings(&row["field_names"]).into_iter().zip(strings(&row["field_types"]));
        (text(row, "type_name").to_owned(), fields.collect())
    };
    (first["types"].as_array().unwrap().iter().map(udt).collect(), lines)
}

/// A table with one regular column of the type.
pub(super) fn table_of(type_text: &str, types: &[Udt]) -> Table {
    let mut table = Table::new([["id", "partition_key", "int"]]);
    "ks".clone_into(&mut table.keyspace);
    table.columns.push(Column::new("v", "regular", type_text));
    table.types = types.to_vec();
    table
}

fn ours(table: &Table, bytes: &[u8], format: ValueFormat) -> Result<String, String> {
    let schema = table.schema();
    let column = &schema.tables().next().unwrap().regulars[0];
    let mut out = Vec::new();
    write_value(&column.cql_type, bytes, format, &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

/// What a record carries for a scalar of which the JDK gave the text.
fn of_java(type_text: &str, java: &str) -> String {
    match type_text {
        "varint" | "decimal" => format!("\"{java}\""),
        "double" | "float" if java.ends_with('N') || java.ends_with('y') => format!("\"{java}\""),
        "duration" => {
            let parts: Vec<&str> = java.split(' ').collect();
            format!("{{\"months\":{},\"days\":{},\"nanos\":{}}}", parts[0], parts[1], parts[2])
        }
        _ => java.to_owned(),
    }
}

fn is_text(type_text: &str) -> bool {
    matches!(type_text, "text" | "ascii" | "blob")
}

#[test]
fn scalars_are_what_the_jdk_prints() {
    let (types, lines) = vectors();
    let mut checked = 0;
    for line in lines.iter().filter(|line| line.get("java").is_some()) {
        let type_text = text(line, "type");
        let found = ours(&table_of(type_text, &types), &unhex(&line["value"]), ValueFormat::default());
        assert_eq!(found.unwrap(), of_java(type_text, text(line, "java")), "{line}");
        checked += 1;
    }
    assert!(checked > 150, "{checked} values");
}

#[test]
fn values_are_cassandras_json_in_the_form_of_records() {
    let (types, lines) = vectors();
    let (mut checked, mut silent) = (0, 0);
    for line in lines.iter().filter(|line| line["type"] != "counter") {
        let type_text = text(line, "type");
        let table = table_of(type_text, &types);
        let bytes = unhex(&line["value"]);
        let found =
            ours(&table, &bytes, ValueFormat::default()).unwrap_or_else(|error| panic!("{line}: {error}"));
        if bytes.is_empty() {
            assert_eq!(found, if is_text(type_text) { "\"\"" } else { "null" }, "{line}");
            continue;
        }
        let Some(json) = line["json"].as_str() else { continue };
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        let schema = table.schema();
        let column = &schema.tables().next().unwrap().regulars[0];
        // Java takes an IPv4-mapped address for IPv4.
        let mapped = type_text == "inet" && bytes.len() == 16 && !json.contains(':');
        match expected(&column.cql_type, &raw).filter(|_| !mapped) {
            Some(expected) => {
                assert_eq!(found, expected, "{line}");
                checked += 1;
            }
            // Cassandra prints NaN and the infinities as null, and dates before the year 1 without an era.
            None => silent += 1,
        }
    }
    assert!(checked > 350 && silent < 40, "{checked} values, {silent} that Cassandra's JSON does not tell");
}

#[test]
fn timestamps_as_text_are_those_of_cassandra() {
    let format = ValueFormat { timestamps: TimestampFormat::Iso8601, ..ValueFormat::default() };
    let (types, lines) = vectors();
    let table = table_of("timestamp", &types);
    let first_year: i64 = -62_135_596_800_000;
    let mut checked = 0;
    for line in lines.iter().filter(|line| line["type"] == "timestamp" && line["value"] != "") {
        // Before the year 1 Cassandra prints the year of the era.
        if text(line, "java").parse::<i64>().unwrap() < first_year {
            continue;
        }
        let found = ours(&table, &unhex(&line["value"]), format).unwrap();
        assert_eq!(found, format!("\"{}\"", text(line, "string")), "{line}");
        checked += 1;
    }
    assert!(checked >= 10);
}

#[test]
fn decimals_and_varints_in_their_other_forms() {
    use cdc_agent::envelope::options::{DecimalHandling, VarintHandling};
    let (types, lines) = vectors();
    let (decimals, varints) = (table_of("decimal", &types), table_of("varint", &types));
    let exact = ValueFormat {
        decimals: DecimalHandling::Precise,
        varints: VarintHandling::Precise,
        ..ValueFormat::default()
    };
    let number = ValueFormat {
        decimals: DecimalHandling::Double,
        varints: VarintHandling::Long,
        ..ValueFormat::default()
    };
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    for line in lines.iter().filter(|line| line["value"] != "") {
        let bytes = unhex(&line["value"]);
        match text(line, "type") {
            "varint" => {
                assert_eq!(ours(&varints, &bytes, exact).unwrap(), format!("\"{}\"", base64(&bytes)));
                assert_eq!(ours(&varints, &bytes, number).unwrap(), text(line, "java"), "{line}");
            }
            "decimal" => {
                let scale = i32::from_be_bytes(bytes[..4].try_into().unwrap());
                let expected = format!("{{\"scale\":{scale},\"value\":\"{}\"}}", base64(&bytes[4..]));
                assert_eq!(ours(&decimals, &bytes, exact).unwrap(), expected, "{line}");
                let found = ours(&decimals, &bytes, number).unwrap();
                let nearest: f64 = text(line, "java").parse().unwrap();
                let parsed: f64 = found.trim_matches('"').parse().unwrap();
                assert_eq!(parsed.to_bits(), nearest.to_bits(), "{line}");
            }
            _ => {}
        }
    }
}

#[test]
fn counters_have_cassandras_shards() {
    let (_, lines) = vectors();
    let mut checked = 0;
    for line in lines.iter().filter(|line| line["type"] == "counter") {
        let context = unhex(&line["value"]);
        let found: Vec<Value> = shards(&context)
            .unwrap()
            .map(|shard| {
                let id = uuid::Uuid::from_bytes(shard.id).to_string();
                json!({"id": id, "clock": shard.clock, "count": shard.count})
            })
            .collect();
        let listed = line["shards"]
            .as_array()
            .unwrap()
            .iter()
            .map(|shard| json!({"id": shard["id"], "clock": shard["clock"], "count": shard["count"]}));
        assert_eq!(found, listed.collect::<Vec<_>>(), "{line}");
        checked += 1;
    }
    assert!(checked > 5);
}
