//! The Kafka sink beside a node, against a real broker: `tests/kafka/run.py` starts one and reads what is left there.

use cdc_agent::checkpoint::{Checkpoint, Fingerprint};
use cdc_agent::commitlog::{Position, SegmentId};
use cdc_agent::envelope::Record;
use cdc_agent::sink::kafka::{Delivery, Identity, KafkaOptions, KafkaSink};
use cdc_agent::sink::{Sink, SinkError};

const HOST: &str = "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47";

fn open(folder: &std::path::Path, delivery: Delivery) -> KafkaSink {
    let servers = std::env::var("CDC_TEST_BROKERS").expect("tests/kafka/run.py starts a broker and names it");
    let identity = Identity::Node { host_id: HOST.to_owned(), local: Some(folder.join("checkpoint.json")) };
    KafkaSink::open(KafkaOptions { delivery, ..KafkaOptions::new(&servers, "node", identity) }).unwrap()
}

fn send(sink: &mut KafkaSink, number: u32) -> Result<(), SinkError> {
    let (key, position) = (number.to_string(), at(1, number));
    let record = Record {
        topic: "node.cdc.k.t",
        partition_hash: number,
        key: key.as_bytes(),
        value: Some(b"{}"),
        event_id: "00ff",
        ts_ms: 1,
        position,
    };
    sink.send(&record)
}

fn at(segment: i64, entry: u32) -> Position {
    Position { segment: SegmentId(segment), marker: 20, entry, row: 0 }
}

fn commit(sink: &mut KafkaSink, entry: u32) -> Result<Checkpoint, SinkError> {
    let mut checkpoint = sink.checkpoint().unwrap().clone();
    checkpoint.advance(at(1, entry), Some(Fingerprint::of(b"d", b"s"))).unwrap();
    checkpoint.next_generation();
    sink.commit(&checkpoint).map(|()| checkpoint)
}

/// Sends 0 to 39 in all; each once in `read_committed`.
#[test]
#[ignore = "needs a broker: tests/kafka/run.py"]
fn a_second_agent_fences_the_first_and_goes_on_from_its_last_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = open(folder.path(), Delivery::ExactlyOnce);
    // More commits than transactional ids.
    for number in 0..10 {
        send(&mut first, number).unwrap();
        commit(&mut first, number + 1).unwrap();
    }
    // Never committed.
    send(&mut first, 10).unwrap();
    let mut second = open(folder.path(), Delivery::ExactlyOnce);
    assert_eq!(second.checkpoint().unwrap().open_at(SegmentId(1)), Some(at(1, 10)));
    for number in 10..20 {
        send(&mut second, number).unwrap();
    }
    let error = commit(&mut first, 11).unwrap_err();
    assert_eq!(error.exit_code(), 7, "{error}");
    commit(&mut second, 20).unwrap();
    // Taken back, and sent again.
    (20..30).for_each(|number| send(&mut second, number).unwrap());
    second.rewind().unwrap();
    assert_eq!(second.checkpoint().unwrap().open_at(SegmentId(1)), Some(at(1, 20)));
    (20..30).for_each(|number| send(&mut second, number).unwrap());
    let mut last = commit(&mut second, 30).unwrap();
    drop(second);
    // Another way of delivery goes on from there.
    let mut third = open(folder.path(), Delivery::AtLeastOnce);
    assert_eq!(third.checkpoint(), Some(&last));
    (30..40).for_each(|number| send(&mut third, number).unwrap());
    last.finish(SegmentId(1), Fingerprint::of(b"d", b"s")).unwrap();
    last.next_generation();
    third.commit(&last).unwrap();
    drop(third);
    assert_eq!(open(folder.path(), Delivery::ExactlyOnce).checkpoint(), Some(&last));
    std::fs::remove_file(folder.path().join("checkpoint.json")).unwrap();
    assert_eq!(open(folder.path(), Delivery::ExactlyOnce).checkpoint(), Some(&last), "Kafka has it, too");
}
