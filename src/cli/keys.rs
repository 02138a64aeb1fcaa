//! Options that name the key of encrypted segments.

use std::path::PathBuf;

use clap::Args;

/// Where the AES key of encrypted segments comes from.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Encrypted segments")]
pub struct KeyArgs {
    /// File with an AES key in hex (32, 48 or 64 digits), used for every key alias; or with lines of alias=key
    #[arg(long, value_name = "FILE")]
    #[arg(conflicts_with_all = ["keystore", "keystore_password_file", "key_password_file"])]
    pub commitlog_key_hex_file: Option<PathBuf>,
    /// The keystore that Cassandra's transparent_data_encryption_options name: JCEKS or PKCS#12
    #[arg(long, value_name = "FILE")]
    pub keystore: Option<PathBuf>,
    /// File with the keystore's password in its first line. Default: the environment variable
    /// CDC_AGENT_KEYSTORE_PASSWORD
    #[arg(long, value_name = "FILE")]
    pub keystore_password_file: Option<PathBuf>,
    /// File with the password of the keys in the keystore in its first line (key_password in cassandra.yaml).
    /// Default: the environment variable CDC_AGENT_KEY_PASSWORD, or else the keystore's password
    #[arg(long, value_name = "FILE")]
    pub key_password_file: Option<PathBuf>,
}
