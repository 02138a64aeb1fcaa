//! How full `cdc_raw` is, as Cassandra counts, and when it will be.
//!
//! Cassandra adds up the lengths of all files under the directory, sub-directories included. A segment is open to changes
//! of tables with CDC only when its whole length fits beside that; otherwise such writes are refused (or the oldest
//! segments deleted, with `cdc_block_writes: false`). Source: `CommitLogSegmentManagerCDC` of Cassandra 4.0 to 5.0.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::num::NonZeroU64;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::statvfs;

use crate::commitlog::SegmentName;

/// Shares of the limit in percent at which somebody is told.
pub const THRESHOLDS: [u8; 3] = [50, 75, 90];
/// A threshold counts as left when the share is so many percent below it.
const HYSTERESIS: u8 = 5;
/// The rate is that of so long.
const RECENT: Duration = Duration::from_secs(300);
/// Samples are at least so far apart.
const SAMPLED: Duration = Duration::from_secs(5);
/// `commitlog_segment_size` unless the node is configured otherwise, in bytes.
const SEGMENT_SIZE: u64 = 32 << 20;
/// Sub-directories deeper than this are not followed: Cassandra makes none.
const DEEPEST: usize = 32;

/// What is said when the directory is full: what Cassandra does, and how its clients see it.
pub const FULL: &str = "Cassandra refuses every write to a table with CDC on this node: clients see WriteFailure (0x1500, \
     reason UNKNOWN); writes to other tables go on. With cdc_block_writes: false it deletes the oldest segments unread \
     instead. It takes writes again within a second after segments are deleted";

/// Bytes under the directory, as Cassandra counts them.
///
/// # Errors
/// The directory cannot be read. What vanishes meanwhile does not count.
pub fn used_bytes(directory: &Path) -> io::Result<u64> {
    fn add(directory: &Path, depth: usize) -> io::Result<u64> {
        let mut sum = 0_u64;
        for entry in directory.read_dir()? {
            let path = entry?.path();
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let bytes = match metadata.is_dir() {
                true if depth < DEEPEST => match add(&path, depth + 1) {
                    Ok(bytes) => bytes,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
                    Err(error) => return Err(error),
                },
                true => 0,
                false => metadata.len(),
            };
            sum = sum.saturating_add(bytes);
        }
        Ok(sum)
    }
    add(directory, 0)
}

/// `cdc_total_space` in bytes: as configured, in MiB, or what it is when cassandra.yaml does not name it.
///
/// # Errors
/// The file system of the directory cannot be asked.
pub fn limit_of(directory: &Path, configured: Option<NonZeroU64>) -> io::Result<u64> {
    if let Some(mebibytes) = configured {
        return Ok(mebibytes.get().saturating_mul(1 << 20));
    }
    let volume = statvfs(directory)?;
    Ok(default_limit(volume.f_blocks.saturating_mul(volume.f_frsize)))
}

/// Bytes that this user may still fill on the file system of a directory.
///
/// # Errors
/// It cannot be asked.
pub fn free_bytes(directory: &Path) -> io::Result<u64> {
    let volume = statvfs(directory)?;
    Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
}

/// 4096 MiB, or an eighth of the volume when that is less.
fn default_limit(volume_bytes: u64) -> u64 {
    (4096 << 20).min(volume_bytes / 8)
}

/// `commitlog_segment_size` in bytes, as the segments show it: each is made in its whole length. Cassandra's default when
/// there is none.
#[must_use]
pub fn segment_size(directory: &Path) -> u64 {
    let entries = directory.read_dir().into_iter().flatten().filter_map(Result::ok);
    let segments = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<SegmentName>().is_ok()));
    let lengths = segments.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len());
    lengths.max().filter(|length| *length > 0).unwrap_or(SEGMENT_SIZE)
}

/// Follows how full the directory is.
#[derive(Debug)]
pub struct Quota {
    limit: u64,
    segment: u64,
    samples: VecDeque<(Instant, u64)>,
    /// The greatest threshold that was told of and not left since.
    told: u8,
    /// It was told that the directory is full, and that was not left since.
    is_told_full: bool,
}

/// How full the directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fullness {
    /// Bytes in it.
    pub used: u64,
    /// Bytes that Cassandra allows.
    pub limit: u64,
    /// Share in percent, rounded down; may be above 100.
    pub percent: u64,
    /// Whether the next segment will not be open to writes of tables with CDC.
    pub is_full: bool,
    /// When that will be, at the rate of the last minutes; `None` when it does not grow.
    pub time_to_full: Option<Duration>,
    /// A threshold in percent that was reached just now: to be told of, once.
    pub reached: Option<u8>,
    /// It is full since just now: to be told of, once.
    pub has_filled: bool,
}

impl Quota {
    /// `limit` is `cdc_total_space`, `segment` is `commitlog_segment_size`, both in bytes.
    #[must_use]
    pub fn new(limit: u64, segment: u64) -> Self {
        Self { limit, segment, samples: VecDeque::new(), told: 0, is_told_full: false }
    }

    /// Another `commitlog_segment_size` is known, in bytes.
    pub fn set_segment_size(&mut self, bytes: u64) {
        self.segment = bytes;
    }

    /// Bytes that can be used before writes are refused: the segment that comes next must fit, too.
    #[must_use]
    pub fn usable(&self) -> u64 {
        self.limit.saturating_sub(self.segment)
    }

    /// Takes note of how many bytes are used now.
    pub fn look(&mut self, used: u64, now: Instant) -> Fullness {
        let is_due = |at: &Instant| now.saturating_duration_since(*at) >= SAMPLED;
        if self.samples.back().is_none_or(|(at, _)| is_due(at)) {
            self.samples.push_back((now, used));
        }
        while self.samples.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > RECENT) {
            self.samples.pop_front();
        }
        let percent = used.saturating_mul(100).checked_div(self.limit).unwrap_or(100);
        let is_full = used > self.usable();
        let time_to_full = if is_full { Some(Duration::ZERO) } else { self.time_to_full(used, now) };
        let (used, limit, reached) = (used, self.limit, self.reached(percent));
        let has_filled = self.has_filled(used);
        Fullness { used, limit, percent, is_full, time_to_full, reached, has_filled }
    }

    fn has_filled(&mut self, used: u64) -> bool {
        let usable = self.usable();
        let left = usable.saturating_sub(self.limit.saturating_mul(HYSTERESIS.into()) / 100);
        match (used > usable, self.is_told_full) {
            (true, false) => {
                self.is_told_full = true;
                return true;
            }
            (false, true) if used <= left => self.is_told_full = false,
            _ => {}
        }
        false
    }

    fn time_to_full(&self, used: u64, now: Instant) -> Option<Duration> {
        let (since, before) = self.samples.front()?;
        let grown = used.checked_sub(*before).filter(|grown| *grown > 0)?;
        let span = now.saturating_duration_since(*since).as_millis();
        let left = u128::from(self.usable().saturating_sub(used));
        let millis = left.checked_mul(span)?.checked_div(u128::from(grown))?;
        Some(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
    }

    fn reached(&mut self, percent: u64) -> Option<u8> {
        let reached = |threshold: &&u8| percent >= u64::from(**threshold);
        let highest = THRESHOLDS.iter().rev().find(reached).copied().unwrap_or(0);
        if highest > self.told {
            self.told = highest;
            return Some(highest);
        }
        while self.told > highest && percent + u64::from(HYSTERESIS) < u64::from(self.told) {
            self.told =
                THRESHOLDS.iter().rev().find(|threshold| **threshold < self.told).copied().unwrap_or(0);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn everything_under_the_directory_counts() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        let sparse = fs::File::create(dir.path().join("CommitLog-7-1.log")).unwrap();
        sparse.set_len(32 * MIB).unwrap();
        fs::write(deep.join("kept"), [0; 1000]).unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("link")).unwrap();
        assert_eq!(used_bytes(dir.path()).unwrap(), 32 * MIB + 1000 + 1);
        assert!(used_bytes(&dir.path().join("none")).is_err());
    }

    #[test]
    fn the_default_is_an_eighth_of_a_small_volume() {
        assert_eq!(default_limit(8 << 30), 1 << 30);
        assert_eq!(default_limit(1 << 40), 4 << 30);
    }

    #[test]
    fn a_threshold_is_told_once_and_again_after_it_was_left() {
        let mut quota = Quota::new(100, 1);
        let now = Instant::now();
        let told: Vec<_> =
            [10, 49, 50, 51, 49, 50, 46, 50, 44, 50, 76, 91, 95, 86, 91, 84, 91, 60, 76, 0, 92, 0, 50]
                .map(|used| quota.look(used, now).reached.unwrap_or(0))
                .into();
        assert_eq!(told, [0, 0, 50, 0, 0, 0, 0, 0, 0, 50, 75, 90, 0, 0, 0, 0, 90, 0, 75, 0, 90, 0, 50]);
    }

    #[test]
    fn that_it_is_full_is_told_once_and_again_after_it_was_left() {
        let mut quota = Quota::new(100, 20);
        let now = Instant::now();
        let told: Vec<_> =
            [80, 81, 90, 100, 80, 76, 81, 75, 81, 0, 81].map(|used| quota.look(used, now).has_filled).into();
        let expected = [1, 8, 10].map(|place| told.get(place).copied());
        assert_eq!(expected, [Some(true); 3]);
        assert_eq!(told.iter().filter(|told| **told).count(), 3, "{told:?}");
    }

    #[test]
    fn time_to_full_follows_the_last_minutes() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut quota = Quota::new(4096 * MIB, 32 * MIB);
        assert_eq!(quota.look(64 * MIB, start).time_to_full, None);
        // 64 MiB in 20 s, and 4096 - 32 - 128 are left.
        let found = quota.look(128 * MIB, at(20));
        assert_eq!(found.time_to_full, Some(Duration::from_millis(3936 * 20 * 1000 / 64)));
        assert_eq!(quota.look(64 * MIB, at(40)).time_to_full, None, "it became empty again");
        for minute in 1..20 {
            quota.look(64 * MIB, at(40 + minute * 60));
        }
        assert_eq!(quota.look(64 * MIB, at(1300)).time_to_full, None, "what was long ago does not count");
        let full = quota.look(4080 * MIB, at(1310));
        assert!(full.is_full && full.time_to_full == Some(Duration::ZERO) && full.percent == 99);
    }

    #[test]
    fn no_limit_is_full() {
        let found = Quota::new(0, 32).look(0, Instant::now());
        assert!(found.percent == 100 && !found.is_full);
    }
}
