//! What can go wrong between the program and a destination.

use std::io;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use crate::checkpoint::CheckpointError;
use crate::durable::DurableError;

/// What to do after standard output failed.
pub(super) const STDOUT_HINT: &str = "nothing remembers how far this came: start again from the beginning, or write a file log (--out DIR), \
     which is continued where it stopped";

/// A destination that cannot be used, or cannot be used any more.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The reader of the output has gone away (`| head`).
    #[error(
        "the reader of standard output has closed it; {records} record(s) had been written as a whole; {STDOUT_HINT}"
    )]
    Closed {
        /// Records that the operating system had taken.
        records: u64,
    },
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
    /// The file log has another number of partitions than was asked for.
    #[error(
        "{} has {has} partitions a topic, and {asked} were asked for: leave the option away, or write to another \
         directory", .path.display()
    )]
    Partitions {
        /// The file log.
        path: PathBuf,
        /// Partitions of each of its topics.
        has: NonZeroU16,
        /// What was asked for.
        asked: NonZeroU16,
    },
    /// The topic name is not one that Kafka and a file system both accept.
    #[error(
        "`{0}` is not a topic name: 1 to 249 of the characters a-z A-Z 0-9 . _ -, and neither `.` nor `..`; \
         choose another prefix"
    )]
    TopicName(String),
    /// An option cannot be used.
    #[error("{0}")]
    Options(String),
    /// The brokers cannot be reached, refuse, or hold something else than they should.
    #[error("{what}; {hint}")]
    Kafka {
        /// What happened.
        what: String,
        /// What to do next.
        hint: &'static str,
    },
    /// No broker answers.
    #[error("{what}; {hint}")]
    Unreachable {
        /// Which, and what was asked.
        what: String,
        /// What to do next.
        hint: &'static str,
    },
    /// Another producer has taken over.
    #[error(
        "another producer has taken over the transactional id {id}: see to it that only one agent (or replay of these \
         segments) runs. The same happens to one that was stopped for longer than its transaction may take: if this is \
         the only one, start it again, which continues from the last commit"
    )]
    Fenced {
        /// Which.
        id: String,
    },
    /// What was sent since the last commit was taken back.
    #[error(
        "{what}; what was sent since the last commit is taken back: start again, which continues from there"
    )]
    RolledBack {
        /// Why.
        what: String,
    },
    /// Nobody knows whether the last commit took place.
    #[error(
        "{what}; nobody knows whether the last commit took place: start again, which finds out and continues"
    )]
    Indefinite {
        /// Why.
        what: String,
    },
    /// A topic may not be read, written or made by this user.
    #[error("{what}; {hint}")]
    Forbidden {
        /// Which, and what Kafka says.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// Brokers do not make a topic, and will not.
    #[error("{what}; {hint}")]
    Unmade {
        /// Which, and why.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// A record is not taken, and nothing may replace it.
    #[error(
        "topic {topic} does not take {what}: {reason}; allow longer records (kafka_option message.max.bytes, the topic's \
         max.message.bytes), or let a pointer replace it (kafka_refused dead_letter)"
    )]
    Refused {
        /// The topic.
        topic: String,
        /// The record: where its event stands, and how long it is.
        what: String,
        /// Why.
        reason: String,
    },
    /// A write failed before, so nothing is known about what followed.
    #[error("an earlier write failed, and nothing was written since")]
    Failed,
    /// The checkpoint to commit contradicts the committed one.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl SinkError {
    /// Whether [`Sink::rewind`](super::Sink::rewind) may help, now or later: nothing is wrong but that a batch is gone, that
    /// nobody knows whether it is, or that no broker answers.
    #[must_use]
    pub fn is_rewindable(&self) -> bool {
        matches!(self, Self::RolledBack { .. } | Self::Indefinite { .. } | Self::Unreachable { .. })
    }

    /// Whether nobody knows how a commit ended.
    #[must_use]
    pub fn is_indefinite(&self) -> bool {
        matches!(self, Self::Indefinite { .. })
    }

    /// The exit code of a program that ends with this error: 7 for a second writer, 1 for a checkpoint that moves
    /// back (a bug), 2 for options and another number of partitions than asked for, else 6.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Checkpoint(_) => 1,
            Self::Partitions { .. } | Self::Options(_) => 2,
            Self::Locked { .. } | Self::Fenced { .. } => 7,
            Self::Closed { .. }
            | Self::Io { .. }
            | Self::Unfit { .. }
            | Self::TopicName(_)
            | Self::Kafka { .. }
            | Self::Unreachable { .. }
            | Self::RolledBack { .. }
            | Self::Indefinite { .. }
            | Self::Refused { .. }
            | Self::Forbidden { .. }
            | Self::Unmade { .. }
            | Self::Failed => 6,
        }
    }

    /// An error of the operating system, with the advice that fits its kind.
    pub(crate) fn io(what: &'static str, path: &Path, error: io::Error) -> Self {
        let hint = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "make room and start again, which continues from the last commit"
            }
            io::ErrorKind::FileTooLarge => {
                "raise the limit on the size of files (ulimit -f) and start again, which continues from the last commit"
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

impl From<DurableError> for SinkError {
    fn from(error: DurableError) -> Self {
        Self::io(error.action, &error.path, error.source)
    }
}
