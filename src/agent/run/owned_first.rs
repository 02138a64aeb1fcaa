//! `ownership = "primary"`: only the first replica of a partition in its data centre publishes what is written to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use scylla::routing::partitioner::{Murmur3Partitioner, Partitioner};
use serde::{Deserialize, Serialize};

use super::refusals::Refusals;
use super::stop::Stop;
use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::agent::pipeline::worker::Owned;
use crate::commitlog::mutation::PartitionUpdate;
use crate::durable::replace;
use crate::schema::source::{CqlSource, RangeError, Ring, TokenRange, primary_ranges};

/// The file that holds the ring: an agent whose node is down needs it.
const RING: &str = "ring.json";

/// Between attempts to reach the node.
const PAUSE: Duration = Duration::from_secs(2);

/// The token ranges that the node owns first, by keyspace. Of a keyspace that is not in it everything is given out:
/// what belongs to nobody here would otherwise be published by none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::agent) struct Ranges(BTreeMap<String, Vec<TokenRange>>);

impl Ranges {
    /// What the ring says of its node.
    ///
    /// # Errors
    /// It is not understood.
    pub(in crate::agent) fn of(ring: &Ring) -> Result<Self, RangeError> {
        let mut ranges = Self::default();
        for keyspace in ring.keyspaces.keys() {
            match primary_ranges(ring, keyspace) {
                Ok(owned) => _ = ranges.0.insert(keyspace.clone(), owned),
                // It joins: the others own everything still.
                Err(RangeError::NoTokens) => _ = ranges.0.insert(keyspace.clone(), Vec::new()),
                Err(RangeError::NotHere { .. } | RangeError::NoKeyspace(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ranges)
    }

    /// How many there are in a keyspace; `None`: everything.
    pub(in crate::agent) fn count(&self, keyspace: &str) -> Option<usize> {
        self.0.get(keyspace).map(Vec::len)
    }
}

/// A ring by which nobody can tell what its node owns first.
pub(in crate::agent) fn unusable(error: &RangeError) -> Failure {
    Failure::new(Exit::Usage, format!("ownership = \"primary\" cannot be used: {error}"))
        .next("use ownership = \"all\"")
}

/// What the node owns first, as its ring says now.
#[derive(Debug)]
pub(super) struct OwnedFirst {
    ranges: RwLock<Arc<Ranges>>,
    path: PathBuf,
}

/// What is kept of the ring.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    ring: Ring,
}

impl OwnedFirst {
    /// Asks the node for its ring, or takes the one that is kept; waits for the node when there is none. `None` when it is
    /// asked to stop meanwhile.
    ///
    /// # Errors
    /// The ring has tokens that are not understood.
    pub(super) fn start(source: &CqlSource, state: &Path, stop: &Stop) -> Result<Option<Self>, Failure> {
        let path = state.join(RING);
        let (mut said, mut refusals) = (false, Refusals::default());
        while !stop.is_asked() {
            let ring = match refusals.wait(stop, || source.start_ring().wait()) {
                Ok(ring) => Some(ring),
                Err(_) if stop.is_asked() => return Ok(None),
                Err(error) if error.is_transient() => kept(&path),
                Err(error) => {
                    return Err(Failure::new(Exit::Usage, "the node's ring cannot be had").because(error));
                }
            };
            if let Some(ring) = ring {
                let owned = Self { ranges: RwLock::default(), path };
                owned.take(&ring).map_err(|error| unusable(&error))?;
                return Ok(Some(owned));
            }
            if !std::mem::replace(&mut said, true) {
                log::info("waiting for the node: what it owns is not known");
            }
            stop.sleep(PAUSE);
        }
        Ok(None)
    }

    /// Goes by this ring from here on.
    ///
    /// # Errors
    /// It is not understood; the one before stays.
    pub(super) fn take(&self, ring: &Ring) -> Result<(), RangeError> {
        let ranges = Ranges::of(ring)?;
        let mut known = self.ranges.write().unwrap_or_else(PoisonError::into_inner);
        if **known != ranges {
            if **known != Ranges::default() {
                log::info("the ring has changed: from here on the node owns other partitions first");
            }
            *known = Arc::new(ranges);
            drop(known);
            self.keep(ring);
        }
        Ok(())
    }

    fn keep(&self, ring: &Ring) {
        let kept = serde_json::to_vec(&Kept { version: 1, ring: ring.clone() }).unwrap_or_default();
        if let Err(error) = replace(&self.path, &self.path.with_extension("tmp"), &[&kept]) {
            log::unwritten(&format!("the ring is not kept: {error}"));
        }
    }

    fn owns_token(&self, keyspace: &str, token: i64) -> bool {
        let ranges = Arc::clone(&self.ranges.read().unwrap_or_else(PoisonError::into_inner));
        let Some(owned) = ranges.0.get(keyspace) else { return true };
        let next = owned.partition_point(|range| range.to < token);
        owned.get(next).is_some_and(|range| range.after < token)
    }
}

fn kept(path: &Path) -> Option<Ring> {
    let kept: Kept = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (kept.version == 1).then_some(kept.ring)
}

impl Owned for OwnedFirst {
    fn owns(&self, update: &PartitionUpdate<'_>) -> bool {
        let token = Murmur3Partitioner.hash_one(update.partition_key);
        self.owns_token(&update.table.keyspace, token.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cassandra 4.1's own `token()` of text keys, and of one of eight zero bytes (a bigint).
    const TOKENS: [(&[u8], i64); 3] =
        [(b"", 0), (b"hello", -3_758_069_500_696_749_310), (&[0; 8], 2_945_182_322_382_062_539)];

    #[test]
    fn a_token_is_in_one_range_or_none() {
        let ranges = vec![TokenRange { after: i64::MIN, to: -50 }, TokenRange { after: 0, to: 100 }];
        let ranges = Ranges(BTreeMap::from([("k".to_owned(), ranges)]));
        let owned = OwnedFirst { ranges: RwLock::new(Arc::new(ranges)), path: PathBuf::new() };
        let is = |token| owned.owns_token("k", token);
        assert_eq!(
            [i64::MIN + 1, -50, -49, 0, 1, 100, 101].map(is),
            [true, true, false, false, true, true, false]
        );
        assert!(owned.owns_token("elsewhere", 101), "nobody else would publish it");
    }

    #[test]
    fn tokens_are_cassandras() {
        for (key, token) in TOKENS {
            assert_eq!(Murmur3Partitioner.hash_one(key).value(), token, "{key:?}");
        }
    }
}
