//! From payloads and segments to records, through the library's own path.

use std::error::Error;

use cdc_agent::change::filter::{ColumnRules, TableFilter};
use cdc_agent::change::{for_each_event, for_each_event_of_part};
use cdc_agent::commitlog::{
    Decoder, FrameStep, Mutation, MutationError, SectionStep, Sections, Segment, SegmentId,
};
use cdc_agent::envelope::config::HashKey;
use cdc_agent::envelope::options::{CellTimes, Profile, Unrepresentable, ValueFormat};
use cdc_agent::envelope::{Encoder, EncoderConfig, Place, Record, SourceNames, Visibility};
use cdc_agent::schema::Schema;
use serde_json::Value;

use super::fixture_key;

/// Wall clock of every record.
pub(crate) const NOW_MS: i64 = 1_767_323_045_912;

/// A record with bytes of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnedRecord {
    pub(crate) topic: String,
    pub(crate) partition_hash: u32,
    pub(crate) key: String,
    /// `None` is a tombstone.
    pub(crate) value: Option<String>,
    pub(crate) event_id: String,
}

impl OwnedRecord {
    fn of(record: &Record<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(record.ts_ms, NOW_MS);
        Self {
            topic: record.topic.to_owned(),
            partition_hash: record.partition_hash,
            key: text(record.key),
            value: record.value.map(text),
            event_id: record.event_id.to_owned(),
        }
    }

    /// The value, parsed.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.value.as_ref().unwrap()).unwrap()
    }
}

/// What `replay` does without options.
pub(crate) fn config(profile: Profile) -> EncoderConfig {
    EncoderConfig {
        source: SourceNames {
            prefix: "local".to_owned(),
            cluster: None,
            dc: None,
            host_id: None,
            replay: true,
        },
        profile,
        unrepresentable: Unrepresentable::SideTopic,
        format: ValueFormat::of(profile),
        cells: CellTimes::WhenDiffers,
        tombstones_on_delete: false,
        row_hash: None,
        rules: ColumnRules::default(),
        hash_key: HashKey::default(),
    }
}

/// The records of one payload.
pub(crate) fn records_of_payload(
    schema: &Schema,
    config: &EncoderConfig,
    payload: &[u8],
) -> Result<Vec<OwnedRecord>, Box<dyn Error>> {
    let mut mutation = Mutation::default();
    Decoder::new(schema).decode(payload, &mut mutation)?;
    let mut encoder = Encoder::new(config);
    let mut found = Vec::new();
    for_each_event::<Box<dyn Error>>(&mutation, |event| {
        encoder.encode(&event, PLACE, NOW_MS, |record| {
            found.push(OwnedRecord::of(record));
            Ok(())
        })
    })?;
    Ok(found)
}

/// The same, decoded in parts of so many items; and how many parts there were.
pub(crate) fn records_of_payload_in_parts(
    schema: &Schema,
    config: &EncoderConfig,
    payload: &[u8],
    items: usize,
) -> Result<(Vec<OwnedRecord>, usize), Box<dyn Error>> {
    let mut mutation = Mutation::default();
    let mut encoder = Encoder::new(config);
    let (mut found, mut parts, mut index) = (Vec::new(), 0, 0);
    Decoder::new(schema).decode_in_parts::<Box<dyn Error>>(payload, &mut mutation, items, |part| {
        parts += 1;
        for_each_event_of_part::<Box<dyn Error>>(part, &mut index, |event| {
            encoder.encode(&event, PLACE, NOW_MS, |record| {
                found.push(OwnedRecord::of(record));
                Ok(())
            })
        })
    })?;
    Ok((found, parts))
}

const PLACE: Place<'static> = Place {
    segment: SegmentId(1),
    file: "CommitLog-7-1.log",
    marker: 4096,
    entry: 7,
    end: 5000,
    visibility: Visibility::Synced,
    late: false,
};

/// The records of undamaged segments (file name, bytes): mutations of tables that the schema does not have
/// are left out.
pub(crate) fn records_of_segments(
    segments: &[(String, Vec<u8>)],
    schema: &Schema,
    filter: &TableFilter,
    config: &EncoderConfig,
) -> Vec<OwnedRecord> {
    let mut encoder = Encoder::new(config);
    let mut found = Vec::new();
    for (name, bytes) in segments {
        let segment = Segment::open(bytes, Some(name.parse().unwrap()), &fixture_key).unwrap();
        let mut sections = Sections::new(&segment);
        let mut decoder = Decoder::new(schema);
        while let Some(step) = sections.next_section() {
            let SectionStep::Section(mut frames) = step else { panic!("{name}: {step:?}") };
            let bounds = frames.bounds();
            let mut mutation = Mutation::default();
            while let Some(step) = frames.next_frame() {
                let FrameStep::Frame(frame) = step else { panic!("{name}: {step:?}") };
                match decoder.decode(frame.payload, &mut mutation) {
                    Ok(()) => {}
                    Err(MutationError::UnknownTable(_)) => continue,
                    Err(error) => panic!("{name}: entry {}: {error}", frame.entry),
                }
                let place = Place {
                    segment: SegmentId(segment.descriptor().id.0),
                    file: name,
                    marker: bounds.marker as u64,
                    entry: frame.entry,
                    end: bounds.logical_start + frame.end() as u64,
                    visibility: Visibility::Synced,
                    late: false,
                };
                for_each_event::<Box<dyn Error>>(&mutation, |event| {
                    if !filter.wants(event.update.table) {
                        return Ok(());
                    }
                    encoder.encode(&event, place, NOW_MS, |record| {
                        found.push(OwnedRecord::of(record));
                        Ok(())
                    })
                })
                .unwrap_or_else(|error| panic!("{name}: entry {}: {error}", frame.entry));
            }
        }
    }
    found
}
