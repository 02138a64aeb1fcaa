//! Has librdkafka send what it holds back, and waits for it.

use std::ffi::c_int;
use std::time::Duration;

use rdkafka::bindings::rd_kafka_flush;
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};

/// Sends what lingers for fuller requests, and waits until everything that was handed over is acknowledged or has
/// failed, or for `limit`, which is rounded down to whole milliseconds and is at least one. Hears nothing: that is
/// for [`BaseProducer::poll`].
///
/// librdkafka hurries only while it is inside this call. The crate's own `flush` calls it with a time of 0, and its
/// threads hardly ever notice.
#[expect(unsafe_code, reason = "the crate gives no other way to flush for a while")]
pub(super) fn flush<C: ProducerContext>(producer: &BaseProducer<C>, limit: Duration) {
    let ms = c_int::try_from(limit.as_millis().max(1)).unwrap_or(c_int::MAX);
    // SAFETY: the handle is that of a producer, which lives as long as it is borrowed here; any thread may call this.
    // How it ended is asked for otherwise.
    let _ = unsafe { rd_kafka_flush(producer.client().native_ptr(), ms) };
}
