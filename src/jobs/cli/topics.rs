//! `cdc-jobs topics`.

mod create;
mod lose;
mod show;

use clap::{Args, Subcommand};

use super::Format;
use super::target::TargetArgs;
use crate::agent::exit::{Exit, Failure};

const CREATE: &str = "\
With --env and without a name all topics of its jobs are made (docs/jobs.md), each with its cleanup.policy and retention;
those that are there are compared and left as they are.

Examples:
  cdc-jobs topics create --env onprem --partitions 6 --replication 3
  cdc-jobs topics create --env onprem --dry-run
  cdc-jobs topics create topic_onprem_sales --env onprem --config retention.ms=86400000

Exit codes: 0 all are there as they should be, 2 one differs, 6 the brokers refuse or do not answer.";

const LOSE: &str = "\
Without --yes it only says what would be lost.

Exit codes: 0 done, 2 without --yes, or there is no such topic, 6 the brokers refuse or do not answer.";

/// `cdc-jobs topics …`
#[derive(Debug, Subcommand)]
pub enum TopicsCommand {
    /// List topics: partitions, replicas, how many offsets they hold
    List(ListArgs),
    /// Show partitions, offsets and settings of topics
    Describe(DescribeArgs),
    /// Make a topic, or all topics of the jobs of an environment
    #[command(after_help = CREATE)]
    Create(CreateArgs),
    /// Delete topics, with everything in them
    #[command(after_help = LOSE)]
    Delete(LoseArgs),
    /// Delete the records of topics, up to their present ends; the topics stay (DeleteRecords)
    #[command(after_help = LOSE)]
    Purge(LoseArgs),
}

/// `cdc-jobs topics list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Which brokers.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Also Kafka's own topics (`__…`)
    #[arg(long)]
    pub internal: bool,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
}

/// `cdc-jobs topics describe`.
#[derive(Debug, Clone, Args)]
pub struct DescribeArgs {
    /// The topics
    #[arg(required = true, value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Which brokers.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
}

/// `cdc-jobs topics create`.
#[derive(Debug, Clone, Args)]
pub struct CreateArgs {
    /// A topic; without one, all topics of the jobs of the environment
    #[arg(value_name = "TOPIC", required_unless_present = "env")]
    pub topic: Option<String>,
    /// Which brokers.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Partitions [default: the brokers' num.partitions; the counters of the jobs have 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub partitions: Option<i32>,
    /// Replicas of each partition [default: the brokers' default.replication.factor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=100))]
    pub replication: Option<i32>,
    /// Setting of the topic by Kafka's name; only with a topic's name
    #[arg(long = "config", value_name = "NAME=VALUE", requires = "topic", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Only say what would be made, and compare
    #[arg(long)]
    pub dry_run: bool,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
}

/// `cdc-jobs topics delete` and `purge`.
#[derive(Debug, Clone, Args)]
pub struct LoseArgs {
    /// The topics
    #[arg(required = true, value_name = "TOPIC")]
    pub topics: Vec<String>,
    /// Which brokers.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Do it: what is lost cannot be had back
    #[arg(long)]
    pub yes: bool,
}

fn setting(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected <name>=<value>, with a name of Kafka's"),
    }
}

/// Runs `cdc-jobs topics …`.
///
/// # Errors
/// See each command.
pub(super) fn run(command: &TopicsCommand) -> Result<Exit, Failure> {
    match command {
        TopicsCommand::List(args) => show::list(args),
        TopicsCommand::Describe(args) => show::describe(args),
        TopicsCommand::Create(args) => create::run(args),
        TopicsCommand::Delete(args) => lose::run(args, lose::Loss::Topic),
        TopicsCommand::Purge(args) => lose::run(args, lose::Loss::Records),
    }
}
