//! What each table looked like, when, and from where on in the log. Pure: times and places come from the caller.

use std::collections::{BTreeMap, BTreeSet};

use super::place::LogPlace;
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
    /// From where on the log is read with it: behind the change, where the log has it, else where the node's schema was
    /// taken over. `None`: reading has not come that far.
    pub position: Option<LogPlace>,
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

    /// Takes over one table as a change in the log left it: from `place` on. Whether anything is new.
    pub(super) fn logged(&mut self, rows: &SystemSchemaRows, at_ms: i64, place: LogPlace) -> bool {
        let Some((id, rows)) = split::by_table(rows).pop_first() else { return false };
        let versions = self.tables.entry(id).or_default();
        let is_read_again = versions.iter().any(|version| version.position == Some(place));
        if is_read_again || reached(versions.iter(), place).is_some_and(|before| before.rows == rows) {
            return false;
        }
        let version = TableVersion {
            changed_at_ms: Some(at_ms),
            position: Some(place),
            ..TableVersion::new(rows, at_ms)
        };
        let index = versions.iter().take_while(|version| version.first_seen_ms <= at_ms).count();
        versions.insert(index, version);
        true
    }

    /// From `place` on the log is read with this whole schema, which the node has had since then at the latest. Whether
    /// anything is new.
    pub(super) fn settled(&mut self, rows: &SystemSchemaRows, at_ms: i64, place: LogPlace) -> bool {
        let mut changed = false;
        for (id, rows) in split::by_table(rows) {
            let versions = self.tables.entry(id).or_default();
            if reached(versions.iter(), place).is_some_and(|version| version.rows == rows) {
                continue;
            }
            changed = true;
            match versions.last_mut().filter(|last| last.rows == rows && last.position.is_none()) {
                Some(last) => last.position = Some(place),
                None => {
                    let version = TableVersion::new(rows, at_ms);
                    versions.push(TableVersion { position: Some(place), ..version });
                }
            }
        }
        changed
    }

    /// The schema with which the log is read at `place`: of each name the version that was reached last. A name of which
    /// none was reached has the first one that does not come with the log.
    pub(super) fn as_of(&self, place: LogPlace) -> SystemSchemaRows {
        self.of_each_name(|versions| in_force(versions, place))
    }

    /// The newest version of each name, wherever the log has got to.
    pub(super) fn newest(&self) -> SystemSchemaRows {
        self.of_each_name(|versions| versions.last().copied())
    }

    fn of_each_name<'v>(
        &'v self,
        pick: impl Fn(&[&'v TableVersion]) -> Option<&'v TableVersion>,
    ) -> SystemSchemaRows {
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
            if let Some(version) = pick(&versions) {
                add(&mut rows, &mut types, version);
            }
        }
        rows.types = types.into_values().cloned().collect();
        rows
    }

    /// Of each table that [`Self::as_of`] leaves out, because its name means another one at `place`, the rows there.
    pub(super) fn others(&self, place: LogPlace) -> Vec<SystemSchemaRows> {
        let as_of = self.as_of(place);
        let tables = as_of.tables.iter().map(|row| row.id);
        let named: BTreeSet<TableId> = tables.chain(as_of.views.iter().map(|row| row.id)).collect();
        let others = self.tables.iter().filter(|(id, _)| !named.contains(id));
        let rows = others.filter_map(|(_, versions)| {
            in_force(&versions.iter().collect::<Vec<_>>(), place).map(|version| version.rows.clone())
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

/// Of versions in their order, the one with which the log is read at `place`.
fn in_force<'a>(versions: &[&'a TableVersion], place: LogPlace) -> Option<&'a TableVersion> {
    let given = || versions.iter().find(|version| version.changed_at_ms.is_none()).copied();
    reached(versions.iter().copied(), place).or_else(given)
}

/// Of versions, the one that was reached last at `place`.
fn reached<'a>(
    versions: impl IntoIterator<Item = &'a TableVersion>,
    place: LogPlace,
) -> Option<&'a TableVersion> {
    let reached = versions.into_iter().filter(|version| version.position.is_some_and(|from| from <= place));
    reached.max_by_key(|version| version.position)
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
