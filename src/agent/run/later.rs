//! The newest schema that is known, for mutations that the schema of their place does not decode.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::agent::pipeline::epoch::Epoch;
use crate::agent::pipeline::worker::LaterSchema;

/// The newest schema, and whether a newer one is asked for.
#[derive(Debug)]
pub(super) struct Newest {
    epoch: Mutex<Arc<Epoch>>,
    is_asked_for: AtomicBool,
}

#[cfg_attr(not(feature = "cql"), expect(dead_code, reason = "newer schemas come from the node"))]
impl Newest {
    pub(super) fn new(epoch: Arc<Epoch>) -> Self {
        Self { epoch: Mutex::new(epoch), is_asked_for: AtomicBool::new(false) }
    }

    pub(super) fn set(&self, epoch: Arc<Epoch>) {
        *self.epoch.lock().unwrap_or_else(PoisonError::into_inner) = epoch;
    }

    pub(super) fn get(&self) -> Arc<Epoch> {
        Arc::clone(&self.epoch.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a mutation needs a newer one: a hint that the node may know more.
    pub(super) fn is_asked_for(&self) -> bool {
        self.is_asked_for.load(Ordering::Relaxed)
    }

    /// Whether one needed it since the last call.
    pub(super) fn take_asked_for(&self) -> bool {
        self.is_asked_for.swap(false, Ordering::Relaxed)
    }
}

impl LaterSchema for Newest {
    fn last_epoch(&self) -> Arc<Epoch> {
        self.get()
    }

    fn ask(&self) {
        self.is_asked_for.store(true, Ordering::Relaxed);
    }
}
