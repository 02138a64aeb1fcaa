//! Options of `inspect` and `verify`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::keys::KeyArgs;
use crate::commitlog::Position;

/// `cdc-agent inspect`.
#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// Segment file
    #[arg(value_name = "SEGMENT")]
    pub segment: PathBuf,
    /// Schema of the tables: JSON of system_schema, or the CQL of DESCRIBE … WITH INTERNALS. Without it, what
    /// the bytes say by themselves: table ids, framing, column names
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// Show values: keys, clustering values, collection elements, cells. Default: their sizes
    #[arg(long)]
    pub values: bool,
    /// Show the contents of Cassandra's own keyspaces too; they may hold password hashes
    #[arg(long)]
    pub include_system: bool,
    /// Show one mutation, byte by byte: the one at this logical offset (the file offset in an uncompressed
    /// segment), at this byte of a section's plain bytes, or at this position
    #[arg(long, value_name = "OFFSET|MARKER:PLAIN|POS")]
    pub at: Option<At>,
    /// Stop after this many mutations
    #[arg(long, value_name = "N", conflicts_with = "at")]
    pub limit: Option<u64>,
    /// One JSON object a line instead of text
    #[arg(long, conflicts_with = "at")]
    pub json: bool,
    /// Keys of encrypted segments.
    #[command(flatten)]
    pub keys: KeyArgs,
}

/// `cdc-agent verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// Segment files, or directories that hold some; read in order of their ids
    #[arg(value_name = "SEGMENT|DIR", required = true)]
    pub paths: Vec<PathBuf>,
    /// Schema of the tables, to decode the mutations too. Without it: framing and checksums, and the decode of
    /// Cassandra's own tables
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// One JSON object a segment and one with the totals instead of text
    #[arg(long)]
    pub json: bool,
    /// No progress bar (there is none either when standard error is no terminal)
    #[arg(long)]
    pub no_progress: bool,
    /// Keys of encrypted segments.
    #[command(flatten)]
    pub keys: KeyArgs,
}

/// Which mutation `inspect --at` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The one that covers this logical offset: the file offset in an uncompressed segment, the position in
    /// the writer's buffer (as `_cdc.idx` counts) in any other.
    Logical(u64),
    /// The one that covers this byte of the section whose marker stands at this file offset.
    Plain {
        /// File offset of the section's marker.
        marker: u64,
        /// Offset in the section's plain bytes.
        offset: u64,
    },
    /// The one at this position.
    Position(Position),
}

/// A text that is no place of a mutation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an offset, <offset of the section's marker>:<offset in the section>, or a position \
     (<segment id>:<offset of the section's marker>:<entry>)"
)]
pub struct ParseAtError;

impl FromStr for At {
    type Err = ParseAtError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse().map_err(|_| ParseAtError);
        match text.split_once(':') {
            None => number(text).map(Self::Logical),
            Some((_, rest)) if rest.contains(':') => {
                text.parse().map(Self::Position).map_err(|_| ParseAtError)
            }
            Some((marker, offset)) => Ok(Self::Plain { marker: number(marker)?, offset: number(offset)? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_ways_to_name_a_mutation() {
        assert_eq!("64477".parse(), Ok(At::Logical(64477)));
        assert_eq!("20:0".parse(), Ok(At::Plain { marker: 20, offset: 0 }));
        let position = "1795346085819:20:3".parse().unwrap();
        assert_eq!("1795346085819:20:3".parse(), Ok(At::Position(position)));
        for bad in ["", "x", "1:", ":1", "1:2:x", "-1"] {
            assert_eq!(bad.parse::<At>(), Err(ParseAtError), "{bad}");
        }
    }
}
