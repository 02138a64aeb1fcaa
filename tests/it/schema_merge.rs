//! A schema that a node gives while its log is followed, and one kept from earlier: recorded rows and logs of real
//! nodes, whose tables were altered, dropped and made in the middle (docs/schema.md).

use cdc_agent::change::schema_change;
use cdc_agent::commitlog::{Decoder, FrameStep, Mutation, SectionStep, Sections, Segment};
use cdc_agent::schema::{
    Effect, LogPlace, LoggedUpdate, SchemaHistory, SchemaStore, StoreLimits, SystemSchemaRows, TableId,
    build, load,
};

use crate::support::{fixture, fixture_key, segments};

const SETS: [&str; 2] = ["4.1-lz4", "5.0-v8-lz4"];

fn rows(set: &str, file: &str) -> SystemSchemaRows {
    load(&fixture(set).join(file)).unwrap().rows
}

fn history(rows: &SystemSchemaRows) -> SchemaHistory {
    let (history, problems) = SchemaHistory::new(rows);
    assert_eq!(problems, []);
    history
}

/// All payloads of the segments of a folder.
fn payloads(set: &str) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    for (name, bytes) in segments(&fixture(set)) {
        let segment = Segment::open(&bytes, Some(name.parse().unwrap()), &fixture_key).unwrap();
        let mut sections = Sections::new(&segment);
        while let Some(SectionStep::Section(mut frames)) = sections.next_section() {
            while let Some(step) = frames.next_frame() {
                let FrameStep::Frame(frame) = step else { panic!("{name}: {step:?}") };
                payloads.push(frame.payload.to_vec());
            }
        }
    }
    payloads
}

/// What a mutation changes in the schema; an error when it cannot be decoded.
fn logged(history: &SchemaHistory, payload: &[u8]) -> Result<Vec<LoggedUpdate>, String> {
    let mut mutation = Mutation::default();
    let mut decoder = Decoder::new(history.schema());
    decoder.decode(payload, &mut mutation).map_err(|error| error.to_string())?;
    Ok(schema_change(&mutation).unwrap())
}

/// Follows a whole log; every mutation must decode.
fn follow(history: &mut SchemaHistory, set: &str) -> Vec<Effect> {
    let payloads = payloads(set);
    let effects = payloads.iter().flat_map(|payload| {
        let logged = logged(history, payload).unwrap();
        history.apply(&logged)
    });
    effects.collect()
}

/// Every table that the node describes is known as the node describes it.
fn assert_is(history: &SchemaHistory, expected: &SystemSchemaRows) {
    let expected = build(expected).schema;
    assert!(expected.tables().count() > 10);
    for table in expected.tables() {
        assert_eq!(history.schema().table(table.id), Some(table));
    }
}

fn id_of(rows: &SystemSchemaRows, keyspace: &str, table: &str) -> TableId {
    let named = |keyspace_name: &str, table_name: &str| keyspace_name == keyspace && table_name == table;
    rows.tables.iter().find(|row| named(&row.keyspace_name, &row.table_name)).unwrap().id
}

/// The log has no schema change at all (its segments held no CDC data): what the node says fills the gaps, when
/// something does not decode, and is the truth in the end. `evolve.dropped` is in neither: its mutations stay.
#[test]
fn changes_that_the_log_lacks() {
    for set in SETS {
        let after = rows(set, "schema.json");
        let mut history = history(&rows(set, "schema-before.json"));
        let mut learnt = Vec::new();
        let mut unknown = Vec::new();
        for payload in payloads(set) {
            if logged(&history, &payload).is_err() {
                learnt.extend(history.learn(&after));
                unknown.extend(logged(&history, &payload).err());
            }
        }
        assert!(
            !unknown.is_empty() && unknown.iter().all(|e| e.ends_with("is not in the schema")),
            "{unknown:?}"
        );
        let names: Vec<String> = learnt.iter().map(ToString::to_string).collect();
        assert!(names.iter().any(|e| e.starts_with("evolve.created: created")), "{names:?}");
        assert!(names.iter().any(|e| e.starts_with("evolve.t: altered")), "{names:?}");
        assert!(!names.iter().any(|e| e.contains("doubtful")), "{names:?}");
        history.settle(&after);
        assert_is(&history, &after);
        assert_eq!(history.settle(&after), []);
        assert_eq!(history.learn(&after), []);
    }
}

/// A fetch that is ahead of the log changes nothing but what is missing, whenever it comes; the log's changes apply at
/// their places, and the end is what the node describes.
#[test]
fn a_schema_that_is_ahead_of_the_log() {
    for set in SETS {
        let (before, after) = (rows(set, "schema-before.json"), rows(set, "schema.json"));
        let (t, toggled) = (id_of(&before, "evolve", "t"), id_of(&before, "evolve", "toggled"));
        let payloads = payloads(set);
        for fetched_at in (0..payloads.len()).step_by(payloads.len() / 40 + 1) {
            let mut history = history(&before);
            for (place, payload) in payloads.iter().enumerate() {
                if place == fetched_at {
                    let known = history.schema().table(t).unwrap().clone();
                    let cdc = history.schema().table(toggled).unwrap().cdc;
                    history.learn(&after);
                    let learnt = history.schema().table(t).unwrap();
                    assert_eq!(
                        (&learnt.partition_key, &learnt.clustering),
                        (&known.partition_key, &known.clustering)
                    );
                    for column in known.regulars.iter().filter(|column| column.dropped_at_us.is_none()) {
                        assert!(learnt.regulars.contains(column), "{} at {place}", column.name);
                    }
                    assert_eq!(history.schema().table(toggled).unwrap().cdc, cdc);
                }
                let logged = logged(&history, payload).unwrap();
                history.apply(&logged);
            }
            assert_is(&history, &after);
        }
    }
}

/// A fetch of before a logged change that arrives after it takes nothing back.
#[test]
fn a_schema_that_is_behind_the_log() {
    for set in SETS {
        let after = rows(set, "schema.json");
        let mut history = history(&rows(set, "schema-before.json"));
        follow(&mut history, set);
        history.learn(&rows(set, "schema-before.json"));
        assert_is(&history, &after);
    }
}

/// The node does not answer: what an earlier run kept is enough. What the log then shows is kept, too.
#[test]
fn without_the_node() {
    for set in SETS {
        let (before, after) = (rows(set, "schema-before.json"), rows(set, "schema.json"));
        let folder = tempfile::tempdir().unwrap();
        let open = || SchemaStore::open(folder.path(), "", StoreLimits::default()).unwrap().0;
        let mut store = open();
        let at = |entry| LogPlace { segment: 1, marker: 28, entry };
        store.fetched(&before, 1_000);
        store.settled(&before, 1_000, at(0));
        store.save_now(1_000).unwrap();

        let mut store = open();
        let mut history = history(&store.as_of(at(0)));
        for (entry, payload) in (1..).zip(payloads(set)) {
            let logged = logged(&history, &payload).unwrap();
            let made_us = logged.iter().filter_map(LoggedUpdate::changed_at_us).max();
            for table in history.apply(&logged).iter().filter_map(Effect::table) {
                // Fixtures were made in this century.
                assert!(made_us.unwrap() > 946_684_800_000_000, "{made_us:?}");
                let rows = history.rows_of(table).unwrap();
                store.logged(&rows, made_us.unwrap() / 1000, at(entry));
            }
        }
        assert_is(&history, &after);
        store.save_now(i64::MAX).unwrap();

        let store = open();
        let (again, problems) = SchemaHistory::new(&store.as_of(LogPlace::END));
        assert_eq!(problems, []);
        assert_is(&again, &after);
        assert!(store.versions(id_of(&before, "evolve", "t")).len() > 5);
        // The table that was made and dropped meanwhile is known, too.
        assert!(again.schema().tables().any(|table| table.name == "dropped"));
        // With the schema of the beginning, the log is read as the first time.
        let mut from_start = self::history(&store.as_of(at(0)));
        for other in store.others(at(0)) {
            from_start.learn(&other);
        }
        follow(&mut from_start, set);
        assert_is(&from_start, &after);
    }
}

/// A table is dropped and one of the same name made: both ids decode, whichever source told of them.
#[test]
fn a_name_that_means_another_table() {
    let set = "4.1-lz4";
    let first = rows(set, "schema.json");
    let old = id_of(&first, "evolve", "created");
    let new: TableId = "8e167865-0000-11f0-8000-0000000000aa".parse().unwrap();
    let mut second = first.clone();
    for row in second.tables.iter_mut().filter(|row| row.id == old) {
        row.id = new;
    }
    let mut history = history(&first);
    let effects: Vec<String> = history.learn(&second).iter().map(ToString::to_string).collect();
    assert_eq!(effects, [format!("evolve.created: created with id {new}")]);
    assert!(history.schema().table(old).is_some() && history.schema().table(new).is_some());
    history.settle(&second);
    assert!(history.schema().table(old).is_some(), "its mutations may still come");
}
