//! Mutations with right checksums that the schema at hand does not decode: parked, delivered with a better schema,
//! or given up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::program::{agent, stderr};
use crate::support::mutation_writer::{ColumnData, Deletion, Item, Row, Update, payload};
use crate::support::segment_writer::write_segment;
use crate::support::table::Table;

/// Id of `shop.other`.
pub(crate) const OTHER: &str = "5dc1a799-0000-11f0-8000-000000000001";

/// `shop.t` with a column `v` of some type.
pub(crate) fn table(type_text: &str) -> Table {
    Table::new([["id", "partition_key", "int"], ["c", "clustering", "int"], ["v", "regular", type_text]])
}

/// A schema file with this `shop.t`, and `shop.other` with a text column.
pub(crate) fn schema_file(table: &Table) -> String {
    let mut rows = table.schema_file();
    let mut other = self::table("text").schema_file();
    for (kind, name) in [("tables", "table_name"), ("columns", "table_name")] {
        for row in other[kind].as_array_mut().unwrap() {
            row[name] = json!("other");
            if kind == "tables" {
                row["id"] = json!(OTHER);
            }
        }
        let more = other[kind].as_array().unwrap().clone();
        rows[kind].as_array_mut().unwrap().extend(more);
    }
    rows.to_string()
}

fn update(key: u8, row: Row) -> Vec<u8> {
    let row = Row { clustering: vec![Some(vec![0, 0, 0, 1])], ..row };
    let update = Update { key: vec![0, 0, 0, key], items: vec![Item::Row(row)], ..Update::default() };
    payload(&table("text"), &update)
}

/// `v` is written as text.
pub(crate) fn write(key: u8, value: &[u8]) -> Vec<u8> {
    update(key, Row { columns: vec![ColumnData::live("v", 1, value)], ..Row::default() })
}

/// A row deletion, which decodes whatever `v` is.
pub(crate) fn delete(key: u8) -> Vec<u8> {
    update(key, Row { deletion: Some(Deletion(2, 1_700_000_000)), ..Row::default() })
}

/// The same change of `shop.other`.
pub(crate) fn of_other(mut payload: Vec<u8>) -> Vec<u8> {
    payload[16] = 1;
    payload
}

/// A folder with a segment, schemas and a file log.
pub(crate) struct Place {
    dir: tempfile::TempDir,
    segment: PathBuf,
}

impl Place {
    pub(crate) fn new(payloads: &[Vec<u8>]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let segment = write_segment(dir.path(), 7, &[payloads]);
        Self { dir, segment }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Replays the segment into the file log; exit code and summary.
    pub(crate) fn replay(&self, schema: &Table, options: &[&str]) -> (Option<i32>, Value) {
        self.replay_all(&[&self.segment], schema, options)
    }

    pub(crate) fn replay_all(
        &self,
        segments: &[&Path],
        schema: &Table,
        options: &[&str],
    ) -> (Option<i32>, Value) {
        let (file, summary) = (self.path("schema.json"), self.path("summary.json"));
        fs::write(&file, schema_file(schema)).unwrap();
        let mut arguments = vec!["replay", "--schema", text(&file)];
        arguments.extend(segments.iter().map(|segment| text(segment)));
        let out = self.path("out");
        arguments.extend(["--out", text(&out), "--summary", text(&summary), "--quiet"]);
        arguments.extend(options);
        let output: Output = agent(arguments);
        let told = fs::read_to_string(&summary).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        (output.status.code(), serde_json::from_str(&told).unwrap())
    }

    /// Operation, key and late of the records of a topic.
    pub(crate) fn records(&self, table: &str) -> Vec<(String, i64, bool)> {
        let file = self.path("out").join(format!("local.cdc.shop.{table}/0/00000000000000000000.jsonl"));
        let lines = fs::read_to_string(file).unwrap_or_default();
        let record = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            let (value, key) = (&line["value"], &line["key"]["id"]);
            (
                value["op"].as_str().unwrap().to_owned(),
                key.as_i64().unwrap(),
                value["source"]["late"].as_bool().unwrap(),
            )
        };
        lines.lines().map(record).collect()
    }

    pub(crate) fn checkpoint(&self) -> Value {
        let commit: Value = serde_json::from_slice(&fs::read(self.path("out/commit.json")).unwrap()).unwrap();
        commit["checkpoint"].clone()
    }
}

/// Sum of the events that a summary counts.
fn events(summary: &Value) -> usize {
    let tables = summary["events"].as_object().unwrap().values();
    let counts = tables.flat_map(|table| table.as_object().unwrap().values());
    usize::try_from(counts.map(|count| count.as_u64().unwrap()).sum::<u64>()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub(crate) fn record(op: &str, key: i64, late: bool) -> (String, i64, bool) {
    (op.to_owned(), key, late)
}

/// A write that only the right schema decodes, and changes around it: of its partition, of another one, of another
/// table with the same key.
pub(crate) fn log() -> Vec<Vec<u8>> {
    vec![delete(1), write(1, b"ab"), delete(1), delete(2), of_other(write(1, b"cd"))]
}

/// A composite key where the log has a single column, too few clustering columns, other types: every way in which
/// decoding or encoding fails.
fn wrong_schemas() -> Vec<Table> {
    let composite = Table::new([
        ["id", "partition_key", "int"],
        ["b", "partition_key", "int"],
        ["c", "clustering", "int"],
        ["v", "regular", "text"],
    ]);
    vec![table("int"), table("frozen<list<int>>"), table("uuid"), composite]
}

#[test]
fn a_wrong_schema_parks_and_the_right_one_delivers() {
    for wrong in wrong_schemas() {
        let place = Place::new(&log());
        let (code, summary) = place.replay(&wrong, &[]);
        let said = format!("{:?}: {summary}", wrong.columns);
        assert_eq!(code, Some(5), "{said}");
        assert_eq!(summary["lost"]["mutations"], 0, "{said}");
        assert_eq!(summary["damage"]["count"], 0, "{said}");
        let first = &summary["parked"]["listed"][0];
        assert_eq!(first["table"], "shop.t", "{said}");
        assert!(first["bytes"].as_u64().unwrap() > 20, "{said}");
        assert!(!first["reason"].as_str().unwrap().is_empty(), "{said}");
        assert_eq!(place.records("other"), [record("u", 1, false)], "{said}");
        let given_out = place.records("t").len() + 1;
        assert_eq!((&summary["records"], events(&summary)), (&json!(given_out), given_out), "{said}");
        if wrong.of_kind("partition_key").count() == 1 {
            assert_eq!(place.records("t"), [record("d", 1, false), record("d", 2, false)], "{said}");
            assert_eq!(summary["parked"]["count"], 2, "the write, and the delete behind it: {said}");
        }
        // Still parked with the same schema, also where unknown tables are no failure.
        let (code, summary) = place.replay(&wrong, &["--allow-unknown"]);
        assert_eq!(code, Some(5), "{summary}");

        let (code, summary) = place.replay(&table("text"), &[]);
        assert_eq!((code, &summary["parked"]["count"]), (Some(0), &json!(0)), "{said}");
        let records = place.records("t");
        let of_first: Vec<_> = records.iter().filter(|(_, key, _)| *key == 1).map(|(op, ..)| op).collect();
        assert_eq!(of_first, ["d", "u", "d"], "in the order of the log: {said}");
        assert_eq!(place.records("t").len(), 4, "{said}");
        assert_eq!(place.records("other").len(), 1, "{said}");
        let (code, _) = place.replay(&table("text"), &[]);
        assert_eq!((code, place.records("t").len()), (Some(0), 4), "delivered once: {said}");
    }
}

#[test]
fn what_no_schema_decodes_can_be_given_up() {
    let place = Place::new(&log());
    let wrong = table("int");
    assert_eq!(place.replay(&wrong, &[]).0, Some(5));
    let (code, summary) = place.replay(&wrong, &["--undecodable", "ledger"]);
    assert_eq!(code, Some(3), "{summary}");
    assert_eq!((&summary["lost"]["mutations"], &summary["given_up"]["count"]), (&json!(1), &json!(1)));
    assert_eq!(summary["given_up"]["listed"][0]["position"], "7:20:1", "{summary}");
    assert_eq!(summary["parked"]["count"], 0, "{summary}");
    let expected = [record("d", 1, false), record("d", 2, false), record("d", 1, true)];
    assert_eq!(place.records("t"), expected, "what waited behind it is delivered");
    assert_eq!(place.checkpoint()["parked"], json!([]));
    let (code, _) = place.replay(&table("text"), &[]);
    assert_eq!((code, place.records("t").len()), (Some(0), 3), "it was given up");
}

/// No table id, no key: no schema can help, and nothing says what should wait behind it.
#[test]
fn a_mutation_without_a_readable_key_is_lost() {
    let cut = [&[1][..], &Table::id().0[..12]].concat();
    let none = [&[0][..], &write(1, b"ab")[1..]].concat();
    for malformed in [cut, none] {
        let place = Place::new(&[write(1, b"ab"), malformed, write(1, b"cd")]);
        let (code, summary) = place.replay(&table("text"), &[]);
        assert_eq!(code, Some(3), "{summary}");
        assert_eq!((&summary["lost"]["mutations"], &summary["parked"]["count"]), (&json!(1), &json!(0)));
        assert_eq!(summary["damage"]["listed"][0]["kind"], "mutation");
        assert_eq!(place.records("t"), [record("u", 1, false), record("u", 1, false)]);
    }
}

/// The order of a partition holds from one replay to the next.
#[test]
fn what_follows_in_another_segment_waits_too() {
    let place = Place::new(&[write(1, b"ab")]);
    let (wrong, right) = (table("int"), table("text"));
    assert_eq!(place.replay(&wrong, &[]).0, Some(5));
    let next = write_segment(place.dir.path(), 8, &[&[delete(1), delete(2)]]);
    let (code, summary) = place.replay_all(&[&next], &right, &[]);
    assert_eq!(code, Some(5), "{summary}");
    assert_eq!(summary["parked"]["listed"][0]["position"], "8:20:0", "{summary}");
    assert!(summary["parked"]["listed"][0]["reason"].as_str().unwrap().contains("7:20:0"), "{summary}");
    let elsewhere = json!([{"segment": "CommitLog-*-7.log", "mutations": 1}]);
    assert_eq!(summary["parked_elsewhere"], elsewhere, "{summary}");
    assert_eq!(place.records("t"), [record("d", 2, false)]);
    // It still waits, also when its own segment is read once more.
    assert_eq!(place.replay_all(&[&next], &right, &[]).0, Some(5));
    assert_eq!(place.records("t"), [record("d", 2, false)]);
    let (code, summary) = place.replay_all(&[&place.segment, &next], &right, &[]);
    assert_eq!((code, &summary["parked_elsewhere"]), (Some(0), &json!([])), "{summary}");
    assert_eq!(place.records("t"), [record("d", 2, false), record("u", 1, true), record("d", 1, true)]);
    assert_eq!(place.checkpoint()["parked"], json!([]));
}

#[test]
fn what_is_parked_and_damaged_by_now_is_told_of() {
    let place = Place::new(&[delete(2), write(1, b"ab")]);
    assert_eq!(place.replay(&table("int"), &[]).0, Some(5));
    let mut bytes = fs::read(&place.segment).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&place.segment, bytes).unwrap();
    let (_, summary) = place.replay(&table("text"), &[]);
    let elsewhere = json!([{"segment": "CommitLog-*-7.log", "mutations": 1}]);
    assert_eq!(summary["parked_elsewhere"], elsewhere, "{summary}");
}

/// The segment of a parked mutation may be gone for good.
#[test]
fn going_past_what_is_parked_elsewhere() {
    let place = Place::new(&[write(1, b"ab")]);
    assert_eq!(place.replay(&table("int"), &[]).0, Some(5));
    let next = write_segment(place.dir.path(), 8, &[&[delete(1)]]);
    assert_eq!(place.replay_all(&[&next], &table("text"), &["--undecodable", "ledger"]).0, Some(0));
    assert_eq!(place.records("t"), [record("d", 1, false)]);
    let parked = place.checkpoint()["parked"][0].as_str().unwrap().to_owned();
    assert!(parked.starts_with("7:20:0 "), "it is not forgotten: {parked}");
}

#[test]
fn writing_once_more_ends_the_wait() {
    let place = Place::new(&log());
    let right = table("text");
    assert_eq!(place.replay(&table("int"), &[]).0, Some(5));
    assert_eq!(place.replay(&right, &["--again"]).0, Some(0));
    assert_eq!(place.records("t").len(), 2 + 4);
    assert!(place.records("t").iter().all(|(.., late)| !late), "all of it is in the order of the log");
    assert_eq!(place.replay(&right, &[]).0, Some(0));
    assert_eq!(place.records("t").len(), 2 + 4);
}

/// A part of the log is another scope.
#[test]
fn a_part_of_the_log_leaves_what_is_parked() {
    let place = Place::new(&log());
    let right = table("text");
    assert_eq!(place.replay(&table("int"), &[]).0, Some(5));
    for part in [["--since", "1900000000000ms"], ["--from", "7:20:0"]] {
        assert_eq!(place.replay(&right, &part).0, Some(2));
        assert_eq!(place.records("t").len(), 2);
    }
    assert_eq!(place.replay(&right, &[]).0, Some(0));
    assert_eq!(place.records("t").len(), 4);
}

/// `ALTER TABLE shop.t` as `system_schema.columns` has it: `v` is a text.
pub(crate) fn alter() -> Vec<u8> {
    let columns = Table::new([
        ["keyspace_name", "partition_key", "text"],
        ["table_name", "clustering", "text"],
        ["column_name", "clustering", "text"],
        ["clustering_order", "regular", "text"],
        ["column_name_bytes", "regular", "blob"],
        ["kind", "regular", "text"],
        ["position", "regular", "int"],
        ["type", "regular", "text"],
    ]);
    let cells: [(&str, &[u8]); 5] = [
        ("clustering_order", b"none"),
        ("column_name_bytes", b"v"),
        ("kind", b"regular"),
        ("position", &[0xff; 4]),
        ("type", b"text"),
    ];
    let row = Row {
        clustering: vec![Some(b"t".to_vec()), Some(b"v".to_vec())],
        liveness: Some((3, None)),
        columns: cells.iter().map(|(name, value)| ColumnData::live(name, 3, value)).collect(),
        ..Row::default()
    };
    let update = Update { key: b"shop".to_vec(), items: vec![Item::Row(row)], ..Update::default() };
    let mut payload = payload(&columns, &update);
    payload[1..17].copy_from_slice(&hex::decode("24101c25a2ae3af787c1b40ee1aca33f").unwrap());
    payload
}

/// A schema change reaches a table's own writes before it is itself in the log.
#[test]
fn the_last_schema_of_the_log_is_tried_first() {
    for jobs in ["1", "3"] {
        let place = Place::new(&[write(1, b"ab"), alter(), write(1, b"cd")]);
        let (code, summary) = place.replay(&table("int"), &["--jobs", jobs]);
        assert_eq!(code, Some(0), "{summary}");
        assert_eq!(place.records("t"), [record("u", 1, false), record("u", 1, false)]);
    }
}

/// A change of the schema in a later segment helps, also when that segment was done before: whatever the threads are
/// at when the first mutation needs it.
#[test]
fn a_later_schema_is_known_from_a_segment_that_was_done_before() {
    for jobs in ["1", "4"] {
        let place = Place::new(&[]);
        // Parked only because its table was unknown: it decodes without the change. Meanwhile others go on to the
        // next segment.
        let parked: Vec<Vec<u8>> =
            (0..3000).map(|_| of_other(write(2, b"ab"))).chain([write(1, b"ab")]).collect();
        let first = write_segment(place.dir.path(), 8, &[&parked]);
        let second = write_segment(place.dir.path(), 9, &[&[alter()]]);
        let without_other = place.path("without-other.json");
        fs::write(&without_other, table("int").schema_file().to_string()).unwrap();
        let fixed = ["replay", text(&first), "--schema", text(&without_other), "--quiet", "--out"];
        let output = agent(fixed.into_iter().chain([text(&place.path("out"))]));
        assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
        assert_eq!(place.replay_all(&[&second], &table("int"), &[]).0, Some(0));
        let (code, summary) = place.replay_all(&[&first, &second], &table("int"), &["--jobs", jobs]);
        assert_eq!(code, Some(0), "{jobs} job(s): {summary}");
        assert_eq!(place.records("t"), [record("u", 1, true)]);
        assert_eq!(place.records("other").len(), 3000);
    }
}
