//! A writer process that is killed, or runs into a limit of the operating system, and is started again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;

const DIR: &str = "CDC_AGENT_TEST_FILE_LOG_DIR";
const SEED: &str = "CDC_AGENT_TEST_FILE_LOG_SEED";
/// The writer stops after this many records.
const RECORDS: u32 = 3000;
const PARTITIONS: u32 = 2;

/// The writer process: appends from the checkpoint on, with commits in between.
#[test]
#[ignore = "is started by the other tests as a process of its own"]
#[expect(clippy::print_stderr, reason = "tells the test how far it is")]
fn writer() {
    let (Ok(dir), Ok(seed)) = (std::env::var(DIR), std::env::var(SEED)) else { return };
    let seed: u64 = seed.parse().unwrap();
    let mut log = FileLog::open(Path::new(&dir), small(PARTITIONS)).unwrap();
    let mut number = count_done(log.checkpoint().unwrap());
    let mut random = Random(seed ^ u64::from(number));
    while number < RECORDS {
        for _ in 0..=random.below(40) {
            if let Err(error) = record(seed, number).send(&mut log) {
                std::process::exit(error.exit_code().into());
            }
            number += 1;
            eprintln!("sent");
        }
        let checkpoint = done(log.checkpoint().unwrap(), number);
        if let Err(error) = log.commit(&checkpoint) {
            std::process::exit(error.exit_code().into());
        }
        eprintln!("committed {number}");
    }
}

/// The command that runs [`writer`], after a shell has done `prelude`.
fn writer_command(dir: &Path, seed: u64, prelude: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("{prelude} exec \"$0\" \"$@\""))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "file_log::crash::writer", "--ignored", "--nocapture"])
        .env(DIR, dir)
        .env(SEED, seed.to_string())
        .stdout(Stdio::null());
    command
}

fn stream(seed: u64, count: u32) -> Vec<Owned> {
    (0..count).map(|number| record(seed, number)).collect()
}

/// Read and recover; both must see the same prefix of the stream, of the length that the checkpoint tells.
fn check_prefix(dir: &Path, seed: u64) -> u32 {
    let committed = count_done(FileLogReader::open(dir).unwrap().checkpoint());
    let wanted = expected(&stream(seed, committed), PARTITIONS);
    assert_eq!(contents(dir), wanted, "seed {seed}");
    drop(FileLog::open(dir, small(PARTITIONS)).unwrap());
    assert_eq!(contents(dir), wanted, "seed {seed}");
    let lines: usize =
        data_files(dir).values().map(|bytes| bytes.iter().filter(|b| **b == b'\n').count()).sum();
    assert_eq!(lines, committed as usize, "seed {seed}");
    committed
}

#[test]
fn a_killed_writer_leaves_exactly_what_it_committed() {
    let seed = 5;
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(seed);
    let mut kills = 0;
    loop {
        let mut child = writer_command(dir.path(), seed, "").stderr(Stdio::piped()).spawn().unwrap();
        let mut told = 0;
        let output = BufReader::new(child.stderr.take().unwrap());
        for line in output.lines().take(1 + random.below(400) as usize) {
            if let Some(number) = line.unwrap().strip_prefix("committed ") {
                told = number.parse().unwrap();
            }
        }
        child.kill().unwrap();
        let ended = child.wait().unwrap();
        let committed = check_prefix(dir.path(), seed);
        assert!(committed >= told, "seed {seed}: {committed} of {told} told commits");
        if ended.success() {
            break;
        }
        kills += 1;
    }
    assert!(count_done(FileLogReader::open(dir.path()).unwrap().checkpoint()) >= RECORDS);
    assert!(kills > 5, "the writer was killed {kills} times only");
}

/// `ulimit -f` makes a write fail in its middle, as a full disk does.
#[test]
fn a_writer_that_cannot_write_ends_and_goes_on_later() {
    let seed = 6;
    let dir = tempfile::tempdir().unwrap();
    // A single 512-byte block: less than a file holds before it is rolled.
    let status = writer_command(dir.path(), seed, "trap '' XFSZ; ulimit -f 1;")
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(6));
    let committed = check_prefix(dir.path(), seed);
    assert!(committed < RECORDS);
    let status = writer_command(dir.path(), seed, "").stderr(Stdio::null()).status().unwrap();
    assert!(status.success());
    assert!(check_prefix(dir.path(), seed) >= RECORDS);
}
