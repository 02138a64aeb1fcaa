//! The local socket of a running agent, `agent.sock` in its state directory: a request is one line of JSON, its answer
//! one or more. Whoever may enter the state directory may ask.
//!
//! How to add a request:
//! 1. a variant of [`Request`];
//! 2. an arm in `Live::answer` (`run/live/requests.rs`), which runs between two turns of the loop and gives an [`Answer`]. What it
//!    changes it commits before it answers. It must be brief: meanwhile nothing is read;
//! 3. the command asks with [`ask`], and prints [`Answer::Done`]'s items.

mod client;
mod server;
#[cfg(test)]
mod tests;

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::TableName;
use crate::schema::source::ReadConsistency;

pub use client::{AskError, ask};
pub(in crate::agent) use server::{Inbox, Server};

/// The socket's name in the state directory.
const NAME: &str = "agent.sock";
/// The name that it is made under.
const NEW_NAME: &str = "agent.new";
/// Most bytes of a request.
const REQUEST_BYTES: usize = 64 << 10;
/// Most bytes of an answer.
const ANSWER_BYTES: usize = 64 << 20;
/// So long a request waits for the loop; then it is taken back.
const TURN_TIME: Duration = Duration::from_secs(15);
/// So long a request that the loop has begun with may take: it may have to wait for a commit.
const WORK_TIME: Duration = Duration::from_secs(120);

/// What a running agent can be asked. On the wire `{"command":"parked_skip", …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What `/status` tells: one item. Answered even while the loop does nothing.
    Status,
    /// What is committed, in the form that it is stored in: one item.
    Checkpoint,
    /// The parked mutations: an item each, up to a number; `count` says how many there are.
    ParkedList,
    /// Tries the parked mutations again.
    ParkedRetry,
    /// Gives one up.
    ParkedSkip {
        /// Its place.
        place: String,
    },
    /// Gives all up that change a table first.
    ParkedSkipTable {
        /// Its id, or `keyspace.table`.
        table: String,
    },
    /// Begin to publish the rows of tables: how each stands then.
    SnapshotStart {
        /// Which tables.
        tables: Vec<TableName>,
        /// Most rows a second; 0: as many as come.
        rate: u32,
        /// Of how many replicas each row is read.
        consistency: ReadConsistency,
    },
    /// Stop that: how each ended.
    SnapshotStop {
        /// Which tables; none are all.
        tables: Vec<TableName>,
    },
    /// How snapshots stand: an item each.
    SnapshotStatus,
}

/// What it answers: lines of items, and behind them a line with `ok`.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is done.
    Done {
        /// What was asked for, a JSON object each.
        items: Vec<Value>,
        /// More fields of the last line; an object.
        what: Value,
    },
    /// It is not.
    Refused {
        /// What keeps it from being done, and where.
        error: String,
        /// What to do.
        next: Option<String>,
    },
}

impl Answer {
    /// Done, with items.
    pub(in crate::agent) fn items(items: Vec<Value>) -> Self {
        Self::Done { items, what: json!({}) }
    }

    /// Refused.
    pub(in crate::agent) fn refused(error: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Refused { error: error.into(), next: Some(next.into()) }
    }

    /// As lines.
    fn to_text(&self) -> String {
        let (items, last) = match self {
            Self::Done { items, what } => {
                let mut last = json!({"ok": true});
                if let (Value::Object(last), Value::Object(what)) = (&mut last, what) {
                    last.extend(what.clone());
                }
                (items.as_slice(), last)
            }
            Self::Refused { error, next } => {
                (&[] as &[Value], json!({"ok": false, "error": error, "next": next}))
            }
        };
        items.iter().chain([&last]).map(|line| format!("{line}\n")).collect()
    }

    /// Of lines; `None` when the last one is missing, or a line is no JSON.
    fn of_text(text: &str) -> Option<Self> {
        let mut items =
            text.lines().map(|line| serde_json::from_str(line).ok()).collect::<Option<Vec<Value>>>()?;
        let last = items.pop()?;
        let text = |key: &str| last.get(key).and_then(Value::as_str).map(str::to_owned);
        match last.get("ok")?.as_bool()? {
            true => Some(Self::Done { items, what: last }),
            false => Some(Self::Refused { error: text("error")?, next: text("next") }),
        }
    }
}

/// What comes until `is_whole`, or the end, or more than `most` bytes.
///
/// # Errors
/// The connection breaks, or `until` is over.
fn receive(
    mut stream: &UnixStream,
    until: Instant,
    most: usize,
    is_whole: impl Fn(&[u8]) -> bool,
) -> io::Result<Vec<u8>> {
    let mut received = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let length = stream.read(&mut piece)?;
        let read = piece.get(..length).unwrap_or_default();
        received.extend_from_slice(read);
        if read.is_empty() || is_whole(read) || received.len() > most {
            return Ok(received);
        }
    }
}

/// Where the agent with that state directory listens.
fn path(state: &Path) -> PathBuf {
    state.join(NAME)
}
