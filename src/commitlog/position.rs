//! Where a mutation stands in the commit log of one node.

use std::fmt;
use std::str::FromStr;

/// The id in a segment's descriptor and file name. Segments are ordered by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentId(pub i64);

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `<segment id>:<file offset of the section's marker>:<entry in section>[:<row>]`.
///
/// Ordered as the log is. Without a row the position means the first event of the mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Segment.
    pub segment: SegmentId,
    /// File offset in bytes of the sync marker that opens the section.
    pub marker: u64,
    /// Index of the frame in its section, from 0.
    pub entry: u32,
    /// Index of the event in its mutation, from 0.
    pub row: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.segment, self.marker, self.entry)?;
        if self.row > 0 {
            write!(f, ":{}", self.row)?;
        }
        Ok(())
    }
}

/// A text that is not a position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a position: expected <segment id>:<offset of the section's marker>:<entry>[:<row>], all decimal"
)]
pub struct ParsePositionError(String);

impl FromStr for Position {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParsePositionError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Position> {
    let mut parts = text.split(':');
    let position = Position {
        segment: SegmentId(parts.next()?.parse().ok()?),
        marker: parts.next()?.parse().ok()?,
        entry: parts.next()?.parse().ok()?,
        row: parts.next().map_or(Some(0), |row| row.parse().ok())?,
    };
    parts.next().is_none().then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_orders_as_the_log() {
        for text in ["1795346085819:20:0", "1:20:3:2"] {
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
        let at = |text: &str| text.parse::<Position>().unwrap();
        assert!(at("9:20:5") < at("10:20:0"));
        assert!(at("1:20:5:9") < at("1:20:6"));
        assert!(at("1:20:5") < at("1:20:5:1"));
    }

    #[test]
    fn refuses_what_is_no_position() {
        for text in ["", "1", "1:2", "1:2:x", "1:2:3:4:5", "1:-2:3", "1:2:3:"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
