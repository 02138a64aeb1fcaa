//! Files with something wrong in name or head: `verify`, `inspect` and `replay` give one answer.

use std::fs;

use serde_json::{Value, json};

use crate::program::{agent, fixtures, json_lines, segment, stderr, stdout};

/// What the three say of a file.
struct Said {
    exits: [Option<i32>; 3],
    /// Of `verify --json`.
    report: Value,
    inspected: Vec<Value>,
    /// Of `replay`.
    summary: Value,
    stderr: String,
}

fn ask(name: &str, bytes: &[u8]) -> Said {
    let dir = tempfile::tempdir().unwrap();
    let (path, summary) = (dir.path().join(name), dir.path().join("summary"));
    fs::write(&path, bytes).unwrap();
    let schema = fixtures().join("demo/schema.json");
    let [path, told, schema] = [&path, &summary, &schema].map(|path| path.to_str().unwrap());
    let verified = agent(["verify", "--json", path, "--schema", schema]);
    let inspected = agent(["inspect", "--json", path, "--schema", schema]);
    let replayed = agent(["replay", path, "--schema", schema, "--summary", told]);
    assert_eq!(stdout(&agent(["inspect", path])).is_empty(), inspected.stdout.is_empty());
    Said {
        exits: [&verified, &inspected, &replayed].map(|output| output.status.code()),
        report: json_lines(&verified)[0].clone(),
        inspected: json_lines(&inspected),
        summary: serde_json::from_slice(&fs::read(&summary).unwrap()).unwrap(),
        stderr: stderr(&replayed),
    }
}

/// `lost` of a replay's summary.
fn lost(bytes: usize, more: bool) -> Value {
    json!({"sections": 0, "bytes": bytes, "mutations": 0, "more_mutations": more})
}

fn demo() -> (String, Vec<u8>) {
    let path = segment("demo");
    (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())
}

#[test]
fn under_another_segments_name_nothing_is_lost() {
    let (_, bytes) = demo();
    let said = ask("CommitLog-7-1.log", &bytes);
    assert_eq!(said.exits, [Some(3); 3], "{}", said.stderr);
    let mismatch = &said.report["damage"][0];
    assert_eq!((&mismatch["kind"], &mismatch["lost_bytes"]), (&json!("descriptor-mismatch"), &json!(0)));
    assert_eq!((&mismatch["lost_mutations"], &said.report["mutations"]), (&json!(0), &json!(24)));
    let mutations = said.inspected.iter().filter(|line| line["type"] == "mutation").count();
    assert_eq!(mutations, 24);
    assert_eq!(said.inspected[1]["kind"], "descriptor-mismatch", "behind the descriptor");
    assert_eq!(said.summary["lost"], lost(0, false));
    assert_eq!(said.summary["segments"]["damaged"].as_array().unwrap().len(), 1);
    assert!(!said.stderr.contains("LOST") && said.stderr.contains("rename the file"), "{}", said.stderr);
}

#[test]
fn a_file_without_a_byte_has_lost_nobody_knows_what() {
    let said = ask("CommitLog-7-5.log", b"");
    assert_eq!(said.exits, [Some(3); 3], "{}", said.stderr);
    let damage = &said.report["damage"][0];
    assert_eq!((&damage["kind"], &damage["lost_bytes"]), (&json!("short-descriptor"), &json!(0)));
    assert_eq!(damage["lost_mutations"], Value::Null);
    assert_eq!(said.summary["lost"], lost(0, true));
}

#[test]
fn a_file_of_zeros_was_never_written() {
    for name in ["CommitLog-7-5.log", "copy.log"] {
        let said = ask(name, &[0; 4096]);
        assert_eq!(said.exits, [Some(0); 3], "{}", said.stderr);
        assert_eq!((&said.report["blank"], &said.report["damage"]), (&json!(true), &json!([])));
        assert_eq!(said.inspected, [json!({"type": "blank", "segment": name, "file_bytes": 4096})]);
        assert_eq!(said.summary["lost"], lost(0, false));
    }
}

#[test]
fn a_damaged_head_loses_the_file_when_it_has_a_segments_name() {
    let (name, mut bytes) = demo();
    bytes[30] ^= 1;
    let said = ask(&name, &bytes);
    assert_eq!(said.exits, [Some(3); 3], "{}", said.stderr);
    assert_eq!(said.report["damage"][0]["lost_bytes"], bytes.len());
    assert_eq!(said.summary["lost"], lost(bytes.len(), true));
    let said = ask("copy.log", &bytes);
    assert_eq!(said.exits, [Some(4); 3], "{}", said.stderr);
    assert_eq!(said.summary["lost"], lost(0, false));
    assert_eq!(ask("copy.log", b"").exits, [Some(4); 3]);
    bytes[3] = 9;
    assert_eq!(ask(&name, &bytes).exits, [Some(4); 3], "an unsupported version");
}
