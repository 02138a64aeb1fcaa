//! Options of `run`.

use std::path::PathBuf;

use clap::Args;

use super::live::LiveArgs;
use super::settings::Settings;
use crate::config::Setting;

/// `cdc-agent run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// TOML file with options; docs/configuration.md has the keys. What is given here, or in the environment as
    /// CDC_AGENT_<KEY>, wins
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// kafka, or the directory of a file log (a directory of that name is ./kafka)
    #[arg(long, value_name = "DIR|kafka", default_value = "kafka")]
    pub out: PathBuf,
    /// End when everything in cdc_raw is published: to take a node out of service, after nodetool drain
    #[arg(long)]
    pub until_empty: bool,
    /// Options that the configuration file can give too.
    #[command(flatten)]
    pub options: RunOptions,
    /// Every option with where it comes from.
    #[arg(skip)]
    pub settings: Vec<Setting>,
}

/// Options of `run` that the command line, the environment and a configuration file can give.
#[derive(Debug, Clone, Args)]
pub struct RunOptions {
    /// Those of every command that publishes.
    #[command(flatten)]
    pub settings: Settings,
    /// Those of a live agent.
    #[command(flatten)]
    pub live: LiveArgs,
}
