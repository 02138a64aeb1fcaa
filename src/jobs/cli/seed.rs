//! `cdc-jobs seed`.

mod destination;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Format, folder, print, print_json, stop};
use crate::agent::exit::{Exit, Failure};
use crate::cli::{Instant as Time, TableName};
use crate::jobs::rules::Severity;
use crate::jobs::seed::{SAMPLES, SeedError, SeedOptions, Seeder, Summary};
use destination::Destination;

pub(super) const HELP: &str = "\
Good records keep all rules of the table; a bad one breaks one rule, in turn, and no other one where that can be. The
summary says how many break which, as the counters of the jobs should.
Same --seed, --start, --rate and rules: same records, byte for byte. Without --start times are those of today.

Examples:
  cdc-jobs seed --env onprem --table sales.events --count 1000
  cdc-jobs seed --env onprem --table sales.events --count 0 --rate 50           until stopped
  cdc-jobs seed --env onprem --table sales.events --samples                     the notes' own messages
  cdc-jobs seed --env onprem --table sales.events --out seed-log --seed 7 --start 2026-01-31T12:00:00Z --format json

Exit codes: 0 all records are written, 2 usage or rules, 6 the brokers or the file log do not take them, 7 another
program writes the file log.";

/// `cdc-jobs seed`.
#[derive(Debug, Clone, Args)]
pub struct SeedArgs {
    /// Environment of environments.yaml
    #[arg(long, value_name = "NAME")]
    pub env: String,
    /// The table whose rules say what is good; records go to the topic of its source
    #[arg(long, value_name = "KEYSPACE.TABLE")]
    pub table: TableName,
    /// Folder with environments.yaml and rules/
    #[arg(long, value_name = "DIR", default_value = "jobs")]
    pub jobs: PathBuf,
    /// `kafka`, or the folder of a file log
    #[arg(long, value_name = "kafka|DIR", default_value = "kafka")]
    pub out: PathBuf,
    /// How many records; 0: until stopped
    #[arg(long, value_name = "N", default_value_t = 1000, conflicts_with = "samples")]
    pub count: u64,
    /// Records a second; 0: as fast as they are taken, with timestamps a millisecond apart
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub rate: u32,
    /// Start of the random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Share of records that break a rule of severity fail, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = share, conflicts_with = "samples")]
    pub bad_ratio: f64,
    /// Share of records that break a rule of severity warn, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share, conflicts_with = "samples")]
    pub warn_ratio: f64,
    /// Kafka timestamp of the first record [default: now; with --rate 0 so that the last record is of now]
    #[arg(long, value_name = "TIME")]
    pub start: Option<Time>,
    /// The messages of the users' notes instead: five of sales.events, without keys
    #[arg(long)]
    pub samples: bool,
    /// Form of the summary
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
}

fn share(text: &str) -> Result<f64, &'static str> {
    let share: f64 = text.parse().map_err(|_| "expected a number from 0 to 1")?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("expected a number from 0 to 1") }
}

/// Runs `cdc-jobs seed`.
///
/// # Errors
/// Something is wrong with the folder of the jobs, the rules leave no record, the destination does not take them.
pub(super) fn run(args: &SeedArgs) -> Result<Exit, Failure> {
    let project = folder::checked(&args.jobs)?;
    let environment = folder::environment(&project, &args.env)?;
    let rules = &folder::rules(&project, environment, &args.table)?.rules;
    let mut seeder = Seeder::new(rules, options(args)).map_err(refused)?;
    // Of a business source: a CDC source was refused before.
    let topic = rules.source.topic(environment).value;
    let mut destination = Destination::open(&args.out, environment, &topic)?;
    write(args, &mut seeder, &mut destination)?;
    destination.finish()?;
    report(args, &topic, seeder.summary())?;
    Ok(Exit::Ok)
}

fn refused(error: SeedError) -> Failure {
    let failure = Failure::new(Exit::Usage, error.to_string());
    match error {
        SeedError::Changes(_) => failure,
        SeedError::NoneValid { .. } | SeedError::NoneInvalid(_) => failure.next(
            "look whether these rules can be kept together; seed knows types, bounds, lists and patterns",
        ),
    }
}

fn options(args: &SeedArgs) -> SeedOptions {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    // Timestamps of the future would be refused by brokers, or break rules of their own.
    let back = if args.rate == 0 { i64::try_from(args.count).unwrap_or(0).min(now_ms / 2) } else { 0 };
    let start_ms = args.start.map_or(now_ms - back, |Time(us)| us.div_euclid(1000));
    SeedOptions {
        seed: args.seed,
        bad_ratio: args.bad_ratio,
        warn_ratio: args.warn_ratio,
        start_ms,
        rate: args.rate,
        is_json_only: !destination::is_kafka(&args.out),
    }
}

fn write(args: &SeedArgs, seeder: &mut Seeder<'_>, destination: &mut Destination) -> Result<(), Failure> {
    let stop = stop::on_signals()?;
    let count = match (args.samples, args.count) {
        (true, _) => u64::try_from(SAMPLES.len()).unwrap_or(u64::MAX),
        (false, 0) => u64::MAX,
        (false, count) => count,
    };
    let progress = progress(count);
    let begun = Instant::now();
    for number in 0..count {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let record = match SAMPLES.get(usize::try_from(number).unwrap_or(usize::MAX)) {
            Some(sample) if args.samples => seeder.sample(sample),
            _ => seeder.next_record().map_err(refused)?,
        };
        wait(args.rate, number, begun, &stop, destination)?;
        destination.send(&record)?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

/// Waits for the record's time; what is written meanwhile is shown to readers.
fn wait(
    rate: u32,
    number: u64,
    begun: Instant,
    stop: &AtomicBool,
    destination: &mut Destination,
) -> Result<(), Failure> {
    if rate == 0 {
        return Ok(());
    }
    let due = Duration::from_millis(number.saturating_mul(1000) / u64::from(rate));
    while let Some(left) = due.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        destination.show()?;
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
    Ok(())
}

fn progress(count: u64) -> ProgressBar {
    let bar = if count == u64::MAX { ProgressBar::new_spinner() } else { ProgressBar::new(count) };
    let form = if count == u64::MAX {
        "{human_pos} records {per_sec}"
    } else {
        "{bar:30} {human_pos}/{human_len} {per_sec}"
    };
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar
}

fn report(args: &SeedArgs, topic: &str, summary: &Summary) -> Result<(), Failure> {
    match args.format {
        Format::Json => {
            let mut report = json!({
                "environment": args.env,
                "table": format!("{}.{}", args.table.keyspace, args.table.table),
                "topic": topic,
                "seed": args.seed,
            });
            if let (Some(report), serde_json::Value::Object(counts)) =
                (report.as_object_mut(), summary.json())
            {
                report.extend(counts);
            }
            print_json(&report)
        }
        Format::Text => print(&text(topic, summary)),
    }
}

fn text(topic: &str, summary: &Summary) -> String {
    let mut out = format!(
        "{topic}: {} records, {} valid, {} invalid\n",
        summary.total(),
        summary.valid_count(),
        summary.invalid_count()
    );
    for (severity, word) in [(Severity::Fail, "break"), (Severity::Warn, "are warned of by")] {
        for (id, count) in summary.by_rule(severity).filter(|(_, count)| *count > 0) {
            out.push_str(&format!("{count:>8} {word} {id}\n"));
        }
    }
    for id in summary.rules_not_broken() {
        out.push_str(&format!("         no record was found that breaks {id}\n"));
    }
    out
}
