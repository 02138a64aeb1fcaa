//! Names of topics.

use super::debezium_cassandra::connector_topic;
use super::options::Profile;
use crate::schema::TableSchema;

/// Longest topic name that Kafka takes.
pub const MAX_LENGTH: usize = 249;

/// Shortest end of a topic name: a keyspace and a table of one character each.
const SHORTEST_END: usize = ".cdc.k.t".len();

/// Longest prefix that leaves room for a table.
pub const MAX_PREFIX_LENGTH: usize = MAX_LENGTH - SHORTEST_END;

/// Whether Kafka takes the name for a topic.
#[must_use]
pub fn is_topic_name(name: &str) -> bool {
    (1..=MAX_LENGTH).contains(&name.len()) && has_legal_characters(name) && !matches!(name, "." | "..")
}

/// Whether a topic name may begin with `prefix` and a dot.
#[must_use]
pub fn is_prefix(prefix: &str) -> bool {
    (1..=MAX_PREFIX_LENGTH).contains(&prefix.len()) && has_legal_characters(prefix)
}

fn has_legal_characters(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// The topic of a table.
#[must_use]
pub fn table_topic(profile: Profile, prefix: &str, table: &TableSchema) -> String {
    match profile {
        Profile::DebeziumCassandra => connector_topic(prefix, table),
        Profile::Flat | Profile::Debezium => format!("{prefix}.cdc.{}.{}", table.keyspace, table.name),
    }
}

/// Where profile `debezium` writes what it has no shape for.
#[must_use]
pub fn side_topic(topic: &str) -> String {
    format!("{topic}.flat")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules are those of Kafka's `org.apache.kafka.common.internals.Topic`.
    #[test]
    fn names_and_prefixes() {
        for name in ["a", "shop.cdc.ks.Table_1-x", "...", &"x".repeat(249)] {
            assert!(is_topic_name(name), "{name}");
        }
        for name in ["", ".", "..", "a/b", "a b", "ä", "a\0", &"x".repeat(250)] {
            assert!(!is_topic_name(name), "{name}");
        }
        assert!(is_prefix("prod-1.eu_west") && is_prefix(".") && is_prefix(&"x".repeat(241)));
        assert!(!is_prefix("") && !is_prefix("a b") && !is_prefix("a/b") && !is_prefix(&"x".repeat(242)));
    }
}
