//! The key of a repair: one that Cassandra takes, so that no write fails for ever and those behind it wait.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{NoRepair, RepairTable, unsupported};
use crate::cql::{CqlType, TypeExpr};

/// Most bytes of a partition key, and of all clustering columns.
const LONGEST: usize = 65_535;

/// The key columns of a row with their values: all, or those of the partition.
///
/// # Errors
/// A value is none of its column's type, or Cassandra takes no such key.
pub(super) fn key(table: &RepairTable, row: &Map<String, Value>) -> Result<Vec<(String, String)>, NoRepair> {
    let is_whole = table.layout.key.iter().all(|name| row.contains_key(name));
    let count = if is_whole { table.layout.key.len() } else { table.layout.partition_key };
    let (mut place, mut sizes) = (Vec::new(), Vec::new());
    for name in table.layout.key.iter().take(count) {
        let value = row.get(name).unwrap_or(&Value::Null);
        sizes.push(size(table.types.get(name), value));
        place.push((name.clone(), table.json(name, value)?));
    }
    let (partition, clustering) = sizes.split_at_checked(table.layout.partition_key).unwrap_or((&sizes, &[]));
    if partition == [Some(0)] {
        return unsupported("its partition key has no bytes: Cassandra takes none such");
    }
    // Of several columns each has its length before it and a byte behind it.
    let around = if partition.len() > 1 { 3 * partition.len() } else { 0 };
    let length = |sizes: &[Option<usize>]| sizes.iter().flatten().sum::<usize>();
    if length(partition).saturating_add(around) > LONGEST || length(clustering) > LONGEST {
        return unsupported(format!("its key is longer than {LONGEST} bytes: Cassandra takes none such"));
    }
    Ok(place)
}

/// How many bytes a value has, where its type lets it have none or many.
fn size(kind: Option<&TypeExpr>, value: &Value) -> Option<usize> {
    let text = value.as_str()?;
    match kind? {
        TypeExpr::Native(CqlType::Text | CqlType::Ascii) => Some(text.len()),
        TypeExpr::Native(CqlType::Blob) => STANDARD.decode(text).ok().map(|bytes| bytes.len()),
        _ => None,
    }
}
