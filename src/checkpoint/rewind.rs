//! Going back on purpose: what is done from a position on is to be done again.

use crate::commitlog::{Position, SegmentId};

use super::{Checkpoint, CheckpointError};

/// What going back comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewound {
    /// The segments that are read again, that of the position first.
    pub again: Vec<SegmentId>,
    /// Segments behind the position that are not there any more: nothing of them comes again.
    pub gone: Vec<SegmentId>,
    /// Parked mutations that are met again on the way.
    pub parked: usize,
}

impl Checkpoint {
    /// Everything from `to` on is not done, as far as `is_there` says that the segment can still be read.
    ///
    /// # Errors
    /// When the position was not reached yet. Nothing is changed then.
    pub fn rewind(
        &mut self,
        to: Position,
        is_there: impl Fn(SegmentId) -> bool,
    ) -> Result<Rewound, CheckpointError> {
        let segment = to.segment;
        let reached = self.open_at(segment);
        if self.done_as(segment).is_none() && reached.is_none_or(|reached| reached < to) {
            return Err(CheckpointError::NotReached { asked: to, reached });
        }
        let mut rewound = Rewound { again: vec![segment], ..Rewound::default() };
        let later = self.segments().into_iter().filter(|later| *later > segment);
        for later in later.collect::<Vec<_>>() {
            match is_there(later) {
                true => {
                    self.progress.forget(later);
                    rewound.again.push(later);
                }
                false => rewound.gone.push(later),
            }
        }
        self.progress.forget(segment);
        // Its reader finds the fingerprint anew: of a segment that was accepted as lost it may not be the true one.
        self.progress.insert(to, None);
        let is_met = |place: &Position| *place >= to && rewound.again.contains(&place.segment);
        let met: Vec<Position> = self.parked().filter(is_met).collect();
        rewound.parked = met.len();
        for place in met {
            self.unpark(place)?;
        }
        Ok(rewound)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Fingerprint;
    use super::*;

    fn at(text: &str) -> Position {
        text.parse().unwrap()
    }

    fn print(text: &str) -> Fingerprint {
        Fingerprint::of(text.as_bytes(), b"")
    }

    /// 3 and 4 are done, 5 is gone from the disk, 6 is open.
    fn checkpoint() -> Checkpoint {
        let mut checkpoint = Checkpoint::default();
        for place in ["3:20:1", "4:20:7", "5:20:1", "6:90:1"] {
            checkpoint.park(at(place), [1]).unwrap();
        }
        for id in [3, 4, 5] {
            checkpoint.finish(SegmentId(id), print(&id.to_string())).unwrap();
        }
        checkpoint.advance(at("6:90:4"), Some(print("6"))).unwrap();
        checkpoint
    }

    #[test]
    fn what_is_there_comes_again_and_the_rest_stays_done() {
        let mut rewound = checkpoint();
        let came = rewound.rewind(at("4:20:5"), |id| id != SegmentId(5)).unwrap();
        assert_eq!(came.again, [SegmentId(4), SegmentId(6)]);
        assert_eq!(came.gone, [SegmentId(5)]);
        assert_eq!(came.parked, 2);
        assert_eq!(rewound.open().collect::<Vec<_>>(), [at("4:20:5")]);
        let done: Vec<_> = rewound.done().map(|(id, _)| id.0).collect();
        assert_eq!(done, [3, 5]);
        assert_eq!(rewound.parked().collect::<Vec<_>>(), [at("3:20:1"), at("5:20:1")]);
    }

    #[test]
    fn in_the_open_segment_too() {
        let mut rewound = checkpoint();
        assert_eq!(rewound.rewind(at("6:90:2"), |_| true).unwrap().again, [SegmentId(6)]);
        assert_eq!(rewound.open_at(SegmentId(6)), Some(at("6:90:2")));
        assert!(rewound.is_parked(at("6:90:1")), "it stands before the position");
    }

    #[test]
    fn forward_is_refused() {
        for place in ["6:90:5", "7:20:0", "2:20:0"] {
            let mut same = checkpoint();
            let refused = same.rewind(at(place), |_| true);
            assert!(matches!(refused, Err(CheckpointError::NotReached { .. })), "{place}");
            assert_eq!(same, checkpoint());
        }
    }
}
