//! How far the snapshots of tables are: committed with their records, so that both say the same after a crash.

use serde::{Deserialize, Serialize};

use crate::schema::TableId;
use crate::schema::source::ReadConsistency;

/// How far the snapshot of one table is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSnapshot {
    /// Keyspace, unquoted.
    pub keyspace: String,
    /// Table, unquoted.
    pub table: String,
    /// The table's id as text: one that was made anew under the name is another table.
    pub id: String,
    /// When it was asked for, in milliseconds since 1970.
    pub begun_ms: i64,
    /// Most rows a second; 0: as many as come.
    pub rate: u32,
    /// Of how many replicas each row is read.
    #[serde(default)]
    pub consistency: ReadConsistency,
    /// Rows and static rows that were published.
    pub rows: u64,
    /// All ranges that end at this token, or before it, are done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_to: Option<i64>,
    /// From where the node goes on in the range behind: its paging state, in hex. It holds the key of the last row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The token of the last row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<i64>,
    /// A hash of the partition of the last row, whose static row was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<u64>,
}

impl TableSnapshot {
    /// One that has not begun.
    #[must_use]
    pub fn new(
        (keyspace, table, id): (&str, &str, TableId),
        begun_ms: i64,
        rate: u32,
        consistency: ReadConsistency,
    ) -> Self {
        Self {
            keyspace: keyspace.to_owned(),
            table: table.to_owned(),
            id: id.to_string(),
            begun_ms,
            rate,
            consistency,
            rows: 0,
            done_to: None,
            page: None,
            token: None,
            partition: None,
        }
    }

    /// `keyspace.table`
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.keyspace, self.table)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Checkpoint, CheckpointError};
    use super::*;

    fn snapshot() -> TableSnapshot {
        let id = "5a1c395e-b41f-11e5-9f22-ba0be0483c18".parse().unwrap();
        let begun =
            TableSnapshot::new(("shop", "orders", id), 1_767_323_045_912, 2000, ReadConsistency::LocalOne);
        TableSnapshot {
            rows: 12,
            done_to: Some(-5),
            page: Some("00ff".to_owned()),
            token: Some(7),
            partition: Some(u64::MAX),
            ..begun
        }
    }

    #[test]
    fn is_stored_with_the_checkpoint() {
        let mut checkpoint = Checkpoint::default();
        assert!(String::from_utf8(checkpoint.to_json().unwrap()).unwrap().contains("\"version\":4"));
        checkpoint.snapshots_mut().push(snapshot());
        let text = String::from_utf8(checkpoint.to_json().unwrap()).unwrap();
        assert!(
            text.contains("\"version\":5"),
            "an agent that cannot go on with it must not forget it: {text}"
        );
        assert!(text.contains("\"consistency\":\"local_one\"") && text.contains("\"done_to\":-5"), "{text}");
        assert_eq!(Checkpoint::from_json(text.as_bytes()).unwrap(), checkpoint);
        assert_eq!(checkpoint.without_done().snapshots(), checkpoint.snapshots());
        assert!(!checkpoint.says_the_same(&Checkpoint::default()));
        let newer = text.replace("\"version\":5", "\"version\":6");
        let error = Checkpoint::from_json(newer.as_bytes()).unwrap_err();
        assert!(matches!(error, CheckpointError::NewerVersion { found: 6, .. }), "{error}");
    }
}
