//! `inspect` against Cassandra's own reader: every mutation of every fixture, byte for byte.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::program::{agent, fixtures, json_lines, segment, segments, stderr, stdout};

/// Folders of the fixtures with what Cassandra's reader found, and the schema and file that belong together.
fn golden() -> Vec<(PathBuf, &'static str, &'static str)> {
    let mut found = Vec::new();
    for entry in fixtures().read_dir().expect("the fixtures exist") {
        let dir = entry.expect("the fixtures can be read").path();
        for (schema, mutations) in
            [("schema.json", "mutations.jsonl.gz"), ("system-schema.json", "system-mutations.jsonl.gz")]
        {
            if dir.join(mutations).exists() {
                found.push((dir.clone(), schema, mutations));
            }
        }
    }
    found.sort();
    assert!(found.len() >= 13, "only {} fixtures", found.len());
    found
}

fn gunzip_lines(path: &Path) -> Vec<Value> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    lines.map(|line| serde_json::from_str(&line.expect("gzip")).expect("JSON")).collect()
}

/// The segments of a folder; a packed one is unpacked into `scratch`.
fn unpacked(dir: &Path, scratch: &Path) -> Vec<PathBuf> {
    let mut found = segments(dir);
    for entry in dir.read_dir().expect("the folder can be read") {
        let packed = entry.expect("the folder can be read").path();
        if packed.extension().is_some_and(|extension| extension == "gz")
            && packed.to_string_lossy().contains(".log.")
        {
            let path = scratch.join(packed.file_stem().expect("a name"));
            let mut plain = File::create(&path).expect("the scratch folder can be written");
            let file = File::open(&packed).expect("the segment exists");
            std::io::copy(&mut GzDecoder::new(file), &mut plain).expect("the segment is whole");
            found.push(path);
        }
    }
    found
}

fn inspect(segment: &Path, schema: &Path, more: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["inspect".into(), segment.into(), "--schema".into(), schema.into()];
    arguments.extend(["--json", "--include-system"].map(Into::into));
    arguments.push("--commitlog-key-hex-file".into());
    arguments.push(fixtures().join("keys/aes128.key.hex").into_os_string());
    arguments.extend(more.iter().map(Into::into));
    let output = agent(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}: {}", segment.display(), stderr(&output));
    json_lines(&output)
}

/// Takes the offsets out, which Cassandra's reader does not give, and counts the parts that had one.
fn without_offsets(value: &mut Value, with: &mut usize, without: &mut usize) {
    match value {
        Value::Object(object) => {
            let is_part = ["table_id", "columns", "kind", "cells", "ts"]
                .iter()
                .any(|field| object.contains_key(*field));
            let is_time =
                object.contains_key("ts") && !object.contains_key("value") && !object.contains_key("deleted");
            if object.remove("at").is_some() {
                *with += 1;
            } else if is_part && !is_time {
                *without += 1;
            }
            object.values_mut().for_each(|value| without_offsets(value, with, without));
        }
        Value::Array(array) => array.iter_mut().for_each(|value| without_offsets(value, with, without)),
        _ => {}
    }
}

#[test]
fn decodes_every_fixture_as_cassandras_own_reader_does() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    for (dir, schema, mutations) in golden() {
        let label = format!("{} {mutations}", dir.display());
        let mut decoded = HashMap::new();
        for segment in unpacked(&dir, scratch.path()) {
            let name = segment.file_name().expect("a name").to_string_lossy().into_owned();
            for line in inspect(&segment, &dir.join(schema), &["--values"]) {
                let keyspace = line["updates"][0]["keyspace"].as_str().unwrap_or_default();
                let is_meant = keyspace.starts_with("system") == schema.starts_with("system");
                if is_meant && line["type"] == "mutation" && line.get("undecoded").is_none() {
                    decoded.insert((name.clone(), line["pos"].as_u64()), line);
                }
            }
        }
        let (mut with, mut without, mut compared) = (0, 0, 0);
        for expected in gunzip_lines(&dir.join(mutations)) {
            let Some(updates) = expected.get("updates") else { continue };
            let at = (expected["segment"].as_str().expect("a name").to_owned(), expected["pos"].as_u64());
            let mut found = decoded.remove(&at).unwrap_or_else(|| panic!("{label}: nothing at {at:?}"));
            without_offsets(&mut found["updates"], &mut with, &mut without);
            assert_eq!(found["updates"], *updates, "{label}: {at:?}");
            assert_eq!(found["size"], expected["size"], "{label}: {at:?}");
            compared += 1;
        }
        assert!(compared > 0, "{label}");
        assert!(decoded.is_empty(), "{label}: {} more: {:?}", decoded.len(), decoded.keys().next());
        assert!(with > 0 && without == 0, "{label}: {with} parts with an offset, {without} without");
    }
}

/// The walk that `--at` shows reaches the end of every mutation, and its bytes are those of the file.
#[test]
fn at_shows_every_byte_of_a_mutation() {
    let segment = segment("4.1-none");
    let bytes = fs::read(&segment).expect("the segment exists");
    let schema = fixtures().join("4.1-none/schema.json");
    let lines = inspect(&segment, &schema, &[]);
    let decoded = lines.iter().filter(|line| line["type"] == "mutation" && line.get("undecoded").is_none());
    let decoded = decoded.filter(|line| line["updates"][0]["keyspace"] != "system");
    // Every table's last mutation: about sixty, of all kinds.
    let tables: HashMap<&str, &Value> =
        decoded.map(|line| (line["updates"][0]["table"].as_str().expect("a name"), line)).collect();
    assert!(tables.len() > 50, "{}", tables.len());
    for (table, line) in tables {
        let at = line["at"].as_u64().expect("an offset");
        let end = line["pos"].as_u64().expect("an offset");
        let arguments = [
            "inspect".into(),
            segment.clone().into_os_string(),
            "--schema".into(),
            schema.clone().into_os_string(),
            "--values".into(),
            "--include-system".into(),
            "--at".into(),
            ((at + end) / 2).to_string().into(),
        ];
        let output = agent(&arguments);
        assert_eq!(output.status.code(), Some(0), "{table}: {}", stderr(&output));
        let mut next = at;
        for line in stdout(&output).lines().skip(1) {
            let mut words = line.split_whitespace();
            let Some(Ok(offset)) = words.next().map(str::parse::<u64>) else {
                assert!(line.trim_start().starts_with('…'), "{table}: {line}");
                next = 0;
                continue;
            };
            assert!(offset == next || next == 0, "{table}: a gap before {line}");
            let shown = words.next().expect("bytes");
            let length = shown.len() as u64 / 2;
            let place = usize::try_from(offset).expect("an offset");
            let file = bytes[place..place + shown.len() / 2].iter().map(|byte| format!("{byte:02x}"));
            assert_eq!(shown, file.collect::<String>(), "{table}: {line}");
            next = offset + length;
        }
        assert_eq!(next, end, "{table}: the last byte shown");
    }
}

#[test]
fn values_and_system_keyspaces_are_shown_only_when_asked_for() {
    let (segment, schema) = (segment("demo"), fixtures().join("demo/schema.json"));
    let run = |more: &[&str]| {
        let mut arguments = vec!["inspect".into(), segment.clone().into_os_string(), "--schema".into()];
        arguments.push(schema.clone().into_os_string());
        arguments.extend(more.iter().map(Into::into));
        let output = agent(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    // "express" and "spoon" are values of the demo's statements.
    let (express, spoon) = ("65787072657373", "73706f6f6e");
    for arguments in [&[][..], &["--json"]] {
        let text = run(arguments);
        assert!(text.contains("labels") && text.contains("shop"), "{text}");
        assert!(!text.contains(express) && !text.contains(spoon), "{text}");
        let with_values = run(&[arguments, &["--values"]].concat());
        assert!(with_values.contains(express) && with_values.contains(spoon), "{with_values}");
    }
    let inserted = run(&["--json", "--limit", "40"]);
    let place = inserted.lines().find(|line| line.contains("liveness")).expect("an insert");
    let place: Value = serde_json::from_str(place).expect("JSON");
    let position = place["position"].as_str().expect("a position");
    let hidden = run(&["--at", position]);
    assert!(hidden.contains("value of status") && hidden.contains(".. (3 bytes)"), "{hidden}");
    assert!(!hidden.contains(express), "{hidden}");
    assert!(run(&["--at", position, "--values"]).contains(express));
}

#[test]
fn without_a_schema_it_shows_what_the_bytes_say() {
    let output = agent(["inspect".into(), segment("demo").into_os_string(), "--json".into()]);
    assert_eq!(output.status.code(), Some(0));
    let lines = json_lines(&output);
    let mutations: Vec<&Value> = lines.iter().filter(|line| line["type"] == "mutation").collect();
    assert_eq!(mutations.len(), 24);
    let insert = mutations.iter().find(|mutation| {
        mutation["updates"][0]["regular_columns"].as_array().is_some_and(|names| names.len() == 5)
    });
    let insert = &insert.expect("the first statement names five columns")["updates"][0];
    assert_eq!(insert["table_id"], "2a9200f3-0000-11f0-8000-000000000000");
    assert_eq!(
        insert["regular_columns"],
        serde_json::json!(["amount", "status", "attributes", "items", "labels"])
    );
    assert_eq!(lines.last().expect("an end")["type"], "end");
}

#[test]
fn what_is_no_segment_is_exit_code_4_and_no_such_place_2() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("notes.txt");
    fs::write(&path, "not a segment at all").expect("the file can be written");
    let output = agent(["inspect".into(), path.into_os_string()]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let output = agent(["inspect".into(), segment("demo").into_os_string(), "--at".into(), "5".into()]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}
