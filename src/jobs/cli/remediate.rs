//! `cdc-jobs remediate`.

mod apply;
mod approve;
mod look;
mod open;
mod propose;
mod text;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Format;
use crate::agent::exit::{Exit, Failure};
use crate::cli::TableName;
use crate::jobs::engine::places::Place;
pub(in crate::jobs) use look::Known;
pub(in crate::jobs) use propose::propose_at;

const PROPOSE: &str = "\
Reads the verdicts that stand (dq_reconciliation_current) and proposes the winner's change for each DRIFT, MISSING_ONPREM and
MISSING_CLOUD that has stood long enough. It writes steps to dq_remediation_audit, and to no Cassandra.

Examples:
  cdc-jobs remediate propose --env onprem --table sales.events
  cdc-jobs remediate propose --env onprem --table sales.events --verdicts drift --from onprem-log --other-from cloud-log
                                                                      file logs alone, without any service

Exit codes: 0 ok, 2 usage, 3 a node is silent: nothing is proposed, 4 a file log cannot be read, 6 brokers do not answer or
refuse, 7 another program writes.";

const APPROVE: &str = "\
Examples:
  cdc-jobs remediate approve 5d1c0f62a1b0 --by ada --env onprem --table sales.events
  cdc-jobs remediate approve --policy nightly.yaml --env onprem --table sales.events

Exit codes: 0 ok, 2 usage, or one of them is not to be approved: then none is, 4, 6, 7 as of propose.";

const APPLY: &str = "\
Without --execute it says what it would write, and writes nothing. With it each approved repair is written into the target's
data centre alone: nodes, networks, replication and table are checked before the first write. What is newer there stays.

Examples:
  cdc-jobs remediate apply --target cloud --env onprem --table sales.events
  cdc-jobs remediate apply --target cloud --env onprem --table sales.events --execute --by ada

Exit codes: 0 ok, 2 usage, not approved, or a guard refused, 3 stopped by a limit or because a node is silent, 4 a file log
cannot be read, 6 a write failed, or brokers or nodes do not answer, 7 somebody else applies.";

/// `cdc-jobs remediate …`
#[derive(Debug, Subcommand)]
pub enum RemediateCommand {
    /// Propose repairs of confirmed drift
    #[command(after_help = PROPOSE)]
    Propose(ProposeArgs),
    /// List proposals
    List(ListArgs),
    /// Show a proposal: what differs, by which evidence, and all its steps
    Show(ShowArgs),
    /// Say that proposals may be applied
    #[command(after_help = APPROVE)]
    Approve(ApproveArgs),
    /// Say that proposals are not to be applied
    Reject(RejectArgs),
    /// Write approved repairs into one data centre; without --execute only say what would be written
    #[command(after_help = APPLY)]
    Apply(ApplyArgs),
    /// Count proposals by state, and say what the limits leave
    Status(StatusArgs),
}

/// Which table, and where its verdicts are.
#[derive(Debug, Clone, Args)]
pub struct TableArgs {
    /// Environment of environments.yaml whose brokers hold the verdicts, as of `run drift`
    #[arg(long, value_name = "NAME")]
    pub env: String,
    /// The table; its rules file has a section drift
    #[arg(long, value_name = "KEYSPACE.TABLE")]
    pub table: TableName,
    /// Where verdicts are, and steps are written: kafka, or the directory of a file log
    #[arg(long, value_name = "kafka|DIR", default_value = "kafka")]
    pub verdicts: Place,
    /// Folder with environments.yaml and rules/
    #[arg(long, value_name = "DIR", default_value = "jobs")]
    pub jobs: PathBuf,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
}

/// Where the changes of the sides are.
#[derive(Debug, Clone, Args)]
pub struct FromArgs {
    /// Where the topics of the environment's side are: kafka, or the directory of a file log
    #[arg(long, value_name = "kafka|DIR", default_value = "kafka")]
    pub from: Place,
    /// Where those of the other side are; default as --from
    #[arg(long, value_name = "kafka|DIR")]
    pub other_from: Option<Place>,
}

/// `cdc-jobs remediate propose`.
#[derive(Debug, Clone, Args)]
pub struct ProposeArgs {
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
    /// Where changes are.
    #[command(flatten)]
    pub from: FromArgs,
}

/// States by which proposals can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum State {
    /// Waits for a word
    Proposed,
    /// May be applied
    Approved,
    /// Will not be applied
    Rejected,
    /// Is written
    Applied,
    /// Was not taken; may be applied again
    Failed,
    /// Came too late
    Expired,
    /// Needs a person
    Escalated,
}

/// `cdc-jobs remediate list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
    /// Only those in this state
    #[arg(long, value_enum, value_name = "STATE")]
    pub state: Option<State>,
}

/// `cdc-jobs remediate show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The proposal
    #[arg(value_name = "ID")]
    pub id: String,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

/// `cdc-jobs remediate approve`.
#[derive(Debug, Clone, Args)]
pub struct ApproveArgs {
    /// The proposals
    #[arg(value_name = "ID", required_unless_present = "policy", conflicts_with = "policy")]
    pub ids: Vec<String>,
    /// Who approves
    #[arg(long, value_name = "NAME", required_unless_present = "policy")]
    pub by: Option<String>,
    /// Approve what this file allows: docs/remediation.md, section 4
    #[arg(long, value_name = "FILE", conflicts_with = "by")]
    pub policy: Option<PathBuf>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

/// `cdc-jobs remediate reject`.
#[derive(Debug, Clone, Args)]
pub struct RejectArgs {
    /// The proposals
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// Who rejects
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

/// `cdc-jobs remediate apply`.
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// The proposals; all approved ones of the target when there are none
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// The environment that is written to, the only one
    #[arg(long, value_name = "NAME")]
    pub target: String,
    /// Write
    #[arg(long)]
    pub execute: bool,
    /// Who applies
    #[arg(long, value_name = "NAME", required_if_eq("execute", "true"))]
    pub by: Option<String>,
    /// Wait when a minute's repairs are written, and go on; without it that ends the run
    #[arg(long, requires = "execute")]
    pub wait: bool,
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
    /// Where changes are.
    #[command(flatten)]
    pub from: FromArgs,
}

/// `cdc-jobs remediate status`.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// Which table.
    #[command(flatten)]
    pub table: TableArgs,
}

/// Runs `cdc-jobs remediate …`.
///
/// # Errors
/// See each command.
pub(super) fn run(command: &RemediateCommand) -> Result<Exit, Failure> {
    match command {
        RemediateCommand::Propose(args) => propose::run(args),
        RemediateCommand::List(args) => look::list(args),
        RemediateCommand::Show(args) => look::show(args),
        RemediateCommand::Approve(args) => approve::approve(args),
        RemediateCommand::Reject(args) => approve::reject(args),
        RemediateCommand::Apply(args) => apply::run(args),
        RemediateCommand::Status(args) => look::status(args),
    }
}
