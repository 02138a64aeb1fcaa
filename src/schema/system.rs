//! The tables of Cassandra's system keyspaces, built in.
//!
//! Their ids follow from their names, so that their mutations are recognised in every log; their columns are needed
//! to read schema changes, and the mutations that touch a system table and another one together.

use std::sync::LazyLock;

use md5::{Digest, Md5};

use super::build::build;
use super::ddl;
use super::model::{Schema, TableId};

/// Keyspaces that belong to Cassandra and have tables in the commit log.
pub const KEYSPACES: [&str; 5] =
    ["system", "system_schema", "system_auth", "system_distributed", "system_traces"];

/// Whether a keyspace belongs to Cassandra.
#[must_use]
pub fn is_system_keyspace(keyspace: &str) -> bool {
    KEYSPACES.contains(&keyspace)
}

/// The id of a table of a system keyspace: the version 3 UUID of both names, one after the other.
#[must_use]
pub fn table_id(keyspace: &str, table: &str) -> TableId {
    let mut id: [u8; 16] = Md5::new().chain_update(keyspace).chain_update(table).finalize().into();
    id[6] = id[6] & 0x0F | 0x30;
    id[8] = id[8] & 0x3F | 0x80;
    TableId(id)
}

static SYSTEM: LazyLock<Schema> = LazyLock::new(|| {
    let id = |keyspace: &str, table: &str| Some(table_id(keyspace, table));
    let loaded = ddl::parse_with_ids(include_str!("system.cql"), &id).unwrap_or_default();
    build(&loaded.rows).schema
});

/// The tables of the system keyspaces of Cassandra 3.11 to 5.0, each with the columns of all these versions.
#[must_use]
pub fn schema() -> &'static Schema {
    &SYSTEM
}

/// Adds the tables of the system keyspaces, except those that the schema has already.
pub fn add_to(schema: &mut Schema) {
    for table in SYSTEM.tables() {
        if schema.table(table.id).is_none() {
            schema.insert_shared(table.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::schema::{Column, load};

    #[test]
    fn the_built_in_text_has_no_problems() {
        let id = |keyspace: &str, table: &str| Some(table_id(keyspace, table));
        let loaded = ddl::parse_with_ids(include_str!("system.cql"), &id).unwrap();
        assert_eq!(loaded.problems, []);
        assert_eq!(build(&loaded.rows).problems, []);
    }

    /// Every table and column that nodes of 4.1 and 5.0 list in their own `system_schema`.
    #[test]
    fn has_what_nodes_have() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("cdc_fixtures");
        for set in ["4.1-none", "5.0-none"] {
            let rows = load(&fixtures.join(set).join("system-schema.json")).unwrap().rows;
            let built = build(&rows);
            assert_eq!(built.problems, []);
            for theirs in built.schema.tables() {
                let place = format!("{set} {}.{}", theirs.keyspace, theirs.name);
                assert_eq!(table_id(&theirs.keyspace, &theirs.name), theirs.id, "{place}");
                let ours = schema().table(theirs.id).unwrap_or_else(|| panic!("{place}"));
                let key = |c: &Column| (c.name.clone(), c.fixed_length, c.descending);
                let keys = |columns: &[Column]| columns.iter().map(key).collect::<Vec<_>>();
                assert_eq!(keys(&ours.partition_key), keys(&theirs.partition_key), "{place}");
                assert_eq!(keys(&ours.clustering), keys(&theirs.clustering), "{place}");
                for (is_static, columns) in [(true, &theirs.statics), (false, &theirs.regulars)] {
                    for theirs in columns {
                        let (_, ours) = ours.column(is_static, &theirs.name_bytes).expect("the column");
                        let texts = (&ours.type_text, &theirs.type_text);
                        let same = texts.0 == &texts.1.replace("timeuuid", "uuid") || texts.0 == texts.1;
                        assert!(same, "{place}.{} {texts:?}", theirs.name);
                        assert_eq!(ours.multi_cell, theirs.multi_cell, "{place}.{}", theirs.name);
                    }
                }
            }
        }
    }

    #[test]
    fn known_tables_stay() {
        let mut schema = Schema::default();
        add_to(&mut schema);
        let count = schema.tables().count();
        let id = table_id("system", "local");
        let mut local = crate::schema::TableSchema::clone(schema.table(id).unwrap());
        local.cdc = true;
        schema.insert(local);
        add_to(&mut schema);
        assert_eq!(schema.tables().count(), count);
        assert!(schema.table(id).unwrap().cdc);
    }
}
