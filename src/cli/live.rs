//! Options of the live agent that a configuration file can give too.

use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU64};
use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use super::values::{CENTURY_S, DAY_MS, HOUR_MS, MOST_MIB, host, whole};

/// The agent's own directory, unless another one is named.
pub const DEFAULT_STATE_DIRECTORY: &str = "/var/lib/cdc-agent";

/// Options of a live agent.
#[derive(Debug, Clone, Args)]
pub struct LiveArgs {
    /// The commit log.
    #[command(flatten)]
    pub log: LogArgs,
    /// The node's CQL.
    #[command(flatten)]
    pub cassandra: CassandraArgs,
    /// What the agent says of itself.
    #[command(flatten)]
    pub telling: TellingArgs,
}

/// The commit log of the node.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Commit log")]
pub struct LogArgs {
    /// The node's cdc_raw_directory
    #[arg(id = "cdc_raw_directory", long = "cdc-raw", value_name = "DIR")]
    #[arg(default_value = "/var/lib/cassandra/cdc_raw")]
    pub cdc_raw: PathBuf,
    /// The agent's own directory: history of the schema, local copy of the checkpoint, names of the node
    #[arg(
        id = "state_directory",
        long = "state-dir",
        value_name = "DIR",
        default_value = DEFAULT_STATE_DIRECTORY
    )]
    pub state_dir: PathBuf,
    /// How far a segment that Cassandra writes is read
    #[arg(long, value_name = "WORD", value_enum, default_value = "marked")]
    pub visibility: VisibilityWord,
    /// The node's commitlog_sync_period in milliseconds
    #[arg(long, value_name = "MS", default_value = "10000", value_parser = whole::<NonZeroU64>(1, DAY_MS))]
    pub commitlog_sync_period_ms: NonZeroU64,
    /// What becomes of a segment that is final and committed
    #[arg(long, value_name = "WORD", value_enum, default_value = "delete")]
    pub finished_segments: FinishedWord,
    /// Where finished segments are moved to: a directory on the file system of cdc_raw
    #[arg(id = "archive_directory", long = "archive-dir", value_name = "DIR")]
    pub archive_dir: Option<PathBuf>,
    /// The node's cdc_total_space in MiB, which the agent warns of before it is full [default: Cassandra's: 4096 or an
    /// eighth of the file system, the smaller of both]
    #[arg(id = "cdc_total_space_mb", long = "cdc-total-space-mb", value_name = "MIB")]
    #[arg(value_parser = whole::<NonZeroU64>(1, MOST_MIB))]
    pub cdc_total_space_mb: Option<NonZeroU64>,
    /// Where segments that wait to be published are moved to when cdc_raw is half full: a directory on its file system,
    /// made if it is missing
    #[arg(id = "spool_directory", long = "spool-dir", value_name = "DIR")]
    pub spool_dir: Option<PathBuf>,
    /// What the spool may hold, in MiB
    #[arg(long, value_name = "MIB", default_value = "16384", value_parser = whole::<NonZeroU64>(1, MOST_MIB))]
    pub spool_max_mb: NonZeroU64,
    /// What must stay free on the file system of the spool, which is that of the commit log, in MiB
    #[arg(long, value_name = "MIB", default_value = "5120", value_parser = whole::<u64>(0, MOST_MIB))]
    pub spool_min_free_mb: u64,
    /// The node's cdc_block_writes: when cdc_raw is full it refuses writes, and does not delete segments unread
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(default_value = "true", default_missing_value = "true", hide_possible_values = true)]
    pub cdc_block_writes: bool,
    /// Rows that are older than so many seconds when they are read have `source.late` true; 0: none
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = whole::<u64>(0, CENTURY_S))]
    pub late_after_s: u64,
    /// Which copies of a change are published
    #[arg(long, value_name = "WORD", value_enum, default_value = "all")]
    pub ownership: OwnershipWord,
}

/// How far a segment that Cassandra writes is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VisibilityWord {
    /// What the node has on disk: up to the sync period behind
    Synced,
    /// Up to the last sync marker: up to 100 ms behind
    Marked,
    /// Every whole mutation: under a millisecond behind
    Written,
}

/// What becomes of a segment that is final and committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FinishedWord {
    /// It is deleted
    Delete,
    /// It is moved to archive_directory
    Archive,
    /// It stays; somebody else has to delete it before cdc_raw is full
    Keep,
}

/// Which copies of a change are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OwnershipWord {
    /// That of every replica; consumers keep the first of each event_id
    All,
    /// That of the partition's first replica in the ring: a change that this replica misses is published by none
    Primary,
}

impl OwnershipWord {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Primary => "primary",
        }
    }
}

/// Where the node is asked for its schema.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cassandra")]
pub struct CassandraArgs {
    /// File with the schema, instead of asking the node: JSON of system_schema, or the CQL of DESCRIBE … WITH INTERNALS
    #[arg(id = "schema_file", long = "schema", value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// Address of the node's CQL port
    #[arg(id = "cassandra_host", long = "cassandra-host", value_name = "HOST", default_value = "127.0.0.1")]
    #[arg(value_parser = host)]
    pub host: String,
    /// Port of CQL
    #[arg(id = "cassandra_port", long = "cassandra-port", value_name = "PORT", default_value = "9042")]
    pub port: NonZeroU16,
    /// Role that may log in and read system_views.settings; what else the agent reads every role may read
    #[arg(id = "cassandra_username", long = "cassandra-username", value_name = "NAME")]
    pub username: Option<String>,
    /// File with its password in its first line. Default: the environment variable CDC_AGENT_CASSANDRA_PASSWORD
    #[arg(id = "cassandra_password_file", long = "cassandra-password-file", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Certificates (PEM) of the authorities that the node's certificate must come from; turns TLS on
    #[arg(id = "cassandra_ssl_ca_file", long = "cassandra-ssl-ca-file", value_name = "FILE")]
    pub ssl_ca_file: Option<PathBuf>,
    /// The agent's certificate (PEM), where the node asks for one
    #[arg(
        id = "cassandra_ssl_certificate_file",
        long = "cassandra-ssl-certificate-file",
        value_name = "FILE"
    )]
    pub ssl_certificate_file: Option<PathBuf>,
    /// The key (PEM) of that certificate
    #[arg(id = "cassandra_ssl_key_file", long = "cassandra-ssl-key-file", value_name = "FILE")]
    pub ssl_key_file: Option<PathBuf>,
    /// Name that the node's certificate must have [default: cassandra_host]
    #[arg(id = "cassandra_ssl_server_name", long = "cassandra-ssl-server-name", value_name = "NAME")]
    pub ssl_server_name: Option<String>,
    /// Most milliseconds to connect
    #[arg(id = "cassandra_connect_timeout_ms", long = "cassandra-connect-timeout-ms", value_name = "MS")]
    #[arg(default_value = "5000", value_parser = whole::<NonZeroU64>(1, HOUR_MS))]
    pub connect_timeout_ms: NonZeroU64,
    /// Most milliseconds for a query
    #[arg(id = "cassandra_request_timeout_ms", long = "cassandra-request-timeout-ms", value_name = "MS")]
    #[arg(default_value = "10000", value_parser = whole::<NonZeroU64>(1, HOUR_MS))]
    pub request_timeout_ms: NonZeroU64,
    /// Milliseconds between looks at the schema when nothing asks for one
    #[arg(long, value_name = "MS", default_value = "60000", value_parser = whole::<NonZeroU64>(1, DAY_MS))]
    pub schema_refresh_interval_ms: NonZeroU64,
}

/// What the agent says of itself.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Operation")]
pub struct TellingArgs {
    /// Milliseconds between heartbeats to every partition; 0: none
    #[arg(long, value_name = "MS", default_value = "1000", value_parser = whole::<u64>(0, DAY_MS))]
    pub heartbeat_interval_ms: u64,
    /// Serve /livez, /readyz, /metrics, /status and the status page
    #[arg(id = "http_enabled", long = "http", value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(default_value = "true", default_missing_value = "true", hide_possible_values = true)]
    pub http: bool,
    /// Address and port that they are served on: anybody who reaches it can read them
    #[arg(
        id = "http_address",
        long = "http-address",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8083"
    )]
    pub http_address: SocketAddr,
    /// Seconds without progress, although something is there to be read, after which /readyz says so
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = whole::<NonZeroU64>(1, DAY_MS / 1000))]
    pub stall_after_s: NonZeroU64,
    /// Form of the log on standard error
    #[arg(long, value_name = "WORD", value_enum, default_value = "text")]
    pub log_format: LogFormatWord,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormatWord {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}
