//! `cdc-agent demo`: the way of changes that real nodes logged, without any service. Segments become records in file
//! logs, and the embedded engine judges, hashes and compares them, and proposes repairs. What runs are the commands that are shown.

mod bundle;
mod capture;
mod drift;
mod hashes;
mod page;
mod program;
mod quality;
mod record;
mod remediation;

use std::io::{self, Write};

use anstream::AutoStream;

use crate::agent::exit::{Exit, Failure};
use crate::cli::DemoArgs;
use bundle::Place;
use page::Page;
use program::{Names, Words};

/// Runs the demo.
///
/// # Errors
/// The directory or standard output cannot be written.
pub fn demo(args: &DemoArgs) -> Result<Exit, Failure> {
    let place = Place::unpack(args.out.as_deref())?;
    let names = Names::of_this();
    let captured = capture::run(&place)?;
    let quality = quality::run(&place)?;
    let hashes = hashes::run(&place)?;
    let drift = drift::run(&place)?;
    let remediation = remediation::run(&place, &drift)?;
    // Colours only on a terminal, and not with NO_COLOR.
    let mut out = AutoStream::auto(io::stdout()).lock();
    let mut page = Page::new(&mut out);
    captured
        .show(&mut page, &names, &place)
        .and_then(|()| quality.show(&mut page, &names))
        .and_then(|()| hashes.show(&mut page, &names))
        .and_then(|()| drift.show(&mut page, &names))
        .and_then(|()| remediation.show(&mut page, &names))
        .and_then(|()| next_steps(&mut page, &names, &place, &captured))
        .and_then(|()| out.flush())
        .map_err(Failure::stdout)?;
    Ok(Exit::Ok)
}

/// Commands to try on what the demo leaves behind, and on one's own data.
fn next_steps(
    page: &mut Page<'_>,
    names: &Names,
    place: &Place,
    captured: &capture::Captured,
) -> io::Result<()> {
    let (segment, schema) = (&place.onprem.segment, &place.schema);
    let agent = |words: Words| words.shown(&names.agent);
    let inspect = || Words::new("inspect").path(segment).and("--schema").path(schema).and("--values");
    page.heading("Where to look next")?;
    let records = program::quoted(&place.onprem.log);
    page.command(
        "the records, one JSON object a line",
        &format!("cat {records}/{}/0/*.jsonl", record::TOPIC),
    )?;
    page.command("the segment they came from", &agent(inspect()))?;
    if let Some(position) = captured.first_position() {
        page.command("the first statement, byte by byte", &agent(inspect().and("--at").and(&position)))?;
    }
    let verify = Words::new("verify").path(segment).and("--schema").path(schema);
    page.command("is it whole?", &agent(verify))?;
    let debezium = Words::new("replay").path(segment).and("--schema").path(schema);
    page.command(
        "the same segment in the shape of Debezium's connector",
        &agent(debezium.and("--profile debezium-cassandra")),
    )?;
    let jobs = program::quoted(&place.jobs);
    page.command(
        &format!("your own data: replay your segments, write rules as in {jobs}, and"),
        &Words::new("check --jobs").path(&place.jobs).shown(&names.jobs),
    )
}
