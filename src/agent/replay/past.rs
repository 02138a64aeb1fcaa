//! What earlier replays did, and what that means for the segments of this one.

use std::collections::{BTreeMap, BTreeSet};

use super::scope;
use crate::agent::exit::{Exit, Failure};
use crate::agent::pipeline::range::Range;
use crate::agent::pipeline::segment::Identity;
use crate::agent::pipeline::walk::start_of;
use crate::agent::warn;
use crate::checkpoint::{Checkpoint, Fingerprint, Scope};
use crate::cli::ReplayArgs;
use crate::commitlog::{Position, SectionStep, Sections, Segment, SegmentId};

/// What earlier replays did.
#[derive(Debug)]
pub(super) struct Past {
    /// In the scope of this replay, and when it repeats, since the repetition began.
    checkpoint: Checkpoint,
    /// In any scope.
    fingerprints: BTreeMap<SegmentId, Fingerprint>,
    allow_out_of_order: bool,
}

impl Past {
    /// What `committed` says to a replay with these options.
    ///
    /// # Errors
    /// The destination was written in another scope, or a repetition was interrupted, and this is none.
    pub(super) fn new(committed: Checkpoint, scope: Scope, args: &ReplayArgs) -> Result<Self, Failure> {
        if !args.output.again {
            if let Some(before) = committed.scope() {
                scope::check(before, &scope, args)?;
            }
            if committed.is_repeating() {
                return Err(interrupted(&committed, args));
            }
        }
        let fingerprints = committed.fingerprints().collect();
        let mut checkpoint = committed;
        checkpoint.enter(scope);
        if args.output.again {
            if checkpoint.is_repeating() {
                warn("--again goes on with the repetition that was interrupted");
            }
            checkpoint.begin_repetition();
        }
        Ok(Self { checkpoint, fingerprints, allow_out_of_order: args.output.allow_out_of_order })
    }

    /// From where this replay goes on.
    pub(super) fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Whether a segment was read to its end.
    pub(super) fn is_done(&self, segment: SegmentId) -> bool {
        self.checkpoint.done_as(segment).is_some()
    }

    /// Where a segment that is not done is gone on with.
    pub(super) fn reached(&self, segment: SegmentId) -> Position {
        self.checkpoint.open_at(segment).unwrap_or(start_of(segment))
    }

    /// The mutations of a segment that earlier replays parked and that are tried again.
    pub(super) fn parked_in(&self, segment: SegmentId) -> BTreeSet<Position> {
        self.checkpoint.parked().filter(|place| place.segment == segment).collect()
    }

    /// Checks that a segment is the one that was known by its id.
    ///
    /// # Errors
    /// It is another one.
    pub(super) fn check_identity(
        &self,
        label: &str,
        segment: SegmentId,
        identity: Identity,
    ) -> Result<(), Failure> {
        match (self.fingerprints.get(&segment), identity.lasting()) {
            (Some(before), Some(now)) if *before != now => Err(other_segment(label, segment)),
            _ => Ok(()),
        }
    }

    /// Whether a segment comes behind a newer one, `newest` being the newest one that this replay has read: then
    /// changes of a partition come in another order than they were made in.
    ///
    /// # Errors
    /// Nothing of the segment was read before, it holds something, and the options do not allow it.
    pub(super) fn is_late(
        &self,
        label: &str,
        segment: &Segment<'_>,
        newest: Option<SegmentId>,
        range: &Range,
    ) -> Result<bool, Failure> {
        let id = segment.descriptor().id;
        let newer = |newest: &SegmentId| *newest > id;
        let (written, read) = (self.checkpoint.newest().filter(newer), newest.filter(newer));
        let has_begun = self.is_done(id) || self.checkpoint.open_at(id).is_some();
        let Some(newest) = written.or(read) else { return Ok(false) };
        if self.allow_out_of_order || has_begun || !range.touches_segment(id) || !has_sections(segment) {
            return Ok(true);
        }
        let next = match written {
            Some(_) => {
                "use another directory for older segments, and one for each node; or --allow-out-of-order, which \
                 writes them now, with source.late true"
            }
            None => {
                "give the files of one node in the order of their ids, or as CommitLog-<version>-<id>.log, by which \
                 they are sorted; or use --allow-out-of-order, which marks them with source.late true"
            }
        };
        let what = if written.is_some() { "is in the file log already" } else { "was read before it" };
        let what = format!("{label}: segment {id} is older than segment {newest}, which {what}");
        Err(Failure::new(Exit::Usage, what).next(next))
    }
}

/// Two segments with one id.
pub(super) fn other_segment(label: &str, segment: SegmentId) -> Failure {
    let what = format!("{label}: another segment with id {segment} was replayed before it");
    Failure::new(Exit::Usage, what)
        .next("replay the segments of one node at a time, each node into its own destination")
}

/// Whether there is a section that can be read: only such a segment leaves a trace in a checkpoint.
fn has_sections(segment: &Segment<'_>) -> bool {
    let mut sections = Sections::new(segment);
    while sections.next_marker().is_some() {
        match sections.next_section() {
            Some(SectionStep::Section(_)) => return true,
            Some(SectionStep::Damage(_)) => {}
            None => return false,
        }
    }
    false
}

fn interrupted(committed: &Checkpoint, args: &ReplayArgs) -> Failure {
    let log = args.output.out.display();
    let done = committed.done().count();
    let open = committed.open().map(|place| format!(", one up to {place}")).collect::<String>();
    let what = format!(
        "{log}: a replay with --again was interrupted, after it had written {done} segments once more{open}"
    );
    Failure::new(Exit::Usage, what).next(
        "give the same command with --again: it goes on where it was interrupted, and once it has come to its end the \
         log goes on without --again",
    )
}
