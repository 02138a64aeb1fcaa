//! The names inside a file log's directory.

use std::path::{Path, PathBuf};

use crate::envelope::topic::is_topic_name;
use crate::sink::SinkError;

/// What was committed.
pub(super) const COMMIT: &str = "commit.json";
/// The next `commit.json` while it is written.
pub(super) const COMMIT_TEMPORARY: &str = "commit.json.tmp";
/// Held by the one writer.
pub(super) const LOCK: &str = "lock";

/// Digits of the first offset in a file's name: as many as the largest offset has, so that names sort as
/// offsets do. Kafka names its segments the same way.
const OFFSET_DIGITS: usize = 20;
const EXTENSION: &str = ".jsonl";

/// The file of a partition that starts with the record `first_offset`.
pub(super) fn file_name(first_offset: u64) -> String {
    format!("{first_offset:0OFFSET_DIGITS$}{EXTENSION}")
}

/// The first offset in the name of a partition's file; `None` when it is not such a name.
pub(super) fn first_offset(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(EXTENSION)?;
    (digits.len() == OFFSET_DIGITS && is_decimal(digits)).then(|| digits.parse().ok())?
}

/// The partition that a directory in a topic's directory is named after; `None` when it is not such a name.
pub(super) fn partition(name: &str) -> Option<u32> {
    let number: u32 = is_decimal(name).then(|| name.parse().ok())??;
    (number.to_string() == name).then_some(number)
}

fn is_decimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The directory of a partition.
pub(super) fn partition_dir(root: &Path, topic: &str, partition: u32) -> PathBuf {
    root.join(topic).join(partition.to_string())
}

/// Check that a topic's name is one that Kafka takes: then it is safe as a path component, too.
///
/// # Errors
/// When it is not.
pub(super) fn check_topic(name: &str) -> Result<(), SinkError> {
    // Not refused by Kafka, but they would stand where the log keeps its own files.
    let taken = matches!(name, COMMIT | COMMIT_TEMPORARY | LOCK);
    if is_topic_name(name) && !taken { Ok(()) } else { Err(SinkError::TopicName(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_sort_as_offsets_and_read_back() {
        assert_eq!(file_name(0), "00000000000000000000.jsonl");
        assert_eq!(file_name(u64::MAX), "18446744073709551615.jsonl");
        for offset in [0, 9, 10, 1_000_000, u64::MAX] {
            assert_eq!(first_offset(&file_name(offset)), Some(offset));
        }
        for name in [
            "0.jsonl",
            "000000000000000000+1.jsonl",
            "00000000000000000000.json",
            "99999999999999999999.jsonl",
        ] {
            assert_eq!(first_offset(name), None, "{name}");
        }
    }

    #[test]
    fn partitions_have_one_name_each() {
        assert_eq!(partition("0"), Some(0));
        assert_eq!(partition("12"), Some(12));
        for name in ["", "00", "012", "+1", "-1", "x", "4294967296"] {
            assert_eq!(partition(name), None, "{name}");
        }
    }

    #[test]
    fn topic_names_are_kafkas_and_no_paths() {
        for name in ["a", "shop.cdc.ks.Table_1-x", "...", &"x".repeat(249)] {
            check_topic(name).unwrap();
        }
        for name in ["", ".", "..", "a/b", "../a", "a b", "ä", "a\0", "lock", "commit.json", &"x".repeat(250)]
        {
            assert_eq!(check_topic(name).unwrap_err().exit_code(), 6, "{name}");
        }
    }
}
