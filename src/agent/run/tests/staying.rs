//! What stays in `cdc_raw` is not published again: neither because it is old, nor because there is so much of it.

use std::time::Duration;

use super::{Life, Memory, World};

/// An agent that remembers nothing of what is gone.
const NOTHING: Memory = Memory { age: Duration::ZERO, count: 0 };

#[test]
fn a_finished_segment_that_stays_is_remembered_and_one_that_is_gone_is_not() {
    let mut gone = 0;
    for seed in 0..60 {
        let mut world = World::new(seed);
        (world.keeps, world.memory) = (true, NOTHING);
        for _ in 0..3 + world.random.below(3) {
            world.live(Life::Troubled);
        }
        world.node.stop_and_start(&mut world.random);
        world.live(Life::Quiet);
        world.live(Life::Quiet);
        world.check_published();
        let (there, broker) = (world.node.in_raw(), world.broker.borrow());
        let newest = broker.checkpoint.newest();
        for (id, _) in broker.checkpoint.done() {
            assert!(there.contains(&id.0) || Some(id) == newest, "seed {seed}: {id} is remembered");
        }
        gone += world.node.removed.len();
    }
    assert!(gone > 0, "none went");
}
