//! The history of a schema: what is kept, what answers it gives, and what becomes of files that cannot be trusted.

use std::fs;

use super::*;
use crate::schema::{build, ddl, file as schema_file};

/// Written by hand, as version 1 of the file was: not by the code that is tested.
const VERSION_1: &[u8] = include_bytes!("version-1.json");
const NODE: &str = "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47";
const ORDERS: &str = "8e167865-0000-11f0-8000-000000000000";

fn id(text: &str) -> TableId {
    text.parse().unwrap()
}

/// A table `shop.orders` with that last digit of its id and those columns, and types before it.
fn rows(digit: char, types: &str, columns: &str) -> SystemSchemaRows {
    let text = format!(
        "{types} CREATE TABLE shop.orders (id int PRIMARY KEY {columns}) \
         WITH ID = 8e167865-0000-11f0-8000-00000000000{digit} AND cdc = true;"
    );
    let loaded = ddl::parse(&text).unwrap();
    assert_eq!(loaded.problems, []);
    loaded.rows
}

fn store(dir: &Path) -> SchemaStore {
    let (store, aside) = SchemaStore::open(dir, NODE, StoreLimits::default()).unwrap();
    assert_eq!(aside, None);
    store
}

/// The columns of the one table, beside its key.
fn columns(rows: &SystemSchemaRows) -> Vec<&str> {
    assert_eq!(rows.tables.len(), 1);
    let names = rows.columns.iter().map(|column| column.column_name.as_str());
    names.filter(|name| *name != "id").collect()
}

#[test]
fn rows_of_real_nodes_keep_their_meaning() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("cdc_fixtures");
    let mut seen = 0;
    for entry in fixtures.read_dir().unwrap() {
        let path = entry.unwrap().path().join("schema.json");
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let rows = schema_file::parse(&text).unwrap();
        assert_eq!(
            schema_file::parse(&json::to_json(&rows).to_string()).unwrap(),
            rows,
            "{}",
            path.display()
        );
        let folder = tempfile::tempdir().unwrap();
        let mut kept = store(folder.path());
        assert!(kept.fetched(&rows, 1_000));
        kept.save_now(1_000).unwrap();
        let again = store(folder.path());
        assert_eq!(again.others(LogPlace::END), []);
        let (whole, read) = (build(&rows), build(&again.as_of(LogPlace::END)));
        assert_eq!(read.problems, []);
        assert_eq!(whole.schema.tables().count(), read.schema.tables().count());
        for table in whole.schema.tables() {
            assert_eq!(read.schema.table(table.id), Some(table), "{}", path.display());
            let alone = build(&again.versions(table.id)[0].rows);
            assert_eq!(alone.schema.table(table.id), Some(table), "the rows of one table are enough");
        }
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}

fn at(entry: u32) -> LogPlace {
    LogPlace { segment: 7, marker: 28, entry }
}

#[test]
fn the_schema_of_a_place() {
    let mut versions = Versions::default();
    let [one, two, three] =
        ["", ", b int", ", b int, c int"].map(|more| rows('0', "", &format!(", a int{more}")));
    assert!(versions.fetched(&one, 1_000));
    assert!(versions.settled(&one, 1_000, at(10)) && !versions.settled(&one, 2_000, at(20)));
    assert!(versions.fetched(&two, 3_000));
    assert_eq!(columns(&versions.as_of(LogPlace::END)), ["a"], "the log was not read up to the change");
    assert_eq!(columns(&versions.newest()), ["a", "b"]);
    // The log says where and when.
    assert!(versions.logged(&two, 2_500, at(30)));
    assert!(!versions.logged(&two, 2_500, at(30)), "the log read again");
    assert!(!versions.logged(&two, 2_600, at(31)), "it changed nothing");
    // It lacks the next change.
    assert!(versions.fetched(&three, 5_000) && versions.settled(&three, 5_000, at(50)));
    assert_eq!(versions.tables[&id(ORDERS)].len(), 4, "one that the node told of before the log did");
    for (place, expected) in
        [(0, vec!["a"]), (29, vec!["a"]), (30, vec!["a", "b"]), (50, vec!["a", "b", "c"])]
    {
        assert_eq!(columns(&versions.as_of(at(place))), expected, "{place}");
    }
}

#[test]
fn a_state_that_only_the_log_showed() {
    let mut versions = Versions::default();
    versions.fetched(&rows('0', "", ", a int"), 1_000);
    versions.fetched(&rows('0', "", ", a int, b int, c int"), 9_000);
    // The agent lags: it reads after 9,000 what happened at 5,000.
    assert!(versions.logged(&rows('0', "", ", a int, b int"), 5_000, at(3)));
    assert_eq!(columns(&versions.as_of(at(2))), ["a"]);
    assert_eq!(columns(&versions.as_of(at(3))), ["a", "b"]);
    assert_eq!(columns(&versions.newest()), ["a", "b", "c"]);
}

/// What the log made is not there before it did; what it only changed is.
#[test]
fn before_the_log_told() {
    let mut versions = Versions::default();
    assert!(versions.logged(&rows('0', "", ", a int"), 1_000, at(5)));
    assert_eq!(versions.as_of(at(4)).tables, []);
    assert_eq!(columns(&versions.as_of(at(5))), ["a"]);
    let mut versions = Versions::default();
    versions.fetched(&rows('0', "", ", a int, b int"), 2_000);
    assert!(versions.logged(&rows('0', "", ", a int, b int"), 1_000, at(5)));
    assert_eq!(columns(&versions.as_of(at(4))), ["a", "b"]);
}

/// What a table was before and is again: the switch back counts as well.
#[test]
fn a_state_that_comes_back() {
    let mut versions = Versions::default();
    let [on, off] = ["true", "false"].map(|cdc| {
        let mut rows = rows('0', "", "");
        rows.tables[0].cdc = cdc == "true";
        rows
    });
    versions.fetched(&on, 1_000);
    versions.settled(&on, 1_000, at(1));
    // The node was only asked again when it was over.
    versions.fetched(&on, 9_000);
    assert!(versions.logged(&off, 5_000, at(5)) && versions.logged(&on, 6_000, at(6)));
    let cdc = |place| versions.as_of(at(place)).tables[0].cdc;
    assert_eq!([4, 5, 6].map(cdc), [true, false, true]);
    // The log lacks it this time.
    assert!(versions.settled(&off, 9_500, at(8)) && versions.settled(&on, 9_900, at(9)));
    let cdc = |place| versions.as_of(at(place)).tables[0].cdc;
    assert_eq!([7, 8, 9].map(cdc), [true, false, true]);
}

#[test]
fn a_name_that_meant_two_tables() {
    let mut versions = Versions::default();
    versions.fetched(&rows('0', "", ", a int"), 1_000);
    versions.settled(&rows('0', "", ", a int"), 1_000, at(1));
    versions.fetched(&rows('1', "", ", b int"), 3_000);
    let last = |rows: &SystemSchemaRows| rows.tables[0].id.to_string().pop().unwrap();
    assert_eq!(last(&versions.as_of(LogPlace::END)), '0', "the log was not read up to the change");
    versions.settled(&rows('1', "", ", b int"), 3_000, at(3));
    let others = |place| versions.others(at(place)).iter().map(last).collect::<Vec<_>>();
    assert_eq!((last(&versions.as_of(at(2))), others(2)), ('0', vec!['1']));
    assert_eq!((last(&versions.as_of(at(3))), others(3)), ('1', vec!['0']));
}

#[test]
fn a_type_belongs_to_the_version() {
    let mut versions = Versions::default();
    let with = |fields| format!("CREATE TYPE shop.address ({fields}); CREATE TYPE shop.unused (x int);");
    for (place, fields) in [(1, "street text"), (2, "street text, city text")] {
        versions.settled(&rows('0', &with(fields), ", a frozen<list<address>>"), 1_000, at(place));
    }
    let fields =
        |place| versions.as_of(at(place)).types.iter().map(|row| row.field_names.len()).collect::<Vec<_>>();
    assert_eq!((fields(1), fields(2)), (vec![1], vec![2]));
}

#[test]
fn the_file_of_version_1_is_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(file::NAME), VERSION_1).unwrap();
    let mut kept = store(folder.path());
    for _ in 0..2 {
        let versions = kept.versions(id(ORDERS));
        assert_eq!(versions.len(), 2);
        let place: LogPlace = "1790857840000:28:7".parse().unwrap();
        assert_eq!(versions[1].position, Some(place));
        let before = LogPlace { entry: 6, ..place };
        assert_eq!(kept.as_of(before).tables[0].id.to_string(), "8e167865-0000-11f0-8000-00000000000a");
        assert_eq!(columns(&versions[0].rows), ["at", "total", "to"]);
        assert_eq!(versions[0].rows.types[0].type_name, "address");
        assert_eq!(columns(&kept.as_of(place)), ["at", "total"]);
        assert_eq!(kept.as_of(place).dropped_columns[0].dropped_at_us, 1_790_857_845_123_000);
        kept.save_now(7_000).unwrap();
        kept = store(folder.path());
    }
}

#[test]
fn what_cannot_be_trusted_is_put_aside() {
    let other_node = String::from_utf8(VERSION_1.to_vec()).unwrap();
    let newer = other_node.replacen("\"version\":1", "\"version\":2", 1).into_bytes();
    let mut flipped = VERSION_1.to_vec();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let torn = &VERSION_1[..VERSION_1.len() - 1];
    let cases: [(&[u8], &str, &str); 6] = [
        (torn, NODE, "bytes"),
        (&flipped, NODE, "checksum"),
        (&newer, NODE, "version 2"),
        (b"{}\n{}", NODE, "first line"),
        (b"", NODE, "first line"),
        (VERSION_1, "00000000-e68e-48d9-a5f8-97e6fb4c9b47", "host id"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (number, (bytes, node, reason)) in cases.iter().enumerate() {
        fs::write(folder.path().join(file::NAME), bytes).unwrap();
        let (store, aside) = SchemaStore::open(folder.path(), node, StoreLimits::default()).unwrap();
        let aside = aside.unwrap();
        assert!(aside.reason.contains(reason), "{}", aside.reason);
        assert!(aside.path.ends_with(format!("schema-history.json.aside-{}", number + 1)));
        assert_eq!(fs::read(&aside.path).unwrap(), *bytes);
        assert_eq!(store.tables().count(), 0);
        assert!(!folder.path().join(file::NAME).exists());
    }
}

#[test]
fn a_write_that_was_interrupted_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(file::NAME), VERSION_1).unwrap();
    fs::write(folder.path().join("schema-history.json.new"), b"{\"format\":\"cdc-").unwrap();
    let mut kept = store(folder.path());
    assert_eq!(kept.tables().count(), 2);
    kept.save_now(7_000).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn sights_alone_are_written_seldom() {
    let folder = tempfile::tempdir().unwrap();
    let mut kept = store(folder.path());
    let last_seen = || store(folder.path()).versions(id(ORDERS))[0].last_seen_ms;
    kept.fetched(&rows('0', "", ""), 1_000);
    kept.save(1_000).unwrap();
    kept.unchanged(11_000);
    kept.save(11_000).unwrap();
    assert_eq!(last_seen(), 1_000);
    kept.unchanged(301_000);
    kept.save(301_000).unwrap();
    assert_eq!(last_seen(), 301_000);
}

#[test]
fn the_past_is_bounded_and_the_present_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let limits = StoreLimits { versions_per_table: 3, bytes: 3_000 };
    let (mut kept, _) = SchemaStore::open(folder.path(), NODE, limits).unwrap();
    for n in 0..10 {
        kept.fetched(&rows('0', "", &format!(", c{n} int")), n * 1_000);
    }
    kept.save_now(9_000).unwrap();
    let first_seen: Vec<i64> = kept.versions(id(ORDERS)).iter().map(|v| v.first_seen_ms).collect();
    assert_eq!(first_seen, [7_000, 8_000, 9_000]);
    // A wide table takes all the room; its present state stays whatever it takes.
    let wide: String = (0..100).map(|n| format!(", wide{n} text")).collect();
    kept.fetched(&rows('1', "", &wide), 10_000);
    kept.save_now(10_000).unwrap();
    assert_eq!(kept.versions(id(ORDERS)), []);
    assert_eq!(columns(&kept.newest()).len(), 100);
    assert_eq!(kept.forget_before(i64::MAX), 0);
}

#[test]
fn before_a_first_fetch_nothing_newest_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(file::NAME), VERSION_1).unwrap();
    let mut kept = store(folder.path());
    assert_eq!(kept.forget_before(i64::MAX), 1);
    assert_eq!(kept.tables().count(), 2);
    assert_eq!(columns(&kept.as_of(LogPlace::END)), ["at", "total"]);
}
