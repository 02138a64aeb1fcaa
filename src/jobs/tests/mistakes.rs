use super::{bundled, read, table};
use crate::jobs::finding::{Code, Finding};

/// Whether a file has one finding, at this place, of this kind, with these words; what it has when not.
fn differs(text: &str, place: (usize, usize), code: Code, words: &str) -> Option<String> {
    let (_, found) = read(text, &bundled());
    let is_it = |finding: &Finding| {
        let found = finding.place.map(|place| (place.line, place.column));
        found == Some(place) && finding.code == code && finding.message.contains(words)
    };
    let listed: Vec<String> = found.iter().map(Finding::to_string).collect();
    (found.len() != 1 || !found.iter().all(is_it)).then(|| listed.join("\n  "))
}

/// `table("")` with one line changed.
fn changed(from: &str, to: &str) -> String {
    let text = table("");
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

#[test]
fn a_mistake_of_the_table_says_where_and_what_is_allowed() {
    let mut wrong = Vec::new();
    for (from, to, line, column, code, words) in [
        ("table: shop.orders", "table: orders", 1, 8, Code::Value, "<keyspace>.<table>"),
        ("sink: cassandra", "sink: casandra", 3, 7, Code::Value, "did you mean cassandra?"),
        ("sink: cassandra", "sinc: cassandra\nsink: none", 3, 1, Code::UnknownKey, "did you mean sink?"),
        ("topic: 'orders_{prefix}'", "topic: orders", 2, 29, Code::Value, "{prefix}"),
        ("topic: 'orders_{prefix}'", "topic: '{prefix}_a,{prefix}_b'", 2, 29, Code::Value, "one topic"),
        ("topic: 'orders_{prefix}'", "topic: [a, b]", 2, 29, Code::Value, "one text"),
        ("id: {type: text}", "id: {type: txt}", 5, 14, Code::Value, "did you mean text?"),
        ("id: {type: text}", "id: {type: varchar}", 5, 14, Code::Value, "text"),
        ("ref: {type: uuid}", "ref: {type: inet}", 12, 15, Code::Value, "allowed"),
        ("id: {type: text}", "id: {type: text, precision: 3}", 5, 31, Code::Value, "decimal"),
        ("precision: 10, scale: 2", "precision: 10, scale: 11", 8, 48, Code::Value, "from 0 to 10"),
        ("day: {type: date}", "day: {type: date, format: text}", 11, 29, Code::Value, "iso8601"),
        ("paid: {type: boolean}", "kafka_ts: {type: boolean}", 10, 3, Code::Value, "kafka_ts"),
        ("key: [id]", "audit: on\nkey: [id]", 14, 8, Code::Value, "true or false"),
        ("key: [id]", "key: [idd]", 14, 7, Code::Key, "did you mean id?"),
        ("key: [id]", "key: id", 14, 6, Code::Value, "[a, b]"),
        ("version: {column: at}", "version: write_time", 15, 10, Code::Key, "cdc"),
        ("version: {column: at}", "version: {column: amount}", 15, 19, Code::Key, "timestamp or a bigint"),
        ("version: {column: at}", "version: {column: at, unit: us}", 15, 29, Code::Key, "milliseconds"),
        ("kind: v1, exclude: [row_hash]", "kind: v0", 16, 7, Code::MissingKey, "columns"),
        ("kind: v1, exclude: [row_hash]", "kind: v1, columns: [id]", 16, 27, Code::Hash, "exclude"),
        ("kind: v1,", "kind: v1, definition: xyz,", 16, 30, Code::Hash, "8 hexadecimal"),
    ] {
        if let Some(found) = differs(&changed(from, to), (line, column), code, words) {
            wrong.push(format!("{to}, expected {line}:{column} {words}:\n  {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_mistake_of_a_rule_says_where_and_what_is_allowed() {
    let mut wrong = Vec::new();
    for (rule, column, code, words) in [
        ("{rule: rnage, column: amount, min: 0}", 12, Code::Value, "did you mean range?"),
        ("{rule: range, colum: amount, min: 0}", 19, Code::UnknownKey, "did you mean column?"),
        ("{rule: range, column: amont, min: 0}", 27, Code::Rule, "did you mean amount?"),
        ("{rule: range, column: amount}", 5, Code::MissingKey, "min or max"),
        ("{rule: range, column: pieces, min: 0.5}", 40, Code::Value, "number that the column can hold"),
        ("{rule: range, column: at, min: 2025}", 36, Code::Value, "timestamp"),
        ("{rule: range, column: id, min: 0}", 5, Code::Rule, "no range"),
        ("{rule: range, column: amount, min: .nan}", 40, Code::Value, "number"),
        ("{rule: range, column: amount, min: 5, max: 1}", 48, Code::Value, "no value from min to max"),
        ("{rule: range, column: pieces, min: 1, max: 1, exclusive: true}", 48, Code::Value, "no value"),
        (
            "{rule: range, column: at, min: '2025-01-01T00:00:01Z', max: '2025-01-01T00:00:00Z'}",
            65,
            Code::Value,
            "max",
        ),
        ("{rule: length, column: id, min: 65, max: 64}", 46, Code::Value, "no value from min to max"),
        ("{rule: length, column: amount, min: 1}", 28, Code::Rule, "text"),
        ("{rule: length, column: id, min: -1}", 37, Code::Value, "whole number"),
        ("{rule: enum, column: amount, values: [1.5]}", 5, Code::Rule, "range"),
        ("{rule: enum, column: id, values: [1]}", 39, Code::Value, "quotes"),
        ("{rule: enum, column: id, values: []}", 38, Code::Value, "at least one"),
        ("{rule: regex, column: id, pattern: '(a+)+'}", 40, Code::Regex, "highest number"),
        ("{rule: regex, column: id, pattern: '(?=a)'}", 40, Code::Regex, "look"),
        ("{rule: freshness, column: at, max_age: 90}", 44, Code::Value, "one text"),
        ("{rule: freshness, column: at, max_age: 90x}", 44, Code::Value, "24h"),
        ("{rule: future, column: amount, tolerance: 5m}", 28, Code::Rule, "timestamp"),
        ("{rule: compare, column: id, op: '!=', value: x}", 37, Code::Value, "<>"),
        ("{rule: compare, column: id, op: '=', with: amount}", 5, Code::Rule, "expression"),
        ("{rule: compare, column: paid, op: '<', value: true}", 5, Code::Rule, "no <"),
        ("{rule: compare, column: id, op: '='}", 5, Code::MissingKey, "with"),
        ("{rule: unique, columns: [amount], within: 1h}", 5, Code::Rule, "equality"),
        ("{rule: lookup, column: id, file: ../x}", 38, Code::File, "inside"),
        ("{rule: lookup, column: id, file: none.txt}", 38, Code::File, "none.txt"),
        ("{rule: expression, id: e, expression: amount}", 43, Code::Expression, "condition"),
        ("{rule: expression, expression: amount > 0}", 5, Code::MissingKey, "id is missing"),
        ("{rule: expression, id: e, expression: row_hash = 'x'}", 43, Code::Expression, "IS NULL"),
        ("{rule: not_null, column: row_hash}", 30, Code::Rule, "computed"),
        ("{rule: not_null, column: amount, on_null: fail}", 47, Code::Rule, "take the line away"),
        ("{rule: not_null, column: amount, when: amont > 1}", 44, Code::Expression, "did you mean amount?"),
        ("{rule: not_null, column: amount, severity: error}", 48, Code::Value, "fail, warn"),
        ("{rule: not_null, column: amount, id: 'a,b'}", 42, Code::Value, "commas"),
        ("{rule: not_null, column: id, severity: warn}", 5, Code::Rule, "guards"),
        ("{rule: type, column: at, when: paid}", 5, Code::Rule, "guards"),
        ("{rule: json, severity: warn}", 5, Code::Rule, "guards"),
        ("{rule: range, column: amount, min: 0, id: json}", 5, Code::Rule, "another rule"),
    ] {
        if let Some(found) = differs(&table(&format!("\n  - {rule}")), (18, column), code, words) {
            wrong.push(format!("{rule}, expected 18:{column} {words}:\n  {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The section `drift` behind `table("")`; its keys stand in lines 19 and on.
fn drift(lines: &[&str]) -> String {
    let text = table("")
        .replace("id: {type: text}", "id: {type: text}\n  no: {type: decimal, precision: 9, scale: 0}");
    let text = text.replace("key: [id]", "key: [id, day, no]").replace("rules:\n", "");
    lines.iter().fold(text + "drift:\n", |text, line| text + "  " + line + "\n")
}

#[test]
fn a_mistake_of_drift_says_where_and_what_is_allowed() {
    let (onprem, cloud) = ("onprem: {environment: a, hosts: any}", "cloud: {environment: b, hosts: any}");
    let host = "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47";
    let on =
        |side: &str, environment: &str| format!("{side}: {{environment: {environment}, hosts: [{host}]}}");
    let (on_a, on_b, on_same) = (on("onprem", "a"), on("cloud", "b"), on("cloud", "a"));
    assert_eq!(read(&drift(&[onprem, cloud, "mode: merge"]), &bundled()).1, []);
    let mut wrong = Vec::new();
    for (lines, line, column, code, words) in [
        (vec![onprem, cloud], 19, 9, Code::MissingKey, "mode"),
        (vec![onprem, "mode: merge"], 19, 9, Code::MissingKey, "cloud"),
        (vec![onprem, cloud, "mode: merged"], 21, 9, Code::Value, "did you mean merge?"),
        (vec![onprem, cloud, "mode: merge", "gracee: 1m"], 22, 3, Code::UnknownKey, "did you mean grace?"),
        (vec![onprem, cloud, "mode: merge", "grace: 60"], 22, 10, Code::Value, "one text"),
        (vec![onprem, cloud, "mode: merge", "silence: 60s"], 22, 12, Code::Value, "longer than tolerance"),
        (vec![onprem, cloud, "mode: merge", "retention: 5m"], 22, 14, Code::Value, "twice"),
        (vec![onprem, cloud, "mode: merge", "input: hashes"], 22, 10, Code::Value, "did you mean hash?"),
        (vec![onprem, cloud, "mode: merge", "partition_key: [day]"], 22, 19, Code::Key, "id, day, no"),
        (vec![onprem, cloud, "mode: merge", "descending: [id]"], 22, 16, Code::Key, "no clustering"),
        (vec![onprem, cloud, "mode: merge", "partition_key: [id]"], 19, 9, Code::Key, "input: hash"),
        (vec!["onprem: {environment: a, hosts: all}", cloud, "mode: merge"], 19, 35, Code::Value, "any"),
        (vec!["onprem: {environment: a, hosts: [x]}", cloud, "mode: merge"], 19, 36, Code::Value, "host id"),
        (vec![on_a.as_str(), on_b.as_str(), "mode: merge"], 19, 9, Code::Shared, "both sides"),
        (vec![onprem, on_same.as_str(), "mode: merge"], 20, 24, Code::Shared, "other side"),
    ] {
        let text = drift(&lines);
        if let Some(found) = differs(&text, (line, column), code, words) {
            wrong.push(format!("{}, expected {line}:{column} {words}:\n  {found}", lines.join("; ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let hash =
        drift(&[onprem, cloud, "mode: merge", "partition_key: [id]", "input: hash", "descending: [no]"]);
    assert_eq!(read(&hash, &bundled()).1, []);
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = table("\n  - {rule: nope}\n  - {rule: range, column: nope, min: 1}\n  - 7");
    let (rules, found) = read(&text.replace("sink: cassandra", "sink: kafka"), &bundled());
    assert!(rules.is_none());
    let lines: Vec<usize> = found.iter().map(|finding| finding.place.unwrap().line).collect();
    assert_eq!(lines, [3, 18, 19, 20]);
}

#[test]
fn the_version_is_that_of_what_the_file_says() {
    let version = |text: &str| read(text, &bundled()).0.unwrap().rules_version;
    let one = table("\n  - {rule: range, column: amount, min: 0}");
    let same = one.replace(
        "{rule: range, column: amount, min: 0}",
        "\n    # comment\n    min: 0\n    rule: range\n    column: 'amount'",
    );
    assert_eq!(version(&one), version(&same));
    assert_eq!(version(&one).len(), 64);
    for other in [
        one.replace("min: 0}", "min: 1}"),
        one.replace("min: 0}", "min: 0.0}"),
        one.replace("  at: {type: timestamp}\n", "")
            .replace("  id: {type: text}\n", "  at: {type: timestamp}\n  id: {type: text}\n"),
    ] {
        assert_ne!(version(&one), version(&other), "{other}");
    }
    let folder = tempfile::tempdir().unwrap();
    let listed = table("\n  - {rule: lookup, column: id, file: l.txt}");
    let with_list = |content: &str| {
        std::fs::write(folder.path().join("l.txt"), content).unwrap();
        read(&listed, folder.path()).0.unwrap().rules_version
    };
    assert_ne!(with_list("a"), with_list("b"));
}
