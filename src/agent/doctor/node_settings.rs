//! What the node says of its cassandra.yaml (`system_views.settings`, 4.0 and later).

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::finding::Finding;
use crate::agent::exit::Exit;
use crate::agent::run::node::is_other_directory;
use crate::cli::LogArgs;
use crate::schema::source::CqlSource;

pub(super) fn check(source: &CqlSource, log: &LogArgs, findings: &mut Vec<Finding>) {
    match source.start_settings(None).wait() {
        Ok(settings) => compare(&settings, log, findings),
        Err(error) => findings.push(Finding::warn(
            "node.settings",
            format!("the node does not tell its settings: {error}"),
            "GRANT SELECT ON system_views.settings to its role (4.0 and later), or compare cdc_enabled, cdc_raw_directory, cdc_total_space, cdc_block_writes and commitlog_sync_period of cassandra.yaml by hand",
        )),
    }
}

/// `node`: whether the node refuses writes when cdc_raw is full. `configured`: whether the agent takes it for such a node.
fn block_writes(node: bool, configured: bool) -> Option<Finding> {
    let (found, fix) = match (node, configured) {
        (true, true) => return None,
        (false, true) => (
            "cdc_block_writes is false: when cdc_raw is full, Cassandra deletes the oldest segments unread, and the agent, which takes it for true, would not tell which",
            "set cdc_block_writes = false for the agent, or true in cassandra.yaml where a refused write is better than a lost change",
        ),
        (false, false) => (
            "cdc_block_writes is false: when cdc_raw is full, Cassandra deletes the oldest segments unread",
            "set it to true, of the node and of the agent, where a refused write is better than a lost change",
        ),
        (true, false) => (
            "the node's cdc_block_writes is true, and false is configured: the agent tells of gaps where Cassandra deletes nothing unread",
            "set cdc_block_writes = true",
        ),
    };
    Some(Finding::warn("node.cdc_block_writes", found, fix))
}

fn compare(settings: &BTreeMap<String, String>, log: &LogArgs, findings: &mut Vec<Finding>) {
    let get = |keys: &[&str]| keys.iter().find_map(|key| settings.get(*key)).map(String::as_str);
    findings.extend(get(&["cdc_enabled"]).map(|value| match value {
        "true" => Finding::pass("node.cdc_enabled", "cdc_enabled is true"),
        _ => Finding::fail(
            "node.cdc_enabled",
            Exit::Unreadable,
            "cdc_enabled is false: nothing comes to cdc_raw",
            "set cdc_enabled: true in cassandra.yaml, and restart the node",
        ),
    }));
    findings.extend(get(&["cdc_raw_directory"]).and_then(|directory| {
        is_other_directory(directory, &log.cdc_raw).then(|| {
            Finding::fail(
                "node.cdc_raw_directory",
                Exit::Unreadable,
                format!("the node's cdc_raw_directory is {directory}, and another one is configured"),
                "set cdc_raw_directory to the node's",
            )
        })
    }));
    if let (Some(commitlog), Some(raw)) = (get(&["commitlog_directory"]), get(&["cdc_raw_directory"])) {
        findings.extend(file_system(Path::new(commitlog), Path::new(raw), &log.cdc_raw));
    }
    findings.extend(block_writes(get(&["cdc_block_writes"]) != Some("false"), log.cdc_block_writes));
    let space =
        number(get(&["cdc_total_space", "cdc_total_space_in_mb"]), &[("MiB", 1), ("GiB", 1024), ("", 1)]);
    let configured = log.cdc_total_space_mb.map(std::num::NonZeroU64::get);
    if let (Some(space), Some(configured)) = (space.filter(|space| *space > 0), configured)
        && space != configured
    {
        findings.push(Finding::warn(
            "node.cdc_total_space",
            format!("the node's cdc_total_space is {space} MiB, and {configured} are configured"),
            format!("set cdc_total_space_mb = {space}"),
        ));
    }
    let is_periodic = get(&["commitlog_sync"]).is_none_or(|sync| sync == "periodic");
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("", 1)];
    let period = number(get(&["commitlog_sync_period", "commitlog_sync_period_in_ms"]), &units);
    if let Some(period) = period.filter(|period| is_periodic && *period != log.commitlog_sync_period_ms.get())
    {
        findings.push(Finding::warn(
            "node.commitlog_sync_period",
            format!(
                "the node's commitlog_sync_period is {period} ms, and {} are configured",
                log.commitlog_sync_period_ms
            ),
            format!("set commitlog_sync_period_ms = {period}"),
        ));
    }
}

/// Whether the node can link its segments into `raw`, its `cdc_raw_directory`. Nothing is known where its names are not those
/// of this machine, as beside a node in a container.
fn file_system(commitlog: &Path, raw: &Path, configured: &Path) -> Option<Finding> {
    let is_here = raw.canonicalize().ok()? == configured.canonicalize().ok()?;
    let devices = [commitlog, raw].map(|path| path.metadata().ok().map(|metadata| metadata.dev()));
    let [Some(commitlog_on), Some(raw_on)] = devices else { return None };
    let (commitlog, raw) = (commitlog.display(), raw.display());
    is_here.then(|| match commitlog_on == raw_on {
        true => Finding::pass(
            "node.commitlog_directory",
            format!("{commitlog} and cdc_raw_directory are on one file system"),
        ),
        false => Finding::fail(
            "node.commitlog_directory",
            Exit::Unreadable,
            format!(
                "commitlog_directory {commitlog} and cdc_raw_directory {raw} are on different file systems: Cassandra links \
                 each segment from one to the other, which it cannot there, and then does what commit_failure_policy says: \
                 by default it stops serving all tables"
            ),
            "put both on one file system, in cassandra.yaml, and restart the node",
        ),
    })
}

/// A number with one of these units, in the first one.
fn number(text: Option<&str>, units: &[(&str, u64)]) -> Option<u64> {
    let text = text?.trim();
    units.iter().find_map(|(unit, scale)| {
        text.strip_suffix(unit)?.parse::<u64>().ok().and_then(|number| number.checked_mul(*scale))
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::agent::doctor::finding::Verdict;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        log: LogArgs,
    }

    fn found(settings: &[(&str, &str)], flags: &[&str]) -> Vec<(&'static str, Verdict)> {
        let line = Line::try_parse_from(["test"].iter().chain(flags)).unwrap();
        let settings =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut findings = Vec::new();
        compare(&settings, &line.log, &mut findings);
        findings.iter().map(|finding| (finding.check, finding.verdict)).collect()
    }

    #[test]
    fn settings_of_4_0_and_4_1() {
        assert_eq!(found(&[("cdc_enabled", "true")], &[]), [("node.cdc_enabled", Verdict::Pass)]);
        assert_eq!(found(&[("cdc_enabled", "false")], &[]), [("node.cdc_enabled", Verdict::Fail)]);
        assert_eq!(found(&[("cdc_block_writes", "false")], &[]), [("node.cdc_block_writes", Verdict::Warn)]);
        let other = ["--cdc-block-writes=false"];
        assert_eq!(
            found(&[("cdc_block_writes", "true")], &other),
            [("node.cdc_block_writes", Verdict::Warn)]
        );
        assert!(found(&[("cdc_block_writes", "true")], &[]).is_empty());
        let space = ["--cdc-total-space-mb", "512"];
        for (name, value, is_same) in [
            ("cdc_total_space", "512MiB", true),
            ("cdc_total_space_in_mb", "512", true),
            ("cdc_total_space", "1GiB", false),
            ("cdc_total_space", "0MiB", true),
        ] {
            assert_eq!(found(&[(name, value)], &space).is_empty(), is_same, "{name} {value}");
        }
        for (name, value, is_same) in [
            ("commitlog_sync_period", "10000ms", true),
            ("commitlog_sync_period", "10s", true),
            ("commitlog_sync_period_in_ms", "10000", true),
            ("commitlog_sync_period", "2s", false),
        ] {
            assert_eq!(found(&[(name, value)], &[]).is_empty(), is_same, "{name} {value}");
        }
        assert!(found(&[("commitlog_sync", "batch"), ("commitlog_sync_period", "0ms")], &[]).is_empty());
        let folder = tempfile::tempdir().unwrap();
        let directory = [("cdc_raw_directory", folder.path().to_str().unwrap())];
        assert!(found(&directory, &["--cdc-raw", folder.path().to_str().unwrap()]).is_empty());
        assert_eq!(found(&directory, &["--cdc-raw", "/"]), [("node.cdc_raw_directory", Verdict::Fail)]);
    }

    #[test]
    fn segments_are_linked_so_one_file_system_is_needed() {
        let (raw, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (raw, own) = (raw.path().to_str().unwrap(), own.path().to_str().unwrap());
        for (commitlog, configured, expected) in [
            (own, raw, vec![("node.commitlog_directory", Verdict::Pass)]),
            ("/proc", raw, vec![("node.commitlog_directory", Verdict::Fail)]),
            // Names of another machine say nothing here.
            ("/none/commitlog", raw, vec![]),
            ("/proc", own, vec![("node.cdc_raw_directory", Verdict::Fail)]),
        ] {
            let settings = [("commitlog_directory", commitlog), ("cdc_raw_directory", raw)];
            assert_eq!(found(&settings, &["--cdc-raw", configured]), expected, "{commitlog} {configured}");
        }
    }
}
