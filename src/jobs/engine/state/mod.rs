//! What a job keeps on its own disk: a snapshot of its state, and a journal of what it read since.
//!
//! ```text
//! <dir>/snapshot                 the state as of a commit: a line of JSON that describes it, then its bytes
//! <dir>/journal-<generation>     one line for each commit since that snapshot, written before the commit
//! ```
//! The directory itself is locked. Nothing in it is needed to read the outputs; without it a job cannot go on.

mod journal;
mod snapshot;

use std::path::{Path, PathBuf};

use super::error::EngineError;
use super::outlet::Committed;
use super::position::Positions;
use crate::agent::exit::{Exit, Failure};
use crate::agent::output::make_dir;
use crate::agent::state_lock::StateLock;

pub(super) use journal::{Frame, Journal, Step};
pub(super) use snapshot::Snapshot;

/// What to do when the state cannot be used.
const REBUILD: &str = "restore the directory from a copy that is as new as the output, or give --rebuild-state, which reads all that \
     the topics still hold once more, without output; docs/engine.md says what is not known then";

/// The state directory of a job; locked until it is dropped.
#[derive(Debug)]
pub struct StateDir {
    dir: PathBuf,
    _lock: StateLock,
}

/// How a job begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// For the first time.
    First,
    /// From a snapshot, with the records of these commits once more.
    From {
        /// The state.
        snapshot: Snapshot,
        /// What was read up to the last commit.
        frames: Vec<Frame>,
    },
    /// The output holds commits, and the state is not there or damaged.
    Lost(String),
}

impl StateDir {
    /// Takes the directory, and makes it where it is missing.
    ///
    /// # Errors
    /// Another process has it, or it cannot be made.
    pub fn open(dir: &Path) -> Result<Self, Failure> {
        make_dir(dir)?;
        Ok(Self { dir: dir.to_owned(), _lock: StateLock::take(dir)? })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Whether this directory is another life's than the outputs: what it holds, if anything, is no state of theirs.
    pub(super) fn is_new_to(&self, committed: &Committed) -> bool {
        let found = Snapshot::read(&self.dir);
        !matches!(found, Ok(snapshot::Found::Whole(snapshot)) if snapshot.state == committed.state)
    }

    /// How the job `name` begins when the output holds `committed`.
    ///
    /// # Errors
    /// The directory belongs to another job or another output.
    pub(super) fn start(&self, name: &str, committed: Option<&Committed>) -> Result<Start, EngineError> {
        let snapshot = match Snapshot::read(&self.dir)? {
            snapshot::Found::Whole(snapshot) => snapshot,
            snapshot::Found::Missing if committed.is_none() => return Ok(Start::First),
            snapshot::Found::Missing => {
                return Ok(Start::Lost(format!("{} holds no state", self.dir.display())));
            }
            snapshot::Found::Damaged(why) => {
                return Ok(match committed {
                    Some(_) => Start::Lost(format!("the state in {} is damaged: {why}", self.dir.display())),
                    None => Start::First,
                });
            }
        };
        if snapshot.job != name {
            let what = format!("{} holds the state of the job {}", self.dir.display(), snapshot.job);
            return Err(EngineError::new(Exit::Usage, what).next("give each job a directory of its own"));
        }
        self.since(snapshot, committed)
    }

    fn since(&self, snapshot: Snapshot, committed: Option<&Committed>) -> Result<Start, EngineError> {
        let Some(committed) = committed else {
            if snapshot.generation == 0 {
                return Ok(Start::First);
            }
            return Err(self.foreign(&format!("{} commits, and the output none", snapshot.generation)));
        };
        if snapshot.state != committed.state {
            return Err(self.foreign("the state of another output"));
        }
        if snapshot.generation > committed.generation {
            let (here, there) = (snapshot.generation, committed.generation);
            return Err(self.foreign(&format!("{here} commits, and the output {there}")));
        }
        let mut frames = journal::read(&self.dir, snapshot.generation)?;
        // What was read for a commit that did not take place is read again.
        frames.retain(|frame| frame.generation <= committed.generation);
        let expected = snapshot.generation + 1..=committed.generation;
        if !frames.iter().map(|frame| frame.generation).eq(expected) {
            let what =
                format!("the journal in {} ends before the last commit of the output", self.dir.display());
            return Ok(Start::Lost(what));
        }
        Ok(Start::From { snapshot, frames })
    }

    fn foreign(&self, holds: &str) -> EngineError {
        let what = format!("{} holds {holds}", self.dir.display());
        EngineError::new(Exit::Usage, what)
            .next("name the state directory that belongs to this output; for a new output give an empty one")
    }

    /// The error of a state that is lost.
    pub(super) fn lost(why: &str) -> EngineError {
        EngineError::new(Exit::Unreadable, format!("{why}, but the job has outputs already")).next(REBUILD)
    }

    /// Writes the state as of a commit, and begins the journal of what follows.
    pub(super) fn save(&self, snapshot: &Snapshot) -> Result<Journal, EngineError> {
        snapshot.write(&self.dir)?;
        let journal = Journal::create(&self.dir, snapshot.generation)?;
        journal::remove_others(&self.dir, snapshot.generation);
        Ok(journal)
    }

    /// The journal behind the snapshot of this generation, cut back to the frames that count.
    pub(super) fn go_on(&self, base: u64, frames: &[Frame]) -> Result<Journal, EngineError> {
        Journal::cut_back(&self.dir, base, frames)
    }
}

/// A new id of a state.
pub(super) fn new_id() -> Result<String, EngineError> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut random| std::io::Read::read_exact(&mut random, &mut bytes))
        .map_err(|error| EngineError::new(Exit::Bug, format!("no random numbers: {error}")))?;
    Ok(hex::encode(bytes))
}

/// The state of a job as of a commit.
pub(super) fn snapshot(name: &str, committed: &Committed, bytes: Vec<u8>) -> Snapshot {
    Snapshot {
        job: name.to_owned(),
        state: committed.state.clone(),
        generation: committed.generation,
        definition: committed.definition.clone(),
        positions: committed.positions.clone(),
        bytes,
    }
}

/// Where each partition is after the steps of a frame.
pub(super) fn advance(positions: &mut Positions, topics: &[String], frame: &Frame) {
    for step in &frame.steps {
        if let Step::Read { input, partition, to } = step
            && let Some(topic) = topics.get(*input)
        {
            positions.set(topic, *partition, *to);
        }
    }
}
