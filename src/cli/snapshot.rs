//! Options of `snapshot`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, Args, Subcommand, ValueEnum};

use super::asking::AgentPlace;
use super::examples;
use super::run::RunOptions;
use super::values::TableName;
use crate::config::{ConfigError, resolve_part};

/// `cdc-agent snapshot`.
#[derive(Debug, Clone, Args)]
pub struct SnapshotArgs {
    /// What to do with snapshots.
    #[command(subcommand)]
    pub command: SnapshotCommand,
}

/// What to do with snapshots.
#[derive(Debug, Clone, Subcommand)]
pub enum SnapshotCommand {
    /// Begin to publish the rows that tables have, beside their changes
    #[command(after_help = examples::SNAPSHOT_START)]
    Start(SnapshotStartArgs),
    /// Stop snapshots: what is published stays published
    #[command(after_help = examples::SNAPSHOT_STOP)]
    Stop(SnapshotStopArgs),
    /// Show how far snapshots are, and how those ended that ended since the agent started
    #[command(alias = "list", after_help = examples::SNAPSHOT_STATUS)]
    Status(SnapshotStatusArgs),
}

/// Which agent, and how to print.
#[derive(Debug, Clone, Args)]
pub struct AskedArgs {
    /// The agent's TOML file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the agent is.
    #[command(flatten)]
    pub place: AgentPlace,
    /// One JSON object a line instead of text
    #[arg(long)]
    pub json: bool,
}

/// `cdc-agent snapshot start`.
#[derive(Debug, Clone, Args)]
pub struct SnapshotStartArgs {
    /// A table, with cdc = true, whose changes the agent publishes; can be given several times
    #[arg(long = "table", value_name = "KS.TABLE", required = true)]
    pub tables: Vec<TableName>,
    /// Most rows a second; 0: as many as come
    #[arg(long, value_name = "ROWS_PER_S", default_value = "2000")]
    pub rate: u32,
    /// Of how many replicas each row is read
    #[arg(long, value_name = "WORD", value_enum, default_value = "local-one")]
    pub consistency: ConsistencyWord,
    /// Wait for the end; exit code 6 when one of them is stopped or fails
    #[arg(long)]
    pub wait: bool,
    /// Which agent.
    #[command(flatten)]
    pub asked: AskedArgs,
}

/// `cdc-agent snapshot stop`.
#[derive(Debug, Clone, Args)]
pub struct SnapshotStopArgs {
    /// A table; can be given several times [default: all]
    #[arg(long = "table", value_name = "KS.TABLE")]
    pub tables: Vec<TableName>,
    /// Which agent.
    #[command(flatten)]
    pub asked: AskedArgs,
}

/// `cdc-agent snapshot status`.
#[derive(Debug, Clone, Args)]
pub struct SnapshotStatusArgs {
    /// Which agent.
    #[command(flatten)]
    pub asked: AskedArgs,
}

/// Of how many replicas each row is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConsistencyWord {
    /// Of one in the data centre: this node itself, unless its snitch prefers another one
    LocalOne,
    /// Of a majority in the data centre
    LocalQuorum,
}

impl SnapshotArgs {
    /// Puts in what `flags` (the matches of `snapshot`), the environment and the file say of the agent.
    ///
    /// # Errors
    /// One of them is wrong.
    pub(super) fn resolve(
        &mut self,
        flags: &ArgMatches,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        let Some((_, flags)) = flags.subcommand() else { return Ok(()) };
        let asked = match &mut self.command {
            SnapshotCommand::Start(args) => &mut args.asked,
            SnapshotCommand::Stop(args) => &mut args.asked,
            SnapshotCommand::Status(args) => &mut args.asked,
        };
        let file = asked.config.as_deref();
        (asked.place, _) = resolve_part::<RunOptions, AgentPlace>(flags, file, environment)?;
        Ok(())
    }
}
