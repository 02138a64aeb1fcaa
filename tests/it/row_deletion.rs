//! A row deletion with data beside it: what is not newer than it is no part of the event that follows the `d`.

use cdc_agent::envelope::EncoderConfig;
use cdc_agent::envelope::options::{CellTimes, Profile, RowHashOptions};
use serde_json::Value;

use crate::support::mutation_writer::{
    CellContent, CellData, ColumnData, Content, Deletion, Item, Row, Update, payload,
};
use crate::support::records::{config, records_of_payload};
use crate::support::table::Table;

const TS: i64 = 1_700_000_000_000_000;

fn table() -> Table {
    Table::new([
        ["id", "partition_key", "int"],
        ["c", "clustering", "int"],
        ["s", "regular", "set<int>"],
        ["v", "regular", "text"],
    ])
}

/// The content of a row: times of its liveness, of `v`, of the deletion of `s` and of its elements.
#[derive(Debug, Clone)]
struct Data {
    liveness: Option<i64>,
    cell: Option<i64>,
    deletion: Option<i64>,
    elements: Vec<i64>,
}

/// Every time before, at and after the deletion, or none; every subset of such elements.
fn all_data() -> Vec<Data> {
    let times = [None, Some(-1), Some(0), Some(1)];
    let mut found = Vec::new();
    for liveness in times {
        for cell in times {
            for deletion in times {
                for subset in 0..8 {
                    let elements = (-1..=1).filter(|at| subset >> (at + 1) & 1 == 1).collect();
                    found.push(Data { liveness, cell, deletion, elements });
                }
            }
        }
    }
    found
}

impl Data {
    /// By the rule of docs/envelope.md 2, for a deletion at 0.
    fn newer(&self) -> Self {
        let elements: Vec<i64> = self.elements.iter().copied().filter(|ts| *ts > 0).collect();
        let newer = |time: Option<i64>| time.filter(|ts| *ts > 0);
        let deletion =
            if elements.is_empty() { newer(self.deletion) } else { self.deletion.filter(|ts| *ts >= 0) };
        Self { liveness: newer(self.liveness), cell: newer(self.cell), deletion, elements }
    }

    fn is_empty(&self) -> bool {
        self.liveness.is_none() && self.cell.is_none() && self.deletion.is_none() && self.elements.is_empty()
    }

    fn records(&self, config: &EncoderConfig, is_deleted: bool) -> Vec<Value> {
        let mut columns = Vec::new();
        if self.deletion.is_some() || !self.elements.is_empty() {
            let cell = |ts: &i64| CellData {
                path: Some(vec![0, 0, 0, u8::try_from(ts + 1).unwrap()]),
                ts: TS + ts,
                value: CellContent::Live(Vec::new(), None),
            };
            let deletion = self.deletion.map(|ts| Deletion(TS + ts, 1_700_000_000));
            let content = Content::Complex(deletion, self.elements.iter().map(cell).collect());
            columns.push(ColumnData { name: "s".to_owned(), content });
        }
        columns.extend(self.cell.map(|ts| ColumnData::live("v", TS + ts, b"text")));
        let row = Row {
            clustering: vec![Some(vec![0, 0, 0, 1])],
            liveness: self.liveness.map(|ts| (TS + ts, None)),
            deletion: is_deleted.then_some(Deletion(TS, 1_700_000_000)),
            columns,
        };
        let update = Update { key: vec![0, 0, 0, 1], items: vec![Item::Row(row)], ..Update::default() };
        let records = records_of_payload(&table().schema(), config, &payload(&table(), &update)).unwrap();
        records.iter().map(crate::support::records::OwnedRecord::json).collect()
    }
}

#[test]
fn what_a_row_deletion_covers_is_in_no_event() {
    let mut config = config(Profile::Flat);
    config.row_hash = Some(RowHashOptions::default());
    config.cells = CellTimes::All;
    let (mut alone, mut followed) = (0, 0);
    for data in all_data() {
        let newer = data.newer();
        let found = data.records(&config, true);
        assert_eq!((&found[0]["op"], &found[0]["source"]["row"]), (&"d".into(), &0.into()), "{data:?}");
        if newer.is_empty() {
            assert_eq!(found.len(), 1, "{data:?}: {found:?}");
            alone += 1;
            continue;
        }
        // As if the older data were not in the log: event id, hash, times and values.
        let mut expected = newer.records(&config, false);
        expected[0]["source"]["row"] = 1.into();
        assert_eq!(found[1..], expected, "{data:?}");
        followed += 1;
    }
    assert_eq!((alone, followed), (3 * 3 * 3 * 4, 512 - 108));
}
