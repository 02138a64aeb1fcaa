//! The segments in the directory: readable, of a known version, and with a key that fits.

use std::collections::BTreeMap;
use std::path::Path;

use super::finding::Finding;
use super::pushed;
use crate::agent::exit::Exit;
use crate::agent::head::Head;
use crate::agent::input::body_name;
use crate::agent::keys::{Keys, advice};
use crate::cli::{RunOptions, VisibilityWord};
use crate::commitlog::map::SegmentBytes;
use crate::commitlog::{BodyFormat, SegmentName};

/// The oldest and the newest segments that are looked at: each may be long, and a backlog may hold thousands.
const LOOKED_AT: usize = 16;

/// The segment that is written, and the one that is made ahead.
const NEWEST: usize = 2;
/// Lengths of memory-mapped segments are multiples of it.
const MEBIBYTE: u64 = 1 << 20;

/// What segments say of themselves.
#[derive(Debug, Default)]
struct Seen {
    forms: BTreeMap<String, usize>,
    /// Whether changes come to the file with each sync only.
    is_stored: bool,
    looked_at: usize,
}

pub(super) fn check(options: &RunOptions, findings: &mut Vec<Finding>) {
    let path = &options.live.log.cdc_raw;
    let Ok(entries) = path.read_dir() else { return };
    let mut names: Vec<SegmentName> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    names.sort();
    if names.is_empty() {
        findings.push(Finding::warn(
            "segments",
            format!(
                "{} holds no segment: a running node with cdc_enabled always has some there",
                path.display()
            ),
            "check cdc_enabled and cdc_raw_directory in cassandra.yaml, and that the node runs",
        ));
        return;
    }
    let Some(keys) =
        pushed(Keys::open(&options.settings.keys, &options.settings.names), "segments.keys", findings)
    else {
        return;
    };
    let mut seen = Seen::default();
    let last = names.len().saturating_sub(LOOKED_AT);
    let chosen = names.iter().enumerate().filter(|(place, _)| *place < LOOKED_AT || *place >= last);
    for (_, name) in chosen {
        findings.extend(look(&path.join(name.to_string()), *name, &keys, &mut seen));
    }
    if seen.looked_at > 0 {
        let forms: Vec<String> = seen.forms.iter().map(|(form, count)| format!("{count} {form}")).collect();
        findings.push(Finding::pass(
            "segments",
            format!(
                "{} segments, {} looked at and readable: {}",
                names.len(),
                seen.looked_at,
                forms.join(", ")
            ),
        ));
    }
    let is_stored = seen.is_stored || names.iter().rev().take(NEWEST).any(|name| grows(path, *name));
    findings.push(latency(options, is_stored));
}

/// Whether a segment has not its full length from the start, as memory-mapped ones have: Cassandra writes it with direct
/// I/O (5.0), which a segment does not say of itself, or stores its sections.
fn grows(path: &Path, name: SegmentName) -> bool {
    let metadata = path.join(name.to_string()).metadata();
    metadata.is_ok_and(|metadata| metadata.len() % MEBIBYTE != 0)
}

fn look(path: &Path, name: SegmentName, keys: &Keys, seen: &mut Seen) -> Option<Finding> {
    let bytes = match SegmentBytes::open(path, false) {
        Ok(bytes) => bytes,
        // Cassandra deletes segments at any time.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            return Some(Finding::fail(
                "segments.permissions",
                Exit::Unreadable,
                format!("cannot read {}: {error}", path.display()),
                "run the agent as Cassandra's user, or in its group with a umask of Cassandra that lets it read (0027)",
            ));
        }
    };
    match Head::of(&bytes, Some(name), keys) {
        Head::Sound(segment) => {
            let body = &segment.descriptor().body;
            seen.is_stored = !matches!(body, BodyFormat::Plain);
            *seen.forms.entry(format!("version {} {}", name.version, body_name(body))).or_default() += 1;
            seen.looked_at += 1;
            None
        }
        Head::Blank => None,
        Head::Misnamed(_, damage) => Some(Finding::warn(
            "segments.name",
            format!("{name}: {}", damage.reason.unwrap_or_default()),
            "find out who renamed it; it is read as what it says of itself",
        )),
        Head::Damaged(_, error) => Some(Finding::fail(
            "segments.damaged",
            Exit::Damaged,
            format!("{name}: {error}"),
            "cdc-agent verify says what is lost; another replica may hold the changes",
        )),
        Head::Unreadable(error) => Some(Finding::fail(
            "segments.unreadable",
            Exit::Unreadable,
            format!("{name}: {error}"),
            advice(&error)
                .unwrap_or("use a cdc-agent that knows this version, or move the file out of cdc_raw"),
        )),
    }
}

/// How far behind the agent is by the way segments are written, and what may be published that a crashed node forgets.
fn latency(options: &RunOptions, is_stored: bool) -> Finding {
    let (check, log) = ("segments.latency", &options.live.log);
    let period = log.commitlog_sync_period_ms;
    let synced =
        format!("changes are read up to {period} ms after their write, when the node has synced them");
    match log.visibility {
        VisibilityWord::Synced => Finding::pass(
            check,
            format!("visibility synced: {synced}; nothing read can be forgotten by a crash"),
        ),
        VisibilityWord::Marked | VisibilityWord::Written if is_stored => Finding::warn(
            check,
            format!(
                "segments are compressed, encrypted or written with direct I/O: {synced}, whatever the visibility"
            ),
            "set a shorter commitlog_sync_period, or commitlog_sync: batch, in cassandra.yaml if that is too late",
        ),
        VisibilityWord::Marked => Finding::pass(
            check,
            "visibility marked: changes are read up to 100 ms after their write; a power failure of the node (not a crash \
             of its process) may forget what was published and not synced",
        ),
        VisibilityWord::Written => Finding::warn(
            check,
            "visibility written: changes are read about a millisecond after their write; a crash of the node's process may \
             forget up to 100 ms of what was published",
            "use visibility = \"marked\" if that must not be",
        ),
    }
}
