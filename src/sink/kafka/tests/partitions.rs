//! How many partitions a topic has, had, and should have.

use super::*;

/// What is told of partitions while one record is sent and committed, with this number for new topics.
fn told(mock: &Mock, new: Option<u16>) -> Vec<Notice> {
    mock.notices.lock().unwrap().clear();
    let topics = TopicOptions { partitions: new, ..TopicOptions::default() };
    let mut sink = KafkaSink::open(KafkaOptions { topics, ..mock.options(Delivery::ExactlyOnce) }).unwrap();
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    sink.partitions("p.cdc.__dead_letters").unwrap();
    let entry = sink.checkpoint().unwrap().open_at(SegmentId(1)).map_or(1, |place| place.entry + 1);
    sink.commit(&reached(&sink, entry)).unwrap();
    let told = mock.notices.lock().unwrap().clone();
    let is_meant = |notice: &Notice| {
        matches!(notice, Notice::PartitionsChanged { .. } | Notice::PartitionsDiffer { .. })
    };
    told.into_iter().filter(is_meant).collect()
}

#[test]
fn a_number_that_changed_while_no_agent_ran_is_told_once() {
    let mock = Mock::new();
    assert_eq!(told(&mock, None), [], "nothing is known of it yet");
    let path = mock.folder.path().join("partitions.json");
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept.contains("\"p.cdc.k.t\":3"), "{kept}");
    std::fs::write(&path, kept.replace("\"p.cdc.k.t\":3", "\"p.cdc.k.t\":2")).unwrap();
    let changed = Notice::PartitionsChanged { topic: TOPIC.to_owned(), before: 2, now: 3 };
    assert_eq!(told(&mock, None), [changed]);
    assert_eq!(told(&mock, None), []);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(told(&mock, None), [], "an older agent kept nothing");
}

#[test]
fn a_tables_topic_with_other_partitions_than_new_ones_is_told() {
    let mock = Mock::new();
    let differ = Notice::PartitionsDiffer { topic: TOPIC.to_owned(), found: 3, new: 5 };
    assert_eq!(told(&mock, Some(5)), [differ]);
    assert_eq!(told(&mock, Some(3)), []);
}
