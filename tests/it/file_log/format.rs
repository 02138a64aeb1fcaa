//! The format on disk, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

fn one(topic: &str, key: &str, value: Option<&str>) -> Owned {
    Owned {
        topic: topic.to_owned(),
        hash: 7,
        key: key.to_owned(),
        value: value.map(str::to_owned),
        event_id: "00ff".to_owned(),
        ts_ms: -5,
    }
}

fn two_records(dir: &Path) -> FileLog {
    let mut log = FileLog::open(dir, FileLogOptions::default()).unwrap();
    one("p.cdc.ks.t", r#"{"id":1}"#, Some(r#"{"op":"c"}"#)).send(&mut log).unwrap();
    one("p.cdc.ks.t", r#"{"id":1}"#, None).send(&mut log).unwrap();
    let checkpoint = done(log.checkpoint().unwrap(), 2);
    log.commit(&checkpoint).unwrap();
    log
}

fn refused(result: Result<FileLog, SinkError>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.exit_code(), 6, "{error}");
    error.to_string()
}

#[test]
fn lines_and_commit_file_have_the_documented_form() {
    let dir = tempfile::tempdir().unwrap();
    drop(two_records(dir.path()));
    let lines = "{\"offset\":0,\"ts_ms\":-5,\"key\":{\"id\":1},\"value\":{\"op\":\"c\"},\"headers\":{\"event_id\":\"00ff\"}}\n\
                 {\"offset\":1,\"ts_ms\":-5,\"key\":{\"id\":1},\"value\":null,\"headers\":{\"event_id\":\"00ff\"}}\n";
    let file = dir.path().join("p.cdc.ks.t/0/00000000000000000000.jsonl");
    assert_eq!(fs::read_to_string(file).unwrap(), lines);
    let commit = fs::read_to_string(dir.path().join("commit.json")).unwrap();
    // The checksum is that of zlib, over all that stands before it.
    let (body, sum) = commit.split_once(r#","crc32":""#).unwrap();
    assert_eq!(sum, format!("{:08x}\"}}", crc32fast::hash(body.as_bytes())));
    assert_eq!(
        format!("{body}}}"),
        format!(
            r#"{{"version":1,"partitions":1,"checkpoint":{{"version":4,"generation":1,"open":{{"1":{{"at":"1:20:2"}}}},"done":{{}},"parked":[]}},"topics":{{"p.cdc.ks.t":{{"0":[{{"first_offset":0,"next_offset":2,"bytes":{}}}]}}}}}}"#,
            lines.len()
        )
    );
}

#[test]
fn only_the_owner_may_read() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("a/log");
    drop(two_records(&dir));
    let mode = |path: &str| fs::metadata(dir.join(path)).unwrap().permissions().mode() & 0o777;
    for path in ["", "p.cdc.ks.t", "p.cdc.ks.t/0"] {
        assert_eq!(mode(path), 0o700, "{path}");
    }
    for path in ["lock", "commit.json", "p.cdc.ks.t/0/00000000000000000000.jsonl"] {
        assert_eq!(mode(path), 0o600, "{path}");
    }
}

#[test]
fn a_file_is_rolled_before_it_grows_too_long_and_is_named_by_its_first_offset() {
    let dir = tempfile::tempdir().unwrap();
    // One line of `{"offset":0,"ts_ms":-5,"key":1,"value":"…","headers":{"event_id":"00ff"}}` is 73 bytes
    // long and the text.
    let options = FileLogOptions { roll_bytes: 1000, ..FileLogOptions::default() };
    let text = |length: usize| format!("\"{}\"", "x".repeat(length));
    let mut log = FileLog::open(dir.path(), options.clone()).unwrap();
    for (number, length) in (1..).zip([427, 427, 427, 2000, 427]) {
        one("t", "1", Some(&text(length))).send(&mut log).unwrap();
        let checkpoint = done(log.checkpoint().unwrap(), number);
        log.commit(&checkpoint).unwrap();
        drop(log);
        log = FileLog::open(dir.path(), options.clone()).unwrap();
    }
    let lengths: Vec<(String, usize)> =
        data_files(dir.path()).into_iter().map(|(name, bytes)| (name, bytes.len())).collect();
    let name = |offset: u64| format!("t/0/{offset:020}.jsonl");
    assert_eq!(lengths, [(name(0), 1000), (name(2), 500), (name(3), 2073), (name(4), 500)]);
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let log = two_records(dir.path());
    let error = FileLog::open(dir.path(), FileLogOptions::default()).unwrap_err();
    assert_eq!(error.exit_code(), 7);
    drop(log);
    FileLog::open(dir.path(), FileLogOptions::default()).unwrap();
}

#[test]
fn the_number_of_partitions_is_fixed_when_the_log_is_made() {
    let dir = tempfile::tempdir().unwrap();
    drop(FileLog::open(dir.path(), small(4)).unwrap());
    let other = FileLog::open(dir.path(), small(3)).unwrap_err();
    assert_eq!(other.exit_code(), 2);
    assert!(other.to_string().contains("has 4 partitions a topic, and 3 were asked"), "{other}");
    drop(FileLog::open(dir.path(), small(4)).unwrap());
    drop(FileLog::open(dir.path(), FileLogOptions::default()).unwrap());
    assert_eq!(FileLogReader::open(dir.path()).unwrap().partitions(), 4);
}

#[test]
fn a_directory_with_something_else_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("t/0")).unwrap();
    let file = dir.path().join("t/0/00000000000000000000.jsonl");
    fs::write(&file, "precious").unwrap();
    assert!(refused(FileLog::open(dir.path(), FileLogOptions::default())).contains("not empty"));
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert!(FileLogReader::open(dir.path()).is_err());
}

#[test]
fn a_log_that_was_only_begun_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("lock"), "").unwrap();
    fs::write(dir.path().join("commit.json.tmp"), "{\"vers").unwrap();
    drop(two_records(dir.path()));
    assert_eq!(contents(dir.path()).len(), 1);
}

#[test]
fn a_stored_form_that_is_newer_or_broken_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(two_records(dir.path()));
    let commit = unsealed(&dir.path().join("commit.json"));
    let bytes = data_files(dir.path()).values().next().unwrap().len();
    for (from, to) in [
        (r#"{"version":1,"partitions""#.to_owned(), r#"{"version":2,"partitions""#),
        (r#""checkpoint":{"version":4"#.to_owned(), r#""checkpoint":{"version":6"#),
        (r#""partitions":1"#.to_owned(), r#""partitions":0"#),
        (r#""p.cdc.ks.t""#.to_owned(), r#""../t""#),
        (r#"{"0":["#.to_owned(), r#"{"1":["#),
        (r#""first_offset":0"#.to_owned(), r#""first_offset":1"#),
        (r#""next_offset":2"#.to_owned(), r#""next_offset":0"#),
        (format!(r#""bytes":{bytes}"#), r#""bytes":0"#),
        ("}}}".to_owned(), "}}"),
    ] {
        let changed = commit.replacen(&from, to, 1);
        assert_ne!(changed, commit, "{from}");
        fs::write(dir.path().join("commit.json"), changed).unwrap();
        refused(FileLog::open(dir.path(), FileLogOptions::default()));
        assert!(FileLogReader::open(dir.path()).is_err(), "{to}");
    }
}

/// A commit file as an older version, or somebody by hand, would write it: without the checksum.
fn unsealed(path: &Path) -> String {
    let commit = fs::read_to_string(path).unwrap();
    format!("{}}}", commit.split_once(r#","crc32":""#).unwrap().0)
}

/// As a disk changes it: what is read is what was committed, or nothing.
#[test]
fn a_bit_of_the_commit_file_that_changes_changes_nothing_silently() {
    let dir = tempfile::tempdir().unwrap();
    drop(two_records(dir.path()));
    let path = dir.path().join("commit.json");
    let (commit, without) = (fs::read(&path).unwrap(), unsealed(&path));
    let before = FileLog::open(dir.path(), FileLogOptions::default()).unwrap().checkpoint().cloned();
    for (place, bit) in (0..commit.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
        let mut changed = commit.clone();
        changed[place] ^= 1 << bit;
        fs::write(&path, changed).unwrap();
        if let Ok(log) = FileLog::open(dir.path(), FileLogOptions::default()) {
            assert_eq!(log.checkpoint().cloned(), before, "byte {place}, bit {bit}");
        }
        assert_eq!(data_files(dir.path()).len(), 1, "byte {place}, bit {bit}");
    }
    fs::write(&path, without).unwrap();
    assert_eq!(FileLog::open(dir.path(), FileLogOptions::default()).unwrap().checkpoint().cloned(), before);
}

#[test]
fn committed_data_that_is_missing_is_an_error() {
    for cut in [None, Some(10)] {
        let dir = tempfile::tempdir().unwrap();
        drop(two_records(dir.path()));
        let file = dir.path().join("p.cdc.ks.t/0/00000000000000000000.jsonl");
        match cut {
            None => fs::remove_file(&file).unwrap(),
            Some(length) => fs::write(&file, &fs::read(&file).unwrap()[..length]).unwrap(),
        }
        assert!(refused(FileLog::open(dir.path(), FileLogOptions::default())).contains("committed bytes"));
        let reader = FileLogReader::open(dir.path()).unwrap();
        let lines: Vec<_> = reader.lines("p.cdc.ks.t", 0).collect();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].is_err());
    }
}

/// What a disk, an editor or a copy by hand can make of a log of three records, and how many lines are read before it is
/// told: records that are missing are never passed over.
#[test]
fn a_line_that_is_not_the_next_one_is_an_error() {
    let line =
        |offset: &str| format!(r#"{{"offset":{offset},"ts_ms":1,"key":{{}},"value":null,"headers":{{}}}}"#);
    let by_hand = r#"{ "key": {}, "value": null, "headers": {}, "ts_ms": 1, "offset": 1 }"#;
    for (lines, sound, what) in [
        (vec![line("0"), line("1"), line("2")], 3, ""),
        (vec![line("0"), by_hand.to_owned(), line("2")], 3, ""),
        (vec![line("0"), line("9"), line("2")], 1, "offset 9 stands where 1 is expected"),
        (vec![line("0"), line("2")], 1, "offset 2 stands where 1 is expected"),
        (vec![line("0"), line("2"), line("1")], 1, "offset 2 stands where 1 is expected"),
        (vec![line("0"), line("0"), line("1"), line("2")], 1, "offset 0 stands where 1 is expected"),
        (vec![line("0"), line("9223372036854775807"), line("2")], 1, "offset 9223372036854775807 stands"),
        (vec![line("0"), line("-1"), line("2")], 1, "a line without offset"),
        (vec![line("0"), "\0\0\0\0".to_owned(), line("2")], 1, "a line without offset"),
        (vec![line("0"), line("1")], 1, "end before offset 3"),
        (vec![line("0"), line("1"), line("2"), line("3")], 2, "end before offset 3"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let text = lines.join("\n") + "\n";
        fs::create_dir_all(dir.path().join("t/0")).unwrap();
        fs::write(dir.path().join("t/0/00000000000000000000.jsonl"), &text).unwrap();
        let files = format!(r#"[{{"first_offset":0,"next_offset":3,"bytes":{}}}]"#, text.len());
        let checkpoint = r#"{"version":4,"generation":0,"open":{},"done":{},"parked":[]}"#;
        let topics = format!(r#"{{"t":{{"0":{files}}}}}"#);
        let commit = format!(r#"{{"version":1,"partitions":1,"checkpoint":{checkpoint},"topics":{topics}}}"#);
        fs::write(dir.path().join("commit.json"), commit).unwrap();
        let read: Vec<_> = FileLogReader::open(dir.path()).unwrap().lines("t", 0).collect();
        let found: Vec<&String> = read.iter().map_while(|line| line.as_ref().ok()).collect();
        assert_eq!(found, lines[..sound].iter().collect::<Vec<_>>(), "{lines:?}");
        let error = read.get(sound).map_or(String::new(), |line| line.as_ref().unwrap_err().to_string());
        assert!(error.contains(what) && error.is_empty() == what.is_empty(), "{lines:?}: {error}");
        assert_eq!(read.len(), sound + usize::from(!what.is_empty()), "{lines:?}");
    }
}

/// As a commit file of other data would: nothing is cut off, and nothing removed.
#[test]
fn a_commit_that_ends_inside_a_line_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    drop(two_records(dir.path()));
    fs::create_dir_all(dir.path().join("another/0")).unwrap();
    fs::write(dir.path().join("another/0/00000000000000000000.jsonl"), "precious").unwrap();
    let before = data_files(dir.path());
    let bytes = before["p.cdc.ks.t/0/00000000000000000000.jsonl"].len();
    let commit = dir.path().join("commit.json");
    let changed = unsealed(&commit).replace(&format!(r#""bytes":{bytes}"#), r#""bytes":10"#);
    fs::write(&commit, changed).unwrap();
    assert!(refused(FileLog::open(dir.path(), FileLogOptions::default())).contains("no end of a line"));
    assert_eq!(data_files(dir.path()), before);
}

#[test]
fn recovery_touches_only_its_own_files() {
    let dir = tempfile::tempdir().unwrap();
    drop(two_records(dir.path()));
    let kept = [
        "notes.txt",
        "p.cdc.ks.t/notes",
        "p.cdc.ks.t/0/0.jsonl",
        "p.cdc.ks.t/0/00000000000000000001.jsonl.gz",
    ];
    let removed = [
        "p.cdc.ks.t/0/00000000000000000002.jsonl",
        "p.cdc.ks.t/1/00000000000000000000.jsonl",
        "new/0/00000000000000000000.jsonl",
    ];
    for path in kept.iter().chain(&removed) {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    drop(FileLog::open(dir.path(), FileLogOptions::default()).unwrap());
    for path in kept {
        assert!(dir.path().join(path).exists(), "{path}");
    }
    for path in removed {
        assert!(!dir.path().join(path).exists(), "{path}");
    }
}

#[test]
fn a_checkpoint_that_moves_back_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = two_records(dir.path());
    let error = log.commit(&done(&Checkpoint::default(), 1)).unwrap_err();
    assert_eq!(error.exit_code(), 1);
}

#[test]
fn nothing_new_is_not_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = two_records(dir.path());
    fs::remove_file(dir.path().join("commit.json")).unwrap();
    let checkpoint = log.checkpoint().unwrap().clone();
    log.commit(&checkpoint).unwrap();
    assert!(!dir.path().join("commit.json").exists());
    log.commit(&done(&checkpoint, 3)).unwrap();
    assert!(dir.path().join("commit.json").exists());
}

#[test]
fn records_are_committed_also_when_the_checkpoint_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = two_records(dir.path());
    one("p.cdc.ks.t", "3", None).send(&mut log).unwrap();
    let checkpoint = log.checkpoint().unwrap().clone();
    log.commit(&checkpoint).unwrap();
    assert_eq!(FileLogReader::open(dir.path()).unwrap().next_offset("p.cdc.ks.t", 0), 3);
}

#[test]
fn topics_are_never_paths() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("log");
    for topic in ["../t", "/t", "..", "a/b", ""] {
        let mut log = FileLog::open(&dir, FileLogOptions::default()).unwrap();
        assert!(matches!(one(topic, "1", None).send(&mut log), Err(SinkError::TopicName(_))), "{topic}");
    }
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
}
