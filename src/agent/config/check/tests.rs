use std::os::unix::fs::PermissionsExt;

use clap::Parser;

use super::*;
use crate::agent::doctor::finding::{Verdict, outcome};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: RunOptions,
}

/// The findings of a command line, published to a file log: name of the check and verdict.
fn found(flags: &[&str]) -> Vec<(&'static str, Verdict, String)> {
    let words = ["test"].iter().chain(flags);
    let line = Line::try_parse_from(words).unwrap();
    findings(&line.options, Path::new("log")).into_iter().map(|f| (f.check, f.verdict, f.found)).collect()
}

const GOOD: [&str; 8] =
    ["--prefix", "prod", "--cluster", "c", "--dc", "d", "--host-id", "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47"];

#[test]
fn good_options_pass() {
    let found = found(&GOOD);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0, found[0].1), ("config", Verdict::Pass));
}

#[test]
fn each_mistake_is_found() {
    use Verdict::{Fail, Warn};
    for (flags, check, verdict) in [
        (&["--finished-segments", "archive"][..], "config.archive_directory", Fail),
        (&["--archive-dir", "/x"], "config.archive_directory", Fail),
        (&["--archive-dir", "/x", "--finished-segments", "keep"], "config.archive_directory", Fail),
        (&["--finished-segments", "keep"], "config.finished_segments", Warn),
        (&["--cdc-raw", "/c", "--state-dir", "/c/state"], "config.directories", Fail),
        (&["--cdc-raw", "/c", "--spool-dir", "/c/spool"], "config.directories", Fail),
        (&["--spool-dir", "/s", "--finished-segments", "keep"], "config.spool_directory", Fail),
        (
            &["--spool-dir", "/s", "--finished-segments", "archive", "--archive-dir", "/s"],
            "config.spool_directory",
            Fail,
        ),
        (&["--ownership", "primary"], "config.ownership", Warn),
        (&["--cassandra-username", "u"], "config.cassandra", Fail),
        (&["--cassandra-ssl-server-name", "n"], "config.cassandra", Fail),
        (&["--cassandra-host", "10.0.0.1"], "config.cassandra_host", Warn),
        (&["--heartbeat-interval-ms", "0"], "config.heartbeat", Warn),
        (&["--heartbeat-interval-ms", "90000"], "config.heartbeat", Warn),
        (&["--http-address", "0.0.0.0:8083"], "config.http_address", Warn),
        (&["--unknown-table", "ledger"], "config.unknown_table", Warn),
        (&["--undecodable", "ledger"], "config.undecodable", Warn),
        (&["--ssl-insecure"], "config.kafka_ssl_insecure", Warn),
        (
            &["--security-protocol", "sasl_plaintext", "--sasl-mechanism", "PLAIN"],
            "config.kafka_security_protocol",
            Warn,
        ),
        (&["--batch-ms", "20000"], "config.kafka_batch_ms", Warn),
        (&["--topic-replication", "1"], "config.kafka_topic_replication", Warn),
        (&["--cassandra-ssl-ca-file", "/no/such.pem"], "config.files", Fail),
        (&["--hash-column", "a.b.c"], "config.column_hash", Fail),
        (&["--keystore-password-file", "/no/such"], "config.keys", Fail),
        (&["--profile", "debezium-cassandra", "--cells", "all"], "config.records", Fail),
        (&["--schema", "/no/such.cql"], "config.records", Fail),
    ] {
        let words = [&GOOD[..], flags].concat();
        let found = found(&words);
        assert!(found.iter().any(|f| f.0 == check && f.1 == verdict), "{flags:?}: {found:?}");
    }
    let names: Vec<_> = found(&[]).into_iter().map(|f| f.0).collect();
    assert_eq!(names, ["config.source", "config.topic_prefix"]);
}

#[test]
fn files_with_secrets_must_not_be_everybodys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "hunter2").unwrap();
    for (mode, expected) in [(0o644, true), (0o640, false), (0o400, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let words = [&GOOD[..], &["--sasl-password-file", path.to_str().unwrap()]].concat();
        let found = found(&words);
        assert_eq!(found.iter().any(|f| f.0 == "config.files"), expected, "{mode:o}: {found:?}");
        assert!(!format!("{found:?}").contains("hunter2"));
    }
}

#[test]
fn a_file_log_is_not_inside_cdc_raw() {
    let raw = tempfile::tempdir().unwrap();
    let line = Line::try_parse_from(["test", "--cdc-raw", raw.path().to_str().unwrap()]).unwrap();
    for out in [raw.path().join("log"), raw.path().to_owned()] {
        let found = findings(&line.options, &out);
        let is_said = found.iter().any(|finding| format!("{finding:?}").contains("the file log is inside"));
        assert!(is_said, "{}: {found:?}", out.display());
    }
    let beside = raw.path().with_extension("log");
    assert!(line.options.live.log.unfit_out(&beside).is_none());
}

#[test]
fn kafka_needs_brokers() {
    let line = Line::try_parse_from(["test"]).unwrap();
    let found = findings(&line.options, Path::new("kafka"));
    assert_eq!(outcome(&found), Exit::Usage);
}
