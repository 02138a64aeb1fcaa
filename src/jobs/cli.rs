//! The command line of `cdc-jobs`, and its commands.

mod columns;
#[cfg(feature = "cql")]
mod compare;
#[cfg(feature = "flink")]
mod flink;
mod folder;
#[cfg(feature = "kafka")]
mod groups;
#[cfg(feature = "kafka")]
mod place;
#[cfg(feature = "kafka")]
mod reconcile;
pub(in crate::jobs) mod remediate;
mod report;
#[cfg(all(feature = "http", feature = "kafka"))]
mod rest;
#[cfg(feature = "kafka")]
mod seed;
mod sql;
mod stop;
#[cfg(feature = "flink")]
mod submit;
#[cfg(feature = "kafka")]
mod tail;
#[cfg(feature = "kafka")]
mod target;
#[cfg(feature = "kafka")]
mod topics;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::check::check;
use super::engine;
use super::engine::command::RunArgs;
use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::agent::{completions, output};
use crate::cli::{CompletionsArgs, ManArgs};
use crate::schema::{self, Schema, build};
pub use sql::SqlArgs;

const TOP: &str = "\
Examples:
  cdc-jobs check                                      are the files in jobs/ right?
  cdc-jobs check --schema schema.json --format json   and do they fit the tables? for CI
  cdc-jobs schema rules > rules.schema.json           for an editor
  cdc-jobs run dq --env onprem --table sales.events   run a job
  cdc-jobs sql                                        the jobs as Flink SQL, into jobs/sql/
  cdc-jobs remediate propose --env onprem --table sales.events    repairs of the drift that was found
  cdc-jobs topics create --env onprem                 the topics that its jobs need
  cdc-jobs submit onprem                              its jobs onto a Flink cluster
  cdc-jobs seed --env onprem --table sales.events     records to try them with
  cdc-jobs tail onprem.dlq.sales.events --env onprem  what was broken, and why

Exit codes: 0 ok, 1 bug, 2 usage, or something is wrong in the files, 3 records were gone, 4 a file cannot be read,
6 Kafka, Flink, Cassandra or a file log cannot be reached or refuses, 7 somebody else uses it.";

const CHECK: &str = "\
Examples:
  cdc-jobs check
  cdc-jobs check --jobs jobs --schema jobs/tables.cql
  cdc-jobs check --format json | jq -r '.findings[] | \"\\(.file):\\(.line): \\(.message)\"'

Exit codes: 0 nothing found, 2 something found, 4 the schema cannot be read.";

const SCHEMA: &str = "\
Examples:
  cdc-jobs schema rules > rules.schema.json
  cdc-jobs schema environments > environments.schema.json

Editors with a YAML language server take a schema from the first line of a file:
  # yaml-language-server: $schema=../schema/rules.schema.json";

/// Jobs over the records of cdc-agent: data quality and drift, one topic and one data centre a job.
///
/// What people edit stands in a folder: environments.yaml, and rules/<keyspace>.<table>.yaml for each table.
#[derive(Debug, Parser)]
#[command(name = "cdc-jobs", version, propagate_version = true, max_term_width = 120)]
#[command(subcommand_required = true, arg_required_else_help = true, after_help = TOP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what is wrong with environments and rules, by themselves, with each other, and with the tables
    #[command(after_help = CHECK)]
    Check(CheckArgs),
    /// Look at jobs on a Flink cluster, and stop them
    #[cfg(feature = "flink")]
    Flink(flink::FlinkArgs),
    /// Repair drift: propose, approve, and write into one data centre what one side lacks
    #[command(subcommand)]
    Remediate(remediate::RemediateCommand),
    /// Run a job in this process, over Kafka or file logs
    Run(Box<RunArgs>),
    /// Print the JSON Schema of one of the files
    #[command(after_help = SCHEMA)]
    Schema(SchemaArgs),
    /// Write the jobs as Flink SQL, or say which of the written files are not what the rules say
    #[command(after_help = sql::EXAMPLES)]
    Sql(SqlArgs),
    /// Submit jobs to a Flink cluster, those that run excepted
    #[cfg(feature = "flink")]
    Submit(submit::SubmitArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
    /// Print the manual page, or write the pages of all commands
    Man(ManArgs),
    /// Compare some rows of two environments, read-only, one side after the other
    #[cfg(feature = "cql")]
    #[command(after_help = compare::HELP)]
    Compare(compare::CompareArgs),
    /// Write good and bad records of a table to its topic, to try jobs with
    #[cfg(feature = "kafka")]
    #[command(after_help = seed::HELP)]
    Seed(seed::SeedArgs),
    /// List, describe, make, delete and purge topics
    #[cfg(feature = "kafka")]
    #[command(subcommand)]
    Topics(topics::TopicsCommand),
    /// Compare what a data quality job counted with what it read and with its dead letters
    #[cfg(feature = "kafka")]
    #[command(after_help = reconcile::HELP)]
    Reconcile(reconcile::ReconcileArgs),
    /// Read the records of a topic
    #[cfg(feature = "kafka")]
    #[command(after_help = tail::HELP)]
    Tail(tail::TailArgs),
    /// Take records over HTTP in the JSON form of the Kafka REST proxy
    #[cfg(all(feature = "http", feature = "kafka"))]
    #[command(after_help = rest::HELP)]
    Rest(rest::RestArgs),
    /// List and describe consumer groups, show how far they are behind, reset their offsets
    #[cfg(feature = "kafka")]
    #[command(subcommand)]
    Groups(groups::GroupsCommand),
}

/// `cdc-jobs check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Folder with environments.yaml and rules/
    #[arg(long, value_name = "DIR", default_value = "jobs")]
    pub jobs: PathBuf,
    /// Schema file to compare with: JSON of system_schema, or the CQL of DESCRIBE SCHEMA WITH INTERNALS
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
}

/// Form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A line a finding
    Text,
    /// One JSON object
    Json,
}

/// `cdc-jobs schema`.
#[derive(Debug, Clone, Copy, Args)]
pub struct SchemaArgs {
    /// Which file
    #[arg(value_enum)]
    pub file: FileKind,
}

/// The kinds of files that people edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileKind {
    /// environments.yaml
    Environments,
    /// rules/<keyspace>.<table>.yaml
    Rules,
}

impl FileKind {
    /// The JSON Schema of such a file.
    #[must_use]
    pub fn json_schema(self) -> &'static str {
        match self {
            Self::Environments => include_str!("../../jobs/schema/environments.schema.json"),
            Self::Rules => include_str!("../../jobs/schema/rules.schema.json"),
        }
    }
}

/// Runs a command.
///
/// # Errors
/// The schema cannot be read, or standard output cannot be written. Findings are no error: the exit code tells.
pub fn run(cli: &Cli) -> Result<Exit, Failure> {
    log::program("cdc-jobs");
    match &cli.command {
        Command::Check(args) => run_check(args),
        #[cfg(feature = "flink")]
        Command::Flink(args) => flink::run(args),
        #[cfg(feature = "flink")]
        Command::Submit(args) => submit::run(args),
        Command::Remediate(command) => remediate::run(command),
        Command::Run(args) => engine::command::command(args),
        Command::Schema(args) => {
            print(args.file.json_schema())?;
            Ok(Exit::Ok)
        }
        Command::Sql(args) => sql::run(args),
        Command::Completions(args) => completions::completions::<Cli>(args),
        Command::Man(args) => completions::man::<Cli>(args),
        #[cfg(feature = "cql")]
        Command::Compare(args) => compare::run(args),
        #[cfg(feature = "kafka")]
        Command::Seed(args) => seed::run(args),
        #[cfg(feature = "kafka")]
        Command::Topics(command) => topics::run(command),
        #[cfg(feature = "kafka")]
        Command::Tail(args) => tail::run(args),
        #[cfg(feature = "kafka")]
        Command::Reconcile(args) => reconcile::run(args),
        #[cfg(all(feature = "http", feature = "kafka"))]
        Command::Rest(args) => rest::run(args),
        #[cfg(feature = "kafka")]
        Command::Groups(command) => groups::run(command),
    }
}

/// Writes a text to standard output.
fn print(text: &str) -> Result<(), Failure> {
    output::stdout()?.write_all(text.as_bytes()).map_err(Failure::stdout)
}

/// Writes indented JSON to standard output.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let bug =
        |error: serde_json::Error| Failure::new(Exit::Bug, "the answer cannot be written").because(error);
    print(&(serde_json::to_string_pretty(value).map_err(bug)? + "\n"))
}

fn run_check(args: &CheckArgs) -> Result<Exit, Failure> {
    let schema = args.schema.as_deref().map(read_schema).transpose()?;
    let (project, findings) = check(&args.jobs, schema.as_ref());
    let text = match args.format {
        Format::Text => report::text(&project, &findings, schema.is_some()),
        Format::Json => report::json(&project, &findings),
    };
    print(&text)?;
    Ok(if findings.is_empty() { Exit::Ok } else { Exit::Usage })
}

fn read_schema(path: &std::path::Path) -> Result<Schema, Failure> {
    let failure = |error: String| {
        Failure::new(Exit::Unreadable, error).next("`cdc-agent schema check` says what it should hold")
    };
    let loaded = schema::load(path).map_err(|error| failure(error.to_string()))?;
    let built = build(&loaded.rows);
    if let Some(problem) = loaded.problems.iter().chain(&built.problems).next() {
        return Err(failure(format!("schema file {}: {problem}", path.display())));
    }
    Ok(built.schema)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn definitions_are_consistent() {
        super::Cli::command().debug_assert();
    }
}
