//! When to stop: signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(any(feature = "cql", feature = "kafka"))]
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::cdc_raw::Waker;
use crate::telemetry::Telemetry;

/// Whether the agent is asked to stop, or to read its options anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop {
    stops: Arc<AtomicBool>,
    reloads: Arc<AtomicBool>,
    /// Is given signs of life by whoever waits.
    #[cfg(any(feature = "cql", feature = "kafka"))]
    telemetry: Option<Arc<Telemetry>>,
}

fn refused(error: std::io::Error) -> Failure {
    Failure::new(Exit::Bug, "signals cannot be handled").because(error)
}

impl Stop {
    /// Asked by SIGHUP to read the options anew, from now on: what is done before the loop begins can take a while, and a
    /// reload must not end it. SIGTERM and SIGINT end the program until [`Self::on_signals`].
    ///
    /// # Errors
    /// The operating system refuses.
    pub(super) fn by_reload() -> Result<Self, Failure> {
        let stop = Self::default();
        signal_hook::flag::register(SIGHUP, Arc::clone(&stop.reloads)).map_err(refused)?;
        Ok(stop)
    }

    /// Asked by SIGTERM and SIGINT, too; signals also wake `waker` up. A second one to stop ends the program at once: what
    /// is not committed is read again by the next one.
    ///
    /// # Errors
    /// The operating system refuses.
    pub(super) fn on_signals(self, waker: Waker) -> Result<Self, Failure> {
        let asked = self.clone();
        let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).map_err(refused)?;
        let listen = move || {
            for signal in &mut signals {
                if signal == SIGHUP {
                    // It is asked for already.
                    waker.wake();
                    continue;
                }
                if asked.stops.swap(true, Ordering::Relaxed) {
                    log::warn("stopped at once; what is not committed is read again at the next start");
                    std::process::exit(128 + signal);
                }
                log::info("stopping: what is sent is committed first; a second signal stops at once");
                waker.wake();
            }
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map_err(refused)?;
        Ok(self)
    }

    /// Waits by [`Self::sleep`] are signs of life from here on.
    pub(super) fn with_signs_of_life(self, telemetry: &Arc<Telemetry>) -> Self {
        #[cfg(any(feature = "cql", feature = "kafka"))]
        let stop = Self { telemetry: Some(Arc::clone(telemetry)), ..self };
        #[cfg(not(any(feature = "cql", feature = "kafka")))]
        let (stop, _) = (self, telemetry);
        stop
    }

    /// Never asked.
    pub(super) fn never() -> Self {
        Self::default()
    }

    /// As SIGTERM does.
    #[cfg(all(test, feature = "cql"))]
    pub(super) fn ask_stop(&self) {
        self.stops.store(true, Ordering::Relaxed);
    }

    /// As SIGHUP does.
    #[cfg(test)]
    pub(super) fn ask_reload(&self) {
        self.reloads.store(true, Ordering::Relaxed);
    }

    /// Whether it is asked to stop.
    pub(super) fn is_asked(&self) -> bool {
        self.stops.load(Ordering::Relaxed)
    }

    /// Whether the options are to be read anew; asked once.
    pub(super) fn takes_reload(&self) -> bool {
        self.reloads.swap(false, Ordering::Relaxed)
    }

    /// Waits, unless it is asked to stop. A sign of life: what is waited for at the start may take hours.
    #[cfg(any(feature = "cql", feature = "kafka"))]
    pub(super) fn sleep(&self, span: Duration) {
        self.telemetry.iter().for_each(|telemetry| telemetry.alive());
        let until = Instant::now() + span;
        while !self.is_asked() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// For who cannot wait for the end of a call.
    #[cfg(feature = "kafka")]
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stops)
    }
}
