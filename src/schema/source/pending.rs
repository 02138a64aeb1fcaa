//! An answer that may not be there yet.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use super::CqlError;

/// An answer that is on its way. It is given once; after it was taken, asking again is an error of its own.
#[derive(Debug)]
pub struct Pending<T> {
    pub(super) address: String,
    pub(super) answer: Receiver<Result<T, CqlError>>,
}

impl<T> Pending<T> {
    /// The answer if it is there; returns at once.
    pub fn poll(&self) -> Option<Result<T, CqlError>> {
        match self.answer.try_recv() {
            Ok(answer) => Some(answer),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(self.ended())),
        }
    }

    /// The answer if it comes within `limit`.
    pub fn wait_for(&self, limit: Duration) -> Option<Result<T, CqlError>> {
        match self.answer.recv_timeout(limit) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(self.ended())),
        }
    }

    /// Waits for the answer: as long as the time limits of the settings allow.
    ///
    /// # Errors
    /// As the node answered.
    pub fn wait(self) -> Result<T, CqlError> {
        self.answer.recv().unwrap_or_else(|_| Err(self.ended()))
    }

    fn ended(&self) -> CqlError {
        CqlError::Ended { address: self.address.clone() }
    }
}
