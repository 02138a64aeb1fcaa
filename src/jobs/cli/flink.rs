//! `cdc-jobs submit`, and `cdc-jobs flink status | stop | logs`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Format, read_schema, report};
use crate::agent::exit::{Exit, Failure};
use crate::agent::output;
use crate::jobs::check::check;
use crate::jobs::submit::jobmanager::{JobManager, JobOverview};
use crate::jobs::submit::rest::RestError;
use crate::jobs::submit::scripts::{self, Script};
use crate::jobs::submit::{Cluster, Done, Options, Start, SubmitError, submit};

/// Names the jobs that compare two environments.
const DRIFT: &str = "drift";

const SUBMIT: &str = "\
Examples:
  cdc-jobs submit onprem                              all jobs of this environment
  cdc-jobs submit cloud drift
  cdc-jobs submit onprem --job dq-onprem-sales.events --replace

A job that runs is left alone. One that ran before goes on from its newest savepoint or checkpoint.

Exit codes: 0 every job runs, 1 bug, 2 usage, or something is wrong in the files or a secret is missing, 4 a file cannot
be read, 6 Flink does not answer, refuses a job, or a job fails, 7 somebody else submitted the job at the same time.";

const FLINK: &str = "\
Examples:
  cdc-jobs flink status
  cdc-jobs flink status --format json | jq -r '.jobs[] | select(.state != \"RUNNING\") | .name'
  cdc-jobs flink stop dq-onprem-sales.events          with a savepoint, from which the next submit goes on
  cdc-jobs flink logs dq-onprem-sales.events          what it failed with

Exit codes: 0 ok, 1 bug, 2 usage, or no such job, 6 Flink does not answer or refuses.";

/// `cdc-jobs submit`.
#[derive(Debug, Clone, Args)]
#[command(after_help = SUBMIT)]
pub struct SubmitArgs {
    /// Environments of environments.yaml: the jobs below the folder of that name in --sql; `drift`: those that compare two
    #[arg(value_name = "ENVIRONMENT", required = true)]
    pub environments: Vec<String>,
    /// Only these jobs (dq-onprem-sales.events)
    #[arg(long = "job", value_name = "NAME")]
    pub only: Vec<String>,
    /// Folder with environments.yaml and rules/
    #[arg(long, value_name = "DIR", default_value = "jobs")]
    pub jobs: PathBuf,
    /// Folder with the SQL of the jobs; without it, sql/ in --jobs
    #[arg(long, value_name = "DIR")]
    pub sql: Option<PathBuf>,
    /// Schema file to compare the rules with, as in `cdc-jobs check`
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    /// Address of the SQL gateway
    #[arg(long, value_name = "URL", env = "CDC_JOBS_SQL_GATEWAY", default_value = "http://127.0.0.1:8084")]
    pub gateway: String,
    /// Address of the JobManager
    #[command(flatten)]
    pub cluster: JobManagerArgs,
    /// URI of the folder of checkpoints and savepoints, instead of the environment's; each job has its own in it
    #[arg(long, value_name = "URI", env = "CDC_JOBS_CHECKPOINTS")]
    pub checkpoints: Option<String>,
    /// Stop jobs that run, with a savepoint, and let them go on from it with the SQL of now
    #[arg(long)]
    pub replace: bool,
    /// Start without the state of earlier runs: counts begin anew, offsets are those of the consumer group
    #[arg(long, conflicts_with = "from")]
    pub fresh: bool,
    /// Start from this savepoint or checkpoint (of one job)
    #[arg(long, value_name = "URI")]
    pub from: Option<String>,
    /// How long a new job may take until all its tasks run
    #[arg(long, value_name = "SECONDS", default_value_t = 90)]
    pub wait: u64,
}

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

pub(super) fn run_submit(args: &SubmitArgs) -> Result<Exit, Failure> {
    let schema = args.schema.as_deref().map(read_schema).transpose()?;
    let (project, findings) = check(&args.jobs, schema.as_ref());
    if !findings.is_empty() {
        print(&report::text(&project, &findings, schema.is_some()))?;
        return Err(Failure::new(Exit::Usage, "nothing is submitted: the files are wrong")
            .next("mend what is named above; `cdc-jobs check` says when it is right"));
    }
    let cluster =
        Cluster::at(&args.gateway, &args.cluster.jobmanager).map_err(|error| failure(error.into()))?;
    let mut wanted = Vec::new();
    for environment in &args.environments {
        let folder = args.sql.clone().unwrap_or_else(|| args.jobs.join("sql")).join(environment);
        wanted.extend(scripts::read(&folder).map_err(failure)?);
    }
    wanted.retain(|script| args.only.is_empty() || args.only.contains(&script.name));
    if let Some(missing) = args.only.iter().find(|name| wanted.iter().all(|script| script.name != **name)) {
        return Err(Failure::new(Exit::Usage, format!("there is no job {missing} in these environments")));
    }
    if wanted.is_empty() {
        let names = args.environments.join(", ");
        return Err(Failure::new(Exit::Usage, format!("there are no jobs of {names}")));
    }
    if args.from.is_some() && wanted.len() != 1 {
        let what = format!("--from belongs to one job, and these are {}", wanted.len());
        return Err(Failure::new(Exit::Usage, what).next("name it with --job"));
    }
    let options = Options {
        start: match &args.from {
            Some(path) => Start::From(path.clone()),
            None if args.fresh => Start::Fresh,
            None => Start::Newest,
        },
        is_replacing: args.replace,
        checkpoints: args.checkpoints.clone(),
        wait: Duration::from_secs(args.wait),
    };
    for script in &wanted {
        let done = submit(&cluster, script, &options, &mut say).map_err(failure)?;
        print(&format!("{}: {}\n", script.name, told(&done)))?;
    }
    Ok(Exit::Ok)
}

/// Whether a job is one of an environment, which has a folder of its own, or one between two.
fn belongs(script: &Script, name: &str, folder: &Path) -> bool {
    if name == DRIFT {
        return script.name.starts_with("drift-");
    }
    script.steps.last().is_some_and(|step| step.file.starts_with(folder.join(name)))
}

fn told(done: &Done) -> String {
    match done {
        Done::Runs { id, is_same: true } => format!("runs already (job {id})"),
        Done::Runs { id, is_same: false } => {
            format!("runs already with other SQL (job {id}); --replace takes the one of now")
        }
        Done::Started { id, from, replaced } => {
            let from = from
                .as_ref()
                .map_or_else(|| "without earlier state".to_owned(), |path| format!("from {path}"));
            let replaced = replaced.as_ref().map_or_else(String::new, |id| format!(", in place of job {id}"));
            format!("started {from} (job {id}{replaced})")
        }
    }
}

pub(super) fn run_flink(args: &FlinkArgs) -> Result<Exit, Failure> {
    let at =
        |cluster: &JobManagerArgs| JobManager::at(&cluster.jobmanager).map_err(|error| failure(error.into()));
    let rest = |error: RestError| failure(error.into());
    match &args.command {
        FlinkCommand::Status { jobs, format, cluster } => {
            let jobmanager = at(cluster)?;
            let found = named(jobmanager.jobs().map_err(rest)?, jobs)?;
            let states: Result<Vec<Value>, RestError> =
                found.iter().map(|job| state(&jobmanager, job)).collect();
            let states = states.map_err(rest)?;
            match format {
                Format::Json => print(&format!("{:#}\n", json!({ "jobs": states }))),
                Format::Text if states.is_empty() => print("no jobs\n"),
                Format::Text => print(&states.iter().map(line).collect::<String>()),
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
        jobmanager.cancel(&job.id)?;
        return Ok("cancelled".to_owned());
    }
    Ok(format!("stopped; the savepoint is {}", jobmanager.stop(&job.id)?))
}

/// What `status` tells of a job. Of a job that has ended the cluster keeps no metrics.
fn state(jobmanager: &JobManager, job: &JobOverview) -> Result<Value, RestError> {
    let (restarts, records) = if job.has_ended() {
        (None, None)
    } else {
        (jobmanager.restarts(&job.id)?, Some(jobmanager.records(&job.id)?))
    };
    let latest = jobmanager.checkpoints(&job.id)?.latest;
    let saved =
        latest.completed.into_iter().chain(latest.savepoint).max_by_key(|saved| saved.trigger_timestamp);
    let checkpoint = saved.map(|saved| {
        json!({
            "id": saved.id,
            "at_ms": saved.trigger_timestamp,
            "took_ms": saved.end_to_end_duration,
            "state_bytes": saved.state_size,
            "path": saved.external_path,
        })
    });
    let cause = jobmanager.exceptions(&job.id)?.first().map(|exception| exception.cause());
    Ok(json!({
        "name": job.name,
        "id": job.id,
        "state": job.state,
        "started_ms": job.start_time,
        "running_ms": job.duration,
        "restarts": restarts,
        "checkpoint": checkpoint,
        "records_in": records.map(|(read, _)| read),
        "records_out": records.map(|(_, written)| written),
        "last_failure": cause,
    }))
}

/// A job in one line, and its last failure below.
fn line(job: &Value) -> String {
    let text = |key: &str| job.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |key: &str| job.get(key).and_then(Value::as_u64);
    let shown = |key: &str| number(key).map_or_else(|| "-".to_owned(), |number| number.to_string());
    let at = job.pointer("/checkpoint/at_ms").and_then(Value::as_i64);
    let checkpoint = at.map_or_else(|| "no checkpoint".to_owned(), |at| format!("checkpoint {}", ago(at)));
    let failure = text("last_failure");
    let failure =
        failure.lines().next().map_or_else(String::new, |line| format!("    last failure: {line}\n"));
    format!(
        "{:36} {:10} {:>9}, restarts {}, {checkpoint}, records in {}, out {}\n{failure}",
        text("name"),
        text("state"),
        duration(number("running_ms").unwrap_or(0) / 1000),
        shown("restarts"),
        shown("records_in"),
        shown("records_out"),
    )
}

fn ago(at_ms: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let at = u64::try_from(at_ms).unwrap_or(0) / 1000;
    format!("{} ago", duration(now.saturating_sub(at)))
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

fn time_text(ms: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok();
    let form = time::format_description::well_known::Rfc3339;
    time.and_then(|time| time.format(&form).ok()).unwrap_or_else(|| ms.to_string())
}

/// What went wrong, with the exit code and what to do next.
fn failure(error: SubmitError) -> Failure {
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
            "`cdc-jobs flink logs JOB` says more; when its state does not fit the SQL of now: --fresh, or --from another one",
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

fn print(text: &str) -> Result<(), Failure> {
    output::stdout()?.write_all(text.as_bytes()).map_err(Failure::stdout)
}

/// Progress; a closed standard error is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
