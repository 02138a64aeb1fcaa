//! What is forgotten, so that a history stays small.

use std::collections::BTreeSet;

use super::stored;
use super::versions::Versions;
use crate::schema::model::TableId;

/// How much of the past is kept. What the newest fetch showed is always kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// Versions of one table.
    pub versions_per_table: usize,
    /// Bytes of the file, about.
    pub bytes: usize,
}

impl Default for StoreLimits {
    /// 64 versions of a table, 16 MiB.
    fn default() -> Self {
        Self { versions_per_table: 64, bytes: 16 << 20 }
    }
}

/// Forgets versions that were last seen before `before_ms`, and those beyond the limits, the longest unseen first. How
/// many.
pub(super) fn forget(versions: &mut Versions, limits: StoreLimits, before_ms: i64) -> usize {
    let mut past = past(versions);
    // The longest unseen first.
    past.sort_by_key(|of| of.last_seen_ms);
    let mut gone: BTreeSet<(TableId, usize)> =
        past.iter().filter(|of| of.last_seen_ms < before_ms).map(Past::key).collect();
    for (id, of_table) in &versions.tables {
        let beyond = of_table.len().saturating_sub(limits.versions_per_table.max(1));
        gone.extend(past.iter().filter(|of| of.id == *id).take(beyond).map(Past::key));
    }
    let all = versions.tables.values().flatten().map(stored::bytes).sum::<usize>();
    let forgotten = past.iter().filter(|of| gone.contains(&of.key())).map(|of| of.bytes).sum::<usize>();
    let mut left = all.saturating_sub(forgotten);
    for of in &past {
        if left > limits.bytes && gone.insert(of.key()) {
            left = left.saturating_sub(of.bytes);
        }
    }
    for (id, of_table) in &mut versions.tables {
        let mut index = 0;
        of_table.retain(|_| {
            let keep = !gone.contains(&(*id, index));
            index += 1;
            keep
        });
    }
    versions.tables.retain(|_, of_table| !of_table.is_empty());
    gone.len()
}

/// A version that is not how its table looks now.
struct Past {
    id: TableId,
    index: usize,
    last_seen_ms: i64,
    bytes: usize,
}

impl Past {
    fn key(&self) -> (TableId, usize) {
        (self.id, self.index)
    }
}

fn past(versions: &Versions) -> Vec<Past> {
    let mut past = Vec::new();
    for (id, of_table) in &versions.tables {
        for (index, version) in of_table.iter().enumerate() {
            if !versions.is_current(*id, index) {
                let (last_seen_ms, bytes) = (version.last_seen_ms, stored::bytes(version));
                past.push(Past { id: *id, index, last_seen_ms, bytes });
            }
        }
    }
    past
}
