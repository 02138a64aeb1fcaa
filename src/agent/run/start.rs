//! What has to stand before the loop begins.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::schema::LiveSchema;
use super::stop::Stop;
use super::telling::Telling;
use crate::agent::config::check::is_kafka;
use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::agent::pipeline::worker::Owned;
use crate::agent::socket::{Inbox, Server as Socket};
use crate::cdc_raw::{Directory, Waker};
use crate::change::filter::TableFilter;
use crate::cli::{CassandraArgs, LogArgs, OwnershipWord, RunOptions, SourceArgs, TellingArgs};
#[cfg(feature = "cql")]
use crate::durable::replace;
#[cfg(feature = "http")]
use crate::http::Server;

/// Refuses options of the commit log that contradict each other, before anything is made.
///
/// # Errors
/// Some do.
pub(super) fn fits(log: &LogArgs, out: &Path) -> Result<(), Failure> {
    let unfit_out = || log.unfit_out(out).filter(|_| !is_kafka(out));
    match log.unfit().into_iter().next().or_else(unfit_out) {
        Some(unfit) => Err(Failure::new(Exit::Usage, unfit.what).next(unfit.fix)),
        None => Ok(()),
    }
}

/// Opens and locks the directory of the commit log.
///
/// # Errors
/// It is not there, cannot be read, or another agent holds it.
pub(super) fn directory(path: &Path) -> Result<Directory, Failure> {
    Directory::open(path).map_err(|error| {
        let exit = if error.is_locked() { Exit::Locked } else { Exit::Unreadable };
        let advice = error.advice();
        Failure::new(exit, "the commit log cannot be followed").because(error).next(advice)
    })
}

/// As [`directory`] and [`StateLock::take`] for an agent that starts: commands hold the locks for a moment (`doctor`) or
/// some seconds (`checkpoint rewind`).
///
/// # Errors
/// As theirs, when somebody holds them for longer.
pub(super) fn patiently<T>(mut take: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    let until = Instant::now() + FREE_WITHIN;
    let mut said = false;
    loop {
        match take() {
            Err(failure) if failure.exit() == Exit::Locked && Instant::now() < until => {
                if !std::mem::replace(&mut said, true) {
                    let seconds = FREE_WITHIN.as_secs();
                    log::info(&format!("{failure}; it is tried for {seconds} s, a command may hold it"));
                }
                std::thread::sleep(LOCK_PAUSE);
            }
            taken => return taken,
        }
    }
}

/// How long a lock may be held when the agent starts.
const FREE_WITHIN: Duration = Duration::from_secs(10);
/// Between attempts to take it.
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// The agent's own directory, made if it is missing: only its user may read what is in it.
///
/// # Errors
/// It cannot be made.
pub(super) fn state_directory(path: &Path) -> Result<PathBuf, Failure> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| {
        Failure::new(Exit::Usage, format!("the state directory {} cannot be made", path.display()))
            .because(error)
            .next("name a directory that this user may write to, with state_directory or --state-dir")
    })?;
    Ok(path.to_owned())
}

/// Serves what the agent tells, if that is asked for, for as long as the returned value lives.
///
/// # Errors
/// The address cannot be used.
#[cfg(feature = "http")]
pub(super) fn http(args: &TellingArgs, telling: &Telling) -> Result<Option<Server>, Failure> {
    if !args.http {
        return Ok(None);
    }
    let server = Server::start(args.http_address, Arc::clone(&telling.telemetry))
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    log::info(&format!("status page: http://{}/", server.address()));
    Ok(Some(server))
}

#[cfg(not(feature = "http"))]
pub(super) fn http(_: &TellingArgs, _: &Telling) -> Result<Option<()>, Failure> {
    Ok(None)
}

/// Listens on the local socket for as long as the returned server lives. An agent that cannot listen does its work all
/// the same.
pub(super) fn socket(state: &Path, telling: &Telling, waker: Waker) -> (Option<Socket>, Inbox) {
    match Socket::start(state, Arc::clone(&telling.telemetry), waker) {
        Ok((server, inbox)) => (Some(server), inbox),
        Err(error) => {
            log::warn(&format!(
                "no local socket in {}: {error}; cdc-agent status, parked and checkpoint cannot ask this agent. A \
                 socket's path has at most 107 bytes: a shorter state_directory may help",
                state.display()
            ));
            (None, Inbox::none())
        }
    }
}

/// Eight hex digits that change with the options: a start with other ones can be told in the control topic.
pub(super) fn config_hash(options: &RunOptions) -> String {
    // The text of secrets is in none of them: they stand in files and variables. Values of librdkafka's options are not
    // printed, because somebody may try to give a secret there, which is refused.
    let mut digest = Sha256::new().chain_update(format!("{options:?}"));
    for option in &options.settings.kafka.options {
        digest.update(format!("\0{}={}", option.name, option.value));
    }
    digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// What is to be published; `None`: everything that this node has logged.
///
/// # Errors
/// Only a part is asked for, and it cannot be told from the rest.
pub(super) fn owned(
    args: &LogArgs,
    schema: &mut LiveSchema,
    state: &Path,
    stop: &Stop,
) -> Result<Option<Arc<dyn Owned + Send + Sync>>, Failure> {
    match args.ownership {
        OwnershipWord::All => Ok(None),
        OwnershipWord::Primary => schema.owned_first(state, stop),
    }
}

/// The schema: from a file if one is named, else from the node, or what was kept of it. Names of the node that are not
/// configured are taken from it. `None` when it is asked to stop before there is a schema.
///
/// # Errors
/// The file cannot be used, the node refuses, or is another one than the configured one.
pub(super) fn schema(
    args: &CassandraArgs,
    names: &mut SourceArgs,
    state: &Path,
    directory: &Directory,
    filter: TableFilter,
    stop: &Stop,
) -> Result<Option<LiveSchema>, Failure> {
    match &args.schema {
        Some(path) => LiveSchema::from_file(path, filter).map(Some),
        None => from_node(args, names, state, directory, filter, stop),
    }
}

#[cfg(not(feature = "cql"))]
fn from_node(
    _: &CassandraArgs,
    _: &mut SourceArgs,
    _: &Path,
    _: &Directory,
    _: TableFilter,
    _: &Stop,
) -> Result<Option<LiveSchema>, Failure> {
    Err(Failure::new(Exit::Usage, "this cdc-agent was built without CQL, and no schema is given")
        .next("give --schema FILE, or build it with the feature cql"))
}

#[cfg(feature = "cql")]
fn from_node(
    args: &CassandraArgs,
    names: &mut SourceArgs,
    state: &Path,
    directory: &Directory,
    filter: TableFilter,
    stop: &Stop,
) -> Result<Option<LiveSchema>, Failure> {
    use super::node::{self, Node};
    use super::refusals::Refusals;

    /// Between attempts to reach the node.
    const PAUSE: Duration = Duration::from_secs(2);

    let source = node::source(args)?;
    let kept = identity_kept(state);
    let mut refusals = Refusals::default();
    let mut found = node::identity(&source, names, &mut refusals, stop)?;
    while found.is_none() && names.host_id.is_none() && kept.is_none() && !stop.is_asked() {
        log::info("waiting for the node: its host id is not configured, and not known");
        stop.sleep(PAUSE);
        found = node::identity(&source, names, &mut refusals, stop)?;
    }
    if stop.is_asked() {
        return Ok(None);
    }
    if let Some(info) = &found {
        node::check_directory(&source, directory.path())?;
        names.cluster.get_or_insert_with(|| info.cluster_name.clone());
        names.dc.get_or_insert_with(|| info.data_center.clone());
        names.host_id = names.host_id.or_else(|| info.host_id.parse().ok());
    }
    keep_identity(state, kept, names)?;
    let mut node = Node::open(source, state, names, args)?;
    while !node.fetch_now(&mut refusals, stop)? && !node.kept().knows_tables() {
        if stop.is_asked() {
            return Ok(None);
        }
        stop.sleep(PAUSE);
    }
    Ok(Some(LiveSchema::from_node(node, filter)))
}

/// Puts names of the node in that are not configured, as an agent with this state directory took them on before.
pub(super) fn take_names_kept(state: &Path, names: &mut SourceArgs) {
    take_names(identity_kept(state).as_ref(), names);
}

fn take_names(kept: Option<&serde_json::Value>, names: &mut SourceArgs) {
    let text = |key: &str| kept?.get(key)?.as_str().map(str::to_owned);
    names.host_id = names.host_id.or_else(|| text("host_id")?.parse().ok());
    names.cluster = names.cluster.take().or_else(|| text("cluster"));
    names.dc = names.dc.take().or_else(|| text("dc"));
}

/// The names of the node that an agent with this state directory took on before.
fn identity_kept(state: &Path) -> Option<serde_json::Value> {
    let text = fs::read_to_string(state.join(NODE)).ok()?;
    serde_json::from_str(&text).ok()
}

/// The file that holds the names of the node.
const NODE: &str = "node.json";

/// Takes on names that are kept and not known otherwise; keeps them. A state directory is one node's.
#[cfg(feature = "cql")]
fn keep_identity(
    state: &Path,
    kept: Option<serde_json::Value>,
    names: &mut SourceArgs,
) -> Result<(), Failure> {
    let text = |key: &str| kept.as_ref()?.get(key)?.as_str().map(str::to_owned);
    let known = text("host_id").and_then(|id| id.parse::<uuid::Uuid>().ok());
    if let (Some(known), Some(now)) = (known, names.host_id)
        && known != now
    {
        let what = format!("the state directory {} is of the node {known}, not of {now}", state.display());
        return Err(Failure::new(Exit::Usage, what)
            .next("give each node its own state directory; if this node replaced the other one, move the directory away"));
    }
    take_names(kept.as_ref(), names);
    let now = serde_json::json!({
        "cluster": names.cluster,
        "dc": names.dc,
        "host_id": names.host_id.map(|id| id.to_string()),
    });
    if kept.as_ref() == Some(&now) {
        return Ok(());
    }
    let path = state.join(NODE);
    replace(&path, &path.with_extension("tmp"), &[now.to_string().as_bytes()])
        .map_err(|error| Failure::cannot_write(&path, error.source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_the_options_changes_with_each_value() {
        use crate::cli::{Cli, Command};
        let hash = |words: &[&str]| {
            let words = ["cdc-agent", "run"].iter().chain(words);
            let Command::Run(args) = Cli::read(words, []).unwrap().command else { panic!("not run") };
            config_hash(&args.options)
        };
        let options = [
            &[][..],
            &["--kafka-option", "linger.ms=5"],
            &["--kafka-option", "linger.ms=6"],
            &["--prefix", "x"],
        ];
        let hashes: std::collections::BTreeSet<_> = options.iter().map(|words| hash(words)).collect();
        assert_eq!(hashes.len(), options.len(), "{hashes:?}");
        assert_eq!(hash(options[1]), hash(options[1]));
    }

    #[test]
    fn a_lock_that_a_command_holds_for_a_moment_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let held = directory(folder.path()).unwrap();
        assert_eq!(directory(folder.path()).unwrap_err().exit(), Exit::Locked);
        let mut held = Some(held);
        let mut asked = 0;
        let taken = patiently(|| {
            asked += 1;
            let answer = directory(folder.path());
            // The command ends.
            held = None;
            answer
        });
        assert!(taken.is_ok() && asked > 1, "{asked}");
        let missing = patiently(|| directory(&folder.path().join("none")));
        assert_eq!(missing.unwrap_err().exit(), Exit::Unreadable);
    }
}
