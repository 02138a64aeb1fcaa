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

/// The greatest value of each number, which docs/configuration.md names.
#[test]
fn numbers_have_bounds_which_are_documented() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let documented = include_str!("../../docs/configuration.md");
    for (key, least, most) in [
        ("commitlog_sync_period_ms", 1, 86_400_000_u64),
        ("cdc_total_space_mb", 1, 1_073_741_824),
        ("spool_max_mb", 1, 1_073_741_824),
        ("spool_min_free_mb", 0, 1_073_741_824),
        ("late_after_s", 0, 3_155_760_000),
        ("cassandra_connect_timeout_ms", 1, 3_600_000),
        ("cassandra_request_timeout_ms", 1, 3_600_000),
        ("schema_refresh_interval_ms", 1, 86_400_000),
        ("heartbeat_interval_ms", 0, 86_400_000),
        ("stall_after_s", 1, 86_400),
        ("kafka_batch_records", 1, 100_000_000),
        ("kafka_batch_bytes", 1, 67_108_864),
        ("kafka_batch_ms", 1, 900_000),
    ] {
        let row = documented.lines().find(|line| line.starts_with(&format!("| `{key}` | `--"))).unwrap();
        let bounds = row.split('|').nth(3).unwrap();
        assert!(bounds.contains(&most.to_string()), "{row}");
        for (value, code) in [(least, 0), (most, 0), (most + 1, 2), (u64::MAX, 2)] {
            write(folder, "agent.toml", &format!("{key} = '{value}'\n"));
            let shown = agent(folder, &["config", "show", "--config", "agent.toml"]);
            assert_eq!(shown.status.code(), Some(code), "{key} = {value}: {}", stderr(&shown));
            let complaint = format!("agent.toml:1: {key}: expected a whole number from {least} to {most}");
            assert!(code == 0 || stderr(&shown).contains(&complaint), "{}", stderr(&shown));
        }
    }
}

/// What `config check` takes, `run` takes, and the other way round.
#[test]
fn contradictions_are_refused_by_check_and_by_run_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir_all(folder.join("cdc_raw")).unwrap();
    std::os::unix::fs::symlink("cdc_raw", folder.join("link")).unwrap();
    for (about, options) in [
        ("config.directories", &["--state-dir", "cdc_raw/state"][..]),
        ("config.directories", &["--state-dir", "link/state"]),
        ("config.directories", &["--state-dir", "state", "--spool-dir", "cdc_raw/spool"]),
        ("config.archive_directory", &["--state-dir", "state", "--archive-dir", "archive"]),
        ("config.archive_directory", &["--state-dir", "state", "--finished-segments", "archive"]),
        ("config.spool_directory", &["--state-dir", "state", "--spool-dir", "state"]),
    ] {
        let options = [&["--cdc-raw", "cdc_raw", "--out", "log"], options].concat();
        let checked = agent(folder, &[&["config", "check", "--json"], &options[..]].concat());
        let failed = format!(r#""check":"{about}","verdict":"fail""#);
        assert!(
            checked.status.code() == Some(2) && stdout(&checked).contains(&failed),
            "{}",
            stdout(&checked)
        );
        // An agent that does not refuse them ends because of the schema.
        let run = agent(folder, &[&["run", "--http=false", "--schema", "none.json"], &options[..]].concat());
        let key = about.strip_prefix("config.").unwrap().replace("directories", "cdc_raw_directory");
        let is_refused = run.status.code() == Some(2) && stderr(&run).contains(&key);
        assert!(is_refused, "{options:?}: {}", stderr(&run));
        assert!(!folder.join("state").exists(), "{options:?}");
        assert_eq!(std::fs::read_dir(folder.join("cdc_raw")).unwrap().count(), 0, "{options:?}");
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
