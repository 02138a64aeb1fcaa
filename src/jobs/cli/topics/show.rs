//! `topics list` and `topics describe`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{DescribeArgs, ListArgs};
use crate::agent::exit::{Exit, Failure};
use crate::jobs::cli::columns::columns;
use crate::jobs::cli::{Format, print, print_json};
use crate::jobs::kafka::offsets::Range;
use crate::jobs::kafka::topics::{Setting, Topic};

#[derive(Serialize)]
struct Line {
    topic: String,
    partitions: usize,
    replication: usize,
    offsets: i64,
}

pub(super) fn list(args: &ListArgs) -> Result<Exit, Failure> {
    let target = args.target.connect()?;
    let mut lines = Vec::new();
    for topic in target.brokers.topics()? {
        if topic.is_internal() && !args.internal {
            continue;
        }
        let offsets = target.brokers.ranges(&topic)?.iter().map(Range::offsets).sum();
        let (partitions, replication) = (topic.partitions.len(), topic.replication());
        lines.push(Line { topic: topic.name, partitions, replication, offsets });
    }
    match args.format {
        Format::Json => print_json(&lines)?,
        Format::Text => {
            let mut texts = vec![["TOPIC", "PARTITIONS", "REPLICAS", "OFFSETS"].map(str::to_owned).to_vec()];
            texts.extend(lines.into_iter().map(|line| {
                let numbers =
                    [line.partitions.to_string(), line.replication.to_string(), line.offsets.to_string()];
                [line.topic].into_iter().chain(numbers).collect()
            }));
            print(&columns(&texts))?;
        }
    }
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct Described {
    #[serde(flatten)]
    topic: Topic,
    offsets: Vec<Range>,
    settings: BTreeMap<String, Setting>,
}

pub(super) fn describe(args: &DescribeArgs) -> Result<Exit, Failure> {
    let target = args.target.connect()?;
    let names: Vec<&str> = args.topics.iter().map(String::as_str).collect();
    let topics: Vec<Topic> = names.iter().map(|name| target.brokers.get(name)).collect::<Result<_, _>>()?;
    let mut described = Vec::new();
    for (topic, settings) in topics.into_iter().zip(target.brokers.settings(&names)?) {
        let offsets = target.brokers.ranges(&topic)?;
        described.push(Described { topic, offsets, settings });
    }
    match args.format {
        Format::Json => print_json(&described)?,
        Format::Text => print(&described.iter().map(text).collect::<Vec<_>>().join("\n"))?,
    }
    Ok(Exit::Ok)
}

/// The settings that matter here even when they are the broker's own.
const ALWAYS: [&str; 4] = ["cleanup.policy", "retention.ms", "max.message.bytes", "min.insync.replicas"];

fn text(one: &Described) -> String {
    let mut out = format!("{}\n", one.topic.name);
    for (name, setting) in &one.settings {
        let origin = match (setting.is_default, ALWAYS.contains(&name.as_str())) {
            (true, false) => continue,
            (true, true) => " (the brokers' default)",
            (false, _) => "",
        };
        out.push_str(&format!("  {name}={}{origin}\n", setting.value.as_deref().unwrap_or("(secret)")));
    }
    let head = ["PARTITION", "LEADER", "REPLICAS", "IN SYNC", "START", "END"].map(str::to_owned).to_vec();
    let numbers = |brokers: &[i32]| brokers.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    let lines = one.topic.partitions.iter().zip(&one.offsets).map(|(partition, range)| {
        vec![
            partition.partition.to_string(),
            partition.leader.to_string(),
            numbers(&partition.replicas),
            numbers(&partition.isr),
            range.start.to_string(),
            range.end.to_string(),
        ]
    });
    let table = columns(&std::iter::once(head).chain(lines).collect::<Vec<_>>());
    table.lines().for_each(|line| out.push_str(&format!("  {line}\n")));
    out
}
