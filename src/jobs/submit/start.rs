//! Submits a job: once, from where an earlier run ended, and not before all of it is known to be right.

use std::thread::sleep;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::SubmitError;
use super::gateway::Session;
use super::jobmanager::{JobManager, JobOverview};
use super::rest::{Rest, RestError};
use super::resume::{self, Folders};
use super::scripts::{Script, Step};
use super::secrets::Secrets;

/// A job carries the SHA-256 of its SQL under this name.
const DIGEST: &str = "cdc-jobs.sql";
/// A job carries the URI of its folder of savepoints under this name: Flink takes the cluster's, whatever a job is
/// submitted with.
const SAVEPOINTS: &str = "cdc-jobs.savepoints";
/// Where a job's SQL may say where checkpoints are kept: Flink's name since 1.20, and the one before.
const CHECKPOINTS: [&str; 2] = ["execution.checkpointing.dir", "state.checkpoints.dir"];
/// A job that was stopped ends at once.
const LIMIT: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(250);

/// A Flink cluster and the gateway to it.
#[derive(Debug)]
pub struct Cluster {
    gateway: Rest,
    jobmanager: JobManager,
}

impl Cluster {
    /// The cluster with its SQL gateway and its JobManager at these addresses. Nothing is asked yet.
    ///
    /// # Errors
    /// One is no address.
    pub fn at(gateway: &str, jobmanager: &str) -> Result<Self, RestError> {
        Ok(Self { gateway: Rest::at("SQL gateway", gateway)?, jobmanager: JobManager::at(jobmanager)? })
    }
}

/// From where a job starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// From the newest savepoint or checkpoint of an earlier run, if there is one.
    Newest,
    /// Without state.
    Fresh,
    /// From this savepoint or checkpoint.
    From(String),
}

/// How a job is submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// From where it starts.
    pub start: Start,
    /// Whether a run of it is stopped first.
    pub is_replacing: bool,
    /// URI of the folder of checkpoints and savepoints, instead of the one that the SQL says. Each job has its own in it.
    pub checkpoints: Option<String>,
    /// How long it may take until all its tasks run.
    pub wait: Duration,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Nothing: it runs already.
    Runs {
        /// Its id.
        id: String,
        /// Whether it was submitted with the same SQL.
        is_same: bool,
    },
    /// It runs now.
    Started {
        /// Its id.
        id: String,
        /// From which savepoint or checkpoint.
        from: Option<String>,
        /// The id of the run that was stopped for it.
        replaced: Option<String>,
    },
}

/// Submits a job unless it runs, and waits until all its tasks do. `say` is told what takes a while.
///
/// # Errors
/// The cluster does not answer or refuses the job, a secret is missing, it is not known where the job would have to go
/// on, or the job fails.
pub fn submit(
    cluster: &Cluster,
    script: &Script,
    options: &Options,
    say: &mut dyn FnMut(&str),
) -> Result<Done, SubmitError> {
    let (jobmanager, name) = (&cluster.jobmanager, &script.name);
    let jobs = jobmanager.jobs()?;
    let running = running(&jobs, name);
    if let Some(job) = running.filter(|_| !options.is_replacing) {
        let is_same = jobmanager.parameter(&job.id, DIGEST)? == Some(script.digest());
        return Ok(Done::Runs { id: job.id.clone(), is_same });
    }
    let root = options.checkpoints.clone().or_else(|| script.setting(&CHECKPOINTS));
    let folders = Folders::of(&root.ok_or_else(|| SubmitError::Checkpoints(name.clone()))?, name);
    let run = Run { name, session: Session::open(&cluster.gateway)?, secrets: Secrets::default() };
    let (run, last) = run.prepared(script, &folders, running.is_some(), say)?;
    let from = match (running, &options.start) {
        (Some(job), start) => stopped(jobmanager, job, start, say)?,
        (None, Start::Newest) => resume::find(jobmanager, &jobs, name, &folders)?,
        (None, Start::Fresh) => None,
        (None, Start::From(path)) => Some(path.clone()),
    };
    if let Some(path) = &from {
        say(&format!("{name}: goes on from {path} …"));
        run.set("execution.state-recovery.path", path)?;
    }
    let id = run.started(&last)?;
    alone(jobmanager, name, &id)?;
    up(jobmanager, name, &id, options.wait).map_err(|error| run.hidden(error))?;
    Ok(Done::Started { id, from, replaced: running.map(|job| job.id.clone()) })
}

fn running<'j>(jobs: &'j [JobOverview], name: &str) -> Option<&'j JobOverview> {
    jobs.iter().find(|job| job.name == name && !job.has_ended())
}

/// Ends a run; returns from where the next one goes on.
fn stopped(
    jobmanager: &JobManager,
    job: &JobOverview,
    start: &Start,
    say: &mut dyn FnMut(&str),
) -> Result<Option<String>, SubmitError> {
    if *start == Start::Fresh {
        say(&format!("{}: job {} is cancelled …", job.name, job.id));
        cancel(jobmanager, &job.id)?;
        return Ok(None);
    }
    say(&format!("{}: job {} is stopped with a savepoint …", job.name, job.id));
    let savepoint = stop(jobmanager, &job.id)?;
    ended(jobmanager, &job.id)?;
    match start {
        Start::From(path) => Ok(Some(path.clone())),
        Start::Newest | Start::Fresh => Ok(Some(savepoint)),
    }
}

/// Stops a job with a savepoint in its own folder; returns the savepoint's URI.
///
/// # Errors
/// The JobManager does not answer, or there is no savepoint: then the job goes on.
pub fn stop(jobmanager: &JobManager, id: &str) -> Result<String, RestError> {
    let folder = jobmanager.parameter(id, SAVEPOINTS)?;
    jobmanager.stop(id, folder.as_deref())
}

/// Cancels a job, and waits for its end: until then a submit would take it for one that runs.
///
/// # Errors
/// The JobManager does not answer.
pub fn cancel(jobmanager: &JobManager, id: &str) -> Result<(), RestError> {
    jobmanager.cancel(id)?;
    ended(jobmanager, id)
}

/// Waits for the end of a job that was asked to end.
fn ended(jobmanager: &JobManager, id: &str) -> Result<(), RestError> {
    let end = Instant::now() + LIMIT;
    while jobmanager.jobs()?.iter().any(|job| job.id == id && !job.has_ended()) && Instant::now() < end {
        sleep(PAUSE);
    }
    Ok(())
}

/// Statements of one job in their session.
struct Run<'c> {
    name: &'c str,
    session: Session<'c>,
    secrets: Secrets,
}

/// The statement that starts the job, with secrets in it.
struct Last<'s> {
    step: &'s Step,
    sql: Zeroizing<String>,
}

impl<'c> Run<'c> {
    /// Runs everything but the last statement. Where a run is to be replaced, the last one is planned, too: an error
    /// in it shall be known before that run is stopped.
    fn prepared<'s>(
        mut self,
        script: &'s Script,
        folders: &Folders,
        is_replacing: bool,
        say: &mut dyn FnMut(&str),
    ) -> Result<(Self, Last<'s>), SubmitError> {
        let mut filled = Vec::new();
        for step in &script.steps {
            filled.push(self.secrets.filled(&step.sql, &step.place())?);
        }
        let mut steps = script.steps.iter().zip(filled);
        let (step, sql) = steps.next_back().ok_or_else(|| SubmitError::Nameless(script.name.clone()))?;
        say(&format!("{}: {} statements are planned …", self.name, script.steps.len()));
        for (step, sql) in steps {
            self.statement(step, &sql)?;
        }
        for (key, value) in [
            ("pipeline.name", self.name),
            ("pipeline.global-job-parameters", &parameters(&script.digest(), &folders.savepoints)),
            ("execution.checkpointing.dir", &folders.checkpoints),
            ("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION"),
        ] {
            self.set(key, value)?;
        }
        if is_replacing {
            self.statement(step, &Zeroizing::new(explained(&sql)))?;
        }
        Ok((self, Last { step, sql }))
    }

    /// What a job failed with, without the secrets that it was given.
    fn hidden(&self, error: SubmitError) -> SubmitError {
        match error {
            SubmitError::NotUp { job, id, state, cause } => {
                SubmitError::NotUp { job, id, state, cause: self.secrets.hidden(&cause) }
            }
            error => error,
        }
    }

    fn set(&self, key: &str, value: &str) -> Result<(), SubmitError> {
        let value = value.replace('\'', "''");
        self.session.run(&format!("SET '{key}' = '{value}'"))?;
        Ok(())
    }

    fn statement(&self, step: &Step, sql: &str) -> Result<Option<String>, SubmitError> {
        self.session.run(sql).map_err(|error| match error {
            RestError::Refused { cause, at, .. } => SubmitError::Statement {
                job: self.name.to_owned(),
                place: place(step, at),
                cause: self.secrets.hidden(&cause),
            },
            error => error.into(),
        })
    }

    /// Runs the last statement; returns the id of the job.
    fn started(&self, last: &Last<'_>) -> Result<String, SubmitError> {
        self.statement(last.step, &last.sql)?.ok_or_else(|| SubmitError::Statement {
            job: self.name.to_owned(),
            place: last.step.place(),
            cause: "the gateway took the statement and names no job that it started".to_owned(),
        })
    }
}

/// A map as Flink reads it.
fn parameters(digest: &str, savepoints: &str) -> String {
    format!("{DIGEST}:{digest},{SAVEPOINTS}:'{}'", savepoints.replace('\'', "''"))
}

/// The statement that plans what `sql` would start.
fn explained(sql: &str) -> String {
    let rest = sql.trim_start();
    let is_execute = rest.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("EXECUTE"));
    let rest = if is_execute { rest.get(7..).unwrap_or_default() } else { rest };
    format!("EXPLAIN {rest}")
}

/// `file:line`, or `file:line:column` where Flink counts them in the statement.
fn place(step: &Step, at: Option<(usize, usize)>) -> String {
    match at {
        Some((line, column)) => format!("{}:{}:{column}", step.file.display(), step.line + line - 1),
        None => step.place(),
    }
}

/// Two runs of one job would fence each other's transactions: the later one gives way.
fn alone(jobmanager: &JobManager, name: &str, id: &str) -> Result<(), SubmitError> {
    let jobs = jobmanager.jobs()?;
    let Some(other) = jobs.iter().find(|job| job.name == name && job.id != id && !job.has_ended()) else {
        return Ok(());
    };
    jobmanager.cancel(id)?;
    Err(SubmitError::Raced(name.to_owned(), other.id.clone()))
}

/// Waits until all tasks of a new job run.
fn up(jobmanager: &JobManager, name: &str, id: &str, wait: Duration) -> Result<(), SubmitError> {
    let end = Instant::now() + wait;
    loop {
        let job = jobmanager.details(id)?;
        if job.is_up() {
            return Ok(());
        }
        let has_failed = job.state == "FAILED" || job.state == "CANCELED";
        if has_failed || Instant::now() > end {
            let newest = jobmanager.exceptions(id)?.into_iter().next();
            let no_slots = || "no task has failed; are there TaskManagers with free slots?".to_owned();
            return Err(SubmitError::NotUp {
                job: name.to_owned(),
                id: id.to_owned(),
                state: if has_failed {
                    format!("is {}", job.state)
                } else {
                    format!("is {} after {} s, and goes on trying", job.state, wait.as_secs())
                },
                cause: newest.map_or_else(no_slots, |exception| exception.cause()),
            });
        }
        sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_statement_becomes_one_in_the_file() {
        let step = Step { file: "jobs/sql/a.sql".into(), line: 10, sql: String::new() };
        assert_eq!(place(&step, Some((3, 8))), "jobs/sql/a.sql:12:8");
        assert_eq!(place(&step, None), "jobs/sql/a.sql:10");
    }

    #[test]
    fn what_starts_a_job_can_be_planned_first() {
        assert_eq!(explained("INSERT INTO a SELECT 1"), "EXPLAIN INSERT INTO a SELECT 1");
        assert_eq!(explained("execute STATEMENT SET BEGIN END"), "EXPLAIN  STATEMENT SET BEGIN END");
    }
}
