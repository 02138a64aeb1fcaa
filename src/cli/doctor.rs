//! Options of `doctor`.

use std::path::PathBuf;

use clap::Args;

use super::run::RunOptions;

/// `cdc-agent doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// TOML file with options; docs/configuration.md has the keys. What is given here, or in the environment as
    /// CDC_AGENT_<KEY>, wins
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where run would publish: kafka, or the directory of a file log
    #[arg(long, value_name = "DIR|kafka", default_value = "kafka")]
    pub out: PathBuf,
    /// One JSON object a line instead of text
    #[arg(long)]
    pub json: bool,
    /// What would be given to run.
    #[command(flatten)]
    pub options: RunOptions,
}
