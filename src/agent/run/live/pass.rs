//! What comes of a pass over the segments, and of each on the way.

use crate::cdc_raw::State;
use crate::commitlog::Position;

/// What a pass over the segments came to.
#[derive(Debug, Default)]
pub(super) struct Pass {
    pub(super) has_news: bool,
    /// Whether all that may be read was read.
    pub(super) is_drained: bool,
    /// Where bytes stand behind it; in later segments, too.
    pub(super) more_at: Vec<Position>,
}

/// Whether the segment behind one that was read to its end may be read.
pub(super) fn step(state: State) -> Step {
    if state.lets_next_begin() { Step::Through } else { Step::Wait }
}

/// What to do behind a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Go on with the next one.
    Through,
    /// More may come.
    Wait,
}
