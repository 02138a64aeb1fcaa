//! Names of segments and of their index files.

use std::fmt;
use std::str::FromStr;

use super::position::SegmentId;

/// `CommitLog-<version>-<id>.log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentName {
    /// Segment id.
    pub id: SegmentId,
    /// Version of the segment format.
    pub version: u32,
}

impl SegmentName {
    /// Name of the segment's index file in `cdc_raw`.
    #[must_use]
    pub fn index_file(self) -> String {
        format!("CommitLog-{}-{}_cdc.idx", self.version, self.id)
    }

    /// The segment to which an index file of this name belongs, if it is one.
    #[must_use]
    pub fn of_index_file(name: &str) -> Option<Self> {
        numbers(name.strip_suffix("_cdc.idx")?)
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommitLog-{}-{}.log", self.version, self.id)
    }
}

/// A file name that is not a segment's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a segment (CommitLog-<version>-<id>.log)")]
pub struct NotASegmentName(String);

impl FromStr for SegmentName {
    type Err = NotASegmentName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = name.strip_suffix(".log").and_then(numbers);
        found.ok_or_else(|| NotASegmentName(name.to_owned()))
    }
}

/// Reads `CommitLog-<version>-<id>`.
fn numbers(name: &str) -> Option<SegmentName> {
    let (version, id) = name.strip_prefix("CommitLog-")?.split_once('-')?;
    // As Cassandra writes them: a second spelling of one id would stand for another file.
    let is_short = |text: &str| text == "0" || !text.starts_with('0');
    let decimal =
        |text: &str| !text.is_empty() && is_short(text) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !decimal(version) || !decimal(id) {
        return None;
    }
    Some(SegmentName { id: SegmentId(id.parse().ok()?), version: version.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_index_file() {
        let name: SegmentName = "CommitLog-7-1699285478684.log".parse().unwrap();
        assert_eq!(name, SegmentName { id: SegmentId(1_699_285_478_684), version: 7 });
        assert_eq!(name.to_string(), "CommitLog-7-1699285478684.log");
        assert_eq!(name.index_file(), "CommitLog-7-1699285478684_cdc.idx");
        assert_eq!(SegmentName::of_index_file(&name.index_file()), Some(name));
        assert_eq!(SegmentName::of_index_file(&name.to_string()), None);
    }

    #[test]
    fn refuses_other_names() {
        for name in [
            "CommitLog-7.log",
            "CommitLog-123.log",
            "CommitLog-7-1_cdc.idx",
            "CommitLog-+7-1.log",
            "CommitLog-7-01.log",
            "CommitLog-07-1.log",
            "x",
            "CommitLog-7-99999999999999999999.log",
        ] {
            assert!(name.parse::<SegmentName>().is_err(), "{name}");
        }
    }
}
