//! `cdc-jobs sql`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::report;
use crate::agent::exit::{Exit, Failure};
use crate::agent::output;
use crate::cli::TableName;
use crate::jobs::check::check;
use crate::jobs::flink_sql::{Difference, PathError, SqlFile, compare, generate, write};

pub(super) const EXAMPLES: &str = "\
Examples:
  cdc-jobs sql                       write jobs/sql/; what is right is left alone
  cdc-jobs sql --check               is it what the rules say? for CI
  cdc-jobs sql --stdout --environment onprem --table sales.events
  cdc-jobs sql --jobs jobs --out /tmp/sql

Exit codes: 0 ok, 2 something is wrong in the files of the jobs, or --check found
a file that is not what they say, 4 a file cannot be read, 6 one cannot be written.";

/// `cdc-jobs sql`.
#[derive(Debug, Clone, Args)]
pub struct SqlArgs {
    /// Folder with environments.yaml and rules/
    #[arg(long, value_name = "DIR", default_value = "jobs")]
    pub jobs: PathBuf,
    /// Folder of the generated files [default: sql in the folder of the jobs]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write nothing; name the files that are not what the rules say
    #[arg(long, conflicts_with = "stdout")]
    pub check: bool,
    /// Print the statements instead of writing files
    #[arg(long)]
    pub stdout: bool,
    /// Only jobs of this environment, with --stdout
    #[arg(long, value_name = "NAME", requires = "stdout")]
    pub environment: Option<String>,
    /// Only jobs of this table, with --stdout
    #[arg(long, value_name = "KEYSPACE.TABLE", requires = "stdout")]
    pub table: Option<TableName>,
}

pub(super) fn run(args: &SqlArgs) -> Result<Exit, Failure> {
    let (project, findings) = check(&args.jobs, None);
    if !findings.is_empty() {
        print(&report::text(&project, &findings, false))?;
        return Ok(Exit::Usage);
    }
    let files = generate(&project);
    let folder = args.out.clone().unwrap_or_else(|| args.jobs.join("sql"));
    if args.stdout {
        return print_selected(args, &files);
    }
    if args.check {
        let differences = compare(&folder, &files).map_err(|error| failure(error, Exit::Unreadable))?;
        print(&lines(&differences, files.len(), "run cdc-jobs sql and commit what it writes"))?;
        return Ok(if differences.is_empty() { Exit::Ok } else { Exit::Usage });
    }
    let differences = write(&folder, &files).map_err(|error| failure(error, Exit::Destination))?;
    let lines: String = differences.iter().map(|difference| format!("{}\n", done(difference))).collect();
    print(&format!("{lines}{} files, {} changed\n", files.len(), differences.len()))?;
    Ok(Exit::Ok)
}

fn done(difference: &Difference) -> String {
    let word = match difference {
        Difference::Missing(_) => "new",
        Difference::Stale(_) => "changed",
        Difference::Left(_) => "removed",
    };
    format!("{word} {}", difference.path().display())
}

fn lines(differences: &[Difference], count: usize, next: &str) -> String {
    let mut text: String = differences.iter().map(|difference| format!("{difference}\n")).collect();
    text.push_str(&match differences.len() {
        0 => format!("{count} files are what the rules say\n"),
        differing => format!("{differing} of {count} files differ; {next}\n"),
    });
    text
}

/// The files of one environment and table, in the order in which they run.
fn print_selected(args: &SqlArgs, files: &[SqlFile]) -> Result<Exit, Failure> {
    let table = args.table.as_ref().map(|table| format!("{}.{}", table.keyspace, table.table));
    let is_wanted = |file: &&SqlFile| {
        let mut parts = file.path.split('/');
        let (environment, of_table) = (parts.next().unwrap_or_default(), parts.next());
        let environment_is_wanted = args.environment.as_deref().is_none_or(|wanted| wanted == environment);
        environment_is_wanted && table.as_deref().is_none_or(|wanted| of_table == Some(wanted))
    };
    let selected: Vec<String> =
        files.iter().filter(is_wanted).map(|file| format!("-- {}\n{}", file.path, file.text())).collect();
    if selected.is_empty() {
        let mut known: Vec<&str> =
            files.iter().filter_map(|file| Some(file.path.rsplit_once('/')?.0)).collect();
        known.dedup();
        return Err(Failure::new(Exit::Usage, "no job of this environment and table")
            .next(format!("there are {}", known.join(", "))));
    }
    print(&selected.join("\n"))?;
    Ok(Exit::Ok)
}

fn print(text: &str) -> Result<(), Failure> {
    output::stdout()?.write_all(text.as_bytes()).map_err(Failure::stdout)
}

fn failure((path, error): PathError, exit: Exit) -> Failure {
    let path: &Path = &path;
    match exit {
        Exit::Destination => Failure::cannot_write(path, error),
        _ => Failure::cannot_read(path, error),
    }
}
