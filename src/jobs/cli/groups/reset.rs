//! `groups reset-offsets`.

use serde::Serialize;

use super::ResetArgs;
use crate::agent::exit::{Exit, Failure};
use crate::jobs::cli::columns::columns;
use crate::jobs::cli::{Format, print, print_json};
use crate::jobs::kafka::KafkaError;

#[derive(Serialize)]
struct Reset {
    group: String,
    topic: String,
    is_done: bool,
    offsets: Vec<Change>,
}

#[derive(Serialize)]
struct Change {
    partition: i32,
    before: Option<i64>,
    after: i64,
}

pub(super) fn run(args: &ResetArgs) -> Result<Exit, Failure> {
    let target = args.target.connect()?;
    target.guard(&args.topic)?;
    let brokers = &target.brokers;
    if brokers.group(&args.group)?.is_active() {
        let error = KafkaError::InUse(format!("the group {} is in use: nothing was set", args.group));
        return Err(error.into());
    }
    let topic = brokers.get(&args.topic)?;
    let before = brokers.committed(&args.group, std::slice::from_ref(&topic))?;
    let mut ranges = brokers.ranges(&topic)?;
    if let Some(missing) =
        args.partitions.iter().find(|wanted| !ranges.iter().any(|range| range.partition == **wanted))
    {
        let what = format!("{} has {} partitions, and no partition {missing}", topic.name, ranges.len());
        return Err(Failure::new(Exit::Usage, what));
    }
    ranges.retain(|range| args.partitions.is_empty() || args.partitions.contains(&range.partition));
    let offsets = brokers.offsets(&topic.name, &ranges, args.to.place())?;
    if args.execute {
        brokers.reset(&args.group, &topic.name, &offsets)?;
    }
    let change = |(partition, after): &(i32, i64)| {
        let before = before.iter().find(|one| one.partition == *partition).and_then(|one| one.committed);
        Change { partition: *partition, before, after: *after }
    };
    let offsets = offsets.iter().map(change).collect();
    let reset = Reset { group: args.group.clone(), topic: topic.name, is_done: args.execute, offsets };
    match args.format {
        Format::Json => print_json(&reset)?,
        Format::Text => print(&text(&reset))?,
    }
    Ok(Exit::Ok)
}

fn text(reset: &Reset) -> String {
    let head = ["TOPIC", "PARTITION", "BEFORE", "AFTER"].map(str::to_owned).to_vec();
    let line = |change: &Change| {
        let before = change.before.map_or_else(|| "-".to_owned(), |offset| offset.to_string());
        vec![reset.topic.clone(), change.partition.to_string(), before, change.after.to_string()]
    };
    let table = columns(&std::iter::once(head).chain(reset.offsets.iter().map(line)).collect::<Vec<_>>());
    let end = if reset.is_done { "done" } else { "nothing was set: --execute does it" };
    format!("{table}{end}\n")
}
