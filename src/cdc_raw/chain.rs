//! Follows a segment's chain of markers without looking into its sections: no key is needed, and little is read.

use std::fs::File;
use std::io;

use super::window::{Window, read_at};
use crate::checkpoint::{Fingerprint, FingerprintParts};
use crate::commitlog::live::{LiveSection, SECTION_HEAD_LENGTH};
use crate::commitlog::{Descriptor, DescriptorError, SegmentName};

/// Read at once for a fingerprint.
const PART: usize = 256 << 10;

/// What is known of a segment's chain of markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    descriptor: Descriptor,
    /// File offset to which it leads.
    pub end: u64,
    /// What stands there.
    pub at_end: ChainEnd,
    /// Number of sections.
    pub sections: u64,
    /// Whether a section holds anything.
    pub has_content: bool,
}

/// What stands where a chain of markers ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainEnd {
    /// Nothing: it ends as Cassandra ends it.
    Clean,
    /// A marker that is not whole, or that contradicts itself.
    Torn,
    /// A marker that points behind the end of the file.
    Cut,
}

/// What the head of a file allows to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// Only zeros, or nothing: it was created and not written.
    Blank,
    /// Not a head that can be read (yet), or the head of another segment than its name says.
    Unreadable(DescriptorError),
    /// The head says another id or version than the name.
    Misnamed,
    /// The chain, as far as it leads.
    Chain(Chain),
}

impl Followed {
    /// The chain, if the head could be read.
    #[must_use]
    pub fn chain(&self) -> Option<&Chain> {
        match self {
            Self::Chain(chain) => Some(chain),
            _ => None,
        }
    }
}

/// Follows the chain of a segment from its start, or from where it was followed to before.
///
/// # Errors
/// The file cannot be read.
pub fn follow(file: &File, name: SegmentName, before: Option<&Chain>) -> io::Result<Followed> {
    let mut chain = match before {
        Some(before) => before.clone(),
        None => match open_head(file, name)? {
            Ok(descriptor) => Chain {
                end: descriptor.length as u64,
                descriptor,
                at_end: ChainEnd::Clean,
                sections: 0,
                has_content: false,
            },
            Err(followed) => return Ok(followed),
        },
    };
    let length = file.metadata()?.len();
    chain.at_end = loop {
        match section(file, &chain.descriptor, chain.end)? {
            LiveSection::Unwritten => break ChainEnd::Clean,
            LiveSection::Torn | LiveSection::Unsound => break ChainEnd::Torn,
            LiveSection::Closed { end, .. } if end > length => break ChainEnd::Cut,
            LiveSection::Closed { end, plain_length } => {
                chain.end = end;
                chain.sections += 1;
                chain.has_content |= plain_length > 0;
            }
        }
    };
    Ok(Followed::Chain(chain))
}

/// Whether a section whose marker stands at `from` or behind it is whole and holds anything.
///
/// # Errors
/// The file cannot be read.
pub fn has_content_from(file: &File, name: SegmentName, from: u64) -> io::Result<bool> {
    let Ok(descriptor) = open_head(file, name)? else { return Ok(false) };
    let length = file.metadata()?.len();
    let mut marker = descriptor.length as u64;
    loop {
        match section(file, &descriptor, marker)? {
            LiveSection::Closed { end, .. } if end > length => return Ok(false),
            LiveSection::Closed { plain_length, .. } if plain_length > 0 && marker >= from => {
                return Ok(true);
            }
            LiveSection::Closed { end, .. } => marker = end,
            LiveSection::Unwritten | LiveSection::Torn | LiveSection::Unsound => return Ok(false),
        }
    }
}

/// The fingerprint of a segment, once its first section is whole.
///
/// # Errors
/// The file cannot be read.
pub fn fingerprint(file: &File, name: SegmentName) -> io::Result<Option<Fingerprint>> {
    let Ok(descriptor) = open_head(file, name)? else { return Ok(None) };
    let LiveSection::Closed { end, .. } = section(file, &descriptor, descriptor.length as u64)? else {
        return Ok(None);
    };
    // The pointer is not under the checksum.
    if end > file.metadata()?.len() {
        return Ok(None);
    }
    let (mut parts, mut window, mut at) = (FingerprintParts::default(), Window::default(), 0);
    while at < end {
        let part = usize::try_from(end - at).unwrap_or(usize::MAX).min(PART);
        window.fill(file, at, part)?;
        if window.is_short() {
            return Ok(None);
        }
        parts.add(window.bytes());
        at = window.end();
    }
    Ok(Some(parts.finish()))
}

fn section(file: &File, descriptor: &Descriptor, marker: u64) -> io::Result<LiveSection> {
    let mut start = [0; SECTION_HEAD_LENGTH];
    let read = read_at(file, &mut start, marker)?;
    Ok(descriptor.live_section(marker, start.get(..read).unwrap_or_default()))
}

fn open_head(file: &File, name: SegmentName) -> io::Result<Result<Descriptor, Followed>> {
    let mut window = Window::default();
    window.read_head(file)?;
    Ok(match Descriptor::parse(window.bytes()) {
        Ok(descriptor) if descriptor.id != name.id || descriptor.version != name.version => {
            Err(Followed::Misnamed)
        }
        Ok(descriptor) => Ok(descriptor),
        Err(_) if window.bytes().iter().all(|byte| *byte == 0) => Err(Followed::Blank),
        Err(error) => Err(Followed::Unreadable(error)),
    })
}
