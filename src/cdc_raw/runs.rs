//! Runs: the segments that one Cassandra process made.
//!
//! A process numbers its segments one after the other, beginning above the milliseconds of the wall clock at its start
//! and at least two above the greatest id in its commit log directory. So neighbours belong together, and a gap is
//! either a new process or segments that are no longer there. A new process begins after the old one wrote last, at
//! an id above that time; a later segment of the same process has an id far below it.
//! Source: `CommitLogSegment` of Cassandra 4.0 to 5.0.

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::directory::SegmentFile;

/// A process that starts needs longer than this from the end of the one before to its first segment; and a segment's
/// time of change is never earlier than its process's start by more.
const SLACK: Duration = Duration::from_millis(500);

/// The runs among segments that are in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    /// Index ranges of the segments, in the order in which the processes lived.
    pub runs: Vec<Range<usize>>,
    /// Whether ids and times agree on that order. They do not when the clock went back and the commit log directory was
    /// wiped; then the times count, and no process is known to have ended.
    pub is_ordered: bool,
}

impl Runs {
    /// Finds the runs among `segments`.
    #[must_use]
    pub fn of(segments: &[SegmentFile]) -> Self {
        let mut runs: Vec<Range<usize>> = Vec::new();
        for (here, segment) in segments.iter().enumerate() {
            let before = here.checked_sub(1).and_then(|before| segments.get(before));
            match runs.last_mut() {
                Some(run) if before.is_some_and(|before| is_same_process(before, segment)) => {
                    run.end = here + 1
                }
                _ => runs.push(here..here + 1),
            }
        }
        let written = |run: &Range<usize>| {
            segments.get(run.clone()).unwrap_or_default().iter().map(|segment| segment.modified).max()
        };
        let late = |time: Option<SystemTime>| time.and_then(|time| time.checked_add(SLACK));
        let is_ordered = runs.windows(2).all(|pair| matches!(pair, [a, b] if written(a) <= late(written(b))));
        if !is_ordered {
            runs.sort_by_key(written);
        }
        Self { runs, is_ordered }
    }

    /// Whether a later process than that of run `run` made a segment.
    #[must_use]
    pub fn has_ended(&self, run: usize) -> bool {
        self.is_ordered && run + 1 < self.runs.len()
    }
}

/// Whether one process made both; `a` has the lower id.
pub(super) fn is_same_process(a: &SegmentFile, b: &SegmentFile) -> bool {
    let (first, second) = (a.name.id.0, b.name.id.0);
    first.checked_add(1) == Some(second) || second <= milliseconds(a.modified)
}

/// With [`SLACK`].
fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(SLACK);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
