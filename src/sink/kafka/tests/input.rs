//! The input of a job.

use std::time::Instant;

use super::*;

#[test]
fn no_record_is_lost_while_partitions_are_counted() {
    let mock = Mock::new();
    let mut sink = mock.open(Delivery::AtLeastOnce);
    for number in 0..30 {
        sink.send(&record(0, &number.to_string(), Some("{}"))).unwrap();
    }
    sink.commit(&reached(&sink, 30)).unwrap();
    let mut input = JobInput::open(&mock.options(Delivery::AtLeastOnce), TOPIC, "jobs").unwrap();
    input.assign(&[(0, 0)]).unwrap();
    let (mut offsets, began) = (Vec::new(), Instant::now());
    while offsets.len() < 30 && began.elapsed() < Duration::from_secs(60) {
        assert_eq!(input.partitions().unwrap(), 3);
        if let Arrival::Message(message) = input.next(Duration::from_millis(10)).unwrap() {
            offsets.push(message.offset);
        }
    }
    assert_eq!(offsets, (0..30).collect::<Vec<i64>>());
    // What came for the partitions that were read before is not handed over.
    input.partitions().unwrap();
    input.assign(&[(0, 20)]).unwrap();
    let first = std::iter::repeat_with(|| input.next(Duration::from_millis(100)).unwrap())
        .take(100)
        .find(|arrival| matches!(arrival, Arrival::Message(_)));
    let Some(Arrival::Message(message)) = first else { panic!("no record") };
    assert_eq!(message.offset, 20);
}
