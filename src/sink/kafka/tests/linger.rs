//! Records that wait for a fuller request.

use std::time::Instant;

use super::*;

#[test]
fn a_commit_sends_at_once_what_lingers() {
    let linger = Duration::from_secs(20);
    for delivery in [Delivery::ExactlyOnce, Delivery::AtLeastOnce] {
        let mock = Mock::new();
        let extra = ClientOptions(vec![("linger.ms".to_owned(), linger.as_millis().to_string())]);
        let mut sink = KafkaSink::open(KafkaOptions { extra, ..mock.options(delivery) }).unwrap();
        let began = Instant::now();
        sink.send(&record(0, "a", Some("{}"))).unwrap();
        sink.commit(&reached(&sink, 1)).unwrap();
        assert!(began.elapsed() < linger / 2, "{delivery:?}: {:?}", began.elapsed());
    }
}
