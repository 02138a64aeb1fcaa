//! What the loop tells of Kafka.

use std::sync::Arc;

use crate::telemetry::{KafkaStatus, Telemetry};

/// Counts what becomes of batches.
#[derive(Debug)]
pub(super) struct ToldDestination {
    telemetry: Arc<Telemetry>,
    /// `None` of a file log.
    status: Option<KafkaStatus>,
    is_in_transactions: bool,
}

impl ToldDestination {
    /// A file log, until [`Self::is_kafka`] says otherwise.
    pub(super) fn new(telemetry: Arc<Telemetry>) -> Self {
        Self { telemetry, status: None, is_in_transactions: false }
    }

    /// Records go to Kafka.
    pub(super) fn is_kafka(&mut self, is_in_transactions: bool) {
        (self.status, self.is_in_transactions) = (Some(KafkaStatus::default()), is_in_transactions);
        self.tell();
    }

    /// A batch is through.
    pub(super) fn committed(&mut self) {
        let transactions = u64::from(self.is_in_transactions);
        self.change(|status| {
            status.is_reachable = Some(true);
            status.transactions += transactions;
        });
    }

    /// A batch is not through, or nobody knows.
    pub(super) fn failed(&mut self, is_indefinite: bool) {
        self.change(|status| {
            status.is_reachable = Some(false);
            status.queue_records = 0;
            match is_indefinite {
                true => status.indeterminate += 1,
                false => status.aborts += 1,
            }
        });
    }

    /// So many records are not acknowledged.
    pub(super) fn queued(&mut self, records: u64) {
        if self.status.as_ref().is_some_and(|status| status.queue_records != records) {
            self.change(|status| status.queue_records = records);
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut KafkaStatus)) {
        if let Some(status) = &mut self.status {
            change(status);
            self.tell();
        }
    }

    fn tell(&self) {
        if let Some(status) = &self.status {
            self.telemetry.kafka(status.clone());
        }
    }
}
