//! What is written to a file log is read from it byte for byte, from any position, and also what is appended later.

use std::num::NonZeroU16;
use std::time::Duration;

use proptest::prelude::*;

use super::{FileOutlet, FileSource};
use crate::agent::exit::Exit;
use crate::jobs::engine::marks::Marks;
use crate::jobs::engine::outlet::{Committed, Outlet};
use crate::jobs::engine::position::Positions;
use crate::jobs::engine::record::{Header, InputRecord, OutputRecord, Spread};
use crate::jobs::engine::source::{Event, Source};
use crate::sink::file_log::FileLogOptions;

/// Bytes that are JSON, nearly JSON, or anything.
fn bytes() -> impl Strategy<Value = Option<Vec<u8>>> {
    let texts = [
        "{}",
        "null",
        " 1",
        "1 ",
        "1",
        "\"a\"",
        "{\"a\":\n1}",
        "[1,{}x",
        "\"\u{e9}\"",
        "",
        "{\"a\":1,\"a\":2}",
        "\n",
    ];
    prop_oneof![
        Just(None),
        prop::sample::select(texts.map(|text| Some(text.as_bytes().to_vec())).to_vec()),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Some),
    ]
}

fn committed(generation: u64) -> Committed {
    Committed {
        marks: Marks::default(),
        version: 1,
        state: "s".to_owned(),
        generation,
        definition: "d".to_owned(),
        defined_from: Positions::default(),
        positions: Positions::default(),
    }
}

fn rest(source: &mut FileSource) -> Vec<InputRecord> {
    let mut found = Vec::new();
    loop {
        match source.next(Duration::ZERO).unwrap() {
            Event::Record(record) => found.push(record),
            Event::AtEnd { .. } => {}
            Event::Nothing => return found,
        }
    }
}

type Written = (Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>, u32);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn byte_for_byte(
        records in prop::collection::vec((bytes(), bytes(), bytes(), 0_u32..3), 1..30),
        roll_bytes in 1_u64..400,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("log");
        let options = FileLogOptions { roll_bytes, partitions: NonZeroU16::new(3), ..FileLogOptions::default() };
        let mut outlet = FileOutlet::open(&dir, "job", options).unwrap();
        let mut source = None;
        let mut expected: Vec<Vec<InputRecord>> = vec![Vec::new(); 3];
        let mut found: Vec<Vec<InputRecord>> = vec![Vec::new(); 3];
        for (number, (key, value, header, partition)) in records.iter().enumerate() {
            let written: &Written = &(key.clone(), value.clone(), header.clone(), *partition);
            let headers = [Header { name: "h".to_owned(), value: written.2.clone() }];
            let timestamp_ms = i64::try_from(number).unwrap() - 5;
            outlet
                .send(&OutputRecord {
                    topic: "t",
                    spread: Spread::Partition(*partition),
                    key: key.as_deref(),
                    value: value.as_deref(),
                    headers: &headers,
                    timestamp_ms,
                })
                .unwrap();
            let place = usize::try_from(*partition).unwrap();
            let offset = i64::try_from(expected[place].len()).unwrap();
            let (key, value) = (key.clone(), value.clone());
            let record =
                InputRecord { input: 0, partition: *partition, offset, timestamp_ms, key, value, headers: headers.to_vec() };
            expected[place].push(record);
            if number % 4 == 3 || number + 1 == records.len() {
                outlet.commit(&committed(u64::try_from(number).unwrap())).unwrap();
                // The first look is from the beginning, the others go on.
                let source = source.get_or_insert_with(|| {
                    let mut source = FileSource::open(&dir, vec!["t".to_owned()], |_| true).unwrap();
                    source.seek(&Positions::default()).unwrap();
                    source
                });
                source.look().unwrap();
                for record in rest(source) {
                    found[usize::try_from(record.partition).unwrap()].push(record);
                }
            }
        }
        prop_assert_eq!(&found, &expected);
        // From the middle, and one partition alone.
        let mut positions = Positions::default();
        for (partition, records) in (0_u32..).zip(&expected) {
            positions.set("t", partition, i64::try_from(records.len() / 2).unwrap());
        }
        let mut source = FileSource::open(&dir, vec!["t".to_owned()], |_| true).unwrap();
        source.seek(&positions).unwrap();
        let all: usize = expected.iter().map(Vec::len).sum();
        let skipped: usize = expected.iter().map(|records| records.len() / 2).sum();
        prop_assert_eq!(source.lag(), u64::try_from(all - skipped).unwrap());
        prop_assert_eq!(rest(&mut source).len(), all - skipped);
        source.seek(&positions).unwrap();
        let to = i64::try_from(expected[1].len()).unwrap() - 1;
        let mut alone = Vec::new();
        while let Some(record) = source.next_before(0, 1, to).unwrap() {
            alone.push(record);
        }
        let half = expected[1].len() / 2;
        let wanted = expected[1].get(half..expected[1].len().saturating_sub(1)).unwrap_or_default();
        prop_assert_eq!(alone.as_slice(), wanted);
        drop(outlet);
        let outlet = FileOutlet::open(&dir, "job", FileLogOptions::default()).unwrap();
        prop_assert_eq!(outlet.committed().map(|committed| committed.generation), u64::try_from(records.len() - 1).ok());
    }
}

/// A disk changes one digit of a line: what is before it is read, nothing behind it, at every beginning again.
#[test]
fn missing_records_end_the_job() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("log");
    let mut outlet = FileOutlet::open(&dir, "job", FileLogOptions::default()).unwrap();
    for timestamp_ms in 0..20 {
        let (key, value) = (Some(&b"1"[..]), Some(&b"2"[..]));
        let spread = Spread::Partition(0);
        outlet.send(&OutputRecord { topic: "t", spread, key, value, headers: &[], timestamp_ms }).unwrap();
    }
    outlet.commit(&committed(1)).unwrap();
    drop(outlet);
    let file = dir.join("t/0/00000000000000000000.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("{\"offset\":13,", "{\"offset\":18,")).unwrap();
    for from in [0, 7, 13] {
        let mut positions = Positions::default();
        positions.set("t", 0, from);
        let mut source = FileSource::open(&dir, vec!["t".to_owned()], |_| true).unwrap();
        source.seek(&positions).unwrap();
        for expected in from..13 {
            let Event::Record(record) = source.next(Duration::ZERO).unwrap() else { panic!("{expected}") };
            assert_eq!(record.offset, expected);
        }
        let error = source.next(Duration::ZERO).unwrap_err();
        assert_eq!((error.exit(), error.is_passing()), (Exit::Damaged, false));
        assert!(error.to_string().contains("offset 18 stands where 13 is expected"), "{error}");
    }
}
