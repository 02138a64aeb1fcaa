//! The JSON schema file, well and badly formed.

use super::build::build;
use super::file::parse;
use super::model::{ColumnKind, TableSchema};
use super::problem::ProblemKind;
use crate::cql::CqlType;

/// Rows as `SELECT JSON *` of Cassandra prints them (the table of the format notes, with a dropped column).
const FILE: &str = r#"{
  "keyspaces": [{"keyspace_name": "ks", "durable_writes": true, "replication": {"class": "S", "replication_factor": "1"}}],
  "tables": [
    {"keyspace_name": "ks", "table_name": "T 1", "id": "eec94810-e665-11f1-b1b8-eb8a0f36f989", "cdc": true,
     "flags": ["compound"], "extensions": {}, "gc_grace_seconds": 864000},
    {"keyspace_name": "ks", "table_name": "c", "id": "eec94810-e665-11f1-b1b8-eb8a0f36f98a", "cdc": null, "flags": []}
  ],
  "columns": [
    {"keyspace_name": "ks", "table_name": "T 1", "column_name": "c2", "clustering_order": "desc",
     "column_name_bytes": "0x6332", "kind": "clustering", "position": 1, "type": "int"},
    {"keyspace_name": "ks", "table_name": "T 1", "column_name": "c1", "clustering_order": "asc",
     "column_name_bytes": "0x6331", "kind": "clustering", "position": 0, "type": "text"},
    {"keyspace_name": "ks", "table_name": "T 1", "column_name": "k", "clustering_order": "none",
     "column_name_bytes": "0x6b", "kind": "partition_key", "position": 0, "type": "int"},
    {"keyspace_name": "ks", "table_name": "T 1", "column_name": "z", "clustering_order": "none",
     "column_name_bytes": "0x7a", "kind": "regular", "position": -1, "type": "frozen<outer>"},
    {"keyspace_name": "ks", "table_name": "T 1", "column_name": "Z", "clustering_order": "none",
     "column_name_bytes": "0x5a", "kind": "regular", "position": -1, "type": "inner"},
    {"keyspace_name": "ks", "table_name": "T 1", "column_name": "s", "clustering_order": "none",
     "column_name_bytes": "0x73", "kind": "static", "position": -1, "type": "set<int>"},
    {"keyspace_name": "ks", "table_name": "c", "column_name": "k", "clustering_order": "none",
     "column_name_bytes": "0x6b", "kind": "partition_key", "position": 0, "type": "int"},
    {"keyspace_name": "ks", "table_name": "c", "column_name": "v", "clustering_order": "none",
     "column_name_bytes": "0x76", "kind": "static", "position": -1, "type": "counter"},
    {"keyspace_name": "ks", "table_name": "mv", "column_name": "k", "clustering_order": "none",
     "column_name_bytes": "0x6b", "kind": "partition_key", "position": 0, "type": "int"}
  ],
  "dropped_columns": [
    {"keyspace_name": "ks", "table_name": "T 1", "column_name": "m", "dropped_time": "2023-11-14 22:13:20.123Z",
     "kind": "regular", "type": "frozen<tuple<int, text>>"},
    {"keyspace_name": "ks", "table_name": "T 1", "column_name": "z", "dropped_time": "2023-11-14 22:13:20.123Z",
     "kind": "regular", "type": "int"},
    {"keyspace_name": "ks", "table_name": "T 1", "column_name": "a", "dropped_time": "294247-01-10 04:00:54.775Z",
     "kind": "static", "type": "int"}
  ],
  "types": [
    {"keyspace_name": "ks", "type_name": "outer", "field_names": ["i", "l"], "field_types": ["frozen<inner>", "list<int>"]},
    {"keyspace_name": "ks", "type_name": "inner", "field_names": ["n"], "field_types": ["int"]}
  ],
  "views": [{"keyspace_name": "ks", "view_name": "mv", "base_table_name": "T 1", "id": "eec94810-e665-11f1-b1b8-eb8a0f36f98b"}],
  "indexes": [{"anything": 1}]
}"#;

fn names(columns: &[super::Column]) -> Vec<&str> {
    columns.iter().map(|c| c.name.as_str()).collect()
}

fn table(schema: &super::Schema, name: &str) -> TableSchema {
    let found = schema.tables().find(|t| t.name == name);
    TableSchema::clone(found.expect("the table"))
}

#[test]
fn builds_tables_from_the_file() {
    let built = build(&parse(FILE).unwrap());
    assert_eq!(built.problems, []);
    let t = table(&built.schema, "T 1");
    assert_eq!(t.id.to_string(), "eec94810-e665-11f1-b1b8-eb8a0f36f989");
    assert!(t.cdc && !t.view && !t.counter && !t.compact);
    assert_eq!(names(&t.partition_key), ["k"]);
    assert_eq!(names(&t.clustering), ["c1", "c2"]);
    assert_eq!(t.clustering.iter().map(|c| c.descending).collect::<Vec<_>>(), [false, true]);
    assert_eq!(names(&t.statics), ["a", "s"]);
    assert_eq!(names(&t.regulars), ["Z", "m", "z"]);
    let dropped: Vec<_> = t.regulars.iter().map(|c| c.dropped_at_us).collect();
    assert_eq!(dropped, [None, Some(1_700_000_000_123_000), None]);
    assert_eq!(t.statics[0].dropped_at_us, Some(9_223_372_036_854_775_000));
    assert_eq!(t.regulars[2].type_text, "frozen<outer>");
    let CqlType::Udt { udt, frozen: true } = &t.regulars[2].cql_type else {
        panic!("not a frozen user-defined type");
    };
    // Inside a user-defined type everything is frozen.
    let fields: Vec<_> = udt.fields.iter().map(|(n, t)| (n.as_str(), t.to_string())).collect();
    assert_eq!(fields, [("i", "frozen<inner>".to_owned()), ("l", "frozen<list<int>>".to_owned())]);
    assert!(t.regulars[0].multi_cell && !t.regulars[2].multi_cell && t.statics[1].multi_cell);

    let c = table(&built.schema, "c");
    assert!(c.compact && c.counter && !c.cdc);
    let view = table(&built.schema, "mv");
    assert!(view.view && !view.cdc && !view.compact);
}

/// Drivers give rows, or values inside rows, as texts.
#[test]
fn accepts_rows_and_values_as_texts() {
    let row = r#"{"keyspace_name":"ks","table_name":"t","id":"eec94810-e665-11f1-b1b8-eb8a0f36f989","flags":"[\"compound\"]","cdc":"True"}"#;
    let plain = parse(&format!(r#"{{"tables":[{row}]}}"#)).unwrap();
    assert!(plain.tables[0].cdc && plain.tables[0].flags.contains("compound"));
    let as_text = serde_json::to_string(row).unwrap();
    assert_eq!(parse(&format!(r#"{{"tables":[{as_text}]}}"#)).unwrap(), plain);
    let wrapped = format!(r#"{{"tables":[{{"[json]":{as_text}}}]}}"#);
    assert_eq!(parse(&wrapped).unwrap(), plain);
    let quoted = row.replace("\"table_name\"", "\"\\\"table_name\\\"\"");
    assert_eq!(parse(&format!(r#"{{"tables":[{quoted}]}}"#)).unwrap(), plain);
}

#[test]
fn missing_arrays_are_empty() {
    assert_eq!(parse("{}").unwrap(), super::SystemSchemaRows::default());
    assert_eq!(parse(r#"{"tables":null}"#).unwrap(), super::SystemSchemaRows::default());
}

#[test]
fn says_what_is_wrong_where() {
    for (text, start) in [
        ("", "not JSON (EOF"),
        ("[]", "expected one object with the arrays"),
        (
            r#"{"tables": 1}"#,
            "tables: expected an array of rows, found a number; write rows as `SELECT JSON * FROM system_schema.tables` prints",
        ),
        (r#"{"tables": [3]}"#, "tables[0]: expected an object, found a number"),
        (r#"{"tables": ["x"]}"#, "tables[0]: expected an object, found text"),
        (r#"{"views": [{}]}"#, "views[0].keyspace_name: expected text, found nothing"),
        (
            r#"{"tables": [{"keyspace_name":"k","table_name":"t","id":7}]}"#,
            "tables[0].id: expected a UUID, found a number",
        ),
        (
            r#"{"tables": [{"keyspace_name":"k","table_name":"t","id":"x"}]}"#,
            "tables[0].id: expected a UUID, found text",
        ),
        (
            r#"{"tables": [{"keyspace_name":"k","table_name":"t","id":"eec94810-e665-11f1-b1b8-eb8a0f36f989","cdc":"yes"}]}"#,
            "tables[0].cdc: expected true or false, found text",
        ),
        (
            r#"{"columns": [{"column_name":"c","kind":"odd"}]}"#,
            "columns[0].kind: expected partition_key, clustering, static or regular, found text",
        ),
        (
            r#"{"columns": [{"column_name":"c","kind":"clustering"}]}"#,
            "columns[0].position: expected a whole number, found nothing",
        ),
        (
            r#"{"columns": [{"keyspace_name":"k","table_name":"t","column_name":"c","kind":"regular","type":"int","column_name_bytes":"0x6"}]}"#,
            "columns[0].column_name_bytes: expected bytes as 0x and hex digits, found text",
        ),
        (
            r#"{"dropped_columns": [{"keyspace_name":"k","table_name":"t","column_name":"c","dropped_time":"soon"}]}"#,
            "dropped_columns[0].dropped_time: expected a timestamp, found text",
        ),
        (
            r#"{"types": [{"keyspace_name":"k","type_name":"t","field_names":"a, b"}]}"#,
            "types[0].field_names: expected an array of texts, found text",
        ),
        (
            r#"{"keyspaces": [{"keyspace_name":"k","replication":{"class":1}}]}"#,
            "keyspaces[0].replication: expected an object of texts, found an object",
        ),
    ] {
        let error = parse(text).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with(start), "{text}\n{error}");
    }
}

/// One thing changed in a good file, and the problem that follows.
#[test]
fn problems_leave_the_rest_alone() {
    let cases: [(&str, &str, &str); 7] = [
        ("frozen<outer>", "frozen<other>", "ks.T 1: column `z`: unknown user-defined type `ks.other`"),
        (
            "\"position\": 1, \"type\": \"int\"",
            "\"position\": 2, \"type\": \"int\"",
            "ks.T 1: the positions of the clustering columns",
        ),
        ("\"0x5a\"", "\"0x7a\"", "ks.T 1: column `z` stands there twice"),
        ("8a0f36f98b", "8a0f36f989", "ks.mv: the id is also that of ks.T 1"),
        ("\"view_name\": \"mv\"", "\"view_name\": \"mw\"", "ks.mw: no partition key column"),
        (
            "frozen<tuple<int, text>>",
            "gone",
            "ks.T 1: dropped column `m`: unknown user-defined type `ks.gone`",
        ),
        (
            "[\"n\"]",
            "[\"n\", \"o\"]",
            "ks: user-defined type `outer`, field `i`: user-defined type `inner` has not as many",
        ),
    ];
    for (good, bad, start) in cases {
        assert!(FILE.contains(good), "{good}");
        let built = build(&parse(&FILE.replace(good, bad)).unwrap());
        let texts: Vec<_> = built.problems.iter().map(ToString::to_string).collect();
        assert!(texts.iter().any(|text| text.starts_with(start)), "{texts:?}");
        let left_out = built
            .problems
            .iter()
            .filter(|p| p.kind.leaves_table_out() && p.kind != ProblemKind::ColumnsWithoutTable);
        assert_eq!(built.schema.tables().count(), 3 - left_out.count(), "{texts:?}");
    }
}

#[test]
fn recursive_user_types_are_refused() {
    let text = r#"{"types": [
        {"keyspace_name":"k","type_name":"a","field_names":["x"],"field_types":["frozen<b>"]},
        {"keyspace_name":"k","type_name":"b","field_names":["y"],"field_types":["frozen<set<frozen<a>>>"]},
        {"keyspace_name":"k","type_name":"c","field_names":["z"],"field_types":["int"]}]}"#;
    let built = build(&parse(text).unwrap());
    let texts: Vec<_> = built.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "k: user-defined type `a`, field `x`: user-defined type `b`, field `y`: user-defined type `k.a` contains itself",
            "k: user-defined type `b`, field `y`: user-defined type `a`, field `x`: user-defined type `k.b` contains itself",
        ]
    );
}

/// A chain of user-defined types longer than the depth allowed, and a tree of them with 2^40 leaves.
#[test]
fn hostile_user_types_are_answered() {
    let row = |name: usize, fields: &str, types: &str| {
        format!(
            r#"{{"keyspace_name":"k","type_name":"t{name}","field_names":{fields},"field_types":{types}}}"#
        )
    };
    let mut chain: Vec<_> =
        (1..1_000).map(|n| row(n, r#"["f"]"#, &format!(r#"["frozen<t{}>"]"#, n - 1))).collect();
    chain.reverse();
    chain.push(row(0, r#"["f"]"#, r#"["int"]"#));
    let built = build(&parse(&format!(r#"{{"types":[{}]}}"#, chain.join(","))).unwrap());
    assert_eq!(built.problems.len(), 1_000 - 63);

    let mut tree: Vec<_> = (1..40)
        .map(|n| {
            let types = format!(r#"["frozen<t{0}>","frozen<t{0}>"]"#, n - 1);
            row(n, r#"["f","g"]"#, &types)
        })
        .collect();
    tree.push(row(0, r#"["f"]"#, r#"["int"]"#));
    let built = build(&parse(&format!(r#"{{"types":[{}]}}"#, tree.join(","))).unwrap());
    assert_eq!(built.problems, []);
}

/// `system_schema` has one row a column; a file put together from several may have more.
#[test]
fn a_column_dropped_twice_stands_there_once() {
    let mut rows = parse(FILE).unwrap();
    rows.dropped_columns.extend_from_within(..1);
    let built = build(&rows);
    assert_eq!(names(&table(&built.schema, "T 1").regulars), ["Z", "m", "z"]);
}

#[test]
fn columns_of_no_table_are_reported() {
    let text = r#"{"columns": [{"keyspace_name":"k","table_name":"t","column_name":"c","kind":"regular","type":"int"}]}"#;
    let built = build(&parse(text).unwrap());
    assert_eq!(built.problems[0].kind, ProblemKind::ColumnsWithoutTable);
    assert_eq!(parse(text).unwrap().columns[0].kind, ColumnKind::Regular);
}
