//! Options of `replay`.

use std::num::{NonZeroU16, NonZeroUsize};
use std::path::PathBuf;

use clap::Args;

use super::filters::FilterArgs;
use super::keys::KeyArgs;
use super::values::{ColumnList, Instant, RowHash, Undecodable, UnknownTable, topic_prefix};
use crate::commitlog::Position;
use crate::envelope::options::{
    CellTimes, DecimalHandling, Profile, TimestampFormat, Unrepresentable, VarintHandling,
};

/// `cdc-agent replay`.
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// What is read.
    #[command(flatten)]
    pub input: ReplayInput,
    /// Part of the log.
    #[command(flatten)]
    pub range: ReplayRange,
    /// Tables and columns.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Shape of the records.
    #[command(flatten)]
    pub records: ReplayRecords,
    /// Names that every record carries.
    #[command(flatten)]
    pub source: ReplaySource,
    /// Where records go and what is reported.
    #[command(flatten)]
    pub output: ReplayOutput,
    /// Keys of encrypted segments.
    #[command(flatten)]
    pub keys: KeyArgs,
}

/// What is read.
#[derive(Debug, Clone, Args)]
pub struct ReplayInput {
    /// Segment files (CommitLog-<version>-<id>.log), or directories that hold some; read in order of their ids
    #[arg(value_name = "SEGMENT|DIR", required = true)]
    pub paths: Vec<PathBuf>,
    /// Schema of the tables: JSON of system_schema, or the CQL of DESCRIBE … WITH INTERNALS
    #[arg(long, value_name = "FILE")]
    pub schema: PathBuf,
    /// End with code 0 instead of 5 when tables or columns that the schema does not know are all that keeps
    /// mutations back
    #[arg(long)]
    pub allow_unknown: bool,
    /// What to do with a table id that the schema does not know
    #[arg(long, value_name = "WORD", value_enum, default_value = "ledger")]
    pub unknown_table: UnknownTable,
    /// What to do with a mutation of a known table that no schema at hand decodes, checksums being right
    #[arg(long, value_name = "WORD", value_enum, default_value = "park")]
    pub undecodable: Undecodable,
    /// Threads that decode, 12 at most; the order of the records does not change
    #[arg(long, value_name = "N", default_value = "1")]
    pub jobs: NonZeroUsize,
}

/// Part of the log.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Part of the log")]
pub struct ReplayRange {
    /// First position: <segment id>:<offset of the section's marker>:<entry>[:<row>]
    #[arg(long, value_name = "POS")]
    pub from: Option<Position>,
    /// Position to stop before
    #[arg(long, value_name = "POS")]
    pub to: Option<Position>,
    /// Only changes whose `source.ts_us` is at or after this time: RFC 3339, or milliseconds or microseconds
    /// since 1970
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub since: Option<Instant>,
    /// Only changes whose `source.ts_us` is before this time
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub until: Option<Instant>,
}

/// Shape of the records.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Records")]
pub struct ReplayRecords {
    /// Shape of the records
    #[arg(long, value_name = "NAME", value_enum, default_value = "flat")]
    pub profile: Profile,
    /// What profile `debezium` does with ranges and partial updates
    #[arg(long, value_name = "WORD", value_enum, default_value = "side_topic")]
    pub unrepresentable: Unrepresentable,
    /// How decimal values are written [default: string; double in profile `debezium-cassandra`]
    #[arg(long, value_name = "WORD", value_enum)]
    pub decimal_handling: Option<DecimalHandling>,
    /// How varint values are written [default: string; long in profile `debezium-cassandra`]
    #[arg(long, value_name = "WORD", value_enum)]
    pub varint_handling: Option<VarintHandling>,
    /// How timestamp values are written [default: epoch_ms; not in profile `debezium-cassandra`]
    #[arg(long, value_name = "WORD", value_enum)]
    pub timestamp_format: Option<TimestampFormat>,
    /// Which write times and TTLs of cells a record of profile `flat` carries [default: when_differs]
    #[arg(long, value_name = "WORD", value_enum)]
    pub cells: Option<CellTimes>,
    /// Follow every record of a deleted row (`op` d) by one with the same key and a null value
    #[arg(long)]
    pub tombstones_on_delete: bool,
    /// Hash over a whole row, to compare it with its copy elsewhere
    #[arg(long, value_name = "VERSION", value_enum, default_value = "off")]
    pub row_hash: RowHash,
    /// Column that row_hash leaves out, in every table; can be given several times
    #[arg(long, value_name = "COLUMN", default_value = "record_hash")]
    pub row_hash_exclude: Vec<String>,
    /// Columns of a table in the order in which row_hash v0 joins them; can be given several times
    #[arg(long, value_name = "KS.TABLE=COLUMN,…")]
    pub row_hash_columns: Vec<ColumnList>,
}

/// Names that every record carries.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Source of the records")]
pub struct ReplaySource {
    /// First part of topic names, and `source.name`: characters a-z A-Z 0-9 . _ -
    #[arg(long, value_name = "NAME", default_value = "local", value_parser = topic_prefix)]
    pub prefix: String,
    /// `source.cluster`. Default: null
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// `source.dc`. Default: null
    #[arg(long, value_name = "NAME")]
    pub dc: Option<String>,
    /// `source.host_id`. Default: null
    #[arg(long, value_name = "UUID")]
    pub host_id: Option<uuid::Uuid>,
}

/// Where records go and what is reported.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct ReplayOutput {
    /// `-` for JSON Lines on standard output, or the directory of a file log; a file log is continued where
    /// its last replay of these segments stopped
    #[arg(long, value_name = "-|DIR", default_value = "-")]
    pub out: PathBuf,
    /// Partitions of each topic of the file log, fixed when it is made [default: as the file log has; 1 for a new
    /// one]
    #[arg(long, value_name = "N")]
    pub partitions: Option<NonZeroU16>,
    /// Write segments that the file log holds already once more
    #[arg(long)]
    pub again: bool,
    /// Decode and count, write no record
    #[arg(long)]
    pub dry_run: bool,
    /// Write the closing summary as JSON into this file
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// No progress bar (there is none either when standard error is no terminal)
    #[arg(long)]
    pub no_progress: bool,
    /// No progress bar and no closing summary on standard error
    #[arg(long)]
    pub quiet: bool,
}
