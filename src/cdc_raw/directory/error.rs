//! What can be wrong with the directory, and what to do about it.

use std::io;
use std::path::PathBuf;

use crate::cdc_raw::file_id::as_user;
use crate::commitlog::SegmentId;

/// What is wrong with the `cdc_raw` directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Nothing has this path.
    #[error("{} is missing", path.display())]
    Missing {
        /// Which path.
        path: PathBuf,
    },
    /// The path leads to something else.
    #[error("{} is no directory", path.display())]
    NotADirectory {
        /// Which path.
        path: PathBuf,
    },
    /// The path leads to another directory than the one that was opened.
    #[error("{} is not the directory that was opened: it was replaced, mounted over or unmounted", path.display())]
    Replaced {
        /// Which path.
        path: PathBuf,
    },
    /// No segment is left, although some were not read to their end.
    #[error("{} was emptied: {} segment(s) were not read to their end{}", path.display(), lost.len(), listed(lost))]
    Emptied {
        /// Which path.
        path: PathBuf,
        /// The segments that were not read to their end.
        lost: Vec<SegmentId>,
    },
    /// This user must not do it.
    #[error("no permission to read {}{}", path.display(), as_user(*user))]
    NoPermission {
        /// Which path.
        path: PathBuf,
        /// As whom this program runs.
        user: Option<u32>,
    },
    /// Another agent has the directory.
    #[error("another process holds {}: one agent reads a cdc_raw directory", path.display())]
    Locked {
        /// Which path.
        path: PathBuf,
    },
    /// Something else.
    #[error("cannot read {}", path.display())]
    Io {
        /// Which path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DirectoryError {
    /// What the user can do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Missing { .. } => {
                "name cdc_raw_directory of cassandra.yaml; if a running node lost it, restart the node: it cannot link \
                 new segments and stops serving writes"
            }
            Self::NotADirectory { .. } => "name the directory that cdc_raw_directory of cassandra.yaml names",
            Self::Replaced { .. } => {
                "mount the file system again, or restart the agent if the directory was replaced on purpose; the node \
                 needs a restart, too"
            }
            Self::Emptied { .. } => {
                "mount the volume if it is not mounted, and restart the agent; else find out who deleted them, and take a \
                 snapshot: the agent goes on with the node's next segment"
            }
            Self::NoPermission { .. } => {
                "run the agent as Cassandra's user, or in its group with read and search permission on the directory, \
                 read permission on the segments, and write permission on the directory to delete them"
            }
            Self::Locked { .. } => "stop the other agent of this node first",
            Self::Io { .. } => "check the file system that holds the directory",
        }
    }

    /// Whether another agent holds the directory.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }
}

/// The first ids, after a colon.
fn listed(ids: &[SegmentId]) -> String {
    const MOST: usize = 5;
    let first: Vec<String> = ids.iter().take(MOST).map(ToString::to_string).collect();
    let more = if ids.len() > MOST { ", …" } else { "" };
    format!(": {}{more}", first.join(", "))
}
