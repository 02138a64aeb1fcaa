use std::sync::LazyLock;

use serde::de::IgnoredAny;

use crate::agent::inspect::annotate::annotate;
use crate::change::filter::ColumnRules;
use crate::change::for_each_event;
use crate::change::from_mutation::ShapeError;
use crate::change::partition_key::{PartitionKeyError, for_each_component};
use crate::commitlog::mutation::Mutation;
use crate::commitlog::{Decoder, MutationError, SegmentId, peek};
use crate::envelope::config::HashKey;
use crate::envelope::options::{
    CellTimes, DecimalHandling, Profile, RowHashOptions, RowHashVersion, TimestampFormat, Unrepresentable,
    ValueFormat, VarintHandling,
};
use crate::envelope::{EncodeError, Encoder, EncoderConfig, Place, SourceNames, Visibility};
use crate::schema::{Schema, TableId, build, file};

/// Every type and shape of table: the schema of a fixture.
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let rows = file::parse(include_str!("../../cdc_fixtures/5.0-v8-direct/schema.json"));
    build(&rows.unwrap_or_default()).schema
});
/// Its tables, in the order of their ids.
static TABLES: LazyLock<Vec<TableId>> = LazyLock::new(|| {
    let mut tables: Vec<_> = SCHEMA.tables().map(|table| table.id).collect();
    tables.sort_by_key(|id| id.0);
    tables
});
/// Every profile, and between them every form of value.
static CONFIGS: LazyLock<[EncoderConfig; 4]> = LazyLock::new(|| {
    use DecimalHandling::{Double, Precise, String};
    let exact = ValueFormat::default();
    let iso = ValueFormat { timestamps: TimestampFormat::Iso8601, ..exact };
    let precise = ValueFormat { decimals: Precise, varints: VarintHandling::Precise, ..iso };
    let rounded = ValueFormat { decimals: Double, varints: VarintHandling::Long, ..exact };
    let text = ValueFormat { decimals: String, ..iso };
    [
        config(Profile::Flat, exact, RowHashVersion::V1, CellTimes::default()),
        config(Profile::Flat, precise, RowHashVersion::V0, CellTimes::All),
        config(Profile::DebeziumCassandra, rounded, RowHashVersion::V1, CellTimes::None),
        config(Profile::Debezium, text, RowHashVersion::V1, CellTimes::default()),
    ]
});

fn config(profile: Profile, format: ValueFormat, version: RowHashVersion, cells: CellTimes) -> EncoderConfig {
    EncoderConfig {
        source: SourceNames {
            prefix: "fuzz".to_owned(),
            cluster: None,
            dc: None,
            host_id: None,
            replay: true,
        },
        profile,
        unrepresentable: Unrepresentable::default(),
        format,
        cells,
        tombstones_on_delete: true,
        row_hash: Some(RowHashOptions { version, ..RowHashOptions::default() }),
        rules: ColumnRules::default(),
        hash_key: HashKey::default(),
    }
}

/// A mutation, its events and their records. The first byte chooses: an even one says that one update of the
/// table that the second byte names follows, without its id; an odd one that the rest is the mutation. Its
/// second and third bit choose how records are written.
pub fn mutation(data: &[u8]) {
    let Some((&[mode, table], rest)) = data.split_first_chunk() else { return };
    let [a, b, c, d] = &*CONFIGS;
    let config = match mode >> 1 & 3 {
        0 => a,
        1 => b,
        2 => c,
        _ => d,
    };
    if mode & 1 == 1 {
        return check(rest, config);
    }
    let tables = &*TABLES;
    assert!(!tables.is_empty(), "the schema was read");
    if let Some(id) = tables.get(usize::from(table) % tables.len()) {
        check(&[&[1], &id.0[..], rest].concat(), config);
    }
}

fn check(payload: &[u8], config: &EncoderConfig) {
    let mut mutation = Mutation::default();
    let decoded = Decoder::new(&SCHEMA).decode(payload, &mut mutation);
    check_parts(payload, decoded.is_ok().then_some(&mutation));
    let annotation = annotate(payload, 8, &SCHEMA);
    if let Err(error) = decoded {
        assert!(mutation.updates().is_empty(), "a mutation that failed left updates");
        assert!(!error.to_string().is_empty());
        return;
    }
    assert!(peek(payload).is_ok(), "decoded, but not to be peeked at");
    // The decoder hands the partition key on as it is logged; to annotate it is to take it apart.
    let keys_fit = mutation.updates().iter().all(|update| {
        for_each_component::<PartitionKeyError>(update.table, update.partition_key, |_, _| Ok(())).is_ok()
    });
    assert!(!keys_fit || annotation.stop.is_none(), "decoded, but not annotated: {:?}", annotation.stop);
    records(&mutation, config);
}

/// Decoded in parts it is as good as decoded at once, and has as many rows and markers.
fn check_parts(payload: &[u8], whole: Option<&Mutation<'_>>) {
    let rows = |mutation: &Mutation<'_>| {
        mutation.updates().iter().map(|update| mutation.unfiltereds(update).len()).sum::<usize>()
    };
    let mut found = 0;
    let mut part = Mutation::default();
    let parted = Decoder::new(&SCHEMA).decode_in_parts(payload, &mut part, 4, |part| {
        found += rows(part);
        Ok::<_, MutationError>(())
    });
    match (whole, parted) {
        (Some(whole), Ok(())) => assert_eq!(found, rows(whole), "rows in parts"),
        // Only in parts is the length of a range bounded.
        (Some(_), Err(error)) => assert!(error.to_string().contains("an end of the range"), "{error}"),
        (None, parted) => assert!(parted.is_err(), "decoded in parts and not at once"),
    }
}

enum Failed {
    Shape,
    Encode,
}

impl From<ShapeError> for Failed {
    fn from(_: ShapeError) -> Self {
        Self::Shape
    }
}

impl From<EncodeError> for Failed {
    fn from(_: EncodeError) -> Self {
        Self::Encode
    }
}

/// Every record is JSON.
fn records(mutation: &Mutation<'_>, config: &EncoderConfig) {
    let place = Place {
        segment: SegmentId(1),
        file: "CommitLog-8-1.log",
        marker: 20,
        entry: 0,
        end: 100,
        visibility: Visibility::Marked,
        late: false,
    };
    let mut encoder = Encoder::new(config);
    let result = for_each_event::<Failed>(mutation, |event| {
        let encoded = encoder.encode::<Failed>(&event, place, 0, |record| {
            assert!(serde_json::from_slice::<IgnoredAny>(record.key).is_ok(), "a key is no JSON");
            let value = record.value.map(serde_json::from_slice::<IgnoredAny>);
            assert!(value.is_none_or(|value| value.is_ok()), "a value is no JSON");
            assert_eq!(record.event_id.len(), 32);
            Ok(())
        });
        // A value that does not fit its column ends the event, not the mutation.
        if let Err(Failed::Shape) = encoded { Err(Failed::Shape) } else { Ok(()) }
    });
    assert!(!matches!(result, Err(Failed::Encode)));
}
