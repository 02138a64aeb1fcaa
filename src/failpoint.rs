//! Places at which a test lets the program die as by `kill -9`.
//!
//! Only in builds with debug assertions. The environment variable `CDC_AGENT_FAILPOINT` holds `<name>:<count>`: the program
//! aborts when it crosses the place with that name for the count-th time. `docs/faults.md` says how they are used.

/// The places, in the order of the way of one change.
pub const NAMES: [&str; 37] = [
    "start_locked",
    "start_schema",
    "start_sink",
    "kafka_ids_taken",
    "kafka_checkpoint_read",
    "kafka_ready",
    "look_scanned",
    "growing_opened",
    "growing_polled",
    "growing_sent",
    "growing_advanced",
    "still_opened",
    "still_unit",
    "still_read",
    "segment_finished",
    "parked",
    "retry_begun",
    "retry_done",
    "schema_fetched",
    "schema_kept",
    "heartbeat_sent",
    "snapshot_sent",
    "commit_begun",
    "kafka_checkpoint_sent",
    "kafka_drained",
    "kafka_committed",
    "local_copy_written",
    "file_log_flushed",
    "file_replace_written",
    "file_replace_renamed",
    "commit_done",
    "delete_checked",
    "delete_segment_gone",
    "delete_done",
    "move_linked",
    "move_segment_gone",
    "stopping",
];

/// Crosses a place.
#[inline]
pub fn cross(name: &'static str) {
    #[cfg(debug_assertions)]
    armed::cross(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The place to die at, and after how many crossings.
    struct Armed {
        name: String,
        left: AtomicU64,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    fn armed() -> Option<Armed> {
        let text = std::env::var("CDC_AGENT_FAILPOINT").ok()?;
        let (name, count) = text.split_once(':').unwrap_or((&text, "1"));
        Some(Armed { name: name.to_owned(), left: AtomicU64::new(count.parse().ok()?) })
    }

    pub(super) fn cross(name: &'static str) {
        debug_assert!(super::NAMES.contains(&name), "{name} is not listed");
        let Some(armed) = ARMED.get_or_init(armed) else { return };
        if armed.name == name && armed.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::process::abort();
        }
    }
}
