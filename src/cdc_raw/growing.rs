//! Reads a segment that Cassandra still writes.
//!
//! Its bytes are copied with positioned reads and judged in the copy: another process changes them at any time. The
//! positions are those of the whole file, so that a segment that was read here in part can be gone on with by any
//! other reader, and the other way round.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::file_id::FileId;
use super::window::{Window, read_at};
use crate::commitlog::live::{LiveSection, SECTION_HEAD_LENGTH};
use crate::commitlog::map::open_regular;
use crate::commitlog::segment::KeyLookup;
use crate::commitlog::{DescriptorError, Index, Position, SegmentError, SegmentHead, SegmentName};
use crate::envelope::Visibility;

pub use batch::{Batch, Rest, Run};
pub use error::GrowingError;

mod batch;
mod error;
mod plain;
mod stored;
#[cfg(test)]
mod tests;

/// About as many bytes are given out at once; more only of a frame, or a stored section, that is longer.
pub const POLL_BYTES: usize = 1 << 20;
/// Read at once to follow the chain of markers to a place.
const SEEK_BYTES: usize = 16 << 10;

/// A segment that grows, and how far it was read.
#[derive(Debug)]
pub struct GrowingSegment {
    file: File,
    path: PathBuf,
    name: SegmentName,
    id: FileId,
    head: SegmentHead,
    at: At,
    /// Frames of the section at hand that were given out before this reader began.
    skip: u32,
    /// [`POLL_BYTES`], but in tests.
    poll_bytes: usize,
    /// Greatest length in bytes of the file so far.
    length: u64,
    /// Whether more stood there when the last poll ended.
    is_behind: bool,
    /// Whether a section was restored, so that the key is right.
    has_restored: bool,
    window: Window,
    buffers: Buffers,
    runs: Vec<Run>,
}

/// Memory that is reused from poll to poll.
#[derive(Debug, Default)]
struct Buffers {
    /// Plain bytes of the stored sections of a poll.
    plain: Vec<u8>,
    section: Vec<u8>,
    scratch: Vec<u8>,
}

/// Where the next frame is expected.
#[derive(Debug, Clone, Copy)]
struct At {
    /// File offset of the section's marker.
    marker: u64,
    /// Logical position of the section's first plain byte.
    logical_start: u64,
    /// Index of the frame in its section.
    entry: u32,
    /// Its offset in the section's plain bytes.
    offset: u64,
}

impl At {
    fn section(marker: u64, logical_start: u64) -> Self {
        Self { marker, logical_start, entry: 0, offset: 0 }
    }
}

impl GrowingSegment {
    /// Opens a segment to read it from `from` on. `None` while its descriptor is not written: Cassandra has just created
    /// it.
    ///
    /// # Errors
    /// See [`GrowingError`].
    pub fn open(
        path: &Path,
        name: SegmentName,
        from: Position,
        key: KeyLookup<'_>,
    ) -> Result<Option<Self>, GrowingError> {
        let io = |source| GrowingError::Io { path: path.to_owned(), source };
        let file = open_regular(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        let mut window = Window::default();
        window.read_head(&file).map_err(io)?;
        let head = match SegmentHead::open(window.bytes(), Some(name), key) {
            Ok(head) => head,
            Err(error) if is_being_written(&error) => return Ok(None),
            Err(source) => return Err(GrowingError::Head { path: path.to_owned(), source }),
        };
        let first = head.descriptor().length as u64;
        let mut growing = Self {
            file,
            path: path.to_owned(),
            name,
            id: FileId::of(&metadata),
            at: At::section(first, first + MARKER_BYTES),
            head,
            skip: 0,
            poll_bytes: POLL_BYTES,
            length: metadata.len(),
            is_behind: true,
            has_restored: false,
            window,
            buffers: Buffers::default(),
            runs: Vec::new(),
        };
        growing.seek(from)?;
        Ok(Some(growing))
    }

    /// The file that is read, whatever its name stands for by now.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Its name when it was opened.
    #[must_use]
    pub fn name(&self) -> SegmentName {
        self.name
    }

    /// Its head.
    #[must_use]
    pub fn head(&self) -> &SegmentHead {
        &self.head
    }

    /// Position of the next frame: everything before it was given out.
    #[must_use]
    pub fn next(&self) -> Position {
        let At { marker, entry, .. } = self.at;
        Position { segment: self.name.id, marker, entry: entry.max(self.skip), row: 0 }
    }

    /// Logical position up to which everything was given out: to compare with what [`Index`] says.
    #[must_use]
    pub fn logical_end(&self) -> u64 {
        match self.at.offset {
            // The marker does not count until something follows it.
            0 => self.at.logical_start - MARKER_BYTES,
            offset => self.at.logical_start + offset,
        }
    }

    /// Gives out what is new: whole frames whose checksums are right, as far as `visibility` allows.
    ///
    /// `synced` goes as far as `index` says, `marked` to the last marker that is whole, `written` beyond it. On a
    /// compressed or encrypted segment `written` is `marked`. Of a segment whose process has ended nothing beyond its
    /// last marker counts: ask for `marked` there at most. The index is to be read before the call.
    ///
    /// # Errors
    /// See [`GrowingError`]. What was given out before stays given out.
    pub fn poll(&mut self, visibility: Visibility, index: Index) -> Result<Batch<'_>, GrowingError> {
        self.runs.clear();
        self.window.clear();
        self.buffers.plain.clear();
        let reach = Reach { visibility, index };
        let is_stored = self.head.descriptor().is_stored();
        let rest = if is_stored { self.poll_stored(reach)? } else { self.poll_plain(reach)? };
        self.is_behind = rest == Rest::More;
        if self.runs.is_empty() {
            self.check_length()?;
        }
        let next = self.next();
        let bytes = if is_stored { self.buffers.plain.as_slice() } else { self.window.bytes() };
        Ok(Batch { bytes, runs: &self.runs, next, rest })
    }

    /// Whether something stands behind the place where the last poll ended: written, and not (yet) to be given out.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn has_more(&self) -> Result<bool, GrowingError> {
        let mut bytes = [0; 16];
        let start = self.at.marker + if self.at.offset == 0 { 0 } else { MARKER_BYTES + self.at.offset };
        let read = read_at(&self.file, &mut bytes, start).map_err(|error| self.io(error))?;
        Ok(bytes.iter().take(read).any(|byte| *byte != 0))
    }

    /// Follows the chain of markers to a place where reading ended before.
    fn seek(&mut self, from: Position) -> Result<(), GrowingError> {
        self.window.clear();
        while self.at.marker < from.marker {
            let section = self.section(SEEK_BYTES)?;
            let LiveSection::Closed { end, plain_length } = section else {
                return Err(self.not_in_chain(from));
            };
            self.step(end, plain_length);
        }
        if from.marker > 0 && self.at.marker != from.marker {
            return Err(self.not_in_chain(from));
        }
        self.skip = from.entry;
        Ok(())
    }

    /// What the section at hand says of itself. `ahead` bytes are read when its head is not in the window.
    fn section(&mut self, ahead: usize) -> Result<LiveSection, GrowingError> {
        let marker = self.at.marker;
        let end = marker + SECTION_HEAD_LENGTH as u64;
        let mut own = [0; SECTION_HEAD_LENGTH];
        if ahead > 0 && self.window.get(marker, end).is_none() {
            self.window.fill(&self.file, marker, ahead).map_err(|error| self.io(error))?;
        }
        let start = match self.window.get(marker, end) {
            Some(start) => start,
            None => {
                let read = read_at(&self.file, &mut own, marker).map_err(|error| self.io(error))?;
                own.get(..read).unwrap_or_default()
            }
        };
        Ok(self.head.descriptor().live_section(marker, start))
    }

    /// Goes over to the section behind this one.
    fn step(&mut self, end: u64, plain_length: usize) {
        let logical_end = match self.head.descriptor().is_stored() {
            true => self.at.logical_start + plain_length as u64,
            false => end,
        };
        self.at = At::section(end, logical_end + MARKER_BYTES);
        self.skip = 0;
    }

    fn push(&mut self, range: Range<usize>, entry: u32, offset: u64, visibility: Visibility) {
        if !range.is_empty() {
            let At { marker, logical_start, .. } = self.at;
            let logical_start = logical_start + offset;
            self.runs.push(Run { marker, entry, logical_start, offset, visibility, range });
        }
    }

    /// An error when the file is shorter than it was.
    fn check_length(&mut self) -> Result<(), GrowingError> {
        let length = self.file.metadata().map_err(|error| self.io(error))?.len();
        if length < self.length {
            return Err(GrowingError::Cut { path: self.path.clone(), was: self.length, is: length });
        }
        self.length = length;
        Ok(())
    }

    fn io(&self, source: io::Error) -> GrowingError {
        GrowingError::Io { path: self.path.clone(), source }
    }

    fn not_in_chain(&self, position: Position) -> GrowingError {
        GrowingError::NotInChain { path: self.path.clone(), position, end: self.at.marker }
    }
}

/// Length of a marker in the writer's buffer.
const MARKER_BYTES: u64 = 8;

/// How far may be read.
#[derive(Debug, Clone, Copy)]
struct Reach {
    visibility: Visibility,
    index: Index,
}

impl Reach {
    /// Whether sections that end at this logical position are to be given out.
    fn covers(self, end: u64) -> bool {
        self.visibility != Visibility::Synced || self.index.has_synced(end)
    }

    /// Whether frames beyond the last marker are to be given out. In a completed segment there are none.
    fn is_beyond_markers(self) -> bool {
        self.visibility == Visibility::Written && !self.index.is_completed()
    }

    /// What is known of a section that ends at this logical position.
    fn of_section(self, end: u64) -> Visibility {
        if self.index.has_synced(end) { Visibility::Synced } else { Visibility::Marked }
    }
}

/// Whether a descriptor may be whole the next time.
fn is_being_written(error: &SegmentError) -> bool {
    use DescriptorError::{Blank, Checksum, Short, Wiped};
    matches!(error, SegmentError::Descriptor(Short { .. } | Blank | Wiped | Checksum { .. }))
}
