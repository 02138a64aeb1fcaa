use std::path::Path;

use clap::Parser;

use super::finding::Verdict;
use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: RunOptions,
}

type Check = fn(&RunOptions, &mut Vec<Finding>);

fn found(check: Check, raw: &Path, flags: &[&str]) -> Vec<Finding> {
    let words = ["test", "--cdc-raw", raw.to_str().unwrap()];
    let line = Line::try_parse_from(words.iter().chain(flags)).unwrap();
    let mut findings = Vec::new();
    check(&line.options, &mut findings);
    findings
}

fn of<'f>(findings: &'f [Finding], check: &str) -> &'f Finding {
    findings.iter().find(|finding| finding.check == check).unwrap_or_else(|| panic!("{check}: {findings:?}"))
}

const DIRECTORY: Check = |options, findings| directory::check(&options.live, findings);
const STATE: Check = |options, findings| state::check(&options.live, findings);
const SEGMENTS: Check = segments::check;

#[test]
fn a_directory_that_is_free_and_one_that_is_held() {
    let raw = tempfile::tempdir().unwrap();
    std::fs::write(raw.path().join("notes.txt"), "x").unwrap();
    let free = found(DIRECTORY, raw.path(), &["--cdc-total-space-mb", "100"]);
    assert_eq!(of(&free, "cdc_raw.lock").verdict, Verdict::Pass);
    assert_eq!(of(&free, "cdc_raw.permissions").verdict, Verdict::Pass);
    assert_eq!(of(&free, "cdc_raw.space").verdict, Verdict::Pass);
    assert!(of(&free, "cdc_raw.foreign").found.contains("notes.txt"));
    let _held = crate::cdc_raw::Directory::open(raw.path()).unwrap();
    let held = found(DIRECTORY, raw.path(), &[]);
    assert_eq!(of(&held, "cdc_raw.lock").exit, Exit::Locked);
}

#[test]
fn directories_that_cannot_be_used() {
    let raw = tempfile::tempdir().unwrap();
    let missing = found(DIRECTORY, &raw.path().join("none"), &[]);
    assert_eq!((missing.len(), missing[0].exit), (1, Exit::Unreadable));
    let archive = ["--finished-segments", "archive", "--archive-dir"];
    let none = raw.path().join("none");
    for (path, verdict) in
        [(none.as_path(), Verdict::Fail), (Path::new("/proc"), Verdict::Fail), (raw.path(), Verdict::Pass)]
    {
        let words = [&archive[..], &[path.to_str().unwrap()]].concat();
        assert_eq!(
            of(&found(DIRECTORY, raw.path(), &words), "archive").verdict,
            verdict,
            "{}",
            path.display()
        );
    }
}

/// One that is named without a folder is made in the working directory.
#[test]
fn a_spool_that_is_missing_is_made() {
    let raw = tempfile::tempdir_in(".").unwrap();
    for path in [raw.path().join("spool").as_path(), Path::new("no-such-spool")] {
        let words = ["--spool-dir", path.to_str().unwrap(), "--spool-min-free-mb", "0"];
        let found = of(&found(DIRECTORY, raw.path(), &words), "spool").clone();
        assert_eq!(found.verdict, Verdict::Pass, "{found:?}");
        assert!(found.found.contains("is made when the agent starts"), "{found:?}");
    }
}

#[test]
fn the_limit_counts_as_cassandra_does() {
    let raw = tempfile::tempdir().unwrap();
    let file = |id: u32, mebibytes: u64| {
        let file = std::fs::File::create(raw.path().join(format!("CommitLog-7-{id}.log"))).unwrap();
        file.set_len(mebibytes << 20).unwrap();
    };
    (1..=2).for_each(|id| file(id, 10));
    for (total, verdict) in [("100", Verdict::Pass), ("40", Verdict::Warn), ("25", Verdict::Fail)] {
        let findings = found(DIRECTORY, raw.path(), &["--cdc-total-space-mb", total]);
        let space = of(&findings, "cdc_raw.space");
        assert_eq!(space.verdict, verdict, "{}", space.found);
    }
    let findings = found(DIRECTORY, raw.path(), &["--cdc-total-space-mb", "100"]);
    let text = &of(&findings, "cdc_raw.space").found;
    assert!(
        text.contains("20 of 100 MiB used") && text.contains("usable for a backlog are 80 MiB"),
        "{text}"
    );
}

#[test]
fn segments_that_are_empty_strange_or_of_an_unknown_version() {
    let raw = tempfile::tempdir().unwrap();
    let none = found(SEGMENTS, raw.path(), &[]);
    assert_eq!(of(&none, "segments").verdict, Verdict::Warn);
    // Memory-mapped segments have their full length from the start, those of direct I/O grow.
    let blank = |length: usize| {
        std::fs::write(raw.path().join("CommitLog-7-1.log"), vec![0; length]).unwrap();
        found(SEGMENTS, raw.path(), &[])
    };
    let (mapped, direct) = (blank(1 << 20), blank(4096));
    assert!(mapped.iter().all(|finding| finding.verdict == Verdict::Pass), "{mapped:?}");
    assert!(of(&direct, "segments.latency").found.contains("direct I/O"), "{direct:?}");
    std::fs::write(raw.path().join("CommitLog-7-2.log"), [[0, 0, 0, 99]; 50].concat()).unwrap();
    let strange = found(SEGMENTS, raw.path(), &[]);
    assert_eq!(of(&strange, "segments.unreadable").exit, Exit::Unreadable);
}

#[test]
fn the_state_directory_may_be_missing_and_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("a/b");
    let state = |path: &Path| found(STATE, folder.path(), &["--state-dir", path.to_str().unwrap()]);
    assert!(of(&state(&new), "state_directory").found.contains("will be made"));
    assert_eq!(of(&state(folder.path()), "state_directory").verdict, Verdict::Pass);
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert_eq!(of(&state(&file), "state_directory").exit, Exit::Destination);
    assert!(state(&new).iter().any(|finding| finding.check == "open_files"));
}
