//! Schema changes that real nodes logged, followed through their segments.

use cdc_agent::change::schema_change;
use cdc_agent::commitlog::{Decoder, FrameStep, Mutation, SectionStep, Sections, Segment};
use cdc_agent::schema::{Effect, SchemaHistory, SystemSchemaRows, TableSchema, build, load};

use crate::support::{fixture, fixture_key, segments};

/// What following the segments of a folder gives: the effects, and the payloads that did not decode.
struct Followed {
    history: SchemaHistory,
    effects: Vec<Effect>,
    undecoded: Vec<String>,
    /// `evolve.toggled` was published, mutation by mutation of it.
    toggled: Vec<bool>,
}

fn follow(set: &str, rows: &SystemSchemaRows) -> Followed {
    let (history, problems) = SchemaHistory::new(rows);
    assert_eq!(problems, []);
    let mut followed = Followed { history, effects: Vec::new(), undecoded: Vec::new(), toggled: Vec::new() };
    for (name, bytes) in segments(&fixture(set)) {
        let segment = Segment::open(&bytes, Some(name.parse().unwrap()), &fixture_key).unwrap();
        let mut sections = Sections::new(&segment);
        while let Some(step) = sections.next_section() {
            let SectionStep::Section(mut frames) = step else { panic!("{name}: {step:?}") };
            while let Some(step) = frames.next_frame() {
                let FrameStep::Frame(frame) = step else { panic!("{name}: {step:?}") };
                followed.payload(frame.payload);
            }
        }
    }
    followed
}

impl Followed {
    fn payload(&mut self, payload: &[u8]) {
        let mut mutation = Mutation::default();
        let mut decoder = Decoder::new(self.history.schema());
        if let Err(error) = decoder.decode(payload, &mut mutation) {
            self.undecoded.push(error.to_string());
            return;
        }
        for update in mutation.updates() {
            if update.table.keyspace == "evolve" && update.table.name == "toggled" {
                self.toggled.push(update.table.cdc);
            }
        }
        let logged = schema_change(&mutation).unwrap();
        self.effects.extend(self.history.apply(&logged));
    }

    /// The effects in a keyspace, one a line.
    fn effects_in(&self, keyspace: &str) -> Vec<String> {
        let dot = format!("{keyspace}.");
        self.effects.iter().map(ToString::to_string).filter(|e| e.starts_with(&dot)).collect()
    }
}

fn rows(set: &str, file: &str) -> SystemSchemaRows {
    load(&fixture(set).join(file)).unwrap().rows
}

/// Tables that a node describes after the workload are the same when the log is followed up to there.
fn assert_reaches(history: &SchemaHistory, after: &SystemSchemaRows) {
    let after = build(after);
    let mut compared = 0;
    for expected in after.schema.tables() {
        let found: &TableSchema = history.schema().table(expected.id).expect("the table");
        assert_eq!(found, &**expected);
        compared += 1;
    }
    assert!(compared > 10);
}

/// Cassandra's nodes of both lines, each with a schema taken before the changes.
#[test]
fn an_older_schema_becomes_the_newer_one() {
    for set in ["4.1-lz4", "5.0-v8-lz4"] {
        let after = rows(set, "schema.json");
        let followed = follow(set, &rows(set, "schema-before.json"));
        assert_eq!(followed.undecoded, Vec::<String>::new(), "{set}");
        assert_reaches(&followed.history, &after);
        assert_eq!(followed.toggled, [true, false, true]);
        let effects = followed.effects_in("evolve");
        let count = |text: &str| effects.iter().filter(|e| e.starts_with(text)).count();
        assert_eq!(count("evolve.created: created with id "), 1, "{effects:?}");
        assert_eq!(count("evolve.dropped: created with id "), 1, "{effects:?}");
        assert_eq!(count("evolve.dropped: dropped"), 1, "{effects:?}");
        assert_eq!(count("evolve.toggled: altered"), 2, "{effects:?}");
        assert_eq!(count("evolve.typed: altered"), 2, "{effects:?}");
        // Added, three dropped, one dropped at a time, two added again, renamed.
        assert_eq!(count("evolve.t: altered"), 8, "{effects:?}");
        // DROP COMPACT STORAGE.
        assert_eq!(count("evolve.compact: altered"), 1, "{effects:?}");
        assert_eq!(effects.len(), 16, "{effects:?}");
    }
}

/// A schema taken after the changes: nothing of it is lost on the way, and it is what remains.
#[test]
fn a_newer_schema_stays_the_newer_one() {
    for set in ["4.1-lz4", "5.0-v8-lz4", "4.1-none", "5.0-none"] {
        let after = rows(set, "schema.json");
        let followed = follow(set, &after);
        assert_eq!(followed.undecoded, Vec::<String>::new(), "{set}");
        assert_reaches(&followed.history, &after);
        let doubtful = followed.effects.iter().filter(|e| matches!(e, Effect::Doubtful { .. }));
        assert_eq!(doubtful.collect::<Vec<_>>(), Vec::<&Effect>::new(), "{set}");
    }
}

/// Without any schema, tables whose creation is logged are known, and changes of others are doubtful.
#[test]
fn without_a_schema_the_log_says_what_it_can() {
    let set = "4.1-lz4";
    let followed = follow(set, &SystemSchemaRows::default());
    let effects = followed.effects_in("evolve");
    assert!(effects.iter().any(|e| e.starts_with("evolve.created: created")), "{effects:?}");
    let doubtful =
        "evolve.toggled: doubtful: it was changed, and neither the schema nor the log says all its columns";
    let doubtful = effects.iter().filter(|e| *e == doubtful).count();
    assert_eq!(doubtful, 2, "{effects:?}");
    let names: Vec<_> =
        followed.history.schema().tables().map(|t| format!("{}.{}", t.keyspace, t.name)).collect();
    assert!(names.contains(&"evolve.created".to_owned()) && !names.contains(&"evolve.toggled".to_owned()));
}
