//! How many repairs are written in which time.

use super::settings::RemediateRules;

/// A minute in milliseconds.
const MINUTE_MS: i64 = 60_000;

/// Whether another repair may be written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// It may.
    Open,
    /// As many as a minute takes are written; there is room at this time, milliseconds.
    Minute(i64),
    /// As many as an incident takes are written: so much drift needs a person, not a repair. Room at this time.
    Incident(i64),
}

/// Whether there is room, after repairs at these times (milliseconds, the oldest first).
#[must_use]
pub fn room(applied_ms: &[i64], now_ms: i64, rules: &RemediateRules) -> Room {
    let incident_ms = i64::try_from(rules.incident_s).unwrap_or(i64::MAX).saturating_mul(1000);
    if let Some(at_ms) = full_until(applied_ms, now_ms, rules.per_incident, incident_ms) {
        return Room::Incident(at_ms);
    }
    match full_until(applied_ms, now_ms, rules.per_minute, MINUTE_MS) {
        Some(at_ms) => Room::Minute(at_ms),
        None => Room::Open,
    }
}

/// When the window has room again; None when it has now.
fn full_until(applied_ms: &[i64], now_ms: i64, most: u64, window_ms: i64) -> Option<i64> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let since_ms = now_ms.saturating_sub(window_ms);
    let within: Vec<i64> = applied_ms.iter().copied().filter(|at_ms| *at_ms > since_ms).collect();
    // There is room once all but `most - 1` of them are outside.
    let leaving = within.len().checked_sub(most)?;
    within.get(leaving).map(|at_ms| at_ms.saturating_add(window_ms))
}
