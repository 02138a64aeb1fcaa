//! Payloads from the format's worked examples: bytes that Cassandra 4.0 and 4.1 wrote.

use std::sync::Arc;

use super::*;
use crate::commitlog::mutation::Unfiltered;
use crate::commitlog::{Decoder, Mutation};
use crate::cql::CqlType;
use crate::schema::{Column, ColumnKind};

const ID: &str = "eec94810e66511f1b1b8eb8a0f36f989";
const SMALLEST: &str = "fce9d96a43c000 00 00";

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The worked examples' table `t2`, with the columns of `t1` and two collections added.
fn schema(keys: &[(&str, CqlType)]) -> Schema {
    let columns = |kind, columns: &[(&str, CqlType)]| -> Vec<Column> {
        columns.iter().map(|(name, of)| Column::new(name, kind, of.clone(), "")).collect()
    };
    let text = Arc::new(CqlType::Text);
    let int = Arc::new(CqlType::Int);
    let regulars = [
        ("a", CqlType::Text),
        ("b", CqlType::Int),
        ("l", CqlType::List { element: int, frozen: false }),
        ("st", CqlType::Set { element: text, frozen: false }),
        ("v1", CqlType::Text),
        ("v2", CqlType::BigInt),
        ("v3", CqlType::SmallInt),
    ];
    let clustering = [("c1", CqlType::Int), ("c2", CqlType::Text)];
    let has_clustering = keys.len() > 1;
    Schema::from_iter([TableSchema {
        id: ID.parse().unwrap(),
        keyspace: "ks".to_owned(),
        name: "t".to_owned(),
        cdc: true,
        view: false,
        counter: false,
        compact: false,
        partition_key: columns(ColumnKind::PartitionKey, keys),
        clustering: if has_clustering { columns(ColumnKind::Clustering, &clustering) } else { Vec::new() },
        statics: columns(ColumnKind::Static, &[("s1", CqlType::Text)]),
        regulars: columns(ColumnKind::Regular, &regulars),
    }])
}

fn simple() -> Schema {
    schema(&[("k", CqlType::Int)])
}

fn composite() -> Schema {
    schema(&[("pk1", CqlType::Text), ("pk2", CqlType::Int)])
}

/// The walk over `payload`, after checking that its fields leave no gap.
fn walk(payload: &[u8], schema: &Schema) -> Annotation {
    let annotation = annotate(payload, 7, schema);
    let mut at = 0;
    for field in &annotation.fields {
        assert_eq!(field.range.start, at, "{field:?}");
        assert!(!field.range.is_empty(), "{field:?}");
        at = field.range.end;
    }
    let end = annotation.stop.as_ref().map_or(payload.len(), |stop| stop.offset);
    assert!(at == end || annotation.stop.is_some() && at >= end, "{at} {annotation:?}");
    annotation
}

/// Hex of the bytes and meaning of each field.
fn lines(payload: &[u8], schema: &Schema) -> Vec<String> {
    let annotation = walk(payload, schema);
    assert_eq!(annotation.stop, None);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    annotation
        .fields
        .iter()
        .map(|field| {
            let mark = if field.is_value { "=" } else { "" };
            format!("{} {mark}{}", hex(&payload[field.range.clone()]), field.meaning)
        })
        .collect()
}

#[test]
fn insert_names_every_byte() {
    let payload = unhex(&format!(
        "01 {ID} 04 00000001 10 {SMALLEST} 02 0161 0162 01 24 00 08 05 68656c6c6f 08 0000002a 01"
    ));
    let expected = [
        "01 partition updates: 1",
        "eec94810e66511f1b1b8eb8a0f36f989 table ks.t",
        "04 length of the partition key k: 4",
        "00000001 =partition key k",
        "10 update flags: HAS_ROW_ESTIMATE",
        "fce9d96a43c000 smallest timestamp: 1700000000000000 us",
        "00 smallest local deletion time: none",
        "00 smallest TTL: none",
        "02 regular columns: 2",
        "01 length of column name 0: 1",
        "61 regular column 0: a",
        "01 length of column name 1: 1",
        "62 regular column 1: b",
        "01 row estimate: 1",
        "24 row flags: HAS_TIMESTAMP | HAS_ALL_COLUMNS",
        "00 liveness timestamp: 1700000000000000 us",
        "08 a: cell flags: USE_ROW_TIMESTAMP",
        "05 length of the value of a: 5",
        "68656c6c6f =value of a",
        "08 b: cell flags: USE_ROW_TIMESTAMP",
        "0000002a =value of b",
        "01 end of the update",
    ];
    assert_eq!(lines(&payload, &simple()), expected);
}

#[test]
fn composite_key_static_row_and_clustering() {
    let payload = unhex(&format!(
        "01 {ID} 0b 0001 70 00 0004 00000001 00 18 fd4090e82b3f03 00 00 01 027331 03 027631 027632 027633 \
         a001 00 00 04 73746174 01 24 00 0000000a 03 74656e 00 08 01 76 08 0000000000000005 08 02 0003 01"
    ));
    let lines = lines(&payload, &composite());
    for expected in [
        "0001 length of key component pk1: 1",
        "70 =key component pk1",
        "00000001 =key component pk2",
        "18 update flags: HAS_STATIC_ROW | HAS_ROW_ESTIMATE",
        "7331 static column 0: s1",
        "a0 static row flags: HAS_ALL_COLUMNS | EXTENSION",
        "01 extended flags: IS_STATIC",
        "73746174 =value of s1",
        "00 clustering header: 0b0",
        "0000000a =clustering c1",
        "74656e =clustering c2",
        "0000000000000005 =value of v2",
        "02 length of the value of v3: 2",
        "0003 =value of v3",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected}: {lines:#?}");
    }
}

#[test]
fn time_to_live_range_markers_and_deletions() {
    let expiring = unhex(&format!(
        "01 {ID} 04 00000001 10 fd4090e829ffd5 f0150242bb 8e10 02 0161 0162 01 2c 00 00 00 1a 03 74746c \
         1a 00000001 01"
    ));
    let expiring = lines(&expiring, &simple());
    assert!(expiring.contains(&"8e10 smallest TTL: 3600 s".to_owned()), "{expiring:#?}");
    assert!(expiring.contains(&"00 liveness TTL: 3600 s".to_owned()), "{expiring:#?}");

    let range = unhex(&format!(
        "01 {ID} 0b 0001 70 00 0004 00000001 00 10 fd4090e82b3f03 f0150234ab 00 00 00 \
         02 01 0001 00 00000014 00 00 02 00 0001 00 00000005 00 00 01"
    ));
    let range = lines(&range, &composite());
    for expected in [
        "01 kind of the range marker: INCL_START_BOUND",
        "00 kind of the range marker: EXCL_END_BOUND",
        "00000014 =clustering c1",
        "00000005 =clustering c1",
    ] {
        assert!(range.iter().any(|line| line == expected), "{expected}: {range:#?}");
    }

    let partition = unhex(&format!("01 {ID} 04 00000001 14 fd4090e829ed99 f0150234ab 00 00 00 00 00 01"));
    let partition = lines(&partition, &simple());
    assert!(
        partition.iter().any(|line| line.starts_with("00 partition deletion timestamp: ")),
        "{partition:#?}"
    );
}

#[test]
fn collections_with_and_without_a_deletion() {
    // Smallest timestamp: what makes the second deletion's delta the smallest number, which deletes nothing.
    let payload = unhex(&format!(
        "01 {ID} 04 00000001 10 fd409126bab49e 00 00 02 016c 027374 01 60 \
         00 00 01 00 01 10 61560290e66811f1bb8481f3933bbc93 04 00000001 \
         ff7ff99f242b6acb62 f014fd2d3b 01 04 01 01 78 01"
    ));
    let annotation = walk(&payload, &simple());
    assert_eq!(annotation.stop, None);
    let parts: Vec<Part> = annotation.fields.iter().filter_map(|field| field.begins).collect();
    assert_eq!(parts, [Part::Update, Part::Row, Part::Complex, Part::Cell, Part::Complex, Part::Cell]);
    let meanings: Vec<&str> = annotation.fields.iter().map(|field| field.meaning.as_str()).collect();
    for meaning in
        ["path in l", "path in st", "l: deletion timestamp: 1795347140916382 us", "st: deletion: none"]
    {
        assert!(meanings.contains(&meaning), "{meaning}: {meanings:#?}");
    }
}

#[test]
fn without_a_schema_it_goes_up_to_the_first_row() {
    let payload = unhex(&format!(
        "01 {ID} 04 00000001 10 {SMALLEST} 02 0161 0162 01 24 00 08 05 68656c6c6f 08 0000002a 01"
    ));
    let annotation = walk(&payload, &Schema::default());
    let stop = annotation.stop.unwrap();
    assert_eq!(stop.reason, "rows cannot be told apart without the table's schema");
    assert_eq!(annotation.fields.last().unwrap().meaning, "row flags: HAS_TIMESTAMP | HAS_ALL_COLUMNS");
    assert!(annotation.fields.iter().any(|field| field.meaning == "regular column 1: b"));
}

#[test]
fn cut_or_changed_bytes_end_the_walk() {
    let payload = unhex(&format!(
        "01 {ID} 0b 0001 70 00 0004 00000001 00 18 fd4090e82b3f03 00 00 01 027331 03 027631 027632 027633 \
         a001 00 00 04 73746174 01 24 00 0000000a 03 74656e 00 08 01 76 08 0000000000000005 08 02 0003 01"
    ));
    let schema = composite();
    for cut in 0..payload.len() {
        assert!(walk(&payload[..cut], &schema).stop.is_some(), "{cut}");
    }
    for at in 0..payload.len() {
        for byte in [0, 1, 2, 0x7f, 0x80, 0xff] {
            let mut changed = payload.clone();
            changed[at] = byte;
            walk(&changed, &schema);
        }
    }
}

#[test]
fn a_collection_that_nothing_was_added_to_is_no_part() {
    let payload = unhex(&format!("01 {ID} 04 00000001 10 {SMALLEST} 01 027374 01 20 00 01"));
    let annotation = walk(&payload, &simple());
    assert_eq!(annotation.stop, None);
    let parts: Vec<Part> = annotation.fields.iter().filter_map(|field| field.begins).collect();
    assert_eq!(parts, [Part::Update, Part::Row]);
    // Cassandra's reader gives no column either, and a row without content is no change event.
    let schema = simple();
    let mut mutation = Mutation::default();
    Decoder::new(&schema).decode(&payload, &mut mutation).unwrap();
    let [Unfiltered::Row(row)] = mutation.unfiltereds(&mutation.updates()[0]) else { panic!() };
    assert!(mutation.columns(row).is_empty());
}
