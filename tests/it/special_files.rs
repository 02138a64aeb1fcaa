//! What stands where a segment, its index or a schema is expected, and is no regular file: nothing is waited for,
//! nothing is left out silently.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::program::{agent, fixtures, json_lines, segment, stderr, stdout};

/// A folder with the segment of `demo`, its index, and things with the names of segments.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let demo = segment("demo");
    let index = demo.to_str().unwrap().replace(".log", "_cdc.idx");
    for file in [demo.as_path(), Path::new(&index)] {
        fs::copy(file, dir.path().join(file.file_name().unwrap())).unwrap();
    }
    dir
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Runs the program, and ends it after a minute: exit code 124.
fn agent_in_time<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Output {
    let mut command = Command::new("timeout");
    command.arg("60").arg(env!("CARGO_BIN_EXE_cdc-agent")).args(arguments).output().unwrap()
}

#[test]
fn what_has_a_segments_name_and_is_none_is_named_and_the_others_are_read() {
    let dir = folder();
    let at = |id: u32| dir.path().join(format!("CommitLog-7-{id}.log"));
    std::os::unix::fs::symlink("gone", at(1)).unwrap();
    make_fifo(&at(2));
    let _socket = UnixListener::bind(at(3)).unwrap();
    fs::create_dir(at(4)).unwrap();
    let schema = fixtures().join("demo/schema.json");
    let summary = dir.path().join("summary.json");
    let expected = [
        (1, "it is a link to gone, which does not exist"),
        (2, "it is a FIFO"),
        (3, "it is a socket"),
        (4, "it is a directory"),
    ];

    let output = agent_in_time(["verify".as_ref(), "--json".as_ref(), dir.path().as_os_str()]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let lines = json_lines(&output);
    for ((id, why), line) in expected.iter().zip(&lines) {
        assert_eq!(line["segment"], format!("CommitLog-7-{id}.log"));
        assert_eq!(line["outcome"], "unreadable");
        assert!(line["reason"].as_str().unwrap().contains(why), "{line}");
    }
    assert_eq!(lines[4]["mutations"], 24, "{}", lines[4]);
    assert_eq!((&lines[5]["clean"], &lines[5]["unreadable"]), (&Value::from(1), &Value::from(4)));

    let arguments = ["replay".as_ref(), dir.path().as_os_str(), "--schema".as_ref(), schema.as_os_str()];
    let arguments = arguments.into_iter().chain(["--summary".as_ref(), summary.as_os_str()]);
    let output = agent_in_time(arguments);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(!stdout(&output).is_empty());
    let summary: Value = serde_json::from_slice(&fs::read(&summary).unwrap()).unwrap();
    let unreadable = summary["segments"]["unreadable"].as_array().unwrap();
    assert_eq!(unreadable.len(), 4, "{summary}");
    for ((id, why), entry) in expected.iter().zip(unreadable) {
        assert_eq!(entry["segment"], format!("CommitLog-7-{id}.log"));
        assert!(entry["reason"].as_str().unwrap().contains(why), "{entry}");
    }
}

#[test]
fn a_fifo_is_refused_at_once_as_a_segment() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    make_fifo(&fifo);
    let schema = fixtures().join("demo/schema.json");
    for command in ["verify", "inspect", "replay"] {
        let arguments = [command.as_ref(), fifo.as_os_str(), "--schema".as_ref(), schema.as_os_str()];
        let output = agent_in_time(arguments);
        assert_eq!(output.status.code(), Some(4), "{command}");
        let said = stdout(&output) + &stderr(&output);
        assert!(said.contains("it is a FIFO, and no regular file"), "{command}: {said}");
    }
}

#[test]
fn an_index_that_cannot_be_used_is_named() {
    let dir = folder();
    let name = "CommitLog-7-1795361326344_cdc.idx";
    let index = dir.path().join(name);
    let schema = fixtures().join("demo/schema.json");
    type Make = fn(&Path);
    let garbage: Make = |path| fs::write(path, "2209\nCOMPLETELY").unwrap();
    let folder: Make = |path| fs::create_dir(path).unwrap();
    for (make, why) in [(make_fifo as Make, "it is a FIFO"), (garbage, "no offset"), (folder, "a directory")]
    {
        fs::remove_file(&index).or_else(|_| fs::remove_dir(&index)).unwrap();
        make(&index);
        let output = agent_in_time(["verify".as_ref(), dir.path().as_os_str()]);
        assert_eq!(output.status.code(), Some(0), "nothing is lost");
        let text = stdout(&output);
        assert!(text.contains(name) && text.contains(why), "{text}");
        let arguments = ["replay".as_ref(), dir.path().as_os_str(), "--schema".as_ref(), schema.as_os_str()];
        let output = agent_in_time(arguments);
        assert_eq!(output.status.code(), Some(0));
        let text = stderr(&output);
        assert!(text.contains(name) && text.contains(why), "{text}");
    }
}

#[test]
fn a_schema_may_come_from_a_fifo() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("schema");
    make_fifo(&fifo);
    let schema = fs::read(fixtures().join("demo/schema.json")).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| fs::write(&fifo, schema).unwrap());
        let demo = segment("demo");
        let arguments = ["replay".as_ref(), demo.as_os_str(), "--schema".as_ref(), fifo.as_os_str()];
        let output = agent_in_time(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    });
}

#[test]
fn a_directory_is_no_file_of_options_or_keys() {
    let (demo, schema) = (segment("demo"), fixtures().join("demo/schema.json"));
    let [demo, schema] = [&demo, &schema].map(|path| path.to_str().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    let replay = ["replay", demo, "--schema"];
    for options in [
        &[dir][..],
        &[schema, "--config", dir],
        &[schema, "--commitlog-key-hex-file", dir],
        &[schema, "--keystore", dir, "--keystore-password-file", schema],
        &[schema, "--keystore", schema, "--keystore-password-file", dir],
    ] {
        let output = agent(replay.iter().chain(options));
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        let text = stderr(&output);
        assert!(text.contains(dir) && text.contains("Is a directory"), "{text}");
    }
}
