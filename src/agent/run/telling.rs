//! What the loop tells whoever watches it: [`Telemetry`], and the log.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::growing::Growing;
use super::lives::Found;
use super::modes;
use super::parked::ParkedNotes;
use super::schema::LiveSchema;
use super::told_destination::ToldDestination;
use crate::agent::pipeline::report::{Report, Undelivered};
use crate::agent::pipeline::writer::Writer;
use crate::cdc_raw::Standing;
use crate::checkpoint::Checkpoint;
use crate::cli::{DeliveryWord, RunArgs, Settings, resolved};
use crate::commitlog::Index;
use crate::telemetry::{
    CommitReport, EventCount, Identity, LedgerEntry, LedgerKind, Limits, Phase, Reading, SchemaStatus,
    SegmentState, SegmentStatus, Telemetry,
};

/// Tells what happens.
#[derive(Debug)]
pub(super) struct Telling {
    pub(super) telemetry: Arc<Telemetry>,
    /// What is known of Kafka, where records go there.
    pub(super) destination: ToldDestination,
    /// What is known of parked mutations.
    pub(super) parked: ParkedNotes,
    /// Damage and missing segments that were told of.
    losses: u64,
}

impl Telling {
    pub(super) fn new(limits: Limits) -> Self {
        let telemetry = Arc::new(Telemetry::new(limits));
        Self {
            destination: ToldDestination::new(Arc::clone(&telemetry)),
            telemetry,
            parked: ParkedNotes::default(),
            losses: 0,
        }
    }

    /// Who the agent is.
    pub(super) fn identity(&mut self, args: &RunArgs, settings: &Settings, visibility: &str) {
        let names = &settings.source;
        let delivery = modes::delivery(&args.out, settings);
        if args.out.to_str() == Some("kafka") {
            self.destination.is_kafka(settings.kafka.delivery == DeliveryWord::ExactlyOnce);
        }
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
            state_directory: resolved(&args.options.live.log.state_dir).display().to_string(),
        });
    }

    /// What the loop is at, when that is news: the wait for Kafka is told by whoever waits.
    pub(super) fn phase(&self, phase: Phase, why: Option<&str>) {
        self.telemetry.phase_if_new(phase, why);
    }

    /// The loop lives. `problem` with the directory; `wants_schema`: why nothing is read without a better schema.
    pub(super) fn turn(&self, problem: Option<&str>, wants_schema: Option<&str>) {
        match (problem, wants_schema) {
            (Some(_), _) => self.phase(Phase::WaitingForDirectory, problem),
            (None, Some(_)) => self.phase(Phase::WaitingForSchema, wants_schema),
            (None, None) => self.phase(Phase::Running, None),
        }
    }

    /// What is known of the schema.
    pub(super) fn schema(&self, (known, wanted): (usize, usize), schema: &LiveSchema) {
        self.telemetry.schema(SchemaStatus {
            tables_known: known as u64,
            tables_wanted: wanted as u64,
            refreshed_us: schema.refreshed_us(),
            is_cql_reachable: schema.is_reachable(),
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
        let mut oldest_unread_us: Option<u64> = None;
        let mut segments = Vec::new();
        for standing in &found.lives.standings {
            let status = segment(standing, checkpoint, growing(standing));
            if status.readable_to > status.read_to {
                oldest_unread_us = oldest_unread_us.or_else(|| written_us(standing));
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
        self.telemetry.parked(checkpoint.parked_count() as u64, writer.waiting_partitions() as u64);
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
            bytes: report.record_bytes,
            mutations: report.mutations,
            log_bytes: report.bytes,
            took,
            position: checkpoint.open().last().map(|place| place.to_string()),
        });
        self.ledger(report);
        self.parked.note(&report.parked.listed, checkpoint);
        self.parked.note(&report.parked_again.listed, checkpoint);
    }

    fn ledger(&mut self, report: &Report) {
        for (segment, damage) in &report.damage.listed {
            let place = format!("{segment}:{}", damage.offset);
            self.entry(LedgerKind::Damage, place, None, damage.lost_bytes, damage.kind.to_string());
        }
        for (file, reason) in &report.damaged_segments {
            self.entry(LedgerKind::SegmentLost, file.clone(), None, 0, reason.clone());
        }
        let mut undelivered = |kind, entry: &Undelivered| {
            let (place, table) = (entry.position.to_string(), entry.table.clone());
            self.entry(kind, place, table, entry.bytes.unwrap_or_default(), entry.reason.clone());
        };
        report.parked.listed.iter().for_each(|entry| undelivered(LedgerKind::UnknownSchema, entry));
        report.given_up.listed.iter().for_each(|entry| undelivered(LedgerKind::Lost, entry));
    }

    /// How often damage, or the certain loss of a segment, was told of.
    pub(super) fn losses(&self) -> u64 {
        self.losses
    }

    /// Segments are missing, as a control record says it.
    pub(super) fn gap(&mut self, what: &serde_json::Value) {
        let text = |key: &str| what.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let is_loss = what.get("is_loss").and_then(serde_json::Value::as_bool) == Some(true);
        let kind = if is_loss { LedgerKind::SegmentLost } else { LedgerKind::Gap };
        self.entry(kind, text("first"), None, 0, text("evidence"));
    }

    /// Something did not come through.
    pub(super) fn entry(
        &mut self,
        kind: LedgerKind,
        place: String,
        table: Option<String>,
        bytes: u64,
        reason: String,
    ) {
        self.losses += u64::from(matches!(kind, LedgerKind::Damage | LedgerKind::SegmentLost));
        self.telemetry.ledger(LedgerEntry { kind, place, table, bytes, reason });
    }
}

/// When a segment was written to last, microseconds since 1970: what is unread in it is about so old. Of one that is written
/// now that says nothing.
fn written_us(standing: &Standing) -> Option<u64> {
    let written = standing.state.lets_next_begin().then_some(standing.file.modified)?;
    u64::try_from(written.duration_since(UNIX_EPOCH).ok()?.as_micros()).ok()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cdc_raw::{FileId, Finality, SegmentFile, State};
    use crate::commitlog::{SegmentId, SegmentName};

    /// Its id says when the node was started, which can be months ago.
    #[test]
    fn what_is_unread_is_as_old_as_the_last_write_to_its_segment() {
        let written = UNIX_EPOCH + Duration::from_micros(1_795_000_000_123_456);
        let standing = |state| Standing {
            file: SegmentFile {
                name: SegmentName { id: SegmentId(1_790_000_000_000), version: 7 },
                id: FileId { device: 1, inode: 5 },
                length: 100,
                links: 1,
                modified: written,
                changed: written,
                index: Index::Absent,
                has_index: false,
                is_spooled: false,
            },
            state,
            run: 0,
            has_process_ended: false,
            torn_for: None,
        };
        assert_eq!(written_us(&standing(State::Final(Finality::Dropped))), Some(1_795_000_000_123_456));
        assert_eq!(written_us(&standing(State::Sealed)), Some(1_795_000_000_123_456));
        assert_eq!(written_us(&standing(State::Growing)), None, "it is written now");
    }
}
