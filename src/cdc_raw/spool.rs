//! Room in `cdc_raw` without losing a segment: final segments that wait to be published are moved to another directory of
//! the same file system.
//!
//! Cassandra counts what stands under `cdc_raw`, and refuses writes when that is too much. A second name elsewhere takes no
//! byte more, so a long outage of the destination uses the disk instead. The commit log stands on the same file system:
//! a part of it always stays free.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::chain::fingerprint;
use super::directory::{Directory, DirectoryError, SegmentFile};
use super::quota;
use super::retention::{Elsewhere, Gone, RetentionError};

/// Who may look into a spool that is made: it holds the data of all tables.
const MODE: u32 = 0o700;

/// Bounds of the spool, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolLimits {
    /// What the spool may hold.
    pub most: u64,
    /// What must stay free on the file system.
    pub free: u64,
}

/// A directory for segments that wait.
#[derive(Debug)]
pub struct Spool {
    elsewhere: Elsewhere,
    limits: SpoolLimits,
}

/// What a look at the directory came to.
#[derive(Debug, Default)]
pub struct Relief {
    /// How many segments were moved.
    pub moved: usize,
    /// Why no more were, although `cdc_raw` holds too much.
    pub stopped: Option<SpoolError>,
}

/// Why a segment is not moved.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The spool holds all it may.
    #[error("the spool {} holds {held} bytes, and may hold {most} (spool_max_mb)", path.display())]
    Full {
        /// Where it is.
        path: PathBuf,
        /// What it holds.
        held: u64,
        /// What it may hold.
        most: u64,
    },
    /// The file system has little left.
    #[error("the file system of the spool {} has {free} bytes free, and {least} are to stay free (spool_min_free_mb)", path.display())]
    NoRoom {
        /// Where it is.
        path: PathBuf,
        /// What is free.
        free: u64,
        /// What must stay free.
        least: u64,
    },
    /// Moving failed.
    #[error(transparent)]
    Move(#[from] RetentionError),
    /// The spool or its file system cannot be asked.
    #[error("cannot look at the spool {}", path.display())]
    Io {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Spool {
    /// Opens the spool, and makes it if it is missing.
    ///
    /// # Errors
    /// It cannot be made, or cannot take segments of `directory`.
    pub fn open(path: &Path, directory: &Directory, limits: SpoolLimits) -> Result<Self, SpoolError> {
        make(path)?;
        Ok(Self { elsewhere: Elsewhere::open(path, directory)?, limits })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.elsewhere.path()
    }

    /// Moves segments into which nobody writes any more, the oldest first, until `cdc_raw`, which holds `used` bytes,
    /// holds no more than `most`.
    ///
    /// # Errors
    /// The directory cannot be looked at.
    pub fn relieve(&self, directory: &Directory, used: u64, most: u64) -> Result<Relief, DirectoryError> {
        let (mut relief, mut used) = (Relief::default(), used);
        let scan = directory.scan()?;
        let is_final = |segment: &&SegmentFile| !segment.is_spooled && segment.index.is_completed();
        for segment in scan.segments.iter().filter(is_final) {
            if used <= most {
                break;
            }
            match self.take(directory, segment) {
                Ok(Gone::Now) => relief.moved += 1,
                Ok(Gone::Before) => {}
                Err(error) => {
                    relief.stopped = Some(error);
                    break;
                }
            }
            used = used.saturating_sub(segment.length);
        }
        Ok(relief)
    }

    fn take(&self, directory: &Directory, segment: &SegmentFile) -> Result<Gone, SpoolError> {
        let path = self.path();
        let io = |source| SpoolError::Io { path: path.to_owned(), source };
        let held = self.held().map_err(io)?;
        if held.saturating_add(segment.length) > self.limits.most {
            return Err(SpoolError::Full { path: path.to_owned(), held, most: self.limits.most });
        }
        let free = quota::free_bytes(path).map_err(io)?;
        if free < self.limits.free {
            return Err(SpoolError::NoRoom { path: path.to_owned(), free, least: self.limits.free });
        }
        let file = match File::open(directory.segment(segment.name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Gone::Before),
            other => other.map_err(io)?,
        };
        let expected = fingerprint(&file, segment.name).map_err(io)?;
        Ok(self.elsewhere.take(directory, segment, expected)?)
    }

    /// The bytes of its files.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn held(&self) -> io::Result<u64> {
        quota::used_bytes(self.path())
    }
}

fn make(path: &Path) -> Result<(), SpoolError> {
    match DirBuilder::new().mode(MODE).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(SpoolError::Io { path: path.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cdc_raw::retention;

    const LENGTH: u64 = 1000;

    /// `cdc_raw` with three final segments and one that is written to.
    struct Raw {
        parent: tempfile::TempDir,
        directory: Directory,
        spool: Spool,
    }

    impl Raw {
        fn new(limits: SpoolLimits) -> Self {
            let parent = tempfile::tempdir().unwrap();
            let raw = parent.path().join("cdc_raw");
            fs::create_dir(&raw).unwrap();
            for id in 1..=4 {
                fs::write(raw.join(log(id)), vec![0; 1000]).unwrap();
                let index = if id < 4 { "900\nCOMPLETED" } else { "900\n" };
                fs::write(raw.join(index_of(id)), index).unwrap();
            }
            let directory = Directory::open(&raw).unwrap();
            let path = parent.path().join("spool");
            let spool = Spool::open(&path, &directory, limits).unwrap();
            Self { directory: directory.with_spool(&path).unwrap(), parent, spool }
        }

        fn names(&self, of: &str) -> Vec<String> {
            let entries = self.parent.path().join(of).read_dir().unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }

        /// Id and whether it is spooled, of all segments in order.
        fn scanned(&self) -> Vec<(i64, bool)> {
            let scan = self.directory.scan().unwrap();
            scan.segments.iter().map(|segment| (segment.name.id.0, segment.is_spooled)).collect()
        }
    }

    fn log(id: i64) -> String {
        format!("CommitLog-7-{id}.log")
    }

    fn index_of(id: i64) -> String {
        format!("CommitLog-7-{id}_cdc.idx")
    }

    fn wide() -> SpoolLimits {
        SpoolLimits { most: 100 * LENGTH, free: 0 }
    }

    #[test]
    fn final_segments_go_oldest_first_until_there_is_room() {
        let raw = Raw::new(wide());
        let relief = raw.spool.relieve(&raw.directory, 4 * LENGTH, 2 * LENGTH).unwrap();
        assert!(relief.moved == 2 && relief.stopped.is_none(), "{relief:?}");
        assert_eq!(raw.names("spool"), [log(1), index_of(1), log(2), index_of(2)]);
        assert_eq!(raw.scanned(), [(1, true), (2, true), (3, false), (4, false)]);
        assert!(raw.directory.scan().unwrap().segments[0].index.is_completed());
        // Nothing is taken from under Cassandra, however full it is.
        assert_eq!(raw.spool.relieve(&raw.directory, 4 * LENGTH, 0).unwrap().moved, 1);
        assert_eq!(raw.names("cdc_raw"), [log(4), index_of(4)]);
    }

    #[test]
    fn a_spool_takes_no_more_than_it_may_and_leaves_room_on_the_disk() {
        let raw = Raw::new(SpoolLimits { most: LENGTH + 100, free: 0 });
        let relief = raw.spool.relieve(&raw.directory, 4 * LENGTH, 0).unwrap();
        assert!(matches!(relief.stopped, Some(SpoolError::Full { .. })) && relief.moved == 1, "{relief:?}");
        let raw = Raw::new(SpoolLimits { free: u64::MAX, ..wide() });
        let relief = raw.spool.relieve(&raw.directory, 4 * LENGTH, 0).unwrap();
        assert!(matches!(relief.stopped, Some(SpoolError::NoRoom { .. })) && relief.moved == 0, "{relief:?}");
        assert_eq!(raw.scanned().len(), 4);
    }

    #[test]
    fn a_move_that_was_cut_short_is_finished_and_never_seen_twice() {
        let raw = Raw::new(wide());
        let (from, to) = (raw.parent.path().join("cdc_raw"), raw.parent.path().join("spool"));
        for name in [log(1), index_of(1), log(2), index_of(2)] {
            fs::hard_link(from.join(&name), to.join(&name)).unwrap();
        }
        // Of the second one the segment was unlinked, and not its index.
        fs::remove_file(from.join(log(2))).unwrap();
        assert_eq!(raw.scanned(), [(1, false), (2, true), (3, false), (4, false)]);
        assert_eq!(raw.spool.relieve(&raw.directory, 3 * LENGTH, 2 * LENGTH).unwrap().moved, 1);
        assert_eq!(raw.scanned(), [(1, true), (2, true), (3, false), (4, false)]);
    }

    #[test]
    fn what_is_published_is_deleted_from_both() {
        let raw = Raw::new(wide());
        let (from, to) = (raw.parent.path().join("cdc_raw"), raw.parent.path().join("spool"));
        fs::hard_link(from.join(log(2)), to.join(log(2))).unwrap();
        fs::hard_link(from.join(index_of(2)), to.join(index_of(2))).unwrap();
        raw.spool.relieve(&raw.directory, 4 * LENGTH, 3 * LENGTH).unwrap();
        for _ in 0..2 {
            let is_done = |segment: &&SegmentFile| segment.name.id.0 <= 2;
            for segment in raw.directory.scan().unwrap().segments.iter().filter(is_done) {
                let _ = retention::delete(&raw.directory, segment, None);
            }
            for stray in raw.directory.scan().unwrap().stray_indexes {
                retention::delete_stray_index(&raw.directory, stray.name).unwrap();
            }
        }
        assert_eq!(raw.scanned(), [(3, false), (4, false)]);
        assert_eq!(raw.names("spool"), Vec::<String>::new());
        assert_eq!(raw.names("cdc_raw"), [log(3), index_of(3), log(4), index_of(4)]);
    }

    #[test]
    fn a_segment_that_cassandra_links_again_goes_again_with_its_new_index() {
        let raw = Raw::new(wide());
        assert_eq!(raw.spool.relieve(&raw.directory, 4 * LENGTH, 3 * LENGTH).unwrap().moved, 1);
        let (from, to) = (raw.parent.path().join("cdc_raw"), raw.parent.path().join("spool"));
        fs::hard_link(to.join(log(1)), from.join(log(1))).unwrap();
        fs::write(from.join(index_of(1)), "950\nCOMPLETED").unwrap();
        let relief = raw.spool.relieve(&raw.directory, 4 * LENGTH, 3 * LENGTH).unwrap();
        assert!(relief.moved == 1 && relief.stopped.is_none(), "{relief:?}");
        assert_eq!(fs::read_to_string(to.join(index_of(1))).unwrap(), "950\nCOMPLETED");
        assert_eq!(raw.scanned(), [(1, true), (2, false), (3, false), (4, false)]);
    }

    #[test]
    fn a_spool_that_vanishes_is_told_of() {
        let raw = Raw::new(wide());
        fs::remove_dir(raw.parent.path().join("spool")).unwrap();
        assert!(raw.directory.scan().is_err());
    }
}
