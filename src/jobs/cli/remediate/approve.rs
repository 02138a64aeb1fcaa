//! `remediate approve` and `reject`.

use std::collections::BTreeSet;

use serde_json::json;

use super::open::{Opened, now_ms, open};
use super::{ApproveArgs, RejectArgs, TableArgs};
use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::jobs::cli::{Format, print, print_json};
use crate::jobs::remediate::book::{Book, Entry};
use crate::jobs::remediate::policy::Policy;
use crate::jobs::remediate::propose::{ITSELF, step_of};
use crate::jobs::remediate::step::{Step, StepKind};
use crate::jobs::small_file;

/// Bytes that a policy may have.
const LONGEST_POLICY: u64 = 1 << 20;

pub(super) fn approve(args: &ApproveArgs) -> Result<Exit, Failure> {
    let policy = args.policy.as_deref().map(read_policy).transpose()?;
    args.reason.as_deref().map_or(Ok(""), |reason| plain("--reason", reason))?;
    let by = match (&policy, &args.by) {
        (Some(policy), _) => policy.by(),
        (None, by) => name(by.as_deref().unwrap_or_default())?,
    };
    take(&args.table, (StepKind::Approved, &by, args.reason.as_deref()), |book, now_ms| match &policy {
        Some(policy) => Ok(policy.choose(&book.entries(), now_ms).into_iter().cloned().collect()),
        None => chosen(book, &args.ids, |entry| entry.state() == StepKind::Proposed),
    })
}

pub(super) fn reject(args: &RejectArgs) -> Result<Exit, Failure> {
    let by = name(&args.by)?;
    args.reason.as_deref().map_or(Ok(""), |reason| plain("--reason", reason))?;
    take(&args.table, (StepKind::Rejected, &by, args.reason.as_deref()), |book, _| {
        chosen(book, &args.ids, Entry::is_open)
    })
}

/// A name of a person: neither a policy's, which begins with its own word, nor the program's own.
pub(super) fn name(by: &str) -> Result<String, Failure> {
    let by = plain("--by", by.trim())?;
    let word = by.split_whitespace().next().unwrap_or_default();
    if ["", "policy", ITSELF].iter().any(|taken| word.eq_ignore_ascii_case(taken)) {
        return Err(Failure::new(Exit::Usage, "--by is the name of who answers for it"));
    }
    Ok(by.to_owned())
}

/// A text that stands in a record and on terminals of others: one line, without control characters.
fn plain<'t>(option: &str, text: &'t str) -> Result<&'t str, Failure> {
    if text.chars().any(|character| character.is_control() || "\u{2028}\u{2029}".contains(character)) {
        return Err(Failure::new(Exit::Usage, format!("{option}: one line, without control characters")));
    }
    Ok(text)
}

fn read_policy(path: &std::path::Path) -> Result<Policy, Failure> {
    let unread = |error: std::io::Error| {
        Failure::new(Exit::Usage, format!("cannot read {}", path.display())).because(error)
    };
    let bytes = small_file::read(path, LONGEST_POLICY).map_err(unread)?;
    let text = String::from_utf8(bytes).map_err(|_| unread(std::io::Error::other("it is no UTF-8")))?;
    Policy::read(&path.display().to_string(), &text).map_err(|findings| {
        findings.iter().for_each(|finding| log::error(&finding.to_string()));
        Failure::new(Exit::Usage, format!("{} is no policy; nothing was approved", path.display()))
            .next("docs/remediation.md, section 4, describes it")
    })
}

/// The proposals of these ids, each once; all of them must fit.
fn chosen(book: &Book, ids: &[String], fits: impl Fn(&Entry) -> bool) -> Result<Vec<Entry>, Failure> {
    let one = |id: &String| match book.get(id) {
        Some(entry) if fits(entry) => Ok(entry.clone()),
        Some(entry) => {
            let what = format!("{id} is {}: nothing was done", entry.state().name());
            Err(Failure::new(Exit::Usage, what).next("cdc-jobs remediate show tells its steps"))
        }
        None => Err(Failure::new(Exit::Usage, format!("there is no proposal {id}: nothing was done"))
            .next("cdc-jobs remediate list shows them")),
    };
    let mut known = BTreeSet::new();
    ids.iter().filter(|id| known.insert(*id)).map(one).collect()
}

fn take(
    args: &TableArgs,
    (step, by, reason): (StepKind, &str, Option<&str>),
    choose: impl Fn(&Book, i64) -> Result<Vec<Entry>, Failure>,
) -> Result<Exit, Failure> {
    let opened: Opened = open(args, None)?;
    let mut writer = opened.store.writer(&opened.job("remediate"))?;
    let (book, now_ms) = (opened.store.book(opened.name())?, now_ms());
    let chosen = choose(&book, now_ms)?;
    let of = |entry: &Entry| step_of(entry, step, now_ms, (by, reason.map(str::to_owned)));
    let steps: Vec<Step> = chosen.iter().map(of).collect();
    writer.record(&steps)?;
    let ids: Vec<&str> = chosen.iter().map(|entry| entry.id.as_str()).collect();
    match args.format {
        Format::Json => print_json(&json!({ "step": step.name(), "by": by, "ids": ids }))?,
        Format::Text if ids.is_empty() => print("nothing fits\n")?,
        Format::Text => {
            let word = step.name().to_lowercase();
            print(&ids.iter().map(|id| format!("{word}  {id}\n")).collect::<String>())?;
        }
    }
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_a_regular_file() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("policy.yaml");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        for path in [fifo.as_path(), std::path::Path::new("/dev/zero")] {
            let error = read_policy(path).unwrap_err().to_string();
            assert!(error.contains("no regular file"), "{error}");
        }
    }
}
