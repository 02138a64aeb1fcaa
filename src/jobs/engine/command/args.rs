//! The options of `cdc-jobs run`.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::jobs::cli::Format;
use crate::jobs::engine::places::Place;

const DQ: &str = "\
Examples:
  cdc-jobs run dq --env onprem --table sales.events                       Kafka → Cassandra and Kafka, until stopped
  cdc-jobs run dq --env onprem --table sales.events --from log --out dq --valid-rows topic --until-end
                                                                          file logs alone, without any service
  cdc-jobs run dq --env onprem --table sales.events --http 127.0.0.1:8084 with /metrics, /status, /livez, /readyz

Exit codes: 0 ok, 2 usage, or a guard refused, 3 records were gone or counters do not go together, 4 the input or the
state cannot be read, 6 the destination refused, 7 another process runs this job.";

const HASH: &str = "\
Examples:
  cdc-jobs run hash --env onprem --table sales.events                     Kafka → <prefix>_hash_events, until stopped
  cdc-jobs run hash --env onprem --table sales.events --from log --out hashes --until-end

Exit codes: as of run dq.";

const AUDIT: &str = "\
Examples:
  cdc-jobs run audit --env onprem --table sales.users                     Kafka → <prefix>.audit.<table>, until stopped
  cdc-jobs run audit --env onprem --table sales.users --from log --out trail --until-end
                                                                          file logs alone, without any service

The rules file says audit: true. docs/jobs.md says what a commit log cannot know. Exit codes: as of run dq.";

const DRIFT: &str = "\
Examples:
  cdc-jobs run drift --env onprem --table sales.events                    both sides from Kafka, verdicts to the brokers
                                                                          of onprem, until stopped
  cdc-jobs run drift --env onprem --table sales.events --from onprem-log --other-from cloud-log --out drift --until-end
                                                                          file logs alone, without any service
  cdc-jobs run drift --env onprem --table sales.events --from onprem-log --other-from cloud-log --out drift --finished
                                                                          file logs that cdc-agent replay wrote

docs/drift.md says what the verdicts mean. Exit codes: 0 ok, 2 usage, 3 records were gone or no agent wrote them, 4 the
input or the state cannot be read, 6 the destination refused, 7 another process runs this job.";

/// `cdc-jobs run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Which job.
    #[command(subcommand)]
    pub command: RunCommand,
}

/// The kinds of jobs.
#[derive(Debug, Clone, Subcommand)]
pub enum RunCommand {
    /// Judge records by the rules of their table: valid rows to Cassandra, broken records to the dead-letter topic, counters
    #[command(after_help = DQ)]
    Dq(JobArgs),
    /// Pass on the row hashes of a table's CDC topic: one event for each change, each change once
    #[command(after_help = HASH)]
    Hash(JobArgs),
    /// Record the writes of a table: inserted, updated, deleted, with their times, each once
    #[command(after_help = AUDIT)]
    Audit(JobArgs),
    /// Compare a table's rows in two environments: verdicts to dq_reconciliation_audit and dq_reconciliation_current
    #[command(after_help = DRIFT)]
    Drift(DriftArgs),
}

/// `cdc-jobs run drift`. The environment is one of the two sides; it takes the verdicts.
#[derive(Debug, Clone, Args)]
pub struct DriftArgs {
    /// Of every job
    #[command(flatten)]
    pub job: JobArgs,
    /// Where the topics of the other side are: kafka, or the directory of a file log; default as --from
    #[arg(long, value_name = "kafka|DIR")]
    pub other_from: Option<Place>,
    /// Both file logs are finished: decide about everything at their end, as no heartbeat says that they are complete
    /// (cdc-agent replay writes none). With it the job ends there, as with --until-end
    #[arg(long)]
    pub finished: bool,
}

/// Where valid rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ValidRows {
    /// To the table in the environment's data centre
    Cassandra,
    /// To the topic {prefix}.valid.<table>
    Topic,
    /// Nowhere
    None,
}

/// The options of a job.
#[derive(Debug, Clone, Args)]
pub struct JobArgs {
    /// Environment in environments.yaml
    #[arg(long, value_name = "NAME")]
    pub env: String,
    /// Table of the rules file
    #[arg(long, value_name = "KEYSPACE.TABLE")]
    pub table: String,
    /// Folder with environments.yaml and rules/
    #[arg(long, alias = "dir", value_name = "DIR", default_value = "jobs")]
    pub jobs: PathBuf,
    /// Where the topic is: kafka, or the directory of a file log
    #[arg(long, value_name = "kafka|DIR", default_value = "kafka")]
    pub from: Place,
    /// Where outputs go: kafka, or the directory of a file log
    #[arg(long, value_name = "kafka|DIR", default_value = "kafka")]
    pub out: Place,
    /// Partitions of each topic of a new file log; 1 when it is not given
    #[arg(long, value_name = "N")]
    pub partitions: Option<NonZeroU16>,
    /// Directory of the job's state; default <out>.state/<job>, or embedded/<job> in the environment's checkpoints
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// End when everything is read that was there, and close all minutes
    #[arg(long)]
    pub until_end: bool,
    /// When the state is lost: read all that the topic still holds once more, without output, and go on
    #[arg(long, conflicts_with = "begin_anew")]
    pub rebuild_state: bool,
    /// With an empty state directory: begin at the first records that the topics hold, whatever the outputs say of this job
    #[arg(long)]
    pub begin_anew: bool,
    /// dq: where valid rows go; default cassandra where the rules file says so, else none
    #[arg(long, value_enum, value_name = "PLACE")]
    pub valid_rows: Option<ValidRows>,
    /// dq: write no counters to metrics.dq_counts
    #[arg(long)]
    pub no_counts_table: bool,
    /// Serve /metrics, /status, /livez and /readyz there: address and port
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// Form of the summary at the end
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
    /// Say only what needs attention
    #[arg(long, short)]
    pub quiet: bool,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        job: JobArgs,
    }

    #[test]
    fn a_state_is_rebuilt_or_begun_anew_not_both() {
        let parse = |more: &[&str]| {
            Line::try_parse_from([&["run", "--env", "onprem", "--table", "sales.events"], more].concat())
        };
        assert!(parse(&["--rebuild-state"]).is_ok_and(|line| line.job.rebuild_state));
        assert!(parse(&["--begin-anew"]).is_ok_and(|line| line.job.begin_anew));
        let error = parse(&["--begin-anew", "--rebuild-state"]).unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::ArgumentConflict);
    }
}
