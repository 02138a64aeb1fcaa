//! What becomes of a segment that is done: deleted, or moved to another directory of the same file system.
//!
//! Deleting is the only acknowledgement that Cassandra understands. The segment goes before its index: without the
//! index Cassandra would delete a segment that it links again after a crash. Whether a segment may go is the caller's to
//! say; here it is only made sure that the file is the one that was read.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::chain::fingerprint;
use super::directory::{Directory, DirectoryError, SegmentFile};
use super::file_id::{FileId, as_user, own_user};
use super::mount::can_link;
use crate::checkpoint::Fingerprint;
use crate::commitlog::SegmentName;
use crate::commitlog::map::open_regular;
use crate::failpoint;

#[cfg(test)]
mod tests;

/// What became of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It is no longer in the directory.
    Now,
    /// It was not there: Cassandra or somebody else was first.
    Before,
}

/// A directory to which segments are moved: an archive of those that are done, or a spool of final ones that wait.
#[derive(Debug)]
pub struct Elsewhere {
    path: PathBuf,
    directory: File,
}

/// Why a segment was not deleted or moved.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The name stands for another file, or other content, than what was read.
    #[error(
        "{} is not the segment that was read ({what}): it stays; what else it holds is published when it is read anew (agent \
         stopped): cdc-agent checkpoint rewind --to SEGMENT:0:0",
        path.display()
    )]
    Other {
        /// Which file.
        path: PathBuf,
        /// What is different.
        what: &'static str,
    },
    /// This user must not do it.
    #[error(
        "no permission to {action} {}{}: give it write permission on the directory, or keep the segments",
        path.display(),
        as_user(*user)
    )]
    NoPermission {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// As whom this program runs.
        user: Option<u32>,
    },
    /// The other directory is on another file system, or is `cdc_raw` or inside of it.
    #[error("{} cannot take segments of {}: {why}", path.display(), from.display())]
    Unfit {
        /// The other directory.
        path: PathBuf,
        /// The `cdc_raw` directory.
        from: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// Another file has the name there.
    #[error("{} exists and is another file: move it away", path.display())]
    Taken {
        /// Which file.
        path: PathBuf,
    },
    /// Something else.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl RetentionError {
    fn of(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NoPermission { action, path, user: own_user() }
            }
            _ => Self::Io { action, path, source },
        }
    }
}

/// Deletes a segment and then its index. `expected` is the fingerprint under which it was read; `None` when it never had
/// a first section, and then it must still have none.
///
/// # Errors
/// It is another file than the one that was found, or it cannot be deleted.
pub fn delete(
    directory: &Directory,
    segment: &SegmentFile,
    expected: Option<Fingerprint>,
) -> Result<Gone, RetentionError> {
    let _held = directory.hold_moves();
    let Some(file) = open_same(directory, segment, expected)? else {
        remove(&directory.index(segment.name))?;
        return Ok(Gone::Before);
    };
    let path = directory.segment(segment.name);
    failpoint::cross("delete_checked");
    let gone = remove(&path)?;
    failpoint::cross("delete_segment_gone");
    // The file was open all the time: if it has as many names as before, another one was deleted under its name.
    let links = file.metadata().map_err(|error| RetentionError::of("look at", &path, error))?.nlink();
    if gone == Gone::Now && links >= segment.links {
        return Err(RetentionError::Other { path, what: "its name was given to another file meanwhile" });
    }
    remove(&directory.index(segment.name))?;
    failpoint::cross("delete_done");
    Ok(gone)
}

/// Deletes an index whose segment is not there. The caller knows that the segment was done, or has reported its loss.
///
/// # Errors
/// It cannot be deleted.
pub fn delete_stray_index(directory: &Directory, name: SegmentName) -> Result<Gone, RetentionError> {
    let _held = directory.hold_moves();
    directory.check()?;
    match directory.segment(name).symlink_metadata() {
        // It came back.
        Ok(_) => Ok(Gone::Before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => remove(&directory.index(name)),
        Err(error) => Err(RetentionError::of("look at", &directory.segment(name), error)),
    }
}

impl Elsewhere {
    /// Opens a directory that exists. It must be on the file system of `from`, so that moving copies no bytes, and not
    /// inside of it, where it would count against Cassandra's limit.
    ///
    /// # Errors
    /// It does not exist, or is not fit.
    pub fn open(path: &Path, from: &Directory) -> Result<Self, RetentionError> {
        let io = |error| RetentionError::of("open", path, error);
        let unfit = |why| RetentionError::Unfit { path: path.to_owned(), from: from.path().to_owned(), why };
        let directory = File::open(path).map_err(io)?;
        let metadata = directory.metadata().map_err(io)?;
        if !metadata.is_dir() {
            return Err(unfit("it is no directory"));
        }
        let raw = File::open(from.path()).map_err(io)?;
        if !can_link(&raw, &directory).map_err(io)? {
            return Err(unfit("it is on another file system, or in another mount of the same one"));
        }
        for above in path.canonicalize().map_err(io)?.ancestors() {
            if FileId::of(&above.metadata().map_err(io)?) == from.id() {
                return Err(unfit(
                    "it is that directory or inside of it, where every file counts against Cassandra's limit",
                ));
            }
        }
        Ok(Self { path: path.to_owned(), directory })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves a final segment and its index here. No file is ever replaced, and at any moment at least one of the two
    /// directories holds the segment, also after a power failure.
    ///
    /// # Errors
    /// It is another file than the one that was found, the name is taken here, or it cannot be moved.
    pub fn take(
        &self,
        directory: &Directory,
        segment: &SegmentFile,
        expected: Option<Fingerprint>,
    ) -> Result<Gone, RetentionError> {
        let _held = directory.hold_moves();
        if open_same(directory, segment, expected)?.is_none() {
            return Ok(Gone::Before);
        }
        let log = directory.segment(segment.name);
        let index = directory.index(segment.name);
        self.link(&log)?;
        if segment.has_index {
            self.link_index(&index)?;
        }
        self.directory.sync_all().map_err(|error| RetentionError::of("sync", &self.path, error))?;
        failpoint::cross("move_linked");
        let gone = remove(&log)?;
        failpoint::cross("move_segment_gone");
        remove(&index)?;
        Ok(gone)
    }

    /// As [`Self::link`], for the index of a segment that is here. Cassandra writes a new one when it is killed and links a
    /// segment again: that one holds.
    fn link_index(&self, from: &Path) -> Result<(), RetentionError> {
        match self.link(from) {
            Err(RetentionError::Taken { path }) => {
                remove(&path)?;
                self.link(from)
            }
            other => other,
        }
    }

    /// Gives a file a second name here. That it has it already is what an earlier attempt left.
    fn link(&self, from: &Path) -> Result<(), RetentionError> {
        let Some(name) = from.file_name() else { return Ok(()) };
        let to = self.path.join(name);
        let error = match fs::hard_link(from, &to) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let id = |path: &Path| path.symlink_metadata().ok().map(|metadata| FileId::of(&metadata));
        match error.kind() {
            io::ErrorKind::AlreadyExists if id(from).is_some() && id(from) == id(&to) => Ok(()),
            io::ErrorKind::AlreadyExists => Err(RetentionError::Taken { path: to }),
            _ => Err(RetentionError::of("link", &to, error)),
        }
    }
}

/// Opens the segment when its name still stands for the file that was found, with the content that was read. `None` when
/// nothing has the name.
fn open_same(
    directory: &Directory,
    segment: &SegmentFile,
    expected: Option<Fingerprint>,
) -> Result<Option<File>, RetentionError> {
    directory.check()?;
    let path = directory.segment(segment.name);
    let io = |error| RetentionError::of("read", &path, error);
    let file = match open_regular(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let other = |what| Err(RetentionError::Other { path: path.clone(), what });
    if FileId::of(&file.metadata().map_err(io)?) != segment.id {
        return other("it is another file");
    }
    if fingerprint(&file, segment.name).map_err(io)? != expected {
        return other("its descriptor or first section is another one");
    }
    Ok(Some(file))
}

fn remove(path: &Path) -> Result<Gone, RetentionError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(Gone::Now),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Gone::Before),
        Err(error) => Err(RetentionError::of("delete", path, error)),
    }
}
