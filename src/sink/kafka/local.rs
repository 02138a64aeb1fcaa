//! The copy of a node's checkpoint on the agent's own disk.
//!
//! Kafka has every checkpoint, and syncing a busy disk can take tenths of a second: so a thread of its own writes the
//! copy, now and then, and no batch waits for it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::checkpoint::Checkpoint;
use crate::durable::{is_as_sealed, replace, sealed};
use crate::failpoint;
use crate::sink::SinkError;

use super::notice::Notice;
use super::options::Observer;

/// Least time between two writes.
const WRITTEN_EVERY: Duration = Duration::from_secs(1);

/// The copy in this file; `None` when there is none.
///
/// # Errors
/// It cannot be read.
pub(super) fn load(path: &Path) -> Result<Option<Checkpoint>, SinkError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SinkError::io("read", path, error)),
    };
    let parsed = match is_as_sealed(&text) {
        true => Checkpoint::from_json(&text).map_err(|error| error.to_string()),
        false => Err("its checksum is wrong".to_owned()),
    };
    parsed.map(Some).map_err(|what| SinkError::Unfit {
        path: path.to_owned(),
        what,
        hint: "remove it when Kafka's checkpoint topic is whole",
    })
}

/// Writes the copy. What it was given last is written when it ends.
#[derive(Debug)]
pub(super) struct LocalCopy {
    path: PathBuf,
    asked: Arc<Asked>,
    writer: Option<JoinHandle<()>>,
}

/// What is to be written.
#[derive(Debug, Default)]
struct Asked {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    due: Option<Checkpoint>,
    is_ending: bool,
}

impl LocalCopy {
    /// Writes into this file. `observer` is told when that fails.
    pub(super) fn new(path: PathBuf, observer: Observer) -> Self {
        let asked = Arc::new(Asked::default());
        let writer = thread::Builder::new().name("checkpoint copy".to_owned()).spawn({
            let (path, asked, observer) = (path.clone(), Arc::clone(&asked), observer.clone());
            move || write_on(&path, &asked, &observer)
        });
        let writer = match writer {
            Ok(writer) => Some(writer),
            Err(error) => {
                observer.tell(&Notice::LocalCopy { reason: error.to_string() });
                None
            }
        };
        Self { path, asked, writer }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Asks for this checkpoint to be written, instead of what was not written yet.
    pub(super) fn store(&self, checkpoint: &Checkpoint) {
        self.asked.lock().due = Some(checkpoint.clone());
        self.asked.changed.notify_one();
    }
}

impl Drop for LocalCopy {
    fn drop(&mut self) {
        self.asked.lock().is_ending = true;
        self.asked.changed.notify_one();
        if let Some(writer) = self.writer.take() {
            // It has told what it could not do.
            let _ = writer.join();
        }
    }
}

impl Asked {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what is asked for until it is to end and nothing is left.
fn write_on(path: &Path, asked: &Asked, observer: &Observer) {
    loop {
        let idle = |state: &mut State| state.due.is_none() && !state.is_ending;
        let mut state = asked.changed.wait_while(asked.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        let Some(checkpoint) = state.due.take() else { return };
        drop(state);
        if let Err(error) = write(path, &checkpoint) {
            observer.tell(&Notice::LocalCopy { reason: error.to_string() });
        }
        let goes_on = |state: &mut State| !state.is_ending;
        drop(asked.changed.wait_timeout_while(asked.lock(), WRITTEN_EVERY, goes_on));
    }
}

fn write(path: &Path, checkpoint: &Checkpoint) -> Result<(), SinkError> {
    replace(path, &path.with_extension("tmp"), &[&sealed(checkpoint.to_json()?)])?;
    failpoint::cross("local_copy_written");
    Ok(())
}
