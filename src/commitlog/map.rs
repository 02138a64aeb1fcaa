//! A segment's bytes: a read-only map of a final segment, a copy of any other.

use std::fs::{File, FileType};
use std::io::{self, Read};
use std::ops::Deref;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use memmap2::MmapMut;

/// The bytes of a segment file.
#[derive(Debug)]
pub enum SegmentBytes {
    /// Mapped: nobody writes to the file any more.
    Mapped(memmap2::Mmap),
    /// Copied, since the file may still grow: memory of its own, which is given back as a whole, and the length
    /// that was read.
    Copied(MmapMut, usize),
    /// An empty file.
    Empty,
}

impl SegmentBytes {
    /// Opens `path`; maps it when `is_final`.
    ///
    /// # Errors
    /// The file cannot be opened, mapped or read, or is no regular file.
    pub fn open(path: &Path, is_final: bool) -> io::Result<Self> {
        let mut file = open_regular(path)?;
        match file.metadata()?.len() {
            0 => Ok(Self::Empty),
            _ if is_final => map(&file).map(Self::Mapped),
            length => copy(&mut file, length),
        }
    }
}

/// Opens a regular file to be read. Anything else is refused at once: a FIFO would wait for somebody to write into it.
///
/// # Errors
/// The file cannot be opened, or is no regular one.
pub fn open_regular(path: &Path) -> io::Result<File> {
    // Asked before, because to open a device may do something; and after, because the path may name another file by
    // then, which must not be waited for either.
    check_regular(path.metadata()?.file_type())?;
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    check_regular(file.metadata()?.file_type())?;
    Ok(file)
}

fn check_regular(found: FileType) -> io::Result<()> {
    let name = match found {
        found if found.is_file() => return Ok(()),
        found if found.is_dir() => "a directory",
        found if found.is_fifo() => "a FIFO",
        found if found.is_socket() => "a socket",
        _ => "a device",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {name}, and no regular file")))
}

fn copy(file: &mut File, length: u64) -> io::Result<SegmentBytes> {
    let length = usize::try_from(length).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut memory = MmapMut::map_anon(length)?;
    let mut read = 0;
    while let Some(rest) = memory.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(SegmentBytes::Copied(memory, read))
}

#[expect(unsafe_code, reason = "the one place where a file is mapped")]
fn map(file: &File) -> io::Result<memmap2::Mmap> {
    // SAFETY: the caller says that nobody writes to the segment any more: Cassandra writes a segment once, never
    // recycles or truncates it, and removes it by unlinking, which leaves the mapped bytes in place.
    let map = unsafe { memmap2::Mmap::map(file)? };
    Ok(map)
}

impl Deref for SegmentBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Copied(memory, length) => memory.get(..*length).unwrap_or_default(),
            Self::Empty => &[],
        }
    }
}
