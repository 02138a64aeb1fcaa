//! Options of the commands that describe the program itself.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// `cdc-agent completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// Shell to write the script for
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `cdc-agent man`.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Directory for one page a command (cdc-agent.1, cdc-agent-replay.1, …); it is made when missing.
    /// Default: the page of cdc-agent itself, on standard output
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
