use std::sync::Arc;
use std::time::Duration;

use super::*;

/// 2027-01-01, in microseconds.
const START_US: u64 = 1_798_761_600_000_000;

struct Fed {
    clock: Arc<SetClock>,
    telemetry: Telemetry,
}

impl Fed {
    fn running() -> Self {
        let clock = Arc::new(SetClock::at(START_US));
        let limits = Limits { stall_after: Duration::from_secs(60), live_within: Duration::from_secs(120) };
        let telemetry = Telemetry::with_clock(limits, Arc::clone(&clock) as Arc<dyn Clock>);
        telemetry.phase(Phase::Running, None);
        Self { clock, telemetry }
    }

    fn pass(&self, seconds: u64) {
        self.clock.pass(Duration::from_secs(seconds));
    }

    fn unread(&self, bytes: u64) {
        self.telemetry
            .reading(Reading { segments: vec![segment(7, 1000 + bytes, 1000)], ..Reading::default() });
    }

    fn commit(&self, table: &str, op: &str, events: u64, newest_us: Option<u64>) {
        let events = vec![EventCount { table, op, events, newest_us }];
        self.telemetry.committed(&CommitReport { events, bytes: 10, records: 1, ..CommitReport::default() });
    }

    fn codes(&self) -> Vec<String> {
        self.telemetry.status().reasons.into_iter().map(|reason| reason.code).collect()
    }

    fn headline(&self) -> (Level, String) {
        let headline = self.telemetry.status().headline;
        (headline.level, headline.text)
    }
}

fn segment(id: u64, readable_to: u64, read_to: u64) -> SegmentStatus {
    SegmentStatus {
        id,
        state: SegmentState::Growing,
        bytes: 33_554_432,
        readable_to,
        read_to,
        committed_to: read_to,
        is_open: true,
    }
}

#[test]
fn something_unread_and_no_commit_is_a_stall_after_the_limit() {
    let fed = Fed::running();
    fed.unread(5000);
    fed.pass(59);
    fed.unread(9000);
    assert!(fed.codes().is_empty());
    fed.pass(1);
    assert_eq!(fed.codes(), ["stalled"]);
    let (level, text) = fed.headline();
    assert_eq!(level, Level::Bad);
    assert_eq!(text, "Stalled: nothing was committed for 1 min 0 s, with 8.8 KiB unread");
    fed.commit("a.b", "c", 1, None);
    assert!(fed.codes().is_empty(), "a commit ends it");
    fed.pass(60);
    assert_eq!(fed.codes(), ["stalled"], "and it may begin again");
    fed.telemetry.progress();
    assert!(fed.codes().is_empty(), "so does other progress");
}

#[test]
fn nothing_to_read_is_no_stall_however_long() {
    let fed = Fed::running();
    fed.unread(0);
    fed.pass(100_000);
    fed.unread(0);
    assert!(fed.codes().is_empty());
    fed.unread(1);
    fed.pass(59);
    fed.telemetry.alive();
    assert!(fed.codes().is_empty(), "the time before there was anything does not count");
    fed.pass(1);
    assert_eq!(fed.codes(), ["stalled"]);
}

#[test]
fn records_that_are_not_committed_stall_as_well() {
    let fed = Fed::running();
    let reading = Reading { uncommitted_records: 1, ..Reading::default() };
    fed.telemetry.reading(reading);
    fed.pass(60);
    assert_eq!(fed.codes(), ["stalled"]);
}

#[test]
fn another_phase_is_the_reason_and_its_time_is_no_stall_of_the_next() {
    let fed = Fed::running();
    fed.unread(5000);
    fed.telemetry.phase(Phase::WaitingForKafka, Some("no broker of 127.0.0.1:9092 answers"));
    fed.pass(90);
    assert_eq!(fed.codes(), ["waiting_for_kafka"]);
    let said = "Waiting for Kafka for 1 min 30 s: no broker of 127.0.0.1:9092 answers";
    assert_eq!(fed.headline(), (Level::Bad, said.to_owned()));
    fed.telemetry.phase(Phase::Running, None);
    assert!(fed.codes().is_empty());
}

#[test]
fn the_lag_grows_while_kafka_is_waited_for_although_nothing_waited_before() {
    let fed = Fed::running();
    fed.telemetry.reading(Reading::default());
    let lag = || fed.telemetry.status().lag.seconds;
    fed.pass(10);
    assert_eq!(lag(), Some(0.0));
    fed.telemetry.phase(Phase::WaitingForKafka, None);
    fed.pass(90);
    assert_eq!(lag(), Some(100.0));
    fed.telemetry.phase(Phase::Running, None);
    fed.telemetry.reading(Reading::default());
    assert_eq!(lag(), Some(0.0));
}

#[test]
fn kafka_does_not_answer_while_it_is_waited_for() {
    let fed = Fed::running();
    let answers = || fed.telemetry.status().kafka.map(|kafka| kafka.is_reachable);
    fed.telemetry.phase(Phase::WaitingForKafka, None);
    assert_eq!(answers(), None, "records go to a file log");
    fed.telemetry.kafka(KafkaStatus { is_reachable: Some(true), ..KafkaStatus::default() });
    assert_eq!(answers(), Some(Some(false)));
    fed.telemetry.phase(Phase::Running, None);
    assert_eq!(answers(), Some(Some(true)));
}

#[test]
fn a_loop_without_a_sign_of_life_is_hung() {
    let fed = Fed::running();
    fed.pass(120);
    assert!(fed.telemetry.is_live());
    fed.pass(1);
    assert!(!fed.telemetry.is_live());
    assert_eq!(fed.codes(), ["hung"]);
    fed.telemetry.alive();
    assert!(fed.telemetry.is_live() && fed.codes().is_empty());
}

#[test]
fn starting_is_a_warning_and_not_ready() {
    let telemetry = Telemetry::new(Limits::default());
    let status = telemetry.status();
    assert!(!status.is_ready && status.headline.level == Level::Warning);
    assert_eq!(status.reasons.first().map(|reason| reason.code.as_str()), Some("starting"));
}

#[test]
fn lag_is_the_time_since_everything_was_done() {
    let fed = Fed::running();
    let lag = || fed.telemetry.status().lag.seconds;
    assert_eq!(lag(), None, "nothing is known before the first look");
    fed.unread(100);
    assert_eq!(lag(), None, "nor while nothing tells how old the backlog is");
    fed.commit("a.b", "c", 1, Some(START_US - 3_600_000_000));
    assert_eq!(lag(), Some(3600.0), "the newest event that is done tells");
    fed.commit("a.b", "c", 1, Some(START_US + 3_600_000_000));
    assert_eq!(lag(), Some(3600.0), "a write time in the future does not");
    fed.unread(0);
    assert_eq!(lag(), Some(0.0));
    fed.pass(5);
    fed.unread(100);
    fed.pass(2);
    assert_eq!(lag(), Some(7.0));
    fed.commit("a.b", "c", 1, Some(START_US + 6_000_000));
    assert_eq!(lag(), Some(1.0));
}

#[test]
fn the_headline_warns_of_a_directory_that_fills() {
    let fed = Fed::running();
    fed.unread(0);
    assert_eq!(fed.headline(), (Level::Ok, "Running: everything is read and committed".to_owned()));
    let usage = DirectoryUsage {
        used_bytes: 90,
        limit_bytes: 100,
        full_in_s: Some(1800),
        is_full: false,
        spool_bytes: None,
    };
    fed.telemetry.directory(usage);
    let said = "Running, but cdc_raw will be full in 30 min 0 s at this rate";
    assert_eq!(fed.headline(), (Level::Warning, said.to_owned()));
    fed.telemetry.directory(DirectoryUsage { full_in_s: Some(0), is_full: true, ..usage });
    assert_eq!(fed.headline().0, Level::Bad);
    assert!(fed.codes().is_empty(), "the agent itself works");
}

#[test]
fn the_lag_is_plotted_while_the_loop_waits() {
    let fed = Fed::running();
    fed.unread(0);
    fed.unread(100);
    let usage =
        DirectoryUsage { used_bytes: 1, limit_bytes: 2, full_in_s: None, is_full: false, spool_bytes: None };
    for _ in 0..3 {
        fed.pass(1);
        fed.telemetry.directory(usage);
    }
    // The second that has begun is not shown yet.
    let plotted = fed.telemetry.status().history.lag_ms;
    assert_eq!(plotted[plotted.len() - 3..], [0, 1000, 2000]);
}

#[test]
fn counts_are_kept_by_table_and_operation_and_bounded() {
    let fed = Fed::running();
    fed.commit("sales.events", "c", 3, None);
    fed.commit("sales.events", "c", 2, None);
    fed.commit("sales.events", "d", 1, None);
    for number in 0..2000 {
        fed.commit(&format!("many.t{number:04}"), "u", 1, None);
    }
    let status = fed.telemetry.status();
    assert_eq!(status.tables.len(), 1001);
    let find = |name: &str| status.tables.iter().find(|table| table.table == name).unwrap();
    let events = find("sales.events");
    assert_eq!((events.events, events.by_op["c"], events.by_op["d"]), (6, 5, 1));
    assert_eq!(find("(other tables)").events, 2000 - 999);
    assert_eq!(status.commits.events, 2006);
    assert_eq!(status.commits.commits, 2003);
}

#[test]
fn errors_and_ledger_are_bounded_lists_with_totals() {
    let fed = Fed::running();
    for number in 0..150 {
        fed.telemetry.error(if number % 2 == 0 { "one" } else { "two" });
        fed.telemetry.ledger(LedgerEntry {
            kind: LedgerKind::Damage,
            place: format!("7:{number}"),
            table: None,
            bytes: 2,
            reason: "wrong checksum".to_owned(),
        });
    }
    let status = fed.telemetry.status();
    assert_eq!(status.errors.len(), 2);
    assert_eq!((status.errors[0].text.as_str(), status.errors[0].times), ("two", 75));
    assert_eq!(status.errors_total, 150);
    assert_eq!(status.ledger.len(), LISTED_ENTRIES);
    assert_eq!(status.ledger[0].entry.place, "7:149");
    assert_eq!(status.ledger_counts[&LedgerKind::Damage], Kinds { entries: 150, bytes: 300 });
}

#[test]
fn many_segments_are_counted_whole_and_listed_from_both_ends() {
    let fed = Fed::running();
    for (given, listed) in [(0, 0), (60, 60), (100, 100), (101, 100), (500, 100)] {
        let segments = (0..given).map(|id| segment(id, 0, 0)).collect();
        fed.telemetry.reading(Reading { segments, ..Reading::default() });
        let status = fed.telemetry.status();
        assert_eq!((status.segments.len(), status.segment_counts[&SegmentState::Growing]), (listed, given));
        let ids: Vec<_> = status.segments.iter().map(|segment| segment.id).collect();
        assert!(ids.is_sorted_by(|one, other| one < other));
        assert_eq!(ids.last().copied(), given.checked_sub(1));
    }
}

#[test]
fn a_status_is_the_same_after_json() {
    let fed = Fed::running();
    fed.unread(100);
    fed.commit("sales.events", "c", 3, Some(START_US));
    fed.telemetry.kafka(KafkaStatus::default());
    fed.telemetry.schema(SchemaStatus::default());
    fed.telemetry.ledger(LedgerEntry {
        kind: LedgerKind::SegmentLost,
        place: "CommitLog-7-7.log".to_owned(),
        table: Some("a.b".to_owned()),
        bytes: 0,
        reason: "it is gone".to_owned(),
    });
    let text = serde_json::to_string(&fed.telemetry.status()).unwrap();
    let again: Status = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), text);
}

#[test]
fn metrics_are_written_as_the_format_asks() {
    let fed = Fed::running();
    fed.commit("odd\"na\\me", "c", 3, Some(START_US));
    fed.unread(100);
    let usage =
        DirectoryUsage { used_bytes: 1, limit_bytes: 2, full_in_s: None, is_full: false, spool_bytes: None };
    fed.telemetry.directory(usage);
    fed.telemetry.state_unwritten();
    let text = metrics::text(&fed.telemetry.status());
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or("");
    assert_eq!(line("cdc_events_total"), r#"cdc_events_total{table="odd\"na\\me",op="c"} 3"#);
    assert_eq!(
        line("cdc_newest_write_seconds"),
        r#"cdc_newest_write_seconds{table="odd\"na\\me"} 1798761600"#
    );
    assert_eq!(line("cdc_unread_bytes"), "cdc_unread_bytes 100");
    assert_eq!(line("cdc_state_write_errors_total"), "cdc_state_write_errors_total 1");
    assert_eq!(line("cdc_time_to_full_seconds"), "cdc_time_to_full_seconds +Inf");
    assert_eq!(
        line("cdc_txn_commit_seconds_bucket{le=\"0.001\"}"),
        "cdc_txn_commit_seconds_bucket{le=\"0.001\"} 1"
    );
}

#[test]
fn people_read_sizes_and_times() {
    let sizes = [0, 1023, 1024, 33_554_432, 4_500_000_000].map(health::size);
    assert_eq!(sizes, ["0 bytes", "1023 bytes", "1.0 KiB", "32.0 MiB", "4.2 GiB"]);
    let times = [0.25, 59.9, 61.0, 3600.0, 90_000.0].map(|s| health::time(Duration::from_secs_f64(s)));
    assert_eq!(times, ["0.2 s", "59 s", "1 min 1 s", "1 h 0 min", "1 d 1 h"]);
}
