//! Outputs in a file log.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use crate::agent::exit::Exit;
use crate::envelope::murmur2::partition_hash;
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::outlet::{Committed, Outlet};
use crate::jobs::engine::record::{Header, OutputRecord, Spread};
use crate::sink::file_log::{FileLog, FileLogOptions};
use crate::sink::line::{Field, Line};

/// Writes a file log; one job at a time.
#[derive(Debug)]
pub struct FileOutlet {
    log: FileLog,
    job: String,
    committed: Option<Committed>,
}

impl FileOutlet {
    /// Opens the file log for the job of that name; what is not committed in it is cut off.
    ///
    /// # Errors
    /// Another program writes there, or the directory holds something else.
    pub fn open(dir: &Path, job: &str, options: FileLogOptions) -> Result<Self, EngineError> {
        let log = FileLog::open(dir, options)?;
        let committed = match log.job(job) {
            None => None,
            Some(value) => Some(serde_json::from_value(value.clone()).map_err(|error| {
                let what = format!("{}: commit.json, job {job}: {error}", dir.display());
                EngineError::new(Exit::Destination, what).next("use the cdc-jobs that wrote it")
            })?),
        };
        Ok(Self { log, job: job.to_owned(), committed })
    }
}

impl Outlet for FileOutlet {
    fn committed(&self) -> Option<&Committed> {
        self.committed.as_ref()
    }

    fn send(&mut self, record: &OutputRecord<'_>) -> Result<(), EngineError> {
        let partition = match record.spread {
            Spread::Key => record.key.map_or(0, partition_hash),
            Spread::Partition(partition) => partition,
        };
        let (key_text, value_text) = (base64_of(record.key), base64_of(record.value));
        let line = Line {
            key: field(record.key, key_text.as_deref()),
            value: field(record.value, value_text.as_deref()),
            headers: &headers(record.headers),
        };
        Ok(self.log.append(record.topic, partition, record.timestamp_ms, line)?)
    }

    fn commit(&mut self, committed: &Committed) -> Result<(), EngineError> {
        let progress = serde_json::to_value(committed)
            .map_err(|error| EngineError::new(Exit::Bug, format!("progress of the job: {error}")))?;
        self.log.commit_job(&self.job, progress)?;
        self.committed = Some(committed.clone());
        Ok(())
    }
}

/// Whether bytes can stand in a line as they are: JSON that a reader finds again byte for byte, and that is not taken
/// for a tombstone.
fn is_embedded(bytes: &[u8]) -> bool {
    let is_bare = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii_whitespace());
    is_bare(bytes.first())
        && is_bare(bytes.last())
        && !bytes.contains(&b'\n')
        && bytes != b"null"
        && std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

fn base64_of(bytes: Option<&[u8]>) -> Option<String> {
    bytes.filter(|bytes| !is_embedded(bytes)).map(|bytes| STANDARD.encode(bytes))
}

fn field<'f>(bytes: Option<&'f [u8]>, base64: Option<&'f str>) -> Field<'f> {
    match (bytes, base64) {
        (None, _) => Field::Null,
        (Some(_), Some(text)) => Field::Base64(text),
        (Some(bytes), None) => Field::Json(bytes),
    }
}

/// An object of texts; bytes that are none stand in an object. Of headers with one name the last is kept.
fn headers(headers: &[Header]) -> String {
    let mut object = Map::new();
    for header in headers {
        let value = match &header.value {
            None => Value::Null,
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => json!(text),
                Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
            },
        };
        object.insert(header.name.clone(), value);
    }
    Value::Object(object).to_string()
}
