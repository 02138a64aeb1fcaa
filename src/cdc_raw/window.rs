//! A copy of a part of a file, and where it stands in it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::commitlog::{Descriptor, DescriptorError};

/// Bytes of a file, read at once. Its memory is reused.
#[derive(Debug, Default)]
pub(super) struct Window {
    memory: Vec<u8>,
    length: usize,
    start: u64,
    is_short: bool,
}

/// Most descriptors are much shorter.
const HEAD_GUESS: usize = 4 << 10;
/// No descriptor is longer: its parameters have at most 64 KiB.
const LONGEST_HEAD: usize = 128 << 10;

/// Memory that is kept for the next read.
const KEPT: usize = 2 << 20;

impl Window {
    /// Reads `length` bytes from `start` on, or as many as the file has.
    pub(super) fn fill(&mut self, file: &File, start: u64, length: usize) -> io::Result<()> {
        if length <= KEPT && self.memory.capacity() > KEPT {
            self.memory = Vec::new();
        }
        if self.memory.len() < length {
            self.memory.resize(length, 0);
        }
        (self.start, self.length) = (start, 0);
        let buffer = self.memory.get_mut(..length).unwrap_or_default();
        self.length = read_at(file, buffer, start)?;
        self.is_short = self.length < length;
        Ok(())
    }

    /// Reads the start of a segment: its descriptor, when it has one.
    pub(super) fn read_head(&mut self, file: &File) -> io::Result<()> {
        self.fill(file, 0, HEAD_GUESS)?;
        match Descriptor::parse(self.bytes()) {
            Err(DescriptorError::Short { .. }) if !self.is_short => self.fill(file, 0, LONGEST_HEAD),
            _ => Ok(()),
        }
    }

    /// Forgets what was read: the file may have changed.
    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    /// Whether the file ended before as many bytes were read as were asked for.
    pub(super) fn is_short(&self) -> bool {
        self.is_short
    }

    /// All bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }

    /// File offset of its end.
    pub(super) fn end(&self) -> u64 {
        self.start + self.length as u64
    }

    /// Place of a file offset in [`Self::bytes`], when it is in the window.
    pub(super) fn place(&self, offset: u64) -> Option<usize> {
        let place = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        (place < self.length).then_some(place)
    }

    /// The bytes between two file offsets, when all of them are in the window.
    pub(super) fn get(&self, from: u64, to: u64) -> Option<&[u8]> {
        let first = usize::try_from(from.checked_sub(self.start)?).ok()?;
        let last = usize::try_from(to.checked_sub(self.start)?).ok()?;
        self.bytes().get(first..last)
    }
}

/// Fills `buffer` from file offset `start` on, or as far as the file goes; how many bytes that were.
pub(super) fn read_at(file: &File, buffer: &mut [u8], start: u64) -> io::Result<usize> {
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, start + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
