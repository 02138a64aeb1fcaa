//! `cdc-jobs flink status | stop | logs`.

mod status;

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Format;
use crate::agent::exit::{Exit, Failure};
use crate::agent::output;
use crate::jobs::submit::jobmanager::{JobManager, JobOverview};
use crate::jobs::submit::rest::RestError;
use crate::jobs::submit::{self, SubmitError};

const FLINK: &str = "\
Examples:
  cdc-jobs flink status
  cdc-jobs flink status --format json | jq -r '.jobs[] | select(.state != \"RUNNING\") | .name'
  cdc-jobs flink stop dq-onprem-sales.events          with a savepoint, from which the next submit goes on
  cdc-jobs flink logs dq-onprem-sales.events          what it failed with

Exit codes: 0 ok, 1 bug, 2 usage, or no such job, 6 Flink does not answer or refuses.";

/// Where the JobManager is.
#[derive(Debug, Clone, Args)]
pub struct JobManagerArgs {
    /// Address of the JobManager
    #[arg(long, value_name = "URL", env = "CDC_JOBS_JOBMANAGER", default_value = "http://127.0.0.1:8081")]
    pub jobmanager: String,
}

/// `cdc-jobs flink`.
#[derive(Debug, Clone, Args)]
#[command(after_help = FLINK)]
pub struct FlinkArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: FlinkCommand,
}

/// The commands for jobs on a cluster.
#[derive(Debug, Clone, Subcommand)]
pub enum FlinkCommand {
    /// Print the state of jobs, since when, their restarts, newest checkpoint, and records read and written
    Status {
        /// Their names; without any, all jobs
        #[arg(value_name = "JOB")]
        jobs: Vec<String>,
        /// Form of the answer
        #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
        format: Format,
        /// Where the JobManager is
        #[command(flatten)]
        cluster: JobManagerArgs,
    },
    /// Stop jobs with a savepoint
    Stop {
        /// Their names
        #[arg(value_name = "JOB", required = true)]
        jobs: Vec<String>,
        /// Without a savepoint: the next submit goes on from the newest checkpoint
        #[arg(long)]
        no_savepoint: bool,
        /// Where the JobManager is
        #[command(flatten)]
        cluster: JobManagerArgs,
    },
    /// Print what a job failed with, the newest first
    Logs {
        /// Its name
        #[arg(value_name = "JOB")]
        job: String,
        /// Most failures
        #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10)]
        lines: usize,
        /// With their whole stack traces
        #[arg(long)]
        traces: bool,
        /// Where the JobManager is
        #[command(flatten)]
        cluster: JobManagerArgs,
    },
}

pub(super) fn run(args: &FlinkArgs) -> Result<Exit, Failure> {
    let at =
        |cluster: &JobManagerArgs| JobManager::at(&cluster.jobmanager).map_err(|error| failure(error.into()));
    let rest = |error: RestError| failure(error.into());
    match &args.command {
        FlinkCommand::Status { jobs, format, cluster } => {
            let jobmanager = at(cluster)?;
            let found = named(jobmanager.jobs().map_err(rest)?, jobs)?;
            let states: Result<Vec<Value>, RestError> =
                found.iter().map(|job| status::state(&jobmanager, job)).collect();
            let states = states.map_err(rest)?;
            match format {
                Format::Json => print(&format!("{:#}\n", json!({ "jobs": states }))),
                Format::Text if states.is_empty() => print("no jobs\n"),
                Format::Text => print(&states.iter().map(status::line).collect::<String>()),
            }?;
        }
        FlinkCommand::Stop { jobs, no_savepoint, cluster } => {
            let jobmanager = at(cluster)?;
            let found = named(jobmanager.jobs().map_err(rest)?, jobs)?;
            for job in found {
                print(&format!("{}: {}\n", job.name, stop(&jobmanager, &job, *no_savepoint).map_err(rest)?))?;
            }
        }
        FlinkCommand::Logs { job, lines, traces, cluster } => {
            let jobmanager = at(cluster)?;
            let found = named(jobmanager.jobs().map_err(rest)?, std::slice::from_ref(job))?;
            for job in found {
                let exceptions = jobmanager.exceptions(&job.id).map_err(rest)?;
                if exceptions.is_empty() {
                    print(&format!("{}: nothing has failed (job {})\n", job.name, job.id))?;
                }
                for exception in exceptions.iter().take(*lines) {
                    let task = exception.task_name.as_deref().unwrap_or("the job");
                    let text = if *traces { exception.stacktrace.clone() } else { exception.cause() };
                    print(&format!("{} {task}: {}\n", time_text(exception.timestamp), text.trim_end()))?;
                }
            }
        }
    }
    Ok(Exit::Ok)
}

/// The newest run of each job with one of these names, or of each job at all.
fn named(jobs: Vec<JobOverview>, names: &[String]) -> Result<Vec<JobOverview>, Failure> {
    let mut found: Vec<JobOverview> = Vec::new();
    for job in jobs {
        if (names.is_empty() || names.contains(&job.name)) && found.iter().all(|other| other.name != job.name)
        {
            found.push(job);
        }
    }
    if let Some(missing) = names.iter().find(|name| found.iter().all(|job| job.name != **name)) {
        return Err(Failure::new(Exit::Usage, format!("the JobManager knows no job {missing}"))
            .next("`cdc-jobs flink status` lists the jobs"));
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

fn stop(jobmanager: &JobManager, job: &JobOverview, no_savepoint: bool) -> Result<String, RestError> {
    if job.has_ended() {
        return Ok(format!("is {} already", job.state));
    }
    if no_savepoint {
        submit::cancel(jobmanager, &job.id)?;
        return Ok("cancelled".to_owned());
    }
    Ok(format!("stopped; the savepoint is {}", submit::stop(jobmanager, &job.id)?))
}

fn time_text(ms: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok();
    let form = time::format_description::well_known::Rfc3339;
    time.and_then(|time| time.format(&form).ok()).unwrap_or_else(|| ms.to_string())
}

/// What went wrong, with the exit code and what to do next.
pub(super) fn failure(error: SubmitError) -> Failure {
    let (exit, next) = match &error {
        SubmitError::File(..) => {
            (Exit::Unreadable, "`cdc-jobs sql` writes the SQL of the jobs; --sql names its folder")
        }
        SubmitError::Starts(..) | SubmitError::Twice(..) | SubmitError::Nameless(_) => {
            (Exit::Usage, "`cdc-jobs sql` writes the SQL of the jobs")
        }
        SubmitError::Checkpoints(_) => (Exit::Usage, "name a folder with --checkpoints"),
        SubmitError::Secret(..) => (Exit::Usage, "give it to this program as environments.yaml says"),
        SubmitError::Statement { .. } => {
            (Exit::Destination, "docs/submit.md says what Flink needs for the jobs")
        }
        SubmitError::UnknownState { .. } => (
            Exit::Usage,
            "name the savepoint or checkpoint with --from, or start without one with --fresh (also the first time)",
        ),
        SubmitError::NotUp { .. } => (
            Exit::Destination,
            "`cdc-jobs flink logs JOB` says more; when its state does not fit the SQL of now: `cdc-jobs flink stop JOB --no-savepoint`, then submit the rules as they were, or --fresh",
        ),
        SubmitError::Raced(..) => (Exit::Locked, "`cdc-jobs flink status` shows the other one"),
        SubmitError::Rest(RestError::Address(..)) => (Exit::Usage, "see --gateway and --jobmanager"),
        SubmitError::Rest(RestError::Away { .. }) => (
            Exit::Destination,
            "is the cluster running (`make up` starts one)? --gateway and --jobmanager name others",
        ),
        SubmitError::Rest(_) => {
            (Exit::Destination, "see --gateway and --jobmanager, and the logs of that service")
        }
    };
    Failure::new(exit, "Flink").because(error).next(next)
}

pub(super) fn print(text: &str) -> Result<(), Failure> {
    output::stdout()?.write_all(text.as_bytes()).map_err(Failure::stdout)
}
