//! What a million rows cost. OperatorMemory in flink/ measures the same of the operator.
//!
//! ```text
//! cargo test --lib jobs::drift::measure -- --ignored --nocapture
//! ```

use std::time::Instant;

use serde_json::{Value, json};

use super::record::{Layout, Read, change};
use super::{Both, Hosts, Input, Machine, Mode, Options, Side, SideOptions, State};

const ROWS: usize = 1_000_000;
const T0_US: i64 = 1_700_000_000_000_000;

fn layout() -> Layout {
    let columns = [("amount", "double"), ("note", "text"), ("at", "timestamp"), ("state", "text")];
    Layout {
        table: "shop.orders".to_owned(),
        key: vec!["id".to_owned()],
        partition_key: 1,
        columns: columns.map(|(name, kind)| (name.to_owned(), kind.to_owned())).to_vec(),
        version: None,
        clustering: Vec::new(),
        timestamps: vec!["at".to_owned()],
    }
}

/// A row that is written whole, as an agent tells of it.
fn record(row: usize) -> Value {
    let ts_us = T0_US + i64::try_from(row).unwrap();
    json!({
        "op": "c", "ts_ms": ts_us / 1000, "before": null,
        "after": {"id": format!("order-{row:08}"), "amount": 12.5, "note": "twenty characters ..", "at": ts_us / 1000, "state": "sent"},
        "row_hash": format!("{row:064x}"), "hash_kind": "full", "hash_def": "0a0b0c0d",
        "event_id": format!("{row:032x}"),
        "source": {"ts_us": ts_us, "host_id": "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47", "file": "CommitLog-7-1700000000000.log", "pos": row},
    })
}

/// Anonymous memory of this process, MiB.
/// Anonymous memory of the process, in MiB.
pub(in crate::jobs) fn memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
#[expect(clippy::print_stdout, reason = "it is what it is for")]
#[ignore = "it takes gigabytes and half a minute"]
fn a_million_rows() {
    let side = SideOptions { hosts: Hosts::Any, partitions: 1 };
    let options = Options {
        mode: Mode::EventId,
        sides: Both { onprem: side.clone(), cloud: side },
        tolerance_us: 60_000_000,
        grace_us: 120_000_000,
        silence_us: 300_000_000,
        retention_us: 86_400_000_000,
        max_rows: 1_000_000,
        max_event_ids: 1_000_000,
        max_waiting: 1_000_000,
        old_is_incomparable: true,
        write_matches: false,
        clustering: Vec::new(),
    };
    let mut machine = Machine::new(options, State::default());
    let mut outputs = Vec::new();
    let begin_us = T0_US - 1_000_000_000;
    let mut beat = |machine: &mut Machine, side: Side, wm_us: i64| {
        let host_id = side.name().to_owned();
        machine
            .take(Input::Heartbeat { side, partition: 0, host_id, wm_us, ts_ms: wm_us / 1000 }, &mut outputs);
        outputs.len()
    };
    for wm_us in [begin_us, begin_us + 500_000_000] {
        Side::BOTH.into_iter().for_each(|side| _ = beat(&mut machine, side, wm_us));
    }
    let (layout, empty_mib) = (layout(), memory_mib());
    let tell = |machine: &mut Machine, side: Side, rows: std::ops::Range<usize>| {
        let begin = Instant::now();
        let read = Read {
            side,
            topic: format!("{}.cdc.shop.orders", side.name()),
            partition: 0,
            offset: 0,
            timestamp_ms: 0,
        };
        let count = rows.len();
        for row in rows {
            let input = change(&record(row), &layout, &read).unwrap().unwrap();
            machine.take(input, &mut Vec::new());
        }
        let seconds = begin.elapsed().as_secs_f64();
        println!(
            "{count} rows of {}: {seconds:.1} s; {} MiB, {} waiting, {:?} rows and ids",
            side.name(),
            memory_mib() - empty_mib,
            machine.waiting(),
            machine.remembered()
        );
    };
    tell(&mut machine, Side::Onprem, 0..ROWS);
    // Cloud is silent: a million more change nothing.
    tell(&mut machine, Side::Onprem, ROWS..2 * ROWS);
    assert_eq!((machine.waiting(), machine.remembered()), (ROWS, (ROWS, ROWS)));
    let begin = Instant::now();
    let bytes = serde_json::to_vec(machine.state()).unwrap().len();
    println!("saved: {} MiB, {:.1} s", bytes / 1_048_576, begin.elapsed().as_secs_f64());
    let end_us = T0_US + 2_000_000_000;
    Side::BOTH.into_iter().for_each(|side| _ = beat(&mut machine, side, end_us));
    println!("decided: {} MiB, {} waiting", memory_mib() - empty_mib, machine.waiting());
}
