//! `checkpoint`: shows what is committed, goes back in it, accepts a loss.

use std::io::Write;

use serde_json::json;

use super::stored::{self, Stored};
use crate::agent::exit::{Exit, Failure};
use crate::agent::pipeline::report::{Report, Undelivered};
use crate::agent::pipeline::unit::After;
use crate::agent::pipeline::worker::now_ms;
use crate::agent::pipeline::writer::{Writer, sink_failure};
use crate::agent::run::offline::Offline;
use crate::agent::{log, output};
use crate::checkpoint::{Checkpoint, Fingerprint, Rewound};
use crate::cli::{AcceptLossArgs, CheckpointArgs, CheckpointCommand, RewindArgs, StoredArgs};
use crate::commitlog::{Position, SegmentId};

/// Segments that are named one by one.
const NAMED: usize = 20;

/// Runs `checkpoint`.
///
/// # Errors
/// What is committed cannot be read or changed, the agent runs, or what is asked for makes no sense.
pub fn checkpoint(args: &CheckpointArgs) -> Result<Exit, Failure> {
    match &args.command {
        CheckpointCommand::Show(args) => show(args),
        CheckpointCommand::Rewind(args) => rewind(args),
        CheckpointCommand::AcceptLoss(args) => accept_loss(args),
    }
}

fn show(args: &StoredArgs) -> Result<Exit, Failure> {
    let Stored { from, checkpoint } = stored::read(args)?;
    if args.json {
        return say(&format!("{}\n", json!({"from": from, "checkpoint": checkpoint})));
    }
    let open: Vec<String> = checkpoint.open().map(|place| place.to_string()).collect();
    let done: Vec<SegmentId> = checkpoint.done().map(|(id, _)| id).collect();
    let span = match (done.first(), done.last()) {
        (Some(first), Some(last)) => format!("{} segments, {first} to {last}", done.len()),
        _ => "none".to_owned(),
    };
    let parked = checkpoint.parked_count();
    say(&format!(
        "From        {from}\nGeneration  {}\nOpen        {}\nDone        {span}\nParked      {parked} mutations\n",
        checkpoint.generation(),
        if open.is_empty() { "nothing".to_owned() } else { open.join("\n            ") },
    ))
}

fn rewind(args: &RewindArgs) -> Result<Exit, Failure> {
    let (to, stored) = (args.to, &args.stored);
    let held = Offline::hold(&stored.options)?;
    let Some(file) = held.segment(to.segment) else {
        let what =
            format!("segment {} is not in cdc_raw any more: nothing of it can be read again", to.segment);
        return Err(Failure::new(Exit::Usage, what).next(
            "name a position in a segment that is there; copies elsewhere can be replayed (cdc-agent replay)",
        ));
    };
    if !held.is_place(file, to)? {
        return Err(Failure::new(
            Exit::Usage,
            format!("no section of segment {} begins at {}", to.segment, to.marker),
        )
        .next("cdc-agent inspect prints positions; <segment id>:0:0 is the start of a segment"));
    }
    let back = |checkpoint: &mut Checkpoint| {
        checkpoint.rewind(to, |id| held.segment(id).is_some()).map_err(|error| {
            Failure::new(Exit::Usage, "it cannot be gone back there")
                .because(error)
                .next("cdc-agent checkpoint show prints what was reached")
        })
    };
    let mut committed = stored::of_destination(stored)?.checkpoint;
    let plan = back(&mut committed)?;
    say(&told(to, &plan))?;
    if !args.yes {
        return say("nothing was changed: with --yes it is\n");
    }
    let mut sink = held.sink(&stored.out, &stored.options.live.log.state_dir)?;
    let mut checkpoint = sink.checkpoint().cloned().unwrap_or_default();
    let reached: Vec<String> = checkpoint.open().map(|place| place.to_string()).collect();
    let plan = back(&mut checkpoint)?;
    let what = json!({
        "to": to.to_string(),
        "from": reached,
        "segments": ids(&plan.again),
        "gone": ids(&plan.gone),
        "reason": "asked for by the operator: records from there on come again, with equal event ids",
    });
    let mut writer = Writer::new(sink.as_mut(), checkpoint.clone(), false);
    held.notices().control(&mut writer, "rewind", what, now_ms())?;
    checkpoint.next_generation();
    sink.take_back(&checkpoint).map_err(sink_failure)?;
    drop(sink);
    log::warn(&format!(
        "gone back to {to}: records from there on come again when the agent runs, with equal event ids"
    ));
    Ok(Exit::Ok)
}

fn told(to: Position, plan: &Rewound) -> String {
    let mut text = format!(
        "from {to} on, {} segments are read again; their records come again, with equal event ids: {}\n",
        plan.again.len(),
        ids(&plan.again).join(" ")
    );
    if !plan.gone.is_empty() {
        let gone = ids(&plan.gone).join(" ");
        text.push_str(&format!(
            "{} later segments are not in cdc_raw any more; nothing of them comes again: {gone}\n",
            plan.gone.len()
        ));
    }
    if plan.parked > 0 {
        text.push_str(&format!("{} parked mutations are met again\n", plan.parked));
    }
    text
}

fn ids(segments: &[SegmentId]) -> Vec<String> {
    let mut ids: Vec<String> = segments.iter().take(NAMED).map(ToString::to_string).collect();
    if segments.len() > NAMED {
        ids.push(format!("and {} more", segments.len() - NAMED));
    }
    ids
}

/// What accepting a loss comes to.
struct Loss {
    read_to: Option<Position>,
    is_done: bool,
    parked: Vec<Position>,
}

impl Loss {
    fn of(checkpoint: &Checkpoint, id: SegmentId, is_there: bool) -> Result<Self, Failure> {
        let parked: Vec<Position> = checkpoint.parked().filter(|place| place.segment == id).collect();
        let (read_to, is_done) = (checkpoint.open_at(id), checkpoint.done_as(id).is_some());
        if is_done && parked.is_empty() {
            return Err(Failure::new(
                Exit::Usage,
                format!("segment {id} is read to its end, and nothing in it waits"),
            )
            .next("there is nothing to accept; to read it again: cdc-agent checkpoint rewind"));
        }
        if read_to.is_none() && !is_done && !is_there && parked.is_empty() {
            return Err(Failure::new(Exit::Usage, format!("segment {id} is neither in cdc_raw nor in the checkpoint"))
                .next("the id is the last number of a segment's name; cdc-agent checkpoint show prints what is open"));
        }
        Ok(Self { read_to, is_done, parked })
    }

    fn told(&self, id: SegmentId) -> String {
        let rest = match (self.is_done, self.read_to) {
            (true, _) => "it is read to its end".to_owned(),
            (false, Some(place)) => format!("everything from {place} on is lost"),
            (false, None) => "everything in it is lost".to_owned(),
        };
        format!("segment {id}: {rest}; {} parked mutations in it are given up\n", self.parked.len())
    }
}

fn accept_loss(args: &AcceptLossArgs) -> Result<Exit, Failure> {
    let (id, stored) = (args.segment, &args.stored);
    let held = Offline::hold(&stored.options)?;
    let file = held.segment(id);
    // What it would take in later would be lost as well.
    if let Some(file) = file.filter(|file| file.links > 1 && !file.index.is_completed()) {
        return Err(Failure::new(Exit::Usage, format!("Cassandra may still write into {}", file.name)).next(
            "wait until its index says COMPLETED (nodetool drain completes all), or the node has dropped the segment",
        ));
    }
    let is_there = file.is_some() || held.has_index(id);
    let plan = Loss::of(&stored::of_destination(stored)?.checkpoint, id, is_there)?;
    say(&plan.told(id))?;
    if !args.yes {
        return say("nothing was changed: with --yes it is\n");
    }
    let mut sink = held.sink(&stored.out, &stored.options.live.log.state_dir)?;
    let checkpoint = sink.checkpoint().cloned().unwrap_or_default();
    let plan = Loss::of(&checkpoint, id, is_there)?;
    let known = checkpoint.known_as(id).or_else(|| file.and_then(|file| held.fingerprint(file)));
    // Of what cannot be read at all: it only says that the segment is done.
    let fingerprint = known.unwrap_or_else(|| Fingerprint::of(id.to_string().as_bytes(), b""));
    let notices = held.notices();
    let mut writer = Writer::new(sink.as_mut(), checkpoint, false);
    writer.tell(&notices);
    let what = json!({
        "first": id.to_string(),
        "last": id.to_string(),
        "read_to": plan.read_to.map(|place| place.to_string()),
        "is_loss": true,
        "evidence": "accepted as lost by the operator",
    });
    notices.control(&mut writer, "gap", what, now_ms())?;
    for place in plan.parked {
        let reason = "its segment was accepted as lost by the operator".to_owned();
        writer.skip(Undelivered { position: place, table: None, bytes: None, reason })?;
    }
    if !plan.is_done {
        writer.end_unit(Report::default(), After::Finish(id, fingerprint), Some(fingerprint))?;
    }
    writer.commit()?;
    drop(writer);
    drop(sink);
    log::warn(&format!("segment {id} is accepted as lost: the log goes on behind it when the agent runs"));
    if let Some(file) = file {
        log::info(&format!(
            "{} is still in cdc_raw: the agent deletes it if it is final and can be told from others; else move it away",
            file.name
        ));
    }
    Ok(Exit::Ok)
}

fn say(text: &str) -> Result<Exit, Failure> {
    output::stdout()?.write_all(text.as_bytes()).map_err(Failure::stdout)?;
    Ok(Exit::Ok)
}
