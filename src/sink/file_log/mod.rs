//! The file log: topics and partitions as files, with the promises of a transactional broker and without one.
//!
//! ```text
//! <dir>/<topic>/<partition>/<first offset, 20 digits>.jsonl   {"offset","ts_ms","key","value","headers"} a line
//! <dir>/commit.json                                           the checkpoint, and what of the files is committed
//! <dir>/lock                                                  locked by the one writer
//! ```
//! A commit syncs the data, then replaces `commit.json` in one step. Readers stop where it says; a writer
//! that starts cuts the files back to it. `docs/file-log.md` describes the format for readers.

mod commit_file;
mod directory;
mod names;
mod partition;
mod reader;
mod recovery;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use crate::checkpoint::Checkpoint;
use crate::durable::sync_dir;
use crate::envelope::Record;
use crate::failpoint;

use super::line::Line;
use super::{Sink, SinkError};
use commit_file::Commit;
use partition::{Partition, PushLine};
pub use reader::{FileLogReader, Lines, Place};

/// Only the owner reads: a segment may hold anything.
const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;

/// Fewest bytes gathered for one partition before they are written, however many partitions there are.
const MIN_WRITE_BYTES: usize = 4 << 10;

/// How a file log is written. The default is meant for every use but tests.
#[derive(Debug, Clone)]
pub struct FileLogOptions {
    /// Partitions of every topic, fixed when the log is made. `None`: what the log has, one for a new log.
    pub partitions: Option<NonZeroU16>,
    /// A file is not extended beyond this length, unless it holds a single line.
    pub roll_bytes: u64,
    /// Most bytes gathered for one partition before they are written.
    pub write_bytes: usize,
    /// Memory for all partitions' buffers together, in bytes.
    pub buffer_bytes: usize,
    /// Data files kept open at once.
    pub open_files: usize,
}

impl Default for FileLogOptions {
    fn default() -> Self {
        Self {
            partitions: None,
            roll_bytes: 128 << 20,
            write_bytes: 128 << 10,
            buffer_bytes: 8 << 20,
            open_files: 512,
        }
    }
}

/// The writer of a file log.
#[derive(Debug)]
pub struct FileLog {
    dir: PathBuf,
    options: FileLogOptions,
    partition_count: NonZeroU16,
    checkpoint: Checkpoint,
    jobs: BTreeMap<String, serde_json::Value>,
    /// Topic → index in `topics`.
    topic_ids: HashMap<Box<str>, usize>,
    topics: Vec<Box<str>>,
    /// The topic of the last record: mostly the topic of the next one, too.
    last_topic: usize,
    /// The partitions of the first topic, of the second, and so on.
    partitions: Vec<Partition>,
    /// Indexes of the partitions with an open file, the one opened first in front.
    open: VecDeque<usize>,
    /// Memory that the buffers take, in bytes.
    held: usize,
    /// How many partitions got a record since the log was opened.
    used: usize,
    /// Whether records were sent since the last commit.
    dirty: bool,
    failed: bool,
    /// Holds the lock until it is dropped, or the process is gone.
    home: directory::Home,
}

impl FileLog {
    /// Open the file log in `dir`, cut back to its last commit; make it when the directory is missing or empty.
    ///
    /// # Errors
    /// When another writer has it, when the directory holds something else or damage, or has another number
    /// of partitions than asked for, and what the operating system refuses.
    pub fn open(dir: &Path, options: FileLogOptions) -> Result<Self, SinkError> {
        let created = directory::prepare(dir)?;
        let home = directory::Home::lock(dir)?;
        let commit = match Commit::load(dir)? {
            Some(commit) => {
                directory::check_partitions(dir, &commit, options.partitions)?;
                recovery::cut_back(dir, &commit)?;
                commit
            }
            None => {
                let commit = Commit::new(options.partitions.unwrap_or(NonZeroU16::MIN));
                commit.store(dir)?;
                commit
            }
        };
        if created && let Some(parent) = dir.parent().filter(|parent| *parent != Path::new("")) {
            sync_dir(parent)?;
        }
        Ok(Self::new(dir.to_owned(), options, commit, home))
    }

    fn new(dir: PathBuf, options: FileLogOptions, commit: Commit, home: directory::Home) -> Self {
        let mut log = Self {
            dir,
            options,
            partition_count: commit.partitions,
            checkpoint: commit.checkpoint,
            jobs: commit.jobs,
            topic_ids: HashMap::new(),
            topics: Vec::new(),
            last_topic: 0,
            partitions: Vec::new(),
            open: VecDeque::new(),
            held: 0,
            used: 0,
            dirty: false,
            failed: false,
            home,
        };
        for (topic, files) in commit.topics {
            log.add_topic(&topic, files);
        }
        log
    }

    fn add_topic(&mut self, topic: &str, mut files: BTreeMap<u32, commit_file::Files>) -> usize {
        for number in 0..u32::from(self.partition_count.get()) {
            let dir = names::partition_dir(&self.dir, topic, number);
            self.partitions.push(Partition::new(dir, files.remove(&number).unwrap_or_default()));
        }
        let id = self.topics.len();
        self.topics.push(Box::from(topic));
        self.topic_ids.insert(Box::from(topic), id);
        id
    }

    /// The index in `topics`.
    fn topic(&mut self, topic: &str) -> Result<usize, SinkError> {
        if self.topics.get(self.last_topic).is_some_and(|last| **last == *topic) {
            return Ok(self.last_topic);
        }
        self.last_topic = match self.topic_ids.get(topic) {
            Some(id) => *id,
            None => {
                names::check_topic(topic)?;
                self.add_topic(topic, BTreeMap::new())
            }
        };
        Ok(self.last_topic)
    }

    fn accept(&mut self, topic: &str, partition: u32, record: &impl PushLine) -> Result<(), SinkError> {
        let number = partition % u32::from(self.partition_count.get());
        let first = self.topic(topic)?.saturating_mul(self.partition_count.get().into());
        let index = first.saturating_add(number as usize);
        self.dirty = true;
        // Buffers share the memory: the more partitions are used, the earlier each is written.
        let share = self.options.buffer_bytes / self.used.max(1);
        let room = share.max(MIN_WRITE_BYTES).min(self.options.write_bytes);
        let Some(partition) = self.partitions.get(index) else { return Err(SinkError::Failed) };
        if partition.buffered() > 0 && partition.buffered() + record.line_len() > room {
            self.flush(index)?;
            if self.partitions.get(index).is_some_and(|partition| partition.held() > 2 * room) {
                self.release(index);
            }
        }
        let Some(partition) = self.partitions.get_mut(index) else { return Err(SinkError::Failed) };
        let held = partition.held();
        self.used += usize::from(!partition.is_used);
        partition.append(record, self.options.roll_bytes, room)?;
        self.held = (self.held + partition.held()).saturating_sub(held);
        if self.held > self.options.buffer_bytes { self.flush_all() } else { Ok(()) }
    }

    /// Write one partition's buffer, closing the file that was opened first when too many are open.
    fn flush(&mut self, index: usize) -> Result<(), SinkError> {
        let Some(partition) = self.partitions.get_mut(index) else { return Ok(()) };
        let was_open = partition.is_open();
        if !was_open && partition.buffered() > 0 {
            // Nothing is made, or opened, where another directory is now.
            self.home.check()?;
        }
        partition.flush()?;
        if !was_open && partition.is_open() && !self.open.contains(&index) {
            self.open.push_back(index);
        }
        while self.open.len() > self.options.open_files.max(1) {
            let oldest = self.open.pop_front().and_then(|oldest| self.partitions.get_mut(oldest));
            oldest.map(Partition::close);
        }
        Ok(())
    }

    /// Give the memory of one partition's buffer back.
    fn release(&mut self, index: usize) {
        let Some(partition) = self.partitions.get_mut(index) else { return };
        let held = partition.held();
        partition.release();
        self.held = self.held.saturating_sub(held - partition.held());
    }

    /// Write all buffers and give their memory back.
    fn flush_all(&mut self) -> Result<(), SinkError> {
        for index in 0..self.partitions.len() {
            self.flush(index)?;
            self.release(index);
        }
        Ok(())
    }

    fn write_commit(&mut self, checkpoint: &Checkpoint) -> Result<(), SinkError> {
        self.flush_all()?;
        failpoint::cross("file_log_flushed");
        let mut dirs: BTreeSet<&Path> = BTreeSet::new();
        for partition in &mut self.partitions {
            partition.sync()?;
        }
        for partition in self.partitions.iter().filter(|partition| partition.has_new_file) {
            // The file's entry, the entry of its directory, and that of the topic's.
            dirs.extend(partition.dir().ancestors().take(3));
        }
        // Deepest first: an entry is only worth something when what it leads to is there.
        dirs.into_iter().rev().try_for_each(sync_dir)?;
        let mut commit = Commit::new(self.partition_count);
        commit.checkpoint = checkpoint.clone();
        commit.jobs = self.jobs.clone();
        commit.topics = self.committed_files();
        self.home.check()?;
        commit.store(&self.dir)?;
        // It may have gone elsewhere meanwhile.
        self.home.check()?;
        self.partitions.iter_mut().for_each(|partition| partition.has_new_file = false);
        self.checkpoint = commit.checkpoint;
        self.dirty = false;
        Ok(())
    }

    fn committed_files(&self) -> BTreeMap<String, BTreeMap<u32, commit_file::Files>> {
        let count = usize::from(self.partition_count.get());
        let files = |partitions: &[Partition]| {
            (0..)
                .zip(partitions)
                .filter(|(_, partition)| !partition.files().is_empty())
                .map(|(number, partition)| (number, partition.files().to_vec()))
                .collect()
        };
        self.topics
            .iter()
            .zip(self.partitions.chunks(count))
            .map(|(topic, partitions)| (topic.to_string(), files(partitions)))
            .collect()
    }

    /// How far a job came, as it said with its last commit.
    #[must_use]
    pub fn job(&self, name: &str) -> Option<&serde_json::Value> {
        self.jobs.get(name)
    }

    /// Accepts a line of a topic, after all that was sent before.
    ///
    /// # Errors
    /// As of [`Sink::send`].
    pub(crate) fn append(
        &mut self,
        topic: &str,
        partition: u32,
        ts_ms: i64,
        line: Line<'_>,
    ) -> Result<(), SinkError> {
        self.guarded(|log| log.accept(topic, partition, &(ts_ms, line)))
    }

    /// As [`Sink::commit`], with how far a job came in place of a checkpoint.
    ///
    /// # Errors
    /// As of [`Sink::commit`].
    pub fn commit_job(&mut self, name: &str, progress: serde_json::Value) -> Result<(), SinkError> {
        self.guarded(|log| {
            log.jobs.insert(name.to_owned(), progress);
            log.write_commit(&log.checkpoint.clone())
        })
    }

    /// Remember a failure: after it nobody knows what is in the files, until they are cut back.
    fn guarded(&mut self, step: impl FnOnce(&mut Self) -> Result<(), SinkError>) -> Result<(), SinkError> {
        if self.failed {
            return Err(SinkError::Failed);
        }
        let result = step(self);
        self.failed = result.is_err();
        result
    }
}

impl Sink for FileLog {
    fn send(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        self.guarded(|log| log.accept(record.topic, record.partition_hash, record))
    }

    fn commit(&mut self, checkpoint: &Checkpoint) -> Result<(), SinkError> {
        self.guarded(|log| {
            checkpoint.check_follows(&log.checkpoint)?;
            if !log.dirty && *checkpoint == log.checkpoint {
                return Ok(());
            }
            log.write_commit(checkpoint)
        })
    }

    fn take_back(&mut self, checkpoint: &Checkpoint) -> Result<(), SinkError> {
        self.guarded(|log| log.write_commit(checkpoint))
    }

    fn checkpoint(&self) -> Option<&Checkpoint> {
        Some(&self.checkpoint)
    }

    fn partitions(&mut self, _: &str) -> Result<u32, SinkError> {
        Ok(u32::from(self.partition_count.get()))
    }
}
