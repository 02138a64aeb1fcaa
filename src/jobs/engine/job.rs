//! What a job is to the engine.

use serde_json::Value;

use super::error::EngineError;
use super::outlet::Output;
use super::record::InputRecord;

/// Makes outputs of records. What it does depends on its state, on the records and their order, and on nothing else: no
/// clock, no random numbers. After a crash it gets the same records in the same order.
pub trait Job {
    /// Said before anything else: how many partitions each input has.
    fn begin(&mut self, partitions: &[u32]) {
        let _ = partitions;
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// An output does not take what was given to it.
    fn process(&mut self, record: &InputRecord, output: &mut dyn Output) -> Result<(), EngineError>;

    /// A partition has had no record for a while, though all of it is read: nothing needs to wait for it until its next
    /// record.
    ///
    /// # Errors
    /// As of [`Self::process`].
    fn idle(&mut self, input: usize, partition: u32, output: &mut dyn Output) -> Result<(), EngineError> {
        let _ = (input, partition, output);
        Ok(())
    }

    /// Whether records of an input should wait: the job remembers much already, and needs the other inputs to go on.
    fn holds(&self, input: usize) -> bool {
        let _ = input;
        false
    }

    /// Before every commit: what waited for its outputs to be written together.
    ///
    /// # Errors
    /// As of [`Self::process`].
    fn flush(&mut self, output: &mut dyn Output) -> Result<(), EngineError> {
        let _ = output;
        Ok(())
    }

    /// All that was there is read, and the job ends after the next commit. It may be started again and go on.
    ///
    /// # Errors
    /// As of [`Self::process`].
    fn end(&mut self, output: &mut dyn Output) -> Result<(), EngineError> {
        let _ = output;
        Ok(())
    }

    /// Appends the whole state.
    ///
    /// # Errors
    /// It cannot be written down.
    fn save(&self, state: &mut Vec<u8>) -> Result<(), EngineError>;

    /// Takes on a state that [`Self::save`] wrote, in place of its own.
    ///
    /// # Errors
    /// It was not written by such a job.
    fn load(&mut self, state: &[u8]) -> Result<(), EngineError>;

    /// The state was lost and made anew from the records that are still there.
    fn rebuilt(&mut self, rebuilt: &Rebuilt) {
        let _ = rebuilt;
    }

    /// Whether what was counted goes together; in words where it does not. Asked before every commit.
    fn contradiction(&self) -> Option<String> {
        None
    }

    /// What it did so far.
    fn report(&self) -> JobReport;
}

/// What is known after a state was made anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// The latest Kafka timestamp, in milliseconds, before which records of some partition are gone: nothing is known
    /// for certain up to then. None: all records since the first are there.
    pub unknown_until_ms: Option<i64>,
    /// The latest Kafka timestamp, in milliseconds, of a record that was first read under another definition (other
    /// rules): what is made of it now need not be what its outputs say. None: there is none.
    pub other_until_ms: Option<i64>,
}

/// What kind of numbers a metric has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// One number of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name of the metric; samples of one name follow each other.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// What it means.
    pub help: &'static str,
    /// Labels beside those of the job.
    pub labels: Vec<(&'static str, String)>,
    /// The number.
    pub value: u64,
}

/// What a job did so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobReport {
    /// For `/metrics`.
    pub samples: Vec<Sample>,
    /// For `/status` and the summary at the end: an object.
    pub summary: Value,
    /// The same for people: lines of a name and a text.
    pub lines: Vec<(String, String)>,
}
