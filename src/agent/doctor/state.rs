//! The agent's own directory, and the limits of its process.

use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::finding::Finding;
use crate::agent::exit::Exit;
use crate::cli::LiveArgs;

/// With less the history of the schema and the checkpoint may not fit.
const LEAST_BYTES: u64 = 64 << 20;
/// Segments, connections to brokers, TLS files, the HTTP server.
const LEAST_FILES: u64 = 1024;

pub(super) fn check(live: &LiveArgs, findings: &mut Vec<Finding>) {
    findings.push(directory(&live.log.state_dir));
    findings.push(files());
}

fn directory(path: &Path) -> Finding {
    let (check, shown) = ("state_directory", path.display());
    let fix = "name a directory that this user may write to with state_directory, and keep it over restarts";
    let fail = |found: String, fix: &str| Finding::fail(check, Exit::Destination, found, fix);
    // The nearest folder that is there: the rest is made.
    let Some(there) = path.ancestors().map(here).find(|folder| folder.exists()) else {
        return fail(format!("no folder of {shown} is there"), fix);
    };
    if !there.is_dir() {
        return fail(format!("{} is no directory", there.display()), fix);
    }
    if let Err(error) = access(there, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        return fail(format!("cannot write to {}: {error}", there.display()), fix);
    }
    let free = match statvfs(there) {
        Ok(volume) => volume.f_bavail.saturating_mul(volume.f_frsize),
        Err(error) => return fail(format!("cannot ask the file system of {shown}: {error}"), fix),
    };
    if free < LEAST_BYTES {
        let found = format!("only {} MiB are free for {shown}", free >> 20);
        return fail(found, "make room: the history of the schema and the checkpoint are kept there");
    }
    let made = if there == path { "is writable" } else { "will be made" };
    Finding::pass(check, format!("{shown} {made}, {} MiB are free", free >> 20))
}

fn files() -> Finding {
    let check = "open_files";
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    match open_files(&limits) {
        Some(limit) if limit < LEAST_FILES => Finding::warn(
            check,
            format!("this process may open {limit} files at once: each broker and each segment takes some"),
            "raise it: ulimit -n, or LimitNOFILE= of the systemd unit",
        ),
        Some(limit) => Finding::pass(check, format!("this process may open {limit} files at once")),
        None => Finding::pass(check, "no limit on open files is known"),
    }
}

/// The soft limit that `/proc/<pid>/limits` tells.
fn open_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A relative path without a folder stands in the working directory.
pub(super) fn here(folder: &Path) -> &Path {
    if folder == Path::new("") { Path::new(".") } else { folder }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Linux prints it.
    #[test]
    fn the_soft_limit_is_the_first_number() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
            Max processes             95992                95992                processes \n\
            Max open files            1024                 524288               files     \n";
        assert_eq!(open_files(text), Some(1024));
        assert_eq!(open_files("Max open files unlimited unlimited files"), None);
    }
}
