//! `commit.json`: what is in a file log, as of the last commit.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::num::NonZeroU16;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::checkpoint::Checkpoint;
use crate::durable::{is_as_sealed, replace, sealed};
use crate::sink::SinkError;

use super::names;

/// The version written here, and the highest one read.
const VERSION: u64 = 1;

/// The files of one partition, in offset order.
pub(super) type Files = Vec<LogFile>;

/// The stored form of `commit.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Commit {
    version: u64,
    /// Partitions of every topic.
    pub(super) partitions: NonZeroU16,
    /// What is done in the commit log.
    pub(super) checkpoint: Checkpoint,
    /// How far jobs came that wrote here, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) jobs: BTreeMap<String, Value>,
    /// Topic → partition → its files.
    pub(super) topics: BTreeMap<String, BTreeMap<u32, Files>>,
}

/// One file of a partition. Every file but the last one of its partition is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogFile {
    /// Offset of its first record.
    pub(super) first_offset: u64,
    /// Offset after its last record.
    pub(super) next_offset: u64,
    /// Its length. What stands after it was not committed.
    pub(super) bytes: u64,
}

impl Commit {
    pub(super) fn new(partitions: NonZeroU16) -> Self {
        Self {
            version: VERSION,
            partitions,
            checkpoint: Checkpoint::default(),
            jobs: BTreeMap::new(),
            topics: BTreeMap::new(),
        }
    }

    /// Read `commit.json`; `None` when there is none.
    pub(super) fn load(dir: &Path) -> Result<Option<Self>, SinkError> {
        let path = dir.join(names::COMMIT);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(SinkError::io("read", &path, e)),
        };
        let commit = parse(&text).map_err(|what| SinkError::Unfit {
            path,
            what,
            hint: "restore it from a copy, or write to an empty directory",
        })?;
        Ok(Some(commit))
    }

    /// Replace `commit.json`: after a crash either the old one is there or this one.
    ///
    /// All that it names must be durable before.
    pub(super) fn store(&self, dir: &Path) -> Result<(), SinkError> {
        let temporary = dir.join(names::COMMIT_TEMPORARY);
        let text =
            serde_json::to_vec(self).map_err(|e| SinkError::io("write", &temporary, io::Error::other(e)))?;
        Ok(replace(&dir.join(names::COMMIT), &temporary, &[&sealed(text)])?)
    }
}

fn parse(text: &[u8]) -> Result<Commit, String> {
    if !is_as_sealed(text) {
        return Err("its checksum is wrong, so it is not what was committed".to_owned());
    }
    let value: Value = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    match value.get("version").and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(found) => {
            return Err(format!(
                "it has version {found}, and this program reads version {VERSION}: use the cdc-agent that wrote it"
            ));
        }
        None => return Err("it has no `version`".to_owned()),
    }
    let commit: Commit = serde_json::from_value(value).map_err(|e| e.to_string())?;
    for (topic, partitions) in &commit.topics {
        names::check_topic(topic).map_err(|e| e.to_string())?;
        for (partition, files) in partitions {
            if *partition >= u32::from(commit.partitions.get()) || !is_chain(files) {
                return Err(format!(
                    "its files of topic {topic}, partition {partition}, do not fit together"
                ));
            }
        }
    }
    Ok(commit)
}

/// Whether the files start at offset 0 and follow each other without a gap.
fn is_chain(files: &[LogFile]) -> bool {
    let mut next = 0;
    files.iter().all(|file| {
        let fits = file.first_offset == next && file.next_offset > file.first_offset && file.bytes > 0;
        next = file.next_offset;
        fits
    })
}
