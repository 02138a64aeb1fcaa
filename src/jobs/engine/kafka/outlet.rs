//! Outputs in Kafka: in transactions.

use crate::agent::exit::Exit;
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::outlet::{Committed, Outlet};
use crate::jobs::engine::record::{OutputRecord, Spread};
use crate::sink::kafka::{Choice, JobLog, JobRecord, KafkaOptions};

/// Writes to Kafka what one job makes.
#[derive(Debug)]
pub struct KafkaOutlet {
    log: JobLog,
    committed: Option<Committed>,
    /// Whether its inputs are in the same cluster, so that its group can tell how far it is.
    tells_group: bool,
}

impl KafkaOutlet {
    /// Takes the job's outputs over. `group` is its consumer group, where its inputs are in the same cluster;
    /// `compacted` are the topics of which the last record of each key stays.
    ///
    /// # Errors
    /// The brokers cannot be reached or refuse, or a topic is not fit.
    pub fn open(
        options: &KafkaOptions,
        job: &str,
        group: Option<&str>,
        compacted: &[&str],
    ) -> Result<Self, EngineError> {
        let compacted = compacted.iter().map(|topic| (*topic).to_owned()).collect();
        let log = JobLog::open(options, job, group, compacted)?;
        let committed = log.committed().map(|text| {
            serde_json::from_slice(text).map_err(|error| {
                let what = format!("{}.jobs.__checkpoints, job {job}: {error}", options.prefix);
                EngineError::new(Exit::Destination, what).next("use the cdc-jobs that wrote it")
            })
        });
        Ok(Self { committed: committed.transpose()?, log, tells_group: group.is_some() })
    }
}

impl Outlet for KafkaOutlet {
    fn committed(&self) -> Option<&Committed> {
        self.committed.as_ref()
    }

    fn send(&mut self, record: &OutputRecord<'_>) -> Result<(), EngineError> {
        let headers: Vec<(&str, Option<&[u8]>)> =
            record.headers.iter().map(|header| (header.name.as_str(), header.value.as_deref())).collect();
        Ok(self.log.send(&JobRecord {
            topic: record.topic,
            choice: match record.spread {
                Spread::Key => Choice::Key,
                Spread::Partition(number) => Choice::Number(number),
            },
            key: record.key,
            value: record.value,
            headers: &headers,
            ts_ms: record.timestamp_ms,
        })?)
    }

    fn commit(&mut self, committed: &Committed) -> Result<(), EngineError> {
        let progress = serde_json::to_vec(committed)
            .map_err(|error| EngineError::new(Exit::Bug, format!("progress of the job: {error}")))?;
        match self.tells_group {
            true => self.log.commit(&progress, committed.positions.iter())?,
            false => self.log.commit(&progress, std::iter::empty())?,
        }
        self.committed = Some(committed.clone());
        Ok(())
    }
}
