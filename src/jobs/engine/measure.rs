//! What a full memory of event ids costs. RepeatedMemory in flink/ measures the same of a task.
//!
//! ```text
//! cargo test --lib jobs::engine::measure -- --ignored --nocapture
//! ```

use super::repeats::Repeats;
use crate::jobs::drift::measure::memory_mib;

const IDS: usize = 1_000_000;

#[test]
#[expect(clippy::print_stdout, reason = "it is what it is for")]
#[ignore = "it measures the process: nothing may run beside it"]
fn a_million_ids() {
    let (empty, mut repeats) = (memory_mib(), Repeats::new(IDS));
    // A half more than it takes, so that the oldest are forgotten as in a running job.
    for number in 0..IDS * 3 / 2 {
        repeats.is_repeat((0, 0), Some(&format!("{number:032x}")), 0);
    }
    assert_eq!((repeats.len(), repeats.forgotten()), (IDS, IDS as u64 / 2));
    println!("{IDS} ids: {} MiB", memory_mib() - empty);
    let mut saved = Vec::new();
    repeats.save(&mut saved);
    println!("saved: {} MiB", saved.len() >> 20);
}
