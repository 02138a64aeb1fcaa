//! What was read and not committed is read again as it was read the first time: also with its schema.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use super::{Life, World};

/// A workload with DDL between its changes, in segments of a real node, with the schema from before it.
const SET: &str = "4.1-lz4";

impl World {
    /// A node with the segments of [`SET`], and no writes of its own.
    fn evolving() -> Self {
        let world = Self::new(1);
        let set = Path::new(env!("CARGO_MANIFEST_DIR")).join("cdc_fixtures").join(SET);
        for entry in set.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let Some(id) = name.strip_prefix("CommitLog-7-") else { continue };
            let copy = world.node.raw.join(name);
            fs::copy(&path, &copy).unwrap();
            // A process that ended long before the node began.
            let id: u64 = id.get(..13).unwrap().parse().unwrap();
            File::options()
                .write(true)
                .open(&copy)
                .unwrap()
                .set_modified(UNIX_EPOCH + Duration::from_millis(id + 1000))
                .unwrap();
        }
        fs::copy(set.join("schema-before.json"), world.dir.path().join("schema.json")).unwrap();
        world
    }

    /// What consumers see, without the time at which it was sent.
    pub(super) fn seen(&self) -> Vec<(String, String, Value)> {
        let broker = self.broker.borrow();
        let seen = broker.committed.iter().map(|seen| {
            let mut value: Value = serde_json::from_str(&seen.value).unwrap_or_default();
            if let Some(fields) = value.as_object_mut() {
                fields.remove("ts_ms");
            }
            (seen.topic.clone(), seen.key.clone(), value)
        });
        seen.collect()
    }
}

#[test]
fn after_a_rewind_the_schema_of_the_checkpoint_holds() {
    let mut world = World::evolving();
    world.live(Life::Quiet);
    let expected = world.seen();
    let changes = expected.iter().filter(|(_, _, value)| value["type"] == "schema_change").count();
    assert!(changes > 5 && expected.len() > 100, "{changes} of {}", expected.len());
    for undone in 1..4 {
        let mut world = World::evolving();
        world.undoes = undone;
        world.live(Life::Quiet);
        let found = world.seen();
        let first = expected.iter().zip(&found).find(|(expected, found)| expected != found);
        assert!(first.is_none(), "{undone}: {first:?}");
        assert_eq!(found.len(), expected.len(), "{undone}");
    }
}
