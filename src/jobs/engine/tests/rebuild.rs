//! A state that is made anew: records come in the order of their timestamps, not one partition after the other.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use super::Silent;
use super::world::{MemoryOutlet, MemorySource, Shared, World};
use crate::jobs::engine::runtime::{Connect, Options, run};
use crate::jobs::engine::{EngineError, InputRecord, Job, JobReport, Outlet, Output, Source, StateDir};

type Seen = Rc<RefCell<Vec<(i64, u32)>>>;

/// Remembers what it was handed.
struct Witness(Seen);

impl Job for Witness {
    fn process(&mut self, record: &InputRecord, _: &mut dyn Output) -> Result<(), EngineError> {
        self.0.borrow_mut().push((record.timestamp_ms, record.partition));
        Ok(())
    }

    fn save(&self, _: &mut Vec<u8>) -> Result<(), EngineError> {
        Ok(())
    }

    fn load(&mut self, _: &[u8]) -> Result<(), EngineError> {
        Ok(())
    }

    fn report(&self) -> JobReport {
        JobReport::default()
    }
}

struct Watched {
    world: Shared,
    seen: Seen,
}

impl Connect for Watched {
    fn name(&self) -> &'static str {
        "drift-onprem-sales.events"
    }

    fn definition(&self) -> &'static str {
        "1"
    }

    fn job(&self) -> Result<Box<dyn Job>, EngineError> {
        Ok(Box::new(Witness(Rc::clone(&self.seen))))
    }

    fn outlet(&self) -> Result<Box<dyn Outlet>, EngineError> {
        Ok(Box::new(MemoryOutlet::open(&self.world)))
    }

    fn source(&self) -> Result<Box<dyn Source>, EngineError> {
        Ok(Box::new(MemorySource::open(&self.world, "t", 1)))
    }
}

#[test]
fn records_come_in_the_order_of_their_timestamps() {
    let times: [&[i64]; 3] = [&[10, 40, 41], &[], &[11, 12, 60]];
    let mut world = World::default();
    for (partition, times) in (0..).zip(times) {
        let record = |(offset, timestamp_ms): (i64, &i64)| InputRecord {
            input: 0,
            partition,
            offset,
            timestamp_ms: *timestamp_ms,
            key: None,
            value: None,
            headers: Vec::new(),
        };
        world.partitions.push((0..).zip(times).map(record).collect());
    }
    let watched = Watched { world: Rc::new(RefCell::new(world)), seen: Seen::default() };
    let folder = tempfile::tempdir().unwrap();
    let go = |rebuild_state: bool| {
        let dir = StateDir::open(folder.path()).unwrap();
        let options = Options { until_end: true, rebuild_state, ..Options::default() };
        run(&watched, &dir, &options, &Silent, &AtomicBool::new(false)).unwrap()
    };
    go(false);
    std::fs::remove_file(folder.path().join("snapshot")).unwrap();
    watched.seen.borrow_mut().clear();
    assert_eq!(go(true).alarms.len(), 1, "that it was made anew");
    assert_eq!(*watched.seen.borrow(), [(10, 0), (11, 2), (12, 2), (40, 0), (41, 0), (60, 2)]);
}
