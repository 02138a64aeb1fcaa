//! What can go wrong between the program and a destination.

use std::io;
use std::path::{Path, PathBuf};

use crate::checkpoint::CheckpointError;

/// A destination that cannot be used, or cannot be used any more.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The reader of the output has gone away (`| head`): a clean stop, and not a failure.
    #[error("the reader of the output has closed it")]
    Closed,
    /// Another process writes there.
    #[error("{} is held by another writer: stop it, or write to another directory", .path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {what} {}: {error}; {hint}", .path.display())]
    Io {
        /// What was tried, as in "cannot … <path>".
        what: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What to do next.
        hint: &'static str,
        /// Why not.
        error: io::Error,
    },
    /// The destination is not what the program may write to, or holds something else than it should.
    #[error("{}: {what}; {hint}", .path.display())]
    Unfit {
        /// Which file or directory.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do next.
        hint: &'static str,
    },
    /// The topic name is not one that Kafka and a file system both accept.
    #[error(
        "`{0}` is not a topic name: 1 to 249 of the characters a-z A-Z 0-9 . _ -, and neither `.` nor `..`; \
         choose another prefix"
    )]
    TopicName(String),
    /// A write failed before, so nothing is known about what followed.
    #[error("an earlier write failed: start again, which continues from the last commit")]
    Failed,
    /// The checkpoint to commit contradicts the committed one.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl SinkError {
    /// The exit code of a program that ends with this error: 0 for a closed output, 7 for a second writer,
    /// 1 for a checkpoint that moves back (a bug), else 6.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Checkpoint(_) => 1,
            Self::Locked { .. } => 7,
            Self::Io { .. } | Self::Unfit { .. } | Self::TopicName(_) | Self::Failed => 6,
        }
    }

    /// An error of the operating system, with the advice that fits its kind.
    pub(crate) fn io(what: &'static str, path: &Path, error: io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                "make room and start again, which continues from the last commit"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "allow this user to write there, or choose another directory"
            }
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "check the path",
            _ => "start again, which continues from the last commit",
        };
        Self::Io { what, path: path.to_owned(), hint, error }
    }
}
