//! Topics that are deleted while records go to them.

use super::*;

const GONE: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;

fn sink(mock: &Mock, delivery: Delivery, create: bool) -> KafkaSink {
    let topics = TopicOptions { create, ..TopicOptions::default() };
    let mut sink = KafkaSink::open(KafkaOptions { topics, ..mock.options(delivery) }).unwrap();
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    sink.commit(&reached(&sink, 1)).unwrap();
    sink
}

/// From here on brokers say that there is no such topic.
fn delete(mock: &Mock) {
    mock.cluster.topic_error(TOPIC, GONE).unwrap();
    // More than requests come before the agent gives up: librdkafka repeats them without a pause.
    mock.cluster.request_errors(RDKafkaApiKey::Produce, &[GONE; 10_000]);
}

fn make(mock: &Mock) {
    mock.cluster.topic_error(TOPIC, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).unwrap();
    mock.cluster.clear_request_errors(RDKafkaApiKey::Produce);
}

#[test]
fn a_topic_that_was_deleted_is_looked_for_again() {
    for delivery in [Delivery::ExactlyOnce, Delivery::AtLeastOnce] {
        let mock = Mock::new();
        let mut sink = sink(&mock, delivery, true);
        delete(&mock);
        sink.send(&record(0, "b", Some("{}"))).unwrap();
        let error = sink.commit(&reached(&sink, 2)).unwrap_err();
        assert!(error.is_rewindable() && error.to_string().contains(TOPIC), "{error:?}");
        assert!(sink.topics.has(TOPIC));
        sink.rewind().unwrap();
        assert!(!sink.topics.has(TOPIC) && sink.topics.has(CHECKPOINTS));
        let gone = Notice::TopicGone { topic: TOPIC.to_owned(), committed_to: at(1, 1).to_string() };
        let told = mock.notices.lock().unwrap().iter().filter(|notice| **notice == gone).count();
        assert_eq!(told, 1);
        make(&mock);
        sink.send(&record(0, "b", Some("{}"))).unwrap();
        sink.commit(&reached(&sink, 2)).unwrap();
        let keys: Vec<String> = mock.records(TOPIC, 3).into_iter().map(|record| record.1).collect();
        assert_eq!(keys, ["a", "b"]);
    }
}

#[test]
fn a_topic_that_was_deleted_ends_an_agent_that_makes_none() {
    let mock = Mock::new();
    let mut sink = sink(&mock, Delivery::ExactlyOnce, false);
    delete(&mock);
    sink.send(&record(0, "b", Some("{}"))).unwrap();
    let error = sink.commit(&reached(&sink, 2)).unwrap_err();
    let text = error.to_string();
    assert!(error.exit_code() == 6 && !error.is_rewindable(), "{error:?}");
    assert!(text.contains(TOPIC) && text.contains("kafka_create_topics"), "{text}");
}

#[test]
fn where_kafka_lost_its_checkpoints_the_last_one_of_this_program_holds() {
    let mock = Mock::new();
    let sink = sink(&mock, Delivery::ExactlyOnce, true);
    let (committed, copy) = (sink.checkpoint().cloned().unwrap(), mock.folder.path().join("checkpoint.json"));
    let mut older = Checkpoint::default();
    older.advance(at(1, 0), Some(fingerprint())).unwrap();
    for local in [None, Some(older)] {
        let _ = std::fs::remove_file(&copy);
        if let Some(local) = local {
            std::fs::write(&copy, local.to_json().unwrap()).unwrap();
        }
        assert_eq!(sink.choose(None).unwrap(), committed);
    }
    let mut newer = committed.clone();
    newer.next_generation();
    std::fs::write(&copy, newer.to_json().unwrap()).unwrap();
    assert_eq!(sink.choose(None).unwrap(), newer);
    let mut other = Checkpoint::default();
    other.next_generation();
    std::fs::remove_file(&copy).unwrap();
    assert_eq!(
        sink.choose(Some(other.clone())).unwrap(),
        other,
        "what Kafka has is another owner's, perhaps"
    );
}
