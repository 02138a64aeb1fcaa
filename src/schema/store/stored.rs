//! Versions of tables ↔ the object of the file.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::to_json;
use super::place::LogPlace;
use super::split;
use super::versions::{TableVersion, Versions};
use crate::schema::file;
use crate::schema::model::TableId;

/// The object.
#[derive(Debug, Serialize, Deserialize)]
struct StoredHistory {
    /// Host id of the node; empty when it is not known.
    node: String,
    /// Whether versions that the log was read with have their places. Older programs kept none.
    #[serde(default)]
    places: bool,
    tables: Vec<StoredTable>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredTable {
    id: String,
    versions: Vec<StoredVersion>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredVersion {
    first_seen_ms: i64,
    last_seen_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed_at_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    /// As a schema file.
    schema: Value,
}

/// Reads the object of a file.
pub(super) fn versions(stored: Value, node: &str) -> Result<Versions, String> {
    let stored: StoredHistory = serde_json::from_value(stored).map_err(|error| error.to_string())?;
    let known = |id: &str| !id.is_empty();
    if known(&stored.node) && known(node) && !stored.node.eq_ignore_ascii_case(node) {
        return Err(format!("it is of the node with the host id {}, and this node's is {node}", stored.node));
    }
    let mut versions = Versions::default();
    for table in stored.tables {
        let id: TableId = table.id.parse().map_err(|_| format!("`{}` is not a table id", table.id))?;
        let of_table = table.versions.into_iter().map(|version| read(id, version));
        let mut of_table: Vec<TableVersion> = of_table.collect::<Result<_, _>>()?;
        if let Some(last) = of_table.last_mut().filter(|_| !stored.places) {
            // That is what the log was read with last, as far as can be told.
            last.position.get_or_insert(LogPlace::START);
        }
        versions.tables.insert(id, of_table);
    }
    Ok(versions)
}

fn read(id: TableId, stored: StoredVersion) -> Result<TableVersion, String> {
    let rows = file::parse(&stored.schema.to_string()).map_err(|error| format!("table {id}: {error}"))?;
    if split::id(&rows) != Some(id) {
        return Err(format!("table {id}: its rows are of another table"));
    }
    Ok(TableVersion {
        rows,
        first_seen_ms: stored.first_seen_ms,
        last_seen_ms: stored.last_seen_ms,
        changed_at_ms: stored.changed_at_ms,
        position: stored.position.and_then(|position| position.parse().ok()),
    })
}

/// The text of the object.
pub(super) fn text(versions: &Versions, node: &str) -> Result<Vec<u8>, serde_json::Error> {
    let tables = versions.tables.iter().map(|(id, versions)| StoredTable {
        id: id.to_string(),
        versions: versions.iter().map(stored).collect(),
    });
    serde_json::to_vec(&StoredHistory { node: node.to_owned(), places: true, tables: tables.collect() })
}

fn stored(version: &TableVersion) -> StoredVersion {
    StoredVersion {
        first_seen_ms: version.first_seen_ms,
        last_seen_ms: version.last_seen_ms,
        changed_at_ms: version.changed_at_ms,
        position: version.position.map(|position| position.to_string()),
        schema: to_json(&version.rows),
    }
}

/// About how many bytes a version takes in the file.
pub(super) fn bytes(version: &TableVersion) -> usize {
    to_json(&version.rows).to_string().len().saturating_add(100)
}
