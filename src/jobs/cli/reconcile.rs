//! `cdc-jobs reconcile`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;

use super::{Format, folder, print, print_json, stop};
use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::cli::TableName;
use crate::jobs::engine::dq::{INVALID_TOPIC, VALID_TOPIC};
use crate::jobs::environment::Environment;
use crate::jobs::flink_sql::{Job, JobKind, job_name};
use crate::jobs::kafka::offsets::Place;
use crate::jobs::kafka::tail::{Read, Request};
use crate::jobs::kafka::{Access, Brokers};
use crate::jobs::reconcile::{Ledger, Report};
use crate::jobs::rules::Source;

pub(super) const HELP: &str = "\
Reads the job's topic, its dead letters and its counters, and compares them for each minute of Kafka time whose records the
job has committed as read: valid + invalid = records, invalid = dead letters. For jobs of both engines, while they run;
nothing is written. What differs is looked at again until --wait is over: counters and dead letters come a moment apart.
--every goes on until it is stopped (SIGINT, SIGTERM): a check beside a running job, for a supervisor.

Examples:
  cdc-jobs reconcile --env onprem --table sales.events
  cdc-jobs reconcile --env onprem --table sales.events --wait 0 --format json | jq .differences
  cdc-jobs reconcile --env onprem --table sales.events --every 300

Exit codes: 0 everything goes together, 2 usage, or no such topic, 3 something does not (with --every: did not, once), 6 the
brokers refuse or do not answer.";

/// The pause before what differs is looked at again.
const AGAIN: Duration = Duration::from_secs(5);
/// How long a signal may wait between two looks.
const STOPS_WITHIN: Duration = Duration::from_millis(200);

/// `cdc-jobs reconcile`.
#[derive(Debug, Clone, Args)]
pub struct ReconcileArgs {
    /// Environment of environments.yaml
    #[arg(long, value_name = "NAME")]
    pub env: String,
    /// The table whose data quality job is looked at
    #[arg(long, value_name = "KEYSPACE.TABLE")]
    pub table: TableName,
    /// Folder with environments.yaml and rules/
    #[arg(long, value_name = "DIR", default_value = "jobs")]
    pub jobs: PathBuf,
    /// How long it may take until everything goes together
    #[arg(long, value_name = "SECONDS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub wait: u64,
    /// Look again so long after each answer, until stopped; with --format json each answer is a line
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub every: Option<u64>,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text)]
    pub format: Format,
}

/// Runs `cdc-jobs reconcile`.
///
/// # Errors
/// Something is wrong with the folder of the jobs, a topic is not there, the brokers do not answer or refuse.
pub(super) fn run(args: &ReconcileArgs) -> Result<Exit, Failure> {
    let project = folder::checked(&args.jobs)?;
    let environment = folder::environment(&project, &args.env)?;
    let rules = &folder::rules(&project, environment, &args.table)?.rules;
    let topics = Topics {
        job: job_name(JobKind::Dq, &Job { rules, environment }),
        input: rules.source.topic(environment).value,
        event_ids: matches!(rules.source, Source::Cdc { .. }).then_some(rules.max_event_ids),
        letters: environment.topic(&rules.dead_letter_topic.value),
        group: environment.consumer_groups.dq.value.clone(),
    };
    let brokers = connect(environment)?;
    let wait = Duration::from_secs(args.wait);
    let tell = |report: &Report| match args.format {
        Format::Json if args.every.is_some() => print(&line(report)?),
        Format::Json => print_json(report),
        Format::Text => print(&text(&topics.job, report)),
    };
    let Some(every) = args.every else {
        let report = topics.settled(&brokers, wait, &|| false)?.unwrap_or_default();
        tell(&report)?;
        return Ok(exit(report.is_right()));
    };
    let stop = stop::on_signals()?;
    let is_over = || stop.load(Ordering::Relaxed);
    watch(|| topics.settled(&brokers, wait, &is_over), tell, &is_over, Duration::from_secs(every))
}

fn exit(is_right: bool) -> Exit {
    if is_right { Exit::Ok } else { Exit::Damaged }
}

fn line(report: &Report) -> Result<String, Failure> {
    let text = serde_json::to_string(report)
        .map_err(|error| Failure::new(Exit::Bug, "the answer is no JSON").because(error))?;
    Ok(text + "\n")
}

/// Checks again and again until it is over; a check that is cut short says nothing. A broker that is away is told of, and
/// asked again the next time.
fn watch(
    mut check: impl FnMut() -> Result<Option<Report>, Failure>,
    mut tell: impl FnMut(&Report) -> Result<(), Failure>,
    is_over: &dyn Fn() -> bool,
    every: Duration,
) -> Result<Exit, Failure> {
    let mut is_right = true;
    while !is_over() {
        match check() {
            Ok(Some(report)) => {
                is_right &= report.is_right();
                tell(&report)?;
            }
            Ok(None) => {}
            Err(failure) => log::warn(&failure.to_string()),
        }
        pause(every, is_over);
    }
    Ok(exit(is_right))
}

/// Waits so long, or until it is over.
fn pause(time: Duration, is_over: &dyn Fn() -> bool) {
    let end = Instant::now() + time;
    while !is_over() && Instant::now() < end {
        std::thread::sleep(STOPS_WITHIN.min(end.saturating_duration_since(Instant::now())));
    }
}

fn connect(environment: &Environment) -> Result<Brokers, Failure> {
    Ok(Brokers::connect(Access::of(environment)?)?)
}

/// Where the job reads and writes.
struct Topics {
    job: String,
    input: String,
    event_ids: Option<usize>,
    letters: String,
    group: String,
}

impl Topics {
    /// What is found once everything goes together, or when it may take no longer; None when it is over before.
    fn settled(
        &self,
        brokers: &Brokers,
        wait: Duration,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Option<Report>, Failure> {
        let until = Instant::now() + wait;
        loop {
            let report = self.read(brokers)?;
            if report.is_right() || Instant::now() >= until {
                return Ok(Some(report));
            }
            pause(AGAIN.min(until.saturating_duration_since(Instant::now())), is_over);
            if is_over() {
                return Ok(None);
            }
        }
    }

    fn read(&self, brokers: &Brokers) -> Result<Report, Failure> {
        let mut ledger = Ledger::new(&self.job, self.event_ids);
        // First: what the job does from now on is about records that are open.
        let input = brokers.get(&self.input)?;
        let committed = brokers.committed(&self.group, &[input])?;
        let committed: BTreeMap<i32, i64> =
            committed.into_iter().filter_map(|place| Some((place.partition, place.committed?))).collect();
        for topic in [VALID_TOPIC, INVALID_TOPIC] {
            all(brokers, topic, |record| ledger.counter(record.value.unwrap_or_default()))?;
        }
        let mut firsts = Firsts::of(brokers, &self.letters)?;
        all(brokers, &self.letters, |record| {
            firsts.see(record);
            ledger.letter(record.value.unwrap_or_default());
        })?;
        firsts.gone().for_each(|first_ms| ledger.gone(false, first_ms));
        let mut firsts = Firsts::of(brokers, &self.input)?;
        all(brokers, &self.input, |record| {
            firsts.see(record);
            let is_read = committed.get(&record.partition).is_some_and(|next| record.offset < *next);
            let partition = u32::try_from(record.partition).unwrap_or_default();
            ledger.record(partition, record.timestamp_ms.unwrap_or(-1), record.value, is_read);
        })?;
        firsts.gone().for_each(|first_ms| ledger.gone(true, first_ms));
        Ok(ledger.report())
    }
}

/// Reads a topic to its end; one that is not there is empty.
fn all(brokers: &Brokers, topic: &str, mut each: impl FnMut(&Read<'_>)) -> Result<(), Failure> {
    if brokers.find(topic)?.is_none() {
        return Ok(());
    }
    let request = Request { topic, from: Place::Beginning, partitions: &[], follow: false };
    brokers.tail(&request, |record| {
        each(record);
        Ok(ControlFlow::Continue(()))
    })
}

/// The times of the first records of partitions whose beginning is gone.
struct Firsts(BTreeMap<i32, Option<i64>>);

impl Firsts {
    fn of(brokers: &Brokers, topic: &str) -> Result<Self, Failure> {
        let Some(topic) = brokers.find(topic)? else { return Ok(Self(BTreeMap::new())) };
        let cut: BTreeSet<i32> = brokers
            .ranges(&topic)?
            .into_iter()
            .filter(|range| range.start > 0)
            .map(|range| range.partition)
            .collect();
        Ok(Self(cut.into_iter().map(|partition| (partition, None)).collect()))
    }

    fn see(&mut self, record: &Read<'_>) {
        if let Some(first) = self.0.get_mut(&record.partition) {
            first.get_or_insert(record.timestamp_ms.unwrap_or(-1));
        }
    }

    fn gone(&self) -> impl Iterator<Item = Option<i64>> {
        self.0.values().copied()
    }
}

fn text(job: &str, report: &Report) -> String {
    let mut text = format!(
        "{job}: {} minutes compared: {} records, {} valid and {} invalid by the counters, {} dead letters\n",
        report.minutes, report.read, report.valid, report.invalid, report.dead_letters
    );
    if report.repeats > 0 {
        text.push_str(&format!("{} records repeat an event and are not counted\n", report.repeats));
    }
    if report.open_minutes > 0 {
        text.push_str(&format!(
            "{} minutes are not compared: the job has not committed that it read all of their records\n",
            report.open_minutes
        ));
    }
    match report.unknown_before_ms {
        None => {}
        Some(i64::MAX) => text.push_str("a partition has no record any more: nothing is compared\n"),
        Some(ms) => text.push_str(&format!("minutes before {ms} ms are not compared: records are gone\n")),
    }
    if report.letters_twice > 0 {
        text.push_str(&format!("WRONG: {} dead letters are there twice\n", report.letters_twice));
    }
    let shown = |count: Option<u64>| count.map_or_else(|| "no row".to_owned(), |count| count.to_string());
    for one in &report.differences {
        text.push_str(&format!(
            "WRONG: the minute of {} ms: {} records, {} dead letters; counters: valid {}, invalid {}\n",
            one.minute_ms,
            one.read,
            one.dead_letters,
            shown(one.valid_count),
            shown(one.invalid_count)
        ));
        if one.counted_anew {
            text.push_str(
                "       counters of a part of it: a job that began without its state (submit --fresh) wrote them over\n",
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::jobs::reconcile::Difference;

    fn report(counted_anew: Option<bool>) -> Report {
        let difference = |counted_anew| Difference {
            minute_ms: 60_000,
            read: 3,
            dead_letters: 1,
            valid_count: Some(1),
            invalid_count: Some(0),
            counted_anew,
        };
        Report { differences: counted_anew.map(difference).into_iter().collect(), ..Report::default() }
    }

    #[test]
    fn it_goes_on_until_it_is_stopped_and_says_what_it_found() {
        let run = |answers: Vec<Result<Option<Report>, Failure>>| {
            let (count, told) = (answers.len(), Cell::new(0));
            let (asked, mut answers) = (Cell::new(0), answers.into_iter());
            let check = || {
                asked.set(asked.get() + 1);
                answers.next().unwrap()
            };
            let tell = |_: &Report| {
                told.set(told.get() + 1);
                Ok(())
            };
            let exit = watch(check, tell, &|| asked.get() == count, Duration::ZERO).unwrap();
            (exit, told.get())
        };
        let said = |counted_anew| Ok(Some(report(counted_anew)));
        assert_eq!(run(vec![said(None), said(None), Ok(None)]), (Exit::Ok, 2));
        let away = || Err(Failure::new(Exit::Destination, "the brokers do not answer"));
        assert_eq!(run(vec![said(Some(false)), away(), said(None)]), (Exit::Damaged, 2));
        assert_eq!(run(vec![away(), said(None)]), (Exit::Ok, 1));
    }

    #[test]
    fn a_minute_that_was_counted_anew_is_explained() {
        let said = |counted_anew| text("dq-onprem-sales.events", &report(Some(counted_anew)));
        assert!(said(true).contains("without its state (submit --fresh)"), "{}", said(true));
        assert!(!said(false).contains("--fresh") && said(false).contains("WRONG"), "{}", said(false));
    }
}
