//! One segment of a replay: its bytes, and whether it can still grow.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use crate::agent::exit::Failure;
use crate::agent::index;
use crate::agent::input::SegmentFile;
use crate::agent::keys::Keys;
use crate::checkpoint::Fingerprint;
use crate::commitlog::map::SegmentBytes;
use crate::commitlog::{Index, Segment, SegmentError};
use crate::envelope::Visibility;

/// An opened segment file.
#[derive(Debug)]
pub(in crate::agent) struct OpenSegment {
    pub(in crate::agent) file: SegmentFile,
    pub(in crate::agent) label: String,
    pub(in crate::agent) index: Index,
    /// Why the index beside it cannot be used.
    pub(in crate::agent) index_problem: Option<String>,
    bytes: SegmentBytes,
}

impl OpenSegment {
    pub(in crate::agent) fn open(file: SegmentFile) -> Result<Self, Failure> {
        let (index, index_problem) = index::of(&file);
        let is_final = is_final(&file, index).map_err(|error| Failure::cannot_read(&file.path, error))?;
        Self::open_as(file, is_final, index, index_problem)
    }

    /// Opens a file of which the caller knows whether somebody still writes to it.
    pub(in crate::agent) fn open_as(
        file: SegmentFile,
        is_final: bool,
        index: Index,
        index_problem: Option<String>,
    ) -> Result<Self, Failure> {
        let path = &file.path;
        let bytes = SegmentBytes::open(path, is_final).map_err(|error| Failure::cannot_read(path, error))?;
        Ok(Self { label: file.label(), file, index, index_problem, bytes })
    }

    /// The bytes of the file.
    pub(in crate::agent) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Memory in bytes that the open segment takes: a map takes none.
    pub(in crate::agent) fn memory(&self) -> usize {
        match &self.bytes {
            SegmentBytes::Mapped(_) | SegmentBytes::Empty => 0,
            SegmentBytes::Copied(memory, _) => memory.len(),
        }
    }

    /// Under which promise the mutation with this logical end is read. A completed segment is on disk as a whole.
    #[inline]
    pub(in crate::agent) fn visibility(&self, end: u64) -> Visibility {
        if self.index.has_synced(end) { Visibility::Synced } else { Visibility::Marked }
    }

    /// Reads the descriptor.
    pub(in crate::agent) fn segment(&self, keys: &Keys) -> Result<Segment<'_>, SegmentError> {
        Segment::open(&self.bytes, self.file.name, &|alias| keys.key(alias))
    }
}

/// Memory in bytes that opening `file` will take.
pub(in crate::agent) fn memory_to_open(file: &SegmentFile) -> usize {
    let is_final = is_final(file, index::of(file).0).unwrap_or(true);
    let length = || file.path.metadata().map_or(0, |metadata| metadata.len());
    if is_final { 0 } else { usize::try_from(length()).unwrap_or(usize::MAX) }
}

/// What tells a segment from another one with the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) struct Identity {
    pub(in crate::agent) fingerprint: Fingerprint,
    /// Whether the first section is whole: the fingerprint does not change any more.
    pub(in crate::agent) is_lasting: bool,
}

impl Identity {
    pub(in crate::agent) fn of(segment: &Segment<'_>) -> Self {
        let (descriptor, first_section) = segment.head();
        Self {
            fingerprint: Fingerprint::of(descriptor, first_section),
            is_lasting: !first_section.is_empty(),
        }
    }

    /// The fingerprint to remember, if it can be told already.
    pub(in crate::agent) fn lasting(self) -> Option<Fingerprint> {
        self.is_lasting.then_some(self.fingerprint)
    }
}

/// Two periods in which Cassandra syncs its log, unless configured.
const SETTLED_AFTER: Duration = Duration::from_secs(20);

/// Whether nobody writes to the file any more. What can still change is not mapped: a file that is cut while it is
/// mapped ends the program.
fn is_final(file: &SegmentFile, index: Index) -> std::io::Result<bool> {
    Ok(index.is_completed() || is_settled(&fs::metadata(&file.path)?))
}

/// Whether Cassandra holds no other name of the file, and nobody has written to it for a while: Cassandra does in
/// each period, into a segment of a node without CDC also under a single name, and so does who copies one.
fn is_settled(metadata: &Metadata) -> bool {
    // A time in the future says nothing.
    let age = metadata.modified().ok().and_then(|modified| modified.elapsed().ok());
    metadata.nlink() == 1 && age.is_some_and(|age| age >= SETTLED_AFTER)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use super::*;

    /// Memory of a segment that is opened, and what is reckoned with before.
    fn memory(age: Duration, prepare: impl Fn(&std::path::Path)) -> [usize; 2] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("CommitLog-7-5.log");
        fs::write(&path, [1; 5000]).unwrap();
        prepare(dir.path());
        File::options().write(true).open(&path).unwrap().set_modified(SystemTime::now() - age).unwrap();
        let file = SegmentFile::from(path);
        [memory_to_open(&file), OpenSegment::open(file).unwrap().memory()]
    }

    #[test]
    fn only_what_nobody_writes_to_is_mapped() {
        let index = |text: &'static str| {
            move |dir: &std::path::Path| fs::write(dir.join("CommitLog-7-5_cdc.idx"), text).unwrap()
        };
        let link = |dir: &std::path::Path| {
            fs::hard_link(dir.join("CommitLog-7-5.log"), dir.join("other")).unwrap();
        };
        let (now, before) = (Duration::ZERO, Duration::from_secs(25));
        let (mapped, copied) = ([0, 0], [5000, 5000]);
        assert_eq!(memory(before, |_| {}), mapped, "unchanged for two periods");
        assert_eq!(
            memory(Duration::from_secs(15), |_| {}),
            copied,
            "a copy in progress, or a node without CDC"
        );
        assert_eq!(memory(now, |_| {}), copied);
        assert_eq!(memory(before, link), copied, "Cassandra holds it");
        assert_eq!(memory(now, index("5000\nCOMPLETED")), mapped, "Cassandra has closed it");
        assert_eq!(memory(now, index("5000")), copied, "Cassandra has synced it");
    }

    #[test]
    fn a_time_in_the_future_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("CommitLog-7-5.log");
        fs::write(&path, [1; 5000]).unwrap();
        let future = SystemTime::now() + Duration::from_secs(3600);
        File::options().write(true).open(&path).unwrap().set_modified(future).unwrap();
        assert!(!is_settled(&fs::metadata(&path).unwrap()));
    }
}
