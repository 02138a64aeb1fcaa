//! The copy of a node's checkpoint on the agent's own disk.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::checkpoint::Checkpoint;
use crate::durable::replace;
use crate::failpoint;
use crate::sink::SinkError;

/// Least time between two writes: Kafka has every checkpoint, and syncing a disk takes long.
const WRITTEN_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct LocalCopy {
    path: PathBuf,
    written: Option<Instant>,
    /// Not yet written, because the last one was just now.
    due: Option<Checkpoint>,
}

impl LocalCopy {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, written: None, due: None }
    }

    /// The copy; `None` when there is none.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn load(&self) -> Result<Option<Checkpoint>, SinkError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(SinkError::io("read", &self.path, error)),
        };
        Checkpoint::from_json(&text).map(Some).map_err(|error| SinkError::Unfit {
            path: self.path.clone(),
            what: error.to_string(),
            hint: "remove it when Kafka's checkpoint topic is whole",
        })
    }

    /// Writes it, unless that was done just now.
    ///
    /// # Errors
    /// What the operating system refuses.
    pub(super) fn store(&mut self, checkpoint: &Checkpoint) -> Result<(), SinkError> {
        if self.written.is_some_and(|written| written.elapsed() < WRITTEN_EVERY) {
            self.due = Some(checkpoint.clone());
            return Ok(());
        }
        self.write(checkpoint)
    }

    fn write(&mut self, checkpoint: &Checkpoint) -> Result<(), SinkError> {
        self.due = None;
        self.written = Some(Instant::now());
        replace(&self.path, &self.path.with_extension("tmp"), &[&checkpoint.to_json()?])?;
        failpoint::cross("local_copy_written");
        Ok(())
    }
}

impl Drop for LocalCopy {
    fn drop(&mut self) {
        if let Some(due) = self.due.take() {
            // Kafka has it.
            let _ = self.write(&due);
        }
    }
}
