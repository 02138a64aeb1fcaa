//! What the endpoint has done, for Prometheus.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::telemetry::exposition::{Exposition, Type};
use crate::telemetry::rates::to_float;

#[derive(Debug, Default)]
struct Numbers {
    requests: BTreeMap<u16, u64>,
    /// By topic: records taken, records refused, bytes of those that were taken.
    records: BTreeMap<String, [u64; 3]>,
}

/// Counters since the start.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<Numbers>);

impl Counts {
    pub(super) fn request(&self, status: u16) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *numbers.requests.entry(status).or_default() += 1;
    }

    pub(super) fn record(&self, topic: &str, bytes: usize, is_taken: bool) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [taken, refused, sum] = numbers.records.entry(topic.to_owned()).or_default();
        if is_taken {
            *taken += 1;
            *sum += u64::try_from(bytes).unwrap_or(u64::MAX);
        } else {
            *refused += 1;
        }
    }

    pub(super) fn text(&self) -> String {
        let numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = Exposition::default();
        let mut requests =
            out.metric("cdc_rest_requests_total", Type::Counter, "Requests by status of the answer");
        for (status, number) in &numbers.requests {
            requests.add(&[("status", &status.to_string())], to_float(*number));
        }
        let mut taken =
            out.metric("cdc_rest_records_total", Type::Counter, "Records that Kafka took, by topic");
        for (topic, [number, _, _]) in &numbers.records {
            taken.add(&[("topic", topic)], to_float(*number));
        }
        let help = "Records that Kafka did not take, by topic";
        let mut refused = out.metric("cdc_rest_records_refused_total", Type::Counter, help);
        for (topic, [_, number, _]) in &numbers.records {
            refused.add(&[("topic", topic)], to_float(*number));
        }
        let help = "Bytes of keys and values that Kafka took, by topic";
        let mut bytes = out.metric("cdc_rest_record_bytes_total", Type::Counter, help);
        for (topic, [_, _, sum]) in &numbers.records {
            bytes.add(&[("topic", topic)], to_float(*sum));
        }
        out.finish()
    }
}
