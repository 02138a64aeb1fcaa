//! What becomes of segments that are final and wholly committed.

use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::cdc_raw::retention::{self, Elsewhere, Gone, RetentionError};
use crate::cdc_raw::{Directory, Finality, Standing, State};
use crate::checkpoint::{Checkpoint, Fingerprint};
use crate::cli::{FinishedWord, LogArgs};
use crate::commitlog::SegmentName;

/// Deletes finished segments, moves them away, or leaves them.
#[derive(Debug)]
pub(super) enum Finished {
    Delete,
    Archive(Elsewhere),
    Keep,
}

impl Finished {
    /// As the options say.
    ///
    /// # Errors
    /// The archive is not there, or cannot take segments.
    pub(super) fn new(args: &LogArgs, directory: &Directory) -> Result<Self, Failure> {
        match (args.finished_segments, &args.archive_dir) {
            (FinishedWord::Delete, None) => Ok(Self::Delete),
            (FinishedWord::Keep, None) => Ok(Self::Keep),
            (FinishedWord::Archive, Some(path)) => {
                Elsewhere::open(path, directory).map(Self::Archive).map_err(|error| {
                    Failure::new(Exit::Usage, "archive_directory cannot be used").because(error)
                })
            }
            (FinishedWord::Archive, None) => Err(Failure::new(
                Exit::Usage,
                "finished_segments is archive, and there is no archive_directory",
            )
            .next("name a directory on the file system of cdc_raw")),
            (_, Some(_)) => Err(Failure::new(
                Exit::Usage,
                "archive_directory is given, and finished_segments is not archive",
            )
            .next("set finished_segments to archive, or take the directory away")),
        }
    }

    /// Deals with a segment if it is final and all of it is committed in `checkpoint`. Whether it is gone.
    pub(super) fn take(&self, directory: &Directory, standing: &Standing, checkpoint: &Checkpoint) -> bool {
        let Some(expected) = may_go(standing, checkpoint) else { return false };
        let file = &standing.file;
        let done = match self {
            Self::Keep => return false,
            Self::Delete => retention::delete(directory, file, expected),
            Self::Archive(elsewhere) => elsewhere.take(directory, file, expected),
        };
        match done {
            Ok(Gone::Now) => {
                log::info(&format!("{} is finished", file.name));
                true
            }
            Ok(Gone::Before) => true,
            Err(error) => {
                self.say(&error);
                false
            }
        }
    }

    /// Deletes an index whose segment was finished and is gone: a stop came between the two.
    pub(super) fn take_index(&self, directory: &Directory, name: SegmentName) {
        if !matches!(self, Self::Keep)
            && let Err(error) = retention::delete_stray_index(directory, name)
        {
            self.say(&error);
        }
    }

    fn say(&self, error: &RetentionError) {
        log::error(&format!("a finished segment stays in cdc_raw, which Cassandra fills: {error}"));
    }
}

/// The fingerprint under which it was read, if it may go.
fn may_go(standing: &Standing, checkpoint: &Checkpoint) -> Option<Option<Fingerprint>> {
    let id = standing.file.name.id;
    let has_parked = || checkpoint.parked().any(|place| place.segment == id);
    match standing.state {
        State::Orphan(_) => Some(None),
        // Without an index it holds no change of a table with CDC, and Cassandra removes it.
        State::Final(finality) if standing.file.has_index || finality == Finality::Dropped => {
            checkpoint.done_as(id).filter(|_| !has_parked()).map(Some)
        }
        _ => None,
    }
}
