//! Options of `status` and `parked`, which ask a running agent.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::examples;
use super::live::DEFAULT_STATE_DIRECTORY;
use super::run::RunOptions;
use crate::commitlog::Position;

/// `cdc-agent status`.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// The agent's TOML file; what is given here, or in the environment as CDC_AGENT_<KEY>, wins
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What /status says, as JSON
    #[arg(long)]
    pub json: bool,
    /// Again every second, until it is interrupted
    #[arg(long)]
    pub watch: bool,
    /// Exit code 0 also while it waits, as long as its loop gives signs of life: what /livez says, for health checks that
    /// restart it
    #[arg(long)]
    pub live: bool,
    /// Where the agent is.
    #[command(flatten)]
    pub place: StatusPlace,
}

/// Where a running agent tells how it is.
#[derive(Debug, Clone, Args)]
pub struct StatusPlace {
    /// Its state directory, with the socket that is asked first.
    #[command(flatten)]
    pub state: AgentPlace,
    /// The agent's http_address, which is asked when its socket does not answer
    #[arg(id = "http_address", long = "http-address", value_name = "ADDRESS:PORT")]
    #[arg(default_value = "127.0.0.1:8083")]
    pub http_address: SocketAddr,
}

/// Where a running agent is.
#[derive(Debug, Clone, Args)]
pub struct AgentPlace {
    /// The agent's state directory: its socket is there
    #[arg(id = "state_directory", long = "state-dir", value_name = "DIR")]
    #[arg(default_value = DEFAULT_STATE_DIRECTORY)]
    pub state_dir: PathBuf,
}

/// `cdc-agent parked`.
#[derive(Debug, Clone, Args)]
pub struct ParkedArgs {
    /// What to do with parked mutations.
    #[command(subcommand)]
    pub command: ParkedCommand,
}

/// What to do with parked mutations.
#[derive(Debug, Clone, Subcommand)]
pub enum ParkedCommand {
    /// Print them: place, table, bytes, reason, and the hashes of the partitions that wait; never values
    #[command(after_help = examples::PARKED_LIST)]
    List(Box<StoredArgs>),
    /// Have the running agent try them again with the schema that it has
    #[command(after_help = examples::PARKED_RETRY)]
    Retry(ParkedRetryArgs),
    /// Have the running agent give some up: they are lost, and named in the control topic
    #[command(after_help = examples::PARKED_SKIP)]
    Skip(ParkedSkipArgs),
}

/// `cdc-agent parked retry`.
#[derive(Debug, Clone, Args)]
pub struct ParkedRetryArgs {
    /// The agent's TOML file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the agent is.
    #[command(flatten)]
    pub place: AgentPlace,
}

/// `cdc-agent parked skip`.
#[derive(Debug, Clone, Args)]
pub struct ParkedSkipArgs {
    /// The place of a parked mutation, as parked list prints it
    #[arg(value_name = "PLACE", required_unless_present = "table", conflicts_with = "table")]
    pub at: Option<Position>,
    /// All parked mutations that change this table first: its id, or keyspace.table
    #[arg(long, value_name = "ID")]
    pub table: Option<String>,
    /// Do it; without it, what would be given up is printed
    #[arg(long)]
    pub yes: bool,
    /// The agent's TOML file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the agent is.
    #[command(flatten)]
    pub place: AgentPlace,
}

/// Options of commands that look at what an agent has committed, whether it runs or not.
#[derive(Debug, Clone, Args)]
pub struct StoredArgs {
    /// The agent's TOML file; what is given here, or in the environment as CDC_AGENT_<KEY>, wins
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where run publishes: kafka, or the directory of a file log
    #[arg(long, value_name = "DIR|kafka", default_value = "kafka")]
    pub out: PathBuf,
    /// JSON Lines instead of text
    #[arg(long)]
    pub json: bool,
    /// What is given to run.
    #[command(flatten)]
    pub options: RunOptions,
}
