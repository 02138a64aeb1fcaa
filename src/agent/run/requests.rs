//! Answers what the agent is asked over its local socket, between two turns of the loop.

use serde_json::json;

use super::live::Live;
use crate::agent::exit::Failure;
use crate::agent::socket::{Answer, Request};

impl Live<'_> {
    /// Takes the requests that wait.
    ///
    /// # Errors
    /// What a request began cannot be committed; its client is told.
    pub(super) fn take_requests(&mut self) -> Result<(), Failure> {
        while let Some(waiting) = self.next_request() {
            if !waiting.begin() {
                continue;
            }
            match self.answer(&waiting.request) {
                Ok(answer) => waiting.answer(answer),
                Err(failure) => {
                    waiting.answer(Answer::Refused { error: failure.to_string(), next: None });
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    /// Does what is asked for.
    fn answer(&mut self, request: &Request) -> Result<Answer, Failure> {
        match request {
            // The socket's thread answers it.
            Request::Status => Ok(Answer::refused("the loop has no status", "ask the socket")),
            Request::Checkpoint => {
                self.commit()?;
                Ok(Answer::items(vec![json!({"checkpoint": self.checkpoint()})]))
            }
        }
    }
}
