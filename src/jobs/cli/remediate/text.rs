//! Answers for people. Nothing of a row but its key is in them.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::jobs::cli::columns::{columns, printable};
use crate::jobs::remediate::apply::{Applied, Stopped};
use crate::jobs::remediate::book::Entry;
use crate::jobs::remediate::propose::Found;
use crate::jobs::remediate::step::Step;

fn time_of(ms: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok();
    let time = time.map(|time| time.replace_nanosecond(0).unwrap_or(time));
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| ms.to_string())
}

pub(super) fn found(found: &Found, is_unknown: bool) -> String {
    if is_unknown {
        return "a node is silent: the verdicts may be behind, and nothing is proposed\n".to_owned();
    }
    let mut out = String::new();
    for (word, ids) in
        [("proposed", &found.proposed), ("escalated", &found.escalated), ("expired", &found.expired)]
    {
        ids.iter().for_each(|id| out.push_str(&format!("{word:9}  {id}\n")));
    }
    out.push_str(&format!(
        "{} proposed, {} escalated, {} expired; {} known, {} too young, {} too old, {} not confirmed",
        found.proposed.len(),
        found.escalated.len(),
        found.expired.len(),
        found.known,
        found.young,
        found.old,
        found.unconfirmed
    ));
    match found.left {
        0 => out.push('\n'),
        left => out.push_str(&format!(
            "\n{left} are left: open proposals are as many as per_incident allows. Look what is wrong\n"
        )),
    }
    out
}

pub(super) fn list(entries: &[&Entry]) -> String {
    let head = ["ID", "STATE", "VERDICT", "TARGET", "OP", "VERSION", "SINCE", "KEY"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for entry in entries {
        let since_ms = entry.steps.last().map_or(0, |step| step.at_ms);
        lines.push(vec![
            entry.id.clone(),
            entry.state().name().to_owned(),
            entry.proposal.status.name().to_owned(),
            entry.target.name().to_owned(),
            printable(&entry.proposal.op),
            entry.proposal.version_us.to_string(),
            time_of(since_ms),
            printable(&entry.key.to_string()),
        ]);
    }
    if entries.is_empty() { "no proposals\n".to_owned() } else { columns(&lines) }
}

pub(super) fn show(entry: &Entry, stands: bool) -> String {
    let proposal = &entry.proposal;
    let or_none = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), printable);
    let seen = |us: Option<i64>| us.map_or_else(|| "-".to_owned(), |us| time_of(us / 1000));
    let lines = [
        ("table", entry.table.clone()),
        ("key", printable(&entry.key.to_string())),
        (
            "verdict",
            format!(
                "{}, {}",
                proposal.status.name(),
                if stands { "it stands" } else { "it does not stand any more" }
            ),
        ),
        ("version", format!("{} us", proposal.version_us)),
        ("columns", printable(&proposal.columns.join(", "))),
        (
            "onprem",
            format!("event {}  hash {}", or_none(&proposal.onprem_event_id), or_none(&proposal.onprem_hash)),
        ),
        (
            "cloud",
            format!("event {}  hash {}", or_none(&proposal.cloud_event_id), or_none(&proposal.cloud_hash)),
        ),
        (
            "found",
            format!("{}, first logged {}", seen(Some(proposal.decided_us)), seen(proposal.first_seen_us)),
        ),
        (
            "repair",
            format!(
                "what {} wrote (op {}) into {}: {}[{}]@{}",
                proposal.source.name(),
                printable(&proposal.op),
                entry.target.name(),
                printable(&proposal.topic),
                proposal.partition,
                proposal.offset
            ),
        ),
    ];
    let mut out = format!("{}  {}\n", entry.id, entry.state().name());
    lines.iter().for_each(|(name, text)| out.push_str(&format!("  {name:8}  {text}\n")));
    entry.steps.iter().for_each(|step| out.push_str(&step_line(step)));
    out
}

fn step_line(step: &Step) -> String {
    let reason = step.reason.as_ref().map_or_else(String::new, |reason| format!(": {}", printable(reason)));
    format!("  {}  {:9}  by {}{reason}\n", time_of(step.at_ms), step.step.name(), printable(&step.by))
}

pub(super) fn applied(applied: &Applied, is_executed: bool) -> String {
    let mut out = String::new();
    for outcome in &applied.outcomes {
        let why =
            outcome.reason.as_ref().map_or_else(String::new, |reason| format!(": {}", printable(reason)));
        out.push_str(&format!("{:11}  {}{why}\n", outcome.outcome.replace('_', " "), outcome.id));
        for write in &outcome.writes {
            let columns =
                if write.columns.is_empty() { "the row".to_owned() } else { write.columns.join(", ") };
            let ttl = if write.ttl_s > 0 { format!(", {} s to live", write.ttl_s) } else { String::new() };
            out.push_str(&format!(
                "             {} {} at {} us{ttl}\n",
                write.statement,
                printable(&columns),
                write.timestamp_us
            ));
        }
    }
    if let Some(stopped) = applied.stopped {
        let why = match stopped {
            Stopped::Minute => "as many are written as per_minute allows",
            Stopped::Incident => {
                "as many are written as per_incident allows: look what is wrong before more is"
            }
            Stopped::Unknown => "a node is silent: nobody knows which verdicts stand",
            Stopped::Failed => "a write failed",
            Stopped::Asked => "it was asked to stop",
        };
        out.push_str(&format!("stopped: {why}; {} left\n", applied.left));
    }
    match (applied.outcomes.is_empty(), is_executed) {
        (true, _) if applied.stopped.is_none() => out.push_str("nothing to apply\n"),
        (false, false) => out.push_str("nothing was written: --execute does it\n"),
        _ => {}
    }
    out
}

pub(super) fn status(answer: &Value) -> String {
    let mut out = format!(
        "{}: {} verdicts stand\n",
        answer["table"].as_str().unwrap_or_default(),
        answer["verdicts_standing"]
    );
    if answer["node_is_silent"] == true {
        out.push_str("a node is silent: the verdicts may be behind\n");
    }
    for (name, target) in answer["targets"].as_object().into_iter().flatten() {
        let counts: Vec<String> = target["states"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(state, count)| format!("{count} {}", state.to_lowercase()))
            .collect();
        let counts = if counts.is_empty() { "no proposals".to_owned() } else { counts.join(", ") };
        out.push_str(&format!("into {name}: {counts}"));
        if target["applied_and_standing"] != 0 {
            out.push_str(&format!("; {} applied and not resolved yet", target["applied_and_standing"]));
        }
        if let Some(limit) = target["limit"].as_str() {
            let at = time_of(target["room_at_ms"].as_i64().unwrap_or_default());
            out.push_str(&format!("; per_{limit} is reached, room at {at}"));
        }
        out.push('\n');
    }
    out
}
