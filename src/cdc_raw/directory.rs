//! The `cdc_raw` directory: held by one agent, and what is in it. Segments that were moved to the spool count as if they
//! were in it still.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    /// Where segments wait that would fill it, and which directory that is.
    spool: Option<(PathBuf, FileId)>,
    moves: Mutex<()>,
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
    /// Whether it stands in the spool, and not in the directory itself.
    pub is_spooled: bool,
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
            Ok(()) => {
                let id = FileId::of(&metadata);
                Ok(Self {
                    path: path.to_owned(),
                    id,
                    _locked: directory,
                    spool: None,
                    moves: Mutex::default(),
                })
            }
            Err(TryLockError::WouldBlock) => Err(DirectoryError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(DirectoryError::Io { path: path.to_owned(), source }),
        }
    }

    /// With a directory to which segments are, or were, moved. What is in both stands in this one: a crash came between
    /// the two steps of a move.
    ///
    /// # Errors
    /// It is missing, or must not be read.
    pub fn with_spool(mut self, spool: &Path) -> Result<Self, DirectoryError> {
        let metadata = spool.metadata().map_err(|error| DirectoryError::of(spool, error))?;
        self.spool = Some((spool.to_owned(), FileId::of(&metadata)));
        Ok(self)
    }

    /// While the returned value lives nobody moves a segment to the spool: what [`Self::segment`] gave holds.
    pub fn hold_moves(&self) -> MutexGuard<'_, ()> {
        self.moves.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// The path of a segment; another one once it is moved ([`Self::hold_moves`]).
    #[must_use]
    pub fn segment(&self, name: SegmentName) -> PathBuf {
        self.place(&name.to_string())
    }

    /// The path of a segment's index, as [`Self::segment`].
    #[must_use]
    pub fn index(&self, name: SegmentName) -> PathBuf {
        self.place(&name.index_file())
    }

    fn place(&self, name: &str) -> PathBuf {
        let here = self.path.join(name);
        let spooled = self.spool.as_ref().map(|(spool, _)| spool.join(name));
        match spooled {
            Some(there) if here.symlink_metadata().is_err() && there.symlink_metadata().is_ok() => there,
            _ => here,
        }
    }

    /// Looks whether the path still leads to this directory, and that of the spool to the same one as before.
    ///
    /// # Errors
    /// It is missing, another one, or must not be read.
    pub fn check(&self) -> Result<(), DirectoryError> {
        let places = [Some((&self.path, self.id)), self.spool.as_ref().map(|(path, id)| (path, *id))];
        for (path, id) in places.into_iter().flatten() {
            let metadata = path.metadata().map_err(|error| DirectoryError::of(path, error))?;
            if FileId::of(&metadata) != id {
                return Err(DirectoryError::Replaced { path: path.clone() });
            }
        }
        Ok(())
    }

    /// Looks at what is in the directory. A file that vanishes meanwhile is left out: Cassandra deletes segments without
    /// CDC data at any time.
    ///
    /// # Errors
    /// As [`Self::check`], or an entry cannot be looked at.
    pub fn scan(&self) -> Result<Scan, DirectoryError> {
        self.check()?;
        let mut found = Found::default();
        // The directory last: what stands in both, because a move was cut short, counts as in it.
        let spool = self.spool.as_ref().map(|(spool, _)| (spool, true));
        for (path, is_spool) in spool.into_iter().chain([(&self.path, false)]) {
            for entry in path.read_dir().map_err(|error| DirectoryError::of(path, error))? {
                found.add(&entry.map_err(|error| DirectoryError::of(path, error))?, is_spool)?;
            }
        }
        // What was listed may be another directory's entries.
        self.check()?;
        found.into_scan(self)
    }

    /// As [`Self::scan`], and an error when neither a segment nor an index is left although `unfinished` were not read to
    /// their end: on a running node there always is a segment.
    ///
    /// # Errors
    /// As [`Self::scan`], or the directory was emptied.
    pub fn scan_expecting(
        &self,
        unfinished: impl IntoIterator<Item = SegmentId>,
    ) -> Result<Scan, DirectoryError> {
        let scan = self.scan()?;
        let is_there = |id: &SegmentId| scan.segments.iter().any(|segment| segment.name.id == *id);
        // An index alone is Cassandra's: it writes here, and its segments were deleted.
        let is_empty =
            scan.segments.iter().all(|segment| segment.is_spooled) && scan.stray_indexes.is_empty();
        let lost: Vec<SegmentId> = match is_empty {
            true => unfinished.into_iter().filter(|id| !is_there(id)).collect(),
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
    /// And whether it is in the spool only.
    segments: BTreeMap<SegmentName, (Metadata, bool)>,
    indexes: BTreeMap<SegmentName, Metadata>,
    foreign: Foreign,
}

impl Found {
    fn add(&mut self, entry: &DirEntry, is_spool: bool) -> Result<(), DirectoryError> {
        let path = entry.path();
        // Of a link the link itself: Cassandra makes none.
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(DirectoryError::of(&path, error)),
        };
        let name = entry.file_name();
        let text = name.to_str();
        let segment = text.and_then(|text| text.parse().ok());
        let index = text.and_then(SegmentName::of_index_file);
        match (segment, index) {
            // What is foreign to the spool counts against nobody's limit.
            _ if !metadata.is_file() && is_spool => {}
            _ if !metadata.is_file() => {
                self.foreign.add(format!("{} (no regular file)", name.to_string_lossy()));
            }
            (Some(segment), _) => drop(self.segments.insert(segment, (metadata, is_spool))),
            (_, Some(segment)) => drop(self.indexes.insert(segment, metadata)),
            _ if is_spool => {}
            _ => self.foreign.add(name.to_string_lossy().into_owned()),
        }
        Ok(())
    }

    fn into_scan(self, directory: &Directory) -> Result<Scan, DirectoryError> {
        let Self { segments, indexes, mut foreign } = self;
        let mut scan = Scan::default();
        for (name, (metadata, is_spooled)) in &segments {
            let path = directory.index(*name);
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
                is_spooled: *is_spooled,
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
