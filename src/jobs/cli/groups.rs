//! `cdc-jobs groups`.

mod reset;
mod show;

use clap::{Args, Subcommand};

use super::Format;
use super::place::At;
use super::target::TargetArgs;
use crate::agent::exit::{Exit, Failure};

const RESET: &str = "\
It is a dry run unless --execute is given. A group that somebody reads with is left alone; readers that assign partitions to
themselves, as Flink's do, are no members of their group: stop such a job first. A Flink job that starts from a checkpoint
or savepoint takes its offsets from there.

Examples:
  cdc-jobs groups reset-offsets flink-dq-onprem --env onprem --topic topic_onprem_sales --to earliest
  cdc-jobs groups reset-offsets flink-dq-onprem --env onprem --topic topic_onprem_sales --to 2026-01-31T12:00:00Z --execute

Exit codes: 0 done, or shown; 2 no such topic, partition or offset; 6 the brokers refuse; 7 the group is in use.";

/// `cdc-jobs groups …`
#[derive(Debug, Subcommand)]
pub enum GroupsCommand {
    /// List consumer groups
    List(ListArgs),
    /// Show members of a group, what they read, and how far it has read
    Describe(DescribeArgs),
    /// Show how far groups are behind, a line for each topic
    Lag(LagArgs),
    /// Set the committed offsets of a group that nobody reads with
    #[command(after_help = RESET)]
    ResetOffsets(ResetArgs),
}

/// `cdc-jobs groups list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Which brokers.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
}

/// `cdc-jobs groups describe`.
#[derive(Debug, Clone, Args)]
pub struct DescribeArgs {
    /// The group
    #[arg(value_name = "GROUP")]
    pub group: String,
    /// Which brokers.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
}

/// `cdc-jobs groups lag`.
#[derive(Debug, Clone, Args)]
pub struct LagArgs {
    /// The groups; without one, those of the jobs of the environment
    #[arg(value_name = "GROUP", required_unless_present = "env")]
    pub groups: Vec<String>,
    /// Which brokers.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
}

/// `cdc-jobs groups reset-offsets`.
#[derive(Debug, Clone, Args)]
pub struct ResetArgs {
    /// The group
    #[arg(value_name = "GROUP")]
    pub group: String,
    /// The topic
    #[arg(long, value_name = "TOPIC")]
    pub topic: String,
    /// Only this partition; can be given several times
    #[arg(long = "partition", value_name = "N")]
    pub partitions: Vec<i32>,
    /// Where to: earliest, latest, an offset, or a time (2026-01-31T12:00:00Z): the first record from then on
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    pub to: At,
    /// Do it
    #[arg(long)]
    pub execute: bool,
    /// Which brokers.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
}

/// Runs `cdc-jobs groups …`.
///
/// # Errors
/// See each command.
pub(super) fn run(command: &GroupsCommand) -> Result<Exit, Failure> {
    match command {
        GroupsCommand::List(args) => show::list(args),
        GroupsCommand::Describe(args) => show::describe(args),
        GroupsCommand::Lag(args) => show::lag(args),
        GroupsCommand::ResetOffsets(args) => reset::run(args),
    }
}
