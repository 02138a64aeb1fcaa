//! The file with the state.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::agent::exit::Exit;
use crate::durable::replace;
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::position::Positions;

const FILE: &str = "snapshot";
const TEMPORARY: &str = "snapshot.tmp";
/// The version written here, and the only one read.
const VERSION: u32 = 1;

/// The state of a job as of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::jobs::engine) struct Snapshot {
    /// Name of the job.
    pub job: String,
    /// Id of the state.
    pub state: String,
    /// As of which commit.
    pub generation: u64,
    /// What the job was: the version of its rules.
    pub definition: String,
    /// The records behind it.
    pub positions: Positions,
    /// What the job wrote.
    pub bytes: Vec<u8>,
}

/// The first line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    version: u32,
    job: String,
    state: String,
    generation: u64,
    definition: String,
    positions: Positions,
    bytes: usize,
    sha256: String,
}

/// What is in a directory.
pub(super) enum Found {
    Whole(Snapshot),
    Missing,
    Damaged(String),
}

impl Snapshot {
    pub(super) fn read(dir: &Path) -> Result<Found, EngineError> {
        let path = dir.join(FILE);
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Missing),
            Err(error) => {
                let what = format!("cannot read {}: {error}", path.display());
                return Err(EngineError::new(Exit::Unreadable, what).next("let this user read it"));
            }
        };
        let Some(end) = memchr::memchr(b'\n', &content) else {
            return Ok(Found::Damaged("it has no first line".to_owned()));
        };
        let (line, rest) = content.split_at(end);
        let head: Head = match serde_json::from_slice(line) {
            Ok(head) => head,
            Err(error) => return Ok(Found::Damaged(error.to_string())),
        };
        if head.version != VERSION {
            let what =
                format!("{} has version {}, this program reads {VERSION}", path.display(), head.version);
            return Err(EngineError::new(Exit::Unreadable, what).next("use the cdc-jobs that wrote it"));
        }
        let bytes = rest.get(1..).unwrap_or_default();
        if bytes.len() != head.bytes || digest(line_without_sum(&head).as_bytes(), bytes) != head.sha256 {
            return Ok(Found::Damaged("its sum is wrong".to_owned()));
        }
        Ok(Found::Whole(Self {
            job: head.job,
            state: head.state,
            generation: head.generation,
            definition: head.definition,
            positions: head.positions,
            bytes: bytes.to_vec(),
        }))
    }

    pub(super) fn write(&self, dir: &Path) -> Result<(), EngineError> {
        let mut head = Head {
            version: VERSION,
            job: self.job.clone(),
            state: self.state.clone(),
            generation: self.generation,
            definition: self.definition.clone(),
            positions: self.positions.clone(),
            bytes: self.bytes.len(),
            sha256: String::new(),
        };
        head.sha256 = digest(line_without_sum(&head).as_bytes(), &self.bytes);
        let line = serde_json::to_vec(&head)
            .map_err(|error| EngineError::new(Exit::Bug, format!("the head of a snapshot: {error}")))?;
        replace(&dir.join(FILE), &dir.join(TEMPORARY), &[&line, b"\n", &self.bytes])?;
        Ok(())
    }
}

/// What of the head is part of the sum.
fn line_without_sum(head: &Head) -> String {
    let positions = serde_json::to_string(&head.positions).unwrap_or_default();
    format!("{}\n{}\n{}\n{}\n{positions}\n", head.job, head.state, head.generation, head.definition)
}

fn digest(head: &[u8], bytes: &[u8]) -> String {
    hex::encode(Sha256::new().chain_update(head).chain_update(bytes).finalize())
}
