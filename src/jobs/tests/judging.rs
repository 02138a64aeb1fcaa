use super::with_rules;
use crate::jobs::judge::Verdict;
use crate::jobs::record::Record;
use crate::jobs::rules::TableRules;
use crate::jobs::seen::InMemory;
use crate::jobs::value::Value;

/// 2025-01-01T00:10:00Z
const KAFKA: i64 = 1_735_690_200_000;

fn record(payload: &str) -> Record<'_> {
    Record { payload: Some(payload.as_bytes()), timestamp_ms: KAFKA, partition: 0, offset: 7 }
}

/// The broken rules, joined by commas as Flink's CONCAT_WS joins them; warnings behind a bar.
fn broken(rules: &TableRules, payload: &str) -> String {
    let (failed, warnings) = match rules.judge(&record(payload), &mut InMemory::default()) {
        Verdict::Valid { warnings, .. } => (Vec::new(), warnings),
        Verdict::Invalid { failed, warnings } => (failed, warnings),
        Verdict::NotJudged => return "-".to_owned(),
    };
    let bar = if warnings.is_empty() { "" } else { "|" };
    format!("{}{bar}{}", failed.join(","), warnings.join(","))
}

/// An object with a good key and version, and these fields.
fn order(fields: &str) -> String {
    let comma = if fields.is_empty() { "" } else { "," };
    format!(r#"{{"id":"1","at":"2025-01-01T00:00:00Z"{comma}{fields}}}"#)
}

/// The records and verdicts of reference/sql/dq.sql, which ran on Flink 1.17.2, 1.20.5 and 2.2.1.
#[test]
fn the_samples_of_the_tested_sql() {
    let rules = with_rules(
        "
  - {rule: not_null, column: id}
  - {rule: future, column: at, tolerance: 5m}
  - {rule: range, column: amount, min: 0, id: value.min}",
    );
    for (payload, expected) in [
        (r#"{"id":"1","at":"2025-01-01T00:00:00Z","value":100}"#, ""),
        (r#"{"id":"2","at":"2025-01-01T00:00:01Z","value":-50}"#, "value.min"),
        (r#"{"id":null,"at":"2025-01-01T00:00:01Z","value":1}"#, "id.not_null"),
        (r#"{"id":"4","value":1}"#, "at.not_null"),
        (r#"{"id":"5","at":"2025-02-30T00:00:00Z"}"#, "at.type"),
        (r#"{"id":"6","at":"2125-01-01T00:00:00Z"}"#, "at.future"),
        (r#"{"id":"7","at":"2025-01-01T00:00:00Z","value":"1d"}"#, "amount.type"),
        (r#"{"id":"8","at":"2025-01-01T00:00:00Z","value":null}"#, ""),
        ("not json", "json"),
        ("[]", "json"),
        (r#"{"at":"x","value":-1}"#, "at.type,id.not_null,value.min"),
    ] {
        assert_eq!(broken(&rules, payload), expected, "{payload}");
    }
}

#[test]
fn each_kind_of_rule() {
    for (rule, fields, expected) in [
        ("{rule: required, column: paid}", "", "paid.required"),
        ("{rule: required, column: paid}", r#""paid":null"#, ""),
        ("{rule: not_null, column: paid}", r#""paid":null"#, "paid.not_null"),
        ("{rule: not_null, column: paid}", r#""paid":"no""#, "paid.type"),
        ("{rule: not_null, column: paid}", r#""paid":false"#, ""),
        ("{rule: type, column: pieces, severity: warn}", r#""pieces":1.5"#, "|pieces.type"),
        ("{rule: type, column: pieces}", r#""pieces":{"a":1}"#, "pieces.type"),
        ("{rule: type, column: pieces}", r#""pieces":2147483648"#, "pieces.type"),
        ("{rule: range, column: pieces, min: 1, max: 9}", r#""pieces":9"#, ""),
        ("{rule: range, column: pieces, min: 1, max: 9}", r#""pieces":10"#, "pieces.range"),
        ("{rule: range, column: pieces, min: 1, max: 9, exclusive: true}", r#""pieces":9"#, "pieces.range"),
        ("{rule: range, column: pieces, min: 1}", r#""pieces":null"#, ""),
        ("{rule: range, column: pieces, min: 1, on_null: fail}", r#""pieces":null"#, "pieces.range"),
        ("{rule: range, column: price, max: 9.99}", r#""price":"10.00""#, "price.range"),
        ("{rule: range, column: price, max: 9.99}", r#""price":9.99"#, ""),
        ("{rule: range, column: at, min: '2025-01-01T00:00:01Z'}", "", "at.range"),
        ("{rule: range, column: day, max: '2025-01-01'}", r#""day":"2025-01-02""#, "day.range"),
        ("{rule: length, column: id, min: 2}", "", "id.length"),
        ("{rule: length, column: id, max: 1}", "", ""),
        ("{rule: enum, column: pieces, values: [1, 2]}", r#""pieces":3"#, "pieces.enum"),
        ("{rule: enum, column: pieces, values: [1, 2]}", r#""pieces":"2""#, ""),
        ("{rule: enum, column: pieces, values: [1, 2]}", "", ""),
        ("{rule: not_in, column: id, values: ['1']}", "", "id.not_in"),
        ("{rule: regex, column: id, pattern: '^[a-z]$'}", "", "id.regex"),
        ("{rule: freshness, column: at, max_age: 9m}", "", "at.freshness"),
        ("{rule: freshness, column: at, max_age: 10m}", "", ""),
        ("{rule: compare, column: pieces, op: '<', value: 3}", r#""pieces":3"#, "pieces.compare"),
        ("{rule: compare, column: id, op: '<>', with: ref}", "", ""),
        ("{rule: expression, id: x, expression: amount > 1 OR paid}", r#""value":1,"paid":false"#, "x"),
        ("{rule: expression, id: x, expression: amount > 1 OR paid}", r#""value":1"#, ""),
        ("{rule: expression, id: x, expression: amount > 1 OR paid, on_null: fail}", r#""value":1"#, "x"),
        ("{rule: not_null, column: amount, when: paid}", r#""paid":true"#, "amount.not_null"),
        ("{rule: not_null, column: amount, when: paid}", r#""paid":false"#, ""),
        ("{rule: not_null, column: amount, when: paid}", "", ""),
        ("{rule: range, column: amount, min: 0}", r#""value":"NaN""#, "amount.type"),
        ("{rule: json, id: no_object, message: m}", "", ""),
    ] {
        let rules = with_rules(&format!("\n  - {rule}"));
        assert_eq!(broken(&rules, &order(fields)), expected, "{rule} on {fields}");
    }
    let rules = with_rules("\n  - {rule: json, id: no_object}");
    assert_eq!(broken(&rules, "{"), "no_object");
}

#[test]
fn a_list_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ids.txt"), "1\n\n 2 \n").unwrap();
    for (rule, id, expected) in [
        ("lookup", "1", ""),
        ("lookup", "2", ""),
        ("lookup", "3", "id.lookup"),
        ("lookup_not_in", "1", "id.lookup_not_in"),
        ("lookup_not_in", "3", ""),
    ] {
        let text = super::table(&format!("\n  - {{rule: {rule}, column: id, file: ids.txt}}"));
        let (rules, found) = super::read(&text, folder.path());
        assert_eq!(found, []);
        let payload = format!(r#"{{"id":"{id}","at":"2025-01-01T00:00:00Z"}}"#);
        assert_eq!(broken(&rules.unwrap(), &payload), expected, "{rule} {id}");
    }
}

/// What has one row hash has one value for every rule.
#[test]
fn two_texts_of_a_uuid_are_one_value() {
    let folder = tempfile::tempdir().unwrap();
    let (upper, lower) = ("00000000-0000-4000-8000-00000000000A", "00000000-0000-4000-8000-00000000000a");
    std::fs::write(folder.path().join("refs.txt"), upper).unwrap();
    for (rule, first, second) in [
        ("{rule: unique, columns: [ref], within: 1h}".to_owned(), "", "ref.unique"),
        (format!("{{rule: enum, column: ref, values: [{upper}]}}"), "", ""),
        (format!("{{rule: not_in, column: ref, values: [{lower}]}}"), "ref.not_in", "ref.not_in"),
        (format!("{{rule: compare, column: ref, op: '=', value: {upper}}}"), "", ""),
        ("{rule: lookup, column: ref, file: refs.txt}".to_owned(), "", ""),
        (
            "{rule: lookup_not_in, column: ref, file: refs.txt}".to_owned(),
            "ref.lookup_not_in",
            "ref.lookup_not_in",
        ),
    ] {
        let (rules, found) = super::read(&super::table(&format!("\n  - {rule}")), folder.path());
        assert_eq!(found, [], "{rule}");
        let (rules, mut seen) = (rules.unwrap(), InMemory::default());
        for (text, expected) in [(upper, first), (lower, second)] {
            let payload = order(&format!(r#""ref":"{text}""#));
            let failed = match rules.judge(&record(&payload), &mut seen) {
                Verdict::Valid { row, .. } => {
                    assert_eq!(row[rules.column("ref").unwrap()], Some(Value::Text(lower.into())));
                    String::new()
                }
                Verdict::Invalid { failed, .. } => failed.join(","),
                Verdict::NotJudged => panic!("{rule}"),
            };
            assert_eq!(failed, expected, "{rule} on {text}");
        }
    }
}

#[test]
fn unique_within_a_time() {
    let rules = with_rules("\n  - {rule: unique, columns: [id, pieces], within: 60s}");
    let mut seen = InMemory::default();
    let mut is_repeat = |id: &str, pieces: &str, seconds: i64| {
        let payload = format!(r#"{{"id":"{id}","at":"2025-01-01T00:00:00Z","pieces":{pieces}}}"#);
        let record = Record { timestamp_ms: KAFKA + seconds * 1000, ..record(&payload) };
        matches!(rules.judge(&record, &mut seen), Verdict::Invalid { failed, .. } if failed == ["id.pieces.unique"])
    };
    assert!(!is_repeat("1", "1", 0) && !is_repeat("1", "2", 0) && !is_repeat("11", "null", 0));
    assert!(is_repeat("1", "1", 60) && !is_repeat("11", "null", 1));
    assert!(!is_repeat("1", "1", 61));
}

/// As on Flink, where a task looks at whole partitions alone.
#[test]
fn unique_in_each_partition() {
    let rules = with_rules("\n  - {rule: unique, columns: [id], within: 60s}");
    let mut seen = InMemory::default();
    let mut is_repeat = |partition| {
        let record = Record { partition, ..record(r#"{"id":"1","at":"2025-01-01T00:00:00Z"}"#) };
        matches!(rules.judge(&record, &mut seen), Verdict::Invalid { .. })
    };
    assert_eq!([0, 1, 0, 1].map(&mut is_repeat), [false, false, true, true]);
}

/// What could not be written is a dead letter: without a time, or without its key.
#[test]
fn rows_that_are_written_have_a_time_and_a_key() {
    let text = "\
table: shop.users
source: {kind: cdc}
sink: cassandra
columns: {id: {type: int}, name: {type: text}, rev: {type: bigint}}
key: [id]
version: write_time
hash: {kind: v1}
";
    let judged = |text: &str, payload: &str| {
        let (rules, found) = super::read(text, &super::bundled());
        assert_eq!(found, []);
        broken(&rules.unwrap(), payload)
    };
    for (source, expected) in [
        (r#","source":{"ts_us":1}"#, ""),
        (r#","source":{"ts_us":"1"}"#, ""),
        (r#","source":{"ts_us":-9223372036854775807}"#, ""),
        (r#","source":{"ts_us":-9223372036854775808}"#, "write_time.unknown"),
        (r#","source":{"ts_us":9223372036854775808}"#, "write_time.unknown"),
        (r#","source":{"ts_us":null}"#, "write_time.unknown"),
        (r#","source":{"ts_us":1.5}"#, "write_time.unknown"),
        (r#","source":{"ts_us":1},"source":{}"#, "write_time.unknown"),
        (r#","source":null"#, "write_time.unknown"),
        ("", "write_time.unknown"),
    ] {
        let payload = format!(r#"{{"op":"r","after":{{"id":1,"rev":null}}{source}}}"#);
        assert_eq!(judged(text, &payload), expected, "{source}");
        assert_eq!(judged(&text.replace("cassandra", "none"), &payload), "", "{source}");
    }
    let by_rev = |unit: &str| text.replace("write_time", &format!("{{column: rev, unit: {unit}}}"));
    for (after, unit, expected) in [
        (r#"{"id":1,"rev":9223372036854775}"#, "ms", ""),
        (r#"{"id":1,"rev":9223372036854776}"#, "ms", "rev.write_time"),
        (r#"{"id":1,"rev":-9223372036854776}"#, "ms", "rev.write_time"),
        (r#"{"id":1,"rev":-9223372036854776}"#, "us", ""),
        (r#"{"id":1,"rev":-9223372036854775808}"#, "us", "rev.write_time"),
        // A change that does not touch them.
        (r#"{"id":1}"#, "us", "rev.not_null"),
        (r#"{"rev":1}"#, "us", "id.not_null"),
    ] {
        let payload = format!(r#"{{"op":"u","after":{after}}}"#);
        assert_eq!(judged(&by_rev(unit), &payload), expected, "{after} {unit}");
        let lacks = judged(&by_rev(unit).replace("cassandra", "none"), &payload);
        assert_eq!(lacks, "", "{after} {unit}");
    }
}

#[test]
fn what_is_no_row_of_a_cdc_topic_is_not_judged() {
    let text = "\
table: shop.users
source: {kind: cdc}
sink: none
columns:
  id: {type: int}
  name: {type: text}
  since: {type: timestamp}
  tags: {type: set<text>}
key: [id]
version: write_time
hash: {kind: v1}
rules:
  - {rule: not_null, column: name}
  - {rule: required, column: tags}
  - {rule: range, column: since, min: '2025-01-01T00:00:00Z'}
";
    let (rules, found) = super::read(text, &super::bundled());
    assert_eq!(found, []);
    let rules = rules.unwrap();
    for (payload, expected) in [
        (r#"{"op":"c","before":null,"after":{"id":1,"name":"ada","tags":["x"],"since":1735689600000}}"#, ""),
        (r#"{"op":"u","after":{"id":1,"tags":null}}"#, ""),
        (r#"{"op":"u","after":{"id":1,"name":null,"tags":[]}}"#, "name.not_null"),
        (r#"{"op":"r","after":{"id":1,"name":"ada"}}"#, "tags.required"),
        (r#"{"op":"c","after":{"id":1,"tags":[],"since":1735689599999}}"#, "since.range"),
        (r#"{"op":"d","before":{"id":1},"after":null}"#, "-"),
        (r#"{"op":"rt","before":{"id":1},"after":null}"#, "-"),
        (r#"{"op":"m","wm_us":1}"#, "-"),
        ("{}", "json"),
        ("x", "json"),
    ] {
        assert_eq!(broken(&rules, payload), expected, "{payload}");
    }
    let tombstone = Record { payload: None, ..record("") };
    assert_eq!(rules.judge(&tombstone, &mut InMemory::default()), Verdict::NotJudged);
}

#[test]
fn a_tombstone_of_a_business_topic_and_bytes_that_are_no_text_are_invalid() {
    let rules = with_rules("");
    for payload in [None, Some([b'{', 0xFF, b'}'].as_slice()), Some(b"")] {
        let verdict = rules.judge(&Record { payload, ..record("") }, &mut InMemory::default());
        assert_eq!(verdict, Verdict::Invalid { failed: vec!["json"], warnings: vec![] });
    }
}
