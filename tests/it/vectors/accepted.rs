//! `accepted.jsonl`: what Cassandra takes from a client gives a record, whether or not Cassandra can print it.

use cdc_agent::envelope::EncoderConfig;
use cdc_agent::envelope::options::{
    DecimalHandling, Profile, RowHashOptions, RowHashVersion, ValueFormat, VarintHandling,
};
use num_bigint::BigInt;
use serde_json::{Value, json};

use super::values::table_of;
use super::{lines, text, unhex};
use crate::support::mutation_writer::{ColumnData, Item, Row, Update, payload};
use crate::support::records::{config, records_of_payload};

/// The value of a record with `v` of a type and bytes, as text.
fn record(type_text: &str, value: &[u8], config: &EncoderConfig) -> Result<String, String> {
    let table = table_of(type_text, &[]);
    let row = Row { columns: vec![ColumnData::live("v", 1, value)], ..Row::default() };
    let update = Update { key: vec![0, 0, 0, 7], items: vec![Item::Row(row)], ..Update::default() };
    let records = records_of_payload(&table.schema(), config, &payload(&table, &update));
    records.map(|records| records[0].value.clone().unwrap()).map_err(|error| error.to_string())
}

fn flat(type_text: &str, value: &[u8]) -> Result<String, String> {
    record(type_text, value, &config(Profile::Flat))
}

fn parsed(type_text: &str, value: &[u8]) -> Value {
    serde_json::from_str(&flat(type_text, value).unwrap()).unwrap()
}

#[test]
fn what_cassandra_takes_gives_a_record() {
    let (mut taken, mut refused) = (0, 0);
    for line in lines("accepted.jsonl") {
        let type_text = text(&line, "type");
        let bytes = unhex(&line["value"]);
        let found = flat(type_text, &bytes);
        if line["accepted"] == true {
            let found = found.unwrap_or_else(|error| panic!("{line}: {error}"));
            if let (true, Some(string)) = (type_text == "text", line["string"].as_str()) {
                let record: Value = serde_json::from_str(&found).unwrap();
                assert_eq!(record["after"]["v"], string, "{line}");
            }
            taken += 1;
        } else if type_text == "text" {
            assert!(found.is_err(), "{line}: {found:?}");
            refused += 1;
        }
    }
    assert!(taken > 180 && refused > 1000, "{taken} {refused}");
}

#[test]
fn text_beyond_utf8_has_one_form_each() {
    let vectors: [(&[u8], &str); 6] = [
        (b"a\xC0\x80b", r#""v":"a\u0000b""#),
        (b"\xED\xA0\xBD\xED\xB8\x80", "\"v\":\"\u{1F600}\""),
        (b"a\xED\xA0\xBDb", "\"v\":\"a\u{FFFD}b\""),
        (b"\xED\xB8\x80\xED\xA0\xBD", "\"v\":\"\u{FFFD}\u{FFFD}\""),
        (b"\xE0\x41\x80\"", "\"v\":\"\u{FFFD}\\\"\""),
        (b"\xF4\x90\x80\x80", "\"v\":\"\u{FFFD}\""),
    ];
    for (bytes, expected) in vectors {
        let found = flat("text", bytes).unwrap();
        assert!(found.contains(expected), "{bytes:x?}: {found}");
    }
    let map = [&[0, 0, 0, 1, 0, 0, 0, 2][..], b"\xC0\x80", &[0, 0, 0, 4, 0, 0, 0, 5]].concat();
    assert_eq!(parsed("frozen<map<text, int>>", &map)["after"]["v"], json!({"\0": 5}));
}

#[test]
fn what_is_no_value_is_null_with_a_mark() {
    let vectors: [(&str, &[u8]); 4] = [
        ("decimal", &[0, 0, 0, 0]),
        ("decimal", &[0, 0, 0, 7]),
        ("frozen<list<int>>", &[0xff; 4]),
        ("frozen<map<int, int>>", &[0x80, 0, 0, 0]),
    ];
    for (type_text, bytes) in vectors {
        let record = parsed(type_text, bytes);
        assert_eq!(record["after"], json!({"id": 7, "v": null}), "{type_text} {bytes:x?}");
        assert_eq!(record["cells"], json!({"v": {"empty": true}}), "{type_text} {bytes:x?}");
    }
    let long = parsed("duration", &[2, 2, 2, 0xff, 0xff]);
    assert_eq!(long["after"]["v"], json!({"months": 1, "days": 1, "nanos": 1}));
}

#[test]
fn a_row_hash_is_only_over_text_that_there_is() {
    let columns = RowHashOptions { version: RowHashVersion::V1, exclude: Vec::new(), columns: Vec::new() };
    let config = EncoderConfig { row_hash: Some(columns), ..config(Profile::Flat) };
    let hash = |bytes: &[u8]| record("text", bytes, &config).unwrap();
    let part =
        |record: &str| record.split("\"hash_kind\"").next().unwrap().rsplit(',').nth(1).unwrap().to_owned();
    assert!(part(&hash(b"a")).starts_with("\"row_hash\":\""), "{}", hash(b"a"));
    assert_eq!(part(&hash(b"a\xC0\x80")), part(&hash(b"a\0")));
    assert_eq!(part(&hash(b"\xED\xA0\xBD\xED\xB8\x80")), part(&hash("\u{1F600}".as_bytes())));
    for bytes in [&b"\xED\xA0\xBD"[..], b"\xF5\x80\x80\x80"] {
        assert!(hash(bytes).contains(r#""row_hash":null,"hash_kind":"partial""#), "{bytes:x?}");
    }
}

/// A power of ten: its digits are known.
fn power_of_ten(exponent: u32) -> Vec<u8> {
    BigInt::from(10).pow(exponent).to_signed_bytes_be()
}

#[test]
fn long_numbers_are_printed_whole() {
    let exponent = 60_000;
    let bytes = power_of_ten(exponent);
    assert!(bytes.len() > 24_000);
    let digits = format!("1{}", "0".repeat(60_000));
    assert_eq!(parsed("varint", &bytes)["after"]["v"], digits);
    let decimal = [&2_i32.to_be_bytes()[..], &bytes].concat();
    let hundredth = format!("{}.00", digits.strip_suffix("00").unwrap());
    assert_eq!(parsed("decimal", &decimal)["after"]["v"], hundredth);
    let set = [&1_u32.to_be_bytes()[..], &u32::try_from(bytes.len()).unwrap().to_be_bytes(), &bytes].concat();
    assert_eq!(parsed("frozen<set<varint>>", &set)["after"]["v"], json!([digits]));
}

/// Beyond 1 MiB the bytes can be had.
#[test]
fn numbers_too_long_to_print_have_bytes() {
    let bytes = vec![1; (1 << 20) + 1];
    let refused = flat("varint", &bytes).unwrap_err();
    assert!(refused.contains("more than 1 MiB"), "{refused}");
    let format = ValueFormat {
        varints: VarintHandling::Precise,
        decimals: DecimalHandling::Precise,
        ..ValueFormat::default()
    };
    let columns = RowHashOptions { version: RowHashVersion::V1, exclude: Vec::new(), columns: Vec::new() };
    let config = EncoderConfig { format, row_hash: Some(columns), ..config(Profile::Flat) };
    let record: Value = serde_json::from_str(&record("varint", &bytes, &config).unwrap()).unwrap();
    assert_eq!(record["after"]["v"].as_str().unwrap().len(), bytes.len().div_ceil(3) * 4);
    assert_eq!((&record["row_hash"], &record["hash_kind"]), (&Value::Null, &json!("partial")));
}
