//! SIGHUP: takes over what can change while the agent runs, and says what needs a restart.

use super::finished::Finished;
use super::guard::Guard;
#[cfg(feature = "cql")]
use super::node;
use super::schema::LiveSchema;
#[cfg(feature = "cql")]
use super::snapshot::Snapshots;
use super::start;
use crate::agent::exit::Failure;
use crate::agent::log;
use crate::cdc_raw::Directory;
use crate::cli::{Cli, Command, LogFormatWord, RunArgs};

/// The options that are taken over. All others need a restart.
const RELOADED: [&str; 18] = [
    "unknown_table",
    "undecodable",
    "finished_segments",
    "archive_directory",
    "cdc_total_space_mb",
    "late_after_s",
    "heartbeat_interval_ms",
    "log_format",
    "cassandra_host",
    "cassandra_port",
    "cassandra_username",
    "cassandra_password_file",
    "cassandra_ssl_ca_file",
    "cassandra_ssl_certificate_file",
    "cassandra_ssl_key_file",
    "cassandra_ssl_server_name",
    "cassandra_connect_timeout_ms",
    "cassandra_request_timeout_ms",
];

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Taken {
    changed: Vec<String>,
    needs_restart: Vec<String>,
}

/// What is replaced beside the options.
pub(super) struct Parts<'r> {
    pub(super) directory: &'r Directory,
    pub(super) finished: &'r mut Finished,
    pub(super) schema: &'r mut LiveSchema,
    pub(super) guard: &'r Guard,
    /// `None` where no node can be asked for rows.
    #[cfg(feature = "cql")]
    pub(super) snapshots: Option<&'r mut Snapshots>,
}

/// Reads file and environment anew. When something in them is wrong nothing changes.
pub(super) fn reload(args: &mut RunArgs, parts: Parts<'_>) {
    if let Err(text) = try_reload(args, parts) {
        log::error(&format!("the options are not taken over, those before stay: {text}"));
    }
}

fn try_reload(args: &mut RunArgs, parts: Parts<'_>) -> Result<(), String> {
    let cli = Cli::read(std::env::args_os(), std::env::vars_os()).map_err(|error| error.to_string())?;
    let Command::Run(new) = cli.command else { return Err("the command line is not that of run".to_owned()) };
    let text = |failure: Failure| failure.to_string();
    let mut next = args.clone();
    let taken = take_over(&mut next, &new);
    // Neither with what needs a restart as it is now, nor with what it will be then.
    for all in [&next, &*new] {
        start::fits(&all.options.live.log, &all.out).map_err(text)?;
    }
    let finished = Finished::new(&next.options.live.log, parts.directory).map_err(text)?;
    // Files with passwords and certificates may have changed although no option did.
    let cassandra = &next.options.live.cassandra;
    #[cfg(feature = "cql")]
    let asked = parts.snapshots.map(|all| node::settings(cassandra).map(|by| (all, by)));
    #[cfg(feature = "cql")]
    let asked = asked.transpose().map_err(text)?;
    parts.schema.renew(cassandra).map_err(text)?;
    #[cfg(feature = "cql")]
    if let Some((snapshots, settings)) = asked {
        snapshots.renew(settings);
    }
    *parts.finished = finished;
    parts.guard.limit(&next.options.live.log);
    log::begin(next.options.live.telling.log_format == LogFormatWord::Json);
    *args = next;
    let named = |keys: &[String]| if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
    log::info(&format!("the options are read anew; changed: {}", named(&taken.changed)));
    if !taken.needs_restart.is_empty() {
        log::warn(&format!("these changed and need a restart: {}", named(&taken.needs_restart)));
    }
    Ok(())
}

/// Takes over of `new` what may change.
fn take_over(args: &mut RunArgs, new: &RunArgs) -> Taken {
    let mut taken = Taken::default();
    for (setting, now) in args.settings.iter_mut().zip(&new.settings) {
        if setting.values == now.values {
            continue;
        }
        if RELOADED.contains(&setting.key.as_str()) {
            taken.changed.push(setting.key.clone());
            setting.clone_from(now);
        } else {
            taken.needs_restart.push(setting.key.clone());
        }
    }
    let (options, new) = (&mut args.options, &new.options);
    options.settings.undecoded = new.settings.undecoded.clone();
    let (log, new_log) = (&mut options.live.log, &new.live.log);
    log.finished_segments = new_log.finished_segments;
    log.archive_dir.clone_from(&new_log.archive_dir);
    log.cdc_total_space_mb = new_log.cdc_total_space_mb;
    log.late_after_s = new_log.late_after_s;
    let cassandra = &mut options.live.cassandra;
    let (schema, interval) = (cassandra.schema.take(), cassandra.schema_refresh_interval_ms);
    *cassandra = new.live.cassandra.clone();
    (cassandra.schema, cassandra.schema_refresh_interval_ms) = (schema, interval);
    let telling = &mut options.live.telling;
    telling.heartbeat_interval_ms = new.live.telling.heartbeat_interval_ms;
    telling.log_format = new.live.telling.log_format;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> RunArgs {
        let words = ["cdc-agent", "run"].iter().chain(words);
        let Command::Run(args) = Cli::read(words, []).unwrap().command else { panic!("not run") };
        *args
    }

    #[test]
    fn what_may_change_is_taken_over_and_the_rest_is_named_each_time() {
        let mut running = args(&["--prefix", "a", "--late-after-s", "5"]);
        let new = args(&[
            "--prefix",
            "b",
            "--late-after-s",
            "7",
            "--finished-segments",
            "keep",
            "--undecodable",
            "ledger",
        ]);
        let changed = ["undecodable", "finished_segments", "late_after_s"].map(str::to_owned).to_vec();
        let needs_restart = vec!["topic_prefix".to_owned()];
        assert_eq!(take_over(&mut running, &new), Taken { changed, needs_restart: needs_restart.clone() });
        let options = &running.options;
        assert_eq!(options.settings.source.prefix, "a");
        assert_eq!(options.live.log.late_after_s, 7);
        assert_eq!(options.live.log.finished_segments, crate::cli::FinishedWord::Keep);
        assert_eq!(options.settings.undecoded.undecodable, crate::cli::Undecodable::Ledger);
        assert_eq!(take_over(&mut running, &new), Taken { changed: Vec::new(), needs_restart });
    }

    #[test]
    fn each_option_that_is_taken_over_is_one_and_the_documentation_has_all() {
        let all: Vec<String> = args(&[]).settings.into_iter().map(|setting| setting.key).collect();
        let text = include_str!("../../../docs/configuration.md");
        let section = text.split("## Reload").nth(1).unwrap().split("\n## ").next().unwrap();
        let mut documented: Vec<&str> =
            section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        documented.sort_unstable();
        let mut reloaded = RELOADED.to_vec();
        reloaded.sort_unstable();
        assert_eq!(documented, reloaded);
        assert!(RELOADED.iter().all(|key| all.iter().any(|known| known == key)));
    }
}
