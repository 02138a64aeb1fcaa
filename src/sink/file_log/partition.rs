//! One partition of a file log, while it is written.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::envelope::Record;
use crate::sink::{SinkError, line};

use super::commit_file::{Files, LogFile};
use super::{DIR_MODE, FILE_MODE, directory, names};

/// The files of one partition and the lines that are not in them yet.
#[derive(Debug)]
pub(super) struct Partition {
    dir: PathBuf,
    /// With the lines in the buffer counted in.
    files: Files,
    buffer: Vec<u8>,
    /// The last file, when it is open.
    handle: Option<File>,
    /// Whether something was written to it that is not durable yet.
    unsynced: bool,
    /// Whether it got a record since it was opened.
    pub(super) is_used: bool,
    /// Whether a file was made since the last commit.
    pub(super) has_new_file: bool,
}

impl Partition {
    /// A partition in `dir`, which need not exist, with its committed files.
    pub(super) fn new(dir: PathBuf, files: Files) -> Self {
        Self {
            dir,
            files,
            buffer: Vec::new(),
            handle: None,
            unsynced: false,
            is_used: false,
            has_new_file: false,
        }
    }

    pub(super) fn files(&self) -> &[LogFile] {
        &self.files
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn is_open(&self) -> bool {
        self.handle.is_some()
    }

    pub(super) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes of memory that the buffer takes.
    pub(super) fn held(&self) -> usize {
        self.buffer.capacity()
    }

    /// Give the memory of an empty buffer back.
    pub(super) fn release(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = Vec::new();
        }
    }

    /// Append the record's line to the buffer, in a new file when the last one would grow beyond
    /// `roll_bytes`. Every file holds at least one line. A new buffer has room for `room` bytes.
    pub(super) fn append(
        &mut self,
        record: &impl PushLine,
        roll_bytes: u64,
        room: usize,
    ) -> Result<(), SinkError> {
        self.is_used = true;
        if self.buffer.capacity() == 0 {
            self.buffer.reserve_exact(room);
        }
        let offset = self.files.last().map_or(0, |file| file.next_offset);
        let start = self.buffer.len();
        record.push_line(&mut self.buffer, offset);
        let added = (self.buffer.len() - start) as u64;
        let full = self.files.last().is_none_or(|file| file.bytes.saturating_add(added) > roll_bytes);
        if full {
            let line = self.buffer.split_off(start);
            self.flush()?;
            self.sync()?;
            self.close();
            self.buffer = line;
            self.files.push(LogFile { first_offset: offset, next_offset: offset, bytes: 0 });
        }
        if let Some(file) = self.files.last_mut() {
            file.next_offset = offset.saturating_add(1);
            file.bytes = file.bytes.saturating_add(added);
        }
        Ok(())
    }

    /// Hand the buffer to the operating system.
    pub(super) fn flush(&mut self) -> Result<(), SinkError> {
        let Some(file) = self.files.last().copied() else {
            return Ok(());
        };
        if self.buffer.is_empty() {
            return Ok(());
        }
        let path = self.dir.join(names::file_name(file.first_offset));
        let mut handle = match self.handle.take() {
            Some(handle) => handle,
            None => self.open(&path, file.bytes - self.buffer.len() as u64)?,
        };
        self.unsynced = true;
        handle.write_all(&self.buffer).map_err(|e| SinkError::io("write", &path, e))?;
        self.buffer.clear();
        self.handle = Some(handle);
        Ok(())
    }

    /// Make what was flushed durable. An error is final: the operating system may have dropped the data.
    pub(super) fn sync(&mut self) -> Result<(), SinkError> {
        let Some(file) = self.files.last().filter(|_| self.unsynced) else { return Ok(()) };
        let path = self.dir.join(names::file_name(file.first_offset));
        let synced = match &self.handle {
            Some(handle) => handle.sync_data(),
            None => File::open(&path).and_then(|handle| handle.sync_data()),
        };
        synced.map_err(|e| SinkError::io("sync", &path, e))?;
        if let Some(handle) = &self.handle {
            // What stands in a file without this name, no reader finds.
            directory::still_at(&path, handle)?;
        }
        self.unsynced = false;
        Ok(())
    }

    /// Close the last file to save the handle; it is opened again when it is needed.
    ///
    /// If the operating system fails to write what was flushed, the next one who opens the file is told
    /// (Linux, since 4.16), which is [`Partition::sync`] at the latest.
    pub(super) fn close(&mut self) {
        self.handle = None;
    }

    /// Open the last file, of which `written` bytes were written.
    fn open(&mut self, path: &Path, written: u64) -> Result<File, SinkError> {
        let mut options = OpenOptions::new();
        options.append(true).mode(FILE_MODE);
        if written == 0 {
            let mut builder = DirBuilder::new();
            builder.recursive(true).mode(DIR_MODE);
            builder.create(&self.dir).map_err(|e| SinkError::io("create", &self.dir, e))?;
            options.create_new(true);
            self.has_new_file = true;
        }
        let file = options.open(path).map_err(|e| SinkError::io("open", path, e))?;
        let found = file.metadata().map_err(|e| SinkError::io("look at", path, e))?.len();
        if found != written {
            return Err(SinkError::Unfit {
                path: path.to_owned(),
                what: format!("has {found} bytes, and {written} were written"),
                hint: "let nothing else write there, and start again",
            });
        }
        Ok(file)
    }
}

/// What becomes a line.
pub(super) trait PushLine {
    /// Upper bound of the length of the line, in bytes.
    fn line_len(&self) -> usize;

    /// Appends `{"offset","ts_ms","key","value","headers"}` and a newline.
    fn push_line(&self, out: &mut Vec<u8>, offset: u64);
}

impl PushLine for Record<'_> {
    fn line_len(&self) -> usize {
        // Offset and time are at most 20 digits each, and the constant text is 21 bytes.
        line::body_len(self.key, self.value, self.event_id) + 64
    }

    fn push_line(&self, out: &mut Vec<u8>, offset: u64) {
        out.reserve(self.line_len());
        push_head(out, offset, self.ts_ms);
        line::push_body(out, self.key, self.value, self.event_id);
    }
}

/// A line of its parts, with its time.
impl PushLine for (i64, line::Line<'_>) {
    fn line_len(&self) -> usize {
        self.1.len() + 64
    }

    fn push_line(&self, out: &mut Vec<u8>, offset: u64) {
        out.reserve(self.line_len());
        push_head(out, offset, self.0);
        self.1.push(out);
    }
}

fn push_head(out: &mut Vec<u8>, offset: u64, ts_ms: i64) {
    out.extend_from_slice(b"{\"offset\":");
    out.extend_from_slice(itoa::Buffer::new().format(offset).as_bytes());
    out.extend_from_slice(b",\"ts_ms\":");
    out.extend_from_slice(itoa::Buffer::new().format(ts_ms).as_bytes());
    out.push(b',');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitlog::{Position, SegmentId};

    #[test]
    fn what_was_flushed_is_synced_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut partition = Partition::new(dir.path().join("t/0"), Vec::new());
        let position = Position { segment: SegmentId(1), marker: 20, entry: 0, row: 0 };
        let record = Record {
            topic: "t",
            partition_hash: 0,
            key: b"{}",
            value: None,
            event_id: "00000000000000000000000000000000",
            ts_ms: 0,
            position,
        };
        partition.append(&record, 1 << 20, 1 << 10).unwrap();
        assert!(!partition.unsynced, "nothing was given to the operating system yet");
        partition.flush().unwrap();
        assert!(partition.unsynced);
        partition.sync().unwrap();
        assert!(!partition.unsynced);
    }
}
