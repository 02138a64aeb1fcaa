//! Metrics in the text form of Prometheus, made from a [`Status`]. docs/metrics.md lists them.

use super::exposition::{Exposition, Type};
use super::facts::{LedgerKind, Phase};
use super::health::Level;
use super::rates::to_float;
use super::status::Status;

/// Value of the header `Content-Type`.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const MICROS: f64 = 1e6;

/// The text of all metrics.
#[must_use]
pub fn text(status: &Status) -> String {
    let mut out = Exposition::default();
    agent(&mut out, status);
    lag(&mut out, status);
    directory(&mut out, status);
    events(&mut out, status);
    commits(&mut out, status);
    ledger(&mut out, status);
    surroundings(&mut out, status);
    out.finish()
}

fn truth(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

fn seconds(us: u64) -> f64 {
    to_float(us) / MICROS
}

fn agent(out: &mut Exposition, status: &Status) {
    let who = &status.identity;
    let labels = [
        ("version", who.version.as_str()),
        ("prefix", &who.prefix),
        ("cluster", &who.cluster),
        ("dc", &who.dc),
        ("host_id", &who.host_id),
        ("visibility", &who.visibility),
        ("delivery", &who.delivery),
    ];
    let help = "Who the agent is; always 1";
    out.metric("cdc_build_info", Type::Gauge, help).add(&labels, 1.0);
    let ready = "Whether the agent does its work, as /readyz says";
    out.single("cdc_ready", Type::Gauge, ready, Some(truth(status.is_ready)));
    let healthy = "Whether nothing asks for somebody's attention: the first line of the status page is green";
    let is_ok = status.headline.level == Level::Ok;
    out.single("cdc_healthy", Type::Gauge, healthy, Some(truth(is_ok)));
    let is_stalled = status.reasons.iter().any(|reason| reason.code == "stalled");
    let stalled = "Whether something waits and nothing was committed for stall_after_s";
    out.single("cdc_stalled", Type::Gauge, stalled, Some(truth(is_stalled)));
    let mut phases = out.metric("cdc_phase", Type::Gauge, "What the agent is at: 1 for one of the words");
    for phase in Phase::ALL {
        phases.add(&[("phase", phase.word())], truth(phase == status.phase));
    }
    let started = "When the agent was started, in seconds since 1970";
    out.single("process_start_time_seconds", Type::Gauge, started, Some(seconds(status.started_us)));
    if let Some(process) = status.process {
        let cpu = "Processor time, user and system";
        out.single("process_cpu_seconds_total", Type::Counter, cpu, Some(process.cpu_s));
        let memory = "Memory that is resident";
        out.single(
            "process_resident_memory_bytes",
            Type::Gauge,
            memory,
            Some(to_float(process.resident_bytes)),
        );
    }
}

fn lag(out: &mut Exposition, status: &Status) {
    let help =
        "Seconds since the latest moment up to which all is known to be committed; 0 when nothing waits";
    out.single("cdc_lag_seconds", Type::Gauge, help, status.lag.seconds);
    let help = "Bytes of the log that may be read and were not";
    out.single("cdc_unread_bytes", Type::Gauge, help, Some(to_float(status.lag.unread_bytes)));
    let help = "Records that were sent and are not committed";
    out.single("cdc_uncommitted_records", Type::Gauge, help, Some(to_float(status.lag.uncommitted_records)));
    let help = "Everything written before this time is committed; seconds since 1970";
    out.single("cdc_watermark_seconds", Type::Gauge, help, status.watermark_us.map(seconds));
    let mut newest = out.metric(
        "cdc_newest_write_seconds",
        Type::Gauge,
        "The greatest write time of a committed event of the table; seconds since 1970",
    );
    for table in &status.tables {
        if let Some(us) = table.newest_us {
            newest.add(&[("table", &table.table)], seconds(us));
        }
    }
}

fn directory(out: &mut Exposition, status: &Status) {
    let mut segments = out.metric("cdc_segments", Type::Gauge, "Segments in the directory by state");
    for (state, number) in &status.segment_counts {
        segments.add(&[("state", state.word())], to_float(*number));
    }
    let Some(usage) = status.directory else { return };
    let help = "Bytes in cdc_raw, as Cassandra counts";
    out.single("cdc_raw_used_bytes", Type::Gauge, help, Some(to_float(usage.used_bytes)));
    let help = "Bytes that Cassandra allows in cdc_raw";
    out.single("cdc_raw_quota_bytes", Type::Gauge, help, Some(to_float(usage.limit_bytes)));
    let help = "Whether cdc_raw is full: Cassandra refuses writes to tables with CDC";
    out.single("cdc_raw_full", Type::Gauge, help, Some(truth(usage.is_full)));
    let help = "Bytes of segments that wait in the spool";
    if let Some(bytes) = usage.spool_bytes {
        out.single("cdc_spool_bytes", Type::Gauge, help, Some(to_float(bytes)));
    }
    let help = "Seconds until cdc_raw is full at the rate of the last minutes; +Inf when it does not grow";
    let left = usage.full_in_s.map_or(f64::INFINITY, to_float);
    out.single("cdc_time_to_full_seconds", Type::Gauge, help, Some(left));
}

fn events(out: &mut Exposition, status: &Status) {
    let help = "Committed events by table and operation";
    let mut events = out.metric("cdc_events_total", Type::Counter, help);
    for table in &status.tables {
        for (op, number) in &table.by_op {
            events.add(&[("table", &table.table), ("op", op)], to_float(*number));
        }
    }
    let help = "Committed events that were older than late_after_s when they were read";
    out.single("cdc_late_events_total", Type::Counter, help, Some(to_float(status.commits.late)));
    let help = "Mutations that were gone through, those without events included";
    out.single("cdc_mutations_total", Type::Counter, help, Some(to_float(status.commits.mutations)));
    let help = "Bytes of the log that were gone through";
    out.single("cdc_log_bytes_total", Type::Counter, help, Some(to_float(status.commits.log_bytes)));
    let help = "Mutations that wait for a schema that describes them";
    out.single("cdc_parked_mutations", Type::Gauge, help, Some(to_float(status.parked_mutations)));
    let help = "Partitions that wait with them";
    out.single("cdc_parked_partitions", Type::Gauge, help, Some(to_float(status.parked_partitions)));
}

fn commits(out: &mut Exposition, status: &Status) {
    let commits = &status.commits;
    let help = "Records that were committed, tombstones included";
    out.single("cdc_records_total", Type::Counter, help, Some(to_float(commits.records)));
    let help = "Bytes of their keys and values";
    out.single("cdc_record_bytes_total", Type::Counter, help, Some(to_float(commits.bytes)));
    let help = "When the last commit was, in seconds since 1970";
    out.single("cdc_last_commit_seconds", Type::Gauge, help, commits.last_us.map(seconds));
    let buckets: Vec<_> = commits
        .took_buckets
        .iter()
        .map(|(bound_ms, number)| (to_float(*bound_ms) / 1000.0, to_float(*number)))
        .collect();
    let help = "How long commits took";
    let sums = (commits.took_s, to_float(commits.commits));
    out.histogram("cdc_txn_commit_seconds", help, &buckets, sums);
}

fn ledger(out: &mut Exposition, status: &Status) {
    let entries = |kind: LedgerKind| status.ledger_counts.get(&kind).copied().unwrap_or_default();
    let mut metric = out.metric("cdc_ledger_entries_total", Type::Counter, "Entries of the ledger by kind");
    for kind in LedgerKind::ALL {
        metric.add(&[("kind", kind.word())], to_float(entries(kind).entries));
    }
    let mut metric = out.metric("cdc_ledger_bytes_total", Type::Counter, "The bytes they are about, by kind");
    for kind in LedgerKind::ALL {
        metric.add(&[("kind", kind.word())], to_float(entries(kind).bytes));
    }
    for (name, kind, help) in [
        ("cdc_corrupt_sections_total", LedgerKind::Damage, "Places of the log whose checksums are wrong"),
        ("cdc_segments_lost_total", LedgerKind::SegmentLost, "Segments that were gone before they were read"),
        ("cdc_resurrected_segments_total", LedgerKind::Resurrected, "Segments that came back when consumed"),
        ("cdc_unknown_schema_total", LedgerKind::UnknownSchema, "Mutations that no schema described"),
        ("cdc_oversize_total", LedgerKind::Oversize, "Records that were too large for the destination"),
        ("cdc_acl_denied_total", LedgerKind::Denied, "Records that the destination did not allow"),
    ] {
        out.single(name, Type::Counter, help, Some(to_float(entries(kind).entries)));
    }
    let pointed = [LedgerKind::Oversize, LedgerKind::Denied, LedgerKind::DeadLetter];
    let pointed = pointed.iter().map(|kind| entries(*kind).entries).sum();
    let help = "Records of which a pointer went to the dead-letter topic";
    out.single("cdc_dead_letter_total", Type::Counter, help, Some(to_float(pointed)));
    let help = "Errors and warnings";
    out.single("cdc_errors_total", Type::Counter, help, Some(to_float(status.errors_total)));
    let help = "Writes into the state directory that failed";
    let failed = Some(to_float(status.state_write_errors));
    out.single("cdc_state_write_errors_total", Type::Counter, help, failed);
}

fn surroundings(out: &mut Exposition, status: &Status) {
    if let Some(schema) = &status.schema {
        let mut tables = out.metric("cdc_schema_tables", Type::Gauge, "Tables in the schema");
        tables.add(&[("which", "known")], to_float(schema.tables_known));
        tables.add(&[("which", "wanted")], to_float(schema.tables_wanted));
        let help = "When the node's schema was last read, in seconds since 1970";
        out.single("cdc_schema_refresh_seconds", Type::Gauge, help, schema.refreshed_us.map(seconds));
        let help = "Whether the node's CQL answers";
        out.single("cdc_cql_reachable", Type::Gauge, help, schema.is_cql_reachable.map(truth));
    }
    if !status.snapshots.is_empty() {
        let mut rows =
            out.metric("cdc_snapshot_rows", Type::Gauge, "Rows published by the snapshots under way");
        for snapshot in &status.snapshots {
            rows.add(&[("table", &snapshot.table), ("state", &snapshot.state)], to_float(snapshot.rows));
        }
        let help = "How much of the node's token ranges a snapshot has published, 0 to 1";
        let mut done = out.metric("cdc_snapshot_done_ratio", Type::Gauge, help);
        for snapshot in &status.snapshots {
            if let Some(percent) = snapshot.percent {
                done.add(&[("table", &snapshot.table)], percent / 100.0);
            }
        }
    }
    if let Some(kafka) = &status.kafka {
        let help = "Whether the destination answers";
        out.single("cdc_kafka_reachable", Type::Gauge, help, kafka.is_reachable.map(truth));
        let help = "Records that were sent and are not acknowledged";
        out.single("cdc_kafka_queue_records", Type::Gauge, help, Some(to_float(kafka.queue_records)));
        let help = "Transactions that were committed";
        out.single("cdc_txn_commits_total", Type::Counter, help, Some(to_float(kafka.transactions)));
        let help = "Transactions that were aborted";
        out.single("cdc_txn_aborts_total", Type::Counter, help, Some(to_float(kafka.aborts)));
        let help = "Commits of which it was not known whether they went well";
        out.single("cdc_txn_indeterminate_total", Type::Counter, help, Some(to_float(kafka.indeterminate)));
    }
}
