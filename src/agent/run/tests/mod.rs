//! A simulation of the loop: a node that writes, crashes and starts again, a broker that fails at any call, an agent that
//! dies at any time. A seed decides on everything; a failure prints it.
//!
//! `CDC_AGENT_SEEDS=20000` tries more seeds, `CDC_AGENT_SEED=17` one alone.

mod away;
mod broker;
mod node;
mod parked;
mod random;
#[cfg(feature = "cql")]
mod restarted;
mod rewound;
mod staying;
mod writers;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use super::beyond::Beyond;
use super::finished::Finished;
use super::gap::Told;
use super::indexed::Indexed;
use super::live::{Ended, Live, Parts, Went};
use super::lives::Found;
use super::notices::Notices;
use super::passed::Passed;
use super::reader::Reading;
use super::recognised::Recognised;
use super::remembered::{Limits as Memory, Remembered};
use super::schema::LiveSchema;
use super::stop::Stop;
use super::telling::Telling;
use crate::agent::keys::Keys;
use crate::agent::pipeline::range::Range;
use crate::agent::pipeline::worker::Worker;
use crate::agent::pipeline::writer::Writer;
use crate::agent::record_options::{Reading as Kind, encoder_config, table_filter};
use crate::agent::socket::Inbox;
use crate::cdc_raw::{Directory, DirectoryError, Timing, Watch};
use crate::change::filter::TableFilter;
use crate::cli::{LogArgs, Settings, Undecodable, UnknownTable};
use crate::envelope::Visibility;
use crate::sink::Sink;
use crate::telemetry::Limits;
use broker::{Broker, Seen, SimulatedSink};
use node::{Node, Write};
use random::Random;

const PERIOD: Duration = Duration::from_secs(10);

/// One simulated world.
struct World {
    seed: u64,
    dir: tempfile::TempDir,
    node: Node,
    broker: Rc<RefCell<Broker>>,
    random: Random,
    visibility: Visibility,
    /// Whether agents find `cdc_raw`, or an empty directory.
    is_mounted: bool,
    /// So many commits are taken back, besides those that fail by chance.
    undoes: u32,
    /// So many of the first writes are committed or forgotten.
    settled: usize,
    /// Whether finished segments stay in `cdc_raw`.
    keeps: bool,
    /// How long those that are not there are remembered.
    memory: Memory,
    /// An agent dies behind so many commits.
    dies_after: Option<u32>,
    /// So many parked mutations have room in a checkpoint.
    most_parked: usize,
    /// The schema is what agents before kept of it, and not the file.
    is_schema_kept: bool,
    /// Turns of the loop after which a newer schema was asked for.
    asked: u32,
}

/// How an agent's life goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    /// The node works, the broker fails, the agent dies in the end.
    Troubled,
    /// Nothing fails, and nothing new comes: until all is published.
    Quiet,
}

impl World {
    fn new(seed: u64) -> Self {
        let dir = folder();
        let mut random = Random::new(seed);
        let visibility = [Visibility::Marked, Visibility::Written, Visibility::Synced]
            [usize::try_from(random.below(3)).unwrap()];
        let node = Node::new(dir.path());
        std::fs::write(dir.path().join("schema.json"), node::table().schema_file().to_string()).unwrap();
        let (broker, memory) = (Rc::default(), Memory::default());
        Self {
            seed,
            dir,
            node,
            broker,
            random,
            visibility,
            is_mounted: true,
            undoes: 0,
            settled: 0,
            keeps: false,
            memory,
            dies_after: None,
            most_parked: usize::MAX,
            is_schema_kept: false,
            asked: 0,
        }
    }

    fn fail(&self, what: &str) -> ! {
        panic!("seed {} ({:?}): {what}", self.seed, self.visibility);
    }

    /// Lets an agent live for some turns of its loop.
    fn live(&mut self, life: Life) {
        let turns = match life {
            Life::Troubled => 5 + self.random.below(60),
            Life::Quiet => 80,
        };
        let state = self.dir.path().join("state");
        std::fs::create_dir_all(&state).unwrap();
        let unmounted = self.dir.path().join("unmounted");
        std::fs::create_dir_all(&unmounted).unwrap();
        let directory = open(if self.is_mounted { &self.node.raw } else { &unmounted });
        let settings = settings();
        let keys = Keys::open(&settings.keys, &settings.names).unwrap();
        let filter = table_filter(&settings.filter);
        let mut schema = self.schema(&state, &filter);
        let newest = schema.newest();
        let config = encoder_config(&settings, &newest.get().schema, Kind::Live).unwrap();
        let notices = Notices::new(&config, self.visibility, filter);
        let worker = Worker {
            later: newest.as_ref(),
            config: &config,
            range: Range::default(),
            of_other_scopes: BTreeSet::new(),
            owned: None,
            dry_run: false,
            late_after_us: None,
            unknown_table: UnknownTable::Park,
            undecodable: Undecodable::Park,
            given_up: None,
        };
        let faults = if life == Life::Troubled { 10 + self.random.below(150) } else { 0 };
        let sink_random = Random::new(self.seed ^ self.random.below(1 << 40));
        let mut sink = SimulatedSink::open(&self.broker, sink_random, faults);
        sink.undoes = std::mem::take(&mut self.undoes);
        (sink.commits_left, sink.most_parked) = (self.dies_after, self.most_parked);
        let mut found = Found::new(Timing { sync_period: PERIOD, ..Timing::default() });
        let mut beyond = Beyond::open(&state);
        let mut passed = Passed::open(&state);
        let reading = Reading { directory: &directory, keys: &keys };
        schema.begin(&reading, sink.checkpoint().unwrap(), &passed);
        let mut telling = Telling::new(Limits::default());
        let mut recognised = Recognised::default();
        let mut remembered = Remembered::new(self.memory);
        let finished = if self.keeps { Finished::keep() } else { Finished::delete() };
        let (stop, mut watch) = (Stop::never(), Watch::nothing());
        let mut left = turns;
        while left > 0 {
            let checkpoint = sink.checkpoint().cloned().unwrap();
            let mut writer = Writer::new(&mut sink, checkpoint, true);
            writer.tell(&notices);
            writer.keep_schema(schema.keeper());
            let parts = Parts {
                reading,
                asked: self.visibility,
                sync_period: PERIOD,
                stop: &stop,
                watch: &mut watch,
                schema: &mut schema,
                worker: &worker,
                retrier: &worker,
                notices: &notices,
                inbox: &Inbox::none(),
                finished: &finished,
                heartbeat: None,
                until_empty: false,
                gaps: &mut Told::new(true, Indexed::open(&state)),
                found: &mut found,
                beyond: &mut beyond,
                passed: &mut passed,
                recognised: &mut recognised,
                remembered: &mut remembered,
                telling: &mut telling,
                #[cfg(feature = "cql")]
                snapshots: None,
            };
            let mut agent = Live::new(parts, writer);
            let mut rewinds = true;
            while left > 0 {
                left -= 1;
                match life {
                    Life::Troubled => self.node.act(&mut self.random),
                    Life::Quiet => self.node.advance(Duration::from_secs(1)),
                }
                let before = self.node.in_raw();
                let is_urgent = self.random.once_in(3);
                if self.random.once_in(50) {
                    stop.ask_reload();
                }
                let went = agent.step(self.node.now(), is_urgent);
                self.asked += u32::from(newest.is_asked_for());
                self.check_deleted(&before);
                match went {
                    // What was sent is committed; a new loop goes on from there.
                    Ok(Went::Ended(Ended::Reload)) => {
                        rewinds = false;
                        break;
                    }
                    Ok(_) => self.check_watermark(agent.watermark_us()),
                    Err(_) if self.dies_after.is_some() => return,
                    Err(_) if agent.is_rewindable() => break,
                    Err(failure) => self.fail(&format!("the agent ended: {failure}")),
                }
            }
            drop(agent);
            while left > 0 && rewinds && sink.rewind().is_err() {
                left -= 1;
            }
            if rewinds {
                passed.rewind();
                schema.rewind(sink.checkpoint().unwrap());
            }
        }
    }

    fn schema(&self, state: &Path, filter: &TableFilter) -> LiveSchema {
        #[cfg(not(feature = "cql"))]
        let _ = state;
        match self.is_schema_kept {
            #[cfg(feature = "cql")]
            true => restarted::kept(state, filter.clone()),
            _ => LiveSchema::from_file(&self.dir.path().join("schema.json"), filter.clone()).unwrap(),
        }
    }

    /// Whether all that stood in what the agent has deleted is committed.
    fn check_deleted(&self, before: &[i64]) {
        let after = self.node.in_raw();
        for id in before.iter().filter(|id| !after.contains(id)) {
            let committed = &self.broker.borrow().positions;
            for write in &self.node.writes {
                let is_in_it = write.position.segment.0 == *id && write.is_marked;
                if is_in_it && !committed.contains(&write.position) {
                    self.fail(&format!(
                        "segment {id} is deleted, and write {} is not committed",
                        write.number
                    ));
                }
            }
        }
    }

    /// Whether all that was written before the watermark is sent.
    fn check_watermark(&mut self, wm_us: Option<i64>) {
        let Some(wm_us) = wm_us else { return };
        let broker = self.broker.borrow();
        let is_settled = |write: &Write| write.is_forgotten || broker.positions.contains(&write.position);
        // It stays so: what was looked at once needs no second look.
        self.settled +=
            self.node.writes.iter().skip(self.settled).take_while(|write| is_settled(write)).count();
        for write in self.node.writes.iter().skip(self.settled).filter(|write| write.at_us < wm_us) {
            let is_it = |seen: &Seen| seen.position == write.position;
            if !is_settled(write) && !broker.sent.iter().any(is_it) {
                self.fail(&format!(
                    "the watermark is {wm_us}, and write {} of {} is not sent",
                    write.number, write.at_us
                ));
            }
        }
    }

    /// Whether consumers see each write once, in order, and nothing else, and what is left in cdc_raw.
    fn check_end(&self) {
        self.check_published();
        let left = self.node.in_raw();
        let newest = self.node.ids().max();
        if left.iter().any(|id| Some(*id) != newest) {
            self.fail(&format!("left in cdc_raw: {left:?}, the newest is {newest:?}"));
        }
    }

    /// Whether consumers see each write once, in order, and nothing else.
    fn check_published(&self) {
        let broker = self.broker.borrow();
        let (control, records): (Vec<_>, Vec<_>) =
            broker.committed.iter().partition(|seen| seen.topic.ends_with("__control"));
        let by_position: BTreeMap<_, _> =
            self.node.writes.iter().map(|write| (write.position, write)).collect();
        if let Some(pair) = records.windows(2).find(|pair| pair[0].position >= pair[1].position) {
            self.fail(&format!("{} comes before {}", pair[0].position, pair[1].position));
        }
        let mut forgotten = BTreeSet::new();
        for seen in &records {
            match by_position.get(&seen.position) {
                None => self.fail(&format!("{} was never written", seen.position)),
                Some(write) if seen.key != format!("{{\"id\":{}}}", write.number) => {
                    self.fail(&format!("{} is {} and not {}", seen.position, seen.key, write.number))
                }
                Some(write) if write.is_forgotten => {
                    forgotten.insert(seen.event_id.clone());
                }
                Some(_) => {}
            }
        }
        let seen: BTreeSet<_> = records.iter().map(|seen| seen.position).collect();
        for write in self.node.writes.iter().filter(|write| !write.is_forgotten) {
            if !seen.contains(&write.position) {
                self.fail(&format!("write {} at {} is lost", write.number, write.position));
            }
        }
        let mut told = BTreeSet::new();
        for value in control.iter().filter_map(|seen| serde_json::from_str::<Value>(&seen.value).ok()) {
            match value["type"].as_str() {
                Some("forgotten") => {
                    let ids = value["event_ids"].as_array().unwrap();
                    told.extend(ids.iter().map(|id| id.as_str().unwrap().to_owned()));
                }
                // A segment without changes of the table is gone: from outside that cannot be told from a loss.
                Some("gap") if value["is_loss"] == false => {}
                other => self.fail(&format!("nothing was wrong, and the agent says {other:?}: {value}")),
            }
        }
        if told != forgotten {
            self.fail(&format!("forgotten and published are {forgotten:?}, told are {told:?}"));
        }
    }
}

/// In memory where that is possible: a world writes thousands of small files.
fn folder() -> tempfile::TempDir {
    let mut folder = tempfile::Builder::new();
    folder.prefix("cdc-agent-simulation");
    folder.tempdir_in("/dev/shm").or_else(|_| folder.tempdir()).unwrap()
}

fn settings() -> Settings {
    use clap::FromArgMatches;
    let command = Settings::augment_args(clap::Command::new("options").no_binary_name(true));
    let matches = command.try_get_matches_from(["--prefix=p"]).unwrap();
    Settings::from_arg_matches(&matches).unwrap()
}

pub(super) fn log_args() -> LogArgs {
    use clap::FromArgMatches;
    let command = LogArgs::augment_args(clap::Command::new("options").no_binary_name(true));
    LogArgs::from_arg_matches(&command.try_get_matches_from([""; 0]).unwrap()).unwrap()
}

/// Opens the directory, whose lock the agent before has given up. A process that another test starts has copies of all
/// open files, and so of the lock, until it begins its program.
fn open(raw: &Path) -> Directory {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match Directory::open(raw) {
            Err(DirectoryError::Locked { .. }) if Instant::now() < until => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

fn simulate(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..2 + world.random.below(4) {
        world.live(Life::Troubled);
    }
    world.node.stop_and_start(&mut world.random);
    world.live(Life::Quiet);
    world.check_end();
}

/// Seeds from `first` on, every fourth: the tests run in parallel.
fn simulate_part(part: u64) {
    if let Some(seed) = std::env::var("CDC_AGENT_SEED").ok().and_then(|seed| seed.parse().ok()) {
        return simulate(seed);
    }
    let seeds = std::env::var("CDC_AGENT_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(10_000);
    (part..seeds).step_by(4).for_each(simulate);
}

#[test]
fn each_write_is_published_once_whatever_fails_0() {
    simulate_part(0);
}

#[test]
fn each_write_is_published_once_whatever_fails_1() {
    simulate_part(1);
}

#[test]
fn each_write_is_published_once_whatever_fails_2() {
    simulate_part(2);
}

#[test]
fn each_write_is_published_once_whatever_fails_3() {
    simulate_part(3);
}

/// What was not read yet is not given up because the volume was not there when the agent started.
#[test]
fn a_directory_that_was_not_mounted_is_read_when_it_is_there() {
    for seed in 0..40 {
        let mut world = World::new(seed);
        world.live(Life::Troubled);
        // Where nothing is open, an empty directory lacks nothing that the agent knows of.
        let is_open = world.broker.borrow().checkpoint.open().next().is_some();
        world.is_mounted = false;
        world.live(Life::Quiet);
        let gaps =
            world.broker.borrow().committed.iter().filter(|seen| seen.topic.ends_with("__control")).count();
        assert!(gaps > 0 || !is_open, "seed {seed}: nothing is told of the empty directory");
        world.is_mounted = true;
        world.live(Life::Troubled);
        world.node.stop_and_start(&mut world.random);
        world.live(Life::Quiet);
        world.check_end();
    }
}

/// The directory a seed used is gone with it.
#[test]
fn a_simulation_leaves_nothing_behind() {
    let world = World::new(1);
    let path = world.dir.path().to_owned();
    drop(world);
    assert!(!Path::exists(&path));
}
