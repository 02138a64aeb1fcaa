//! Fifth part: what would repair the differences.

use std::io;

use super::bundle::Place;
use super::drift::Drift;
use super::page::Page;
use super::program::{Names, Words};
use crate::agent::exit::Failure;
use crate::jobs::cli::remediate::Known;
use crate::jobs::remediate::step::StepKind;

/// Least age of a verdict in the demo's rules, `older_than`, in milliseconds.
const OLDER_THAN_MS: i64 = 1000;

/// The proposals.
pub(super) struct Remediation {
    proposed: Words,
    /// Which table, and where its verdicts are.
    table: Words,
    /// Where the changes of both sides are.
    from: Words,
    known: Vec<Known>,
}

/// Proposes repairs of the verdicts.
pub(super) fn run(place: &Place, drift: &Drift) -> Result<Remediation, Failure> {
    let table = Words::new("--env onprem --table shop.orders --jobs").path(&place.jobs);
    let table = table.and("--verdicts").path(&drift.out);
    let from = Words::new("--from").path(&place.onprem.log).and("--other-from").path(&place.cloud.log);
    let proposed = Words::new("remediate propose").joined(&table).joined(&from);
    // Finished logs are decided as if tolerance and grace were over, and nobody waits here until they are.
    let now_ms = drift.decided_ms().saturating_add(OLDER_THAN_MS);
    let known = proposed.proposals(now_ms)?;
    Ok(Remediation { proposed, table, from, known })
}

impl Remediation {
    pub(super) fn show(&self, page: &mut Page<'_>, names: &Names) -> io::Result<()> {
        page.heading("Remediation: repairs are proposed; nothing is written before somebody approves it")?;
        for Known { entry, shown } in &self.known {
            if entry.state() == StepKind::Escalated {
                let reason = entry.steps.last().and_then(|step| step.reason.as_deref()).unwrap_or_default();
                page.told(entry.state().name(), &format!("{}, a person must look: {reason}", entry.key))?;
                continue;
            }
            shown.lines().try_for_each(|line| page.line(&format!("    {line}")))?;
        }
        self.commands(page, names)?;
        page.end()
    }

    fn commands(&self, page: &mut Page<'_>, names: &Names) -> io::Result<()> {
        let shown = |words: Words| words.shown(&names.jobs);
        page.command("with your verdicts and records", &self.proposed.shown(&names.jobs))?;
        let Some(entry) =
            self.known.iter().map(|known| &known.entry).find(|entry| entry.state() != StepKind::Escalated)
        else {
            return Ok(());
        };
        let of = |command: &str| Words::new(command).and(&entry.id);
        page.command("one proposal, with its evidence", &shown(of("remediate show").joined(&self.table)))?;
        let approve = of("remediate approve").and("--by you").joined(&self.table);
        page.command("a person approves it", &shown(approve))?;
        let apply = Words::new("remediate apply --target").and(entry.target.name());
        let apply = apply.joined(&self.table).joined(&self.from);
        page.command("what would then be written; --execute writes it, into one data centre", &shown(apply))
    }
}
