//! One segment of a replay: its bytes, and whether it can still grow.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::agent::exit::Failure;
use crate::agent::input::SegmentFile;
use crate::agent::keys::Keys;
use crate::checkpoint::Fingerprint;
use crate::commitlog::map::SegmentBytes;
use crate::commitlog::{Segment, SegmentError};

/// An opened segment file.
#[derive(Debug)]
pub(super) struct OpenSegment {
    pub(super) file: SegmentFile,
    pub(super) label: String,
    /// Whether the index says that Cassandra writes no more into it. A single link alone does not: a copy of a
    /// growing segment has one, too.
    pub(super) is_completed: bool,
    bytes: SegmentBytes,
}

impl OpenSegment {
    pub(super) fn open(file: SegmentFile) -> Result<Self, Failure> {
        let path = &file.path;
        let is_completed = is_completed(&file);
        let is_final =
            is_completed || has_one_link(path).map_err(|error| Failure::cannot_read(path, error))?;
        let bytes = SegmentBytes::open(path, is_final).map_err(|error| Failure::cannot_read(path, error))?;
        Ok(Self { label: file.label(), file, is_completed, bytes })
    }

    /// The bytes of the file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Memory in bytes that the open segment takes: a map takes none.
    pub(super) fn memory(&self) -> usize {
        match &self.bytes {
            SegmentBytes::Mapped(_) | SegmentBytes::Empty => 0,
            SegmentBytes::Copied(memory, _) => memory.len(),
        }
    }

    /// Reads the descriptor.
    pub(super) fn segment(&self, keys: &Keys) -> Result<Segment<'_>, SegmentError> {
        Segment::open(&self.bytes, self.file.name, &|alias| keys.key(alias))
    }
}

/// Memory in bytes that opening `file` will take.
pub(super) fn memory_to_open(file: &SegmentFile) -> usize {
    let is_final = is_completed(file) || has_one_link(&file.path).unwrap_or(true);
    let length = || file.path.metadata().map_or(0, |metadata| metadata.len());
    if is_final { 0 } else { usize::try_from(length()).unwrap_or(usize::MAX) }
}

/// What tells a segment from another one with the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) fingerprint: Fingerprint,
    /// Whether the first section is whole: the fingerprint does not change any more.
    pub(super) is_lasting: bool,
}

impl Identity {
    pub(super) fn of(segment: &Segment<'_>) -> Self {
        let (descriptor, first_section) = segment.head();
        Self {
            fingerprint: Fingerprint::of(descriptor, first_section),
            is_lasting: !first_section.is_empty(),
        }
    }

    /// The fingerprint to remember, if it can be told already.
    pub(super) fn lasting(self) -> Option<Fingerprint> {
        self.is_lasting.then_some(self.fingerprint)
    }
}

/// Whether Cassandra does not hold the segment any more.
fn has_one_link(path: &Path) -> std::io::Result<bool> {
    Ok(fs::metadata(path)?.nlink() == 1)
}

fn is_completed(file: &SegmentFile) -> bool {
    let index = file.name.map(|name| file.path.with_file_name(name.index_file()));
    let text = index.and_then(|index| fs::read_to_string(index).ok());
    text.is_some_and(|text| text.lines().nth(1) == Some("COMPLETED"))
}
