//! A segment's bytes: a read-only map of a final segment, a copy of any other.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::Path;

/// The bytes of a segment file.
#[derive(Debug)]
pub enum SegmentBytes {
    /// Mapped: nobody writes to the file any more.
    Mapped(memmap2::Mmap),
    /// Copied: the file may still grow.
    Copied(Vec<u8>),
}

impl SegmentBytes {
    /// Opens `path`; maps it when `is_final`.
    ///
    /// # Errors
    /// The file cannot be opened, mapped or read.
    pub fn open(path: &Path, is_final: bool) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if is_final && file.metadata()?.len() > 0 {
            return map(&file).map(Self::Mapped);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Self::Copied(bytes))
    }
}

#[expect(unsafe_code, reason = "the one place where a file is mapped")]
fn map(file: &File) -> io::Result<memmap2::Mmap> {
    // SAFETY: the caller says that the segment is final: Cassandra writes a segment once, never recycles or
    // truncates it, and removes it by unlinking, which leaves the mapped bytes in place.
    let map = unsafe { memmap2::Mmap::map(file)? };
    Ok(map)
}

impl Deref for SegmentBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Copied(bytes) => bytes,
        }
    }
}
