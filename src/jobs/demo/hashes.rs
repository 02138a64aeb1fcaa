//! Third part: what Cassandra holds, by hashes of rows.

use std::io;

use serde_json::Value;

use super::bundle::Place;
use super::page::{Page, count};
use super::program::{Names, Words};
use super::record::{self, Shown};
use crate::agent::exit::Failure;

const EVENTS: &str = "onprem_hash_events";

/// The hash events.
pub(super) struct Hashes {
    words: Words,
    counts: Value,
    events: Vec<Shown>,
}

/// Runs the job over the records of the first side.
pub(super) fn run(place: &Place) -> Result<Hashes, Failure> {
    let out = place.dir.join("hashes");
    let words = Words::new("run hash --env onprem --table shop.orders --jobs").path(&place.jobs);
    let words = words.and("--from").path(&place.onprem.log).and("--out").path(&out).and("--until-end");
    let counts = words.job()?.ended.report.summary;
    Ok(Hashes { counts, events: record::read(&out, EVENTS)?, words })
}

impl Hashes {
    pub(super) fn show(&self, page: &mut Page<'_>, names: &Names) -> io::Result<()> {
        let events = self.counts.get("events").unwrap_or(&Value::Null);
        let of = |name: &str| count(events, name);
        page.heading("Row hashes: one event a change, for whoever compares rows")?;
        page.line(&format!(
            "    {} of whole rows, {} of rows in part (no hash), {} of deletions",
            of("full"),
            of("partial"),
            of("tombstone")
        ))?;
        if let Some(event) = self.events.iter().find(|event| event.text("hash_kind") == "full") {
            page.told(event.op(), &event.field("key").unwrap_or(&Value::Null).to_string())?;
            page.field("row_hash", event.text("row_hash"))?;
            page.value("version", event.field("version_us"))?;
        }
        page.command("with your records", &self.words.shown(&names.jobs))?;
        page.end()
    }
}
