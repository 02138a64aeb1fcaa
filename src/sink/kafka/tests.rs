//! Against librdkafka's own broker in memory, which fails as it is told. It knows no fencing and does not hide what is
//! aborted: `tests/kafka` has a real one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::*;
use crate::checkpoint::Fingerprint;
use crate::commitlog::{Position, SegmentId};

mod debugged;
mod gone;
mod job_input;
mod linger;
mod made;
mod partitions;
mod unanswered;

const TOPIC: &str = "p.cdc.k.t";
const CHECKPOINTS: &str = "p.cdc.__checkpoints";
const HOST: &str = "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47";

struct Mock {
    cluster: MockCluster<'static, DefaultProducerContext>,
    folder: tempfile::TempDir,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl Mock {
    fn new() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        for (topic, partitions) in [(TOPIC, 3), (CHECKPOINTS, 1), ("p.cdc.__dead_letters", 1)] {
            cluster.create_topic(topic, partitions, 1).unwrap();
        }
        Self { cluster, folder: tempfile::tempdir().unwrap(), notices: Arc::default() }
    }

    fn options(&self, delivery: Delivery) -> KafkaOptions {
        let local = Some(self.folder.path().join("checkpoint.json"));
        let identity = Identity::Node { host_id: HOST.to_owned(), local };
        let notices = Arc::clone(&self.notices);
        KafkaOptions {
            delivery,
            start_timeout: Duration::from_secs(10),
            observer: Observer::new(move |notice| notices.lock().unwrap().push(notice.clone())),
            ..KafkaOptions::new(&self.cluster.bootstrap_servers(), "p", identity)
        }
    }

    fn open(&self, delivery: Delivery) -> KafkaSink {
        KafkaSink::open(self.options(delivery)).unwrap()
    }

    /// Partition, key, value, event_id and timestamp of all records of a topic.
    fn records(&self, topic: &str, partitions: i32) -> Vec<(i32, String, Option<String>, String, i64)> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.cluster.bootstrap_servers())
            .set("group.id", "test")
            .set("enable.partition.eof", "true")
            .create()
            .unwrap();
        let mut assignment = TopicPartitionList::new();
        for partition in 0..partitions {
            assignment.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&assignment).unwrap();
        let (mut found, mut ends) = (Vec::new(), 0);
        while ends < partitions {
            match consumer.poll(Duration::from_secs(20)).expect("an end") {
                Ok(message) => {
                    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                    let header = message.headers().map(|headers| text(headers.get(0).value.unwrap()));
                    found.push((
                        message.partition(),
                        text(message.key().unwrap()),
                        message.payload().map(text),
                        header.unwrap_or_default(),
                        message.timestamp().to_millis().unwrap(),
                    ));
                }
                Err(KafkaError::PartitionEOF(_)) => ends += 1,
                Err(_) => {}
            }
        }
        found.sort();
        found
    }

    fn fail_next(&self, api: RDKafkaApiKey, error: RDKafkaRespErr) {
        self.cluster.request_errors(api, &[error]);
    }
}

fn record<'a>(hash: u32, key: &'a str, value: Option<&'a str>) -> Record<'a> {
    Record {
        topic: TOPIC,
        partition_hash: hash,
        key: key.as_bytes(),
        value: value.map(str::as_bytes),
        event_id: "00ff",
        ts_ms: 1_700_000_000_123,
        position: at(1, 0),
    }
}

fn at(segment: i64, entry: u32) -> Position {
    Position { segment: SegmentId(segment), marker: 20, entry, row: 0 }
}

fn fingerprint() -> Fingerprint {
    Fingerprint::of(b"d", b"s")
}

/// The next checkpoint of a sink, in which segment 1 is done up to `entry`.
fn reached(sink: &KafkaSink, entry: u32) -> Checkpoint {
    let mut checkpoint = sink.checkpoint().unwrap().clone();
    checkpoint.advance(at(1, entry), Some(fingerprint())).unwrap();
    checkpoint.next_generation();
    checkpoint
}

#[test]
fn records_and_checkpoint_arrive_and_are_found_again() {
    for delivery in [Delivery::ExactlyOnce, Delivery::AtLeastOnce] {
        let mock = Mock::new();
        let mut sink = mock.open(delivery);
        assert_eq!(sink.checkpoint(), Some(&Checkpoint::default()));
        assert_eq!(sink.partitions(TOPIC).unwrap(), 3);
        // More commits than transactional ids.
        let mut last = Checkpoint::default();
        for (entry, key) in [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")] {
            sink.send(&record(entry, key, Some("{}"))).unwrap();
            last = reached(&sink, entry);
            sink.commit(&last).unwrap();
        }
        sink.send(&record(0, "gone", None)).unwrap();
        last.finish(SegmentId(1), fingerprint()).unwrap();
        last.next_generation();
        sink.commit(&last).unwrap();
        drop(sink);
        let expected: Vec<_> = [
            (0, "c", Some("{}")),
            (0, "gone", None),
            (1, "a", Some("{}")),
            (1, "d", Some("{}")),
            (2, "b", Some("{}")),
            (2, "e", Some("{}")),
        ]
        .map(|(partition, key, value)| {
            (partition, key.to_owned(), value.map(str::to_owned), "00ff".to_owned(), 1_700_000_000_123)
        })
        .into();
        assert_eq!(mock.records(TOPIC, 3), expected);
        let keys: Vec<String> = mock.records(CHECKPOINTS, 1).into_iter().map(|record| record.1).collect();
        assert_eq!(keys.iter().filter(|key| *key == HOST).count(), 6, "{keys:?}");
        assert_eq!(keys.iter().filter(|key| **key == format!("{HOST}/done/1")).count(), 1, "{keys:?}");
        assert_eq!(mock.open(delivery).checkpoint(), Some(&last));
        assert!(!mock.notices.lock().unwrap().iter().any(|n| matches!(n, Notice::CheckpointsDiffer { .. })));
    }
}

#[test]
fn what_is_not_committed_is_not_done() {
    let mock = Mock::new();
    let mut sink = mock.open(Delivery::ExactlyOnce);
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    sink.commit(&reached(&sink, 1)).unwrap();
    let committed = sink.checkpoint().cloned();
    sink.send(&record(0, "b", Some("{}"))).unwrap();
    sink.rewind().unwrap();
    assert_eq!(sink.checkpoint().cloned(), committed);
    sink.send(&record(0, "c", Some("{}"))).unwrap();
    sink.commit(&reached(&sink, 2)).unwrap();
}

#[test]
fn a_commit_that_took_place_without_an_answer_is_found_out() {
    let mock = Mock::new();
    let mut sink = mock.open(Delivery::ExactlyOnce);
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    // Taken, and the connection is cut before the answer; librdkafka asks again.
    mock.fail_next(RDKafkaApiKey::EndTxn, RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT);
    sink.commit(&reached(&sink, 1)).unwrap();
    assert_eq!(sink.checkpoint().unwrap().open_at(SegmentId(1)), Some(at(1, 1)));
}

#[test]
fn a_transaction_that_must_be_aborted_is_rolled_back_and_can_be_gone_on_from() {
    let mock = Mock::new();
    let mut sink = mock.open(Delivery::ExactlyOnce);
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    mock.fail_next(RDKafkaApiKey::EndTxn, RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING);
    let error = sink.commit(&reached(&sink, 1)).unwrap_err();
    assert!(error.is_rewindable() && error.exit_code() == 6, "{error:?}");
    sink.rewind().unwrap();
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    let next = reached(&sink, 1);
    sink.commit(&next).unwrap();
    assert!(mock.open(Delivery::ExactlyOnce).checkpoint().unwrap().says_the_same(&next));
}

#[test]
fn a_local_copy_never_has_a_generation_that_kafka_has_not() {
    let mock = Mock::new();
    let mut sink = mock.open(Delivery::ExactlyOnce);
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    let in_kafka = reached(&sink, 1);
    sink.commit(&in_kafka).unwrap();
    // Heartbeats alone: nothing to be kept.
    sink.send(&record(0, "b", Some("{}"))).unwrap();
    let mut later = in_kafka.clone();
    later.next_generation();
    sink.commit(&later).unwrap();
    drop(sink);
    assert_eq!(mock.open(Delivery::ExactlyOnce).checkpoint(), Some(&in_kafka));
}

#[test]
fn a_transaction_is_aborted_while_records_are_under_way() {
    let mock = Mock::new();
    let mut sink = mock.open(Delivery::ExactlyOnce);
    for number in 0..1000 {
        sink.send(&record(number, "a", Some("{}"))).unwrap();
    }
    let producer = sink.turn.as_mut().and_then(Turn::current).unwrap();
    assert!(producer.queued() > 0);
    assert!(producer.abort(), "it is left to time out");
}

#[test]
fn whoever_stops_has_what_was_sent_committed() {
    let mock = Mock::new();
    let options = mock.options(Delivery::ExactlyOnce);
    let stop = Arc::clone(&options.stop);
    let mut sink = KafkaSink::open(options).unwrap();
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    sink.commit(&reached(&sink, 1)).unwrap();
    assert_eq!(mock.records(TOPIC, 3).len(), 1);
}

#[test]
fn a_fenced_producer_gives_up() {
    let mock = Mock::new();
    let mut sink = mock.open(Delivery::ExactlyOnce);
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    mock.fail_next(RDKafkaApiKey::EndTxn, RDKafkaRespErr::RD_KAFKA_RESP_ERR_PRODUCER_FENCED);
    let error = sink.commit(&reached(&sink, 1)).unwrap_err();
    assert_eq!(error.exit_code(), 7, "{error:?}");
    assert!(error.to_string().contains(&format!("cdc-agent.p.{HOST}.0")), "{error}");
    assert!(matches!(sink.send(&record(0, "b", Some("{}"))), Err(SinkError::Failed)));
}

#[test]
fn a_record_that_is_too_long_fails_or_a_pointer_replaces_it() {
    let mock = Mock::new();
    let long = "x".repeat(2_000_000);
    let mut sink = mock.open(Delivery::ExactlyOnce);
    let error = sink.send(&record(0, "a", Some(&long))).unwrap_err();
    assert!(matches!(&error, SinkError::Refused { topic, .. } if topic == TOPIC), "{error:?}");
    drop(sink);
    for delivery in [Delivery::ExactlyOnce, Delivery::AtLeastOnce] {
        let mock = Mock::new();
        let options = KafkaOptions { refused: Refused::DeadLetter, ..mock.options(delivery) };
        let mut sink = KafkaSink::open(options).unwrap();
        sink.send(&record(0, "a", Some(&long))).unwrap();
        sink.send(&record(0, "b", Some("{}"))).unwrap();
        sink.commit(&reached(&sink, 1)).unwrap();
        let (pointers, others) = (mock.records("p.cdc.__dead_letters", 1), mock.records(TOPIC, 3));
        let [(_, key, Some(pointer), ..)] = pointers.as_slice() else { panic!("{pointers:?}") };
        assert!(key == "a" && pointer.contains("\"value_bytes\":2000000"), "{key}: {pointer}");
        assert_eq!(others.iter().map(|record| record.1.as_str()).collect::<Vec<_>>(), ["b"]);
        let told = mock.notices.lock().unwrap().clone();
        assert!(told.iter().any(|n| matches!(n, Notice::DeadLetter { bytes: 2_000_001, .. })), "{told:?}");
    }
}

#[test]
fn a_record_that_the_broker_refuses_is_replaced_when_it_is_sent_again() {
    let mock = Mock::new();
    let options = KafkaOptions { refused: Refused::DeadLetter, ..mock.options(Delivery::ExactlyOnce) };
    let mut sink = KafkaSink::open(options).unwrap();
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    mock.fail_next(RDKafkaApiKey::Produce, RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD);
    // As a commit begins; the record of the checkpoint is not yet there to be refused in its place.
    let stuck = sink.turn.as_mut().and_then(Turn::current).unwrap().drain().unwrap_err();
    let error = sink.stuck(stuck);
    assert!(error.is_rewindable(), "{error:?}");
    sink.rewind().unwrap();
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    // Another batch that is gone: its records come again.
    sink.rewind().unwrap();
    assert!(sink.not_taken.refusal(&record(0, "a", Some("{}"))).is_some());
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    sink.commit(&reached(&sink, 1)).unwrap();
    assert_eq!(mock.records(TOPIC, 3), []);
    let pointers = mock.records("p.cdc.__dead_letters", 1);
    assert!(
        pointers.len() == 1 && pointers[0].2.as_ref().unwrap().contains("\"key_bytes\":1"),
        "{pointers:?}"
    );
    assert!(
        sink.not_taken.refusal(&record(0, "a", Some("{}"))).is_none(),
        "what is committed is not kept in mind"
    );
}

#[test]
fn without_transactions_no_checkpoint_is_written_behind_a_record_that_was_not_taken() {
    let mock = Mock::new();
    let options = KafkaOptions { refused: Refused::DeadLetter, ..mock.options(Delivery::AtLeastOnce) };
    let mut sink = KafkaSink::open(options).unwrap();
    sink.commit(&reached(&sink, 1)).unwrap();
    let before = mock.records(CHECKPOINTS, 1);
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    // Of one request: were the checkpoint sent with the record, one of the two would be written.
    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    mock.fail_next(RDKafkaApiKey::Produce, refused);
    let error = sink.commit(&reached(&sink, 2)).unwrap_err();
    assert!(error.is_rewindable(), "{error:?}");
    assert_eq!(mock.records(CHECKPOINTS, 1), before);
    assert_eq!(mock.records(TOPIC, 3), []);
    sink.rewind().unwrap();
    assert_eq!(sink.checkpoint().unwrap().open_at(SegmentId(1)), Some(at(1, 1)));
}

#[test]
fn the_higher_generation_of_kafka_and_the_local_copy_holds() {
    let mock = Mock::new();
    let mut sink = mock.open(Delivery::ExactlyOnce);
    sink.commit(&reached(&sink, 1)).unwrap();
    let mut newer = sink.checkpoint().unwrap().clone();
    drop(sink);
    newer.advance(at(1, 9), Some(fingerprint())).unwrap();
    newer.next_generation();
    let copy = mock.folder.path().join("checkpoint.json");
    std::fs::write(&copy, newer.to_json().unwrap()).unwrap();
    assert_eq!(mock.open(Delivery::ExactlyOnce).checkpoint(), Some(&newer));
    let told = Notice::CheckpointsDiffer { kafka: Some(1), local: Some(2) };
    assert!(mock.notices.lock().unwrap().contains(&told));
    std::fs::write(&copy, "{").unwrap();
    let torn = mock.open(Delivery::ExactlyOnce);
    assert_eq!(torn.checkpoint().map(Checkpoint::generation), Some(1), "a torn copy does not outweigh Kafka");
    let is_told = |notice: &Notice| matches!(notice, Notice::LocalCopyUnread { reason } if reason.contains("checkpoint.json"));
    assert!(mock.notices.lock().unwrap().iter().any(is_told));
    drop(torn);
    std::fs::write(&copy, "{").unwrap();
    let empty = Mock::new();
    std::fs::write(empty.folder.path().join("checkpoint.json"), "{").unwrap();
    let error = KafkaSink::open(empty.options(Delivery::ExactlyOnce)).unwrap_err();
    assert!(error.to_string().contains("checkpoint.json"), "{error}");
}

/// When that may be, the agent knows: it sees which segments are still there.
#[test]
fn a_finished_segment_is_remembered_until_it_is_forgotten() {
    let mock = Mock::new();
    let mut sink = mock.open(Delivery::ExactlyOnce);
    let mut checkpoint = sink.checkpoint().unwrap().clone();
    checkpoint.finish(SegmentId(7), fingerprint()).unwrap();
    checkpoint.finish(SegmentId(8), fingerprint()).unwrap();
    checkpoint.next_generation();
    // As of long ago.
    let long_ago = 1_000;
    let changes = sink.layout.changes(&Checkpoint::default(), &checkpoint, long_ago).unwrap();
    sink.write_batches(changes).unwrap();
    sink.rewind().unwrap();
    assert_eq!(sink.checkpoint(), Some(&checkpoint));
    assert_eq!(sink.finished_ms(SegmentId(7)), Some(long_ago));
    assert_eq!(checkpoint.forget_done([SegmentId(7)]), 1);
    checkpoint.next_generation();
    sink.take_back(&checkpoint).unwrap();
    drop(sink);
    let key = format!("{HOST}/done/7");
    let values: Vec<bool> = mock
        .records(CHECKPOINTS, 1)
        .into_iter()
        .filter(|record| record.1 == key)
        .map(|record| record.2.is_some())
        .collect();
    assert!(values.contains(&false), "there is no tombstone: {values:?}");
    let next = mock.open(Delivery::ExactlyOnce);
    assert_eq!(next.checkpoint(), Some(&checkpoint));
    assert_eq!(next.finished_ms(SegmentId(7)), None);
}

/// Nothing but its generation tells whether a batch was committed in which only something was told.
#[test]
fn what_is_told_is_committed_with_a_checkpoint() {
    let mock = Mock::new();
    mock.cluster.create_topic("p.cdc.__control", 1, 1).unwrap();
    let mut sink = mock.open(Delivery::ExactlyOnce);
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    sink.commit(&reached(&sink, 1)).unwrap();
    let before = sink.checkpoint().unwrap().clone();
    let mut told = before.clone();
    told.next_generation();
    sink.send(&Record { topic: "p.cdc.__control", ..record(0, "b", Some("{}")) }).unwrap();
    sink.commit(&told).unwrap();
    drop(sink);
    let generation = |sink: &KafkaSink| sink.checkpoint().map(Checkpoint::generation);
    let mut sink = mock.open(Delivery::ExactlyOnce);
    assert_eq!(generation(&sink), Some(2));
    // It says the same as the one before, which would be found if it had been aborted.
    assert!(told.says_the_same(&before));
    assert!(is_committed(&told, &told, true) && !is_committed(&before, &told, true));
    assert!(is_committed(&before, &told, false), "heartbeats alone write none");
    // A rewind leaves nothing of it for the next batch.
    sink.send(&Record { topic: "p.cdc.__control", ..record(0, "c", Some("{}")) }).unwrap();
    sink.rewind().unwrap();
    told.next_generation();
    sink.send(&record(0, "d", Some("{}"))).unwrap();
    sink.commit(&told).unwrap();
    drop(sink);
    assert_eq!(generation(&mock.open(Delivery::ExactlyOnce)), Some(2));
}

#[test]
fn a_checkpoint_that_goes_back_is_refused_before_anything_is_sent() {
    let mock = Mock::new();
    let mut sink = mock.open(Delivery::ExactlyOnce);
    sink.commit(&reached(&sink, 5)).unwrap();
    let mut back = Checkpoint::default();
    back.advance(at(1, 2), Some(fingerprint())).unwrap();
    back.next_generation();
    back.next_generation();
    assert_eq!(sink.commit(&back).unwrap_err().exit_code(), 1);
}

#[test]
fn options_that_are_not_for_users_are_refused_and_values_never_shown() {
    let mock = Mock::new();
    for (name, reason) in [
        ("plugin.library.paths", "code"),
        ("transactional.id", "promises"),
        ("topic.acks", "promises"),
        ("topic.message.timeout.ms", "promises"),
        ("topic.partitioner", "partitions"),
        ("enable.ssl.certificate.verification", "kafka_ssl_insecure"),
        ("sasl.password", "secret"),
        ("sasl.oauthbearer.client.secret", "kafka_oauth_token_file"),
        ("no.such.option", "configuration.md"),
    ] {
        let extra = ClientOptions(vec![(name.to_owned(), "hunter2".to_owned())]);
        let options = KafkaOptions { extra, ..mock.options(Delivery::ExactlyOnce) };
        assert!(!format!("{options:?}").contains("hunter2"));
        let error = KafkaSink::open(options).unwrap_err();
        let text = error.to_string();
        assert!(
            error.exit_code() == 2 && text.to_lowercase().contains(reason) && !text.contains("hunter2"),
            "{text}"
        );
    }
    let security = Security { password: Some(Password::new("hunter2".to_owned())), ..Security::default() };
    assert!(!format!("{security:?}").contains("hunter2"));
}

#[test]
fn a_batch_is_full_by_records_bytes_or_time() {
    let mock = Mock::new();
    let limits = BatchLimits { records: 2, bytes: 1 << 20, time: Duration::from_secs(3600) };
    let full_after = |limits: BatchLimits, count: usize| {
        let mut sink =
            KafkaSink::open(KafkaOptions { batch: limits, ..mock.options(Delivery::AtLeastOnce) }).unwrap();
        for sent in 0..=count {
            assert_eq!(sink.is_full(), sent == count, "{limits:?}: {sent}");
            sink.send(&record(0, "a", Some("{}"))).unwrap();
        }
    };
    full_after(limits, 2);
    full_after(BatchLimits { records: 100, bytes: 9, ..limits }, 3);
    full_after(BatchLimits { records: 100, time: Duration::ZERO, ..limits }, 1);
}

#[test]
fn a_record_that_is_too_long_is_sent_without_its_longest_values() {
    let mock = Mock::new();
    let options = KafkaOptions { refused: Refused::Truncate, ..mock.options(Delivery::ExactlyOnce) };
    let mut sink = KafkaSink::open(options).unwrap();
    let key = r#"{"id":"a"}"#;
    let value =
        format!(r#"{{"op":"c","after":{{"id":"a","note":"{}"}},"event_id":"00ff"}}"#, "x".repeat(2_000_000));
    sink.send(&record(0, key, Some(&value))).unwrap();
    sink.commit(&reached(&sink, 1)).unwrap();
    let sent: Vec<_> =
        mock.records(TOPIC, 3).into_iter().map(|(_, key, value, ..)| (key, value.unwrap())).collect();
    let short =
        r#"{"op":"c","after":{"id":"a"},"event_id":"00ff","truncated":[{"column":"note","bytes":2000002}]}"#;
    assert_eq!(sent, [(key.to_owned(), short.to_owned())]);
    let pointers = mock.records("p.cdc.__dead_letters", 1);
    assert!(pointers.len() == 1 && pointers[0].2.as_ref().unwrap().contains("value_sha256"), "{pointers:?}");
}
