//! Fourth part: the same table on two clusters, compared.

use std::io;
use std::path::PathBuf;

use serde_json::Value;

use super::bundle::{Place, Side};
use super::capture;
use super::page::{Page, count};
use super::program::{Names, Words};
use super::record::{self, Shown};
use crate::agent::exit::Failure;
use crate::jobs::drift::{AUDIT_TOPIC, Side as Of, Status};

/// The verdicts, and what was compared.
pub(super) struct Drift {
    /// By which the second side came, and by which both were compared.
    replayed: Words,
    words: Words,
    /// Where the verdicts are.
    pub(super) out: PathBuf,
    counts: Value,
    verdicts: Vec<Shown>,
    /// The records of the table, by side.
    sides: [(&'static str, Vec<Shown>); 2],
}

/// Replays the second segment, and compares both sides.
pub(super) fn run(place: &Place) -> Result<Drift, Failure> {
    let replayed = capture::replay(place, &place.cloud)?;
    let out = place.dir.join("drift");
    let words = Words::new("run drift --env onprem --table shop.orders --jobs").path(&place.jobs);
    let words = words.and("--from").path(&place.onprem.log).and("--other-from").path(&place.cloud.log);
    let words = words.and("--out").path(&out).and("--finished");
    let counts = words.job()?.ended.report.summary;
    let records = |side: &Side| record::read(&side.log, &format!("{}.cdc.shop.orders", side.name));
    Ok(Drift {
        replayed,
        counts,
        verdicts: record::read(&out, AUDIT_TOPIC)?,
        sides: [(Of::Onprem.name(), records(&place.onprem)?), (Of::Cloud.name(), records(&place.cloud)?)],
        words,
        out,
    })
}

impl Drift {
    /// The time that decided about the last of them, milliseconds.
    pub(super) fn decided_ms(&self) -> i64 {
        let decided_us = |verdict: &Shown| verdict.field("decided_us").and_then(Value::as_i64);
        self.verdicts.iter().filter_map(decided_us).max().unwrap_or_default() / 1000
    }

    pub(super) fn show(&self, page: &mut Page<'_>, names: &Names) -> io::Result<()> {
        page.heading("Drift: the same writes went to another cluster. Does it hold the same rows?")?;
        let counts = self.counts.get("verdicts").unwrap_or(&Value::Null);
        let said = Status::ALL.iter().map(|status| (status.name(), count(counts, status.name())));
        let said: Vec<String> =
            said.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}")).collect();
        page.line(&format!("    versions of rows: {}", said.join(", ")))?;
        for verdict in &self.verdicts {
            self.verdict(page, verdict)?;
        }
        page.command("the other side's records", &self.replayed.shown(&names.agent))?;
        page.command("both sides, with your records and rules", &self.words.shown(&names.jobs))?;
        page.end()
    }

    fn verdict(&self, page: &mut Page<'_>, verdict: &Shown) -> io::Result<()> {
        let of = |name: &str| verdict.field(name).unwrap_or(&Value::Null);
        page.told(verdict.text("status"), &format!("{}, version {}", of("key"), of("version_us")))?;
        let columns = of("evidence").get("columns").and_then(Value::as_array).into_iter().flatten();
        let columns: Vec<&str> = columns.filter_map(Value::as_str).collect();
        page.field("columns", &columns.join(", "))?;
        for (side, records) in &self.sides {
            let Some(told) = of("evidence").get(*side) else {
                page.field(side, "has nothing of it")?;
                continue;
            };
            let at = |name: &str| told.get(name).unwrap_or(&Value::Null);
            let hash = verdict.text(&format!("{side}_hash"));
            let hash = if hash.is_empty() { "a row in part: no hash" } else { hash };
            page.field(side, hash)?;
            page.field(
                "",
                &format!("record {} of {}", at("offset"), at("topic").as_str().unwrap_or_default()),
            )?;
            // The job tells of no value; the demo looks them up.
            let record = records.iter().find(|record| record.0.get("offset") == Some(at("offset")));
            for column in &columns {
                page.value("", record.and_then(|record| written(record, column)).as_ref())?;
            }
        }
        Ok(())
    }
}

/// What a record writes into a column.
fn written(record: &Shown, column: &str) -> Option<Value> {
    let of = |name: &str| record.field(name)?.get(column);
    of("after").or_else(|| of("patch")).map(|value| serde_json::json!({ column: value }))
}
