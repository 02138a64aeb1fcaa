//! `run`: follows the commit log of a live node, to Kafka or a file log.
//!
//! [`live`] is the loop, one synchronous thread. [`growing`] reads what Cassandra still writes, [`still`] what it does not
//! write any more; both go through the same [`pipeline`](super::pipeline) as `replay`. [`schema`] and [`node`] bring the
//! schema, [`notices`] are heartbeats and control records.

mod beyond;
mod destination;
mod finished;
mod gap;
mod growing;
mod guard;
mod indexed;
mod kept;
mod later;
mod ledger;
mod live;
mod lives;
mod modes;
#[cfg(feature = "cql")]
pub(super) mod node;
#[cfg(feature = "cql")]
mod node_cdc;
mod notices;
pub(super) mod offline;
#[cfg(feature = "cql")]
pub(super) mod owned_first;
pub(super) mod parked;
mod passed;
mod reached;
mod reader;
mod recognised;
#[cfg(feature = "cql")]
mod refusals;
mod reload;
mod remembered;
pub(super) mod schema;
#[cfg(feature = "cql")]
mod schema_kept;
#[cfg(feature = "cql")]
mod snapshot;
mod spool;
mod start;
mod still;
mod stop;
mod telling;
#[cfg(test)]
mod tests;
mod told_destination;
#[cfg(feature = "cql")]
mod unsettled;
mod watermark;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::exit::{Exit, Failure};
use super::keys::Keys;
use super::log;
use super::pipeline::range::Range;
use super::pipeline::worker::{Owned, Worker};
use super::pipeline::writer::{Writer, sink_failure};
use super::record_options::{Reading as Kind, encoder_config, table_filter};
use super::socket::Inbox;
use super::state_lock::StateLock;
use crate::cdc_raw::{Timing, Watch};
use crate::cli::{LogFormatWord, RunArgs, Undecodable, UnknownTable, VisibilityWord};
use crate::envelope::Visibility;
use crate::failpoint;
use crate::sink::Sink;
use crate::telemetry::{Limits, Phase, Telemetry};
use beyond::Beyond;
use finished::Finished;
use gap::Told;
use guard::Guard;
use indexed::Indexed;
use live::{Ended, Live, Parts};
use lives::Found;
use modes::{Begin, Modes};
use notices::Notices;
use passed::Passed;
use reader::Reading;
use recognised::Recognised;
use remembered::Remembered;
use schema::LiveSchema;
#[cfg(feature = "cql")]
use snapshot::Snapshots;
use stop::Stop;
use telling::Telling;
use watermark::Watermark;

/// Between attempts to rewind the sink.
const REWIND_PAUSE: Duration = Duration::from_secs(1);

/// Runs `run`.
///
/// # Errors
/// What it cannot go on after.
pub fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let stop = Stop::by_reload()?;
    let mut args = args.clone();
    let live = args.options.live.clone();
    log::begin(live.telling.log_format == LogFormatWord::Json);
    start::fits(&live.log, &args.out)?;
    let directory = start::patiently(|| start::directory(&live.log.cdc_raw))?;
    let stall_after = Duration::from_secs(live.telling.stall_after_s.get());
    let mut telling = Telling::new(Limits { stall_after, ..Limits::default() });
    let heard = Arc::clone(&telling.telemetry);
    log::also(move |news| match news {
        log::Heard::Line(text) => heard.error(text),
        log::Heard::Unwritten => heard.state_unwritten(),
    });
    let _server = start::http(&live.telling, &telling)?;
    failpoint::cross("start_locked");
    let mut watch = Watch::new(directory.path());
    let stop = stop.on_signals(watch.waker())?.with_signs_of_life(&telling.telemetry);
    let state = start::state_directory(&live.log.state_dir)?;
    let _held = start::patiently(|| StateLock::take(&state))?;
    let (directory, spool) = spool::open(&live.log, directory)?;
    let directory = Arc::new(directory);
    let guard = Guard::start(&live.log, Arc::clone(&directory), spool, Arc::clone(&telling.telemetry))?;
    let (_socket, inbox) = start::socket(&state, &telling, watch.waker());
    let mut finished = Finished::new(&live.log, &directory)?;
    let mut settings = args.options.settings.clone();
    let keys = Keys::open(&settings.keys, &settings.names)?;
    let filter = table_filter(&settings.filter);
    telling.phase(Phase::WaitingForSchema, None);
    let started =
        start::schema(&live.cassandra, &mut settings.source, &state, &directory, filter.clone(), &stop)?;
    let Some(mut schema) = started else { return Ok(Exit::Ok) };
    failpoint::cross("start_schema");
    let owned = start::owned(&live.log, &mut schema, &state, &stop)?;
    let newest = schema.newest();
    let config = encoder_config(&settings, &newest.get().schema, Kind::Live)?;
    let asked = visibility(live.log.visibility);
    let sync_period = Duration::from_millis(live.log.commitlog_sync_period_ms.get());
    let notices = Notices::new(&config, asked, filter);
    telling.identity(&args, &settings, asked.as_str());
    telling.phase(Phase::ReadingCheckpoint, None);
    let observers = (&stop, Some(&telling.telemetry));
    let opened = destination::open(&args.out, &settings, &newest.get().schema, &state, observers);
    if stop.is_asked() && opened.is_err() {
        return Ok(end(&mut schema, "stopped before the checkpoint was read; nothing was sent"));
    }
    let mut sink = opened?;
    failpoint::cross("start_sink");
    let own_links = 0;
    let mut found = Found::new(Timing { sync_period, own_links });
    let modes = Modes {
        delivery: modes::delivery(&args.out, &settings).to_owned(),
        visibility: asked.as_str().to_owned(),
        ownership: live.log.ownership.word().to_owned(),
    };
    let mut begin = Begin::new(&state, modes, start::config_hash(&args.options));
    log::info(&format!("reading {} into {}", directory.path().display(), args.out.display()));
    let mut beyond = Beyond::open(&state);
    let mut passed = Passed::open(&state);
    let mut recognised = Recognised::default();
    let mut remembered = Remembered::new(remembered::Limits::default());
    let reading = Reading { directory: &directory, keys: &keys };
    schema.begin(&reading, &sink.checkpoint().cloned().unwrap_or_default(), &passed);
    let blocks_writes = live.log.cdc_block_writes;
    let mut gaps = Told::new(blocks_writes, Indexed::open(&state));
    #[cfg(feature = "cql")]
    let mut snapshots = match schema.can_be_asked_for() {
        true => Some(Snapshots::new(node::settings(&live.cassandra)?)),
        false => None,
    };
    loop {
        let undecoded = &args.options.settings.undecoded;
        // Whether a table is dropped, only the node knows.
        let unknown_table = match (undecoded.unknown_table, schema.can_be_asked_for()) {
            (Some(UnknownTable::Park), _) | (None, false) => UnknownTable::Park,
            (None, true) => UnknownTable::Ledger,
            (Some(word), _) => word,
        };
        let late_after_us =
            i64::try_from(args.options.live.log.late_after_s).ok().and_then(|s| s.checked_mul(1_000_000));
        let worker = |unknown_table| Worker {
            later: newest.as_ref(),
            config: &config,
            range: Range::default(),
            of_other_scopes: BTreeSet::new(),
            owned: owned.as_deref().map(|owned| owned as &dyn Owned),
            dry_run: false,
            late_after_us: late_after_us.filter(|after| *after > 0),
            unknown_table,
            undecodable: undecoded.undecodable,
            given_up: None,
        };
        let (worker, retrier) = (worker(UnknownTable::Park), worker(unknown_table));
        let checkpoint = sink.checkpoint().cloned().unwrap_or_default();
        let mut writer = Writer::new(sink.as_mut(), checkpoint, undecoded.undecodable == Undecodable::Park);
        writer.tell(&notices);
        writer.keep_schema(schema.keeper());
        let heartbeat = Some(args.options.live.telling.heartbeat_interval_ms).filter(|ms| *ms > 0);
        let heartbeat = heartbeat.map(Duration::from_millis);
        notices.beat_from(heartbeat.map(|_| Watermark::before_us(SystemTime::now(), sync_period)));
        let begun = begin.tell(&notices, &mut writer);
        let parts = Parts {
            reading,
            asked,
            sync_period,
            stop: &stop,
            watch: &mut watch,
            schema: &mut schema,
            worker: &worker,
            retrier: &retrier,
            notices: &notices,
            inbox: &inbox,
            finished: &finished,
            heartbeat,
            until_empty: args.until_empty,
            gaps: &mut gaps,
            found: &mut found,
            beyond: &mut beyond,
            passed: &mut passed,
            recognised: &mut recognised,
            remembered: &mut remembered,
            telling: &mut telling,
            #[cfg(feature = "cql")]
            snapshots: snapshots.as_mut(),
        };
        let mut live = Live::new(parts, writer);
        let ended = begun.and_then(|()| live.run());
        let (is_rewindable, is_indefinite) = (live.is_rewindable(), live.is_indefinite());
        drop(live);
        match ended {
            Ok(Ended::Reload) => {
                let parts = reload::Parts {
                    directory: &directory,
                    finished: &mut finished,
                    schema: &mut schema,
                    guard: &guard,
                    #[cfg(feature = "cql")]
                    snapshots: snapshots.as_mut(),
                };
                reload::reload(&mut args, parts);
            }
            Ok(Ended::Stopped) => return Ok(end(&mut schema, "stopped; all that was sent is committed")),
            Ok(Ended::Empty) => return Ok(end(&mut schema, "everything is published")),
            Err(failure) if is_rewindable => {
                log::warn(&failure.to_string());
                // What was told of and not committed is told of again.
                gaps.rewind();
                recognised = Recognised::default();
                found.rewind();
                passed.rewind();
                telling.telemetry.phase(Phase::WaitingForKafka, Some(&failure.to_string()));
                telling.destination.failed(is_indefinite);
                if !rewind(sink.as_mut(), &stop, (&watch, &inbox), &telling.telemetry)? {
                    schema.save();
                    return Ok(Exit::Ok);
                }
                if let Some(checkpoint) = sink.checkpoint() {
                    schema.rewind(checkpoint);
                }
            }
            Err(failure) => {
                schema.save();
                return Err(failure);
            }
        }
    }
}

/// The agent ends in order.
fn end(schema: &mut LiveSchema, how: &str) -> Exit {
    schema.save();
    log::info(how);
    Exit::Ok
}

/// Goes back to what is committed, as often as it takes; `false` when it is asked to stop meanwhile.
fn rewind(
    sink: &mut dyn Sink,
    stop: &Stop,
    (watch, inbox): (&Watch, &Inbox),
    telemetry: &Telemetry,
) -> Result<bool, Failure> {
    let began = Instant::now();
    let mut said = None;
    while !stop.is_asked() {
        telemetry.alive();
        match sink.rewind() {
            Ok(()) => {
                log::info(&format!("goes on from what is committed, after {:?}", began.elapsed()));
                return Ok(true);
            }
            Err(error) if error.is_rewindable() => {
                let text = error.to_string();
                inbox.refuse(&text);
                if said.as_ref() != Some(&text) {
                    log::warn(&format!("not yet: {text}"));
                    telemetry.phase(Phase::WaitingForKafka, Some(&text));
                    said = Some(text);
                }
                watch.wait(REWIND_PAUSE);
            }
            Err(error) => return Err(sink_failure(error)),
        }
    }
    Ok(false)
}

fn visibility(word: VisibilityWord) -> Visibility {
    match word {
        VisibilityWord::Synced => Visibility::Synced,
        VisibilityWord::Marked => Visibility::Marked,
        VisibilityWord::Written => Visibility::Written,
    }
}
