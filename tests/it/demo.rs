//! `demo`: every statement beside its records, then data quality, hashes, drift and a repair that is proposed, and commands that work.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::program::{agent, fixtures, stderr, stdout};

fn demo(out: &Path) -> String {
    let output = agent(["demo".as_ref(), "--out".as_ref(), out.as_os_str()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
    stdout(&output)
}

#[test]
fn shows_every_statement_with_its_records_and_leaves_them_in_a_file_log() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = dir.path().join("demo's folder");
    let text = demo(&out);
    let statements = fs::read_to_string(fixtures().join("demo/statements.cql")).expect("the statements");
    for (number, statement) in (1..).zip(statements.lines()) {
        let shown = format!("\n{number:>2}  {}\n", statement.trim_end_matches(';'));
        assert!(text.contains(&shown), "{shown}: {text}");
    }
    // What the statements say, in the order in which they were executed; the batch is an insert and a delete.
    let operations: Vec<&str> = text
        .lines()
        .take_while(|line| *line != "Summary")
        .filter_map(|line| line.strip_prefix("    "))
        .filter_map(|line| line.split("  ").next())
        .map(str::trim_end)
        .filter(|word| ["c", "u", "d", "rt"].contains(word))
        .collect();
    assert_eq!(operations, ["c", "u", "u", "c", "u", "u", "u", "u", "rt", "d", "rt", "c", "d"]);
    for expected in [
        r#"patch    {"attributes":{"put":[["carrier","post"]],"remove":[]}}"#,
        r#"patch    {"labels":{"put":[],"remove":["express"]}}"#,
        r#"range    {"start":{"values":{"order_id":10},"inclusive":true},"end":{"values":{"order_id":20},"inclusive":false}}"#,
        r#""ttl":86400"#,
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours where there is no terminal");

    let log = out.join("onprem/onprem.cdc.shop.orders/0/00000000000000000000.jsonl");
    let records = fs::read_to_string(log).expect("the file log");
    let offsets: Vec<Value> = records
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["offset"].clone())
        .collect();
    assert_eq!(offsets, (0..13).map(Value::from).collect::<Vec<_>>());

    // In the same folder once more: nothing is written twice.
    assert_eq!(demo(&out), text);
}

/// The values of a topic with one partition and one file.
fn values(log: &Path, topic: &str) -> Vec<Value> {
    let path = log.join(topic).join("0/00000000000000000000.jsonl");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["value"].clone()).collect()
}

/// What the statements of `cdc_fixtures/demo` and `demo-cloud` say, and the rules of the demo; hashes by hashlib.
#[test]
fn judges_hashes_and_compares_the_records() {
    const WEB: &str = "705faa325ce977644e8c47730cef0dcbc865766b11126b0d6de56e114a21cb87";
    const APP: &str = "44ffca3ff53874749a8a4b6b5b6242dd0302e02fcda4717215732dd219a0fe29";
    let dir = tempfile::tempdir().expect("a temporary folder");
    let text = demo(dir.path());
    // A quote of 250; an order whose amount is deleted.
    let letters: Vec<(Value, Value)> = values(&dir.path().join("dq"), "onprem.dlq.shop.orders")
        .into_iter()
        .map(|letter| (letter["offset"].clone(), letter["failed"].clone()))
        .collect();
    let expected = [(3, r#"["status.known","amount.limit"]"#), (7, r#"["amount.not_null"]"#)];
    let expected =
        expected.map(|(offset, failed)| (Value::from(offset), serde_json::from_str(failed).unwrap()));
    assert_eq!(letters, expected);
    assert!(text.contains("    7 valid, 2 invalid; 4 deletions are not judged\n"), "{text}");

    let events = values(&dir.path().join("hashes"), "onprem_hash_events");
    let kinds = |kind: &str| events.iter().filter(|event| event["hash_kind"] == kind).count();
    // Whole is the first statement; partial are six updates, a quote and an order without collections, two ranges.
    assert_eq!((events.len(), kinds("full"), kinds("tombstone")), (13, 1, 2));
    assert_eq!(events[0]["row_hash"], WEB);

    let verdicts = values(&dir.path().join("drift"), "dq_reconciliation_audit");
    let told = |verdict: &Value| {
        let of = |name: &str| verdict[name].as_str().unwrap_or("-").to_owned();
        (of("status"), verdict["version_us"].as_i64(), of("onprem_hash"), of("cloud_hash"))
    };
    let mut told: Vec<_> = verdicts.iter().map(told).collect();
    told.sort();
    let drift = ("DRIFT".to_owned(), Some(1_795_361_335_343_579), WEB.to_owned(), APP.to_owned());
    let missing = ("MISSING_CLOUD".to_owned(), Some(1_795_361_335_383_823), "-".to_owned(), "-".to_owned());
    // Columns of a row that was not written whole: no hash.
    let other = ("DRIFT".to_owned(), Some(1_795_361_335_408_277), "-".to_owned(), "-".to_owned());
    assert_eq!(told, [drift, other, missing]);
    let columns: Vec<_> = verdicts.iter().map(|verdict| verdict["evidence"]["columns"].to_string()).collect();
    assert!(
        columns.contains(&r#"["attributes"]"#.to_owned()) && columns.contains(&r#"["items"]"#.to_owned())
    );
    for expected in [
        "versions of rows: 10 MATCH, 2 DRIFT, 1 MISSING_CLOUD",
        WEB,
        APP,
        r#"{"attributes":{"channel":"web"}}"#,
        r#"{"attributes":{"channel":"app"}}"#,
        "has nothing of it",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

/// Of two values of one time Cassandra keeps the larger one, `paid`; a list that is changed in part is not written twice.
#[test]
fn proposes_a_repair_and_tells_what_has_none() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let text = demo(dir.path());
    let steps = values(&dir.path().join("drift"), "dq_remediation_audit");
    let told = |step: &Value| {
        let of = |name: &str| step[name].as_str().unwrap_or("-").to_owned();
        (step["key"].to_string(), of("step"), of("target"), step["proposal"]["version_us"].as_i64())
    };
    let mut told: Vec<_> = steps.iter().map(told).collect();
    told.sort();
    let expected = [
        (r#"{"customer":"ada","order_id":1}"#, "ESCALATED", "cloud", 1_795_361_335_383_823),
        (r#"{"customer":"eve","order_id":1}"#, "PROPOSED", "onprem", 1_795_361_335_408_277),
    ];
    let expected = expected
        .map(|(key, step, target, us)| (key.to_owned(), step.to_owned(), target.to_owned(), Some(us)));
    assert_eq!(told, expected);
    let proposal = &steps.iter().find(|step| step["step"] == "PROPOSED").unwrap()["proposal"];
    assert_eq!((&proposal["source"], &proposal["op"]), (&"cloud".into(), &"c".into()));
    assert_eq!(proposal["columns"], serde_json::json!(["status"]));
    for expected in [
        "      verdict   DRIFT, it stands\n",
        "      repair    what cloud wrote (op c) into onprem: cloud.cdc.shop.orders[0]@10\n",
        r#"ESCALATED  {"customer":"ada","order_id":1}, a person must look: column items: "#,
        r#"{"status":"new"}"#,
        r#"{"status":"paid"}"#,
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

/// The commands that the demo names do what it says of them.
#[test]
fn the_commands_to_try_work() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let text = demo(dir.path());
    let programs = [env!("CARGO_BIN_EXE_cdc-agent"), env!("CARGO_BIN_EXE_cdc-jobs")];
    let commands: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<&str>>())
        .filter(|words| words.first().is_some_and(|program| programs.contains(program)))
        .collect();
    assert_eq!(commands.len(), 14, "{text}");
    let mut last = String::new();
    for words in commands {
        let output = Command::new(words[0]).args(&words[1..]).output().expect("the program starts");
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", stderr(&output));
        assert!(!output.stdout.is_empty() || !output.stderr.is_empty(), "{words:?}");
        if words.contains(&"apply") {
            last = stdout(&output);
        }
    }
    // Approved by the command before it.
    assert!(
        last.contains("would apply") && last.contains("nothing was written: --execute does it"),
        "{last}"
    );
}
