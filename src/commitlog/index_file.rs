//! The text of the index that Cassandra keeps beside a segment in `cdc_raw`: `CommitLog-<version>-<id>_cdc.idx`.
//!
//! Source: `CommitLogSegment.writeCDCIndexFile` of Cassandra 4.0 to 5.0: the file is truncated and written anew at each
//! sync of a segment that holds a mutation of a table with CDC.

use std::io::{self, Read};
use std::path::Path;

use super::map::open_regular;

/// More than an index has: a decimal offset, a line feed and `COMPLETED`.
const LONGEST_INDEX: u64 = 64;

/// What the index beside a segment says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// Cassandra writes no more into it, and the index names this logical end; after a crash of the node the length of
    /// the file instead. A single link alone does not say so: a copy of a growing segment has one, too.
    Completed(u64),
    /// It is on disk up to this logical position.
    Synced(u64),
    /// Nothing: there is none, or it is being written.
    Absent,
}

impl Index {
    /// Reads an index; `None` when there is none, [`Index::Absent`] when it is being written.
    ///
    /// # Errors
    /// It cannot be read, is no regular file, or holds no offset as Cassandra writes one.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let file = match open_regular(path) {
            Ok(file) => file,
            // A link that leads nowhere is there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.symlink_metadata().is_err() => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let mut text = Vec::new();
        file.take(LONGEST_INDEX + 1).read_to_end(&mut text)?;
        if text.is_empty() {
            return Ok(Some(Self::Absent));
        }
        let parsed = std::str::from_utf8(&text).ok().and_then(Self::parse);
        let garbage =
            || io::Error::new(io::ErrorKind::InvalidData, "it holds no offset as Cassandra writes one");
        parsed.map(Some).ok_or_else(garbage)
    }

    /// Reads `offset`, or `offset\nCOMPLETED`; `None` when the text is neither. It is rewritten in place and can be found
    /// empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let (offset, is_completed) = match text.split_once('\n') {
            None => (text, false),
            Some((offset, "COMPLETED")) => (offset, true),
            Some(_) => return None,
        };
        if !offset.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let offset = offset.parse().ok()?;
        Some(if is_completed { Self::Completed(offset) } else { Self::Synced(offset) })
    }

    /// Whether Cassandra writes no more into the segment.
    #[must_use]
    pub fn is_completed(self) -> bool {
        matches!(self, Self::Completed(_))
    }

    /// Whether what ends at this logical position is on disk. A completed segment is, as a whole.
    #[must_use]
    #[inline]
    pub fn has_synced(self, end: u64) -> bool {
        match self {
            Self::Completed(_) => true,
            Self::Synced(offset) => end <= offset,
            Self::Absent => false,
        }
    }

    /// Whether a segment whose chain has this logical end, in a file of this length, is all that Cassandra wrote.
    #[must_use]
    pub fn is_reached_by(self, logical_end: u64, file_length: u64) -> bool {
        matches!(self, Self::Completed(offset) if logical_end >= offset || file_length == offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_says_what_it_says_in_full_or_nothing() {
        let parsed = |text| Index::parse(text);
        assert_eq!(parsed("119881"), Some(Index::Synced(119_881)));
        assert_eq!(parsed("119881\n"), Some(Index::Synced(119_881)));
        assert_eq!(parsed("79010\nCOMPLETED"), Some(Index::Completed(79_010)));
        assert_eq!(parsed("79010\nCOMPLETED\n"), Some(Index::Completed(79_010)));
        for text in ["", "\n", "COMPLETED", "\nCOMPLETED", "12x", "-1", "+1", "12\nCOMP", "12\nCOMPLETED\nx"]
        {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_completed_segment_reaches_the_end_that_its_index_names() {
        assert!(Index::Completed(500).is_reached_by(500, 9000));
        assert!(!Index::Completed(500).is_reached_by(499, 9000));
        // A node that was killed has written the length of the file; then nobody knows the logical end.
        assert!(Index::Completed(9000).is_reached_by(499, 9000));
        assert!(!Index::Completed(9000).is_reached_by(499, 8999));
        assert!(!Index::Synced(500).is_reached_by(500, 500) && !Index::Absent.is_reached_by(500, 500));
    }
}
