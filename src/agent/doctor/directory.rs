//! The directory of the commit log: there, free, writable, and not full.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{Access, access};

use super::finding::{Finding, Verdict};
use super::state::here;
use crate::agent::exit::Exit;
use crate::agent::socket::{Request, ask};
use crate::cdc_raw::file_id::own_user;
use crate::cdc_raw::mount::can_link;
use crate::cdc_raw::quota::{Quota, THRESHOLDS, free_bytes, limit_of, segment_size, used_bytes};
use crate::cdc_raw::{Directory, DirectoryError};
use crate::cli::{FinishedWord, LiveArgs, LogArgs};
use crate::commitlog::SegmentName;

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
    findings.extend(spool(log));
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
    let total = match limit_of(path, log.cdc_total_space_mb) {
        Ok(total) => total,
        Err(error) => return failed(error.to_string()),
    };
    let from = if log.cdc_total_space_mb.is_some() { "cdc_total_space_mb" } else { "Cassandra's default" };
    let segment = segment_size(path);
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

/// The directory to which finished segments are moved.
fn archive(log: &LogArgs) -> Option<Finding> {
    let path = log.archive_dir.as_ref().filter(|_| log.finished_segments == FinishedWord::Archive)?;
    Some(elsewhere("archive", path, log))
}

/// The directory to which segments are moved that wait. It is made when it is missing.
fn spool(log: &LogArgs) -> Option<Finding> {
    let (check, path) = ("spool", log.spool_dir.as_ref()?);
    let parent = path.parent().filter(|_| !path.exists()).map(here);
    let there = parent.unwrap_or(path);
    Some(match elsewhere(check, there, log) {
        Finding { verdict: Verdict::Pass, .. } => match (parent, lacking_room(there, log)) {
            (_, Some(found)) => Finding::warn(
                check,
                found,
                "make room there, or lower spool_min_free_mb: until then the spool takes nothing, and cdc_raw fills",
            ),
            (None, None) => Finding::pass(check, format!("segments can be moved to {}", path.display())),
            (Some(_), None) => {
                Finding::pass(check, format!("{} is made when the agent starts", path.display()))
            }
        },
        other => other,
    })
}

/// What is said when the spool's file system has less free than must stay free.
fn lacking_room(there: &Path, log: &LogArgs) -> Option<String> {
    let free = free_bytes(there).ok()? >> 20;
    (free < log.spool_min_free_mb).then(|| {
        let least = log.spool_min_free_mb;
        format!("{free} MiB are free on the file system of {}, and {least} are to stay free", there.display())
    })
}

/// Whether segments can be moved to a directory.
fn elsewhere(check: &'static str, path: &Path, log: &LogArgs) -> Finding {
    let shown = path.display();
    let fail = |found: String, fix: &str| Finding::fail(check, Exit::Destination, found, fix);
    let (Ok(other), Ok(raw)) = (File::open(path), File::open(&log.cdc_raw)) else {
        return fail(
            format!("{shown} is not there, or cannot be read"),
            "make the directory, for the agent's user",
        );
    };
    if !path.is_dir() {
        return fail(format!("{shown} is no directory"), "name a directory");
    }
    if !can_link(&raw, &other).unwrap_or(true) {
        return fail(
            format!(
                "{shown} is on another file system than {}, or in another mount of it: segments are linked, not copied",
                log.cdc_raw.display()
            ),
            "name a directory on the same file system; in a container both must be in one volume mount",
        );
    }
    if let Some(name) = unlinkable(&log.cdc_raw) {
        return fail(
            format!(
                "this user neither owns {name} nor may it write to it: the system lets it link no such file \
                 (fs.protected_hardlinks)"
            ),
            "run the agent as Cassandra's user",
        );
    }
    match access(path, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::pass(check, format!("segments can be moved to {shown}")),
        Err(error) => {
            fail(format!("cannot write to {shown}: {error}"), "allow the agent's user to write there")
        }
    }
}

/// A segment that the system does not let this user give a second name.
fn unlinkable(cdc_raw: &Path) -> Option<String> {
    let protected = std::fs::read_to_string("/proc/sys/fs/protected_hardlinks").ok()?;
    let user = own_user().filter(|user| *user != 0 && protected.trim() == "1")?;
    let is_segment = |name: &str| name.parse::<SegmentName>().is_ok();
    cdc_raw.read_dir().ok()?.filter_map(Result::ok).find_map(|entry| {
        let name = entry.file_name().to_str().filter(|name| is_segment(name))?.to_owned();
        let is_others = entry.metadata().ok()?.uid() != user;
        (is_others && access(entry.path(), Access::READ_OK | Access::WRITE_OK).is_err()).then_some(name)
    })
}
