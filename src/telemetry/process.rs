//! What the process uses, from Linux's /proc.

use std::fs;

use serde::{Deserialize, Serialize};

/// Unit of processor times in /proc/self/stat: Linux's USER_HZ, 100 on all of its common architectures.
const TICKS_PER_S: f64 = 100.0;

/// What the process uses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProcessStatus {
    /// Memory that is resident, in bytes.
    pub resident_bytes: u64,
    /// Processor time, user and system, in seconds.
    pub cpu_s: f64,
}

impl ProcessStatus {
    /// Of this process; `None` where /proc does not say.
    pub(super) fn read() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = resident.trim().strip_suffix("kB")?.trim().parse().ok()?;
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The second field is the program's name in parentheses, with anything in it; utime and stime are 14 and 15.
        let (_, fields) = stat.rsplit_once(") ")?;
        let ticks: Option<Vec<u32>> =
            fields.split(' ').skip(11).take(2).map(|field| field.parse().ok()).collect();
        let ticks: f64 = ticks?.into_iter().map(f64::from).sum();
        Some(Self { resident_bytes: kib.saturating_mul(1024), cpu_s: ticks / TICKS_PER_S })
    }
}
