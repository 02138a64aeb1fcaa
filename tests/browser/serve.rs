//! Serves the status page of a made-up agent: prints its address, then does what each line of standard input says.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper of a test: it ends when something fails"
)]

use std::io::{self, BufRead};
use std::sync::Arc;
use std::time::Duration;

use cdc_agent::http::Server;
use cdc_agent::telemetry::{
    Clock, CommitReport, DirectoryUsage, EventCount, Identity, KafkaStatus, LedgerEntry, LedgerKind, Limits,
    Phase, Reading, SchemaStatus, SegmentState, SegmentStatus, SetClock, SnapshotStatus, Telemetry,
};

/// 2027-01-01, in microseconds.
const START_US: u64 = 1_798_761_600_000_000;
const TEXT: &str = "<img src=x onerror=\"document.title='taken over'\">";

fn main() {
    let clock = Arc::new(SetClock::at(START_US));
    let telemetry = Arc::new(Telemetry::with_clock(Limits::default(), Arc::clone(&clock) as Arc<dyn Clock>));
    telemetry.identity(identity());
    telemetry.schema(SchemaStatus {
        tables_known: 84,
        tables_wanted: 12,
        refreshed_us: Some(START_US),
        is_cql_reachable: Some(true),
    });
    let mut server = Some(Server::start("127.0.0.1:0".parse().unwrap(), Arc::clone(&telemetry)).unwrap());
    println!("{}", server.as_ref().unwrap().address());
    for line in io::stdin().lock().lines() {
        match line.unwrap().as_str() {
            "work" => work(&telemetry, &clock),
            "lose" => lose(&telemetry),
            "snapshot" => telemetry.snapshots(snapshots()),
            "end" => telemetry.snapshots(Vec::new()),
            "stall" => {
                read(&telemetry, 3_000_000);
                clock.pass(Duration::from_secs(61));
            }
            "leave" => drop(server.take()),
            word => assert!(word.is_empty(), "unknown: {word}"),
        }
        println!("done");
    }
}

fn snapshots() -> Vec<SnapshotStatus> {
    let snapshot = |table: &str, state: &str, rows, percent, reason: Option<&str>| SnapshotStatus {
        table: table.to_owned(),
        state: state.to_owned(),
        rows,
        percent,
        reason: reason.map(str::to_owned),
    };
    vec![
        snapshot("sales.events", "waiting_for_log", 12_345, Some(37.52), None),
        snapshot("sales.users", "retrying", 0, None, Some("the node does not answer")),
    ]
}

fn identity() -> Identity {
    Identity {
        version: "0.1.0".to_owned(),
        prefix: "onprem".to_owned(),
        cluster: "prod".to_owned(),
        dc: "DC_ONPREM".to_owned(),
        host_id: "5f9c1e8e-1c1b-4a5e-9d44-1d3f0a8d2f11".to_owned(),
        visibility: "marked".to_owned(),
        delivery: "exactly-once".to_owned(),
        out: "kafka1:9092,kafka2:9092".to_owned(),
        cdc_raw: "/var/lib/cassandra/cdc_raw".to_owned(),
        state_directory: "/var/lib/cdc-agent".to_owned(),
    }
}

/// Five minutes of changes, all of them committed.
fn work(telemetry: &Telemetry, clock: &SetClock) {
    telemetry.phase(Phase::Running, None);
    for second in 0..300 {
        let now_us = clock.now().wall_us;
        let count = |table, op, events| EventCount { table, op, events, newest_us: Some(now_us) };
        let events = vec![
            count("sales.events", "c", 400 + second * 7919 % 300),
            count("sales.users", "u", 12),
            count(TEXT, "d", 1),
        ];
        telemetry.committed(&CommitReport {
            records: events.iter().map(|counted| counted.events).sum(),
            bytes: 300_000 + second * 1000,
            events,
            took: Duration::from_millis(6),
            position: Some("1798761600003:1048576:3".to_owned()),
            ..CommitReport::default()
        });
        // Each minute something waits for a moment.
        read(telemetry, if second % 60 == 30 { 40_000 } else { 0 });
        clock.pass(Duration::from_secs(1));
    }
    telemetry.watermark(clock.now().wall_us - 300_000);
    telemetry.directory(DirectoryUsage {
        used_bytes: 1 << 30,
        limit_bytes: 4 << 30,
        full_in_s: None,
        spool_bytes: Some(3 << 20),
        is_full: false,
    });
    telemetry.kafka(KafkaStatus { is_reachable: Some(true), transactions: 300, ..KafkaStatus::default() });
}

fn read(telemetry: &Telemetry, unread: u64) {
    let segment = |id, state, read_to| SegmentStatus {
        id,
        state,
        bytes: 33_554_432,
        readable_to: 33_000_000,
        read_to,
        committed_to: read_to,
        is_open: state == SegmentState::Growing,
    };
    telemetry.reading(Reading {
        segments: vec![
            segment(1_798_761_600_002, SegmentState::Final, 33_000_000),
            segment(1_798_761_600_003, SegmentState::Growing, 33_000_000 - unread),
        ],
        ..Reading::default()
    });
}

fn lose(telemetry: &Telemetry) {
    telemetry.ledger(LedgerEntry {
        kind: LedgerKind::Damage,
        place: "1798761600002:1048576".to_owned(),
        table: Some("sales.events".to_owned()),
        bytes: 4096,
        reason: "the checksum of the section is wrong".to_owned(),
    });
    telemetry.parked(3, 2);
    telemetry.error(TEXT);
    telemetry.error("cannot reach 127.0.0.1:9042: connection refused");
}
