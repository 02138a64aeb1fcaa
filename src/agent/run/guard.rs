//! Watches how full `cdc_raw` is, and makes room where there is a spool: on a thread of its own, because it fills while
//! the loop waits for Kafka.

use std::mem::{self, Discriminant};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::cdc_raw::spool::{Spool, SpoolError};
use crate::cdc_raw::{Directory, Fullness, Quota, quota};
use crate::cli::LogArgs;
use crate::telemetry::{DirectoryUsage, Telemetry};

/// So often the directory's size is taken.
const EVERY: Duration = Duration::from_secs(1);
/// Segments are moved to the spool when more than this part of what is usable is used.
const SPOOLED_FROM: u64 = 2;

/// The thread, which ends with this value.
#[derive(Debug)]
pub(super) struct Guard {
    /// Another limit is configured.
    limits: Option<Sender<Option<NonZeroU64>>>,
    thread: Option<JoinHandle<()>>,
}

impl Guard {
    /// Begins to watch.
    ///
    /// # Errors
    /// The operating system refuses the thread.
    pub(super) fn start(
        log: &LogArgs,
        directory: Arc<Directory>,
        spool: Option<Spool>,
        telemetry: Arc<Telemetry>,
    ) -> Result<Self, Failure> {
        let (limits, news) = mpsc::channel();
        let mut watched = Watched::new(log.cdc_total_space_mb, directory, spool, telemetry);
        let watch = move || {
            loop {
                watched.look(Instant::now());
                match news.recv_timeout(EVERY) {
                    Ok(limit) => watched.limit(limit),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let thread = std::thread::Builder::new().name("cdc_raw".to_owned()).spawn(watch);
        let thread = thread.map_err(|error| {
            Failure::new(Exit::Bug, "the thread that watches cdc_raw cannot be started").because(error)
        })?;
        Ok(Self { limits: Some(limits), thread: Some(thread) })
    }

    /// The options are read anew.
    pub(super) fn limit(&self, log: &LogArgs) {
        if let Some(limits) = &self.limits {
            let _ = limits.send(log.cdc_total_space_mb);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.limits = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the thread works with.
struct Watched {
    directory: Arc<Directory>,
    configured: Option<NonZeroU64>,
    /// `None` until the limit is known.
    quota: Option<Quota>,
    spool: Option<Spooling>,
    telemetry: Arc<Telemetry>,
}

impl Watched {
    fn new(
        configured: Option<NonZeroU64>,
        directory: Arc<Directory>,
        spool: Option<Spool>,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        let spool = spool.map(|spool| Spooling { spool, has_begun: false, stopped: None });
        Self { directory, configured, quota: None, spool, telemetry }
    }

    fn limit(&mut self, configured: Option<NonZeroU64>) {
        (self.configured, self.quota) = (configured, None);
    }

    /// Takes the size, makes room, and warns before it is full. A directory that cannot be looked at is the loop's to
    /// tell of.
    fn look(&mut self, now: Instant) {
        let path = self.directory.path();
        let segment = quota::segment_size(path);
        if self.quota.is_none() {
            self.quota = quota::limit_of(path, self.configured).ok().map(|limit| Quota::new(limit, segment));
        }
        let (Some(quota), Ok(used)) = (&mut self.quota, quota::used_bytes(path)) else { return };
        quota.set_segment_size(segment);
        let most = quota.usable() / SPOOLED_FROM;
        let used = match &mut self.spool {
            Some(spool) if used > most => spool.relieve(&self.directory, used, most),
            _ => used,
        };
        let fullness = quota.look(used, now);
        for (level, text) in warnings(&fullness, self.spool.as_ref()) {
            log::log(level, &text);
        }
        let spool_bytes = self.spool.as_mut().map(Spooling::held);
        self.telemetry.directory(DirectoryUsage { spool_bytes, ..DirectoryUsage::from(fullness) });
    }
}

/// What is to be said of how full the directory became: at 50, 75 and 90 %, and when it is full.
fn warnings(fullness: &Fullness, spool: Option<&Spooling>) -> Vec<(log::Level, String)> {
    let threshold = fullness.reached.map(|percent| {
        let level = if percent >= 90 { log::Level::Error } else { log::Level::Warn };
        (level, nearly_full(percent, fullness, spool))
    });
    let full = fullness.has_filled.then(|| {
        let Fullness { used, limit, .. } = fullness;
        (log::Level::Error, format!("cdc_raw is full, {used} of {limit} bytes: {}", quota::FULL))
    });
    threshold.into_iter().chain(full).collect()
}

fn nearly_full(percent: u8, fullness: &Fullness, spool: Option<&Spooling>) -> String {
    let left = fullness.time_to_full.filter(|_| !fullness.is_full);
    let left = left.map_or_else(String::new, |left| format!(", full in {} s", left.as_secs()));
    let spool = match spool {
        Some(Spooling { stopped: None, .. }) => "; final segments go to the spool",
        Some(_) => "; the spool takes no more",
        None => "",
    };
    format!("cdc_raw is {percent} % full{left}{spool}; when it is full: {}", quota::FULL)
}

/// The spool, and what was told of it.
struct Spooling {
    spool: Spool,
    has_begun: bool,
    /// The kind of what keeps more from being moved.
    stopped: Option<Discriminant<SpoolError>>,
}

impl Spooling {
    /// Moves what may go. What `cdc_raw` holds then.
    fn relieve(&mut self, directory: &Directory, used: u64, most: u64) -> u64 {
        let Ok(relief) = self.spool.relieve(directory, used, most) else { return used };
        if relief.moved > 0 && !mem::replace(&mut self.has_begun, true) {
            log::warn(&format!(
                "cdc_raw is half full: segments that wait to be published go to the spool {}",
                self.spool.path().display()
            ));
        }
        let stopped = relief.stopped.as_ref().map(mem::discriminant);
        if stopped != self.stopped {
            match &relief.stopped {
                Some(why) => log::error(&format!("cdc_raw fills: no more segments go to the spool: {why}")),
                None => log::info("segments go to the spool again"),
            }
            self.stopped = stopped;
        }
        quota::used_bytes(directory.path()).unwrap_or(used)
    }

    /// The bytes in it.
    fn held(&mut self) -> u64 {
        let held = self.spool.held().unwrap_or_default();
        if held == 0 && mem::take(&mut self.has_begun) {
            log::info("the spool is empty again");
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::cdc_raw::spool::SpoolLimits;
    use crate::telemetry::Limits;

    const MIB: u64 = 1 << 20;

    /// `cdc_raw` of a node that may fill 8 MiB in segments of 1 MiB, and how many of its segments there are.
    fn watched(dir: &Path, segments: u64, limits: SpoolLimits) -> Watched {
        let raw = dir.join("cdc_raw");
        fs::create_dir(&raw).unwrap();
        for id in 1..=segments {
            let log = fs::File::create(raw.join(format!("CommitLog-7-{id}.log"))).unwrap();
            log.set_len(MIB).unwrap();
            fs::write(raw.join(format!("CommitLog-7-{id}_cdc.idx")), "9\nCOMPLETED").unwrap();
        }
        let directory = Directory::open(&raw).unwrap();
        let spool = Spool::open(&dir.join("spool"), &directory, limits).unwrap();
        Watched::new(
            NonZeroU64::new(8),
            Arc::new(directory),
            Some(spool),
            Arc::new(Telemetry::new(Limits::default())),
        )
    }

    fn segments(of: &Path) -> usize {
        of.read_dir()
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().extension().unwrap() == "log")
            .count()
    }

    fn spooled(watched: &Watched) -> Option<u64> {
        watched.telemetry.status().directory.unwrap().spool_bytes
    }

    #[test]
    fn segments_go_to_the_spool_until_half_of_what_is_usable_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let mut watched = watched(dir.path(), 6, SpoolLimits { most: 100 * MIB, free: 0 });
        watched.look(Instant::now());
        // Usable are 7 MiB: the eighth is less than a segment beside the indexes. Half of that are three segments.
        assert_eq!((segments(&dir.path().join("cdc_raw")), segments(&dir.path().join("spool"))), (3, 3));
        assert!(spooled(&watched).unwrap() >= 3 * MIB);
        let spool = watched.spool.as_ref().unwrap();
        assert!(spool.has_begun && spool.stopped.is_none());
        // With twice the limit no more go.
        watched.limit(NonZeroU64::new(16));
        watched.look(Instant::now());
        assert_eq!(segments(&dir.path().join("cdc_raw")), 3);
        fs::remove_dir_all(dir.path().join("spool")).unwrap();
        fs::create_dir(dir.path().join("spool")).unwrap();
        watched.look(Instant::now());
        assert_eq!((spooled(&watched), watched.spool.unwrap().has_begun), (Some(0), false));
    }

    /// What Cassandra does and how its clients see it stands in every one of them.
    #[test]
    fn each_threshold_is_told_with_what_cassandra_does() {
        let start = Instant::now();
        let mut quota = Quota::new(200 * MIB, 10 * MIB);
        let mut told = Vec::new();
        for (seconds, used) in [(0, 90), (10, 100), (20, 110), (30, 151), (40, 180), (50, 195), (60, 196)] {
            let fullness = quota.look(used * MIB, start + Duration::from_secs(seconds));
            told.extend(warnings(&fullness, None));
        }
        // 100 to 190 MiB at 1 MiB/s; 61 MiB in 30 s and 39 left; 90 MiB in 40 s and 10 left.
        let starts = [
            (log::Level::Warn, "cdc_raw is 50 % full, full in 90 s; when it is full: "),
            (log::Level::Warn, "cdc_raw is 75 % full, full in 19 s; when it is full: "),
            (log::Level::Error, "cdc_raw is 90 % full, full in 4 s; when it is full: "),
            (log::Level::Error, "cdc_raw is full, 204472320 of 209715200 bytes: "),
        ];
        let expected: Vec<_> = starts
            .iter()
            .map(|(level, begin)| {
                (*level, format!(
                    "{begin}Cassandra refuses every write to a table with CDC on this node: clients see WriteFailure \
                     (0x1500, reason UNKNOWN); writes to other tables go on. With cdc_block_writes: false it deletes the \
                     oldest segments unread instead. It takes writes again within a second after segments are deleted"
                ))
            })
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn what_stops_the_spool_is_remembered_and_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let mut watched = watched(dir.path(), 6, SpoolLimits { most: 2 * MIB, free: 0 });
        watched.look(Instant::now());
        assert_eq!(segments(&dir.path().join("spool")), 1);
        assert!(watched.spool.as_ref().unwrap().stopped.is_some());
        for entry in dir.path().join("spool").read_dir().unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        watched.limit(NonZeroU64::new(10));
        watched.look(Instant::now());
        assert!(watched.spool.as_ref().unwrap().stopped.is_none());
    }
}
