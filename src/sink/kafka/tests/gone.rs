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
    // A thread of its own writes it, a while after the commit: nothing of that comes later.
    let until = Instant::now() + Duration::from_secs(30);
    while crate::sink::kafka::local::load(&copy).unwrap().as_ref() != Some(&committed) {
        assert!(Instant::now() < until, "no copy of the checkpoint");
        std::thread::sleep(Duration::from_millis(5));
    }
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

/// What an agent that starts tells to be lost.
fn told_at_the_start(mock: &Mock, create: bool) -> Vec<String> {
    mock.notices.lock().unwrap().clear();
    let topics = TopicOptions { create, ..TopicOptions::default() };
    let mut sink = KafkaSink::open(KafkaOptions { topics, ..mock.options(Delivery::ExactlyOnce) }).unwrap();
    sink.tell_of_lost_topics().unwrap();
    let told = mock.notices.lock().unwrap().clone();
    let gone = told.iter().filter(|notice| matches!(notice, Notice::TopicGone { .. }));
    gone.map(ToString::to_string).collect()
}

#[test]
fn a_topic_that_was_deleted_while_no_agent_ran_is_told_once() {
    for delivery in [Delivery::ExactlyOnce, Delivery::AtLeastOnce] {
        let mock = Mock::new();
        assert_eq!(told_at_the_start(&mock, true), [""; 0], "nothing is known yet");
        drop(sink(&mock, delivery, true));
        assert_eq!(told_at_the_start(&mock, true), [""; 0], "it is there");
        mock.cluster.topic_error(TOPIC, GONE).unwrap();
        assert_eq!(told_at_the_start(&mock, false), [""; 0], "that it is missing ends such an agent");
        let told = told_at_the_start(&mock, true);
        let words =
            format!("topic {TOPIC} was deleted: everything that was published to it up to {} ", at(1, 1));
        assert!(told.len() == 1 && told[0].starts_with(&words), "{told:?}");
        assert_eq!(told_at_the_start(&mock, true), [""; 0]);
    }
}

#[test]
fn a_topic_that_was_deleted_and_made_anew_while_no_agent_ran_is_told_once() {
    let mock = Mock::new();
    drop(sink(&mock, Delivery::ExactlyOnce, true));
    let path = mock.folder.path().join("partitions.json");
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept.contains("\"written\":[\"p.cdc.k.t\"]"), "{kept}");
    // Nothing was written to the second one; the third one is not this agent's.
    mock.cluster.create_topic("p.cdc.k.new", 3, 1).unwrap();
    let more = "\"written\":[\"p.cdc.k.new\",\"p.cdc.k.t\",\"q.cdc.k.t\"]";
    std::fs::write(&path, kept.replace("\"written\":[\"p.cdc.k.t\"]", more)).unwrap();
    let told = told_at_the_start(&mock, false);
    assert!(told.len() == 1 && told[0].starts_with("topic p.cdc.k.new was deleted: "), "{told:?}");
    assert_eq!(told_at_the_start(&mock, true), [""; 0]);
}

#[test]
fn a_topic_in_which_nothing_was_committed_is_not_lost() {
    let mock = Mock::new();
    let mut sink = mock.open(Delivery::ExactlyOnce);
    assert_eq!(sink.partitions(TOPIC).unwrap(), 3);
    sink.commit(&reached(&sink, 1)).unwrap();
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    sink.rewind().unwrap();
    drop(sink);
    assert!(std::fs::read_to_string(mock.folder.path().join("partitions.json")).unwrap().contains(TOPIC));
    mock.cluster.topic_error(TOPIC, GONE).unwrap();
    assert_eq!(told_at_the_start(&mock, true), [""; 0]);
}

#[test]
fn what_was_told_while_it_ran_is_not_told_at_the_start() {
    let mock = Mock::new();
    let mut sink = sink(&mock, Delivery::ExactlyOnce, true);
    mock.cluster.topic_error(TOPIC, GONE).unwrap();
    sink.rewind().unwrap();
    sink.commit(&reached(&sink, 2)).unwrap();
    drop(sink);
    assert_eq!(told_at_the_start(&mock, true), [""; 0]);
}
