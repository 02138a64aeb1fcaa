//! Tests of the checkpoint.

use super::*;

fn at(text: &str) -> Position {
    text.parse().unwrap()
}

fn print(byte: u8) -> Fingerprint {
    Fingerprint::of(&[byte], &[])
}

#[test]
fn fingerprint_is_the_start_of_sha256() {
    // printf abc | sha256sum
    let fingerprint = Fingerprint::of(b"ab", b"c");
    assert_eq!(fingerprint.to_string(), "ba7816bf8f01cfea414140de5dae2223");
    assert_eq!("ba7816bf8f01cfea414140de5dae2223".parse(), Ok(fingerprint));
    for text in ["", "ba", "BA7816BF8F01CFEA414140DE5DAE2223", "+a7816bf8f01cfea414140de5dae2223"] {
        assert!(text.parse::<Fingerprint>().is_err(), "{text}");
    }
}

#[test]
fn progress_in_a_segment_only_grows() {
    let mut checkpoint = Checkpoint::default();
    checkpoint.advance(at("5:20:3"), None).unwrap();
    checkpoint.advance(at("5:20:3"), None).unwrap();
    checkpoint.advance(at("5:20:3:1"), None).unwrap();
    checkpoint.advance(at("4:90:0"), None).unwrap();
    assert!(matches!(checkpoint.advance(at("5:20:3"), None), Err(CheckpointError::Backwards { .. })));
    assert_eq!(checkpoint.open().collect::<Vec<_>>(), [at("4:90:0"), at("5:20:3:1")]);
    checkpoint.finish(SegmentId(5), print(1)).unwrap();
    checkpoint.finish(SegmentId(5), print(1)).unwrap();
    assert_eq!(checkpoint.open_at(SegmentId(5)), None);
    assert_eq!(checkpoint.done_as(SegmentId(5)), Some(print(1)));
    assert!(matches!(checkpoint.advance(at("5:30:0"), None), Err(CheckpointError::AlreadyDone { .. })));
    assert!(matches!(checkpoint.finish(SegmentId(5), print(2)), Err(CheckpointError::OtherSegment { .. })));
}

#[test]
fn a_segment_with_a_parked_mutation_is_not_complete() {
    let mut checkpoint = Checkpoint::default();
    checkpoint.park(at("5:20:3"), []).unwrap();
    checkpoint.advance(at("5:20:4"), None).unwrap();
    checkpoint.park(at("5:20:3"), []).unwrap();
    assert!(matches!(checkpoint.park(at("5:20:2"), []), Err(CheckpointError::Backwards { .. })));
    checkpoint.finish(SegmentId(5), print(1)).unwrap();
    assert!(!checkpoint.is_complete(SegmentId(5)));
    assert!(matches!(checkpoint.park(at("5:50:0"), []), Err(CheckpointError::AlreadyDone { .. })));
    checkpoint.unpark(at("5:20:3")).unwrap();
    assert!(matches!(checkpoint.unpark(at("5:20:3")), Err(CheckpointError::NotParked { .. })));
    assert!(checkpoint.is_complete(SegmentId(5)));
    assert!(!checkpoint.is_complete(SegmentId(6)));
}

#[test]
fn a_partly_done_segment_is_told_from_another_one_of_its_id() {
    let mut checkpoint = Checkpoint::default();
    checkpoint.advance(at("5:20:3"), None).unwrap();
    assert_eq!(checkpoint.known_as(SegmentId(5)), None);
    checkpoint.advance(at("5:90:0"), Some(print(1))).unwrap();
    // Once known it stays, and is not another one's.
    checkpoint.advance(at("5:95:0"), None).unwrap();
    assert_eq!(checkpoint.known_as(SegmentId(5)), Some(print(1)));
    let other = checkpoint.advance(at("5:99:0"), Some(print(2)));
    assert!(matches!(other, Err(CheckpointError::OtherSegment { .. })));
    assert!(matches!(checkpoint.finish(SegmentId(5), print(2)), Err(CheckpointError::OtherSegment { .. })));

    let mut other = Checkpoint { generation: 9, ..Checkpoint::default() };
    other.advance(at("5:99:0"), Some(print(2))).unwrap();
    assert!(matches!(other.check_follows(&checkpoint), Err(CheckpointError::OtherSegment { .. })));
    checkpoint.finish(SegmentId(5), print(1)).unwrap();
}

#[test]
fn a_parked_mutation_keeps_the_partitions_that_wait_for_it() {
    let mut checkpoint = Checkpoint::default();
    checkpoint.park(at("5:20:3"), [7]).unwrap();
    checkpoint.park(at("5:20:3"), [7, 9]).unwrap();
    assert_eq!(checkpoint.parked_partitions(at("5:20:3")).collect::<Vec<_>>(), [7, 9]);
    checkpoint.unpark(at("5:20:3")).unwrap();
    assert_eq!(checkpoint.parked_partitions(at("5:20:3")).count(), 0);
}

#[test]
fn stored_form_is_fixed_and_round_trips() {
    let mut checkpoint = Checkpoint::default();
    checkpoint.finish(SegmentId(11), print(1)).unwrap();
    checkpoint.park(at("12:20:3"), [0x1f]).unwrap();
    checkpoint.advance(at("12:20:5:1"), Some(print(1))).unwrap();
    checkpoint.advance(at("13:20:0"), None).unwrap();
    checkpoint.enter(scope("a"));
    checkpoint.park(at("14:20:3"), []).unwrap();
    checkpoint.next_generation();
    let text = String::from_utf8(checkpoint.to_json().unwrap()).unwrap();
    assert_eq!(
        text,
        // printf '\001' | sha256sum
        r#"{"version":4,"generation":1,"scope":{"prefix":"a"},"open":{"12":{"at":"12:20:5:1","fingerprint":"4bf5122f344554c53bde2ebb8cd2b7e3"},"13":{"at":"13:20:0"}},"done":{"11":"4bf5122f344554c53bde2ebb8cd2b7e3"},"parked":["12:20:3 000000000000001f","14:20:3"],"parked_in_other_scopes":["12:20:3"]}"#
    );
    assert_eq!(Checkpoint::from_json(text.as_bytes()).unwrap(), checkpoint);
}

fn scope(prefix: &str) -> Scope {
    let mut scope = Scope::default();
    scope.set("prefix", prefix);
    scope
}

/// Done is done in a scope; what is parked was asked for in any case.
#[test]
fn another_scope_starts_over_and_forgets_nothing_that_is_parked() {
    let mut before = Checkpoint::default();
    before.park(at("5:20:3"), [7]).unwrap();
    before.finish(SegmentId(5), print(1)).unwrap();
    before.advance(at("6:20:3"), None).unwrap();
    before.next_generation();

    let mut first = before.clone();
    first.enter(scope("a"));
    first.next_generation();
    assert_eq!(
        (first.done_as(SegmentId(5)), first.open_at(SegmentId(6))),
        (Some(print(1)), Some(at("6:20:3")))
    );
    assert_eq!(first.parked_in_other_scopes().collect::<Vec<_>>(), [at("5:20:3")]);
    first.check_follows(&before).unwrap();
    let mut same = first.clone();
    same.enter(scope("a"));
    assert_eq!(same, first);

    let mut other = first.clone();
    other.park(at("6:20:9"), []).unwrap();
    other.enter(scope("b"));
    assert_eq!((other.done_as(SegmentId(5)), other.open_at(SegmentId(6))), (None, None));
    assert_eq!(other.parked_in_other_scopes().collect::<Vec<_>>(), [at("5:20:3"), at("6:20:9")]);
    assert!(matches!(other.check_follows(&first), Err(CheckpointError::StaleGeneration { .. })));
    other.next_generation();
    other.check_follows(&first).unwrap();
}

/// Segment 5 done, segment 6 partly.
fn before_repetition() -> Checkpoint {
    let mut checkpoint = Checkpoint::default();
    checkpoint.finish(SegmentId(5), print(1)).unwrap();
    checkpoint.advance(at("6:90:0"), Some(print(2))).unwrap();
    checkpoint.next_generation();
    checkpoint
}

#[test]
fn a_repetition_starts_over_and_takes_nothing_back() {
    let before = before_repetition();
    let mut repeated = before.clone();
    repeated.begin_repetition();
    assert_eq!((repeated.done().count(), repeated.open().count(), repeated.newest()), (0, 0, None));
    assert_eq!((repeated.known_as(SegmentId(5)), repeated.fingerprints().count()), (Some(print(1)), 2));
    assert!(matches!(repeated.finish(SegmentId(5), print(9)), Err(CheckpointError::OtherSegment { .. })));
    repeated.advance(at("5:20:3"), None).unwrap();
    repeated.next_generation();
    repeated.check_follows(&before).unwrap();
    assert!(before.check_follows(&repeated).is_err());
    let text = String::from_utf8(repeated.to_json().unwrap()).unwrap();
    assert!(text.contains(r#""before_repetition":{"open":{"6":{"at":"6:90:0","fingerprint":""#), "{text}");
    assert_eq!(Checkpoint::from_json(text.as_bytes()).unwrap(), repeated);

    // A second time it goes on.
    let mut next = repeated.clone();
    next.begin_repetition();
    assert_eq!(next, repeated);
    next.finish(SegmentId(5), print(1)).unwrap();
    next.advance(at("6:95:0"), None).unwrap();
    assert_eq!(next.end_repetition(), []);
    next.next_generation();
    next.check_follows(&repeated).unwrap();
    assert_eq!((next.is_repeating(), next.open().collect::<Vec<_>>()), (false, vec![at("6:95:0")]));
    assert_eq!((next.done_as(SegmentId(5)), next.newest()), (Some(print(1)), Some(SegmentId(6))));
}

#[test]
fn what_a_repetition_does_not_reach_stays_done() {
    let before = before_repetition();
    let mut repeated = before.clone();
    repeated.begin_repetition();
    repeated.advance(at("5:20:3"), None).unwrap();
    repeated.advance(at("6:20:0"), None).unwrap();
    repeated.next_generation();
    let mut next = repeated.clone();
    assert_eq!(next.end_repetition(), [at("5:20:3"), at("6:20:0")]);
    next.next_generation();
    next.check_follows(&repeated).unwrap();
    assert_eq!(
        (next.done_as(SegmentId(5)), next.open_at(SegmentId(6))),
        (Some(print(1)), Some(at("6:90:0")))
    );
    // Nobody forgets what was before it.
    let mut forgetful = repeated.clone();
    forgetful.before_repetition = Some(Progress::default());
    forgetful.next_generation();
    assert!(matches!(forgetful.check_follows(&repeated), Err(CheckpointError::AlreadyDone { .. })));
    forgetful.before_repetition = None;
    assert!(matches!(forgetful.check_follows(&repeated), Err(CheckpointError::AlreadyDone { .. })));
    let mut other = repeated.clone();
    other.enter(scope("a"));
    assert!(other.is_repeating(), "it had no scope");
    other.enter(scope("b"));
    assert!(!other.is_repeating());
}

#[test]
fn scopes_tell_what_differs() {
    let (mut a, mut b) = (scope("a"), scope("a"));
    a.set_all("table", ["t.b", "t.a", "t.b"].map(str::to_owned));
    b.set_all("keyspace", []);
    assert_eq!(a.differences(&a).count(), 0);
    b.set("to", "7:20:0");
    let told: Vec<_> = a.differences(&b).map(|found| (found.option, found.to_string())).collect();
    let expected = [("table", "t.a t.b before, none now"), ("to", "none before, 7:20:0 now")];
    assert_eq!(told, expected.map(|(option, text)| (option, text.to_owned())));
}

/// As version 2 stored it, before there were scopes.
#[test]
fn version_2_is_still_read() {
    let text = r#"{"version":2,"generation":1,"open":{"12":{"at":"12:20:5:1"}},"done":{},"parked":["12:20:3 000000000000001f"]}"#;
    let checkpoint = Checkpoint::from_json(text.as_bytes()).unwrap();
    assert_eq!(checkpoint.scope(), None);
    assert_eq!(checkpoint.parked_partitions(at("12:20:3")).collect::<Vec<_>>(), [0x1f]);
    assert_eq!(checkpoint.parked_in_other_scopes().count(), 0);
}

/// As version 1 stored it, before open segments had fingerprints and parked mutations partitions.
#[test]
fn version_1_is_still_read() {
    let text = r#"{"version":1,"generation":1,"open":{"12":"12:20:5:1"},"done":{"11":"4bf5122f344554c53bde2ebb8cd2b7e3"},"parked":["12:20:3"]}"#;
    let checkpoint = Checkpoint::from_json(text.as_bytes()).unwrap();
    assert_eq!(checkpoint.generation(), 1);
    assert_eq!(checkpoint.open_at(SegmentId(12)), Some(at("12:20:5:1")));
    assert_eq!(checkpoint.known_as(SegmentId(12)), None);
    assert_eq!(checkpoint.done_as(SegmentId(11)), Some(print(1)));
    assert_eq!(checkpoint.parked().collect::<Vec<_>>(), [at("12:20:3")]);
    assert_eq!(checkpoint.parked_partitions(at("12:20:3")).count(), 0);
    let mut next = checkpoint.clone();
    next.advance(at("12:20:6"), Some(print(3))).unwrap();
    next.next_generation();
    next.check_follows(&checkpoint).unwrap();
    assert_eq!(next.known_as(SegmentId(12)), Some(print(3)));
}

#[test]
fn a_newer_or_broken_stored_form_is_refused() {
    let newer = br#"{"version":6,"anything":true}"#;
    assert!(matches!(
        Checkpoint::from_json(newer),
        Err(CheckpointError::NewerVersion { found: 6, known: 5 })
    ));
    for text in [
        "",
        "[]",
        r#"{"generation":1,"open":{},"done":{},"parked":[]}"#,
        r#"{"version":0,"generation":1,"open":{},"done":{},"parked":[]}"#,
        r#"{"version":1,"generation":-1,"open":{},"done":{},"parked":[]}"#,
        r#"{"version":1,"generation":1,"open":{"1":"2:20:0"},"done":{},"parked":[]}"#,
        r#"{"version":1,"generation":1,"open":{"1":"1:20:0"},"done":{"1":"4bf5122f344554c53bde2ebb8cd2b7e3"},"parked":[]}"#,
        r#"{"version":1,"generation":1,"open":{},"done":{"1":"4b"},"parked":[]}"#,
        r#"{"version":1,"generation":1,"open":{},"done":{},"parked":["1"]}"#,
        r#"{"version":1,"generation":1,"open":{},"done":{}}"#,
        r#"{"version":2,"generation":1,"open":{"1":{"at":"1:20:0","fingerprint":"4b"}},"done":{},"parked":[]}"#,
        r#"{"version":2,"generation":1,"open":{},"done":{},"parked":["1:20:0 1f"]}"#,
    ] {
        assert!(
            matches!(Checkpoint::from_json(text.as_bytes()), Err(CheckpointError::Unreadable(_))),
            "{text}"
        );
    }
}

#[test]
fn a_committed_checkpoint_is_only_replaced_by_a_later_one() {
    let mut committed = Checkpoint::default();
    committed.finish(SegmentId(1), print(1)).unwrap();
    committed.advance(at("2:20:5"), None).unwrap();
    committed.next_generation();

    committed.check_follows(&Checkpoint::default()).unwrap();
    committed.check_follows(&committed).unwrap();

    let mut next = committed.clone();
    next.finish(SegmentId(2), print(2)).unwrap();
    assert!(matches!(next.check_follows(&committed), Err(CheckpointError::StaleGeneration { .. })));
    next.next_generation();
    next.check_follows(&committed).unwrap();
    assert!(committed.check_follows(&next).is_err());

    let mut forgetful = Checkpoint { generation: 9, ..Checkpoint::default() };
    assert!(matches!(forgetful.check_follows(&committed), Err(CheckpointError::AlreadyDone { .. })));
    forgetful.finish(SegmentId(1), print(1)).unwrap();
    assert!(matches!(forgetful.check_follows(&committed), Err(CheckpointError::Backwards { .. })));
    forgetful.advance(at("2:20:4"), None).unwrap();
    assert!(matches!(forgetful.check_follows(&committed), Err(CheckpointError::Backwards { .. })));
    forgetful.advance(at("2:20:5"), None).unwrap();
    forgetful.check_follows(&committed).unwrap();

    let mut other = Checkpoint { generation: 9, ..Checkpoint::default() };
    other.finish(SegmentId(1), print(7)).unwrap();
    assert!(matches!(other.check_follows(&committed), Err(CheckpointError::OtherSegment { .. })));
}
