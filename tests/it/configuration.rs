//! Options from a file and the environment, as a process: they mean what the flags mean.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::program::{fixtures, json_lines, segment, stderr, stdout};

/// Replays the demo's segment with this file of options and these variables.
fn replay(folder: &Path, file: &str, variables: &[(&str, &str)], flags: &[&str]) -> Output {
    let config = folder.join("agent.toml");
    std::fs::write(&config, file).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-agent"));
    command.arg("replay").arg(segment("demo")).arg("--schema").arg(fixtures().join("demo/schema.json"));
    command.arg("--quiet").arg("--config").arg(config).args(flags);
    command.env_clear().envs(variables.iter().copied()).output().unwrap()
}

/// Records without what differs from run to run.
fn records(output: &Output) -> Vec<Value> {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    let mut records = json_lines(output);
    for value in records.iter_mut().filter_map(|record| record["value"].as_object_mut()) {
        value.remove("ts_ms");
    }
    records
}

const FILE: &str = r#"
topic_prefix = "prod"
cluster = "main"
table_include_list = ["shop.orders"]
column_hash = ["shop.orders.status"]
column_hash_key_file = "hash.key"
cells = "all"
timestamp_format = "iso8601"
row_hash = "v1"
row_hash_exclude = []
tombstones_on_delete = true
"#;

#[test]
fn a_file_means_what_the_flags_mean() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("hash.key");
    std::fs::write(&key, "key").unwrap();
    let flags = ["--prefix", "prod", "--cluster", "main", "--table", "shop.orders", "--cells", "all"];
    let more = ["--timestamp-format", "iso8601", "--row-hash", "v1", "--row-hash-exclude", "none"];
    let hash = ["--hash-column", "shop.orders.status", "--hash-key-file", key.to_str().unwrap()];
    let flags = [&flags[..], &more, &hash, &["--tombstones-on-delete"]].concat();
    let by_file = records(&replay(folder.path(), FILE, &[], &[]));
    assert_eq!(by_file, records(&replay(folder.path(), "", &[], &flags)));
    assert!(by_file.len() > 5 && by_file.iter().any(|record| record["value"].is_null()));
    assert!(by_file.iter().all(|record| record["topic"] == "prod.cdc.shop.orders"));
    let secret = [("CDC_AGENT_COLUMN_HASH_KEY", "key")];
    let without_key_file = FILE.replace("column_hash_key_file", "#");
    assert_eq!(by_file, records(&replay(folder.path(), &without_key_file, &secret, &[])));
}

#[test]
fn the_environment_wins_over_the_file_and_a_flag_over_both() {
    let folder = tempfile::tempdir().unwrap();
    let topic = |variables: &[(&str, &str)], flags: &[&str]| {
        let records = records(&replay(folder.path(), "topic_prefix = 'file'", variables, flags));
        records[0]["topic"].as_str().unwrap().split_once('.').unwrap().0.to_owned()
    };
    let variable = [("CDC_AGENT_TOPIC_PREFIX", "variable")];
    assert_eq!(topic(&[], &[]), "file");
    assert_eq!(topic(&variable, &[]), "variable");
    assert_eq!(topic(&variable, &["--prefix", "flag"]), "flag");
}

#[test]
fn one_file_serves_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let live =
        "visibility = 'written'\ncassandra_port = 9142\nheartbeat_interval_ms = 0\nkafka_batch_ms = 50\n";
    let with = format!("{live}topic_prefix = 'file'");
    let records = records(&replay(folder.path(), &with, &[("CDC_AGENT_STATE_DIRECTORY", "x")], &[]));
    assert!(records[0]["topic"].as_str().unwrap().starts_with("file."));
    let output = replay(folder.path(), "visibility = 'some'\ncassandra_port = 70000", &[], &[]);
    assert_eq!(output.status.code(), Some(2));
    for complaint in ["agent.toml:1: visibility: expected one of synced, marked, written", "agent.toml:2: "] {
        assert!(stderr(&output).contains(complaint), "{}", stderr(&output));
    }
}

#[test]
fn mistakes_are_exit_code_2_and_name_their_line() {
    let folder = tempfile::tempdir().unwrap();
    for (file, complaints) in [
        ("\nprofil = 'flat'", &["agent.toml:2: profil is no option; did you mean profile?"][..]),
        ("profile = 'avro'", &["agent.toml:1: profile: expected one of flat, debezium-cassandra, debezium"]),
        ("topic_prefix = 'a b'", &["agent.toml:1: topic_prefix: expected 1 to 241 of the characters"]),
        (
            "host_id = 'x'\ncells = 'some'",
            &["agent.toml:1: host_id: ", "agent.toml:2: cells: expected one of"],
        ),
        (
            "\n\ntable_include_list = ['shop.order']",
            &["agent.toml:3: table_include_list: the schema has no table"],
        ),
        (
            "profile = 'debezium-cassandra'\ncells = 'all'",
            &["agent.toml:2: cells does not apply to profile debezium-cassandra"],
        ),
        ("column_hash = ['shop.orders.status']", &["agent.toml:1: column_hash: there is no key"]),
        (
            "column_hash_key_file = 'x'",
            &["agent.toml:1: column_hash_key_file is given, and no column to hash"],
        ),
        ("column_hash_key = 'hunter2'", &["agent.toml:1: column_hash_key is a secret"]),
        ("keystore_password_file = 'x'", &["agent.toml:1: keystore_password_file is given, and no keystore"]),
    ] {
        let output = replay(folder.path(), file, &[], &[]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert!(stdout(&output).is_empty(), "{file}");
        for complaint in complaints {
            assert!(stderr(&output).contains(complaint), "{file}: {}", stderr(&output));
        }
        assert!(!stderr(&output).contains("hunter2"));
    }
    let variable = [("CDC_AGENT_PROFILES", "flat")];
    let output = replay(folder.path(), "", &variable, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean CDC_AGENT_PROFILE?"), "{}", stderr(&output));
}
