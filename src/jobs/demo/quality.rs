//! Second part: the records judged by rules.

use std::io;

use serde_json::Value;

use super::bundle::Place;
use super::page::{Page, count};
use super::program::{Names, Words};
use super::record::{self, Shown};
use crate::agent::exit::Failure;
use crate::jobs::engine::dq::{INVALID_TOPIC, VALID_TOPIC};

const LETTERS: &str = "onprem.dlq.shop.orders";

/// What the job found.
pub(super) struct Quality {
    words: Words,
    counts: Value,
    letters: Vec<Shown>,
}

/// Runs the job over the records of the first side.
pub(super) fn run(place: &Place) -> Result<Quality, Failure> {
    let out = place.dir.join("dq");
    let words = Words::new("run dq --env onprem --table shop.orders --jobs").path(&place.jobs);
    let words = words.and("--from").path(&place.onprem.log).and("--out").path(&out).and("--until-end");
    let counts = words.job()?.ended.report.summary;
    Ok(Quality { counts, letters: record::read(&out, LETTERS)?, words })
}

impl Quality {
    pub(super) fn show(&self, page: &mut Page<'_>, names: &Names) -> io::Result<()> {
        let of = |name: &str| count(&self.counts, name);
        page.heading("Data quality: the same records, judged by the rules of the table")?;
        page.line(&format!(
            "    {} valid, {} invalid; {} deletions are not judged",
            of("valid"),
            of("invalid"),
            of("not_judged")
        ))?;
        for letter in &self.letters {
            let rules = letter.field("failed").and_then(Value::as_array).into_iter().flatten();
            let rules: Vec<&str> = rules.filter_map(Value::as_str).collect();
            let offset = letter.field("offset").unwrap_or(&Value::Null);
            page.told("invalid", &format!("{} breaks {}", letter.key(), rules.join(", ")))?;
            page.field("", &format!("record {offset} of {}, now in {LETTERS}", letter.text("topic")))?;
        }
        let by_rule = self.counts.get("by_rule").and_then(Value::as_object).into_iter().flatten();
        let broken = by_rule.filter(|(_, count)| count.as_u64() != Some(0));
        let broken: Vec<String> = broken.map(|(rule, count)| format!("{rule} {count}")).collect();
        page.told("counted", &format!("by rule: {}", broken.join(", ")))?;
        page.field("", &format!("in {VALID_TOPIC} and {INVALID_TOPIC}, a row a minute"))?;
        page.command("with your records and rules", &self.words.shown(&names.jobs))?;
        page.end()
    }
}
