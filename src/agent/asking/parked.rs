//! `parked`: lists, tries again, gives up.

use std::io::Write;

use serde_json::Value;

use super::{asked, must_answer, stored};
use crate::agent::exit::{Exit, Failure};
use crate::agent::output;
use crate::agent::run::parked::place_item;
use crate::agent::socket::Request;
use crate::cli::{ParkedArgs, ParkedCommand, ParkedRetryArgs, ParkedSkipArgs, StoredArgs};

/// Runs `parked`.
///
/// # Errors
/// No agent answers, what is committed cannot be read, nothing such is parked.
pub fn parked(args: &ParkedArgs) -> Result<Exit, Failure> {
    match &args.command {
        ParkedCommand::List(args) => list(args),
        ParkedCommand::Retry(args) => retry(args),
        ParkedCommand::Skip(args) => skip(args),
    }
}

fn list(args: &StoredArgs) -> Result<Exit, Failure> {
    let state = &args.options.live.log.state_dir;
    let (items, count) = match asked(state, &Request::ParkedList)? {
        Some((items, what)) => (items, what.get("count").and_then(Value::as_u64)),
        None => {
            let stored = stored::of_destination(args)?;
            let checkpoint = &stored.checkpoint;
            let items: Vec<Value> = checkpoint.parked().map(|place| place_item(checkpoint, place)).collect();
            (items, None)
        }
    };
    let mut out = output::stdout()?;
    print(&items, args.json, &mut out).map_err(Failure::stdout)?;
    let listed = u64::try_from(items.len()).unwrap_or(u64::MAX);
    let unlisted = count.unwrap_or(listed).saturating_sub(listed);
    if unlisted > 0 {
        crate::agent::warn(&format!("and {unlisted} more, which are not listed"));
    }
    Ok(Exit::Ok)
}

/// One line each.
fn print(items: &[Value], json: bool, out: &mut impl Write) -> std::io::Result<()> {
    let mut text = String::new();
    for item in items {
        let field = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or("-");
        match json {
            true => text.push_str(&format!("{item}\n")),
            false => {
                let tags = item.get("partitions").and_then(Value::as_array).into_iter().flatten();
                let tags: Vec<&str> = tags.filter_map(Value::as_str).collect();
                // Of a table that no schema has, the id is all that is known.
                let table = item.get("table").and_then(Value::as_str).unwrap_or(field("table_id"));
                let (place, since) = (field("place"), field("since"));
                let (tags, reason) = (tags.join(","), field("reason"));
                text.push_str(&format!("{place:32} {table:40} {since:20} {tags:16} {reason}\n"));
            }
        }
    }
    if items.is_empty() && !json {
        text.push_str("nothing is parked\n");
    }
    out.write_all(text.as_bytes())
}

fn retry(args: &ParkedRetryArgs) -> Result<Exit, Failure> {
    let (_, what) = must_answer(&args.place.state_dir, &Request::ParkedRetry)?;
    let number = |key: &str| what.get(key).and_then(Value::as_u64).unwrap_or_default();
    let (before, now) = (number("before"), number("parked"));
    say(&format!("{before} were parked, {now} still are\n"))?;
    Ok(if now == 0 { Exit::Ok } else { Exit::UnknownSchema })
}

fn skip(args: &ParkedSkipArgs) -> Result<Exit, Failure> {
    let state = &args.place.state_dir;
    let (request, named) = match (&args.at, &args.table) {
        (_, Some(table)) => (Request::ParkedSkipTable { table: table.clone() }, table.clone()),
        (Some(place), None) => (Request::ParkedSkip { place: place.to_string() }, place.to_string()),
        (None, None) => return Err(Failure::new(Exit::Usage, "neither a place nor a table is given")),
    };
    if args.yes {
        let (_, what) = must_answer(state, &request)?;
        let count = what.get("given_up").and_then(Value::as_u64).unwrap_or_default();
        say(&format!("{count} given up; the control topic names each\n"))?;
        return Ok(Exit::Ok);
    }
    let (items, _) = must_answer(state, &Request::ParkedList)?;
    let is_it = |item: &&Value| {
        let is = |key: &str| item.get(key).and_then(Value::as_str) == Some(named.as_str());
        if args.table.is_some() { is("table") || is("table_id") } else { is("place") }
    };
    let found: Vec<Value> = items.iter().filter(is_it).cloned().collect();
    if found.is_empty() {
        return Err(Failure::new(Exit::Usage, format!("nothing is parked as {named}"))
            .next("cdc-agent parked list prints what is"));
    }
    print(&found, false, &mut output::stdout()?).map_err(Failure::stdout)?;
    say("nothing was changed: with --yes these are given up, and what waits behind them is published\n")?;
    Ok(Exit::Ok)
}

fn say(text: &str) -> Result<(), Failure> {
    output::stdout()?.write_all(text.as_bytes()).map_err(Failure::stdout)
}
