//! The reader of a file log.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::checkpoint::Checkpoint;
use crate::sink::SinkError;

use super::commit_file::{Commit, LogFile};
use super::names;

/// A file log as of its last commit when the reader was opened. Needs no lock: what was committed is never
/// changed.
#[derive(Debug)]
pub struct FileLogReader {
    dir: PathBuf,
    commit: Commit,
}

impl FileLogReader {
    /// Read what is committed in `dir`.
    ///
    /// # Errors
    /// When there is no file log, or one that this program does not know.
    pub fn open(dir: &Path) -> Result<Self, SinkError> {
        let commit = Commit::load(dir)?.ok_or_else(|| SinkError::Unfit {
            path: dir.to_owned(),
            what: format!("has no {}", names::COMMIT),
            hint: "name a directory that replay wrote",
        })?;
        Ok(Self { dir: dir.to_owned(), commit })
    }

    /// The committed checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.commit.checkpoint
    }

    /// Partitions of every topic.
    #[must_use]
    pub fn partitions(&self) -> u32 {
        self.commit.partitions.get().into()
    }

    /// The topics, in the order of their names.
    pub fn topics(&self) -> impl Iterator<Item = &str> {
        self.commit.topics.keys().map(String::as_str)
    }

    /// The offset that the next record of a partition will have: 0 when there is none yet.
    #[must_use]
    pub fn next_offset(&self, topic: &str, partition: u32) -> u64 {
        self.files(topic, partition).last().map_or(0, |file| file.next_offset)
    }

    /// The committed lines of a partition, without their newlines, in offset order. None for a partition
    /// that does not exist. A line whose offset is not the next one is an error, as is a file that does not end with the
    /// record that `commit.json` says: what is missing is never passed over.
    #[must_use]
    pub fn lines(&self, topic: &str, partition: u32) -> Lines {
        let dir = names::partition_dir(&self.dir, topic, partition);
        let place = |file: &LogFile| (dir.join(names::file_name(file.first_offset)), *file);
        let left = self.files(topic, partition).iter().map(place).collect();
        Lines { left, current: None, place: Place::default() }
    }

    /// As [`Self::lines`], beginning with the file that holds this offset.
    #[must_use]
    pub fn lines_from(&self, topic: &str, partition: u32, offset: u64) -> Lines {
        let mut lines = self.lines(topic, partition);
        lines.left.retain(|(_, file)| file.next_offset > offset);
        lines
    }

    /// As [`Self::lines`], beginning where other lines of this partition have come to.
    #[must_use]
    pub fn lines_at(&self, topic: &str, partition: u32, place: Place) -> Lines {
        let mut lines = self.lines(topic, partition);
        lines.left.retain(|(_, file)| file.first_offset >= place.file);
        lines.place = place;
        lines
    }

    /// Whether the log has this topic.
    #[must_use]
    pub fn has_topic(&self, topic: &str) -> bool {
        self.commit.topics.contains_key(topic)
    }

    fn files(&self, topic: &str, partition: u32) -> &[LogFile] {
        let files = self.commit.topics.get(topic).and_then(|partitions| partitions.get(&partition));
        files.map_or(&[], Vec::as_slice)
    }
}

/// The committed lines of one partition.
#[derive(Debug)]
pub struct Lines {
    left: VecDeque<(PathBuf, LogFile)>,
    current: Option<Current>,
    place: Place,
}

/// Between two lines of a partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// First offset of the file.
    file: u64,
    /// Bytes of the file before it.
    bytes: u64,
    /// Offset of the next line.
    next: u64,
}

/// A file that is being read.
#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: LogFile,
    reader: Take<BufReader<File>>,
}

/// What every line begins with.
#[derive(Deserialize)]
struct Offset {
    offset: u64,
}

impl Iterator for Lines {
    type Item = Result<String, SinkError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(current) = &mut self.current {
                match current.line(self.place.next) {
                    Ok(None) => self.current = None,
                    Ok(Some(line)) => {
                        self.place.bytes += line.len() as u64 + 1;
                        self.place.next += 1;
                        return Some(Ok(line));
                    }
                    Err(e) => return Some(Err(self.stop(e))),
                }
            }
            let (path, file) = self.left.pop_front()?;
            if self.place.file != file.first_offset || self.place.bytes == 0 {
                self.place = Place { file: file.first_offset, bytes: 0, next: file.first_offset };
            }
            let opened = File::open(&path).and_then(|mut opened| {
                opened.seek(SeekFrom::Start(self.place.bytes))?;
                Ok(BufReader::new(opened).take(file.bytes.saturating_sub(self.place.bytes)))
            });
            match opened {
                Ok(reader) => self.current = Some(Current { path, file, reader }),
                Err(e) => return Some(Err(self.stop(SinkError::io("open", &path, e)))),
            }
        }
    }
}

impl Lines {
    /// Where the next line stands.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// After an error there is nothing sound to read on from.
    fn stop(&mut self, error: SinkError) -> SinkError {
        self.left.clear();
        self.current = None;
        error
    }
}

impl Current {
    /// The line with the offset `next`; `None` at the file's committed end.
    fn line(&mut self, next: u64) -> Result<Option<String>, SinkError> {
        if self.reader.limit() == 0 {
            return Ok(None);
        }
        let mut line = String::new();
        self.reader.read_line(&mut line).map_err(|e| SinkError::io("read", &self.path, e))?;
        if line.pop() != Some('\n') {
            return Err(self.unfit("ends inside a committed line".to_owned()));
        }
        let found =
            offset_of(&line).ok_or_else(|| self.unfit(format!("offset {next}: a line without offset")))?;
        if found != next {
            return Err(self.unfit(format!("the record of offset {found} stands where {next} is expected")));
        }
        let (is_end, is_last) = (self.reader.limit() == 0, next.saturating_add(1) == self.file.next_offset);
        if is_end != is_last {
            let (bytes, end) = (self.file.bytes, self.file.next_offset);
            return Err(self.unfit(format!(
                "commit.json says that its {bytes} bytes end before offset {end}, which they do not: offset {next}"
            )));
        }
        Ok(Some(line))
    }

    fn unfit(&self, what: String) -> SinkError {
        SinkError::Unfit { path: self.path.clone(), what, hint: "restore the file log" }
    }
}

/// The offset of a line. That of a line which a writer of ours made is told without a look at the rest.
fn offset_of(line: &str) -> Option<u64> {
    let begin = line.strip_prefix("{\"offset\":").and_then(|rest| rest.split_once(','));
    match begin.map(|(digits, _)| digits.parse()) {
        Some(Ok(offset)) => Some(offset),
        _ => serde_json::from_str::<Offset>(line).ok().map(|line| line.offset),
    }
}
