//! What commands do in place of an agent that does not run: look at what is committed, and change it.

use std::path::Path;

use super::destination;
use super::notices::Notices;
use super::stop::Stop;
use super::{spool, start};
use crate::agent::exit::{Exit, Failure};
use crate::agent::head::Head;
use crate::agent::input;
use crate::agent::keys::Keys;
use crate::agent::pipeline::segment::OpenSegment;
use crate::agent::state_lock::StateLock;
use crate::cdc_raw::{Directory, Scan, SegmentFile, chain};
use crate::checkpoint::Fingerprint;
use crate::cli::{RunOptions, Settings};
use crate::commitlog::{Position, Sections, SegmentId};
use crate::schema::Schema;
use crate::sink::Sink;

/// The directories of an agent that does not run, held for as long as this lives.
#[derive(Debug)]
pub(in crate::agent) struct Offline {
    directory: Directory,
    scan: Scan,
    settings: Settings,
    _held: StateLock,
}

impl Offline {
    /// Holds the directories.
    ///
    /// # Errors
    /// The agent runs, or a directory cannot be read.
    pub(in crate::agent) fn hold(options: &RunOptions) -> Result<Self, Failure> {
        let log = &options.live.log;
        let directory = start::directory(&log.cdc_raw)?;
        let held = StateLock::take(&log.state_dir)?;
        let (directory, _) = spool::open(log, directory)?;
        let scan = directory.scan().map_err(|error| {
            Failure::new(Exit::Unreadable, "the commit log cannot be looked at").because(error)
        })?;
        Ok(Self { directory, scan, settings: settings(options), _held: held })
    }

    /// A segment that is in cdc_raw.
    pub(in crate::agent) fn segment(&self, id: SegmentId) -> Option<&SegmentFile> {
        self.scan.segments.iter().find(|file| file.name.id == id)
    }

    /// Whether the index of a segment is in cdc_raw that is not there itself.
    pub(in crate::agent) fn has_index(&self, id: SegmentId) -> bool {
        self.scan.stray_indexes.iter().any(|index| index.name.id == id)
    }

    /// The fingerprint of a segment that is in cdc_raw, if it can be told.
    pub(in crate::agent) fn fingerprint(&self, file: &SegmentFile) -> Option<Fingerprint> {
        let opened = std::fs::File::open(self.directory.segment(file.name)).ok()?;
        chain::fingerprint(&opened, file.name).ok().flatten()
    }

    /// Whether a section begins at a position, or a segment does.
    ///
    /// # Errors
    /// The segment cannot be read.
    pub(in crate::agent) fn is_place(&self, file: &SegmentFile, position: Position) -> Result<bool, Failure> {
        if position.marker == 0 && position.entry == 0 {
            return Ok(true);
        }
        let path = self.directory.segment(file.name);
        let opened = OpenSegment::open_as(input::SegmentFile::from(path), false, file.index, None)?;
        let keys = Keys::open(&self.settings.keys, &self.settings.names)?;
        let Head::Sound(segment) = Head::of(opened.bytes(), Some(file.name), &keys) else {
            return Err(Failure::new(Exit::Damaged, format!("{} cannot be read", file.name))
                .next("cdc-agent verify says why"));
        };
        let mut sections = Sections::new(&segment);
        while let Some((marker, _)) = sections.next_marker() {
            if marker as u64 == position.marker {
                return Ok(true);
            }
            if sections.next_section().is_none() {
                break;
            }
        }
        Ok(false)
    }

    /// The agent's destination, as the agent opens it: whoever else writes there is fenced.
    ///
    /// # Errors
    /// It cannot be written.
    pub(in crate::agent) fn sink(&self, out: &Path, state: &Path) -> Result<Box<dyn Sink>, Failure> {
        destination::open(out, &self.settings, &Schema::default(), state, (&Stop::never(), None))
    }

    /// Writes control records.
    pub(in crate::agent) fn notices(&self) -> Notices {
        Notices::aside(&self.settings)
    }
}

/// The options, with the names of the node that the agent took on.
fn settings(options: &RunOptions) -> Settings {
    let mut settings = options.settings.clone();
    start::take_names_kept(&options.live.log.state_dir, &mut settings.source);
    // Tables that are named need a schema; no record of a table is written here.
    settings.kafka.refused_tables.clear();
    settings
}

/// How to reach the agent's Kafka.
///
/// # Errors
/// The node is not known, there are no brokers to ask, or a password cannot be read.
#[cfg(feature = "kafka")]
pub(in crate::agent) fn kafka_options(
    options: &RunOptions,
) -> Result<crate::sink::kafka::KafkaOptions, Failure> {
    destination::kafka_options(
        &settings(options),
        &Schema::default(),
        &options.live.log.state_dir,
        &Stop::never(),
    )
}
