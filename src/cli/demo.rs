//! Options of `demo`.

use std::path::PathBuf;

use clap::Args;

/// `cdc-agent demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Directory for the demo's segments, schema, rules and file logs; it is made when missing.
    /// Default: a new directory in the system's directory for temporary files
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
