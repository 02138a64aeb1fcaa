//! Single situations that random histories seldom have.

use super::{
    Both, Cell, Content, GapKind, Hosts, Input, Machine, Mode, Options, Output, Place, RowEvent, Side,
    SideOptions, State, Status,
};

const SECOND: i64 = 1_000_000;

fn machine() -> Machine {
    let side = SideOptions { hosts: Hosts::Any, partitions: 1 };
    let options = Options {
        mode: Mode::Merge,
        sides: Both { onprem: side.clone(), cloud: side },
        tolerance_us: 10 * SECOND,
        grace_us: 10 * SECOND,
        silence_us: 1000 * SECOND,
        retention_us: 86_400 * SECOND,
        max_rows: 100,
        max_event_ids: 100,
        old_is_incomparable: true,
        write_matches: true,
        clustering: Vec::new(),
    };
    Machine::new(options, State::default())
}

/// Both sides are complete up to this second.
fn beat(machine: &mut Machine, second: i64) -> Vec<Status> {
    let mut outputs = Vec::new();
    for side in Side::BOTH {
        let (wm_us, ts_ms) = (second * SECOND, second * 1000);
        let host_id = side.name().to_owned();
        machine.take(Input::Heartbeat { side, partition: 0, host_id, wm_us, ts_ms }, &mut outputs);
    }
    statuses(&outputs)
}

fn statuses(outputs: &[Output]) -> Vec<Status> {
    let status = |output: &Output| match output {
        Output::Verdict(verdict) => Some(verdict.status),
        Output::Current { .. } => None,
    };
    outputs.iter().filter_map(status).collect()
}

/// On-prem alone writes a cell at this second.
fn write(machine: &mut Machine, second: i64, expires_at: Option<i64>) {
    let cell = Cell { ts_us: second * SECOND, value: Some("1".to_owned()), expires_at };
    let event = RowEvent {
        side: Side::Onprem,
        partition: Some(0),
        host_id: "onprem".to_owned(),
        partition_key: "{\"id\":1}".to_owned(),
        key: "{\"id\":1}".to_owned(),
        clustering: None,
        event_id: format!("{second:032x}"),
        op: "u".to_owned(),
        version_us: second * SECOND,
        logged_us: second * SECOND,
        row_hash: None,
        hash_def: None,
        content: Content { cells: vec![("a".to_owned(), cell)], ..Content::default() },
        place: Place::default(),
    };
    machine.take(Input::Event(Box::new(event)), &mut Vec::new());
}

#[test]
fn what_is_older_than_the_stream_of_a_side_is_no_verdict() {
    let mut machine = machine();
    beat(&mut machine, 100);
    write(&mut machine, 110, None);
    assert_eq!(beat(&mut machine, 200), []);
    assert_eq!(machine.counts().before_start, 1);
    write(&mut machine, 230, None);
    assert_eq!(beat(&mut machine, 300), [Status::MissingCloud]);
}

#[test]
fn what_has_expired_is_missed_no_more() {
    let mut machine = machine();
    beat(&mut machine, 100);
    beat(&mut machine, 200);
    write(&mut machine, 201, Some(400));
    assert_eq!(beat(&mut machine, 300), [Status::MissingCloud]);
    assert_eq!(beat(&mut machine, 399), []);
    assert_eq!(beat(&mut machine, 400), [Status::Resolved]);
}

#[test]
fn what_is_finished_is_decided_without_a_heartbeat() {
    let mut machine = machine();
    write(&mut machine, 110, None);
    let finish = |machine: &mut Machine| {
        let mut outputs = Vec::new();
        machine.finish(&mut outputs);
        statuses(&outputs)
    };
    assert_eq!(finish(&mut machine), [Status::MissingCloud]);
    assert_eq!(machine.watermark_us(), Some(130 * SECOND), "tolerance and grace after it was logged");
    assert_eq!(finish(&mut machine), [], "nothing is said twice");
    write(&mut machine, 120, None);
    assert_eq!(finish(&mut machine), [Status::MissingCloud], "the log went on");
}

#[test]
fn a_gap_that_is_told_of_late_changes_verdicts() {
    let mut machine = machine();
    beat(&mut machine, 100);
    beat(&mut machine, 200);
    write(&mut machine, 201, None);
    assert_eq!(beat(&mut machine, 300), [Status::MissingCloud]);
    let gap = |side: Side| Input::Gap {
        side,
        host_id: side.name().to_owned(),
        ts_ms: 250_000,
        kind: GapKind::Lost,
    };
    machine.take(gap(Side::Onprem), &mut Vec::new());
    assert_eq!(beat(&mut machine, 301), [], "cloud's log is whole");
    machine.take(gap(Side::Cloud), &mut Vec::new());
    assert_eq!(beat(&mut machine, 302), [Status::Incomparable]);
}
