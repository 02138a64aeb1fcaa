//! What becomes of segments that are final and wholly committed.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;

use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::cdc_raw::retention::{self, Elsewhere, Gone, RetentionError};
use crate::cdc_raw::{Directory, Finality, Standing, State, chain};
use crate::checkpoint::{Checkpoint, Fingerprint};
use crate::cli::{FinishedWord, LogArgs};
use crate::commitlog::SegmentName;

/// Deletes finished segments, moves them away, or leaves them.
#[derive(Debug)]
pub(super) struct Finished {
    what: What,
    /// Segments of which it was said that they stay.
    said: RefCell<BTreeSet<SegmentName>>,
    /// Those that went last.
    gone: RefCell<BTreeSet<SegmentName>>,
    /// Those that went once more, because Cassandra linked them again.
    resurrected: RefCell<Vec<SegmentName>>,
}

/// So many segments are remembered: more than Cassandra has in its commit log to link again after a crash.
const REMEMBERED: usize = 10_000;

#[derive(Debug)]
enum What {
    Delete,
    Archive(Elsewhere),
    Keep,
}

impl Finished {
    /// Deletes.
    pub(super) fn delete() -> Self {
        Self::with(What::Delete)
    }

    /// Leaves them.
    #[cfg(test)]
    pub(super) fn keep() -> Self {
        Self::with(What::Keep)
    }

    fn with(what: What) -> Self {
        Self { what, said: RefCell::default(), gone: RefCell::default(), resurrected: RefCell::default() }
    }

    /// As the options say.
    ///
    /// # Errors
    /// The archive is not there, or cannot take segments.
    pub(super) fn new(args: &LogArgs, directory: &Directory) -> Result<Self, Failure> {
        if let Some(unfit) = args.unfit_archive() {
            return Err(Failure::new(Exit::Usage, unfit.what).next(unfit.fix));
        }
        match (args.finished_segments, &args.archive_dir) {
            (FinishedWord::Delete, _) => Ok(Self::delete()),
            (FinishedWord::Archive, Some(path)) => Elsewhere::open(path, directory)
                .map(|elsewhere| Self::with(What::Archive(elsewhere)))
                .map_err(|error| {
                    Failure::new(Exit::Usage, "archive_directory cannot be used").because(error)
                }),
            (FinishedWord::Keep, _) | (FinishedWord::Archive, None) => Ok(Self::with(What::Keep)),
        }
    }

    /// Deals with a segment if it is final and all of it is committed in `checkpoint`. Whether it is gone.
    pub(super) fn take(&self, directory: &Directory, standing: &Standing, checkpoint: &Checkpoint) -> bool {
        let Some(expected) = may_go(standing, checkpoint) else { return false };
        let file = &standing.file;
        let expected = match standing.state {
            // There is nothing in it: whatever its head is, it may go.
            State::Orphan(_) => fingerprint(directory, file.name),
            _ => expected,
        };
        let done = match &self.what {
            What::Keep => return false,
            What::Delete => retention::delete(directory, file, expected),
            What::Archive(elsewhere) => elsewhere.take(directory, file, expected),
        };
        match done {
            Ok(Gone::Now) => {
                log::info(&format!("{} is finished", file.name));
                if checkpoint.done_as(file.name.id).is_some() {
                    self.went(file.name);
                }
                true
            }
            Ok(Gone::Before) => true,
            Err(error) => {
                self.say(file.name, &error);
                false
            }
        }
    }

    /// Deletes an index whose segment was finished and is gone: a stop came between the two.
    pub(super) fn take_index(&self, directory: &Directory, name: SegmentName) {
        if !matches!(self.what, What::Keep)
            && let Err(error) = retention::delete_stray_index(directory, name)
        {
            self.say(name, &error);
        }
    }

    /// The segments that came back since the last call, and went again.
    pub(super) fn take_resurrected(&self) -> Vec<SegmentName> {
        self.resurrected.take()
    }

    fn went(&self, name: SegmentName) {
        let mut gone = self.gone.borrow_mut();
        if !gone.insert(name) {
            self.resurrected.borrow_mut().push(name);
        }
        if gone.len() > REMEMBERED {
            gone.pop_first();
        }
    }

    fn say(&self, name: SegmentName, error: &RetentionError) {
        if !self.said.borrow_mut().insert(name) {
            return;
        }
        log::error(&format!("a finished segment stays in cdc_raw, which Cassandra fills: {error}"));
    }
}

fn fingerprint(directory: &Directory, name: SegmentName) -> Option<Fingerprint> {
    let _held = directory.hold_moves();
    let file = File::open(directory.segment(name)).ok()?;
    chain::fingerprint(&file, name).ok().flatten()
}

/// The fingerprint under which it was read, if it may go.
fn may_go(standing: &Standing, checkpoint: &Checkpoint) -> Option<Option<Fingerprint>> {
    let id = standing.file.name.id;
    match standing.state {
        State::Orphan(_) => Some(None),
        // Without an index it holds no change of a table with CDC, and Cassandra removes it.
        State::Final(finality) if standing.file.has_index || finality == Finality::Dropped => {
            checkpoint.done_as(id).filter(|_| checkpoint.is_complete(id)).map(Some)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitlog::SegmentId;

    #[test]
    fn a_segment_that_goes_a_second_time_came_back() {
        let finished = Finished::delete();
        let name = SegmentName { id: SegmentId(7), version: 7 };
        finished.went(name);
        assert_eq!(finished.take_resurrected(), []);
        finished.went(name);
        assert_eq!(finished.take_resurrected(), [name]);
        assert_eq!(finished.take_resurrected(), [], "it is told of once");
    }
}
