//! How a job begins: from nothing, from its state, or from what topics still hold.

use std::collections::BTreeMap;

use super::{Connect, Options, Progress, RowSink};
use crate::agent::exit::Exit;
use crate::agent::log;
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::job::{Job, Rebuilt};
use crate::jobs::engine::marks::Marks;
use crate::jobs::engine::outlet::{Committed, Nowhere, Outlet};
use crate::jobs::engine::position::Positions;
use crate::jobs::engine::source::Source;
use crate::jobs::engine::state::{self, Frame, Journal, Snapshot, Start, StateDir, Step};

/// Version of what stands beside the outputs.
const VERSION: u32 = 1;

/// A job that is ready to go on.
pub(super) struct Begun {
    pub(super) job: Box<dyn Job>,
    pub(super) source: Box<dyn Source>,
    pub(super) outlet: Box<dyn Outlet>,
    pub(super) rows: Box<dyn RowSink>,
    pub(super) journal: Journal,
    pub(super) committed: Committed,
    pub(super) alarms: Vec<String>,
}

/// Takes the outputs over, and brings the state to where they are.
pub(super) fn begin(
    connect: &dyn Connect,
    dir: &StateDir,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Begun, EngineError> {
    // Its guards come first: where they refuse, nothing is touched.
    let rows = connect.rows()?;
    let outlet = connect.outlet()?;
    let mut source = connect.source()?;
    let mut job = connect.job()?;
    source.seek(&Positions::default())?;
    job.begin(&(0..source.topics().len()).map(|input| source.partitions(input)).collect::<Vec<_>>());
    let mut alarms = Vec::new();
    let found = outlet.committed().cloned().filter(|found| !(options.begin_anew && dir.is_new_to(found)));
    if let Some(version) = found.as_ref().map(|found| found.version).filter(|version| *version > VERSION) {
        let what = format!("the outputs of this job have version {version}, this program writes {VERSION}");
        return Err(EngineError::new(Exit::Usage, what).next("use the cdc-jobs that wrote them"));
    }
    if let Some(found) = &found {
        found.marks.check(source.as_mut(), &found.positions)?;
    }
    let start = dir.start(connect.name(), found.as_ref())?;
    let (committed, journal) = match (start, found) {
        (Start::From { snapshot, frames }, Some(found)) => {
            resume(connect, &snapshot, &frames, (source.as_mut(), job.as_mut()), progress)?;
            let journal = match snapshot.definition == connect.definition() {
                true => dir.go_on(snapshot.generation, &frames)?,
                // From here on the state is one of these rules.
                false => save(connect, dir, job.as_ref(), &renamed(&found, connect))?,
            };
            (found, journal)
        }
        (Start::Lost(why), Some(found)) => {
            if !options.rebuild_state {
                return Err(StateDir::lost(&why));
            }
            if found.definition != connect.definition() {
                return Err(other_rules(connect, &found, &why));
            }
            let rebuilt = rebuild(&found, (source.as_mut(), job.as_mut()), progress)?;
            job.rebuilt(&rebuilt);
            alarms.push(told(&why, &rebuilt));
            let journal = save(connect, dir, job.as_ref(), &renamed(&found, connect))?;
            (found, journal)
        }
        (Start::First | Start::From { .. } | Start::Lost(_), _) => {
            let committed = Committed {
                version: VERSION,
                state: state::new_id()?,
                generation: 0,
                definition: connect.definition().to_owned(),
                defined_from: Positions::default(),
                positions: first(source.as_mut())?,
                marks: Marks::default(),
            };
            let journal = save(connect, dir, job.as_ref(), &committed)?;
            (committed, journal)
        }
    };
    source.seek(&committed.positions)?;
    alarms.extend(gone(source.as_mut(), &committed.positions)?);
    let committed = renamed(&committed, connect);
    Ok(Begun { job, source, outlet, rows, journal, committed, alarms })
}

/// With the rules as they are now.
fn renamed(committed: &Committed, connect: &dyn Connect) -> Committed {
    if committed.definition == connect.definition() {
        return committed.clone();
    }
    Committed {
        definition: connect.definition().to_owned(),
        defined_from: committed.positions.clone(),
        ..committed.clone()
    }
}

/// A state that other rules would make of the records contradicts the outputs that are there.
fn other_rules(connect: &dyn Connect, found: &Committed, why: &str) -> EngineError {
    let (name, old, new) = (connect.name(), &found.definition, connect.definition());
    let what = format!(
        "{why}, and the rules were changed (version {old:.12}, now {new:.12}): the state of {name} that they would make does \
         not go with its outputs"
    );
    EngineError::new(Exit::Usage, what).next(
        "run the job once with the rules as they were and --rebuild-state, and stop it; then change them",
    )
}

/// The first records that are there.
fn first(source: &mut dyn Source) -> Result<Positions, EngineError> {
    let mut positions = Positions::default();
    for (input, topic) in source.topics().to_vec().iter().enumerate() {
        for partition in 0..source.partitions(input) {
            positions.set(topic, partition, source.first(input, partition)?);
        }
    }
    Ok(positions)
}

fn save(
    connect: &dyn Connect,
    dir: &StateDir,
    job: &dyn Job,
    committed: &Committed,
) -> Result<Journal, EngineError> {
    let mut bytes = Vec::new();
    job.save(&mut bytes)?;
    dir.save(&state::snapshot(connect.name(), committed, bytes))
}

/// Loads a snapshot, and hands the job what it read since, in the same order.
fn resume(
    connect: &dyn Connect,
    snapshot: &Snapshot,
    frames: &[Frame],
    (source, job): (&mut dyn Source, &mut dyn Job),
    progress: &dyn Progress,
) -> Result<(), EngineError> {
    job.load(&snapshot.bytes)?;
    if frames.is_empty() {
        return Ok(());
    }
    if snapshot.definition != connect.definition() {
        let what = format!(
            "the rules were changed (version {:.12}, now {:.12}) while the state of {} was behind its outputs",
            snapshot.definition,
            connect.definition(),
            connect.name()
        );
        return Err(EngineError::new(Exit::Usage, what).next(
            "run the job once with the rules as they were, which brings the state up to the outputs, and stop it; then \
             change them",
        ));
    }
    source.seek(&snapshot.positions)?;
    if let Some(what) = gone(source, &snapshot.positions)?.into_iter().next() {
        return Err(too_old(&format!("{what}, or while the state was behind them")));
    }
    for frame in frames {
        for step in &frame.steps {
            progress.alive();
            match *step {
                Step::Read { input, partition, to } => again(source, job, (input, partition), to)?,
                Step::Idle { input, partition } => job.idle(input, partition, &mut Nowhere)?,
                Step::End => job.end(&mut Nowhere)?,
            }
        }
        job.flush(&mut Nowhere)?;
    }
    Ok(())
}

/// Hands the job the records of a partition up to an offset once more.
fn again(
    source: &mut dyn Source,
    job: &mut dyn Job,
    (input, partition): (usize, u32),
    to: i64,
) -> Result<(), EngineError> {
    let mut next = None;
    while let Some(record) = source.next_before(input, partition, to)? {
        next = record.offset.checked_add(1);
        job.process(&record, &mut Nowhere)?;
    }
    if next == Some(to) {
        return Ok(());
    }
    let topic = source.topics().get(input).map_or("", String::as_str);
    Err(too_old(&format!("topic {topic}, partition {partition}: records before offset {to} are not there")))
}

fn too_old(what: &str) -> EngineError {
    EngineError::new(Exit::Unreadable, format!("{what}; the state needs them once more")).next(
        "give --rebuild-state, which makes a state of what is still there and says what is not known then",
    )
}

/// Hands the job everything that is still there up to the last commit. Of the next records of all partitions the one with
/// the smallest timestamp comes first: what is remembered until another partition tells of it is not all of a topic.
fn rebuild(
    committed: &Committed,
    (source, job): (&mut dyn Source, &mut dyn Job),
    progress: &dyn Progress,
) -> Result<Rebuilt, EngineError> {
    log::warn("the state is made anew: all that the topics still hold is read once more, without output");
    source.seek(&Positions::default())?;
    let mut rebuilt = Rebuilt::default();
    let topics = source.topics().to_vec();
    let mut heads = BTreeMap::new();
    for (input, topic) in topics.iter().enumerate() {
        for partition in 0..source.partitions(input) {
            let Some(to) = committed.positions.get(topic, partition) else { continue };
            let is_cut = source.first(input, partition)? > 0;
            let head = source.next_before(input, partition, to)?;
            if is_cut && to > 0 {
                // With no record left nothing at all is known of it.
                let until = head.as_ref().map_or(i64::MAX, |record| record.timestamp_ms);
                rebuilt.unknown_until_ms = rebuilt.unknown_until_ms.max(Some(until));
            }
            heads.extend(head.map(|record| ((record.timestamp_ms, input, partition), (record, to))));
        }
    }
    while let Some(((_, input, partition), (record, to))) = heads.pop_first() {
        progress.alive();
        let topic = topics.get(input).map_or("", String::as_str);
        if committed.defined_from.get(topic, partition).is_some_and(|from| record.offset < from) {
            rebuilt.other_until_ms = rebuilt.other_until_ms.max(Some(record.timestamp_ms));
        }
        job.process(&record, &mut Nowhere)?;
        let head = source.next_before(input, partition, to)?;
        heads.extend(head.map(|record| ((record.timestamp_ms, input, partition), (record, to))));
    }
    job.flush(&mut Nowhere)?;
    Ok(rebuilt)
}

fn told(why: &str, rebuilt: &Rebuilt) -> String {
    let known = match rebuilt.unknown_until_ms {
        None => "all records since the first were there; across partitions their order may have been another"
            .to_owned(),
        Some(i64::MAX) => {
            "of some partition no record is left: nothing before this start is known".to_owned()
        }
        Some(until) => {
            format!(
                "records of Kafka time before {until} ms are gone: what they did to the state is not known"
            )
        }
    };
    let other = rebuilt.other_until_ms.map_or_else(String::new, |until| {
        format!(
            ". Those of Kafka time up to {until} ms were read under other rules: what was written of them stays as it is"
        )
    });
    format!("{why}; the state was made anew. {known}{other}")
}

/// Records that were deleted before they were read.
fn gone(source: &mut dyn Source, positions: &Positions) -> Result<Vec<String>, EngineError> {
    let mut found = Vec::new();
    for (input, topic) in source.topics().to_vec().iter().enumerate() {
        for partition in 0..source.partitions(input) {
            let Some(next) = positions.get(topic, partition) else { continue };
            let first = source.first(input, partition)?;
            if first > next {
                found.push(format!(
                    "topic {topic}, partition {partition}: the records {next} to {} were deleted before they were read",
                    first - 1
                ));
            }
        }
    }
    Ok(found)
}
