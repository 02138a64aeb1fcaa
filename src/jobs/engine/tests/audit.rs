//! The audit trail under deaths: each write once, in the order of its key.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};

use super::world::{MemoryOutlet, MemorySource, Random, Shared, World};
use super::{dq, run_with_deaths, seeds};
use crate::jobs::engine::EngineError;
use crate::jobs::engine::audit::AuditJob;
use crate::jobs::engine::job::Job;
use crate::jobs::engine::outlet::Outlet;
use crate::jobs::engine::record::InputRecord;
use crate::jobs::engine::runtime::Connect;
use crate::jobs::engine::source::Source;
use crate::jobs::environment::Environment;
use crate::jobs::rules::TableRules;

const RULES: &str = "
table: sales.events
source: {kind: json, topic: 'topic_{prefix}_sales'}
sink: cassandra
columns:
  id: {type: text}
  event_ts: {type: timestamp}
  amount: {type: double}
key: [id]
version: {column: event_ts}
hash: {kind: v1}
audit: true
rules:
  - {rule: not_null, column: amount}
";

struct Audit {
    world: Shared,
    rules: TableRules,
    environment: Environment,
    lives: Cell<u64>,
    seed: u64,
}

impl Connect for Audit {
    fn name(&self) -> &str {
        "audit-onprem-sales.events"
    }

    fn definition(&self) -> &str {
        "audit"
    }

    fn job(&self) -> Result<Box<dyn Job>, EngineError> {
        let job = AuditJob::new(&self.rules, &self.environment);
        // The table's own changes, though its rows come from a business topic.
        assert_eq!((job.name(), job.topic()), (self.name(), "onprem.cdc.sales.events"));
        Ok(Box::new(job))
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

/// A write as an agent publishes it, and the word for it.
fn write(random: &mut Random, key: &Value, id: u64) -> (Value, &'static str) {
    let (op, word) = match random.below(3) {
        0 => ("c", "INSERTED"),
        1 => ("u", "UPDATED"),
        _ => ("d", "DELETED"),
    };
    let (before, after) = if op == "d" { (key.clone(), Value::Null) } else { (Value::Null, key.clone()) };
    let source = json!({"ts_us": id, "dc": "DC_ONPREM", "host_id": "h1"});
    let event_id = format!("{id:032x}");
    (json!({"op": op, "before": before, "after": after, "event_id": event_id, "source": source}), word)
}

/// Records in three partitions, and what each has in the trail: word and write time.
fn generate(random: &mut Random) -> (World, Vec<Vec<(String, u64)>>) {
    let (mut world, mut expected) = (World::default(), Vec::new());
    for partition in 0..3_u32 {
        let (mut records, mut entries) = (Vec::new(), Vec::new());
        let mut published: Vec<Value> = Vec::new();
        let key = json!({"id": format!("r{partition}")});
        for offset in 0..i64::try_from(random.below(80)).unwrap() {
            let id = u64::from(partition) * 1000 + u64::try_from(offset).unwrap();
            let value = match random.below(7) {
                0 if !published.is_empty() => {
                    let count = u64::try_from(published.len()).unwrap();
                    let mut repeat = published[usize::try_from(random.below(count)).unwrap()].clone();
                    repeat["source"]["host_id"] = json!("h2");
                    Some(repeat)
                }
                1 => Some(json!({"op": "m", "source": {"dc": "DC_ONPREM"}, "wm_us": offset})),
                2 => Some(json!({"op": "r", "after": key, "event_id": "00", "source": {"ts_us": id}})),
                3 => None,
                _ => {
                    let (record, word) = write(random, &key, id);
                    published.push(record.clone());
                    entries.push((word.to_owned(), id));
                    Some(record)
                }
            };
            records.push(InputRecord {
                input: 0,
                partition,
                offset,
                timestamp_ms: 1_735_689_600_000 + offset,
                key: Some(key.to_string().into_bytes()),
                value: value.map(|value| value.to_string().into_bytes()),
                headers: Vec::new(),
            });
        }
        world.partitions.push(records);
        expected.push(entries);
    }
    (world, expected)
}

#[test]
fn each_write_once() {
    for seed in seeds() {
        let mut random = Random::new(seed);
        let (rules, environment) = dq::project(RULES);
        let (mut world, expected) = generate(&mut random);
        world.dice = Some(random.clone());
        let world: Shared = Rc::new(std::cell::RefCell::new(world));
        let audit = Audit { world: Rc::clone(&world), rules, environment, lives: Cell::default(), seed };
        let folder = tempfile::tempdir().unwrap();
        let deaths = random.below(10);
        let (ended, _) = run_with_deaths(&audit, folder.path(), &mut random, deaths);
        assert_eq!(ended.alarms, Vec::<String>::new());
        let world = world.borrow();
        assert!(world.seen.iter().all(|seen| seen.topic == "onprem.audit.sales.events"));
        for (partition, expected) in expected.iter().enumerate() {
            let key = json!({"id": format!("r{partition}")});
            let of_key = world.seen.iter().filter(|seen| seen.key == Some(key.to_string()));
            let found: Vec<(String, u64)> = of_key
                .map(|seen| {
                    let entry: Value = serde_json::from_str(&seen.value).unwrap();
                    assert_eq!((&entry["key"], &entry["host_id"]), (&key, &json!("h1")));
                    (entry["operation"].as_str().unwrap().to_owned(), entry["stamp_us"].as_u64().unwrap())
                })
                .collect();
            assert_eq!(&found, expected, "seed {seed}");
        }
    }
}
