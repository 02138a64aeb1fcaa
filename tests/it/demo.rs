//! `demo`: every statement beside its records, and commands that work.

use std::fs;

use serde_json::Value;

use crate::program::{agent, fixtures, stderr, stdout};

#[test]
fn shows_every_statement_with_its_records_and_leaves_them_in_a_file_log() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = dir.path().join("demo's folder");
    let run = || {
        let output = agent(["demo".into(), "--out".into(), out.clone().into_os_string()]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stderr(&output), "");
        stdout(&output)
    };
    let text = run();
    let statements = fs::read_to_string(fixtures().join("demo/statements.cql")).expect("the statements");
    for (number, statement) in (1..).zip(statements.lines()) {
        let shown = format!("\n{number:>2}  {}\n", statement.trim_end_matches(';'));
        assert!(text.contains(&shown), "{shown}: {text}");
    }
    // What the statements say, in the order in which they were executed; the batch is an insert and a delete.
    let operations: Vec<&str> = text
        .lines()
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

    let log = out.join("records/local.cdc.shop.orders/0/00000000000000000000.jsonl");
    let records = fs::read_to_string(log).expect("the file log");
    let offsets: Vec<Value> = records
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["offset"].clone())
        .collect();
    assert_eq!(offsets, (0..13).map(Value::from).collect::<Vec<_>>());

    // In the same folder once more: nothing is written twice.
    assert_eq!(run(), text);
}

/// The commands that the demo names do what it says of them.
#[test]
fn the_commands_to_try_work() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let output = agent(["demo".into(), "--out".into(), dir.path().as_os_str().to_owned()]);
    let text = stdout(&output);
    let program = env!("CARGO_BIN_EXE_cdc-agent");
    let commands: Vec<Vec<&str>> = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix(program))
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(commands.len(), 5, "{text}");
    for words in commands {
        let output = agent(&words);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", stderr(&output));
        assert!(!output.stdout.is_empty(), "{words:?}");
    }
}
