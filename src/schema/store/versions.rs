//! What each table looked like, and when. Pure: times come from the caller.

use std::collections::{BTreeMap, BTreeSet};

use super::split;
use crate::schema::model::TableId;
use crate::schema::rows::{SystemSchemaRows, TypeRow};

/// A table as it looked for some time. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersion {
    /// Its row of `tables` or `views`, its columns and dropped columns, and the types it uses.
    pub rows: SystemSchemaRows,
    /// When it was first seen.
    pub first_seen_ms: i64,
    /// When it was last seen.
    pub last_seen_ms: i64,
    /// When it began, exactly, where the log says it.
    pub changed_at_ms: Option<i64>,
    /// Where in the log it begins, where that is known: the text of a position.
    pub position: Option<String>,
}

/// The versions of all tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Versions {
    /// In the order in which they were first seen.
    pub(super) tables: BTreeMap<TableId, Vec<TableVersion>>,
    /// The tables of the newest fetch.
    current: BTreeSet<TableId>,
}

impl Versions {
    /// Takes over the whole schema as it was at `at_ms`. Whether anything is new.
    pub(super) fn fetched(&mut self, rows: &SystemSchemaRows, at_ms: i64) -> bool {
        let tables = split::by_table(rows);
        self.current = tables.keys().copied().collect();
        let mut changed = false;
        for (id, rows) in tables {
            let versions = self.tables.entry(id).or_default();
            match versions.last_mut().filter(|last| last.rows == rows) {
                Some(last) => last.see(at_ms),
                None => {
                    versions.push(TableVersion::new(rows, at_ms));
                    changed = true;
                }
            }
        }
        changed
    }

    /// The schema of the newest fetch was still the same at `at_ms`.
    pub(super) fn unchanged(&mut self, at_ms: i64) {
        for id in &self.current {
            if let Some(last) = self.tables.get_mut(id).and_then(|versions| versions.last_mut()) {
                last.see(at_ms);
            }
        }
    }

    /// Takes over one table as a change in the log left it. Whether anything is new.
    pub(super) fn logged(&mut self, mut rows: SystemSchemaRows, at_ms: i64, position: Option<&str>) -> bool {
        split::sort(&mut rows);
        let Some(id) = split::id(&rows) else { return false };
        let versions = self.tables.entry(id).or_default();
        let position = position.map(str::to_owned);
        if let Some(same) = versions.iter_mut().find(|v| v.rows == rows && v.last_seen_ms >= at_ms) {
            // Seen later than it began, or read a second time.
            if same.changed_at_ms.is_some_and(|known| known <= at_ms) || same.first_seen_ms < at_ms {
                return false;
            }
            same.changed_at_ms = Some(at_ms);
            same.position = position;
            return true;
        }
        let place = versions.iter().take_while(|version| version.first_seen_ms <= at_ms).count();
        let version = TableVersion { changed_at_ms: Some(at_ms), position, ..TableVersion::new(rows, at_ms) };
        versions.insert(place, version);
        true
    }

    /// The schema as it was at `at_ms`: of each name the version that had begun and was not followed by another.
    ///
    /// A version begins where the log says so, else right after the one before it was last seen: mutations name
    /// columns, and a newer version still knows those that were dropped, so the newer one decodes what was written
    /// in between. Before all versions it is the first.
    pub(super) fn as_of(&self, at_ms: i64) -> SystemSchemaRows {
        let mut by_name: BTreeMap<(&str, &str), Vec<&TableVersion>> = BTreeMap::new();
        for version in self.tables.values().flatten() {
            if let Some(name) = split::name(&version.rows) {
                by_name.entry(name).or_default().push(version);
            }
        }
        let mut rows = SystemSchemaRows::default();
        let mut types = BTreeMap::new();
        for mut versions in by_name.into_values() {
            versions.sort_by_key(|version| version.begin());
            if let Some(version) = in_force(&versions, at_ms) {
                add(&mut rows, &mut types, version);
            }
        }
        rows.types = types.into_values().cloned().collect();
        rows
    }

    /// Of each table that [`Self::as_of`] leaves out, because its name meant another one, the rows at `at_ms`.
    pub(super) fn others(&self, at_ms: i64) -> Vec<SystemSchemaRows> {
        let as_of = self.as_of(at_ms);
        let tables = as_of.tables.iter().map(|row| row.id);
        let named: BTreeSet<TableId> = tables.chain(as_of.views.iter().map(|row| row.id)).collect();
        let others = self.tables.iter().filter(|(id, _)| !named.contains(id));
        let rows = others.filter_map(|(_, versions)| {
            in_force(&versions.iter().collect::<Vec<_>>(), at_ms).map(|version| version.rows.clone())
        });
        rows.collect()
    }

    /// Whether a version says how its table looks now, as far as that is known: before a first fetch every table may
    /// still be there.
    pub(super) fn is_current(&self, id: TableId, index: usize) -> bool {
        let is_last = self.tables.get(&id).is_some_and(|versions| index + 1 == versions.len());
        is_last && (self.current.is_empty() || self.current.contains(&id))
    }
}

impl TableVersion {
    fn new(rows: SystemSchemaRows, at_ms: i64) -> Self {
        Self { rows, first_seen_ms: at_ms, last_seen_ms: at_ms, changed_at_ms: None, position: None }
    }

    fn see(&mut self, at_ms: i64) {
        self.last_seen_ms = self.last_seen_ms.max(at_ms);
    }

    /// When it began, as far as is known.
    fn begin(&self) -> i64 {
        self.changed_at_ms.unwrap_or(self.first_seen_ms)
    }
}

/// Of versions in their order, the one in force.
fn in_force<'a>(versions: &[&'a TableVersion], at_ms: i64) -> Option<&'a TableVersion> {
    let later = versions.iter().zip(versions.iter().skip(1));
    let begun = later.take_while(|(before, version)| {
        let begin = version.changed_at_ms.unwrap_or_else(|| before.last_seen_ms.saturating_add(1));
        begin <= at_ms
    });
    versions.get(begun.count()).copied()
}

fn add<'a>(
    rows: &mut SystemSchemaRows,
    types: &mut BTreeMap<(&'a str, &'a str), &'a TypeRow>,
    version: &'a TableVersion,
) {
    rows.tables.extend(version.rows.tables.iter().cloned());
    rows.views.extend(version.rows.views.iter().cloned());
    rows.columns.extend(version.rows.columns.iter().cloned());
    rows.dropped_columns.extend(version.rows.dropped_columns.iter().cloned());
    for row in &version.rows.types {
        let known = types.entry((&row.keyspace_name, &row.type_name)).or_insert(row);
        // Types only grow, and a shorter value of a type is read as one without its last fields.
        if known.field_names.len() < row.field_names.len() {
            *known = row;
        }
    }
}
