//! Whether the agent does its work, and why not.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Limits;
use super::clock::Moment;
use super::facts::Phase;
use super::state::State;

/// `cdc_raw` is told of when it will be full within this many seconds: four hours.
const FULL_SOON_S: u64 = 4 * 3600;
/// Lag that is told of as a warning.
const LAG_WARNS: Duration = Duration::from_secs(60);

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but somebody should look.
    Warning,
    /// It does not work.
    Bad,
}

/// The state in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headline {
    /// How bad it is.
    pub level: Level,
    /// In words.
    pub text: String,
}

/// Why the agent is not ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A word for programs: that of the phase, `hung` or `stalled`.
    pub code: String,
    /// In words.
    pub text: String,
}

pub(super) struct Judged {
    pub(super) headline: Headline,
    pub(super) reasons: Vec<Reason>,
}

pub(super) fn judge(state: &State, now: Moment, silent: Duration, limits: Limits) -> Judged {
    let reasons = reasons(state, now, silent, limits);
    let headline = match reasons.first() {
        Some(reason) => {
            let is_start =
                matches!(state.phase, Phase::Starting | Phase::ReadingCheckpoint | Phase::Stopping);
            let level =
                if is_start && reason.code == state.phase.word() { Level::Warning } else { Level::Bad };
            Headline { level, text: reason.text.clone() }
        }
        None => running(state, now),
    };
    Judged { headline, reasons }
}

fn reasons(state: &State, now: Moment, silent: Duration, limits: Limits) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if silent > limits.live_within {
        let text = format!("Hung: the loop gave no sign of life for {}", time(silent));
        reasons.push(Reason { code: "hung".to_owned(), text });
    }
    if state.phase != Phase::Running {
        let since = time(now.steady.saturating_sub(state.phase_since.steady));
        let text = match &state.why {
            Some(why) => format!("{} for {since}: {why}", state.phase.text()),
            None => format!("{} for {since}", state.phase.text()),
        };
        reasons.push(Reason { code: state.phase.word().to_owned(), text });
    }
    if let Some(since) = stalled(state, now, limits.stall_after) {
        let text = format!(
            "Stalled: nothing was committed for {}, with {}",
            time(since),
            waiting(state.unread_bytes(), state.reading.uncommitted_records)
        );
        reasons.push(Reason { code: "stalled".to_owned(), text });
    }
    reasons
}

/// For how long something waited and nothing was committed, when that is too long. Only while the loop is to run: another
/// phase is a reason by itself.
fn stalled(state: &State, now: Moment, stall_after: Duration) -> Option<Duration> {
    let pending = state.pending_since?.steady.max(state.progressed.steady);
    let since = now.steady.saturating_sub(pending);
    (state.phase == Phase::Running && since >= stall_after).then_some(since)
}

fn running(state: &State, now: Moment) -> Headline {
    let warn = |text: String| Headline { level: Level::Warning, text };
    if let Some(usage) = state.directory {
        if usage.is_full {
            let text = "cdc_raw is full: Cassandra refuses writes to tables with CDC".to_owned();
            return Headline { level: Level::Bad, text };
        }
        if let Some(seconds) = usage.full_in_s.filter(|seconds| *seconds < FULL_SOON_S) {
            let left = time(Duration::from_secs(seconds));
            return warn(format!("Running, but cdc_raw will be full in {left} at this rate"));
        }
    }
    let lag = state.lag_us(now).map(Duration::from_micros);
    match lag {
        Some(Duration::ZERO) if state.parked_mutations > 0 => warn(format!(
            "Running; {} wait for a schema that describes them",
            count(state.parked_mutations, "parked mutation")
        )),
        Some(Duration::ZERO) => {
            Headline { level: Level::Ok, text: "Running: everything is read and committed".to_owned() }
        }
        Some(lag) if lag < Duration::from_secs(1) => {
            Headline { level: Level::Ok, text: "Running, less than a second behind".to_owned() }
        }
        Some(lag) => {
            let level = if lag > LAG_WARNS { Level::Warning } else { Level::Ok };
            let waiting = waiting(state.unread_bytes(), state.reading.uncommitted_records);
            Headline { level, text: format!("Running, {} behind: {waiting}", time(lag)) }
        }
        None => Headline { level: Level::Ok, text: "Running; how far behind is not known yet".to_owned() },
    }
}

fn waiting(unread_bytes: u64, uncommitted_records: u64) -> String {
    match (unread_bytes, uncommitted_records) {
        (bytes, 0) => format!("{} unread", size(bytes)),
        (0, records) => count(records, "uncommitted record"),
        (bytes, records) => format!("{} unread and {}", size(bytes), count(records, "uncommitted record")),
    }
}

fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// Bytes for people, in units of 1024.
#[must_use]
pub(crate) fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut scaled = super::rates::to_float(bytes);
    let mut unit = "bytes";
    for larger in units {
        if scaled < 1024.0 {
            break;
        }
        scaled /= 1024.0;
        unit = larger;
    }
    if unit == "bytes" || scaled >= 100.0 {
        format!("{scaled:.0} {unit}")
    } else {
        format!("{scaled:.1} {unit}")
    }
}

/// A time for people, in its two greatest units.
#[must_use]
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds) {
        (0, 0, 0, 0..10) => format!("{:.1} s", time.as_secs_f64()),
        (0, 0, 0, _) => format!("{seconds} s"),
        (0, 0, _, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}
