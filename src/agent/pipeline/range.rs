//! Which part of the log is wanted.

use crate::cli::ReplayRange;
use crate::commitlog::{Position, SegmentId};

/// Bounds by position and by time.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::agent) struct Range {
    from: Option<Position>,
    to: Option<Position>,
    since_us: Option<i64>,
    until_us: Option<i64>,
}

impl Range {
    pub(in crate::agent) fn new(args: &ReplayRange) -> Self {
        Self {
            from: args.from,
            to: args.to,
            since_us: args.since.map(|time| time.0),
            until_us: args.until.map(|time| time.0),
        }
    }

    pub(in crate::agent) fn contains(&self, position: Position) -> bool {
        self.from.is_none_or(|from| from <= position) && self.to.is_none_or(|to| position < to)
    }

    /// Whether something of what stands from `start` up to `end` can be wanted. Damage has no time: of bounds only
    /// those by position count.
    pub(in crate::agent) fn touches(&self, start: Position, end: Position) -> bool {
        self.from.is_none_or(|from| from < end) && self.to.is_none_or(|to| start < to)
    }

    /// The same for a whole segment.
    pub(in crate::agent) fn touches_segment(&self, segment: SegmentId) -> bool {
        let start = Position { segment, marker: 0, entry: 0, row: 0 };
        self.touches(start, Position { marker: u64::MAX, ..start })
    }

    /// Whether `ts_us` lies in the wanted time; it is asked for only when there are bounds.
    #[inline]
    pub(in crate::agent) fn contains_time(&self, ts_us: impl Fn() -> i64) -> bool {
        self.since_us.is_none_or(|since| since <= ts_us())
            && self.until_us.is_none_or(|until| ts_us() < until)
    }

    /// Whether no event of the mutation at `position` (whatever its row) can be wanted.
    #[inline]
    pub(in crate::agent) fn excludes_mutation(&self, position: Position) -> bool {
        let last = Position { row: u32::MAX, ..position };
        self.from.is_some_and(|from| last < from)
            || self.to.is_some_and(|to| to <= Position { row: 0, ..position })
    }
}
