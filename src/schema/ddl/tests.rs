//! DDL text: what Cassandra prints, and what it does not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::parse;
use crate::schema::{Built, SystemSchemaRows, TableSchema, build, load};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cdc_fixtures").join(name)
}

fn rows(path: &Path) -> SystemSchemaRows {
    let loaded = load(path).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(loaded.problems, []);
    loaded.rows
}

fn sorted(built: &Built) -> Vec<TableSchema> {
    let mut tables: Vec<_> = built.schema.tables().map(|t| TableSchema::clone(t)).collect();
    tables.sort_by(|a, b| (&a.keyspace, &a.name).cmp(&(&b.keyspace, &b.name)));
    tables
}

/// The same node, once as rows of `system_schema` and once as DESCRIBE … WITH INTERNALS: every case of the fixtures,
/// compact tables, views and dropped columns among them.
#[test]
fn both_sources_of_a_node_agree() {
    let mut compared = 0;
    for set in std::fs::read_dir(fixture("")).unwrap() {
        let folder = set.unwrap().path();
        let (json, cql) = (folder.join("schema.json"), folder.join("schema.cql"));
        if !json.exists() || !cql.exists() {
            continue;
        }
        let (json, cql) = (rows(&json), rows(&cql));
        let by_id = |rows: &SystemSchemaRows| {
            rows.tables.iter().map(|t| (t.id, t.clone())).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(by_id(&json), by_id(&cql), "{}", folder.display());
        let (json, cql) = (build(&json), build(&cql));
        assert_eq!(json.problems, []);
        assert_eq!(cql.problems, []);
        let (json, cql) = (sorted(&json), sorted(&cql));
        assert!(!json.is_empty());
        for (from_json, from_cql) in json.iter().zip(&cql) {
            assert_eq!(from_json, from_cql, "{}", folder.display());
        }
        assert_eq!(json.len(), cql.len());
        compared += json.len();
    }
    assert!(compared > 100, "only {compared} tables compared");
}

const ID: &str = "8bd6f9e6-0000-11f0-8000-000000000001";

/// The columns of the only table of a text, as `kind name type[ dropped at]`.
fn columns(text: &str) -> Vec<String> {
    let loaded = parse(text).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(loaded.problems, []);
    let built = build(&loaded.rows);
    assert_eq!(built.problems, []);
    let table = built.schema.tables().next().unwrap().clone();
    let all = [&table.partition_key, &table.clustering, &table.statics, &table.regulars];
    let print = |c: &crate::schema::Column| {
        let order = if c.descending { " desc" } else { "" };
        let dropped = c.dropped_at_us.map_or(String::new(), |at| format!(" dropped {at}"));
        format!("{} {} {}{order}{dropped}", c.kind.as_text(), c.name, c.type_text)
    };
    all.into_iter().flatten().map(print).collect()
}

/// Spellings that appear in other versions or by hand.
#[test]
fn reads_other_spellings() {
    let text = format!(
        r#"
        -- a comment; with a semicolon
        CREATE ROLE r WITH PASSWORD = 'a;b''c' AND LOGIN = true;
        create keyspace if not exists KS with replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}};
        USE ks; // another
        CREATE TYPE "T <y>" ("f 1" frozen<map<text, int>>, g ks.other);
        /* CREATE TABLE ks.not_this (k int PRIMARY KEY); */
        CREATE TABLE IF NOT EXISTS t (
            a Int, "B" VARCHAR static masked with default,
            c frozen<"T <y>">, d text MASKED WITH system.mask_inner(1, (null), ')'),
            PRIMARY KEY ((a, d), c)
        ) with caching = {{'keys': 'ALL', 'and': 'x'}} AND cdc = 'TRUE' AND comment = $$ it's; AND id = 5 $$
          AND CLUSTERING ORDER BY (c DESC) AND bloom_filter_fp_chance = 0.01 and Id = '{ID}';
        CREATE TYPE other (x int);
        CREATE OR REPLACE FUNCTION ks.f (x int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS $$ return x; $$;
        CREATE CUSTOM INDEX i ON t (c) USING 'SAI';
        DROP INDEX i
        "#
    );
    assert_eq!(
        columns(&text),
        [
            "partition_key a int",
            "partition_key d text",
            "clustering c frozen<\"T <y>\"> desc",
            "static B text",
        ]
    );
    let loaded = parse(&text).unwrap();
    assert!(loaded.rows.tables[0].cdc);
    assert_eq!(loaded.rows.keyspaces[0].replication["replication_factor"], "1");
    assert!(loaded.rows.keyspaces[0].durable_writes);
    let text = "CREATE KEYSPACE k WITH durable_writes = false AND replication = {'class': 'x'}";
    assert!(!parse(text).unwrap().rows.keyspaces[0].durable_writes);
}

#[test]
fn dropped_and_added_again() {
    let text = format!(
        "CREATE TABLE k.t (p int PRIMARY KEY, a text, b int, c int static) WITH ID = {ID};
         ALTER TABLE k.t DROP a USING TIMESTAMP 1767330800004000;
         ALTER TABLE k.t ADD a blob;
         ALTER TABLE k.t DROP b USING TIMESTAMP -5;
         ALTER TABLE k.t DROP c USING TIMESTAMP 7;
         ALTER TABLE k.t ADD c int static;
         ALTER TABLE k.t DROP c USING TIMESTAMP 9;"
    );
    assert_eq!(
        columns(&text),
        ["partition_key p int", "static c int dropped 9", "regular a blob", "regular b int dropped -5"]
    );
}

/// Layouts of Cassandra's compact tables; names that are taken get the next number.
#[test]
fn lays_out_compact_tables() {
    for (body, expected) in [
        (
            "k int PRIMARY KEY, column1 int, value int) WITH COMPACT STORAGE",
            &[
                "partition_key k int",
                "clustering column2 text",
                "static column1 int",
                "static value int",
                "regular value1 blob",
            ][..],
        ),
        (
            "k int PRIMARY KEY, n counter) WITH COMPACT STORAGE AND CLUSTERING ORDER BY (other ASC)",
            &["partition_key k int", "clustering other text", "static n counter", "regular value counter"][..],
        ),
        (
            "k int, value int, PRIMARY KEY (k, value)) WITH COMPACT STORAGE",
            &["partition_key k int", "clustering value int", "regular value1 empty"][..],
        ),
        (
            "k int, a int, b int, v int, PRIMARY KEY (k, a, b)) WITH COMPACT STORAGE",
            &["partition_key k int", "clustering a int", "clustering b int", "regular v int"][..],
        ),
    ] {
        let text = format!("CREATE TABLE k.t ({body} AND ID = {ID}");
        assert_eq!(columns(&text), expected, "{body}");
        let built = build(&parse(&text).unwrap().rows);
        assert!(built.schema.tables().all(|table| table.compact), "{body}");
    }
}

#[test]
fn says_where_a_text_goes_wrong() {
    for (text, error) in [
        ("SELEKT 1", "line 1, column 1: expected a CQL statement"),
        ("\n  CREATE TABLE t (k int PRIMARY KEY)", "line 2, column 3: no keyspace is named"),
        ("CREATE TABLE k.t (k int,, PRIMARY KEY (k))", "line 1, column 25: expected a name"),
        ("CREATE TABLE k.t (k int, PRIMARY KEY (k, é))", "line 1, column 42: expected a name"),
        ("CREATE TABLE k.t (k int, PRIMARY KEY (k, c))", "line 1, column 44: the primary key names `c`"),
        ("CREATE TABLE k.t (k int", "line 1, column 24: expected `)`"),
        ("CREATE TABLE k.t (k , PRIMARY KEY (k))", "line 1, column 21: expected a type"),
        ("CREATE TABLE k.t (k int PRIMARY KEY) WITH id = 5", "line 1, column 48: expected the UUID"),
        ("CREATE TABLE k.t (k int PRIMARY KEY) WITH cdc = 5", "line 1, column 49: expected true or false"),
        ("CREATE TABLE k.t (k int PRIMARY KEY) x", "line 1, column 38: expected the end of the statement"),
        ("USE k; 'never", "line 1, column 8: a text, a quoted name or a comment begins here"),
        ("/* never", "line 1, column 1: a text, a quoted name or a comment begins here"),
        ("$$ never $", "line 1, column 1: a text"),
        ("CREATE WINDOW w", "line 1, column 8: expected KEYSPACE, TYPE, TABLE"),
        ("DROP TABLE k.t", "line 1, column 6: DROP does not describe a schema"),
        ("ALTER TYPE k.t ADD f int", "line 1, column 12: ALTER TYPE does not describe"),
        (
            "ALTER TABLE k.t DROP c USING TIMESTAMP 1",
            "line 1, column 1: table k.t is altered but not created",
        ),
        ("ALTER TABLE k.t DROP c", "line 1, column 23: expected using timestamp"),
        ("ALTER TABLE k.t RENAME a TO b", "line 1, column 17: expected DROP … USING TIMESTAMP or ADD"),
        (
            "CREATE TABLE k.t (k int PRIMARY KEY); CREATE TABLE k.t (k int PRIMARY KEY)",
            "line 1, column 39: table k.t is described twice",
        ),
    ] {
        let found = parse(text).map(|_| ()).unwrap_err().to_string();
        assert!(found.starts_with(error), "{text}\n{found}");
    }
}

#[test]
fn tables_without_id_are_a_problem() {
    let text = format!(
        "CREATE TABLE k.t (k int PRIMARY KEY) WITH cdc = true; CREATE TABLE k.u (k int PRIMARY KEY) WITH ID = {ID};
         CREATE MATERIALIZED VIEW k.v AS SELECT k FROM k.gone WHERE k IS NOT NULL PRIMARY KEY (k) WITH ID = {ID};
         CREATE MATERIALIZED VIEW k.w AS SELECT x FROM k.u WHERE k IS NOT NULL PRIMARY KEY (k) WITH ID = {ID};"
    );
    let loaded = parse(&text).unwrap();
    let problems: Vec<_> = loaded.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "k.v: a view of table `gone`, which the DDL text does not have; the view is left out",
            "k.w: a view with the column `x`, which its base table does not have; the view is left out",
            "k.t: no table id in the DDL text; take it with DESCRIBE … WITH INTERNALS; the table is left out",
        ]
    );
    assert_eq!(loaded.rows.tables.len(), 1);
}

/// Texts that a quadratic reader would not finish.
#[test]
fn long_texts_are_read_in_time() {
    let comments = "/* Warning: */ ".repeat(200_000);
    assert_eq!(parse(&comments).unwrap().rows.tables.len(), 0);
    let columns: String = (0..50_000).map(|n| format!("c{n} int, ")).collect();
    let key: Vec<_> = (0..50_000).map(|n| format!("c{n}")).collect();
    let wide = format!("CREATE TABLE k.t ({columns} PRIMARY KEY (({}))) WITH ID = {ID}", key.join(","));
    let rows = parse(&wide).unwrap().rows;
    assert_eq!(build(&rows).schema.tables().next().unwrap().partition_key.len(), 50_000);
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(12), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in "([a-z0-9(){}<>;:,.'\"$*/ \n-]|CREATE |TABLE |PRIMARY KEY |WITH |AND |ID =){0,30}") {
        let _ = parse(&text);
    }

    /// A real text cut or changed anywhere is answered.
    #[test]
    fn damaged_text_is_answered(at in 0_usize..1339, with in "[a-z(){}<>;'\"/*$]?") {
        let text = std::fs::read_to_string(fixture("demo/schema.cql")).unwrap();
        let (start, end) = text.split_at_checked(at.min(text.len())).unwrap();
        let _ = parse(start);
        let _ = parse(&format!("{start}{with}{}", end.get(1..).unwrap_or_default()));
    }
}
