//! `cdc-jobs run`: one job in this process.

mod args;
mod connect;
mod drift;
mod pages;
mod state_path;
mod summary;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::runtime::{self, Connect, Ended, Options};
use super::state::StateDir;
use crate::agent::exit::{Exit, Failure};
use crate::agent::{log, output};
use crate::jobs::check::check;
use crate::jobs::environment::Environment;
use crate::jobs::project::{Project, RulesFile};

pub use args::{DriftArgs, JobArgs, RunArgs, RunCommand, ValidRows};
use connect::{JobConnect, Kind};
pub use pages::{JobPages, Labels};
use state_path::state_path;

/// How a job ended, and which one.
#[derive(Debug)]
pub struct Done {
    /// Name of the job.
    pub job: String,
    /// What it did.
    pub ended: Ended,
}

impl RunArgs {
    fn job(&self) -> &JobArgs {
        match &self.command {
            RunCommand::Dq(args) | RunCommand::Hash(args) | RunCommand::Audit(args) => args,
            RunCommand::Drift(args) => &args.job,
        }
    }
}

/// Runs a job until its input ends, or a signal stops it, and says what it did.
///
/// # Errors
/// The folder of the jobs is not right, or what keeps the job from going on.
pub fn command(args: &RunArgs) -> Result<Exit, Failure> {
    let done = perform(args, &stop_on_signals()?)?;
    let text = summary::text(&done.job, &done.ended, args.job().format);
    output::stdout()?.write_all(text.as_bytes()).map_err(Failure::stdout)?;
    Ok(if done.ended.alarms.is_empty() { Exit::Ok } else { Exit::Damaged })
}

/// Runs a job until its input ends or `stop` is set.
///
/// # Errors
/// As of [`command`].
pub fn perform(args: &RunArgs, stop: &Arc<AtomicBool>) -> Result<Done, Failure> {
    let (kind, args) = match &args.command {
        RunCommand::Dq(args) => (Kind::Dq, args),
        RunCommand::Hash(args) => (Kind::Hash, args),
        RunCommand::Audit(args) => (Kind::Audit, args),
        RunCommand::Drift(args) => return drift::perform(args, stop),
    };
    let project = right_project(args)?;
    let (file, environment) = find(&project, args)?;
    let connect = JobConnect::new(kind, file.clone(), environment.clone(), args, Arc::clone(stop))?;
    let labels = Labels {
        job: connect.name().to_owned(),
        table: args.table.clone(),
        dc: environment.cassandra.datacenter.value.clone(),
    };
    go(&connect, labels, environment, args, stop)
}

/// The folder of the jobs, in which nothing is wrong.
fn right_project(args: &JobArgs) -> Result<Project, Failure> {
    let (project, findings) = check(&args.jobs, None);
    if !findings.is_empty() {
        for finding in &findings {
            log::error(&finding.to_string());
        }
        let what = format!("{} has {} findings; nothing was started", args.jobs.display(), findings.len());
        return Err(Failure::new(Exit::Usage, what).next("cdc-jobs check says the same; correct the files"));
    }
    Ok(project)
}

/// Runs what `connect` makes, with state and pages.
fn go(
    connect: &dyn Connect,
    labels: Labels,
    environment: &Environment,
    args: &JobArgs,
    stop: &AtomicBool,
) -> Result<Done, Failure> {
    let dir = StateDir::open(&state_path(connect.name(), environment, args)?)?;
    let pages = Arc::new(JobPages::new(labels, args.quiet));
    let _server = args.http.map(|address| serve(address, &pages)).transpose()?;
    let options = Options {
        until_end: args.until_end,
        rebuild_state: args.rebuild_state,
        begin_anew: args.begin_anew,
        snapshot_every: Duration::from_secs(environment.checkpoints.interval_s),
        ..Options::default()
    };
    if !args.quiet {
        let (from, out, state) = (&args.from, &args.out, dir.path().display());
        log::info(&format!("{}: {from} → {out}, state in {state}", connect.name()));
    }
    let ended = runtime::run(connect, &dir, &options, pages.as_ref(), stop)?;
    Ok(Done { job: connect.name().to_owned(), ended })
}

#[cfg(feature = "http")]
fn serve(address: std::net::SocketAddr, pages: &Arc<JobPages>) -> Result<crate::http::Server, Failure> {
    let server = crate::http::Server::start(address, Arc::clone(pages))
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()).next("give another --http"))?;
    log::info(&format!("pages on http://{}", server.address()));
    Ok(server)
}

#[cfg(not(feature = "http"))]
fn serve(_: std::net::SocketAddr, _: &Arc<JobPages>) -> Result<(), Failure> {
    Err(Failure::new(Exit::Usage, "this cdc-jobs was built without HTTP").next("leave --http away"))
}

/// The job that the options name.
fn find<'p>(project: &'p Project, args: &JobArgs) -> Result<(&'p RulesFile, &'p Environment), Failure> {
    let name =
        |file: &RulesFile| format!("{}.{}", file.rules.table.value.keyspace, file.rules.table.value.table);
    let found = project
        .jobs()
        .find(|(file, environment)| name(file) == args.table && environment.name.value == args.env);
    found.ok_or_else(|| {
        let there: Vec<String> = project
            .jobs()
            .map(|(file, environment)| format!("{} in {}", name(file), environment.name.value))
            .collect();
        let what = format!("{} has no job {} in {}", args.jobs.display(), args.table, args.env);
        Failure::new(Exit::Usage, what).next(format!("there is: {}", there.join(", ")))
    })
}

/// Set by SIGTERM and SIGINT; a second one ends the program at once.
fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| Failure::new(Exit::Bug, "signals cannot be handled").because(error))?;
    }
    Ok(stop)
}
