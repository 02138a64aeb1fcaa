//! What the loop tells whoever watches it: [`Telemetry`], and the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::growing::Growing;
use super::lives::Found;
use super::parked::ParkedNotes;
use super::told_destination::ToldDestination;
use crate::agent::log;
use crate::agent::pipeline::report::{Report, Undelivered};
use crate::agent::pipeline::writer::Writer;
use crate::cdc_raw::quota::{self, Quota};
use crate::cdc_raw::{Directory, Standing};
use crate::checkpoint::Checkpoint;
use crate::cli::{DeliveryWord, LogArgs, RunArgs, Settings};
use crate::commitlog::Index;
use crate::telemetry::{
    CommitReport, DirectoryUsage, EventCount, Identity, LedgerEntry, LedgerKind, Limits, Phase, Reading,
    SchemaStatus, SegmentState, SegmentStatus, Telemetry,
};

/// So often the directory's size is taken.
const MEASURED_EVERY: Duration = Duration::from_secs(5);

/// Cassandra's default of `cdc_total_space`, and of `commitlog_segment_size`, in bytes.
const TOTAL_SPACE: u64 = 4096 << 20;
const SEGMENT_SIZE: u64 = 32 << 20;

/// Tells what happens.
#[derive(Debug)]
pub(super) struct Telling {
    pub(super) telemetry: Arc<Telemetry>,
    quota: Quota,
    measured: Option<Instant>,
    phase: Option<Phase>,
    /// What is known of Kafka, where records go there.
    pub(super) destination: ToldDestination,
    /// What is known of parked mutations.
    pub(super) parked: ParkedNotes,
}

impl Telling {
    pub(super) fn new(args: &LogArgs, limits: Limits) -> Self {
        let telemetry = Arc::new(Telemetry::new(limits));
        Self {
            destination: ToldDestination::new(Arc::clone(&telemetry)),
            telemetry,
            quota: quota_of(args),
            measured: None,
            phase: None,
            parked: ParkedNotes::default(),
        }
    }

    /// Another limit of the directory is configured.
    pub(super) fn limit(&mut self, args: &LogArgs) {
        (self.quota, self.measured) = (quota_of(args), None);
    }

    /// Who the agent is.
    pub(super) fn identity(&mut self, args: &RunArgs, settings: &Settings, visibility: &str) {
        let names = &settings.source;
        let delivery = match args.out.to_str() {
            Some("kafka") => {
                let is_in_transactions = settings.kafka.delivery == DeliveryWord::ExactlyOnce;
                self.destination.is_kafka(is_in_transactions);
                if is_in_transactions { "exactly-once" } else { "at-least-once" }
            }
            _ => "file log",
        };
        self.telemetry.identity(Identity {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            prefix: names.prefix.clone(),
            cluster: names.cluster.clone().unwrap_or_default(),
            dc: names.dc.clone().unwrap_or_default(),
            host_id: names.host_id.map(|id| id.to_string()).unwrap_or_default(),
            visibility: visibility.to_owned(),
            delivery: delivery.to_owned(),
            out: args.out.display().to_string(),
            cdc_raw: args.options.live.log.cdc_raw.display().to_string(),
        });
    }

    /// What the loop is at, when that is news.
    pub(super) fn phase(&mut self, phase: Phase, why: Option<&str>) {
        if self.phase.replace(phase) != Some(phase) {
            self.telemetry.phase(phase, why);
        }
    }

    /// The loop lives.
    pub(super) fn turn(&mut self, problem: Option<&str>) {
        match problem {
            Some(_) => self.phase(Phase::WaitingForDirectory, problem),
            None => self.phase(Phase::Running, None),
        }
        self.telemetry.alive();
    }

    /// What is known of the schema.
    pub(super) fn schema(&self, tables_known: usize, tables_wanted: usize, is_reachable: Option<bool>) {
        self.telemetry.schema(SchemaStatus {
            tables_known: tables_known as u64,
            tables_wanted: tables_wanted as u64,
            refreshed_us: None,
            is_cql_reachable: is_reachable,
        });
    }

    /// Where reading stands after a look at the directory.
    pub(super) fn reading<'g>(
        &mut self,
        found: &Found,
        writer: &Writer<'_>,
        growing: impl Fn(&Standing) -> Option<&'g Growing>,
    ) {
        let checkpoint = writer.checkpoint();
        let mut oldest_unread_us = None;
        let mut segments = Vec::new();
        for standing in &found.lives.standings {
            let status = segment(standing, checkpoint, growing(standing));
            if status.readable_to > status.read_to {
                oldest_unread_us.get_or_insert(status.id.saturating_mul(1000));
            }
            segments.push(status);
        }
        let (uncommitted_records, uncommitted_bytes) = writer.uncommitted();
        self.destination.queued(writer.queued());
        self.telemetry.reading(Reading {
            segments,
            uncommitted_records,
            uncommitted_bytes,
            oldest_unread_us,
        });
        let parked = checkpoint.parked().count() as u64;
        let mut partitions: Vec<_> =
            checkpoint.parked().flat_map(|at| checkpoint.parked_partitions(at)).collect();
        partitions.sort_unstable();
        partitions.dedup();
        self.telemetry.parked(parked, partitions.len() as u64);
    }

    /// Takes the size of the directory now and then, and warns before it is full.
    pub(super) fn measure(&mut self, directory: &Directory, now: Instant) {
        if self.measured.is_some_and(|last| now.saturating_duration_since(last) < MEASURED_EVERY) {
            return;
        }
        self.measured = Some(now);
        let Ok(used) = quota::used_bytes(directory.path()) else { return };
        let fullness = self.quota.look(used, now);
        if let Some(percent) = fullness.reached {
            let left = fullness
                .time_to_full
                .map_or_else(String::new, |left| format!(", full in {} s", left.as_secs()));
            let text = format!("cdc_raw is {percent} % full{left}; when it is full: {}", quota::FULL);
            if percent >= 90 { log::error(&text) } else { log::warn(&text) }
        }
        self.telemetry.directory(DirectoryUsage::from(fullness));
    }

    /// A commit is through.
    pub(super) fn committed(&mut self, report: &Report, checkpoint: &Checkpoint, took: Duration) {
        let mut events = Vec::new();
        for table in report.events.values() {
            let newest_us = table.newest_us.and_then(|us| u64::try_from(us).ok());
            for (operation, count) in &table.by_operation {
                let op = operation.code();
                events.push(EventCount { table: &table.name, op, events: *count, newest_us });
            }
        }
        self.telemetry.committed(&CommitReport {
            events,
            late: report.late,
            records: report.records,
            bytes: 0,
            mutations: report.mutations,
            log_bytes: report.bytes,
            took,
            position: checkpoint.open().last().map(|place| place.to_string()),
        });
        self.ledger(report);
        self.parked.note(&report.parked.listed, checkpoint);
    }

    fn ledger(&self, report: &Report) {
        for (segment, damage) in &report.damage.listed {
            let place = format!("{segment}:{}", damage.offset);
            self.entry(LedgerKind::Damage, place, None, damage.lost_bytes, damage.kind.to_string());
        }
        for (file, reason) in &report.damaged_segments {
            self.entry(LedgerKind::SegmentLost, file.clone(), None, 0, reason.clone());
        }
        let undelivered = |kind, entry: &Undelivered| {
            let (place, table) = (entry.position.to_string(), entry.table.clone());
            self.entry(kind, place, table, entry.bytes.unwrap_or_default(), entry.reason.clone());
        };
        report.parked.listed.iter().for_each(|entry| undelivered(LedgerKind::UnknownSchema, entry));
        report.given_up.listed.iter().for_each(|entry| undelivered(LedgerKind::Lost, entry));
    }

    /// Segments are missing, as a control record says it.
    pub(super) fn gap(&self, what: &serde_json::Value) {
        let text = |key: &str| what.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        self.entry(LedgerKind::Gap, text("first"), None, 0, text("evidence"));
    }

    /// Something did not come through.
    pub(super) fn entry(
        &self,
        kind: LedgerKind,
        place: String,
        table: Option<String>,
        bytes: u64,
        reason: String,
    ) {
        self.telemetry.ledger(LedgerEntry { kind, place, table, bytes, reason });
    }
}

fn quota_of(args: &LogArgs) -> Quota {
    let limit = args.cdc_total_space_mb.map_or(TOTAL_SPACE, |mib| mib.get().saturating_mul(1 << 20));
    Quota::new(limit, SEGMENT_SIZE)
}

fn segment(standing: &Standing, checkpoint: &Checkpoint, growing: Option<&Growing>) -> SegmentStatus {
    let file = &standing.file;
    let id = file.name.id;
    let is_done = checkpoint.done_as(id).is_some();
    let committed_to = if is_done { file.length } else { checkpoint.open_at(id).map_or(0, |at| at.marker) };
    let read_to = growing.map_or(committed_to, |growing| growing.next().marker.max(committed_to));
    let readable_to = match (is_done, growing, file.index) {
        (false, Some(_), _) => read_to,
        (false, None, Index::Completed(end) | Index::Synced(end)) => end.max(read_to),
        _ => file.length,
    };
    SegmentStatus {
        id: u64::try_from(id.0).unwrap_or_default(),
        state: SegmentState::from(standing.state),
        bytes: file.length,
        readable_to: if standing.state.lets_next_begin() || growing.is_some() {
            readable_to
        } else {
            read_to
        },
        read_to,
        committed_to,
        is_open: growing.is_some(),
    }
}
