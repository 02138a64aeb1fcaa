//! Which file, or directory, a name stands for.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Device and inode: equal for all names of one file, for as long as it has one or is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    /// The file system.
    pub device: u64,
    /// The file in it.
    pub inode: u64,
}

impl FileId {
    /// From the metadata of a file or directory.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// The user as whom this program accesses files: for messages about permissions. `None` where `/proc` is missing.
#[must_use]
pub fn own_user() -> Option<u32> {
    std::fs::metadata("/proc/self").ok().map(|metadata| metadata.uid())
}

/// ` as user <uid>`, for messages.
pub(super) fn as_user(uid: Option<u32>) -> String {
    uid.map(|uid| format!(" as user {uid}")).unwrap_or_default()
}
