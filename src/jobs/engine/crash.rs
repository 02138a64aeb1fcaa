//! Places at which the model test ends a life of a job, as `kill -9` would.

use std::cell::Cell;

use super::error::EngineError;

thread_local! {
    static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Dies at the place that is crossed after so many.
pub(super) fn arm(after: Option<u64>) {
    LEFT.set(after);
}

/// Crosses a place.
pub(super) fn cross(place: &str) -> Result<(), EngineError> {
    match LEFT.get() {
        Some(0) => {
            LEFT.set(None);
            Err(EngineError::new(crate::agent::exit::Exit::Bug, format!("killed at {place}")))
        }
        Some(left) => {
            LEFT.set(Some(left - 1));
            Ok(())
        }
        None => Ok(()),
    }
}
