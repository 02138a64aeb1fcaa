//! Wanted tables of which nothing comes: their keyspace has `durable_writes = false`, so Cassandra writes their changes to
//! no commit log.

use std::collections::BTreeSet;

use crate::change::filter::TableFilter;
use crate::schema::{Schema, SystemSchemaRows};

/// What to do about it.
pub(super) const ADVICE: &str =
    "ALTER KEYSPACE … WITH durable_writes = true; changes of before are in the tables alone";

/// Their names. `schema`: the tables of `rows`.
pub(super) fn unlogged(rows: &SystemSchemaRows, schema: &Schema, filter: &TableFilter) -> BTreeSet<String> {
    let keyspaces = rows.keyspaces.iter().filter(|row| !row.durable_writes);
    let keyspaces: BTreeSet<&str> = keyspaces.map(|row| row.keyspace_name.as_str()).collect();
    let tables = schema.tables().filter(|table| keyspaces.contains(table.keyspace.as_str()));
    tables
        .filter(|table| filter.wants(table))
        .map(|table| format!("{}.{}", table.keyspace, table.name))
        .collect()
}

/// Those that were told of.
#[derive(Debug, Default)]
pub(super) struct Unlogged(BTreeSet<String>);

impl Unlogged {
    /// Those that are so now and were not at the last call.
    pub(super) fn news(
        &mut self,
        rows: &SystemSchemaRows,
        schema: &Schema,
        filter: &TableFilter,
    ) -> Vec<String> {
        let before = std::mem::replace(&mut self.0, unlogged(rows, schema, filter));
        self.0.difference(&before).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{build, ddl};

    fn news(told: &mut Unlogged, durable: bool, cdc: &[&str]) -> Vec<String> {
        let mut text = format!(
            "CREATE KEYSPACE k WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': '1'}} AND \
             durable_writes = {durable};\n\
             CREATE KEYSPACE d WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': '1'}} AND \
             durable_writes = true;\n"
        );
        for (number, name) in ["k.a", "k.b", "d.c"].iter().enumerate() {
            let has = cdc.contains(name);
            text += &format!(
                "CREATE TABLE {name} (id int PRIMARY KEY) WITH ID = 8bd6f9e6-0000-11f0-8000-00000000000{number} AND \
                 cdc = {has};\n"
            );
        }
        let loaded = ddl::parse(&text).unwrap();
        let built = build(&loaded.rows);
        assert_eq!((built.schema.tables().count(), built.problems.len()), (3, 0), "{text}");
        told.news(&loaded.rows, &built.schema, &TableFilter::default())
    }

    #[test]
    fn each_table_is_told_of_when_it_becomes_one() {
        let mut told = Unlogged::default();
        assert_eq!(news(&mut told, true, &["k.a", "d.c"]), [""; 0]);
        assert_eq!(news(&mut told, false, &["k.a", "d.c"]), ["k.a"]);
        assert_eq!(news(&mut told, false, &["k.a", "k.b"]), ["k.b"]);
        assert_eq!(news(&mut told, true, &["k.a", "k.b"]), [""; 0]);
        assert_eq!(news(&mut told, false, &["k.a"]), ["k.a"], "it was set right, and is so again");
    }
}
