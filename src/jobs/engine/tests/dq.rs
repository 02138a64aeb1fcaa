//! Data quality under deaths. The generator knows what each record is; nothing of the rules' code says it.

mod changed;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use super::world::{MemoryOutlet, MemoryRows, MemorySource, Random, Shared, World};
use super::{run_with_deaths, seeds};
use crate::jobs::check::check;
use crate::jobs::engine::dq::{COUNTS_TABLE, Destination, DqJob, INVALID_TOPIC, VALID_TOPIC};
use crate::jobs::engine::job::Job;
use crate::jobs::engine::outlet::Outlet;
use crate::jobs::engine::record::{Header, InputRecord};
use crate::jobs::engine::runtime::{Connect, RowSink};
use crate::jobs::engine::source::Source;
use crate::jobs::engine::state::StateDir;
use crate::jobs::engine::{EngineError, Options, run};
use crate::jobs::environment::Environment;
use crate::jobs::rules::TableRules;

const ENVIRONMENTS: &str = include_str!("../../../../jobs/environments.yaml");
const RULES: &str = "
table: sales.events
source: {kind: json, topic: 'topic_{prefix}_sales'}
sink: cassandra
columns:
  id: {type: text}
  event_ts: {type: timestamp}
  amount: {type: double, field: value}
  record_hash: {type: text, computed: row_hash}
key: [id]
version: {column: event_ts}
hash: {kind: v1, exclude: [record_hash]}
rules:
  - {rule: not_null, column: amount}
  - {rule: range, column: amount, min: 0, id: negative}
  - {rule: range, column: amount, max: 1000, severity: warn, id: large}
  - {rule: unique, columns: [id], within: 1h}
";
const TOPIC: &str = "topic_onprem_sales";
const DEAD: &str = "onprem.dlq.sales.events";
const MINUTE: i64 = 60_000;

/// The rules above, in the environment onprem.
pub(super) fn project(rules: &str) -> (TableRules, Environment) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::write(folder.path().join("environments.yaml"), ENVIRONMENTS).unwrap();
    std::fs::write(folder.path().join("rules/sales.events.yaml"), rules).unwrap();
    let (project, findings) = check(folder.path(), None);
    assert_eq!(findings, [], "{findings:?}");
    (project.rules[0].rules.clone(), project.environments.0[0].clone())
}

struct Dq {
    world: Shared,
    rules: TableRules,
    environment: Environment,
    lives: Cell<u64>,
    seed: u64,
    gone: BTreeMap<u32, i64>,
}

impl Connect for Dq {
    fn name(&self) -> &str {
        "dq-onprem-sales.events"
    }

    fn definition(&self) -> &str {
        &self.rules.rules_version
    }

    fn job(&self) -> Result<Box<dyn Job>, EngineError> {
        Ok(Box::new(DqJob::new(self.rules.clone(), &self.environment, Destination::Cassandra)?))
    }

    fn outlet(&self) -> Result<Box<dyn Outlet>, EngineError> {
        Ok(Box::new(MemoryOutlet::open(&self.world)))
    }

    fn source(&self) -> Result<Box<dyn Source>, EngineError> {
        self.lives.set(self.lives.get() + 1);
        let mut source = MemorySource::open(&self.world, TOPIC, self.seed * 1000 + self.lives.get());
        source.first.clone_from(&self.gone);
        Ok(Box::new(source))
    }

    fn rows(&self) -> Result<Box<dyn RowSink>, EngineError> {
        Ok(Box::new(MemoryRows(Rc::clone(&self.world))))
    }
}

/// What a record is known to be.
#[derive(Debug, Clone)]
struct Known {
    partition: u32,
    offset: i64,
    minute: i64,
    failed: Vec<&'static str>,
    warned: Vec<&'static str>,
    /// Of a valid one: id, event time and amount.
    row: Option<(String, i64, f64)>,
    payload: Option<Vec<u8>>,
}

/// Records of all kinds over several minutes, some of them late.
fn generate(random: &mut Random, per_partition: u64) -> (World, Vec<Known>) {
    let (mut world, mut all) = (World::default(), Vec::new());
    for partition in 0..3_u32 {
        let mut records = Vec::new();
        let mut ids: Vec<String> = Vec::new();
        for offset in 0..i64::try_from(random.below(per_partition)).unwrap() {
            let late = if random.one_in(10) { 3 * MINUTE } else { 0 };
            let timestamp_ms = 1_735_689_600_000 + offset * 7_000 - late;
            let (value, known) = record(random, (partition, offset), timestamp_ms, &mut ids);
            all.push(known);
            records.push(InputRecord {
                input: 0,
                partition,
                offset,
                timestamp_ms,
                key: Some(format!("k{partition}").into_bytes()),
                value,
                headers: vec![Header { name: "from".to_owned(), value: Some(b"shop".to_vec()) }],
            });
        }
        world.partitions.push(records);
    }
    (world, all)
}

fn record(
    random: &mut Random,
    (partition, offset): (u32, i64),
    timestamp_ms: i64,
    ids: &mut Vec<String>,
) -> (Option<Vec<u8>>, Known) {
    let own = format!("p{partition}-{offset}");
    let (mut failed, mut warned, mut row) = (Vec::new(), Vec::new(), None);
    let text = |id: &str, value: &str| {
        Some(
            format!("{{\"id\":\"{id}\",\"event_ts\":\"2025-01-01T00:00:00Z\",\"value\":{value}}}")
                .into_bytes(),
        )
    };
    let value = match random.below(9) {
        0 => {
            failed.push("json");
            Some(vec![b'{', 0xFF, 0xFE])
        }
        1 => {
            failed.push("json");
            None
        }
        2 => {
            failed.push("amount.not_null");
            ids.push(own.clone());
            text(&own, "null")
        }
        3 => {
            failed.push("negative");
            ids.push(own.clone());
            text(&own, "-1")
        }
        4 if !ids.is_empty() => {
            // The same id within the hour, in the same partition.
            failed.push("id.unique");
            let place = usize::try_from(random.below(u64::try_from(ids.len()).unwrap())).unwrap();
            text(&ids[place].clone(), "5")
        }
        5 => {
            warned.push("large");
            ids.push(own.clone());
            row = Some((own.clone(), 1_735_689_600_000, 1001.5));
            text(&own, "1001.5")
        }
        _ => {
            ids.push(own.clone());
            row = Some((own.clone(), 1_735_689_600_000, 2.5));
            text(&own, "2.5")
        }
    };
    let minute = timestamp_ms.div_euclid(MINUTE) * MINUTE;
    let payload = value.clone();
    (value, Known { partition, offset, minute, failed, warned, row, payload })
}

/// The last value of each key of a topic.
fn last(world: &World, topic: &str) -> BTreeMap<String, Value> {
    let of = world.seen.iter().filter(|seen| seen.topic == topic);
    of.map(|seen| (seen.key.clone().unwrap(), serde_json::from_str(&seen.value).unwrap())).collect()
}

fn check_outputs(world: &World, known: &[Known], version: &str) {
    // Each broken record once, in the order of its partition.
    for partition in 0..3 {
        let letters: Vec<Value> = world
            .seen
            .iter()
            .filter(|seen| seen.topic == DEAD)
            .map(|seen| serde_json::from_str(&seen.value).unwrap())
            .filter(|letter: &Value| letter["partition"] == partition)
            .collect();
        let expected: Vec<Value> = known
            .iter()
            .filter(|known| known.partition == partition && !known.failed.is_empty())
            .map(|known| {
                let text = known.payload.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
                let base64 = known.payload.as_ref().filter(|_| text.is_none()).map(|_| "e//+");
                json!({
                    "job": "dq-onprem-sales.events", "topic": TOPIC, "partition": partition,
                    "offset": known.offset, "payload": text, "payload_base64": base64,
                    "failed": known.failed, "warned": known.warned, "rules_version": version,
                })
            })
            .collect();
        let without_time = |letter: &Value| {
            let mut letter = letter.clone();
            letter.as_object_mut().unwrap().shift_remove("kafka_ts");
            letter
        };
        assert_eq!(letters.iter().map(without_time).collect::<Vec<_>>(), expected);
    }
    let mut minutes: BTreeMap<i64, (u64, u64, u64)> = BTreeMap::new();
    for known in known {
        let counts = minutes.entry(known.minute).or_default();
        match known.failed.is_empty() {
            true => (counts.0, counts.1) = (counts.0 + 1, counts.1 + u64::from(!known.warned.is_empty())),
            false => counts.2 += 1,
        }
    }
    let (valid, invalid) = (last(world, VALID_TOPIC), last(world, INVALID_TOPIC));
    assert_eq!((valid.len(), invalid.len()), (minutes.len(), minutes.len()));
    for (minute, (good, warned, bad)) in &minutes {
        let key = json!({"job_name": "dq-onprem-sales.events", "window_start": minute}).to_string();
        let row = &valid[&key];
        let expected = json!({
            "job_name": "dq-onprem-sales.events", "window_start": minute, "metric_ts": minute + MINUTE,
            "dc": "DC_ONPREM", "table": "sales.events", "valid_count": good, "warned_count": warned,
            "total_count": good + bad, "rules_version": version,
        });
        assert_eq!(row.to_string(), expected.to_string());
        assert_eq!(
            (&invalid[&key]["invalid_count"], &invalid[&key]["total_count"]),
            (&json!(bad), &json!(good + bad))
        );
        let broken = known.iter().filter(|known| known.minute == *minute).flat_map(|known| &known.failed);
        let mut by_rule: BTreeMap<&str, u64> = BTreeMap::new();
        broken.for_each(|rule| *by_rule.entry(rule).or_default() += 1);
        for (rule, number) in invalid[&key]["by_rule"].as_object().unwrap() {
            assert_eq!(number, &json!(by_rule.get(rule.as_str()).copied().unwrap_or_default()), "{rule}");
        }
    }
    // Every valid row is in the table, each time as it was first; the newest count of a minute stays.
    let mut table: BTreeMap<String, (i64, f64)> = BTreeMap::new();
    let mut counts: BTreeMap<(i64, String), (i64, i64)> = BTreeMap::new();
    let number = |bytes: &Option<Vec<u8>>| i64::from_be_bytes(bytes.as_deref().unwrap().try_into().unwrap());
    for row in &world.rows {
        let text = |at: usize| String::from_utf8(row.values[at].clone().unwrap()).unwrap();
        if row.table == COUNTS_TABLE {
            let newest = counts.entry((number(&row.values[1]), text(2))).or_insert((i64::MIN, 0));
            *newest = (*newest).max((row.timestamp_us, number(&row.values[3])));
            continue;
        }
        let amount = f64::from_be_bytes(row.values[2].as_deref().unwrap().try_into().unwrap());
        assert_eq!(row.timestamp_us, number(&row.values[1]) * 1000);
        let before = table.insert(text(0), (number(&row.values[1]), amount));
        assert!(before.is_none_or(|before| before == (number(&row.values[1]), amount)));
    }
    let expected: BTreeMap<String, (i64, f64)> = known
        .iter()
        .filter_map(|known| known.row.clone())
        .map(|(id, time, amount)| (id, (time, amount)))
        .collect();
    assert_eq!(table, expected);
    for (minute, (good, _, bad)) in &minutes {
        for (metric, expected) in [("valid", good), ("invalid", bad)] {
            let found = counts[&(minute + MINUTE, metric.to_owned())].1;
            assert_eq!(u64::try_from(found).unwrap(), *expected);
        }
    }
}

fn simulation(seed: u64) -> (World, Vec<Known>, u64, Dq) {
    let mut random = Random::new(seed);
    let (rules, environment) = project(RULES);
    let (mut world, known) = generate(&mut random, 120);
    world.dice = Some(random.clone());
    let world: Shared = Rc::new(std::cell::RefCell::new(world));
    let dq = Dq {
        world: Rc::clone(&world),
        rules,
        environment,
        lives: Cell::default(),
        seed,
        gone: BTreeMap::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    let deaths = random.below(12);
    let (ended, died) = run_with_deaths(&dq, folder.path(), &mut random, deaths);
    assert_eq!(ended.alarms, Vec::<String>::new(), "seed {seed}");
    let world = world.take();
    (world, known, died, dq)
}

#[test]
fn outputs_are_those_of_a_job_that_was_never_killed() {
    let (mut deaths, mut indefinite) = (0, 0);
    for seed in seeds() {
        let (world, known, died, dq) = simulation(seed);
        check_outputs(&world, &known, &dq.rules.rules_version);
        deaths += died;
        indefinite += world.indefinite;
    }
    let count = u64::try_from(seeds().len()).unwrap();
    assert!(count < 100 || (deaths > 2 * count && indefinite > count / 4), "{deaths} {indefinite}");
}

/// What a lost state means: told, refused, and made anew only when asked.
#[test]
fn a_lost_state_is_not_passed_over() {
    let mut random = Random::new(7);
    let (rules, environment) = project(RULES);
    let (world, mut known) = generate(&mut random, 120);
    let world: Shared = Rc::new(std::cell::RefCell::new(world));
    let mut dq = Dq {
        world: Rc::clone(&world),
        rules,
        environment,
        lives: Cell::default(),
        seed: 7,
        gone: BTreeMap::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    run_with_deaths(&dq, folder.path(), &mut random, 0);
    // More records, in the last minutes of each partition.
    let mut more = Vec::new();
    for partition in 0..3_u32 {
        let mut world = world.borrow_mut();
        let records = &mut world.partitions[usize::try_from(partition).unwrap()];
        let offset = i64::try_from(records.len()).unwrap();
        let timestamp_ms = records.last().map_or(1_735_689_600_000, |record| record.timestamp_ms);
        let mut ids = Vec::new();
        let (value, known) = record(&mut random, (partition, offset), timestamp_ms, &mut ids);
        more.push(known);
        records.push(InputRecord {
            input: 0,
            partition,
            offset,
            timestamp_ms,
            key: None,
            value,
            headers: Vec::new(),
        });
    }
    std::fs::remove_file(folder.path().join("snapshot")).unwrap();
    let go = |dq: &Dq, rebuild_state: bool| {
        let dir = StateDir::open(folder.path()).unwrap();
        let options = Options { until_end: true, rebuild_state, ..Options::default() };
        run(dq, &dir, &options, &super::Silent, &std::sync::atomic::AtomicBool::new(false))
    };
    let before = world.borrow().seen.len();
    let error = go(&dq, false).unwrap_err();
    assert!(error.to_string().contains("holds no state"), "{error}");
    assert_eq!(world.borrow().seen.len(), before, "nothing was written");
    let ended = go(&dq, true).unwrap();
    assert!(ended.alarms[0].contains("all records since the first were there"), "{:?}", ended.alarms);
    known.extend(more);
    check_outputs(&world.borrow(), &known, &dq.rules.rules_version);
    // With records gone, what cannot be known is said.
    std::fs::remove_file(folder.path().join("snapshot")).unwrap();
    dq.gone = BTreeMap::from([(0, 3)]);
    let ended = go(&dq, true).unwrap();
    assert!(ended.alarms[0].contains("are gone"), "{:?}", ended.alarms);
}

/// Records that retention removed before they were read are told of, with their offsets.
#[test]
fn records_that_are_gone_are_told_of() {
    let mut random = Random::new(3);
    let (rules, environment) = project(RULES);
    let (mut world, _) = generate(&mut random, 200);
    let rest: Vec<InputRecord> = world.partitions[1].split_off(2);
    let world: Shared = Rc::new(std::cell::RefCell::new(world));
    let mut dq = Dq {
        world: Rc::clone(&world),
        rules,
        environment,
        lives: Cell::default(),
        seed: 3,
        gone: BTreeMap::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    run_with_deaths(&dq, folder.path(), &mut random, 0);
    world.borrow_mut().partitions[1].extend(rest);
    dq.gone = BTreeMap::from([(1, 5)]);
    let (ended, _) = run_with_deaths(&dq, folder.path(), &mut random, 0);
    let expected =
        format!("topic {TOPIC}, partition 1: the records 2 to 4 were deleted before they were read");
    assert_eq!(ended.alarms, [expected]);
}

/// A topic that was made anew is not read on from the old offset: what stands below it would be passed over.
#[test]
fn another_topic_of_the_same_name_is_refused() {
    let mut random = Random::new(11);
    let (rules, environment) = project(RULES);
    let (world, _) = generate(&mut random, 60);
    let world: Shared = Rc::new(std::cell::RefCell::new(world));
    let (lives, gone) = (Cell::default(), BTreeMap::new());
    let dq = Dq { world: Rc::clone(&world), rules, environment, lives, seed: 11, gone };
    let folder = tempfile::tempdir().unwrap();
    let go = |state: &str, begin_anew: bool| {
        let dir = StateDir::open(&folder.path().join(state)).unwrap();
        let options = Options { until_end: true, begin_anew, ..Options::default() };
        run(&dq, &dir, &options, &super::Silent, &std::sync::atomic::AtomicBool::new(false))
    };
    go("state", false).unwrap();
    let before = world.borrow().partitions.clone();
    let place = before.iter().position(|records| records.len() > 10).unwrap();
    let written = world.borrow().seen.len();
    // A shorter one; one that is as long as the old one was and longer; the same, with records more.
    let mut longer: Vec<InputRecord> = before[place].clone();
    longer.iter_mut().for_each(|record| record.timestamp_ms += 1);
    longer.push(InputRecord { offset: longer.last().unwrap().offset + 1, ..longer[0].clone() });
    for (records, told) in [
        (before[place][..5].to_vec(), "it ends at offset 5, and was read up to"),
        (longer, "stands another record"),
    ] {
        world.borrow_mut().partitions[place] = records;
        let error = go("state", false).unwrap_err().to_string();
        assert!(error.contains("is not the one that this job read") && error.contains(told), "{error}");
        assert_eq!(world.borrow().seen.len(), written, "nothing was written");
        // With its state it goes on as little; without, it reads what is there.
        assert!(go("state", true).unwrap_err().to_string().contains(told));
    }
    let dead = |world: &World| world.seen.iter().filter(|seen| seen.topic == DEAD).count();
    let letters = dead(&world.borrow());
    let read = go("new", true).unwrap().report.summary["read"].as_u64().unwrap();
    let there: usize = world.borrow().partitions.iter().map(Vec::len).sum();
    assert_eq!(read, u64::try_from(there).unwrap());
    assert!(dead(&world.borrow()) > letters);
    // The option may stay: the outputs are those of this state now.
    let written = world.borrow().seen.len();
    assert_eq!(go("new", true).unwrap().report.summary["read"].as_u64().unwrap(), read);
    assert_eq!(world.borrow().seen.len(), written);
}
