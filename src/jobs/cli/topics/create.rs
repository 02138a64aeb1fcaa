//! `topics create`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::CreateArgs;
use crate::agent::exit::{Exit, Failure};
use crate::jobs::cli::target::Target;
use crate::jobs::cli::{Format, folder, print, print_json};
use crate::jobs::kafka::topics::Wanted;
use crate::jobs::topics::{JobTopic, Partitions, of_environment};

/// What became of a topic.
#[derive(Serialize)]
struct Outcome {
    topic: String,
    /// `created`, `missing` (of a dry run), `ok`, `differs`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<String>,
}

pub(super) fn run(args: &CreateArgs) -> Result<Exit, Failure> {
    let target = args.target.connect()?;
    let outcomes = match &args.topic {
        Some(name) => vec![named(args, &target, name)?],
        None => {
            let project = folder::checked(&args.target.jobs)?;
            let environment = folder::environment(&project, args.target.env.as_deref().unwrap_or_default())?;
            let topics = of_environment(&project, environment);
            topics.iter().map(|topic| of_job(args, &target, topic)).collect::<Result<_, _>>()?
        }
    };
    match args.format {
        Format::Json => print_json(&outcomes)?,
        Format::Text => print(&outcomes.iter().map(text).collect::<String>())?,
    }
    Ok(if outcomes.iter().any(|one| one.outcome == "differs") { Exit::Usage } else { Exit::Ok })
}

fn text(one: &Outcome) -> String {
    let differences: String = one.differences.iter().map(|text| format!("\n         {text}")).collect();
    format!("{:8} {}{differences}\n", one.outcome, one.topic)
}

fn named(args: &CreateArgs, target: &Target, name: &str) -> Result<Outcome, Failure> {
    target.guard(name)?;
    let wanted = Wanted {
        name: name.to_owned(),
        partitions: args.partitions,
        replication: args.replication,
        settings: args.settings.clone(),
    };
    make(args, target, &wanted, |count, settings| {
        let asked = args.partitions.and_then(|asked| usize::try_from(asked).ok());
        let mut found: Vec<String> = asked
            .filter(|asked| *asked != count)
            .map(|asked| format!("partitions: {count}, expected {asked}"))
            .into_iter()
            .collect();
        for (name, expected) in &args.settings {
            let value = settings.get(name).map_or("not told by the broker", String::as_str);
            if value != expected {
                found.push(format!("{name}: {value}, expected {expected}"));
            }
        }
        found
    })
}

fn of_job(args: &CreateArgs, target: &Target, topic: &JobTopic) -> Result<Outcome, Failure> {
    let settings = topic.settings().into_iter().map(|(name, value)| (name.to_owned(), value));
    let wanted = Wanted {
        name: topic.name.clone(),
        partitions: match topic.partitions {
            Partitions::One => Some(1),
            Partitions::Chosen => args.partitions,
        },
        replication: args.replication,
        settings: settings.collect(),
    };
    make(args, target, &wanted, |count, settings| topic.differences(count, settings))
}

/// Makes a topic, unless it is there: then it is compared.
fn make(
    args: &CreateArgs,
    target: &Target,
    wanted: &Wanted,
    differences: impl Fn(usize, &BTreeMap<String, String>) -> Vec<String>,
) -> Result<Outcome, Failure> {
    let topic = wanted.name.clone();
    let found = match target.brokers.find(&topic)? {
        None if args.dry_run => return Ok(Outcome { topic, outcome: "missing", differences: Vec::new() }),
        None if target.brokers.create(wanted)? => {
            return Ok(Outcome { topic, outcome: "created", differences: Vec::new() });
        }
        None => target.brokers.get(&topic)?,
        Some(found) => found,
    };
    let settings = target.brokers.settings(&[&topic])?.pop().unwrap_or_default();
    let settings = settings.into_iter().filter_map(|(name, setting)| Some((name, setting.value?))).collect();
    let mut differences = differences(found.partitions.len(), &settings);
    let replicas = args.replication.and_then(|asked| usize::try_from(asked).ok());
    if let Some(asked) = replicas.filter(|asked| *asked != found.replication()) {
        differences.push(format!("replicas: {}, expected {asked}", found.replication()));
    }
    let outcome = if differences.is_empty() { "ok" } else { "differs" };
    Ok(Outcome { topic, outcome, differences })
}
