//! Mutations that nothing decodes: told of once, asked for once, never more than have room.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::node;
use super::writers::table::Table;
use super::{Life, World};

impl World {
    /// A node with writes of a column that the agent's schema lacks, and the segments that they fill.
    fn of_unknown_column(writes: usize) -> (Self, usize) {
        let mut world = Self::new(1);
        let lacking = Table::new([["id", "partition_key", "int"]]);
        world.describe(&lacking);
        while world.node.writes.len() < writes {
            let World { node, random, .. } = &mut world;
            node.write(random);
            node.advance(Duration::from_millis(20));
        }
        world.node.advance(Duration::from_secs(10));
        let segments = world.node.in_raw().len();
        (world, segments)
    }

    fn describe(&self, table: &Table) {
        std::fs::write(self.dir.path().join("schema.json"), table.schema_file().to_string()).unwrap();
    }

    /// How often each parked mutation was told of.
    fn told_parked(&self) -> BTreeMap<String, usize> {
        let mut told = BTreeMap::new();
        for seen in &self.broker.borrow().committed {
            let value: Value = serde_json::from_str(&seen.value).unwrap_or_default();
            if value["type"] == "parked" {
                *told.entry(value["position"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
        told
    }

    fn parked(&self) -> usize {
        self.broker.borrow().checkpoint.parked_count()
    }

    /// The column is known from here on: all that was written is published.
    fn check_all_comes(&mut self) {
        self.describe(&node::table());
        self.live(Life::Quiet);
        assert_eq!(self.parked(), 0);
        let broker = self.broker.borrow();
        let keys: Vec<_> =
            broker.committed.iter().filter(|seen| !seen.topic.ends_with("__control")).collect();
        assert_eq!(keys.len(), self.node.writes.len());
    }
}

#[test]
fn what_stays_undecodable_is_told_of_and_asked_for_once() {
    let (mut world, _) = World::of_unknown_column(40);
    world.live(Life::Quiet);
    assert_eq!(world.parked(), world.node.writes.len());
    let told = world.told_parked();
    assert_eq!(told.len(), world.node.writes.len());
    // Each start tries all of them again.
    world.asked = 0;
    for _ in 0..3 {
        world.live(Life::Quiet);
    }
    assert_eq!(world.asked, 0);
    assert_eq!(world.told_parked(), told);
    assert!(told.values().all(|times| *times == 1), "{told:?}");
    world.check_all_comes();
}

#[test]
fn no_more_is_parked_than_has_room() {
    let (mut world, segments) = World::of_unknown_column(200);
    assert!(segments > 4, "{segments}");
    // Committed at once.
    (world.most_parked, world.dies_after) = (10, Some(u32::MAX));
    for _ in 0..2 {
        world.live(Life::Quiet);
        let parked = world.parked();
        // What one look at the log gives is parked as a whole.
        assert!((10..100).contains(&parked), "{parked}");
    }
    world.check_all_comes();
}
