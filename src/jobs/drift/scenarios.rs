//! Single situations that random histories seldom have; ScenariosTest in flink/ has the same.

use super::cell::LIVENESS;
use super::{
    Both, Cell, Content, GapKind, Hosts, Input, Machine, Mode, Options, Output, Place, RowEvent, Side,
    SideOptions, State, Status, UNVERSIONED, Verdict,
};

const SECOND: i64 = 1_000_000;

/// A machine with one node a side, and what was said.
struct World {
    machine: Machine,
    outputs: Vec<Output>,
}

fn options() -> Options {
    let side = SideOptions { hosts: Hosts::Any, partitions: 1 };
    Options {
        mode: Mode::Merge,
        sides: Both { onprem: side.clone(), cloud: side },
        tolerance_us: 10 * SECOND,
        grace_us: 10 * SECOND,
        silence_us: 1000 * SECOND,
        retention_us: 86_400 * SECOND,
        max_rows: 100,
        max_event_ids: 100,
        max_waiting: 100,
        old_is_incomparable: true,
        write_matches: true,
        clustering: Vec::new(),
    }
}

impl World {
    fn new() -> Self {
        Self::with(options())
    }

    fn with(options: Options) -> Self {
        Self { machine: Machine::new(options, State::default()), outputs: Vec::new() }
    }

    fn take(&mut self, input: Input) {
        self.machine.take(input, &mut self.outputs);
    }

    fn audit(&self) -> impl Iterator<Item = &Verdict> {
        self.outputs.iter().filter_map(|output| match output {
            Output::Verdict(verdict) => Some(&**verdict),
            Output::Current { .. } => None,
        })
    }

    /// The versions whose verdicts hold, as the compacted topic was told; None: nothing does any more.
    fn current(&self) -> Vec<Option<i64>> {
        let version = |output: &Output| match output {
            Output::Verdict(_) => None,
            Output::Current { verdict, .. } => Some(verdict.as_ref().and_then(|verdict| verdict.version_us)),
        };
        self.outputs.iter().filter_map(version).collect()
    }

    /// Evidence of what was said last.
    fn told(&self) -> String {
        self.audit().last().unwrap().to_json("t")["evidence"].to_string()
    }

    /// What was said since this was asked last.
    fn said(&mut self) -> Vec<Status> {
        let said = self.audit().map(|verdict| verdict.status).collect();
        self.outputs.clear();
        said
    }

    fn beat_one(&mut self, side: Side, partition: i32, second: i64) {
        let (wm_us, ts_ms) = (second * SECOND, second * 1000);
        self.take(Input::Heartbeat { side, partition, host_id: side.name().to_owned(), wm_us, ts_ms });
    }

    /// The stream of a node has all of the table, which was created at second 90.
    fn begins(&mut self, side: Side, host_id: &str) {
        let (host_id, created_us) = (host_id.to_owned(), 90 * SECOND);
        self.take(Input::Beginning { side, partition: 0, host_id, created_us });
    }

    fn beat_both(&mut self, second: i64) {
        Side::BOTH.into_iter().for_each(|side| self.beat_one(side, 0, second));
    }

    /// Both sides are complete up to this second.
    fn beat(&mut self, second: i64) -> Vec<Status> {
        self.beat_both(second);
        self.said()
    }

    /// A side writes a cell of a row at this second.
    fn write(&mut self, side: Side, second: i64, row: i64, expires_at: Option<i64>) {
        let cell = Cell { ts_us: second * SECOND, value: Some("1".to_owned()), expires_at };
        let content = Content { cells: vec![("a".to_owned(), cell)], ..Content::default() };
        let event_id = format!("{:032x}", second * 1000 + row);
        self.event((side, second), row, (second * SECOND, &event_id), content);
    }

    /// A side writes the one column that there is, with or without the row's liveness, at this second.
    fn columns(&mut self, side: Side, second: i64, is_insert: bool, value: Option<&str>) {
        let cell = |value: Option<&str>| Cell {
            ts_us: second * SECOND,
            value: value.map(str::to_owned),
            expires_at: None,
        };
        let mut cells = vec![("a".to_owned(), cell(value))];
        if is_insert {
            cells.push((LIVENESS.to_owned(), cell(Some("true"))));
        }
        let content = Content { cells, is_full: true, ..Content::default() };
        self.event((side, second), 1, (second * SECOND, &format!("{second:032x}")), content);
    }

    /// A hash event of a whole row.
    fn whole(&mut self, side: Side, second: i64, version_us: i64) {
        let cell = Cell { ts_us: version_us, value: Some("\"h\"".to_owned()), expires_at: None };
        let content =
            Content { cells: vec![("(row)".to_owned(), cell)], is_full: true, ..Content::default() };
        let event_id = format!("{:032x}", second * 2 + i64::from(side == Side::Cloud));
        self.event((side, second), 1, (version_us, &event_id), content);
    }

    /// A side writes a cell of a row at this second, in an event of this id.
    fn named(&mut self, side: Side, second: i64, row: i64, event_id: &str) {
        let cell = Cell { ts_us: second * SECOND, value: Some("1".to_owned()), expires_at: None };
        let content = Content { cells: vec![("a".to_owned(), cell)], ..Content::default() };
        self.event((side, second), row, (second * SECOND, event_id), content);
    }

    /// A hash event that does not say which version of its row it belongs to.
    fn unversioned(&mut self, side: Side, second: i64, event_id: &str) {
        let content = Content { opaque_us: Some(UNVERSIONED), ..Content::default() };
        self.event((side, second), 1, (second * SECOND, event_id), content);
    }

    fn event(
        &mut self,
        (side, second): (Side, i64),
        row: i64,
        (version_us, event_id): (i64, &str),
        content: Content,
    ) {
        let key = format!("{{\"id\":{row}}}");
        self.take(Input::Event(Box::new(RowEvent {
            side,
            partition: Some(0),
            host_id: side.name().to_owned(),
            partition_key: key.clone(),
            key,
            clustering: None,
            event_id: event_id.to_owned(),
            op: "u".to_owned(),
            version_us,
            logged_us: second * SECOND,
            row_hash: None,
            hash_def: None,
            content,
            place: Place::default(),
        })));
    }

    fn gap(&mut self, side: Side, kind: GapKind) {
        self.take(Input::Gap { side, host_id: side.name().to_owned(), ts_ms: 250_000, kind, row: None });
    }

    fn finish(&mut self) -> Vec<Status> {
        self.machine.finish(&mut self.outputs);
        self.said()
    }
}

#[test]
fn what_is_older_than_the_stream_of_a_side_is_no_verdict() {
    let mut world = World::new();
    world.beat(100);
    world.write(Side::Onprem, 110, 1, None);
    assert_eq!(world.beat(200), []);
    assert_eq!(world.machine.counts().before_start, 1);
    world.write(Side::Onprem, 230, 1, None);
    assert_eq!(world.beat(300), [Status::MissingCloud]);
}

/// Of a table whose creation stands in the streams of both sides nothing is older. A node that came later does not count.
#[test]
fn what_is_written_right_after_a_table_was_created_is_missed() {
    let mut world = World::new();
    for side in Side::BOTH {
        world.begins(side, side.name());
        world.take(Input::Heartbeat { side, partition: 0, host_id: "later".to_owned(), wm_us: 0, ts_ms: 0 });
        world.begins(side, "later");
    }
    world.write(Side::Onprem, 91, 1, None);
    world.beat(100);
    assert_eq!(world.machine.counts().before_start, 0);
    for side in Side::BOTH {
        let (host_id, wm_us) = ("later".to_owned(), 500 * SECOND);
        world.take(Input::Heartbeat { side, partition: 0, host_id, wm_us, ts_ms: 500_000 });
    }
    assert_eq!(world.beat(200), [Status::MissingCloud]);
    assert_eq!(world.machine.counts().before_start, 0);
}

/// The agent may know of a table before it reads the creation.
#[test]
fn a_creation_that_is_read_of_after_the_first_heartbeat_counts() {
    let mut world = World::new();
    world.beat(88);
    world.begins(Side::Cloud, Side::Cloud.name());
    world.write(Side::Onprem, 91, 1, None);
    world.write(Side::Cloud, 91, 2, None);
    assert_eq!(world.beat(200), [Status::MissingCloud], "of onprem's stream the beginning is not known");
    assert_eq!(world.machine.counts().before_start, 1);
}

/// A table of that name was there before: what was logged of it, the other side may have had, too.
#[test]
fn what_is_older_than_the_table_is_no_verdict() {
    let mut world = World::new();
    let tolerance = world.machine.options().tolerance_us / SECOND;
    Side::BOTH.into_iter().for_each(|side| world.begins(side, side.name()));
    world.write(Side::Onprem, 90 - tolerance - 1, 1, None);
    world.write(Side::Onprem, 90 - tolerance, 2, None);
    assert_eq!(world.beat(200), [Status::MissingCloud]);
    assert_eq!(world.machine.counts().before_start, 1);
}

/// Heartbeats that are older than the table are of another one of that name.
#[test]
fn a_table_that_is_made_anew_begins_nothing() {
    let mut world = World::new();
    world.beat(74);
    Side::BOTH.into_iter().for_each(|side| world.begins(side, side.name()));
    world.write(Side::Onprem, 91, 1, None);
    assert_eq!(world.beat(200), []);
    assert_eq!(world.machine.counts().before_start, 1);
}

#[test]
fn what_has_expired_is_missed_no_more() {
    let mut world = World::new();
    world.beat(100);
    world.beat(200);
    world.write(Side::Onprem, 201, 1, Some(400));
    assert_eq!(world.beat(300), [Status::MissingCloud]);
    assert_eq!(world.beat(399), []);
    assert_eq!(world.beat(400), [Status::Resolved]);
}

/// An INSERT that one side lost, and on both sides an UPDATE of every column, then of nulls: SELECT shows a row on one side.
#[test]
fn a_row_that_is_there_on_one_side_alone_is_missing() {
    let mut world = World::new();
    world.beat(100);
    world.beat(200);
    world.columns(Side::Cloud, 201, true, Some("1"));
    for side in Side::BOTH {
        world.columns(side, 203, false, Some("2"));
        world.columns(side, 205, false, None);
    }
    assert_eq!(world.beat(300), [Status::MissingOnprem, Status::Match, Status::Match]);
    Side::BOTH.into_iter().for_each(|side| world.columns(side, 301, true, Some("3")));
    assert_eq!(world.beat(400), [Status::Resolved, Status::Match]);
}

#[test]
fn what_is_finished_is_decided_without_a_heartbeat() {
    let mut world = World::new();
    world.write(Side::Onprem, 110, 1, None);
    assert_eq!(world.finish(), [Status::MissingCloud]);
    assert_eq!(world.machine.watermark_us(), Some(130 * SECOND), "tolerance and grace after it was logged");
    assert_eq!(world.finish(), [], "nothing is said twice");
    world.write(Side::Onprem, 120, 1, None);
    assert_eq!(world.finish(), [Status::MissingCloud], "the log went on");
}

#[test]
fn a_gap_that_is_told_of_late_changes_verdicts() {
    let mut world = World::new();
    world.beat(100);
    world.beat(200);
    world.write(Side::Onprem, 201, 1, None);
    assert_eq!(world.beat(300), [Status::MissingCloud]);
    world.gap(Side::Onprem, GapKind::Lost);
    assert_eq!(world.beat(301), [], "cloud's log is whole");
    world.gap(Side::Cloud, GapKind::Lost);
    assert_eq!(world.beat(302), [Status::Incomparable]);
}

#[test]
fn of_several_reasons_the_one_that_is_told_does_not_depend_on_what_is_read_first() {
    let kinds = [GapKind::Lost, GapKind::Truncated];
    let orders = [(Side::BOTH, kinds), ([Side::Cloud, Side::Onprem], [GapKind::Truncated, GapKind::Lost])];
    let told = orders.map(|(sides, kinds)| {
        let mut world = World::new();
        world.beat(100);
        world.beat(200);
        for side in sides {
            world.unversioned(side, 201, side.name());
        }
        for (side, kind) in sides.into_iter().flat_map(|side| kinds.map(|kind| (side, kind))) {
            world.gap(side, kind);
        }
        world.beat_both(300);
        let told = world.told();
        assert_eq!(world.said(), [Status::Incomparable]);
        told
    });
    let [first, second] = &told;
    assert_eq!(first, second);
    assert!(first.contains("\"reason\":\"truncated\"") && first.contains("\"side\":\"cloud\""), "{first}");
}

#[test]
fn a_truncation_of_one_side_takes_away_what_can_be_said_of_before() {
    let mut world = World::new();
    world.beat(100);
    world.beat(200);
    world.write(Side::Onprem, 201, 1, None);
    assert_eq!(world.beat(240), [Status::MissingCloud]);
    world.gap(Side::Onprem, GapKind::Truncated);
    world.beat_both(260);
    let told = world.told();
    assert!(told.contains("\"reason\":\"truncated\"") && told.contains("\"side\":\"onprem\""), "{told}");
    assert_eq!(world.said(), [Status::Incomparable]);
    assert_eq!(world.beat(280), []);
    world.write(Side::Onprem, 281, 1, None);
    assert_eq!(world.beat(340), [Status::MissingCloud], "it was written after it");
}

#[test]
fn an_update_without_its_version_is_no_alarm() {
    let mut world = World::new();
    world.beat(100);
    world.beat(200);
    world.unversioned(Side::Onprem, 201, "1");
    world.unversioned(Side::Onprem, 202, "2");
    world.unversioned(Side::Cloud, 203, "2");
    assert_eq!(world.machine.counts().unversioned, 3);
    assert_eq!(world.beat(300), [Status::Incomparable, Status::Match, Status::Match]);
    Side::BOTH.into_iter().for_each(|side| world.whole(side, 301, 290 * SECOND));
    assert_eq!(world.beat(400), [Status::Resolved, Status::Match]);
    world.unversioned(Side::Cloud, 401, "3");
    world.beat_both(500);
    assert_eq!(world.current(), [Some(290 * SECOND)], "a part of that version");
    assert_eq!(world.said(), [Status::Incomparable]);
    Side::BOTH.into_iter().for_each(|side| world.whole(side, 501, 490 * SECOND));
    world.beat_both(600);
    assert_eq!(world.current(), [None]);
    assert_eq!(world.said(), [Status::Resolved, Status::Match]);
}

#[test]
fn a_version_that_is_resolved_leaves_the_other_one_standing() {
    let mut world = World::new();
    world.beat(100);
    world.beat(200);
    world.write(Side::Onprem, 276, 2, None);
    world.write(Side::Onprem, 277, 2, Some(400));
    assert_eq!(world.beat(300), [Status::MissingCloud, Status::MissingCloud]);
    // The newer one expires, and is what stood for the row.
    world.beat_both(400);
    assert_eq!(world.current(), [Some(276 * SECOND)]);
    assert_eq!(world.said(), [Status::Resolved]);
}

#[test]
fn a_partition_that_is_read_later_is_not_silent() {
    let mut world = World::new();
    for second in (0..=5000).step_by(500) {
        world.beat_both(second);
    }
    world.beat_one(Side::Cloud, 1, 0);
    assert_eq!(world.said(), []);
    world.beat_one(Side::Cloud, 0, 6100);
    assert_eq!(world.said(), [Status::Unknown], "on-prem is");
}

#[test]
fn time_waits_for_every_partition_that_heartbeats_tell_of() {
    let mut world = World::new();
    world.beat(100);
    world.beat_one(Side::Cloud, 2, 100);
    world.beat(200);
    assert_eq!(world.machine.watermark_us(), Some(100 * SECOND));
    world.beat_one(Side::Cloud, 1, 150);
    world.beat_one(Side::Cloud, 2, 160);
    assert_eq!(world.machine.watermark_us(), Some(150 * SECOND));
}

#[test]
fn what_is_remembered_has_bounds() {
    let mut world = World::with(Options { max_rows: 2, max_event_ids: 3, ..options() });
    world.beat(100);
    world.beat(200);
    for row in 1..=5 {
        world.write(Side::Onprem, 200 + row, row, None);
    }
    assert_eq!(world.machine.remembered(), (2, 3));
    let forgotten = world.machine.counts().forgotten;
    assert_eq!((forgotten.rows, forgotten.undecided, forgotten.event_ids), (3, 3, 2));
    assert_eq!(world.said(), [Status::Incomparable; 3]);
}

#[test]
fn what_is_decided_is_forgotten_after_the_retention() {
    let mut world = World::new();
    world.beat(100);
    world.write(Side::Onprem, 110, 1, None);
    world.beat(110 + 86_400);
    assert_eq!(world.machine.remembered(), (1, 1));
    world.beat(111 + 86_400);
    assert_eq!(world.machine.remembered(), (0, 0));
}

#[test]
fn what_waits_for_a_silent_side_has_a_bound() {
    let mut world = World::with(Options { max_event_ids: 1000, max_waiting: 6, ..options() });
    world.beat(100);
    world.beat(200);
    for second in 300..400 {
        world.beat_one(Side::Onprem, 0, second);
        world.write(Side::Onprem, second, 1, None);
        assert!(world.machine.waiting() <= 6);
        assert_eq!(world.machine.ahead(), (second >= 303).then_some(Side::Onprem), "{second}");
    }
    assert!(world.told().contains("\"reason\":\"full\""), "{}", world.told());
    let said = world.said();
    assert_eq!(said.first(), Some(&Status::Unknown), "cloud holds all back");
    assert_eq!(said.get(1..), Some([Status::Incomparable; 94].as_slice()));
    assert_eq!(world.machine.counts().forgotten.undecided, 94);
    for second in 300..400 {
        world.write(Side::Cloud, second, 1, None);
    }
    // What comes in the end is compared, and nothing more is wrong with the row.
    assert_eq!(world.current(), [None]);
    assert!(world.said().iter().all(|status| *status == Status::Match));
    world.beat_both(500);
    assert_eq!(world.current(), [None], "of the job");
    let said = world.said();
    assert_eq!(said.last(), Some(&Status::Resolved), "cloud is heard");
    assert_eq!(said.iter().filter(|status| **status != Status::Match).count(), 1);
    assert_eq!(world.machine.waiting(), 0);
    let saved = serde_json::to_value(world.machine.state()).unwrap();
    assert_eq!(saved["due"], serde_json::json!([]));
}

/// A record that nobody's agent wrote, with the id of an event of another partition: that one is judged all the same,
/// whichever came first. On Flink the two may be in two machines.
#[test]
fn an_id_of_another_partition_is_no_repeat() {
    for mode in [Mode::Merge, Mode::EventId] {
        let mut world = World::with(Options { mode, ..options() });
        world.beat(100);
        world.beat(200);
        world.named(Side::Onprem, 230, 1, "ab");
        world.named(Side::Onprem, 230, 2, "ab");
        world.named(Side::Onprem, 231, 2, "ab");
        world.named(Side::Cloud, 230, 1, "ab");
        assert_eq!(world.machine.counts().repeats, 1);
        assert_eq!(world.beat(300), [Status::Match, Status::MissingCloud]);
    }
}

/// A state that an earlier build made knows ids without their partitions.
#[test]
fn ids_of_an_earlier_build_are_known() {
    let mut world = World::with(Options { mode: Mode::EventId, ..options() });
    world.beat(100);
    world.beat(200);
    let mut state = serde_json::to_value(world.machine.state()).unwrap();
    state["event_ids"] = serde_json::json!([[format!("{:032x}", 0xab), 100 * SECOND, 1]]);
    world.machine = Machine::new(world.machine.options().clone(), serde_json::from_value(state).unwrap());
    world.named(Side::Onprem, 230, 1, "ab");
    assert_eq!(world.machine.counts().repeats, 1);
    world.named(Side::Cloud, 230, 1, "ab");
    assert_eq!(world.beat(300), [Status::Match]);
}
