//! Hash events under deaths: each change once, in the order of its partition, with heartbeats between them.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};

use super::world::{MemoryOutlet, MemorySource, Random, Shared, World};
use super::{dq, run_with_deaths, seeds};
use crate::agent::exit::Exit;
use crate::jobs::engine::EngineError;
use crate::jobs::engine::hash::HashJob;
use crate::jobs::engine::job::Job;
use crate::jobs::engine::outlet::{Outlet, Output};
use crate::jobs::engine::record::{InputRecord, OutputRecord, TableRow};
use crate::jobs::engine::runtime::Connect;
use crate::jobs::engine::source::Source;
use crate::jobs::environment::Environment;
use crate::jobs::rules::TableRules;

const RULES: &str = "
table: sales.events
source: {kind: cdc}
sink: none
columns:
  id: {type: text}
  rev: {type: bigint}
  amount: {type: double}
key: [id]
version: {column: rev, unit: us}
hash: {kind: v1}
rules:
  - {rule: not_null, column: amount}
";

struct Hash {
    world: Shared,
    rules: TableRules,
    environment: Environment,
    lives: Cell<u64>,
    seed: u64,
}

impl Connect for Hash {
    fn name(&self) -> &str {
        "hash-onprem-sales.events"
    }

    fn definition(&self) -> &str {
        &self.rules.rules_version
    }

    fn job(&self) -> Result<Box<dyn Job>, EngineError> {
        Ok(Box::new(HashJob::new(&self.rules, &self.environment)))
    }

    fn outlet(&self) -> Result<Box<dyn Outlet>, EngineError> {
        Ok(Box::new(MemoryOutlet::open(&self.world)))
    }

    fn source(&self) -> Result<Box<dyn Source>, EngineError> {
        self.lives.set(self.lives.get() + 1);
        let seed = self.seed * 1000 + self.lives.get();
        Ok(Box::new(MemorySource::open(&self.world, "onprem.cdc.sales.events", seed)))
    }
}

/// The key of all records of a partition.
fn key_of(partition: u32) -> Value {
    json!({"id": format!("r{partition}")})
}

/// A change as a node of the data centre publishes it, and the hash event of it.
fn change(random: &mut Random, key: &Value, id: u64) -> (Value, Value) {
    let event_id = format!("{id:032x}");
    let ts_us = 1_735_689_600_000_000 + id;
    let source = |host: &str| json!({"ts_us": ts_us, "dc": "DC_ONPREM", "host_id": host});
    let (op, kind, hash, before, after, version) = match random.below(4) {
        0 => ("d", "tombstone", json!("TOMBSTONE"), key.clone(), Value::Null, json!(ts_us)),
        1 => {
            let after = json!({"id": key["id"], "amount": 1.5});
            ("u", "partial", Value::Null, Value::Null, after, Value::Null)
        }
        _ => {
            let after = json!({"id": key["id"], "rev": id, "amount": 1.5});
            ("c", "full", json!(format!("{id:064x}")), Value::Null, after, json!(id))
        }
    };
    let record = json!({
        "op": op, "before": before, "after": after, "row_hash": hash, "hash_kind": kind, "hash_def": "1a2b3c4d",
        "event_id": event_id, "source": source("h1"),
    });
    let event = json!({
        "table": "sales.events", "key": key, "op": op, "row_hash": hash, "hash_kind": kind,
        "hash_def": "1a2b3c4d", "version_us": version, "source_dc": "DC_ONPREM", "host_id": "h1",
        "event_id": event_id,
    });
    (record, event)
}

fn generate(random: &mut Random) -> (World, Vec<Vec<String>>) {
    let (mut world, mut expected) = (World::default(), Vec::new());
    for partition in 0..3_u32 {
        let (mut records, mut events) = (Vec::new(), Vec::new());
        let key = key_of(partition);
        let mut published: Vec<Value> = Vec::new();
        for offset in 0..i64::try_from(random.below(80)).unwrap() {
            let timestamp_ms = 1_735_689_600_000 + offset;
            let value = match random.below(6) {
                0 if !published.is_empty() => {
                    // Another replica publishes the same change.
                    let place =
                        usize::try_from(random.below(u64::try_from(published.len()).unwrap())).unwrap();
                    let mut repeat = published[place].clone();
                    repeat["source"]["host_id"] = json!("h2");
                    repeat
                }
                1 => {
                    let wm = json!({
                        "op": "m", "source": {"dc": "DC_ONPREM", "host_id": "h1"}, "wm_us": offset,
                    });
                    events.push(json!({
                        "op": "m", "host_id": "h1", "partition": partition, "wm_us": offset,
                        "source_dc": "DC_ONPREM",
                    }));
                    wm
                }
                _ => {
                    let id = u64::from(partition) * 1000 + u64::try_from(offset).unwrap();
                    let (record, event) = change(random, &key, id);
                    published.push(record.clone());
                    events.push(event);
                    record
                }
            };
            records.push(InputRecord {
                input: 0,
                partition,
                offset,
                timestamp_ms,
                key: Some(key.to_string().into_bytes()),
                value: Some(value.to_string().into_bytes()),
                headers: Vec::new(),
            });
        }
        world.partitions.push(records);
        expected.push(events.iter().map(Value::to_string).collect());
    }
    (world, expected)
}

/// Keeps the version of each hash event.
#[derive(Default)]
struct VersionsOf(Vec<Value>);

impl Output for VersionsOf {
    fn record(&mut self, record: &OutputRecord<'_>) -> Result<(), EngineError> {
        let event: Value = serde_json::from_slice(record.value.unwrap()).unwrap();
        self.0.push(event["version_us"].clone());
        Ok(())
    }

    fn row(&mut self, _: TableRow) -> Result<(), EngineError> {
        Err(EngineError::new(Exit::Bug, "hash events are no rows"))
    }
}

/// Of a timestamp: tests/oracle/vectors/flink_hash.jsonl.
#[test]
fn versions_in_a_bigint() {
    let versions = |unit: &str, revs: &[Value]| {
        let (rules, environment) = dq::project(&RULES.replace("unit: us", &format!("unit: {unit}")));
        let (mut job, mut versions) = (HashJob::new(&rules, &environment), VersionsOf::default());
        for (offset, rev) in (0..).zip(revs) {
            let value = json!({"op": "c", "after": {"id": "a", "rev": rev}, "source": {"ts_us": 1}});
            let record = InputRecord {
                input: 0,
                partition: 0,
                offset,
                timestamp_ms: 0,
                key: None,
                value: Some(value.to_string().into_bytes()),
                headers: Vec::new(),
            };
            job.process(&record, &mut versions).unwrap();
        }
        versions.0
    };
    let text = json!("1970-01-01T00:00:00.005Z");
    let revs = [json!(5), json!(i64::MAX), json!(12.7), json!(" 12 "), text, json!(i64::MAX / 1000)];
    let most = json!(i64::MAX / 1000);
    assert_eq!(
        versions("us", &revs),
        [json!(5), json!(i64::MAX), json!(null), json!(null), json!(null), most]
    );
    let most = json!(i64::MAX / 1000 * 1000);
    assert_eq!(
        versions("ms", &revs),
        [json!(5000), json!(null), json!(null), json!(null), json!(null), most]
    );
}

#[test]
fn each_change_once() {
    for seed in seeds() {
        let mut random = Random::new(seed);
        let (rules, environment) = dq::project(RULES);
        let (mut world, expected) = generate(&mut random);
        world.dice = Some(random.clone());
        let world: Shared = Rc::new(std::cell::RefCell::new(world));
        let hash = Hash { world: Rc::clone(&world), rules, environment, lives: Cell::default(), seed };
        let folder = tempfile::tempdir().unwrap();
        let deaths = random.below(10);
        let (ended, _) = run_with_deaths(&hash, folder.path(), &mut random, deaths);
        assert_eq!(ended.alarms, Vec::<String>::new());
        for (partition, expected) in expected.iter().enumerate() {
            let key = Some(key_of(u32::try_from(partition).unwrap()).to_string());
            let world = world.borrow();
            let seen: Vec<&String> =
                world.seen.iter().filter(|seen| seen.key == key).map(|seen| &seen.value).collect();
            assert_eq!(seen, expected.iter().collect::<Vec<_>>(), "seed {seed}");
            assert!(world.seen.iter().all(|seen| seen.topic == "onprem_hash_events"));
        }
    }
}
