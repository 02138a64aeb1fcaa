//! Destinations that fail: the error names what and where, nothing uncommitted is visible, the writer stops.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn commit(log: &mut FileLog, number: u32) -> Result<(), SinkError> {
    let checkpoint = done(log.checkpoint().unwrap(), number);
    log.commit(&checkpoint)
}

/// A log with `count` committed records of one topic, by a writer that still has it.
fn begun(dir: &Path, count: u32) -> FileLog {
    let mut log = FileLog::open(dir, small(1)).unwrap();
    for number in 0..count {
        same_topic(number).send(&mut log).unwrap();
    }
    commit(&mut log, count).unwrap();
    log
}

fn same_topic(number: u32) -> Owned {
    Owned { topic: "t".to_owned(), ..record(1, number) }
}

fn check_failed(log: &mut FileLog, error: &SinkError, place: &str) {
    assert_eq!(error.exit_code(), 6, "{error}");
    assert!(error.to_string().contains(place), "{error}");
    assert!(matches!(same_topic(0).send(log), Err(SinkError::Failed)));
    assert!(matches!(commit(log, 9), Err(SinkError::Failed)));
}

#[test]
fn a_directory_that_cannot_be_made() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    for dir in [&file, &file.join("log")] {
        let error = FileLog::open(dir, small(1)).unwrap_err();
        assert_eq!(error.exit_code(), 6);
        assert!(error.to_string().contains("file"), "{error}");
    }
}

#[test]
fn a_topic_directory_that_cannot_be_made() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = begun(dir.path(), 0);
    fs::write(dir.path().join("t"), "in the way").unwrap();
    same_topic(0).send(&mut log).unwrap();
    let error = commit(&mut log, 1).unwrap_err();
    check_failed(&mut log, &error, "/t/0");
    assert_eq!(contents(dir.path()), Contents::new());
}

#[test]
fn a_commit_file_that_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = begun(dir.path(), 3);
    fs::create_dir(dir.path().join("commit.json.tmp")).unwrap();
    same_topic(3).send(&mut log).unwrap();
    let error = commit(&mut log, 4).unwrap_err();
    check_failed(&mut log, &error, "commit.json.tmp");
    drop(log);
    let three: Vec<Owned> = (0..3).map(same_topic).collect();
    assert_eq!(contents(dir.path()), expected(&three, 1));
    fs::remove_dir(dir.path().join("commit.json.tmp")).unwrap();
    let log = FileLog::open(dir.path(), small(1)).unwrap();
    assert_eq!(count_done(log.checkpoint().unwrap()), 3);
}

#[test]
fn a_file_that_somebody_else_wrote_to() {
    let dir = tempfile::tempdir().unwrap();
    drop(begun(dir.path(), 3));
    let mut log = FileLog::open(dir.path(), small(1)).unwrap();
    let name = data_files(dir.path()).keys().last().unwrap().clone();
    let mut bytes = fs::read(dir.path().join(&name)).unwrap();
    bytes.extend_from_slice(b"foreign\n");
    fs::write(dir.path().join(&name), bytes).unwrap();
    same_topic(3).send(&mut log).unwrap();
    let error = commit(&mut log, 4).unwrap_err();
    check_failed(&mut log, &error, &name);
}

#[test]
fn a_file_that_is_there_already() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = begun(dir.path(), 0);
    fs::create_dir_all(dir.path().join("t/0")).unwrap();
    fs::write(dir.path().join("t/0/00000000000000000000.jsonl"), "").unwrap();
    same_topic(0).send(&mut log).unwrap();
    let error = commit(&mut log, 1).unwrap_err();
    check_failed(&mut log, &error, "00000000000000000000.jsonl");
}

/// What is where a log was, once its writer has it: the writer must not go on as if that were the log.
#[test]
fn a_directory_that_is_not_the_one_that_was_opened() {
    let gone = |_: &Path, _: &Path| ();
    let empty = |dir: &Path, _: &Path| fs::create_dir(dir).unwrap();
    let copied = |dir: &Path, away: &Path| copy(away, dir);
    let others: [fn(&Path, &Path); 3] = [gone, empty, copied];
    for instead in others {
        let parent = tempfile::tempdir().unwrap();
        let (dir, away) = (parent.path().join("log"), parent.path().join("away"));
        let mut log = begun(&dir, 3);
        fs::rename(&dir, &away).unwrap();
        instead(&dir, &away);
        let there = tree(&dir);
        same_topic(3).send(&mut log).unwrap();
        Owned { topic: "new".to_owned(), ..record(1, 4) }.send(&mut log).unwrap();
        let error = commit(&mut log, 4).unwrap_err();
        check_failed(&mut log, &error, dir.to_str().unwrap());
        drop(log);
        assert_eq!(tree(&dir), there, "something was made in another directory");
        let three: Vec<Owned> = (0..3).map(same_topic).collect();
        assert_eq!(contents(&away), expected(&three, 1));
        let log = FileLog::open(&away, small(1)).unwrap();
        assert_eq!(count_done(log.checkpoint().unwrap()), 3, "it goes on where it is brought back");
    }
}

#[test]
fn a_lock_or_a_data_file_that_was_removed_or_replaced() {
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    let replace = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path.with_extension("copy"), bytes).unwrap();
        fs::rename(path.with_extension("copy"), path).unwrap();
    };
    let changes: [fn(&Path); 2] = [remove, replace];
    for name in ["lock", "t/0/00000000000000000000.jsonl"] {
        for change in changes {
            let dir = tempfile::tempdir().unwrap();
            let mut log = begun(dir.path(), 3);
            change(&dir.path().join(name));
            same_topic(3).send(&mut log).unwrap();
            let error = commit(&mut log, 4).unwrap_err();
            check_failed(&mut log, &error, name);
        }
    }
}

/// Every file below a directory, with its contents.
fn tree(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        let bytes = if path.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
        found.extend(tree(&path));
        found.push((path, bytes));
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for (path, bytes) in tree(from) {
        let to = to.join(path.strip_prefix(from).unwrap());
        if path.is_dir() {
            fs::create_dir_all(to).unwrap();
        } else {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, bytes).unwrap();
        }
    }
}

/// Limits on open files and memory that are lower than what the topics want.
#[test]
fn more_topics_than_open_files_and_memory() {
    let dir = tempfile::tempdir().unwrap();
    let options = small(1);
    let mut log = FileLog::open(dir.path(), options.clone()).unwrap();
    let records: Vec<Owned> =
        (0..400).map(|number| Owned { topic: format!("t{}", number % 40), ..record(2, number) }).collect();
    let (mut most_open, mut sent) = (0, 0);
    for (number, next) in records.iter().enumerate() {
        next.send(&mut log).unwrap();
        sent += line_len(number / 40, next);
        most_open = most_open.max(open_files(dir.path()));
        let written: usize = data_files(dir.path()).values().map(Vec::len).sum();
        assert!(sent - written <= options.buffer_bytes);
    }
    assert_eq!(most_open, options.open_files);
    commit(&mut log, 400).unwrap();
    assert_eq!(contents(dir.path()), expected(&records, 1));
}

/// How many data files of the log this process has open.
fn open_files(dir: &Path) -> usize {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap();
    let targets = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let is_data = |target: &Path| target.starts_with(dir) && target.extension().is_some_and(|e| e == "jsonl");
    targets.filter(|target| is_data(target)).count()
}

/// The length of the line of a record.
fn line_len(offset: usize, record: &Owned) -> usize {
    let Owned { key, event_id, ts_ms, .. } = record;
    let value = record.value.as_deref().unwrap_or("null");
    let headers = format!(r#"{{"event_id":"{event_id}"}}"#);
    format!(r#"{{"offset":{offset},"ts_ms":{ts_ms},"key":{key},"value":{value},"headers":{headers}}}"#).len()
        + 1
}
