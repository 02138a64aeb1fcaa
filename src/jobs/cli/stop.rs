//! When to stop: signals.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::agent::exit::{Exit, Failure};

/// Set by SIGTERM and SIGINT; a second one ends the program at once.
///
/// # Errors
/// The operating system refuses.
pub(super) fn on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let refused = |error| Failure::new(Exit::Bug, "signals cannot be handled").because(error);
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stop))
            .map_err(refused)?;
        signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(refused)?;
    }
    Ok(stop)
}
