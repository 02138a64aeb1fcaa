//! The rules of `docs/schema.md`, one by one, with rows as Cassandra serialises them.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::schema::{TableSchema, ddl};

const T: &str = "8bd6f9e6-0000-11f0-8000-000000000001";
const OTHER: &str = "8bd6f9e6-0000-11f0-8000-000000000002";

/// A history of `k.t (p int, c int, v text, PRIMARY KEY (p, c))` and what `more` says.
fn history(more: &str) -> SchemaHistory {
    let text = format!(
        "CREATE TYPE k.u (a int, b int);
         CREATE TABLE k.t (p int, c int, v text, w frozen<u>, PRIMARY KEY (p, c)) WITH ID = {T}; {more}"
    );
    let loaded = ddl::parse(&text).unwrap();
    let (history, problems) = SchemaHistory::new(&loaded.rows);
    assert_eq!(problems, []);
    history
}

fn table(history: &SchemaHistory, id: &str) -> TableSchema {
    TableSchema::clone(history.schema().table(id.parse().unwrap()).expect("the table"))
}

/// The columns of a table as `name type[ dropped]`, keys first.
fn columns(history: &SchemaHistory, id: &str) -> Vec<String> {
    let table = table(history, id);
    let all = [&table.partition_key, &table.clustering, &table.statics, &table.regulars];
    let print = |c: &crate::schema::Column| {
        let dropped = if c.dropped_at_us.is_some() { " dropped" } else { "" };
        format!("{} {}{dropped}", c.name, c.type_text)
    };
    all.into_iter().flatten().map(print).collect()
}

fn row(key: &[&str], at: i64, cells: &[(&str, Vec<u8>)]) -> LoggedRow {
    LoggedRow {
        key: key.iter().map(|k| (*k).to_owned()).collect(),
        live_at: Some(at),
        deleted_at: Some(at - 1),
        cells: cells.iter().map(|(name, value)| ((*name).to_owned(), at, Some(value.clone()))).collect(),
    }
}

fn deleted(key: &[&str], at: i64) -> LoggedRow {
    let key = key.iter().map(|k| (*k).to_owned()).collect();
    LoggedRow { key, deleted_at: Some(at), ..LoggedRow::default() }
}

fn update(source: Source, rows: Vec<LoggedRow>) -> LoggedUpdate {
    LoggedUpdate { source, keyspace: "k".to_owned(), deletions: Vec::new(), rows }
}

fn text(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// A frozen list or set of texts.
fn texts(texts: &[&str]) -> Vec<u8> {
    let mut bytes = u32::try_from(texts.len()).unwrap().to_be_bytes().to_vec();
    for text in texts {
        bytes.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// A row of `tables`, without `cdc` unless given.
fn header(name: &str, id: &str, cdc: Option<bool>, at: i64) -> LoggedUpdate {
    let id: TableId = id.parse().unwrap();
    let mut cells = vec![("id", id.0.to_vec()), ("flags", texts(&["compound"]))];
    if let Some(cdc) = cdc {
        cells.push(("cdc", vec![u8::from(cdc)]));
    }
    update(Source::Tables, vec![row(&[name], at, &cells)])
}

fn column(table: &str, name: &str, kind: &str, position: i32, type_text: &str, at: i64) -> LoggedRow {
    let cells = [
        ("kind", text(kind)),
        ("position", position.to_be_bytes().to_vec()),
        ("type", text(type_text)),
        ("column_name_bytes", text(name)),
        ("clustering_order", text("none")),
    ];
    row(&[table, name], at, &cells)
}

fn added(name: &str, type_text: &str, at: i64) -> LoggedUpdate {
    update(Source::Columns, vec![column("t", name, "regular", -1, type_text, at)])
}

/// What `ALTER TABLE k.t DROP name` logs at a time in microseconds.
fn dropped(name: &str, type_text: &str, at: i64) -> Vec<LoggedUpdate> {
    let ms = (at / 1000).to_be_bytes().to_vec();
    let cells = [("dropped_time", ms), ("kind", text("regular")), ("type", text(type_text))];
    vec![
        header("t", T, None, at),
        update(Source::Columns, vec![deleted(&["t", name], at)]),
        update(Source::DroppedColumns, vec![row(&["t", name], at, &cells)]),
    ]
}

fn user_type(names: &[&str], types: &[&str], at: i64) -> LoggedUpdate {
    update(
        Source::Types,
        vec![row(&["u"], at, &[("field_names", texts(names)), ("field_types", texts(types))])],
    )
}

fn printed(effects: &[Effect]) -> Vec<String> {
    effects.iter().map(ToString::to_string).collect()
}

const BASE: [&str; 4] = ["p int", "c int", "v text", "w frozen<u>"];

#[test]
fn a_change_that_is_known_has_no_effect() {
    let mut history = history("");
    assert_eq!(history.apply(&[header("t", T, Some(false), 5), added("v", "text", 5)]), []);
    assert_eq!(columns(&history, T), BASE);
    assert!(history.schema().table(system::table_id("system_schema", "tables")).is_some());
}

#[test]
fn cdc_changes_at_its_place_and_stays_where_it_is_not_written() {
    let mut history = history("");
    let on = ["k.t: altered: CDC is on from here on"];
    assert_eq!(printed(&history.apply(&[header("t", T, Some(true), 5)])), on);
    assert!(table(&history, T).cdc);
    assert_eq!(history.apply(&[header("t", T, None, 6)]), []);
    assert!(table(&history, T).cdc);
    // Older than what was shown: it came late.
    assert_eq!(history.apply(&[header("t", T, Some(false), 4)]), []);
    assert!(table(&history, T).cdc);
    let off = ["k.t: altered: CDC is off from here on, which is a gap until it is on again"];
    assert_eq!(printed(&history.apply(&[header("t", T, Some(false), 7)])), off);
}

#[test]
fn columns_are_added_dropped_and_added_again() {
    let mut history = history("");
    assert_eq!(printed(&history.apply(&[added("x", "list<int>", 5000)])), ["k.t: altered"]);
    assert_eq!(columns(&history, T), ["p int", "c int", "v text", "w frozen<u>", "x list<int>"]);
    history.apply(&dropped("x", "list<int>", 7000));
    assert_eq!(table(&history, T).regulars[2].dropped_at_us, Some(7000));
    history.apply(&[added("x", "list<text>", 9000)]);
    assert_eq!(columns(&history, T), ["p int", "c int", "v text", "w frozen<u>", "x list<text>"]);
    // The log names the type of a dropped column without user-defined types; it is known better.
    history.apply(&dropped("w", "frozen<tuple<int, int>>", 9000));
    assert_eq!(columns(&history, T)[3], "w frozen<u> dropped");
    // A deletion of the row alone (no row in dropped_columns) takes nothing away.
    history.apply(&[update(Source::Columns, vec![deleted(&["t", "x"], 11_000)])]);
    assert_eq!(columns(&history, T).len(), 5);
}

/// The schema was given after the drop and knows what followed, which the log may not have.
#[test]
fn a_newer_schema_decides_what_follows_a_drop() {
    let again = "ALTER TABLE k.t DROP v USING TIMESTAMP 7000; ALTER TABLE k.t ADD v blob;
         ALTER TABLE k.t ADD gone int; ALTER TABLE k.t DROP gone USING TIMESTAMP 8000;";
    let mut history = history(again);
    let given = ["p int", "c int", "gone int dropped", "v blob", "w frozen<u>"];
    assert_eq!(columns(&history, T), given);
    history.apply(&[added("v", "text", 3000), added("gone", "int", 3000)]);
    assert_eq!(columns(&history, T), ["p int", "c int", "gone int", "v text", "w frozen<u>"]);
    history.apply(&dropped("v", "text", 7000));
    history.apply(&dropped("gone", "int", 8000));
    assert_eq!(columns(&history, T), given);
    // A later drop is news.
    history.apply(&dropped("v", "blob", 9000));
    assert_eq!(columns(&history, T)[3], "v blob dropped");
}

#[test]
fn a_renamed_key_column_takes_the_place() {
    let mut history = history("");
    let rows = vec![deleted(&["t", "c"], 5), column("t", "renamed", "clustering", 0, "int", 5)];
    assert_eq!(printed(&history.apply(&[update(Source::Columns, rows)])), ["k.t: altered"]);
    assert_eq!(columns(&history, T), ["p int", "renamed int", "v text", "w frozen<u>"]);
}

#[test]
fn tables_are_created_dropped_and_created_again() {
    let create = |id: &str, at: i64| {
        let rows = vec![
            column("n", "p", "partition_key", 0, "int", at),
            column("n", "v", "regular", -1, "frozen<u>", at),
        ];
        vec![header("n", id, Some(true), at), update(Source::Columns, rows)]
    };
    let mut history = history("");
    let first = "8bd6f9e6-0000-11f0-8000-000000000009";
    assert_eq!(printed(&history.apply(&create(first, 5))), [format!("k.n: created with id {first}")]);
    let drop = [update(Source::Tables, vec![deleted(&["n"], 7)])];
    assert_eq!(printed(&history.apply(&drop)), ["k.n: dropped"]);
    assert_eq!(printed(&history.apply(&create(OTHER, 9))), [format!("k.n: created with id {OTHER}")]);
    for id in [first, OTHER] {
        assert_eq!(columns(&history, id), ["p int", "v frozen<u>"]);
        assert!(table(&history, id).cdc);
    }
}

/// Whether or not the table is known already. The times in ids are those that the standard library of Python finds.
#[test]
fn a_creation_is_told_from_a_change() {
    let mut history = history("");
    let mut creations = |updates: &[LoggedUpdate]| {
        history.apply(updates);
        history.creations(updates)
    };
    // uuid.UUID(T).time // 10 - 12219292800000000
    let at = 1_741_866_279_460_707;
    let columns = |rows: &[LoggedRow]| update(Source::Columns, rows.to_vec());
    let whole = |at: i64| {
        let (p, c) =
            (column("t", "p", "partition_key", 0, "int", at), column("t", "c", "clustering", 0, "int", at));
        columns(&[p, c, column("t", "v", "regular", -1, "text", at)])
    };
    let created = |at_us: i64| [Creation { table: T.parse().unwrap(), at_us }];
    assert_eq!(creations(&[header("t", T, Some(true), at), whole(at)]), created(at));
    let late = at + 60_000_000;
    assert_eq!(creations(&[header("t", T, Some(true), late), whole(late)]), created(late));
    let masked = [header("t", T, Some(true), late + 1), whole(late + 1)];
    assert_eq!(creations(&masked), [], "all columns are changed, a minute later");
    let added = columns(&[column("t", "more", "regular", -1, "text", at)]);
    assert_eq!(creations(&[header("t", T, Some(true), at), added]), [], "a column is added");
    assert_eq!(creations(&[header("t", T, Some(true), at)]), [], "an option is changed");
    let renamed =
        columns(&[deleted(&["t", "p"], late + 8), column("t", "q", "partition_key", 0, "int", late + 8)]);
    assert_eq!(creations(&[header("t", T, Some(true), at), renamed]), [], "a key column has another name");
    for cdc in [Some(false), None] {
        let rows = [column("n", "p", "partition_key", 0, "int", at)];
        let without = [header("n", OTHER, cdc, at), columns(&rows)];
        assert_eq!(creations(&without), [], "without CDC: {cdc:?}");
    }
    let (chosen, rows) =
        ("8bd6f9e6-0000-41f0-8000-000000000003", [column("m", "p", "partition_key", 0, "int", at)]);
    assert_eq!(creations(&[header("m", chosen, Some(true), at), columns(&rows)]), [], "an id without a time");
}

#[test]
fn a_dropped_keyspace_stays_decodable() {
    let mut history = history("");
    let mut drop = update(Source::Keyspaces, vec![]);
    drop.deletions.push((vec![], 5));
    assert_eq!(printed(&history.apply(&[drop.clone()])), ["k.t: dropped"]);
    assert_eq!(columns(&history, T), BASE);
    assert_eq!(history.apply(&[drop]), []);
}

#[test]
fn types_only_grow() {
    let mut history = history("");
    let fields = |history: &SchemaHistory| match &table(history, T).regulars[1].cql_type {
        crate::cql::CqlType::Udt { udt, .. } => {
            udt.fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join(",")
        }
        other => panic!("{other}"),
    };
    assert_eq!(history.apply(&[user_type(&["a"], &["int"], 3)]), []);
    assert_eq!(fields(&history), "a,b");
    assert_eq!(printed(&history.apply(&[user_type(&["a", "B"], &["int", "int"], 5)])), ["k.t: altered"]);
    assert_eq!(fields(&history), "a,B");
    let grown = user_type(&["a", "B", "c"], &["int", "int", "frozen<set<text>>"], 7);
    history.apply(&[grown]);
    assert_eq!(fields(&history), "a,B,c");
    history.apply(&[update(Source::Types, vec![deleted(&["u"], 9)])]);
    assert_eq!(fields(&history), "a,B,c");
}

#[test]
fn what_the_log_does_not_carry_is_doubtful() {
    let mut history = history("");
    let alter = [
        header("x", OTHER, Some(true), 5),
        update(Source::Columns, vec![column("x", "v", "regular", -1, "int", 5)]),
    ];
    let all = "it was changed, and neither the schema nor the log says all its columns";
    assert_eq!(printed(&history.apply(&alter)), [format!("k.x: doubtful: {all}")]);
    // The partition key and a deleted column: a renamed key, not a new table.
    let rows = vec![deleted(&["x", "q"], 6), column("x", "p", "partition_key", 0, "int", 6)];
    let rename = [header("x", OTHER, Some(true), 6), update(Source::Columns, rows)];
    assert_eq!(printed(&history.apply(&rename)), [format!("k.x: doubtful: {all}")]);
    assert!(history.schema().table(OTHER.parse().unwrap()).is_none());

    let lost = [update(Source::Columns, vec![column("y", "v", "regular", -1, "int", 5)])];
    let reason = "a column is logged of a table that neither the schema nor the log describes";
    assert_eq!(printed(&history.apply(&lost)), [format!("k.y: doubtful: {reason}")]);
    let part = [update(Source::Columns, vec![row(&["t", "z"], 5, &[("kind", text("regular"))])])];
    let reason = "a logged row of one of its columns is not whole";
    assert_eq!(printed(&history.apply(&part)), [format!("k.t: doubtful: {reason}")]);
    let part = [update(Source::Types, vec![row(&["u"], 50, &[("field_names", vec![0, 0])])])];
    assert_eq!(printed(&history.apply(&part)), ["k: doubtful: the row of type `u` is not whole"]);
    let recursive = printed(&history.apply(&[user_type(&["a", "b", "c"], &["int", "int", "frozen<u>"], 60)]));
    assert_eq!(recursive.len(), 1);
    assert!(
        recursive[0].starts_with("k: doubtful: a change of type `u` does not fit the other types"),
        "{recursive:?}"
    );
    let anonymous = [update(Source::Tables, vec![row(&["y"], 5, &[("cdc", vec![1])])])];
    assert_eq!(printed(&history.apply(&anonymous)), ["k.y: doubtful: its logged row has no id"]);
    let role = "a column is logged in another role than it has, or as one more column of a key";
    for odd in [column("t", "v", "static", -1, "text", 9), column("t", "e", "clustering", 1, "int", 9)] {
        let effects = history.apply(&[update(Source::Columns, vec![odd])]);
        assert_eq!(printed(&effects), [format!("k.t: doubtful: {role}")]);
    }
    let foreign = printed(&history.apply(&[header("x", T, None, 9)]));
    assert_eq!(foreign, ["k.x: doubtful: its id is that of a table with another name"]);
    let odd = printed(&history.apply(&[added("z", "frozen<nope>", 7)]));
    assert_eq!(odd.len(), 1);
    assert!(odd[0].starts_with("k.t: doubtful: column `z`: unknown user-defined type `k.nope`"), "{odd:?}");
    assert_eq!(columns(&history, T), BASE);
}

fn any_update() -> impl Strategy<Value = Vec<LoggedUpdate>> {
    let at = || 1_i64..20_000;
    let name = || prop::sample::select(vec!["p", "c", "v", "w", "x"]);
    let types = || prop::sample::select(vec!["int", "text", "list<int>", "frozen<u>", "nope", "<"]);
    let kinds = prop::sample::select(vec!["partition_key", "clustering", "static", "regular", "odd"]);
    let tables = || prop::sample::select(vec!["t", "n"]);
    let ids = prop::sample::select(vec![T, OTHER]);
    prop_oneof![
        (tables(), ids, any::<Option<bool>>(), at())
            .prop_map(|(t, id, cdc, at)| vec![header(t, id, cdc, at)]),
        (tables(), name(), kinds, -1..3_i32, types(), at()).prop_map(
            |(t, name, kind, position, type_text, at)| {
                vec![update(Source::Columns, vec![column(t, name, kind, position, type_text, at)])]
            }
        ),
        (name(), types(), at()).prop_map(|(name, type_text, at)| dropped(name, type_text, at)),
        (tables(), name(), at())
            .prop_map(|(t, n, at)| vec![update(Source::Columns, vec![deleted(&[t, n], at)])]),
        (tables(), at()).prop_map(|(t, at)| vec![update(Source::Tables, vec![deleted(&[t], at)])]),
        at().prop_map(|at| vec![user_type(&["a", "z", "y"], &["int", "int", "frozen<u>"], at)]),
        (prop::sample::select(vec![Source::Keyspaces, Source::Columns, Source::Types]), at()).prop_map(
            |(source, at)| {
                let mut update = update(source, vec![]);
                update.deletions.push((vec![], at));
                vec![update]
            }
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(11), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is logged: no table is lost, and no column by which an older mutation may be written.
    #[test]
    fn nothing_known_is_lost(changes in prop::collection::vec(any_update(), 0..12)) {
        let mut history = history("");
        for change in &changes {
            history.apply(change);
        }
        let table = table(&history, T);
        prop_assert_eq!((table.partition_key.len(), table.clustering.len()), (1, 1));
        prop_assert!(table.column(false, b"v").is_some() && table.column(false, b"w").is_some());
    }
}
