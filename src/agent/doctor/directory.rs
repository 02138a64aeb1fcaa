//! The directory of the commit log: there, free, writable, and not full.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{Access, access, statvfs};

use super::finding::Finding;
use crate::agent::exit::Exit;
use crate::agent::socket::{Request, ask};
use crate::cdc_raw::file_id::own_user;
use crate::cdc_raw::quota::{Quota, THRESHOLDS, default_limit, used_bytes};
use crate::cdc_raw::{Directory, DirectoryError, FileId};
use crate::cli::{FinishedWord, LiveArgs, LogArgs};
use crate::commitlog::SegmentName;

/// `commitlog_segment_size` unless the node is configured otherwise.
const SEGMENT_BYTES: u64 = 32 << 20;
/// Only files of the directory's owner, of the file or root may be deleted.
const STICKY: u32 = 0o1000;
/// Foreign names that are told.
const NAMES: usize = 5;

pub(super) fn check(live: &LiveArgs, findings: &mut Vec<Finding>) {
    let log = &live.log;
    match Directory::open(&log.cdc_raw) {
        Ok(_) => findings.push(Finding::pass(
            "cdc_raw.lock",
            format!("{} is there, and no agent holds it", log.cdc_raw.display()),
        )),
        Err(error @ DirectoryError::Locked { .. }) => findings.push(held(&log.state_dir, &error)),
        Err(error) => {
            findings.push(Finding::fail(
                "cdc_raw.directory",
                Exit::Unreadable,
                error.to_string(),
                error.advice(),
            ));
            return;
        }
    }
    findings.push(permissions(log));
    findings.extend(foreign(&log.cdc_raw));
    findings.push(limit(log));
    findings.extend(archive(log));
}

/// Somebody holds the directory: the agent with the same state directory, or another one.
fn held(state: &Path, error: &DirectoryError) -> Finding {
    let check = "cdc_raw.lock";
    match ask(state, &Request::Status) {
        Ok(_) => Finding::pass(check, format!("{error}: the agent of {}, which answers", state.display())),
        Err(_) => Finding::fail(
            check,
            Exit::Locked,
            error.to_string(),
            "stop it before another one is started; no agent of this state_directory answers",
        ),
    }
}

/// Whether segments can be deleted or moved.
fn permissions(log: &LogArgs) -> Finding {
    let (check, path) = ("cdc_raw.permissions", &log.cdc_raw);
    let shown = path.display();
    if let Err(error) = access(path, Access::READ_OK | Access::EXEC_OK) {
        return Finding::fail(check, Exit::Unreadable, format!("cannot read {shown}: {error}"), advice());
    }
    if let Err(error) = access(path, Access::WRITE_OK) {
        let found = format!("this user may not delete segments from {shown}: {error}");
        return match log.finished_segments {
            FinishedWord::Keep => Finding::pass(check, format!("{found}; they are kept")),
            FinishedWord::Delete | FinishedWord::Archive => {
                Finding::fail(check, Exit::Unreadable, found, advice())
            }
        };
    }
    let user = own_user().unwrap_or_default();
    match path.metadata() {
        Ok(metadata) if metadata.mode() & STICKY != 0 && user != 0 && user != metadata.uid() => {
            Finding::fail(
                check,
                Exit::Unreadable,
                format!("{shown} has the sticky bit: user {user} may only delete files of its own"),
                format!("chmod -t {shown}, or run the agent as Cassandra's user"),
            )
        }
        _ => Finding::pass(check, format!("user {user} may read {shown}, and delete from it")),
    }
}

fn advice() -> &'static str {
    "run the agent as Cassandra's user, or in its group with read, write and search permission on the directory"
}

/// Files that are no segments, and count against the limit.
fn foreign(path: &Path) -> Option<Finding> {
    let names = path
        .read_dir()
        .ok()?
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let is_own =
        |name: &String| name.parse::<SegmentName>().is_ok() || SegmentName::of_index_file(name).is_some();
    let foreign: Vec<String> = names.filter(|name| !is_own(name)).collect();
    let first: Vec<&str> = foreign.iter().take(NAMES).map(String::as_str).collect();
    (!foreign.is_empty()).then(|| {
        Finding::warn(
            "cdc_raw.foreign",
            format!(
                "{} file(s) are no segments, and count against Cassandra's limit: {}",
                foreign.len(),
                first.join(", ")
            ),
            "move them elsewhere; the agent leaves them alone",
        )
    })
}

/// How full it is, as Cassandra counts.
fn limit(log: &LogArgs) -> Finding {
    let (check, path) = ("cdc_raw.space", &log.cdc_raw);
    let failed = |error: String| {
        Finding::fail(check, Exit::Unreadable, format!("cannot count {}: {error}", path.display()), advice())
    };
    let used = match used_bytes(path) {
        Ok(used) => used,
        Err(error) => return failed(error.to_string()),
    };
    let volume = match statvfs(path) {
        Ok(volume) => volume,
        Err(error) => return failed(error.to_string()),
    };
    let (total, from) = match log.cdc_total_space_mb {
        Some(mebibytes) => (mebibytes.get().saturating_mul(1 << 20), "cdc_total_space_mb"),
        None => (default_limit(volume.f_blocks.saturating_mul(volume.f_frsize)), "Cassandra's default"),
    };
    let segment = longest_segment(path).unwrap_or(SEGMENT_BYTES);
    let full = Quota::new(total, segment).look(used, Instant::now());
    let mib = |bytes: u64| bytes >> 20;
    let left = total.saturating_sub(segment.saturating_mul(2));
    let found = format!(
        "{} of {} MiB used ({from}), {} %; usable for a backlog are {} MiB, the limit less two segments of {} MiB",
        mib(used),
        mib(total),
        full.percent,
        mib(left),
        mib(segment),
    );
    let fix = "start the agent, find out why it is behind, or raise cdc_total_space; configure the node's value as cdc_total_space_mb";
    if full.is_full {
        let found = format!(
            "{found}; Cassandra refuses writes to tables with CDC, or deletes unread segments (cdc_block_writes: false)"
        );
        Finding::fail(check, Exit::Unreadable, found, fix)
    } else if full.percent >= u64::from(*THRESHOLDS.first().unwrap_or(&50)) {
        Finding::warn(check, found, fix)
    } else {
        Finding::pass(check, found)
    }
}

fn longest_segment(path: &Path) -> Option<u64> {
    let entries = path.read_dir().ok()?.filter_map(Result::ok);
    let segments = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<SegmentName>().is_ok()));
    segments
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata| metadata.len())
        .max()
        .filter(|length| *length > 0)
}

/// The directory to which finished segments are moved.
fn archive(log: &LogArgs) -> Option<Finding> {
    let check = "archive";
    let path = log.archive_dir.as_ref().filter(|_| log.finished_segments == FinishedWord::Archive)?;
    let shown = path.display();
    let fail = |found: String, fix: &str| Some(Finding::fail(check, Exit::Destination, found, fix));
    let (Ok(archive), Ok(raw)) = (path.metadata(), log.cdc_raw.metadata()) else {
        return fail(
            format!("{shown} is not there, or cannot be read"),
            "make the directory, for the agent's user",
        );
    };
    if !archive.is_dir() {
        return fail(format!("{shown} is no directory"), "name a directory");
    }
    if FileId::of(&archive).device != FileId::of(&raw).device {
        return fail(
            format!(
                "{shown} is on another file system than {}: segments are linked, not copied",
                log.cdc_raw.display()
            ),
            "name a directory on the same file system",
        );
    }
    match access(path, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Some(Finding::pass(check, format!("segments can be moved to {shown}"))),
        Err(error) => {
            fail(format!("cannot write to {shown}: {error}"), "allow the agent's user to write there")
        }
    }
}
