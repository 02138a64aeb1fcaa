//! `cdc-jobs submit`.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::flink::{JobManagerArgs, failure, print};
use super::{read_schema, report};
use crate::agent::exit::{Exit, Failure};
use crate::jobs::check::check;
use crate::jobs::flink_sql::{NOTEBOOK, PathError, SqlFile, compare, generate};
use crate::jobs::submit::rest::RestError;
use crate::jobs::submit::scripts::{self, Script, Step};
use crate::jobs::submit::{Cluster, Done, Options, Start, submit};

/// Names the jobs that compare two environments.
const DRIFT: &str = "drift";

const SUBMIT: &str = "\
Examples:
  cdc-jobs submit onprem                              all jobs of this environment
  cdc-jobs submit cloud drift
  cdc-jobs submit onprem --job dq-onprem-sales.events --replace
  cdc-jobs submit onprem --job mine --unchecked       SQL of your own, which nothing has checked

A job that runs is left alone. One that ran before goes on from its newest savepoint or checkpoint.

Exit codes: 0 every job runs, 1 bug, 2 usage, something is wrong in the files, or a secret is missing,
4 a file cannot be read, 6 Flink does not answer, refuses a job, or a job fails,
7 somebody else submitted the job at the same time.";

/// `cdc-jobs submit`.
#[derive(Debug, Clone, Args)]
#[command(after_help = SUBMIT)]
pub struct SubmitArgs {
    /// Environments of environments.yaml: the jobs below the folder of that name in --sql; `drift`: those that compare two,
    /// but for the SQL for notebooks
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
    /// Also submit jobs, named with --job, whose SQL `cdc-jobs sql` has not made of the rules: nothing has checked them for a second
    /// data centre, a feedback loop or a password
    #[arg(long, requires = "only")]
    pub unchecked: bool,
    /// How long a new job may take until all its tasks run
    #[arg(long, value_name = "SECONDS", default_value_t = 90)]
    pub wait: u64,
}

pub(super) fn run(args: &SubmitArgs) -> Result<Exit, Failure> {
    let schema = args.schema.as_deref().map(read_schema).transpose()?;
    let (project, findings) = check(&args.jobs, schema.as_ref());
    if !findings.is_empty() {
        print(&report::text(&project, &findings, schema.is_some()))?;
        return Err(Failure::new(Exit::Usage, "nothing is submitted: the files are wrong")
            .next("mend what is named above; `cdc-jobs check` says when it is right"));
    }
    let known = project.environments.0.iter().map(|environment| environment.name.value.as_str());
    let known: Vec<&str> = known.chain([DRIFT]).collect();
    if let Some(unknown) = args.environments.iter().find(|name| !known.contains(&name.as_str())) {
        let next = format!("those of environments.yaml, and drift, are {}", known.join(", "));
        return Err(Failure::new(Exit::Usage, format!("there is no environment {unknown}")).next(next));
    }
    let folder = args.sql.clone().unwrap_or_else(|| args.jobs.join("sql"));
    let files = generate(&project);
    is_current(&files, &folder)?;
    let wanted = wanted(args, &folder)?;
    are_of_the_rules(args, &files, &folder, &wanted)?;
    let address = |error: RestError| failure(error.into());
    let cluster = Cluster::at(&args.gateway, &args.cluster.jobmanager).map_err(address)?;
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

/// Fails unless the generated SQL is what the rules say. Files that nobody generated are left alone.
fn is_current(files: &[SqlFile], folder: &Path) -> Result<(), Failure> {
    let wrong = |(path, error): PathError| Failure::cannot_read(&path, error);
    let differences = compare(folder, files).map_err(wrong)?;
    if differences.is_empty() {
        return Ok(());
    }
    print(&differences.iter().map(|difference| format!("{difference}\n")).collect::<String>())?;
    Err(Failure::new(Exit::Usage, "nothing is submitted: the SQL is not what the rules say")
        .next("`cdc-jobs sql` writes it anew; look at what it changes"))
}

/// The jobs that are asked for.
fn wanted(args: &SubmitArgs, folder: &Path) -> Result<Vec<Script>, Failure> {
    let mut wanted = scripts::read(folder).map_err(failure)?;
    wanted.retain(|script| args.environments.iter().any(|name| belongs(script, name, folder)));
    wanted.retain(|script| match args.only.as_slice() {
        [] => !is_for_notebooks(script),
        only => only.contains(&script.name),
    });
    if let Some(missing) = args.only.iter().find(|name| wanted.iter().all(|script| script.name != **name)) {
        return Err(Failure::new(Exit::Usage, format!("there is no job {missing} in these environments")));
    }
    if wanted.is_empty() {
        let names = args.environments.join(", ");
        return Err(Failure::new(Exit::Usage, format!("there are no jobs of {names}"))
            .next("a drift job is there for rules with a section drift (docs/drift.md, section 3)"));
    }
    if args.from.is_some() && wanted.len() != 1 {
        let what = format!("--from belongs to one job, and these are {}", wanted.len());
        return Err(Failure::new(Exit::Usage, what).next("name it with --job"));
    }
    Ok(wanted)
}

/// Fails when a statement of a job stands in no generated file: `check` has looked at the rules alone. With `--unchecked` it is
/// only told.
fn are_of_the_rules(
    args: &SubmitArgs,
    files: &[SqlFile],
    folder: &Path,
    wanted: &[Script],
) -> Result<(), Failure> {
    let generated: BTreeSet<PathBuf> = files.iter().map(|file| folder.join(&file.path)).collect();
    let foreign =
        |script: &Script| script.steps.iter().find(|step| !generated.contains(&step.file)).map(Step::place);
    let lines: Vec<String> = wanted
        .iter()
        .filter_map(|script| Some(format!("{}: job {} is not of the rules", foreign(script)?, script.name)))
        .collect();
    if args.unchecked {
        lines.iter().for_each(|line| say(&format!("{line}: not checked")));
        return Ok(());
    }
    if lines.is_empty() {
        return Ok(());
    }
    print(&(lines.join("\n") + "\n"))?;
    Err(Failure::new(Exit::Usage, "nothing is submitted: no check has looked at SQL that is not of the rules").next(
        "write rules for it and run `cdc-jobs sql`, or name the other jobs with --job; --unchecked with --job submits it as it is",
    ))
}

/// Whether a job is one of an environment, which has a folder of its own, or one between two.
fn belongs(script: &Script, name: &str, folder: &Path) -> bool {
    if name == DRIFT {
        return script.name.starts_with("drift-");
    }
    script.steps.last().is_some_and(|step| step.file.starts_with(folder.join(name)))
}

/// Whether it says less than the drift job of its table does, and runs only when it is named.
fn is_for_notebooks(script: &Script) -> bool {
    let mut files = script.steps.iter().filter_map(|step| step.file.file_name());
    files.any(|name| name == NOTEBOOK)
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

/// Progress; a closed standard error is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
