//! Progress on standard error, when it is a terminal.

use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Bytes of segments, events a second, time left.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    events: u64,
}

impl Progress {
    /// A bar over `bytes`; nothing is drawn when `shown` is false or standard error is no terminal.
    pub(super) fn new(bytes: u64, shown: bool) -> Self {
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(bytes), target);
        let style = ProgressStyle::with_template(
            "{bar:30} {bytes}/{total_bytes} {bytes_per_sec}  {msg}  {left} left",
        );
        if let Ok(style) = style {
            let left = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{}", indicatif::HumanDuration(state.eta()));
            };
            bar.set_style(style.with_key("left", left));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, events: 0 }
    }

    /// Some more is done.
    pub(super) fn advance(&mut self, bytes: u64, events: u64) {
        self.bar.inc(bytes);
        self.events += events;
        let milliseconds = self.bar.elapsed().as_millis().max(1);
        let rate = u128::from(self.events) * 1000 / milliseconds;
        self.bar.set_message(format!("{} events/s", HumanCount(u64::try_from(rate).unwrap_or(u64::MAX))));
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
