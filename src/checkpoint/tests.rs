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
    checkpoint.advance(at("5:20:3")).unwrap();
    checkpoint.advance(at("5:20:3")).unwrap();
    checkpoint.advance(at("5:20:3:1")).unwrap();
    checkpoint.advance(at("4:90:0")).unwrap();
    assert!(matches!(checkpoint.advance(at("5:20:3")), Err(CheckpointError::Backwards { .. })));
    assert_eq!(checkpoint.open().collect::<Vec<_>>(), [at("4:90:0"), at("5:20:3:1")]);
    checkpoint.finish(SegmentId(5), print(1)).unwrap();
    checkpoint.finish(SegmentId(5), print(1)).unwrap();
    assert_eq!(checkpoint.open_at(SegmentId(5)), None);
    assert_eq!(checkpoint.done_as(SegmentId(5)), Some(print(1)));
    assert!(matches!(checkpoint.advance(at("5:30:0")), Err(CheckpointError::AlreadyDone { .. })));
    assert!(matches!(checkpoint.finish(SegmentId(5), print(2)), Err(CheckpointError::OtherSegment { .. })));
}

#[test]
fn a_segment_with_a_parked_mutation_is_not_complete() {
    let mut checkpoint = Checkpoint::default();
    checkpoint.park(at("5:20:3")).unwrap();
    checkpoint.advance(at("5:20:4")).unwrap();
    checkpoint.park(at("5:20:3")).unwrap();
    assert!(matches!(checkpoint.park(at("5:20:2")), Err(CheckpointError::Backwards { .. })));
    checkpoint.finish(SegmentId(5), print(1)).unwrap();
    assert!(!checkpoint.is_complete(SegmentId(5)));
    assert!(matches!(checkpoint.park(at("5:50:0")), Err(CheckpointError::AlreadyDone { .. })));
    checkpoint.unpark(at("5:20:3")).unwrap();
    assert!(matches!(checkpoint.unpark(at("5:20:3")), Err(CheckpointError::NotParked { .. })));
    assert!(checkpoint.is_complete(SegmentId(5)));
    assert!(!checkpoint.is_complete(SegmentId(6)));
}

#[test]
fn stored_form_is_fixed_and_round_trips() {
    let mut checkpoint = Checkpoint::default();
    checkpoint.finish(SegmentId(11), print(1)).unwrap();
    checkpoint.park(at("12:20:3")).unwrap();
    checkpoint.advance(at("12:20:5:1")).unwrap();
    checkpoint.next_generation();
    let text = String::from_utf8(checkpoint.to_json().unwrap()).unwrap();
    assert_eq!(
        text,
        // printf '\001' | sha256sum
        r#"{"version":1,"generation":1,"open":{"12":"12:20:5:1"},"done":{"11":"4bf5122f344554c53bde2ebb8cd2b7e3"},"parked":["12:20:3"]}"#
    );
    assert_eq!(Checkpoint::from_json(text.as_bytes()).unwrap(), checkpoint);
}

#[test]
fn a_newer_or_broken_stored_form_is_refused() {
    let newer = br#"{"version":2,"anything":true}"#;
    assert!(matches!(
        Checkpoint::from_json(newer),
        Err(CheckpointError::NewerVersion { found: 2, known: 1 })
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
    committed.advance(at("2:20:5")).unwrap();
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
    forgetful.advance(at("2:20:4")).unwrap();
    assert!(matches!(forgetful.check_follows(&committed), Err(CheckpointError::Backwards { .. })));
    forgetful.advance(at("2:20:5")).unwrap();
    forgetful.check_follows(&committed).unwrap();

    let mut other = Checkpoint { generation: 9, ..Checkpoint::default() };
    other.finish(SegmentId(1), print(7)).unwrap();
    assert!(matches!(other.check_follows(&committed), Err(CheckpointError::OtherSegment { .. })));
}
