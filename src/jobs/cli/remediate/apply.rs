//! `remediate apply`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use super::approve::name;
use super::open::{Opened, now_ms, open};
use super::{ApplyArgs, text};
use crate::agent::exit::{Exit, Failure};
use crate::jobs::cli::{Format, print, print_json};
use crate::jobs::drift::Side;
use crate::jobs::engine::EngineError;
use crate::jobs::remediate::apply::{Applied, Applying, Stopped, World};
use crate::jobs::remediate::book::{Book, Entry};
use crate::jobs::remediate::repair::{Change, NoRepair, Repair};
use crate::jobs::remediate::standing::Standings;
use crate::jobs::remediate::step::Step;
use crate::jobs::remediate::store::{Records, StepWriter, place_of};

#[cfg(feature = "cql")]
use crate::jobs::engine::cassandra::Repairs;

/// The world as it is.
struct Real<'o> {
    opened: &'o Opened,
    records: Records,
    /// None in a dry run.
    writer: Option<StepWriter>,
    #[cfg(feature = "cql")]
    repairs: Option<Repairs>,
}

pub(super) fn run(args: &ApplyArgs) -> Result<Exit, Failure> {
    let by = args.by.as_deref().map(name).transpose()?.unwrap_or_default();
    let opened = open(&args.table, Some(&args.from))?;
    let target = opened.side(&args.target)?;
    // First, so that whoever applies at this moment cannot record any more, and stops.
    let job = opened.job(&format!("remediate-apply-{}", args.target));
    let writer = args.execute.then(|| opened.store.writer(&job)).transpose()?;
    let book = opened.store.book(opened.name())?;
    let chosen = chosen(args, &book, target)?;
    let ids: Vec<String> = chosen.iter().map(|entry| entry.id.clone()).collect();
    let mut records = Records::default();
    opened.store.records(target.other(), chosen.iter().map(|entry| place_of(entry)), &mut records)?;
    let mut world = Real {
        opened: &opened,
        records,
        writer,
        #[cfg(feature = "cql")]
        repairs: None,
    };
    if args.execute && !ids.is_empty() {
        world.connect(target)?;
    }
    let applying = Applying {
        target,
        is_executed: args.execute,
        waits: args.wait,
        by: &by,
        table: &opened.table,
        rules: opened.rules(),
    };
    let applied = applying.run(&ids, &mut world)?;
    match args.table.format {
        Format::Json => print_json(&json!({
            "target": args.target,
            "executed": args.execute,
            "outcomes": applied.outcomes,
            "stopped": applied.stopped,
            "left": applied.left,
        }))?,
        Format::Text => print(&text::applied(&applied, args.execute))?,
    }
    Ok(exit(&applied))
}

fn exit(applied: &Applied) -> Exit {
    match applied.stopped {
        None | Some(Stopped::Asked) => Exit::Ok,
        Some(Stopped::Minute | Stopped::Incident | Stopped::Unknown) => Exit::Damaged,
        Some(Stopped::Failed) => Exit::Destination,
    }
}

/// What is asked for: nothing is done when one of it is not approved, or is for the other data centre.
fn chosen<'b>(args: &ApplyArgs, book: &'b Book, target: Side) -> Result<Vec<&'b Entry>, Failure> {
    if args.ids.is_empty() {
        return Ok(book.approved(target));
    }
    let refused = |what: String, next: &str| Err(Failure::new(Exit::Usage, what).next(next));
    let one = |id: &String| match book.get(id) {
        None => refused(
            format!("there is no proposal {id}: nothing was written"),
            "cdc-jobs remediate list shows them",
        ),
        Some(entry) if entry.target != target => refused(
            format!("{id} is a repair of {}: nothing was written", entry.target.name()),
            "one run writes into one data centre; give its environment as --target",
        ),
        Some(entry) if !entry.is_approved() => refused(
            format!("{id} is {}, not approved: nothing was written", entry.state().name()),
            "cdc-jobs remediate approve",
        ),
        Some(entry) => Ok(entry),
    };
    args.ids.iter().map(one).collect()
}

impl Real<'_> {
    #[cfg(feature = "cql")]
    fn connect(&mut self, target: Side) -> Result<(), EngineError> {
        self.repairs = Some(Repairs::open(self.opened.store.sides.of(target), &self.opened.file)?);
        Ok(())
    }

    #[cfg(not(feature = "cql"))]
    #[expect(clippy::unused_self, reason = "with Cassandra it keeps the session")]
    fn connect(&mut self, _: Side) -> Result<(), EngineError> {
        Err(EngineError::new(Exit::Usage, "this cdc-jobs was built without Cassandra")
            .next("build it with the feature cql"))
    }
}

impl World for Real<'_> {
    fn now_ms(&self) -> i64 {
        now_ms()
    }

    fn look(&mut self) -> Result<(Book, Standings), EngineError> {
        let (store, name) = (&self.opened.store, self.opened.name());
        Ok((store.book(name)?, store.standings(name)?))
    }

    fn change(&mut self, entry: &Entry) -> Result<Result<Change, NoRepair>, EngineError> {
        let event = (entry.proposal.source, entry.proposal.event_id.as_str());
        Ok(self.records.change(&self.opened.table, event, place_of(entry)))
    }

    #[cfg(feature = "cql")]
    fn write(&mut self, repair: &Repair) -> Result<(), EngineError> {
        match &mut self.repairs {
            Some(repairs) => repairs.write(repair),
            None => Err(EngineError::new(Exit::Bug, "a write without a session")),
        }
    }

    #[cfg(not(feature = "cql"))]
    fn write(&mut self, _: &Repair) -> Result<(), EngineError> {
        Err(EngineError::new(Exit::Bug, "a write without a session"))
    }

    fn record(&mut self, step: &Step) -> Result<(), EngineError> {
        match &mut self.writer {
            Some(writer) => writer.record(std::slice::from_ref(step)),
            None => Err(EngineError::new(Exit::Bug, "a step of a dry run")),
        }
    }

    fn wait_until(&mut self, at_ms: i64) -> bool {
        while now_ms() < at_ms {
            if self.opened.store.stop.load(Ordering::Relaxed) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        true
    }
}
