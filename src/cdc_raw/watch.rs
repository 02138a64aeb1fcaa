//! Waits until something may have changed in the directory.
//!
//! A notification only wakes up; what there is, a look at the directory decides. What Cassandra writes into a memory-mapped
//! segment, or through its own name of the file, makes no notification at all: only new segments and indexes do. So every
//! wait has a limit, and without notifications (some network file systems) the limit alone is enough.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// Something changed in the directory, or [`Waker::wake`] was called.
    Changed,
    /// The limit.
    Limit,
}

/// Wakes a waiting [`Watch`] up, from any thread.
#[derive(Debug, Clone, Default)]
pub struct Waker(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Waker {
    /// Ends the wait at hand, or the next one.
    pub fn wake(&self) {
        *self.lock() = true;
        self.0.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.0.is_set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches the directory.
#[derive(Debug)]
pub struct Watch {
    waker: Waker,
    watcher: Option<RecommendedWatcher>,
    problem: Option<String>,
}

impl Watch {
    /// Watches nothing.
    #[cfg(test)]
    pub(crate) fn nothing() -> Self {
        Self { waker: Waker::default(), watcher: None, problem: None }
    }

    /// Begins to watch. That it cannot be watched is no error: see [`Self::problem`].
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        let mut watch = Self { waker: Waker::default(), watcher: None, problem: None };
        watch.renew(directory);
        watch
    }

    /// Begins anew: the directory was replaced, or came back.
    pub fn renew(&mut self, directory: &Path) {
        self.watcher = None;
        let waker = self.waker.clone();
        let wake = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| is_news(&event)) {
                waker.wake();
            }
        };
        let watcher = notify::recommended_watcher(wake).and_then(|mut watcher| {
            watcher.watch(directory, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        match watcher {
            Ok(watcher) => (self.watcher, self.problem) = (Some(watcher), None),
            Err(error) => self.problem = Some(error.to_string()),
        }
        self.waker.wake();
    }

    /// Why there are no notifications, if there are none; then only the limits of the waits count.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// To end a wait from elsewhere: when the program is to stop, for example.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Waits until something may have changed, but not longer than `limit`. What happened since the last wait ended counts.
    pub fn wait(&self, limit: Duration) -> Woken {
        let signal = &self.waker.0;
        let until = Instant::now().checked_add(limit);
        let mut is_set = self.waker.lock();
        while !*is_set {
            let left = until.map_or(limit, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Woken::Limit;
            }
            is_set = signal.changed.wait_timeout(is_set, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *is_set = false;
        Woken::Changed
    }
}

/// Whether it is more than that somebody opened or read a file, as we do all the time.
fn is_news(event: &Event) -> bool {
    event.need_rescan() || !matches!(event.kind, EventKind::Access(_))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// Until nothing happened for a moment.
    fn settle(watch: &Watch) {
        while watch.wait(Duration::from_millis(50)) == Woken::Changed {}
    }

    #[test]
    fn links_indexes_and_deletions_wake_up() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("cdc_raw");
        fs::create_dir(&dir).unwrap();
        let commitlog = parent.path().join("CommitLog-7-1.log");
        fs::write(&commitlog, "x").unwrap();
        let watch = Watch::new(&dir);
        assert_eq!(watch.problem(), None);
        settle(&watch);
        fs::hard_link(&commitlog, dir.join("CommitLog-7-1.log")).unwrap();
        assert_eq!(watch.wait(LONG), Woken::Changed);
        settle(&watch);
        fs::write(dir.join("CommitLog-7-1_cdc.idx"), "5").unwrap();
        assert_eq!(watch.wait(LONG), Woken::Changed);
        settle(&watch);
        fs::remove_file(dir.join("CommitLog-7-1.log")).unwrap();
        assert_eq!(watch.wait(LONG), Woken::Changed);
    }

    #[test]
    fn our_own_reading_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("CommitLog-7-1.log");
        fs::write(&log, "x").unwrap();
        let watch = Watch::new(dir.path());
        settle(&watch);
        for _ in 0..100 {
            fs::read(&log).unwrap();
            dir.path().read_dir().unwrap().for_each(drop);
        }
        assert_eq!(watch.wait(Duration::from_millis(200)), Woken::Limit);
    }

    #[test]
    fn a_directory_that_cannot_be_watched_leaves_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("none");
        let mut watch = Watch::new(&missing);
        assert!(watch.problem().is_some());
        settle(&watch);
        assert_eq!(watch.wait(Duration::from_millis(1)), Woken::Limit);
        fs::create_dir(&missing).unwrap();
        watch.renew(&missing);
        assert_eq!(watch.problem(), None);
        settle(&watch);
        fs::write(missing.join("x"), "").unwrap();
        assert_eq!(watch.wait(LONG), Woken::Changed);
    }

    #[test]
    fn another_thread_can_end_a_wait() {
        let dir = tempfile::tempdir().unwrap();
        let watch = Watch::new(dir.path());
        settle(&watch);
        let waker = watch.waker();
        let thread = std::thread::spawn(move || waker.wake());
        assert_eq!(watch.wait(LONG), Woken::Changed);
        thread.join().unwrap();
    }
}
