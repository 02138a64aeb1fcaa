//! `status`, `parked`, `snapshot` and `checkpoint`: what a running agent is asked, and what is looked up or changed when none runs.

mod checkpoint;
mod parked;
mod snapshot;
mod status;
mod stored;

use std::path::Path;

use serde_json::Value;

use super::exit::{Exit, Failure};
use super::socket::{Answer, AskError, Request, ask};
pub use checkpoint::checkpoint;
pub use parked::parked;
pub use snapshot::snapshot;
pub use status::status;

/// The answer of a running agent: items, and the last line. `None` when there is none.
fn asked(state: &Path, request: &Request) -> Result<Option<(Vec<Value>, Value)>, Failure> {
    match ask(state, request) {
        Ok(answer) => done(answer).map(Some),
        Err(AskError::NotRunning(..)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// As [`asked`]; without a running agent it cannot be done.
fn must_answer(state: &Path, request: &Request) -> Result<(Vec<Value>, Value), Failure> {
    done(ask(state, request)?)
}

fn done(answer: Answer) -> Result<(Vec<Value>, Value), Failure> {
    match answer {
        Answer::Done { items, what } => Ok((items, what)),
        Answer::Refused { error, next } => {
            let failure = Failure::new(Exit::Destination, error);
            Err(next.into_iter().fold(failure, Failure::next))
        }
    }
}
