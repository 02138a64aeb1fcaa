//! The signs by which a segment is judged, each in a directory of its own.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::*;
use crate::commitlog::SegmentId;

const HEAD: usize = 20;

/// A directory beside a commit log directory, as on a node.
struct Node {
    parent: tempfile::TempDir,
    directory: Directory,
    life: Life,
    start: Now,
    elapsed: Duration,
}

impl Node {
    fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        for name in ["cdc_raw", "commitlog"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let directory = Directory::open(&parent.path().join("cdc_raw")).unwrap();
        Self {
            parent,
            directory,
            life: Life::new(Timing::default()),
            start: Now::read(),
            elapsed: Duration::ZERO,
        }
    }

    fn commitlog(&self, id: i64) -> PathBuf {
        self.parent.path().join("commitlog").join(name(id).to_string())
    }

    fn cdc_raw(&self, id: i64) -> PathBuf {
        self.directory.segment(name(id))
    }

    /// What Cassandra does when it makes a segment: a descriptor, zeros, a link.
    fn create(&self, id: i64) {
        let mut bytes = head(id);
        bytes.resize(4096, 0);
        fs::write(self.commitlog(id), bytes).unwrap();
        fs::hard_link(self.commitlog(id), self.cdc_raw(id)).unwrap();
    }

    fn marker(&self, id: i64, at: usize, next: usize) {
        let file = File::options().write(true).open(self.cdc_raw(id)).unwrap();
        file.write_all_at(&marker(id, at, next), at as u64).unwrap();
    }

    fn index(&self, id: i64, text: &str) {
        fs::write(self.directory.index(name(id)), text).unwrap();
    }

    fn drop(&self, id: i64) {
        fs::remove_file(self.commitlog(id)).unwrap();
    }

    fn wait(&mut self, time: Duration) {
        self.elapsed += time;
    }

    fn lives(&mut self, is_node_stopped: bool) -> Lives {
        let now = Now { instant: self.start.instant + self.elapsed, wall: self.start.wall + self.elapsed };
        let scan = self.directory.scan().unwrap();
        self.life.judge(&self.directory, &scan, now, is_node_stopped).unwrap()
    }

    fn states(&mut self) -> Vec<(i64, State)> {
        let lives = self.lives(false);
        lives.standings.iter().map(|standing| (standing.file.name.id.0, standing.state)).collect()
    }
}

fn name(id: i64) -> SegmentName {
    SegmentName { id: SegmentId(id), version: 7 }
}

fn checksum(words: &[u32]) -> [u8; 4] {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    crc32fast::hash(&bytes).to_be_bytes()
}

fn words(id: i64) -> [u32; 2] {
    let id = id.to_be_bytes();
    let word = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    [word(&id[4..]), word(&id[..4])]
}

/// After `docs/commit-log-format.md`.
fn head(id: i64) -> Vec<u8> {
    let [low, high] = words(id);
    let mut bytes = 7_u32.to_be_bytes().to_vec();
    bytes.extend(id.to_be_bytes());
    bytes.extend([0, 2, b'{', b'}']);
    let mut covered: Vec<u8> = [7, low, high, 2].iter().flat_map(|word: &u32| word.to_be_bytes()).collect();
    covered.extend(b"{}");
    bytes.extend(crc32fast::hash(&covered).to_be_bytes());
    assert_eq!(bytes.len(), HEAD);
    bytes
}

fn marker(id: i64, at: usize, next: usize) -> Vec<u8> {
    let [low, high] = words(id);
    let mut bytes = u32::try_from(next).unwrap().to_be_bytes().to_vec();
    bytes.extend(checksum(&[low, high, u32::try_from(at).unwrap()]));
    bytes
}

/// A process started at this time: its first id.
fn base(start: SystemTime) -> i64 {
    i64::try_from(start.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap() + 1
}

const SETTLED: Duration = Duration::from_secs(21);

#[test]
fn the_usual_life() {
    let mut node = Node::new();
    let id = base(node.start.wall) - 5000;
    node.create(id);
    node.create(id + 1);
    assert_eq!(node.states(), [(id, State::Unused), (id + 1, State::Unused)]);
    node.marker(id, HEAD, 100);
    assert_eq!(node.states(), [(id, State::Growing), (id + 1, State::Unused)]);
    node.index(id, "");
    node.index(id, "100");
    node.marker(id + 1, HEAD, 50);
    node.create(id + 2);
    assert_eq!(node.states()[0], (id, State::Growing), "it is about to be completed");
    node.marker(id, 100, 200);
    node.index(id, "200\nCOMPLETED");
    let complete = State::Final(Finality::Completed);
    assert_eq!(node.states(), [(id, complete), (id + 1, State::Growing), (id + 2, State::Unused)]);
    fs::remove_file(node.cdc_raw(id)).unwrap();
    let lives = node.lives(false);
    assert_eq!(lives.vanished, [Vanished { name: name(id), had_index: true, chain_end: Some(200) }]);
    assert!(!lives.ids_went_back && lives.process_began.is_none() && node.lives(false).vanished.is_empty());
}

#[test]
fn a_node_that_starts_again_links_old_segments_anew_and_completes_them_later() {
    let mut node = Node::new();
    let id = base(node.start.wall) - 600_000;
    node.create(id);
    node.marker(id, HEAD, 100);
    let before = node.start.wall - Duration::from_secs(590);
    File::options().write(true).open(node.cdc_raw(id)).unwrap().set_modified(before).unwrap();
    let next = base(node.start.wall) - 10_000;
    node.create(next);
    node.create(next + 1);
    assert_eq!(node.states()[0], (id, State::Sealed), "old as it is, it was linked just now");
    node.wait(Duration::from_secs(19));
    assert_eq!(node.states()[0], (id, State::Sealed));
    node.index(id, "4096\nCOMPLETED");
    assert_eq!(node.states()[0], (id, State::Final(Finality::Completed)));
}

#[test]
fn files_that_grow_are_told_from_those_that_have_their_length_from_the_beginning() {
    let mut node = Node::new();
    let id = base(node.start.wall) - 5000;
    node.create(id);
    let file = |id| File::options().write(true).open(node.cdc_raw(id)).unwrap();
    file(id).set_len(1 << 20).unwrap();
    assert!(!node.lives(false).come_with_syncs(), "memory-mapped");
    node.create(id + 1);
    let file = |id| File::options().write(true).open(node.cdc_raw(id)).unwrap();
    file(id + 1).set_len(4096).unwrap();
    assert!(node.lives(false).come_with_syncs(), "a block of direct I/O, made ahead");
}

#[test]
fn a_segment_without_cdc_data_is_sealed_by_the_one_that_follows() {
    let mut node = Node::new();
    let id = base(node.start.wall) - 5000;
    node.create(id);
    node.marker(id, HEAD, 100);
    node.create(id + 1);
    node.wait(SETTLED);
    assert_eq!(node.states()[0].1, State::Growing, "a quiet node");
    node.marker(id + 1, HEAD, 50);
    assert_eq!(node.states()[0].1, State::Sealed, "synced before the later one");
    node.marker(id, 100, 200);
    assert_eq!(node.states()[0].1, State::Sealed, "more, and the later one has a marker still");
    node.drop(id);
    assert_eq!(node.states()[0].1, State::Sealed, "Cassandra deletes the link just now");
    fs::remove_file(node.cdc_raw(id)).unwrap();
    assert_eq!(
        node.lives(false).vanished,
        [Vanished { name: name(id), had_index: false, chain_end: Some(200) }]
    );
}

#[test]
fn an_index_that_never_says_completed_holds_the_next_up_for_two_periods() {
    let mut node = Node::new();
    let id = base(node.start.wall) - 5000;
    node.create(id);
    node.marker(id, HEAD, 100);
    node.index(id, "100");
    node.create(id + 1);
    node.marker(id + 1, HEAD, 50);
    assert_eq!(node.states()[0].1, State::Growing);
    node.wait(Duration::from_secs(19));
    assert_eq!(node.states()[0].1, State::Growing);
    node.wait(Duration::from_secs(2));
    assert_eq!(node.states()[0].1, State::Sealed);
    node.drop(id);
    assert_eq!(node.states()[0].1, State::Sealed);
    node.wait(SETTLED);
    assert_eq!(node.states()[0].1, State::Final(Finality::Dropped));
}

#[test]
fn the_segments_of_a_process_that_was_killed() {
    let mut node = Node::new();
    let id = base(node.start.wall) - 60_000;
    node.create(id);
    node.marker(id, HEAD, 100);
    node.index(id, "100");
    node.create(id + 1);
    assert_eq!(node.states(), [(id, State::Growing), (id + 1, State::Unused)]);
    node.wait(Duration::from_secs(5));
    let next = base(node.start.wall + node.elapsed);
    node.create(next);
    let lives = node.lives(false);
    assert_eq!(lives.process_began, Some(SegmentId(next)));
    let known: Vec<_> = lives
        .standings
        .iter()
        .map(|standing| (standing.state, standing.run, standing.has_process_ended))
        .collect();
    assert_eq!(known, [(State::Sealed, 0, true), (State::Sealed, 0, true), (State::Unused, 1, false)]);
    let visibilities = |place: usize| {
        [Visibility::Synced, Visibility::Marked, Visibility::Written]
            .map(|asked| lives.standings[place].visibility(asked))
    };
    assert_eq!(visibilities(0), [Visibility::Marked; 3]);
    assert_eq!(visibilities(2), [Visibility::Synced, Visibility::Marked, Visibility::Written]);
    node.wait(SETTLED);
    let ended = Finality::ProcessEnded;
    assert_eq!(
        node.states(),
        [(id, State::Final(ended)), (id + 1, State::Orphan(ended)), (next, State::Unused)]
    );
    node.index(id, "4096\nCOMPLETED");
    assert_eq!(node.states()[0].1, State::Final(Finality::Completed));
}

#[test]
fn an_orphan_has_one_link_and_nothing_in_it() {
    let mut node = Node::new();
    let id = base(node.start.wall) - 60_000;
    node.create(id);
    node.marker(id, HEAD, HEAD + 8);
    node.create(id + 1);
    node.create(id + 2);
    fs::write(node.cdc_raw(id + 2), []).unwrap();
    (id..id + 3).for_each(|id| node.drop(id));
    assert_eq!(node.states()[2].1, State::Unused, "it may be a copy that is being made");
    node.wait(SETTLED);
    let orphan = State::Orphan(Finality::Dropped);
    assert_eq!(node.states(), [(id, orphan), (id + 1, orphan), (id + 2, orphan)]);
    node.index(id + 1, "20");
    node.lives(false);
    node.wait(SETTLED);
    assert_eq!(node.states()[1].1, State::Final(Finality::Dropped), "its index says that it held something");
}

#[test]
fn a_chain_that_does_not_end_cleanly_keeps_a_segment() {
    let mut node = Node::new();
    let id = base(node.start.wall) - 60_000;
    for (id, bytes) in [(id, vec![0, 0, 1, 0, 0, 0, 0, 0]), (id + 2, marker(id + 2, HEAD, 5000))] {
        node.create(id);
        File::options()
            .write(true)
            .open(node.cdc_raw(id))
            .unwrap()
            .write_all_at(&bytes, HEAD as u64)
            .unwrap();
        node.drop(id);
    }
    node.create(id + 3);
    fs::write(node.cdc_raw(id + 3), head(id + 9)).unwrap();
    node.drop(id + 3);
    let torn = node.lives(true).standings;
    assert!(torn.iter().all(|standing| standing.torn_for == Some(Duration::ZERO)), "{torn:?}");
    assert!(torn.iter().all(|standing| !standing.state.lets_next_begin()));
    node.wait(SETTLED);
    let lives = node.lives(true);
    assert!(lives.standings.iter().all(|standing| standing.state == State::Damaged(Finality::Dropped)));
    assert!(
        lives
            .standings
            .iter()
            .all(|standing| standing.state.is_still() && standing.torn_for == Some(SETTLED))
    );
}

#[test]
fn a_node_that_is_known_to_have_stopped_leaves_final_segments() {
    let mut node = Node::new();
    let id = base(node.start.wall) - 60_000;
    node.create(id);
    node.marker(id, HEAD, 100);
    node.wait(SETTLED);
    assert_eq!(node.states()[0].1, State::Growing);
    assert_eq!(node.lives(true).standings[0].state, State::Final(Finality::ProcessEnded));
}

#[test]
fn when_the_clock_went_back_no_process_is_known_to_have_ended() {
    let mut node = Node::new();
    let new = base(node.start.wall) - 5000;
    let old = new + 3_600_000;
    node.create(old);
    node.marker(old, HEAD, 100);
    let before = node.start.wall - Duration::from_secs(600);
    File::options().write(true).open(node.cdc_raw(old)).unwrap().set_modified(before).unwrap();
    node.create(new);
    node.marker(new, HEAD, 100);
    node.wait(SETTLED);
    let lives = node.lives(false);
    assert!(lives.ids_went_back);
    let order: Vec<_> =
        lives.standings.iter().map(|standing| (standing.file.name.id.0, standing.state)).collect();
    assert_eq!(order, [(old, State::Growing), (new, State::Growing)], "the older process comes first");
    node.drop(old);
    node.states();
    node.wait(SETTLED);
    assert_eq!(node.states()[0].1, State::Final(Finality::Dropped));
}

#[test]
fn a_segment_that_comes_back_is_judged_anew() {
    let mut node = Node::new();
    let id = base(node.start.wall) - 60_000;
    node.create(id);
    node.index(id, "20\nCOMPLETED");
    assert_eq!(node.states()[0].1, State::Final(Finality::Completed));
    fs::remove_file(node.cdc_raw(id)).unwrap();
    fs::remove_file(node.directory.index(name(id))).unwrap();
    fs::write(node.cdc_raw(id), fs::read(node.commitlog(id)).unwrap()).unwrap();
    let lives = node.lives(false);
    assert_eq!(lives.vanished.len(), 1, "another file has its name");
    assert_eq!(lives.standings[0].state, State::Unused);
}
