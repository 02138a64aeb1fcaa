//! What a replay writes to, when it cannot be written to or is something else than meant: standard output, the file
//! log's files, the summary.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::program::{agent, fixtures, segment, stderr, stdout};
use crate::support::mutation_writer::{Item, Row, Update, payload};
use crate::support::segment_writer::write_segment;
use crate::support::table::Table;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs the program from a shell: `$0` is the program, `$1` the segment of `demo`, `$2` its schema, `$3` a folder.
fn shell(script: &str, folder: &Path) -> Output {
    let (demo, schema) = (segment("demo"), fixtures().join("demo/schema.json"));
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_cdc-agent")]);
    command.args([demo.as_path(), &schema, folder]).output().unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_reader_that_goes_away_leaves_records_that_were_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let (log, schema, summary) =
        (segment("4.1-none"), fixtures().join("4.1-none/schema.json"), dir.path().join("summary.json"));
    let arguments =
        ["replay", text(&log), "--schema", text(&schema), "--summary", text(&summary), "--allow-unknown"];
    assert_eq!(agent(arguments).status.code(), Some(0));
    let all = json(&summary)["records"].as_u64().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-agent"));
    let command = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    // The reader is dropped behind its first line.
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"topic\""));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let said = stderr(&output);
    assert!(said.contains("has closed it") && said.contains("start again from the beginning"), "{said}");
    assert!(!said.contains("last commit"), "{said}");
    assert!(json(&summary)["records"].as_u64().unwrap() < all, "only what was written counts");
}

#[test]
fn a_reader_of_another_command_that_goes_away_is_not_talked_about() {
    let dir = tempfile::tempdir().unwrap();
    for command in ["verify \"$1\"", "inspect \"$1\"", "schema show \"$2\"", "man", "completions bash"] {
        let script = format!("{{ sleep 0.2; \"$0\" {command}; echo $? > \"$3/exit\"; }} | true");
        let output = shell(&script, dir.path());
        assert_eq!(stderr(&output), "", "{command}");
        assert_eq!(fs::read_to_string(dir.path().join("exit")).unwrap(), "6\n", "{command}");
    }
}

#[test]
fn a_standard_output_that_takes_nothing_is_exit_code_6() {
    let dir = tempfile::tempdir().unwrap();
    for out in ["> /dev/full", "1< \"$1\""] {
        let output = shell(&format!("\"$0\" replay \"$1\" --schema \"$2\" --quiet {out}"), dir.path());
        assert_eq!(output.status.code(), Some(6), "{out}");
        let said = stderr(&output);
        assert!(
            said.contains("standard output") && said.contains("start again from the beginning"),
            "{said}"
        );
    }
    for command in ["verify \"$1\"", "inspect \"$1\"", "schema show \"$2\"", "completions bash"] {
        let output = shell(&format!("\"$0\" {command} > /dev/full"), dir.path());
        assert_eq!(output.status.code(), Some(6), "{command}");
    }
    for out in [">&-", "> /dev/null"] {
        let output = shell(&format!("\"$0\" replay \"$1\" --schema \"$2\" --quiet {out}"), dir.path());
        assert_eq!(output.status.code(), Some(0), "{out}");
        assert!(stderr(&output).contains("no record is kept"), "{out}: {}", stderr(&output));
    }
}

#[test]
fn what_was_sent_before_a_stop_stands_on_standard_output() {
    let dir = tempfile::tempdir().unwrap();
    let table = Table::new([["id", "partition_key", "int"], ["v", "regular", "text"]]);
    let row = Row { liveness: Some((1_700_000_000_000_000, None)), ..Row::default() };
    let update = Update { key: vec![0, 0, 0, 1], items: vec![Item::Row(row)], ..Update::default() };
    let known = payload(&table, &update);
    let mut unknown = known.clone();
    // The number of updates, and 16 bytes of table id.
    unknown[5] ^= 1;
    let log = dir.path().join("cdc_raw");
    fs::create_dir(&log).unwrap();
    write_segment(&log, 1, &[&[known]]);
    write_segment(&log, 2, &[&[unknown]]);
    let (schema, summary) = (dir.path().join("schema.json"), dir.path().join("summary.json"));
    fs::write(&schema, table.schema_file().to_string()).unwrap();
    let output = agent([
        "replay",
        text(&log),
        "--schema",
        text(&schema),
        "--unknown-table",
        "block",
        "--summary",
        text(&summary),
    ]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), 1, "{}", stderr(&output));
    assert_eq!(json(&summary)["records"], 1);
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_like_a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    // Of 512 bytes each, or of 1024.
    let replay = "\"$0\" replay \"$1\" --schema \"$2\" --quiet --out \"$3/log\"";
    let output = shell(&format!("ulimit -f 4; {replay}"), dir.path());
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    assert!(stderr(&output).contains("ulimit -f"), "{}", stderr(&output));
    let output = shell(replay, dir.path());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = shell("\"$0\" replay \"$1\" --schema \"$2\" --quiet --out \"$3/whole\"", dir.path());
    assert_eq!(output.status.code(), Some(0));
    let topic = |log: &str| {
        let topic = dir.path().join(log).join("local.cdc.shop.orders/0/00000000000000000000.jsonl");
        let text = fs::read_to_string(topic).unwrap();
        text.lines().map(|line| line.split("\"event_id\"").nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(topic("log"), topic("whole"));
}

/// Where the summary must not go, and what is said about it.
fn forbidden(dir: &Path, cdc_raw: &Path) -> Vec<(PathBuf, &'static str)> {
    let link = dir.join("link.json");
    std::os::unix::fs::symlink(dir.join("schema.json"), &link).unwrap();
    let hard = dir.join("hard.json");
    fs::hard_link(cdc_raw.join("CommitLog-7-1795361326344.log"), &hard).unwrap();
    vec![
        (cdc_raw.join("CommitLog-7-1795361326344.log"), "a name that Cassandra gives"),
        (cdc_raw.join("CommitLog-7-1_cdc.idx"), "a name that Cassandra gives"),
        (dir.join("schema.json"), "which this replay reads"),
        (link, "which this replay reads"),
        (hard, "which this replay reads"),
        (dir.join("agent.toml"), "which this replay reads"),
        (dir.join("log/commit.json"), "belongs to the file log"),
        (dir.join("log/summary.json"), "belongs to the file log"),
        (dir.join("log"), "belongs to the file log"),
    ]
}

#[test]
fn a_summary_does_not_overwrite_what_is_read_or_written() {
    let dir = tempfile::tempdir().unwrap();
    let cdc_raw = dir.path().join("cdc_raw");
    fs::create_dir(&cdc_raw).unwrap();
    let demo = segment("demo");
    fs::copy(&demo, cdc_raw.join(demo.file_name().unwrap())).unwrap();
    let schema = dir.path().join("schema.json");
    fs::copy(fixtures().join("demo/schema.json"), &schema).unwrap();
    let config = dir.path().join("agent.toml");
    fs::write(&config, "").unwrap();
    let log = dir.path().join("log");
    let fixed = ["replay", text(&cdc_raw), "--schema", text(&schema), "--config", text(&config), "--quiet"];
    let into_log = || fixed.into_iter().chain(["--out", text(&log)]);
    let content = |path: &Path| fs::read(path).unwrap_or_default();
    for is_there in [false, true] {
        for (path, why) in forbidden(dir.path(), &cdc_raw) {
            let before = content(&path);
            let output = agent(into_log().chain(["--summary", text(&path)]));
            assert_eq!(output.status.code(), Some(2), "{}: {}", path.display(), stderr(&output));
            assert!(stderr(&output).contains(why), "{}", stderr(&output));
            assert_eq!(content(&path), before, "{}", path.display());
        }
        assert_eq!(log.exists(), is_there, "nothing was begun");
        fs::remove_file(dir.path().join("link.json")).unwrap();
        fs::remove_file(dir.path().join("hard.json")).unwrap();
        assert_eq!(agent(into_log()).status.code(), Some(0));
    }
    let script = "\"$0\" replay \"$1\" --schema \"$2\" --summary \"$3/both\" > \"$3/both\"";
    let output = shell(script, dir.path());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let output = shell("\"$0\" replay \"$1\" --schema \"$2\" --quiet --summary /dev/stderr", dir.path());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(serde_json::from_str::<Value>(&stderr(&output)).unwrap()["mutations"], 24);
}

#[test]
fn a_summary_that_cannot_be_written_is_known_before_anything_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let script = "\"$0\" replay \"$1\" --schema \"$2\" --out \"$3/log\" --summary \"$3/none/summary.json\"";
    let output = shell(script, dir.path());
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    assert!(!dir.path().join("log").exists());
    // Begun, and not come to an end: no file is left that looks like a summary.
    let script = "\"$0\" replay \"$1\" --schema \"$2\" --out /dev/null/log --summary \"$3/summary.json\"";
    assert_eq!(shell(script, dir.path()).status.code(), Some(6));
    assert!(!dir.path().join("summary.json").exists());
    fs::write(dir.path().join("summary.json"), "x".repeat(100_000)).unwrap();
    let script = "\"$0\" replay \"$1\" --schema \"$2\" --quiet --summary \"$3/summary.json\"";
    assert_eq!(shell(script, dir.path()).status.code(), Some(0));
    assert_eq!(json(&dir.path().join("summary.json"))["mutations"], 24);
}

#[test]
fn a_summary_that_fails_at_the_end_takes_no_exit_code_away() {
    let dir = tempfile::tempdir().unwrap();
    let replay = "\"$0\" replay \"$1\" --schema \"$2\" --quiet --summary /dev/full";
    let output = shell(&format!("{replay} --dry-run"), dir.path());
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot write the summary to /dev/full"), "{}", stderr(&output));
    let output = shell(&format!("{replay} \"$3\""), dir.path());
    assert_eq!(output.status.code(), Some(4), "an empty folder: {}", stderr(&output));
    let empty = dir.path().join("CommitLog-7-5.log");
    fs::write(&empty, "").unwrap();
    let output = shell(&format!("{replay} \"$3\""), dir.path());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot write the summary"), "{}", stderr(&output));
}
