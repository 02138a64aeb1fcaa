//! `groups list`, `groups describe`, `groups lag`.

use serde::Serialize;

use super::{DescribeArgs, LagArgs, ListArgs};
use crate::agent::exit::{Exit, Failure};
use crate::jobs::cli::columns::columns;
use crate::jobs::cli::target::Target;
use crate::jobs::cli::{Format, print, print_json};
use crate::jobs::kafka::groups::{Committed, Group};

pub(super) fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let groups = args.target.connect()?.brokers.groups()?;
    match args.format {
        Format::Json => print_json(&groups)?,
        Format::Text => {
            let head = ["GROUP", "STATE", "MEMBERS"].map(str::to_owned).to_vec();
            let line = |group: &Group| {
                vec![group.name.clone(), group.state.clone(), group.members.len().to_string()]
            };
            print(&columns(&std::iter::once(head).chain(groups.iter().map(line)).collect::<Vec<_>>()))?;
        }
    }
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct Described {
    #[serde(flatten)]
    group: Group,
    offsets: Vec<Offset>,
}

#[derive(Serialize)]
struct Offset {
    #[serde(flatten)]
    place: Committed,
    lag: Option<i64>,
}

pub(super) fn describe(args: &DescribeArgs) -> Result<Exit, Failure> {
    let target = args.target.connect()?;
    let group = target.brokers.group(&args.group)?;
    let offsets = committed(&target, &args.group)?;
    let with_lag = |place: Committed| Offset { lag: place.lag(), place };
    let described = Described { group, offsets: offsets.into_iter().map(with_lag).collect() };
    match args.format {
        Format::Json => print_json(&described)?,
        Format::Text => print(&text(&described))?,
    }
    Ok(Exit::Ok)
}

/// How far a group has read each topic of which it has committed something.
fn committed(target: &Target, group: &str) -> Result<Vec<Committed>, Failure> {
    let topics = target.brokers.topics()?.into_iter().filter(|topic| !topic.is_internal()).collect();
    let topics = target.brokers.topics_of(group, topics)?;
    Ok(target.brokers.committed(group, &topics)?)
}

fn number(number: Option<i64>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

fn text(one: &Described) -> String {
    let mut out = format!("{}: {}\n", one.group.name, one.group.state);
    for member in &one.group.members {
        let assigned: Vec<String> = member
            .assigned
            .iter()
            .map(|(topic, partitions)| {
                let numbers: Vec<String> = partitions.iter().map(i32::to_string).collect();
                format!("{topic} [{}]", numbers.join(","))
            })
            .collect();
        out.push_str(&format!("  {} at {} reads {}\n", member.client_id, member.host, assigned.join(", ")));
    }
    let head = ["TOPIC", "PARTITION", "COMMITTED", "END", "LAG"].map(str::to_owned).to_vec();
    let lines = one.offsets.iter().map(|Offset { place, lag }| {
        let (committed, lag) = (number(place.committed), number(*lag));
        vec![place.topic.clone(), place.partition.to_string(), committed, place.end.to_string(), lag]
    });
    out + &columns(&std::iter::once(head).chain(lines).collect::<Vec<_>>())
}

#[derive(Serialize)]
struct Behind {
    group: String,
    state: String,
    topic: String,
    lag: i64,
    /// Partitions of which nothing is committed: they are not in `lag`.
    without_offset: usize,
}

pub(super) fn lag(args: &LagArgs) -> Result<Exit, Failure> {
    let target = args.target.connect()?;
    let groups: Vec<String> = match target.environment() {
        Some(environment) if args.groups.is_empty() => {
            environment.consumer_groups.all().map(|group| group.value.clone()).to_vec()
        }
        _ => args.groups.clone(),
    };
    let mut lines: Vec<Behind> = Vec::new();
    for group in groups {
        let state = target.brokers.group(&group)?.state;
        for place in committed(&target, &group)? {
            let is_same = |line: &&mut Behind| line.group == group && line.topic == place.topic;
            let lag = place.lag().unwrap_or(0);
            let without_offset = usize::from(place.committed.is_none());
            match lines.iter_mut().find(is_same) {
                Some(line) => {
                    line.lag = line.lag.saturating_add(lag);
                    line.without_offset += without_offset;
                }
                None => {
                    let (group, state) = (group.clone(), state.clone());
                    lines.push(Behind { group, state, topic: place.topic, lag, without_offset });
                }
            }
        }
    }
    match args.format {
        Format::Json => print_json(&lines)?,
        Format::Text => {
            let head = ["GROUP", "STATE", "TOPIC", "LAG"].map(str::to_owned).to_vec();
            let line = |one: &Behind| {
                vec![one.group.clone(), one.state.clone(), one.topic.clone(), one.lag.to_string()]
            };
            print(&columns(&std::iter::once(head).chain(lines.iter().map(line)).collect::<Vec<_>>()))?;
        }
    }
    Ok(Exit::Ok)
}
