//! Why a growing segment cannot be read.

use std::io;
use std::path::PathBuf;

use crate::commitlog::{Position, SegmentError};

/// Why a growing segment cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum GrowingError {
    /// The file system.
    #[error("cannot read {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The descriptor, or the key.
    #[error("cannot read {}", path.display())]
    Head {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: SegmentError,
    },
    /// It became shorter. Cassandra never does that.
    #[error(
        "{} was cut from {was} to {is} bytes while it was read; Cassandra never does that: find out who did, and \
         compare with the commit log directory before anything is deleted",
        path.display()
    )]
    Cut {
        /// Which file.
        path: PathBuf,
        /// Its length before, in bytes.
        was: u64,
        /// Its length now.
        is: u64,
    },
    /// What was read before is not (any more) in the segment.
    #[error(
        "{}: the position {position} is not in the chain of markers, which leads to {end}: this is not the segment that \
         was read before, or what was read beyond its last marker was lost in a crash of the node",
        path.display()
    )]
    NotInChain {
        /// Which file.
        path: PathBuf,
        /// Where reading should go on.
        position: Position,
        /// File offset that the chain leads to.
        end: u64,
    },
}
