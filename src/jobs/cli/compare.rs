//! `cdc-jobs compare`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::columns::{columns, printable};
use super::{Format, folder, print, print_json};
use crate::agent::exit::{Exit, Failure};
use crate::cli::TableName;
use crate::jobs::compare::{CompareError, Key, Limits, Outcome, Row, Verdict, read, verdict};
use crate::jobs::environment::Environment;
use crate::jobs::rules::TableRules;
use crate::schema::source::{CqlError, ReadConsistency};

/// Keys of one comparison, at most: drift of more is found on the stream.
const MOST_KEYS: usize = 100;

pub(super) const HELP: &str = "\
Reads rows by their whole primary keys, from one side after the other: each by its own user, in one session that is closed
before the other one's is opened. It writes nothing to Cassandra; give its users SELECT on the tables and no more. Who
compared how many keys with what result is logged, without keys and values.

Examples:
  cdc-jobs compare --env onprem --env cloud --table sales.events --key '{\"id\":\"1\"}'
  cdc-jobs compare --env onprem --env cloud --table sales.events --keys-file keys.jsonl --log /var/log/cdc-compare.jsonl

Exit codes: 0 all rows are equal, 2 one differs or is missing (or usage), 6 a side does not answer, or its node is of another
data centre.";

/// `cdc-jobs compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// Environment of environments.yaml; two of them, in the order in which they are asked
    #[arg(long = "env", value_name = "NAME", required = true)]
    pub environments: Vec<String>,
    /// The table; it has a rules file
    #[arg(long, value_name = "KEYSPACE.TABLE")]
    pub table: TableName,
    /// Primary key as JSON, {"id":"1"}; can be given several times
    #[arg(long = "key", value_name = "JSON", required_unless_present = "keys_file")]
    pub keys: Vec<String>,
    /// File with a key a line
    #[arg(long, value_name = "FILE")]
    pub keys_file: Option<PathBuf>,
    /// Of how many replicas of its data centre each side is read
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = Consistency::LocalQuorum)]
    pub consistency: Consistency,
    /// Time for each side, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,
    /// Show values
    #[arg(long)]
    pub values: bool,
    /// File to which a line about this comparison is added; standard error always has it
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Folder with environments.yaml and rules/
    #[arg(long, value_name = "DIR", default_value = "jobs")]
    pub jobs: PathBuf,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
}

/// Consistency levels that stay in a data centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Consistency {
    /// LOCAL_ONE
    LocalOne,
    /// LOCAL_QUORUM
    LocalQuorum,
}

/// The answer as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    environments: &'a [String],
    table: String,
    equal: bool,
    rows: &'a [Found],
}

/// A key and what was found.
#[derive(Serialize)]
struct Found {
    key: Box<RawValue>,
    #[serde(flatten)]
    verdict: Verdict,
}

/// What is logged of a comparison.
#[derive(Serialize)]
struct Logged<'l> {
    ts: String,
    uid: Option<u32>,
    user: String,
    environments: &'l [String],
    table: String,
    keys: usize,
    /// `begun`, before a side is asked; then `equal`, `different` or `failed`
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    equal: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
}

/// Runs `cdc-jobs compare`.
///
/// # Errors
/// Something is wrong with folder or keys, a side does not answer, or is not the data centre that it should be.
pub(super) fn run(args: &CompareArgs) -> Result<Exit, Failure> {
    let project = folder::checked(&args.jobs)?;
    let [first, second] = args.environments.as_slice() else {
        return Err(Failure::new(Exit::Usage, "two environments are compared: give --env twice"));
    };
    if first == second {
        return Err(Failure::new(Exit::Usage, format!("{first} would be compared with itself")));
    }
    let sides = [folder::environment(&project, first)?, folder::environment(&project, second)?];
    let rules = &folder::rules(&project, sides[0], &args.table)?.rules;
    folder::rules(&project, sides[1], &args.table)?;
    let keys = keys(args, rules)?;
    let begun = Instant::now();
    let mut logged = Logged::begun(args, keys.len());
    // Nobody reads rows of whom the log says nothing: not where it cannot be written, and not where this process is killed.
    logged.write(args)?;
    let compared = compare(args, rules, sides, &keys);
    logged.end(compared.as_deref().ok(), begun);
    logged.write(args)?;
    let found = compared?;
    let all_equal = found.iter().all(|one| one.verdict.outcome == Outcome::Equal);
    match args.format {
        Format::Json => print_json(&Answer {
            environments: &args.environments,
            table: format!("{}.{}", args.table.keyspace, args.table.table),
            equal: all_equal,
            rows: &found,
        })?,
        Format::Text => print(&found.iter().map(|one| text(one, &args.environments)).collect::<String>())?,
    }
    Ok(if all_equal { Exit::Ok } else { Exit::Usage })
}

fn keys(args: &CompareArgs, rules: &TableRules) -> Result<Vec<Key>, Failure> {
    let mut texts = args.keys.clone();
    if let Some(path) = &args.keys_file {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| {
            Failure::new(Exit::Usage, format!("cannot read {}", path.display())).because(error)
        })?;
        texts.extend(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    }
    if texts.is_empty() || texts.len() > MOST_KEYS {
        let what = format!("{} keys; a comparison has 1 to {MOST_KEYS}", texts.len());
        return Err(Failure::new(Exit::Usage, what).next("drift of more rows is found on the stream"));
    }
    let read = |(number, text): (usize, &String)| {
        Key::read(text, rules)
            .map_err(|error| Failure::new(Exit::Usage, format!("key {}: {error}", number + 1)))
    };
    texts.iter().enumerate().map(read).collect()
}

/// One side, then the other.
fn compare(
    args: &CompareArgs,
    rules: &TableRules,
    sides: [&Environment; 2],
    keys: &[Key],
) -> Result<Vec<Found>, Failure> {
    let consistency = match args.consistency {
        Consistency::LocalOne => ReadConsistency::LocalOne,
        Consistency::LocalQuorum => ReadConsistency::LocalQuorum,
    };
    let limits = Limits { consistency, time: Duration::from_secs(args.timeout) };
    let one: Vec<Option<Row>> = read(sides[0], rules, keys, limits).map_err(refused)?;
    let other = read(sides[1], rules, keys, limits).map_err(refused)?;
    let mut secret = [0; 32];
    openssl::rand::rand_bytes(&mut secret)
        .map_err(|error| Failure::new(Exit::Bug, "the system gives no random numbers").because(error))?;
    let found = keys.iter().zip(one.iter().zip(&other)).map(|(key, (one, other))| {
        let verdict = verdict(rules, [one.as_ref(), other.as_ref()], &secret, args.values);
        Ok(Found { key: RawValue::from_string(key.json())?, verdict })
    });
    let found: Result<_, serde_json::Error> = found.collect();
    found.map_err(|error| Failure::new(Exit::Bug, "the answer cannot be written").because(error))
}

fn refused(error: CompareError) -> Failure {
    let (exit, next) = match &error {
        CompareError::Secret(_) => (Exit::Usage, "set it, or correct environments.yaml"),
        CompareError::Cql(CqlError::Settings { .. }) => (Exit::Usage, "correct environments.yaml"),
        CompareError::Cql(_) | CompareError::Unresolved { .. } => {
            (Exit::Destination, "check hosts, port, user and ca_file of the environment")
        }
        CompareError::Datacenter { .. } | CompareError::Network { .. } => {
            (Exit::Destination, "correct hosts, datacenter and allowed_networks of the environment")
        }
        CompareError::Time { .. } => (Exit::Destination, "ask for fewer keys, or give a longer --timeout"),
        CompareError::Form { .. } => {
            (Exit::Destination, "`cdc-jobs check --schema` compares rules and tables")
        }
    };
    Failure::new(exit, error.to_string()).next(next)
}

fn text(found: &Found, environments: &[String]) -> String {
    let outcome = match found.verdict.outcome {
        Outcome::Equal => "equal".to_owned(),
        Outcome::Different => "different".to_owned(),
        Outcome::MissingBoth => "missing on both sides".to_owned(),
        Outcome::MissingFirst => format!("missing in {}", environments.first().map_or("", String::as_str)),
        Outcome::MissingSecond => format!("missing in {}", environments.last().map_or("", String::as_str)),
    };
    let mut lines = vec![["COLUMN", "", "DIGESTS", "", "WRITE TIMES", ""].map(str::to_owned).to_vec()];
    for column in &found.verdict.columns {
        let time = |us: &Option<i64>| us.map_or_else(|| "-".to_owned(), |us| us.to_string());
        let digest = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let [one, other] = &column.digests;
        let [first, second] = &column.write_times_us;
        let word = if column.is_equal { "equal" } else { "different" };
        let mut line = vec![
            column.column.clone(),
            word.to_owned(),
            digest(one),
            digest(other),
            time(first),
            time(second),
        ];
        if let Some(values) = &column.values {
            line.extend(values.iter().map(|value| printable(value.as_deref().unwrap_or("-"))));
        }
        lines.push(line);
    }
    let table = if found.verdict.columns.is_empty() { String::new() } else { columns(&lines) };
    let table: String = table.lines().map(|line| format!("  {line}\n")).collect();
    format!("{}: {outcome}\n{table}", printable(found.key.get()))
}

impl<'l> Logged<'l> {
    fn begun(args: &'l CompareArgs, keys: usize) -> Self {
        Self {
            ts: String::new(),
            uid: uid(),
            user: std::env::var("USER").unwrap_or_default(),
            environments: &args.environments,
            table: format!("{}.{}", args.table.keyspace, args.table.table),
            keys,
            verdict: "begun",
            equal: None,
            duration_ms: None,
        }
    }

    /// What came out; without `found` nothing did.
    fn end(&mut self, found: Option<&[Found]>, begun: Instant) {
        let equal =
            found.unwrap_or_default().iter().filter(|one| one.verdict.outcome == Outcome::Equal).count();
        self.verdict = match found {
            None => "failed",
            Some(_) if equal == self.keys => "equal",
            Some(_) => "different",
        };
        self.equal = Some(equal);
        self.duration_ms = Some(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
    }

    /// One line of JSON on standard error and in the file.
    fn write(&mut self, args: &CompareArgs) -> Result<(), Failure> {
        self.ts = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        let bug = |error: serde_json::Error| {
            Failure::new(Exit::Bug, "the log line cannot be written").because(error)
        };
        let line = serde_json::to_string(self).map_err(bug)? + "\n";
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
        match &args.log {
            None => Ok(()),
            Some(path) => append(path, &line).map_err(|error| Failure::cannot_write(path, error)),
        }
    }
}

/// The user of this process, as the kernel has it.
fn uid() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self").metadata().ok().map(|metadata| metadata.uid())
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}
