//! Decoding measured: `cargo bench --bench decode -- --corpus DIR [--passes N] [--level NAME] [--json]`.
//!
//! One thread passes over all segments of a folder that also holds their `schema.json`. Levels, each doing what
//! the one before does and more:
//!
//! - `limit`: both checksums of every frame
//! - `decode`: every mutation of a wanted table, each of its cells visited; others skipped
//! - `records`: change events, `event_id` and flat JSON records with default options, dropped
//! - `records+row_hash`: with `row_hash` v1
//!
//! `tests/bench/run.py` runs it beside the peers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement that cannot go on has failed; it prints its figures"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use cdc_agent::change::filter::{ColumnRules, TableFilter};
use cdc_agent::change::{ShapeError, for_each_event};
use cdc_agent::commitlog::map::SegmentBytes;
use cdc_agent::commitlog::mutation::{CellValue, Unfiltered};
use cdc_agent::commitlog::{
    Decoder, Frame, FrameStep, Mutation, SectionStep, Sections, Segment, SegmentName, peek,
};
use cdc_agent::envelope::config::HashKey;
use cdc_agent::envelope::options::{CellTimes, Profile, RowHashOptions, Unrepresentable, ValueFormat};
use cdc_agent::envelope::{EncodeError, Encoder, EncoderConfig, Place, SourceNames, Visibility};
use cdc_agent::schema::{self, Schema, TableMap, system};

fn main() {
    let options = Options::from_args();
    let corpus = Corpus::open(&options.folder);
    let mut figures = Vec::new();
    for level in Level::ALL {
        if options.level.as_deref().is_some_and(|wanted| wanted != level.name()) {
            continue;
        }
        corpus.pass(level);
        let passes: Vec<Pass> = (0..options.passes).map(|_| corpus.pass(level)).collect();
        figures.push(figure(level, &passes));
    }
    if options.json {
        for figure in figures {
            println!("{figure}");
        }
        return;
    }
    for figure in figures {
        let best = |name: &str| {
            figure[name]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(serde_json::Value::as_f64)
                .fold(0.0, f64::max)
        };
        println!(
            "{:<18} {:>8.1} MB/s {:>12.0} mutations/s {:>12.0} records/s",
            figure["level"].as_str().unwrap(),
            best("mb_per_s"),
            best("mutations_per_s"),
            best("records_per_s")
        );
    }
}

struct Options {
    folder: PathBuf,
    passes: usize,
    level: Option<String>,
    json: bool,
}

impl Options {
    fn from_args() -> Self {
        let mut options = Self { folder: PathBuf::new(), passes: 3, level: None, json: false };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--corpus" => options.folder = args.next().expect("a folder follows --corpus").into(),
                "--passes" => {
                    options.passes =
                        args.next().and_then(|n| n.parse().ok()).expect("a number follows --passes")
                }
                "--level" => options.level = args.next(),
                "--json" => options.json = true,
                // `cargo bench` adds it.
                "--bench" => {}
                other => panic!("unknown argument {other}"),
            }
        }
        assert!(options.folder.is_dir(), "--corpus names no folder");
        options
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Limit,
    Decode,
    Records,
    RecordsWithRowHash,
}

impl Level {
    const ALL: [Self; 4] = [Self::Limit, Self::Decode, Self::Records, Self::RecordsWithRowHash];

    fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Decode => "decode",
            Self::Records => "records",
            Self::RecordsWithRowHash => "records+row_hash",
        }
    }
}

#[derive(Default)]
struct Pass {
    seconds: f64,
    bytes: u64,
    mutations: u64,
    records: u64,
}

fn figure(level: Level, passes: &[Pass]) -> serde_json::Value {
    let rates = |amount: fn(&Pass) -> u64| -> Vec<f64> {
        passes.iter().map(|pass| amount(pass) as f64 / pass.seconds).collect()
    };
    serde_json::json!({
        "level": level.name(),
        "mb_per_s": rates(|pass| pass.bytes).iter().map(|rate| rate / 1e6).collect::<Vec<_>>(),
        "mutations_per_s": rates(|pass| pass.mutations),
        "records_per_s": rates(|pass| pass.records),
        "mutations": passes.first().map_or(0, |pass| pass.mutations),
        "records": passes.first().map_or(0, |pass| pass.records),
        "bytes": passes.first().map_or(0, |pass| pass.bytes),
    })
}

struct Corpus {
    schema: Schema,
    wanted: TableMap<bool>,
    segments: Vec<(SegmentName, SegmentBytes)>,
}

impl Corpus {
    fn open(folder: &Path) -> Self {
        let mut schema =
            schema::build(&schema::load(&folder.join("schema.json")).expect("a schema.json").rows).schema;
        system::add_to(&mut schema);
        let filter = TableFilter::default();
        let wanted = schema.tables().map(|table| (table.id, filter.wants(table))).collect();
        let mut segments: Vec<(SegmentName, SegmentBytes)> = folder
            .read_dir()
            .expect("a readable folder")
            .filter_map(|entry| {
                let path = entry.expect("a readable entry").path();
                let name = path.file_name()?.to_str()?.parse().ok()?;
                Some((name, SegmentBytes::open(&path, true).expect("a readable segment")))
            })
            .collect();
        segments.sort_by_key(|(name, _)| *name);
        assert!(!segments.is_empty(), "no segment in {}", folder.display());
        Self { schema, wanted, segments }
    }

    fn pass(&self, level: Level) -> Pass {
        let config = config(level);
        let mut pass = Pass::default();
        let mut encoder = Encoder::new(&config);
        let mut decoder = Decoder::new(&self.schema);
        let started = Instant::now();
        for (name, bytes) in &self.segments {
            let file = name.to_string();
            let segment = Segment::open(bytes, Some(*name), &|_| None).expect("a segment");
            let mut sections = Sections::new(&segment);
            while let Some(step) = sections.next_section() {
                let SectionStep::Section(mut frames) = step else { panic!("damage in {file}") };
                let bounds = frames.bounds();
                let mut mutation = Mutation::default();
                pass.bytes += (bounds.end - bounds.marker) as u64;
                while let Some(step) = frames.next_frame() {
                    let FrameStep::Frame(frame) = step else { panic!("damage in {file}") };
                    pass.mutations += 1;
                    if level == Level::Limit {
                        black_box(frame.payload.len());
                        continue;
                    }
                    if !self.decode(&frame, &mut decoder, &mut mutation) {
                        continue;
                    }
                    if level == Level::Decode {
                        visit(&mutation);
                        continue;
                    }
                    let place = Place {
                        segment: name.id,
                        file: &file,
                        marker: bounds.marker as u64,
                        entry: frame.entry,
                        end: bounds.logical_start + frame.end() as u64,
                        visibility: Visibility::Synced,
                        late: false,
                    };
                    pass.records += self.records(&mutation, place, &mut encoder);
                }
            }
        }
        pass.seconds = started.elapsed().as_secs_f64();
        pass
    }

    /// Decodes the mutation when it can hold an update of a wanted table.
    #[inline]
    fn decode<'s: 'a, 'a>(
        &self,
        frame: &Frame<'a>,
        decoder: &mut Decoder<'s>,
        mutation: &mut Mutation<'a>,
    ) -> bool {
        let peeked = peek(frame.payload).expect("a table id");
        if peeked.updates == 1 && !self.wants(peeked.table) {
            return false;
        }
        decoder.decode(frame.payload, mutation).expect("a mutation of the schema");
        true
    }

    #[inline]
    fn wants(&self, table: schema::TableId) -> bool {
        self.wanted.get(&table).copied().unwrap_or(false)
    }

    fn records(&self, mutation: &Mutation<'_>, place: Place<'_>, encoder: &mut Encoder<'_>) -> u64 {
        let mut records = 0;
        for_each_event(mutation, |event| {
            if !self.wants(event.update.table.id) {
                return Ok(());
            }
            encoder.encode::<Failed>(&event, place, 1_700_000_000_000, |record| {
                black_box((record.key, record.value, record.partition_hash));
                records += 1;
                Ok(())
            })
        })
        .unwrap_or_else(|Failed| panic!("{}: no record", place.position(0)));
        records
    }
}

struct Failed;

impl From<ShapeError> for Failed {
    fn from(_: ShapeError) -> Self {
        Self
    }
}

impl From<EncodeError> for Failed {
    fn from(_: EncodeError) -> Self {
        Self
    }
}

/// Looks at every cell.
#[inline]
fn visit(mutation: &Mutation<'_>) {
    for update in mutation.updates() {
        let rows = mutation.unfiltereds(update).iter().filter_map(|unfiltered| match unfiltered {
            Unfiltered::Row(row) => Some(row),
            Unfiltered::Marker(marker) => {
                black_box((marker.start, marker.end, mutation.bound(marker)));
                None
            }
        });
        for row in update.static_row.iter().chain(rows) {
            black_box((row.liveness, row.deletion, mutation.clustering(row)));
            for column in mutation.columns(row) {
                for cell in mutation.cells(column) {
                    let value = match cell.value {
                        CellValue::Live { value, .. } => value,
                        CellValue::Tombstone { .. } => &[],
                    };
                    black_box((cell.ts_us, cell.path, value));
                }
            }
        }
    }
}

fn config(level: Level) -> EncoderConfig {
    EncoderConfig {
        source: SourceNames {
            prefix: "bench".to_owned(),
            cluster: None,
            dc: None,
            host_id: None,
            replay: true,
        },
        profile: Profile::Flat,
        unrepresentable: Unrepresentable::SideTopic,
        format: ValueFormat::default(),
        cells: CellTimes::WhenDiffers,
        tombstones_on_delete: false,
        row_hash: (level == Level::RecordsWithRowHash).then(RowHashOptions::default),
        rules: ColumnRules::default(),
        hash_key: HashKey::default(),
    }
}
