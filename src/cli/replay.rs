//! Options of `replay`.

use std::num::{NonZeroU16, NonZeroUsize};
use std::path::PathBuf;

use clap::Args;

use super::settings::Settings;
use super::values::{Instant, at_least_one};
use crate::commitlog::Position;

/// `cdc-agent replay`.
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// What is read.
    #[command(flatten)]
    pub input: ReplayInput,
    /// Part of the log.
    #[command(flatten)]
    pub range: ReplayRange,
    /// Where records go and what is reported.
    #[command(flatten)]
    pub output: ReplayOutput,
    /// Options that the configuration file can give too.
    #[command(flatten)]
    pub settings: Settings,
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
    /// TOML file with options; docs/configuration.md has the keys. What is given here, or in the environment as
    /// CDC_AGENT_<KEY>, wins
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Threads that decode, 12 at most; the order of the records does not change
    #[arg(long, value_name = "N", default_value = "1", value_parser = at_least_one::<NonZeroUsize>)]
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
    /// Only changes whose `source.ts_us` is at or after this time: RFC 3339, a number since 1970 with
    /// its unit (1769860800000ms; s, us), or a `source.ts_us` as it is
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<Instant>,
    /// Only changes whose `source.ts_us` is before this time, given likewise
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<Instant>,
}

/// Where records go and what is reported.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct ReplayOutput {
    /// `-` for JSON Lines on standard output, the directory of a file log, or kafka (a directory of that name is
    /// ./kafka); a file log, and Kafka, are continued where the last replay of these segments stopped, with the same
    /// bounds, filters and shape of records only
    #[arg(long, value_name = "-|DIR|kafka", default_value = "-")]
    pub out: PathBuf,
    /// Partitions of each topic of the file log, fixed when it is made [default: as the file log has; 1 for a new
    /// one]
    #[arg(long, value_name = "N", value_parser = at_least_one::<NonZeroU16>)]
    pub partitions: Option<NonZeroU16>,
    /// Write segments that the file log or Kafka holds already once more; also with other bounds, filters or shape of
    /// records than before, which it goes on with. One that was interrupted is gone on with
    #[arg(long)]
    pub again: bool,
    /// Also write segments that are older than what the file log holds; their records have source.late true
    #[arg(long)]
    pub allow_out_of_order: bool,
    /// Decode and count, write no record
    #[arg(long)]
    pub dry_run: bool,
    /// Write the closing summary as JSON into this file, in place of what it held
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// No progress bar (there is none either when standard error is no terminal)
    #[arg(long)]
    pub no_progress: bool,
    /// No progress bar and no closing summary on standard error
    #[arg(long)]
    pub quiet: bool,
}
