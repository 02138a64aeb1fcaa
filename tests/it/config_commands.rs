//! `config` and `doctor` as processes, with real files.

use std::path::Path;
use std::process::{Command, Output};

use crate::program::{fixtures, segment, stderr, stdout};

fn agent(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-agent"));
    command.args(words).current_dir(folder).env_clear().output().unwrap()
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

#[test]
fn a_file_that_init_makes_is_taken_by_the_other_commands_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(
        folder,
        "cassandra.yaml",
        "cluster_name: main\ncdc_enabled: true\ncdc_raw_directory: /data/cdc_raw\ncommitlog_sync_period: 2000ms\nrpc_address: localhost\n",
    );
    let init = ["config", "init", "--cassandra-yaml", "cassandra.yaml", "--out", "agent.toml"];
    assert_eq!(agent(folder, &init).status.code(), Some(0));
    assert_eq!(agent(folder, &init).status.code(), Some(2), "it would replace the file");
    let shown = agent(folder, &["config", "show", "--config", "agent.toml"]);
    assert_eq!(shown.status.code(), Some(0), "{}", stderr(&shown));
    let text = stdout(&shown);
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    assert!(
        line("cdc_raw_directory").contains("\"/data/cdc_raw\"")
            && line("cdc_raw_directory").contains("# agent.toml:")
    );
    assert!(line("commitlog_sync_period_ms").contains("\"2000\""), "{text}");
    assert!(line("visibility").ends_with("# default"), "{text}");
    let checked = agent(folder, &["config", "check", "--config", "agent.toml"]);
    assert_eq!(checked.status.code(), Some(2), "no brokers are given: {}", stdout(&checked));
    let to_log = agent(folder, &["config", "check", "--config", "agent.toml", "--out", "log"]);
    assert_eq!(to_log.status.code(), Some(0), "{}", stdout(&to_log));
}

#[test]
fn properties_of_the_connector_become_a_file_and_notes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let properties = "# connector\ntopic.prefix = prod\nfield.exclude.list = shop.users.phone,\\\n    shop.users.mail\n\
        kafka.producer.bootstrap.servers=b1\\:9092\nsnapshot.mode=initial\n";
    write(folder, "connector.properties", properties);
    let imported =
        agent(folder, &["config", "import-debezium", "connector.properties", "--out", "agent.toml"]);
    assert_eq!(imported.status.code(), Some(0), "{}", stderr(&imported));
    assert!(stderr(&imported).contains("line 6: snapshot.mode: ignored: "), "{}", stderr(&imported));
    let shown = stdout(&agent(folder, &["config", "show", "--config", "agent.toml"]));
    for text in
        ["\"prod\"", "[\"shop.users.phone\", \"shop.users.mail\"]", "\"b1:9092\"", "\"debezium-cassandra\""]
    {
        assert!(shown.contains(text), "{text}: {shown}");
    }
}

#[test]
fn a_broken_configuration_is_exit_code_2_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "agent.toml", "finished_segments = 'archive'\n");
    let checked =
        agent(folder.path(), &["config", "check", "--config", "agent.toml", "--out", "log", "--json"]);
    assert_eq!(checked.status.code(), Some(2));
    assert!(
        stdout(&checked).contains(r#""check":"config.archive_directory","verdict":"fail""#),
        "{}",
        stdout(&checked)
    );
    write(folder.path(), "agent.toml", "visibilty = 'marked'\n");
    for command in [&["config", "show"][..], &["config", "check"], &["doctor"]] {
        let output = agent(folder.path(), &[command, &["--config", "agent.toml"]].concat());
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        assert!(stderr(&output).contains("did you mean visibility?"), "{}", stderr(&output));
    }
}

#[test]
fn doctor_without_services_judges_directory_and_segments() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("cdc_raw")).unwrap();
    let source = segment("demo");
    let copy = folder.join("cdc_raw").join(source.file_name().unwrap());
    std::fs::copy(&source, &copy).unwrap();
    std::fs::copy(fixtures().join("demo/schema.json"), folder.join("schema.json")).unwrap();
    let words = [
        "doctor",
        "--out",
        "log",
        "--cdc-raw",
        "cdc_raw",
        "--state-dir",
        "state",
        "--schema",
        "schema.json",
        "--cdc-total-space-mb",
        "4096",
    ];
    let output = agent(folder, &words);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("PASS  cdc_raw.lock"), "{}", stdout(&output));
    assert!(!folder.join("state").exists(), "nothing is made");
    let mut bytes = std::fs::read(&copy).unwrap();
    bytes[3] = 99;
    std::fs::write(&copy, bytes).unwrap();
    let output = agent(folder, &words);
    assert_eq!(output.status.code(), Some(4), "{}", stdout(&output));
    assert!(stdout(&output).contains("FAIL  segments.unreadable"), "{}", stdout(&output));
    let missing = agent(folder, &["doctor", "--out", "log", "--cdc-raw", "none", "--schema", "schema.json"]);
    assert_eq!(missing.status.code(), Some(4), "{}", stdout(&missing));
}
