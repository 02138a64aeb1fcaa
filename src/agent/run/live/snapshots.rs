//! The rows of snapshots, between two looks at the log.

use std::time::{Duration, Instant};

use super::{Live, Parts};
use crate::agent::exit::Failure;
use crate::agent::run::snapshot::{Around, Begin, Snapshots};
use crate::agent::socket::{Answer, Request};

/// The longest pause while rows come.
const ROWS_PAUSE: Duration = Duration::from_millis(10);

/// The checkpoint may have gone back since: what was read ahead is read again.
pub(super) fn rewound(mut parts: Parts<'_>) -> Parts<'_> {
    parts.snapshots.as_deref_mut().into_iter().for_each(Snapshots::rewind);
    parts
}

impl Live<'_> {
    /// Goes on with snapshots: what was read of the log is sent already.
    pub(super) fn tend_snapshots(&mut self, now: Instant) -> Result<(), Failure> {
        let before = self.writer.checkpoint().snapshots().len();
        self.with_snapshots(|snapshots, around| snapshots.tend(around, now)).unwrap_or(Ok(()))?;
        if before > 0 {
            self.tell_snapshots();
        }
        Ok(())
    }

    /// Tells those who watch.
    fn tell_snapshots(&self) {
        let (under_way, telemetry) = (self.writer.checkpoint().snapshots(), &self.parts.telling.telemetry);
        if let Some(snapshots) = self.parts.snapshots.as_deref() {
            telemetry.snapshots(under_way.iter().map(|one| snapshots.state(one).told()).collect());
        }
    }

    /// A shorter pause while rows come.
    pub(super) fn rows_limit(&self, limit: Duration) -> Duration {
        let is_busy = self.parts.snapshots.as_ref().is_some_and(|snapshots| snapshots.is_busy());
        if is_busy { limit.min(ROWS_PAUSE) } else { limit }
    }

    /// Begins, stops, tells.
    pub(super) fn answer_snapshot(&mut self, request: &Request) -> Result<Answer, Failure> {
        let answer = self.with_snapshots(|snapshots, around| match request {
            Request::SnapshotStart { tables, rate, consistency } => {
                let begin = Begin { tables, rate: *rate, consistency: *consistency };
                snapshots.begin(&begin, around)
            }
            Request::SnapshotStop { tables } => snapshots.stop(tables, around),
            _ => Ok(snapshots.tell(around)),
        });
        let Some(answer) = answer else {
            return Ok(Answer::refused(
                "the agent reads its schema from a file (--schema), and asks no node: it cannot read rows",
                "let it ask the node: take --schema away (docs/operations.md)",
            ));
        };
        let answer = answer?;
        self.commit()?;
        self.tell_snapshots();
        Ok(answer)
    }

    /// `None` when there can be none: no node is asked for its schema.
    fn with_snapshots<T>(&mut self, act: impl FnOnce(&mut Snapshots, &mut Around<'_, '_>) -> T) -> Option<T> {
        let watermark_us = self.watermark.us();
        let Self { parts, writer, .. } = self;
        let snapshots = parts.snapshots.as_deref_mut()?;
        let newest = parts.schema.newest();
        let around = &mut Around {
            writer,
            notices: parts.notices,
            newest: &newest,
            config: parts.worker.config,
            watermark_us,
        };
        Some(act(snapshots, around))
    }
}
