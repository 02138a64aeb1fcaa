//! What a transaction may wait for.

use super::*;

/// More tables than topics can be made while one transaction lives: what was sent is taken back in time, and goes through
/// when it is sent again. Here each takes as long as it is waited for its configuration, which this broker does not tell.
#[test]
fn a_batch_that_waits_for_many_topics_is_taken_back_before_its_transaction_ends() {
    let names: Vec<String> = (0..5).map(|number| format!("p.cdc.k.t{number}")).collect();
    for (delivery, is_taken_back) in [(Delivery::ExactlyOnce, true), (Delivery::AtLeastOnce, false)] {
        let mock = Mock::new();
        names.iter().for_each(|name| mock.cluster.create_topic(name, 1, 1).unwrap());
        let extra = ClientOptions(vec![("transaction.timeout.ms".to_owned(), "2000".to_owned())]);
        let mut sink = KafkaSink::open(KafkaOptions { extra, ..mock.options(delivery) }).unwrap();
        let send = |sink: &mut KafkaSink| {
            names.iter().try_for_each(|topic| sink.send(&Record { topic, ..record(0, "a", Some("{}")) }))
        };
        let first = send(&mut sink);
        assert_eq!(first.is_err(), is_taken_back, "{first:?}");
        if let Err(error) = first {
            assert!(error.is_rewindable() && error.to_string().contains("topics were made"), "{error:?}");
            sink.rewind().unwrap();
            while let Err(error) = send(&mut sink) {
                assert!(error.is_rewindable(), "{error:?}");
                sink.rewind().unwrap();
            }
        }
        sink.commit(&reached(&sink, 1)).unwrap();
    }
}

#[test]
fn a_batch_is_committed_before_its_transaction_is_over() {
    for (delivery, given_ms, seconds) in [
        (Delivery::ExactlyOnce, None, 15),
        (Delivery::ExactlyOnce, Some("120000"), 60),
        (Delivery::AtLeastOnce, None, 900),
    ] {
        let mock = Mock::new();
        let given = given_ms.map(|ms| ("transaction.timeout.ms".to_owned(), ms.to_owned()));
        let mut options = mock.options(delivery);
        options.extra = ClientOptions(given.into_iter().collect());
        options.batch.time = Duration::from_secs(900);
        let sink = KafkaSink::open(options).unwrap();
        assert_eq!(sink.longest_batch(), Duration::from_secs(seconds), "{delivery:?} {given_ms:?}");
    }
}
