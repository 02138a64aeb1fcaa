//! Jobs that are killed at any place, over a broker that is simulated: what readers see must be as if nothing had
//! happened.
//!
//! The order in which partitions are read is another one in every life. `CDC_AGENT_SEEDS` says how many seeds are tried,
//! `CDC_AGENT_SEED` runs a single one.

mod audit;
mod dq;
mod hash;
mod rebuild;
mod remembered;
mod world;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::runtime::{self, Connect, Ended, Options, Progress};
use super::state::StateDir;
use super::{EngineError, crash};

/// Nobody listens.
struct Silent;

impl Progress for Silent {}

/// Options under which commits and snapshots are frequent.
fn options(random: &mut world::Random) -> Options {
    Options {
        until_end: true,
        rebuild_state: false,
        begin_anew: false,
        commit_every: Duration::from_secs(3600),
        commit_records: 1 + random.below(20),
        snapshot_every: if random.one_in(3) { Duration::from_secs(3600) } else { Duration::ZERO },
        idle_after: Duration::from_secs(3600),
        longest_pause: Duration::ZERO,
    }
}

/// Runs a job to the end of its input, dying at places that the seed chooses; how it ended, and how many deaths it took.
fn run_with_deaths(
    connect: &dyn Connect,
    folder: &std::path::Path,
    random: &mut world::Random,
    deaths: u64,
) -> (Ended, u64) {
    let mut died = 0;
    loop {
        let dir = StateDir::open(folder).unwrap();
        crash::arm((died < deaths).then(|| random.below(30)));
        let ended = runtime::run(connect, &dir, &options(random), &Silent, &AtomicBool::new(false));
        crash::arm(None);
        match ended {
            Ok(ended) => return (ended, died),
            Err(error) => {
                assert!(is_death(&error), "{error}");
                died += 1;
                tear(folder, random);
            }
        }
    }
}

fn is_death(error: &EngineError) -> bool {
    error.to_string().starts_with("killed at")
}

/// What a crash may leave of a line of the journal that was not durable yet.
fn tear(folder: &std::path::Path, random: &mut world::Random) {
    if !random.one_in(2) {
        return;
    }
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("journal-") {
            let mut text = std::fs::read(&path).unwrap();
            text.extend_from_slice(br#"0badc0de {"generation":99,"steps":[{"read":{"in"#);
            std::fs::write(&path, text).unwrap();
        }
    }
}

/// The seeds to try.
fn seeds() -> Vec<u64> {
    if let Some(seed) = std::env::var("CDC_AGENT_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return vec![seed];
    }
    let count = std::env::var("CDC_AGENT_SEEDS").ok().and_then(|count| count.parse().ok());
    (1..=count.unwrap_or(100)).collect()
}
