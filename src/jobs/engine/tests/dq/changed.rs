//! A state that is lost while the rules change.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};

use super::{DEAD, Dq, MINUTE, RULES, generate, last, project};
use crate::agent::exit::Exit;
use crate::jobs::engine::dq::INVALID_TOPIC;
use crate::jobs::engine::record::InputRecord;
use crate::jobs::engine::state::StateDir;
use crate::jobs::engine::tests::Silent;
use crate::jobs::engine::tests::world::{Random, Shared, World};
use crate::jobs::engine::{Options, run};

/// Other rules say something else of the records behind the outputs: no state is made of them that contradicts those.
#[test]
fn a_state_is_made_anew_by_the_rules_that_made_the_outputs() {
    let mut random = Random::new(7);
    let (rules, environment) = project(RULES);
    let (strict, _) = project(&RULES.replace("max: 1000, severity: warn", "max: 2"));
    let (mut world, _) = generate(&mut random, 120);
    let rest: Vec<_> = world.partitions.iter_mut().map(|all| all.split_off(all.len() / 2)).collect();
    let world: Shared = Rc::new(std::cell::RefCell::new(world));
    let (lives, gone) = (Cell::default(), BTreeMap::new());
    let mut dq = Dq { world: Rc::clone(&world), rules: rules.clone(), environment, lives, seed: 7, gone };
    let folder = tempfile::tempdir().unwrap();
    let go = |dq: &Dq, rebuild_state: bool| {
        let dir = StateDir::open(folder.path()).unwrap();
        let options = Options { until_end: true, rebuild_state, ..Options::default() };
        run(dq, &dir, &options, &Silent, &AtomicBool::new(false))
    };
    let lose = || std::fs::remove_file(folder.path().join("snapshot")).unwrap();
    go(&dq, false).unwrap();
    lose();
    dq.rules = strict.clone();
    let before = world.borrow().seen.len();
    let error = go(&dq, true).unwrap_err();
    assert!(error.to_string().contains("the rules were changed"), "{error}");
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(world.borrow().seen.len(), before, "nothing was written");
    dq.rules = rules;
    go(&dq, true).unwrap();
    // The rules are changed while the job is stopped, and it goes on with its state, which is lost later.
    dq.rules = strict;
    for (records, rest) in world.borrow_mut().partitions.iter_mut().zip(rest) {
        records.extend(rest);
    }
    assert_eq!(go(&dq, false).unwrap().alarms, Vec::<String>::new());
    agree(&world.borrow());
    lose();
    // Late records of minutes of which other rules judged the others: their rows stay as they are.
    for records in &mut world.borrow_mut().partitions {
        let (Some(first), Some(newest)) = (records.first(), records.last()) else { continue };
        let value = br#"{"id":"late","event_ts":"2025-01-01T00:00:00Z","value":1}"#.to_vec();
        let (offset, timestamp_ms) = (newest.offset + 1, first.timestamp_ms);
        let late = InputRecord { offset, timestamp_ms, value: Some(value), ..newest.clone() };
        records.push(late);
    }
    let ended = go(&dq, true).unwrap();
    assert!(ended.alarms[0].contains("were read under other rules"), "{:?}", ended.alarms);
    agree(&world.borrow());
}

/// Each counter of a minute says how many dead letters of it there are; of what is not counted an alarm tells.
fn agree(world: &World) {
    let mut letters: BTreeMap<i64, u64> = BTreeMap::new();
    for letter in world.seen.iter().filter(|seen| seen.topic == DEAD) {
        let letter: Value = serde_json::from_str(&letter.value).unwrap();
        *letters.entry(letter["kafka_ts"].as_i64().unwrap().div_euclid(MINUTE) * MINUTE).or_default() += 1;
    }
    let counted = last(world, INVALID_TOPIC);
    for row in counted.values() {
        let start = row["window_start"].as_i64().unwrap();
        assert_eq!(row["invalid_count"], json!(letters.get(&start).copied().unwrap_or_default()), "{row}");
    }
}
