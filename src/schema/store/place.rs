//! Places in the commit log, in its order.

use std::fmt;
use std::str::FromStr;

/// A place in the commit log of a node, as far as a history of its schema needs it. Places of one node are in the order
/// of its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPlace {
    /// Id of the segment.
    pub segment: i64,
    /// File offset of the section's marker.
    pub marker: u64,
    /// Index of the mutation in its section.
    pub entry: u32,
}

impl LogPlace {
    /// No place stands before it.
    pub const START: Self = Self { segment: i64::MIN, marker: 0, entry: 0 };
    /// No place stands behind it.
    pub const END: Self = Self { segment: i64::MAX, marker: u64::MAX, entry: u32::MAX };
}

impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.segment, self.marker, self.entry)
    }
}

/// A text is no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place in the log: expected <segment id>:<offset of the marker>:<index>")]
pub struct ParseLogPlaceError(String);

impl FromStr for LogPlace {
    type Err = ParseLogPlaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(':');
        let place = (|| {
            Some(Self {
                segment: parts.next()?.parse().ok()?,
                marker: parts.next()?.parse().ok()?,
                entry: parts.next()?.parse().ok()?,
            })
        })();
        place.filter(|_| parts.next().is_none()).ok_or_else(|| ParseLogPlaceError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_their_order() {
        let at = |text: &str| text.parse::<LogPlace>().unwrap();
        for text in ["1795346085819:20:0", "7:0:3"] {
            assert_eq!(at(text).to_string(), text);
        }
        assert!(
            LogPlace::START < at("9:20:5") && at("9:20:5") < at("10:20:0") && at("10:20:0") < LogPlace::END
        );
        assert_eq!(at(&LogPlace::START.to_string()), LogPlace::START);
        for text in ["", "1:2", "1:2:x", "1:2:3:4"] {
            assert!(text.parse::<LogPlace>().is_err(), "{text}");
        }
    }
}
