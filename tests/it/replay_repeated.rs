//! `replay --again` that is interrupted: it goes on where it was, and nothing is written a third time.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::program::{agent, stderr};
use crate::support::segment_writer::write_segment;
use crate::undecodable::{Place, delete, of_other, record, table, write};

/// Segments 7 and 8, done in the file log, each with two sections of a delete.
struct Repeated {
    place: Place,
    segments: [PathBuf; 2],
}

impl Repeated {
    fn new() -> Self {
        let place = Place::new(&[]);
        let dir = place.path("");
        let segment =
            |id, keys: [u8; 2]| write_segment(&dir, id, &keys.map(|key| &*vec![delete(key)].leak()));
        let segments = [segment(7, [1, 2]), segment(8, [3, 4])];
        let repeated = Self { place, segments };
        assert_eq!(repeated.replay(&[0, 1], &[]), Some(0));
        repeated
    }

    /// Replays segments by index.
    fn replay(&self, segments: &[usize], options: &[&str]) -> Option<i32> {
        let segments: Vec<_> = segments.iter().map(|index| self.segments[*index].as_path()).collect();
        self.place.replay_all(&segments, &table("text"), options).0
    }

    /// What such a replay tells on standard error.
    fn told(&self, segment: usize, options: &[&str]) -> String {
        let arguments =
            [self.segments[segment].clone(), self.place.path("schema.json"), self.place.path("out")];
        let [segment, schema, out] = arguments.map(|path| path.to_str().unwrap().to_owned());
        let fixed = ["replay", &segment, "--schema", &schema, "--out", &out, "--quiet"];
        stderr(&agent(fixed.into_iter().chain(options.iter().copied())))
    }

    /// Makes the checkpoint that of a repetition that was interrupted behind the first section of segment 7.
    fn interrupt(&self) {
        let commit = self.place.path("out/commit.json");
        let mut stored: Value = serde_json::from_slice(&fs::read(&commit).unwrap()).unwrap();
        let checkpoint = &mut stored["checkpoint"];
        let (open, done) = (checkpoint["open"].take(), checkpoint["done"].take());
        let second = fs::read(&self.segments[0]).unwrap()[20..24].try_into().map(u32::from_be_bytes).unwrap();
        checkpoint["open"] = json!({"7": {"at": format!("7:{second}:0"), "fingerprint": done["7"]}});
        checkpoint["done"] = json!({});
        checkpoint["before_repetition"] = json!({"open": open, "done": done});
        stored.as_object_mut().unwrap().remove("crc32");
        fs::write(&commit, stored.to_string()).unwrap();
    }

    fn keys(&self) -> Vec<i64> {
        self.place.records("t").iter().map(|(_, key, _)| *key).collect()
    }

    /// The segments that are done, and whether a repetition has not come to its end.
    fn done(&self) -> (Vec<String>, bool) {
        let checkpoint = self.place.checkpoint();
        let done = checkpoint["done"].as_object().unwrap().keys().cloned().collect();
        (done, checkpoint.get("before_repetition").is_some())
    }
}

fn both() -> (Vec<String>, bool) {
    (["7", "8"].map(str::to_owned).to_vec(), false)
}

#[test]
fn a_repetition_goes_on_where_it_was_interrupted() {
    let repeated = Repeated::new();
    repeated.interrupt();
    for _ in 0..2 {
        assert_eq!(repeated.replay(&[0, 1], &[]), Some(2));
        let told = repeated.told(0, &[]);
        assert!(
            told.contains("--again was interrupted") && told.contains("same command with --again"),
            "{told}"
        );
        assert_eq!(repeated.keys(), [1, 2, 3, 4]);
    }
    assert_eq!(repeated.replay(&[0, 1], &["--again"]), Some(0));
    assert_eq!((repeated.keys(), repeated.done()), (vec![1, 2, 3, 4, 2, 3, 4], both()));
    assert_eq!(repeated.replay(&[0, 1], &[]), Some(0));
    assert_eq!(repeated.keys().len(), 7);
    // It came to its end: the next one is another one.
    assert_eq!(repeated.replay(&[0, 1], &["--again"]), Some(0));
    assert_eq!(repeated.keys().len(), 11);
}

/// It may be gone; nothing is written without a word.
#[test]
fn a_segment_that_was_repeated_in_part_and_is_not_given_again_is_told_of() {
    let repeated = Repeated::new();
    repeated.interrupt();
    let told = repeated.told(1, &["--again"]);
    assert!(told.contains("of segment 7, what stands before 7:"), "{told}");
    assert_eq!((repeated.keys(), repeated.done()), (vec![1, 2, 3, 4, 3, 4], both()));
    assert_eq!(repeated.replay(&[0, 1], &[]), Some(0));
    assert_eq!(repeated.keys().len(), 6);
}

#[test]
fn what_is_not_repeated_stays_done() {
    let repeated = Repeated::new();
    assert_eq!(repeated.replay(&[0], &["--again"]), Some(0));
    assert_eq!((repeated.keys(), repeated.done()), (vec![1, 2, 3, 4, 1, 2], both()));
    assert_eq!(repeated.replay(&[0, 1], &[]), Some(0));
    assert_eq!(repeated.keys().len(), 6);
}

#[test]
fn another_scope_ends_a_repetition_that_was_interrupted() {
    let repeated = Repeated::new();
    repeated.interrupt();
    let other = ["--exclude-table", "shop.other"];
    assert_eq!(repeated.replay(&[0, 1], &other), Some(2));
    assert_eq!(repeated.replay(&[0, 1], &["--again", other[0], other[1]]), Some(0));
    assert_eq!((repeated.keys(), repeated.done()), (vec![1, 2, 3, 4, 1, 2, 3, 4], both()));
    assert_eq!(repeated.replay(&[0, 1], &other), Some(0));
    assert_eq!(repeated.keys().len(), 8);
}

/// A replay commits after 64 MiB: what was committed when it stops for an unknown table is not written again.
#[test]
fn a_repetition_that_really_stops_in_the_middle_goes_on() {
    // Each byte becomes six, `\u0001`.
    let place = Place::new(&[(1..=12).map(|key| write(key, &[1; 1 << 20])).collect::<Vec<_>>()].concat());
    let mut of_unknown = of_other(delete(1));
    of_unknown[16] = 9;
    let next = write_segment(place.path("").as_path(), 8, &[&[of_unknown, delete(13)]]);
    let segments = [place.path("CommitLog-7-7.log"), next];
    let segments = [segments[0].as_path(), segments[1].as_path()];
    let replay = |options: &[&str]| place.replay_all(&segments, &table("text"), options).0;
    assert_eq!(replay(&["--again", "--unknown-table", "block"]), Some(5));
    let checkpoint = place.checkpoint();
    assert!(checkpoint["open"]["7"]["at"].is_string(), "{checkpoint}");
    assert_eq!(replay(&["--allow-unknown"]), Some(2));
    for options in [&["--again", "--allow-unknown"][..], &["--allow-unknown"]] {
        assert_eq!(replay(options), Some(0));
        let keys: Vec<_> = place.records("t").iter().map(|(_, key, _)| *key).collect();
        assert_eq!(keys, (1..=13).collect::<Vec<_>>());
    }
}

/// A repetition gives everything once more, also what its schema does not decode.
#[test]
fn what_cannot_be_repeated_is_parked() {
    let place = Place::new(&[write(1, b"ab"), delete(2)]);
    let right = table("text");
    assert_eq!(place.replay(&right, &[]).0, Some(0));
    assert_eq!(place.replay(&table("int"), &["--again"]).0, Some(5));
    assert_eq!(place.replay(&right, &[]).0, Some(0));
    let once = [record("u", 1, false), record("d", 2, false)];
    let again = [record("d", 2, false), record("u", 1, true)];
    assert_eq!(place.records("t"), [once, again].concat());
    assert_eq!(place.checkpoint()["parked"], json!([]));
}
