//! Commits that nobody answers.

use std::time::Instant;

use super::*;

/// The broker in charge of the transaction does not end it yet, as while Kafka stops.
const NOT_YET: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS;

#[test]
fn whoever_waits_for_a_commit_says_so_and_finds_out_how_it_ended() {
    let mock = Mock::new();
    let mut sink = mock.open(Delivery::ExactlyOnce);
    sink.send(&record(0, "a", Some("{}"))).unwrap();
    // librdkafka repeats the request for as long as it is waited for.
    mock.cluster.request_errors(RDKafkaApiKey::EndTxn, &[NOT_YET; 10_000]);
    let (began, next) = (Instant::now(), reached(&sink, 1));
    // This broker does not hide what is not committed, so the checkpoint is found.
    sink.commit(&next).unwrap();
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let waits = |notice: &Notice| matches!(notice, Notice::Waiting { what, .. } if what.contains("commit"));
    assert!(mock.notices.lock().unwrap().iter().any(waits));
    assert!(sink.checkpoint().unwrap().says_the_same(&next));
    mock.cluster.clear_request_errors(RDKafkaApiKey::EndTxn);
    sink.commit(&reached(&sink, 2)).unwrap();
}
