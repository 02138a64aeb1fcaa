//! The `cdc_raw` directory: held by one agent, and what is in it.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::file_id::{FileId, own_user};
use crate::commitlog::{Index, SegmentId, SegmentName};

mod error;
#[cfg(test)]
mod tests;

pub use error::DirectoryError;

/// The directory, locked for as long as this lives.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    id: FileId,
    /// Holds the lock. The directory itself is locked: no file may be made in it.
    _locked: File,
}

/// What is in the directory.
#[derive(Debug, Default)]
pub struct Scan {
    /// Segments in the order of their ids.
    pub segments: Vec<SegmentFile>,
    /// Index files without their segment: it was deleted, by us or by Cassandra.
    pub stray_indexes: Vec<StrayIndex>,
    /// What is neither. It is left alone, and counts against Cassandra's limit.
    pub foreign: Foreign,
}

/// A segment as it is in the directory now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentFile {
    /// Its name.
    pub name: SegmentName,
    /// The file that has the name.
    pub id: FileId,
    /// Length in bytes. Says nothing of how much was written: memory-mapped segments have their full length from the
    /// start.
    pub length: u64,
    /// Number of names of the file. Cassandra has one in its own directory until it drops the segment.
    pub links: u64,
    /// When it was written to last, as far as the file system knows.
    pub modified: SystemTime,
    /// When it was written to, or got or lost a name, last. Nobody can set this time.
    pub changed: SystemTime,
    /// What its index says.
    pub index: Index,
    /// Whether there is an index file, although it may be empty at this moment: the segment holds a mutation of a table
    /// with CDC.
    pub has_index: bool,
}

/// An index file without its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StrayIndex {
    /// The segment's name.
    pub name: SegmentName,
    /// When it was written last.
    pub modified: SystemTime,
}

/// Files that are not Cassandra's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreign {
    /// How many.
    pub count: u64,
    /// The names of some of them, with what they are when a segment's name stands for no file.
    pub names: Vec<String>,
}

/// More foreign names are not remembered.
const FOREIGN_NAMES: usize = 16;

impl Foreign {
    fn add(&mut self, name: String) {
        self.count += 1;
        if self.names.len() < FOREIGN_NAMES {
            self.names.push(name);
        }
    }
}

impl Directory {
    /// Opens the directory and locks it: one agent reads it.
    ///
    /// # Errors
    /// It is missing, no directory, must not be read, or another process holds it.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        let metadata = path.metadata().map_err(|error| DirectoryError::of(path, error))?;
        if !metadata.is_dir() {
            return Err(DirectoryError::NotADirectory { path: path.to_owned() });
        }
        let directory = File::open(path).map_err(|error| DirectoryError::of(path, error))?;
        let metadata = directory.metadata().map_err(|error| DirectoryError::of(path, error))?;
        match directory.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), id: FileId::of(&metadata), _locked: directory }),
            Err(TryLockError::WouldBlock) => Err(DirectoryError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(DirectoryError::Io { path: path.to_owned(), source }),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which directory it is.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.id
    }

    /// The path of a segment in it.
    #[must_use]
    pub fn segment(&self, name: SegmentName) -> PathBuf {
        self.path.join(name.to_string())
    }

    /// The path of a segment's index in it.
    #[must_use]
    pub fn index(&self, name: SegmentName) -> PathBuf {
        self.path.join(name.index_file())
    }

    /// Looks whether the path still leads to this directory.
    ///
    /// # Errors
    /// It is missing, another one, or must not be read.
    pub fn check(&self) -> Result<(), DirectoryError> {
        let metadata = self.path.metadata().map_err(|error| DirectoryError::of(&self.path, error))?;
        match FileId::of(&metadata) == self.id {
            true => Ok(()),
            false => Err(DirectoryError::Replaced { path: self.path.clone() }),
        }
    }

    /// Looks at what is in the directory. A file that vanishes meanwhile is left out: Cassandra deletes segments without
    /// CDC data at any time.
    ///
    /// # Errors
    /// As [`Self::check`], or an entry cannot be looked at.
    pub fn scan(&self) -> Result<Scan, DirectoryError> {
        self.check()?;
        let mut found = Found::default();
        for entry in self.path.read_dir().map_err(|error| DirectoryError::of(&self.path, error))? {
            let entry = entry.map_err(|error| DirectoryError::of(&self.path, error))?;
            found.add(&entry)?;
        }
        // What was listed may be another directory's entries.
        self.check()?;
        found.into_scan(&self.path)
    }

    /// As [`Self::scan`], and an error when no segment is left although `unfinished` were not read to their end:
    /// on a running node there always is one.
    ///
    /// # Errors
    /// As [`Self::scan`], or the directory was emptied.
    pub fn scan_expecting(
        &self,
        unfinished: impl IntoIterator<Item = SegmentId>,
    ) -> Result<Scan, DirectoryError> {
        let scan = self.scan()?;
        let lost: Vec<SegmentId> = match scan.segments.is_empty() {
            true => unfinished.into_iter().collect(),
            false => Vec::new(),
        };
        match lost.is_empty() {
            true => Ok(scan),
            false => Err(DirectoryError::Emptied { path: self.path.clone(), lost }),
        }
    }
}

/// What was listed so far.
#[derive(Default)]
struct Found {
    segments: BTreeMap<SegmentName, Metadata>,
    indexes: BTreeMap<SegmentName, Metadata>,
    foreign: Foreign,
}

impl Found {
    fn add(&mut self, entry: &DirEntry) -> Result<(), DirectoryError> {
        let path = entry.path();
        // Of a link the link itself: Cassandra makes none.
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(DirectoryError::of(&path, error)),
        };
        let name = entry.file_name();
        let text = name.to_str();
        if !metadata.is_file() {
            self.foreign.add(format!("{} (no regular file)", name.to_string_lossy()));
        } else if let Some(segment) = text.and_then(|text| text.parse().ok()) {
            self.segments.insert(segment, metadata);
        } else if let Some(segment) = text.and_then(SegmentName::of_index_file) {
            self.indexes.insert(segment, metadata);
        } else {
            self.foreign.add(name.to_string_lossy().into_owned());
        }
        Ok(())
    }

    fn into_scan(self, directory: &Path) -> Result<Scan, DirectoryError> {
        let Self { segments, indexes, mut foreign } = self;
        let mut scan = Scan::default();
        for (name, metadata) in &segments {
            let path = directory.join(name.index_file());
            // Written after the listing it counts as well.
            let index = match Index::read(&path) {
                Ok(index) => index,
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return Err(DirectoryError::of(&path, error));
                }
                // No news, until it can be read.
                Err(error) => {
                    foreign.add(format!("{} ({error})", name.index_file()));
                    Some(Index::Absent)
                }
            };
            scan.segments.push(SegmentFile {
                name: *name,
                id: FileId::of(metadata),
                length: metadata.len(),
                links: metadata.nlink(),
                modified: modified(metadata),
                changed: changed(metadata),
                index: index.unwrap_or(Index::Absent),
                has_index: index.is_some(),
            });
        }
        let strays = indexes.into_iter().filter(|(name, _)| !segments.contains_key(name));
        scan.stray_indexes =
            strays.map(|(name, metadata)| StrayIndex { name, modified: modified(&metadata) }).collect();
        scan.foreign = foreign;
        Ok(scan)
    }
}

fn changed(metadata: &Metadata) -> SystemTime {
    let (Ok(seconds), Ok(nanos)) = (u64::try_from(metadata.ctime()), u32::try_from(metadata.ctime_nsec()))
    else {
        return SystemTime::UNIX_EPOCH;
    };
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos)).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn modified(metadata: &Metadata) -> SystemTime {
    metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}

impl DirectoryError {
    pub(super) fn of(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::NotADirectory => Self::NotADirectory { path },
            io::ErrorKind::PermissionDenied => Self::NoPermission { path, user: own_user() },
            _ => Self::Io { path, source },
        }
    }
}
