//! `topics delete` and `topics purge`: they say what is lost, and do it only when told to.

use super::LoseArgs;
use crate::agent::exit::{Exit, Failure};
use crate::jobs::cli::print;
use crate::jobs::kafka::offsets::Range;

/// What is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// The topic with everything in it.
    Topic,
    /// Its records.
    Records,
}

pub(super) fn run(args: &LoseArgs, loss: Loss) -> Result<Exit, Failure> {
    let target = args.target.connect()?;
    let mut topics = Vec::new();
    for name in &args.topics {
        target.guard(name)?;
        let topic = target.brokers.get(name)?;
        let ranges = target.brokers.ranges(&topic)?;
        topics.push((topic, ranges));
    }
    let (does, done) = match loss {
        Loss::Topic => ("would be deleted", "deleted"),
        Loss::Records => ("would be purged", "purged"),
    };
    let said = |what: &str| {
        let line = |name: &str, ranges: &[Range]| {
            let offsets: i64 = ranges.iter().map(Range::offsets).sum();
            format!("{name}: {what}; at most {offsets} records in {} partitions are lost\n", ranges.len())
        };
        topics.iter().map(|(topic, ranges)| line(&topic.name, ranges)).collect::<String>()
    };
    if !args.yes {
        print(&said(does))?;
        return Err(Failure::new(Exit::Usage, "nothing was done").next("--yes does it; it cannot be undone"));
    }
    match loss {
        Loss::Topic => target.brokers.delete(&args.topics.iter().map(String::as_str).collect::<Vec<_>>())?,
        Loss::Records => {
            topics.iter().try_for_each(|(topic, ranges)| target.brokers.purge(&topic.name, ranges))?;
        }
    }
    print(&said(done))?;
    Ok(Exit::Ok)
}
