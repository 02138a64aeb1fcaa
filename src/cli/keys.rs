//! Options that name the key of encrypted segments.

use std::path::PathBuf;

use clap::Args;

/// Where the AES key of encrypted segments comes from.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Encrypted segments")]
pub struct KeyArgs {
    /// File with the AES key in hex (32, 48 or 64 digits; blank space is ignored), used for every key alias
    #[arg(long, value_name = "FILE")]
    pub commitlog_key_hex_file: Option<PathBuf>,
}
