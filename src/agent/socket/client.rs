//! Asks a running agent over its local socket.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{ANSWER_BYTES, Answer, Request, TURN_TIME, WORK_TIME, path, receive};
use crate::agent::exit::{Exit, Failure};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error("no running agent answers on {0}: {1}")]
    NotRunning(PathBuf, #[source] io::Error),
    /// The socket is another user's.
    #[error("{0} is not this user's: {1}")]
    NoPermission(PathBuf, #[source] io::Error),
    /// Somebody listens, and does not answer.
    #[error("the agent on {0} does not answer: {1}")]
    Silent(PathBuf, #[source] io::Error),
    /// The answer is none.
    #[error("what listens on {0} is no cdc-agent of this version")]
    NotAnAgent(PathBuf),
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        let next = match &error {
            AskError::NotRunning(..) => {
                "start it (cdc-agent run), or name its state directory with --state-dir or --config"
            }
            AskError::NoPermission(..) => "run this command as the user that the agent runs as, or as root",
            AskError::Silent(..) => "look at its log and at cdc-agent status; then try again",
            AskError::NotAnAgent(_) => "use the program that the running agent was started from",
        };
        Self::new(Exit::Destination, error.to_string()).next(next)
    }
}

/// Asks the agent whose state directory is `state`.
///
/// # Errors
/// There is no agent, or no answer. That the agent refuses is an answer.
pub fn ask(state: &Path, request: &Request) -> Result<Answer, AskError> {
    let path = path(state);
    let mut stream = UnixStream::connect(&path).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => AskError::NoPermission(path.clone(), error),
        _ => AskError::NotRunning(path.clone(), error),
    })?;
    let text = exchange(&mut stream, request).map_err(|error| AskError::Silent(path.clone(), error))?;
    Answer::of_text(&text).ok_or(AskError::NotAnAgent(path))
}

fn exchange(stream: &mut UnixStream, request: &Request) -> io::Result<String> {
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    stream.set_write_timeout(Some(TURN_TIME))?;
    stream.write_all(line.as_bytes())?;
    let until = Instant::now() + TURN_TIME + WORK_TIME + Duration::from_secs(5);
    let answer = receive(stream, until, ANSWER_BYTES, |_| false)?;
    if answer.len() > ANSWER_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is too long"));
    }
    String::from_utf8(answer).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the answer is no text"))
}
