//! An agent that is started again reads on with the schema that holds where it reads, whatever became of the segments
//! before.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use clap::{Args, FromArgMatches};
use serde_json::Value;

use super::writers::segment_writer::SegmentWriter;
use super::{Life, World, settings};
use crate::agent::run::node::{self, Node};
use crate::agent::run::refusals::Refusals;
use crate::agent::run::schema::LiveSchema;
use crate::agent::run::stop::Stop;
use crate::change::filter::TableFilter;
use crate::cli::CassandraArgs;
use crate::commitlog::{FrameStep, Position, SectionStep, Sections, Segment};
use crate::schema::{SchemaStore, StoreLimits, load};

/// A workload with DDL between its changes, of a real node, with the schema from before it.
const SET: &str = "4.1-lz4";
/// Mutations of a segment.
const MUTATIONS: usize = 25;

/// What agents before kept of the schema of a node that does not answer.
pub(super) fn kept(state: &Path, filter: TableFilter) -> LiveSchema {
    let command = CassandraArgs::augment_args(clap::Command::new("options").no_binary_name(true));
    let words = ["--cassandra-host", "127.0.0.1", "--cassandra-port", "1"];
    let args = CassandraArgs::from_arg_matches(&command.try_get_matches_from(words).unwrap()).unwrap();
    let source = node::source(&args).unwrap();
    let mut node = Node::open(source, state, &settings().source, &args).unwrap();
    assert!(!node.fetch_now(&mut Refusals::default(), &Stop::never()).unwrap());
    LiveSchema::from_node(node, filter)
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cdc_fixtures").join(SET)
}

/// The mutations of the log, in its order.
fn payloads() -> Vec<Vec<u8>> {
    let mut names: Vec<_> = fixtures().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    names.sort();
    let mut payloads = Vec::new();
    for path in names {
        let bytes = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let segment = Segment::open(&bytes, Some(name), &|_: &str| None).unwrap();
        let mut sections = Sections::new(&segment);
        while let Some(SectionStep::Section(mut frames)) = sections.next_section() {
            while let Some(FrameStep::Frame(frame)) = frames.next_frame() {
                payloads.push(frame.payload.to_vec());
            }
        }
    }
    payloads
}

/// What stands in each topic, in order: that of different topics to each other is one of commits.
type Topics = BTreeMap<String, Vec<(String, Value)>>;

impl World {
    fn topics(&self) -> Topics {
        let mut topics = Topics::new();
        for (topic, key, value) in self.seen() {
            topics.entry(topic).or_default().push((key, value));
        }
        // What is told of with one commit stands kind by kind.
        let place = |value: &Value| value["position"].as_str().unwrap_or_default().parse::<Position>().ok();
        if let Some(told) = topics.get_mut("p.cdc.__control") {
            told.sort_by_key(|(_, value)| (place(value), value["type"].to_string()));
        }
        topics
    }

    /// A node with that log in many small segments of a process that has ended.
    fn in_small_segments() -> (Self, usize) {
        let world = Self::new(1);
        let payloads = payloads();
        let parts: Vec<_> = payloads.chunks(MUTATIONS).collect();
        for (id, part) in (1_795_363_091_504_i64..).zip(&parts) {
            let mut writer = SegmentWriter::new(id, false);
            writer.section(part.iter().cloned());
            let bytes = writer.finish();
            let path = world.node.raw.join(format!("CommitLog-7-{id}.log"));
            fs::write(&path, &bytes).unwrap();
            fs::write(
                world.node.raw.join(format!("CommitLog-7-{id}_cdc.idx")),
                format!("{}\nCOMPLETED", bytes.len()),
            )
            .unwrap();
            let time = UNIX_EPOCH + Duration::from_millis(u64::try_from(id).unwrap() + 60_000);
            File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        }
        fs::copy(fixtures().join("schema-before.json"), world.dir.path().join("schema.json")).unwrap();
        assert!(parts.len() > 5, "{}", parts.len());
        (world, parts.len())
    }
}

#[test]
fn an_agent_that_starts_again_has_the_schema_of_its_place() {
    let (mut world, segments) = World::in_small_segments();
    world.live(Life::Quiet);
    let expected = world.topics();
    let changes =
        expected["p.cdc.__control"].iter().filter(|(_, value)| value["type"] == "schema_change").count();
    let records: usize = expected.values().map(Vec::len).sum();
    assert!(changes > 5 && records > 100, "{changes} of {records}");
    for commits in [1, 3] {
        let (mut world, _) = World::in_small_segments();
        let state = world.dir.path().join("state");
        fs::create_dir_all(&state).unwrap();
        let (mut store, _) = SchemaStore::open(&state, "", StoreLimits::default()).unwrap();
        store.fetched(&load(&fixtures().join("schema-before.json")).unwrap().rows, 1_000);
        store.save_now(1_000).unwrap();
        (world.is_schema_kept, world.dies_after) = (true, Some(commits));
        for _ in 0..segments {
            world.live(Life::Quiet);
        }
        world.dies_after = None;
        world.live(Life::Quiet);
        let found = world.topics();
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{commits}");
        for (topic, expected) in &expected {
            let first = expected.iter().zip(&found[topic]).find(|(expected, found)| expected != found);
            assert!(first.is_none(), "{commits}, {topic}: {first:?}");
            assert_eq!(found[topic].len(), expected.len(), "{commits}, {topic}");
        }
    }
}
