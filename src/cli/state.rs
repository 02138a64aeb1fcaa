//! Options of commands that ask a running agent.

use std::path::PathBuf;

use clap::Args;

/// Which agent is asked.
#[derive(Debug, Clone, Args)]
pub struct StateArgs {
    /// The running agent's own directory, in which its socket is
    #[arg(
        id = "state_directory",
        long = "state-dir",
        value_name = "DIR",
        default_value = "/var/lib/cdc-agent"
    )]
    pub state_dir: PathBuf,
}
