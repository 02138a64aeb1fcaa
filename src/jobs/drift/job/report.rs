//! What the job says of itself: metrics, and lines for people.

use super::DriftJob;
use crate::jobs::drift::event::Side;
use crate::jobs::drift::machine::Machine;
use crate::jobs::drift::verdict::Status;
use crate::jobs::engine::{Kind, Sample};

impl DriftJob {
    pub(super) fn samples(&self, machine: &Machine) -> Vec<Sample> {
        let counts = machine.counts();
        let (rows, event_ids) = machine.remembered();
        let one = |name, kind, help, value| Sample { name, kind, help, labels: Vec::new(), value };
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let mut samples: Vec<Sample> = Status::ALL
            .iter()
            .map(|status| Sample {
                name: "drift_verdicts_total",
                kind: Kind::Counter,
                help: "Verdicts by status",
                labels: vec![("status", status.name().to_owned())],
                value: counts.of(*status),
            })
            .collect();
        let watermark_s = machine.watermark_us().unwrap_or_default() / 1_000_000;
        let forgotten = counts.forgotten;
        let lost = [
            ("rows", forgotten.rows),
            ("versions", forgotten.undecided),
            ("event_ids", forgotten.event_ids),
            ("ranges", forgotten.ranges),
        ];
        samples.extend([
            one(
                "drift_events_total",
                Kind::Counter,
                "Events that were taken, each once a side",
                counts.events,
            ),
            one(
                "drift_repeats_total",
                Kind::Counter,
                "Further copies of events, of other replicas",
                counts.repeats,
            ),
            one("drift_strange_total", Kind::Counter, "Records that no agent wrote", self.totals.strange),
            one(
                "drift_unversioned_total",
                Kind::Counter,
                "Hash events that do not carry the version of their row",
                counts.unversioned,
            ),
            one(
                "drift_before_start_total",
                Kind::Counter,
                "Versions that differ and are older than the stream of a side: no verdict",
                counts.before_start,
            ),
            one(
                "drift_watermark_seconds",
                Kind::Gauge,
                "Up to here both sides are complete and compared, seconds since 1970",
                u64::try_from(watermark_s).unwrap_or_default(),
            ),
            one("drift_rows", Kind::Gauge, "Rows that are remembered", count(rows)),
            one("drift_event_ids", Kind::Gauge, "Event ids that are remembered", count(event_ids)),
            one(
                "drift_waiting",
                Kind::Gauge,
                "Events that wait for the other side, or differ",
                count(machine.waiting()),
            ),
        ]);
        samples.extend(Side::BOTH.map(|side| Sample {
            name: "drift_truncations_total",
            kind: Kind::Counter,
            help: "Nodes that told that they truncated the table: what their side held before is gone",
            labels: vec![("side", side.name().to_owned())],
            value: *self.totals.truncations.of(side),
        }));
        samples.extend(lost.map(|(what, value)| Sample {
            name: "drift_forgotten_total",
            kind: Kind::Counter,
            help: "What was forgotten before its time because there was too much",
            labels: vec![("what", what.to_owned())],
            value,
        }));
        samples
    }

    pub(super) fn lines(&self, machine: &Machine) -> Vec<(String, String)> {
        let counts = machine.counts();
        let line = |name: &str, text: String| (name.to_owned(), text);
        let mut lines = vec![
            line("read", format!("{}, {} of no agent", self.totals.read, self.totals.strange)),
            line("events", format!("{}, {} repeats", counts.events, counts.repeats)),
        ];
        if counts.unversioned > 0 {
            lines.push(line("without version", counts.unversioned.to_string()));
        }
        if counts.forgotten.undecided > 0 {
            lines.push(line(
                "given up",
                format!("{} versions: too much was waiting", counts.forgotten.undecided),
            ));
        }
        let said = Status::ALL.iter().filter(|status| counts.of(**status) > 0);
        lines.extend(said.map(|status| line(status.name(), counts.of(*status).to_string())));
        let truncated = Side::BOTH.into_iter().filter(|side| *self.totals.truncations.of(*side) > 0);
        lines.extend(truncated.map(|side| {
            let count = self.totals.truncations.of(side);
            line(
                "truncated",
                format!("{}, as {count} nodes told: differences from before are INCOMPARABLE", side.name()),
            )
        }));
        lines
    }
}
