//! What a job reads of a topic.

use super::*;

/// Records of each partition.
const RECORDS: i64 = 50;

fn input(mock: &Mock, partitions: u32) -> JobInput {
    let mut sink = mock.open(Delivery::AtLeastOnce);
    for hash in 0..partitions {
        (0..RECORDS).for_each(|_| sink.send(&record(hash, "a", Some("{}"))).unwrap());
    }
    sink.commit(&reached(&sink, 1)).unwrap();
    JobInput::open(&mock.options(Delivery::AtLeastOnce), TOPIC, "g").unwrap()
}

/// The next record.
fn record_of(input: &mut JobInput) -> super::super::Message {
    loop {
        match input.next(Duration::from_secs(20)).unwrap() {
            Arrival::Message(message) => return message,
            Arrival::End(_) => {}
            Arrival::Nothing => panic!("no record comes"),
        }
    }
}

#[test]
fn no_record_is_lost_while_partitions_are_counted() {
    let mock = Mock::new();
    let mut input = input(&mock, 1);
    input.assign(&[(0, 0)]).unwrap();
    let found: Vec<i64> = (0..RECORDS)
        .map(|_| {
            let offset = record_of(&mut input).offset;
            assert_eq!(input.partitions().unwrap(), 3);
            offset
        })
        .collect();
    assert_eq!(found, (0..RECORDS).collect::<Vec<i64>>());
}

#[test]
fn what_was_heard_before_is_not_of_a_new_assignment() {
    let mock = Mock::new();
    let mut input = input(&mock, 1);
    input.assign(&[(0, 0)]).unwrap();
    assert_eq!(record_of(&mut input).offset, 0);
    input.partitions().unwrap();
    input.assign(&[(0, 7)]).unwrap();
    assert_eq!(record_of(&mut input).offset, 7);
}

#[test]
fn a_partition_that_was_held_is_read_when_it_is_assigned_anew() {
    let mock = Mock::new();
    let mut input = input(&mock, 2);
    input.assign(&[(0, 0), (1, 0)]).unwrap();
    record_of(&mut input);
    for partition in [0, 1] {
        input.hold(partition, true).unwrap();
    }
    input.assign(&[(0, 0), (1, 0)]).unwrap();
    let mut found: Vec<(u32, i64)> = (0..2 * RECORDS)
        .map(|_| record_of(&mut input))
        .map(|message| (message.partition, message.offset))
        .collect();
    found.sort_unstable();
    let expected: Vec<(u32, i64)> = [0, 1]
        .into_iter()
        .flat_map(|partition| (0..RECORDS).map(move |offset| (partition, offset)))
        .collect();
    assert_eq!(found, expected);
}
