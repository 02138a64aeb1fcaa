//! A mutation that is decoded in parts gives the events of the whole.

use cdc_agent::commitlog::{FrameStep, SectionStep, Sections, Segment};
use cdc_agent::envelope::options::Profile;

use crate::support::mutation_writer::{ColumnData, Deletion, Item, Row, Update, payload};
use crate::support::records::{config, records_of_payload, records_of_payload_in_parts};
use crate::support::table::Table;
use crate::support::{fixture, fixture_key, schema, segments};

#[test]
fn mutations_of_real_nodes_in_parts_are_the_same() {
    let config = config(Profile::Flat);
    let (mut compared, mut divided) = (0, 0);
    for name in ["4.1-none", "5.0-none", "5.0-acceptance"] {
        let folder = fixture(name);
        let schema = schema(&folder.join("schema.json"));
        for (name, bytes) in segments(&folder) {
            let segment = Segment::open(&bytes, Some(name.parse().unwrap()), &fixture_key).unwrap();
            let mut sections = Sections::new(&segment);
            while let Some(SectionStep::Section(mut frames)) = sections.next_section() {
                while let Some(FrameStep::Frame(frame)) = frames.next_frame() {
                    let Ok(whole) = records_of_payload(&schema, &config, frame.payload) else { continue };
                    for items in [5, 30] {
                        let (parted, parts) =
                            records_of_payload_in_parts(&schema, &config, frame.payload, items).unwrap();
                        assert_eq!(parted, whole, "{name}: {}", frame.offset);
                        divided += usize::from(parts > 2);
                    }
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 500 && divided > 20, "{compared} {divided}");
}

fn row(number: u32) -> Item {
    Item::Row(Row {
        clustering: vec![Some(number.to_be_bytes().to_vec())],
        liveness: Some((1_700_000_000_000_000, None)),
        columns: vec![ColumnData::live("v", 1_700_000_000_000_000, b"x")],
        ..Row::default()
    })
}

/// Kinds of bounds: 1 opens a range, 6 closes one.
fn bound(kind: u8, number: u32) -> Item {
    let deletion = Deletion(1_600_000_000_000_000, 1_600_000_000);
    Item::Marker(kind, vec![Some(number.to_be_bytes().to_vec())], vec![deletion])
}

#[test]
fn a_range_is_not_divided() {
    let table =
        Table::new([["p", "partition_key", "blob"], ["c", "clustering", "int"], ["v", "regular", "blob"]]);
    let config = config(Profile::Flat);
    let items = [row(1), bound(1, 2), row(3), row(4), row(5), bound(6, 6), row(7), row(8)];
    let update = Update { key: b"key".to_vec(), items: items.to_vec(), ..Update::default() };
    let payload = payload(&table, &update);
    let whole = records_of_payload(&table.schema(), &config, &payload).unwrap();
    assert_eq!(whole.len(), 7);
    for items in 1..20 {
        let (parted, _) = records_of_payload_in_parts(&table.schema(), &config, &payload, items).unwrap();
        assert_eq!(parted, whole);
    }
    let (_, parts) = records_of_payload_in_parts(&table.schema(), &config, &payload, 1).unwrap();
    assert_eq!(parts, 5, "a part for each row and one for the range; the last one may hold nothing");
}

/// Nobody writes so many rows into a range that the same mutation deletes; their number is bounded.
#[test]
fn an_endless_range_is_refused() {
    let table = Table::new([["p", "partition_key", "blob"], ["c", "clustering", "int"]]);
    let config = config(Profile::Flat);
    let bare = |number: u32| {
        Item::Row(Row {
            clustering: vec![Some(number.to_be_bytes().to_vec())],
            liveness: Some((1_700_000_000_000_000, None)),
            ..Row::default()
        })
    };
    let mut items = vec![bound(1, 0)];
    items.extend((1..200).map(bare));
    items.push(bound(6, 200));
    let payload = payload(&table, &Update { key: b"key".to_vec(), items, ..Update::default() });
    let parted = |items| records_of_payload_in_parts(&table.schema(), &config, &payload, items);
    assert_eq!(parted(20).unwrap().0.len(), 200);
    let error = parted(10).unwrap_err().to_string();
    assert!(error.contains("an end of the range after fewer rows"), "{error}");
}
