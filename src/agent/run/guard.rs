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
        if let Some(percent) = fullness.reached {
            warn(percent, &fullness, self.spool.as_ref());
        }
        let spool_bytes = self.spool.as_mut().map(Spooling::held);
        self.telemetry.directory(DirectoryUsage { spool_bytes, ..DirectoryUsage::from(fullness) });
    }
}

fn warn(percent: u8, fullness: &Fullness, spool: Option<&Spooling>) {
    let left =
        fullness.time_to_full.map_or_else(String::new, |left| format!(", full in {} s", left.as_secs()));
    let spool = match spool {
        Some(Spooling { stopped: None, .. }) => "; final segments go to the spool",
        Some(_) => "; the spool takes no more",
        None => "",
    };
    let text = format!("cdc_raw is {percent} % full{left}{spool}; when it is full: {}", quota::FULL);
    if percent >= 90 { log::error(&text) } else { log::warn(&text) }
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
