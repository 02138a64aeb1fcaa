//! Random histories of sending, committing, crashing and opening again, against a list in memory.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Send(u32),
    Commit,
    /// The process dies; the operating system may have written more, less or garbage after the commit.
    Crash(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1..40_u32).prop_map(Step::Send),
        3 => Just(Step::Commit),
        1 => any::<u64>().prop_map(Step::Crash),
    ];
    prop::collection::vec(step, 1..25)
}

/// What a power cut may leave of data that was not synced: any prefix, or other bytes of any length.
fn damage_uncommitted(dir: &Path, committed: &BTreeMap<String, Vec<u8>>, random: &mut Random) {
    for (name, bytes) in data_files(dir) {
        let path = dir.join(&name);
        let kept = committed.get(&name).map_or(0, Vec::len);
        match random.below(4) {
            0 if kept == 0 => fs::remove_file(path).unwrap(),
            0 | 1 => {
                let length = kept + random.below((bytes.len() - kept + 1) as u32) as usize;
                fs::write(path, &bytes[..length]).unwrap();
            }
            2 => {
                let mut longer = bytes[..kept].to_vec();
                longer.resize(kept + random.below(3000) as usize, 0);
                fs::write(path, longer).unwrap();
            }
            _ => {}
        }
    }
    if random.below(2) == 0 {
        fs::write(dir.join("commit.json.tmp"), b"{\"version\":1,\"part").unwrap();
    }
}

fn run(steps: &[Step], partitions: u32, seed: u64) {
    let dir = tempfile::tempdir().unwrap();
    let mut log = FileLog::open(dir.path(), small(partitions)).unwrap();
    let mut sent: Vec<Owned> = Vec::new();
    let mut committed = 0;
    let mut committed_files = BTreeMap::new();
    for step in steps {
        match step {
            Step::Send(count) => {
                for _ in 0..*count {
                    let next = record(seed, sent.len() as u32);
                    next.send(&mut log).unwrap();
                    sent.push(next);
                }
            }
            Step::Commit => {
                let checkpoint = done(log.checkpoint().unwrap(), sent.len() as u32);
                log.commit(&checkpoint).unwrap();
                committed = sent.len();
                committed_files = data_files(dir.path());
            }
            Step::Crash(seed) => {
                drop(log);
                damage_uncommitted(dir.path(), &committed_files, &mut Random(*seed));
                assert_eq!(contents(dir.path()), expected(&sent[..committed], partitions));
                log = FileLog::open(dir.path(), small(partitions)).unwrap();
                sent.truncate(committed);
                assert_eq!(count_done(log.checkpoint().unwrap()), committed as u32);
                assert_eq!(data_files(dir.path()), committed_files);
            }
        }
        assert_eq!(contents(dir.path()), expected(&sent[..committed], partitions));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, rng_seed: RngSeed::Fixed(3), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn readers_see_exactly_what_was_committed(steps in steps(), partitions in 1..4_u32, seed in any::<u64>()) {
        run(&steps, partitions, seed);
    }
}

/// The directory as it is after every record, and between the sync of the data and the new `commit.json`.
#[test]
fn every_moment_recovers_to_the_last_commit() {
    let seed = 11;
    let dir = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    let mut log = FileLog::open(dir.path(), small(2)).unwrap();
    let mut sent = Vec::new();
    let mut committed = 0;
    let check = |copy: &Path, expected_records: &[Owned]| {
        drop(FileLog::open(copy, small(2)).unwrap());
        assert_eq!(contents(copy), expected(expected_records, 2));
        let lines: usize =
            data_files(copy).values().map(|bytes| bytes.split(|b| *b == b'\n').count() - 1).sum();
        assert_eq!(lines, expected_records.len());
        fs::remove_dir_all(copy).unwrap();
    };
    for number in 0..80 {
        let next = record(seed, number);
        next.send(&mut log).unwrap();
        sent.push(next);
        let copy = copies.path().join("sent");
        copy_dir(dir.path(), &copy);
        check(&copy, &sent[..committed]);
        if number % 13 == 12 {
            let old = fs::read(dir.path().join("commit.json")).unwrap();
            let checkpoint = done(log.checkpoint().unwrap(), number + 1);
            log.commit(&checkpoint).unwrap();
            let copy = copies.path().join("synced");
            copy_dir(dir.path(), &copy);
            fs::rename(copy.join("commit.json"), copy.join("commit.json.tmp")).unwrap();
            fs::write(copy.join("commit.json"), old).unwrap();
            check(&copy, &sent[..committed]);
            committed = sent.len();
        }
    }
}
