//! `snapshot`: asks the running agent to publish the rows that tables have.

use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::must_answer;
use crate::agent::exit::{Exit, Failure};
use crate::agent::output::stdout;
use crate::agent::socket::Request;
use crate::cli::{AskedArgs, ConsistencyWord, SnapshotArgs, SnapshotCommand, SnapshotStartArgs};
use crate::schema::source::ReadConsistency;

/// Between two questions while the end is waited for.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs `snapshot`.
///
/// # Errors
/// No agent runs, or it refuses.
pub fn snapshot(args: &SnapshotArgs) -> Result<Exit, Failure> {
    match &args.command {
        SnapshotCommand::Start(args) => start(args),
        SnapshotCommand::Stop(args) => {
            let stop = Request::SnapshotStop { tables: args.tables.clone() };
            print(&asked(&args.asked.place.state_dir, &stop)?, &args.asked)?;
            Ok(Exit::Ok)
        }
        SnapshotCommand::Status(args) => {
            print(&asked(&args.asked.place.state_dir, &Request::SnapshotStatus)?, &args.asked)?;
            Ok(Exit::Ok)
        }
    }
}

fn start(args: &SnapshotStartArgs) -> Result<Exit, Failure> {
    let state = &args.asked.place.state_dir;
    let consistency = match args.consistency {
        ConsistencyWord::LocalOne => ReadConsistency::LocalOne,
        ConsistencyWord::LocalQuorum => ReadConsistency::LocalQuorum,
    };
    let begin = Request::SnapshotStart { tables: args.tables.clone(), rate: args.rate, consistency };
    let mut items = asked(state, &begin)?;
    if args.wait {
        let begun: Vec<Value> = items.iter().map(name_and_begin).collect();
        items = wait(state, &begun)?;
    }
    print(&items, &args.asked)?;
    let has_failed = items.iter().any(|item| matches!(item["state"].as_str(), Some("failed" | "stopped")));
    Ok(if has_failed { Exit::Destination } else { Exit::Ok })
}

/// Until all of them have ended. An agent that restarts meanwhile remembers those that go on, and no others.
fn wait(state: &Path, begun: &[Value]) -> Result<Vec<Value>, Failure> {
    loop {
        let all = asked(state, &Request::SnapshotStatus)?;
        let mine: Vec<Value> = all.into_iter().filter(|item| begun.contains(&name_and_begin(item))).collect();
        if mine.len() < begun.len() {
            return Err(Failure::new(
                Exit::Destination,
                "the agent was restarted after a snapshot had ended",
            )
            .next("see the records snapshot_end of the control topic for how it ended"));
        }
        if mine.iter().all(|item| !item["ended_ms"].is_null()) {
            return Ok(mine);
        }
        thread::sleep(PAUSE);
    }
}

fn name_and_begin(item: &Value) -> Value {
    Value::Array(vec![item["table"].clone(), item["begun_ms"].clone()])
}

fn asked(state: &Path, request: &Request) -> Result<Vec<Value>, Failure> {
    must_answer(state, request).map(|(items, _)| items)
}

fn print(items: &[Value], asked: &AskedArgs) -> Result<(), Failure> {
    let mut out = stdout()?;
    for item in items {
        let line = if asked.json { item.to_string() } else { text(item) };
        writeln!(out, "{line}").map_err(Failure::stdout)?;
    }
    if items.is_empty() && !asked.json {
        writeln!(out, "no snapshots").map_err(Failure::stdout)?;
    }
    out.flush().map_err(Failure::stdout)
}

/// A line for people.
fn text(item: &Value) -> String {
    let word = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let mut line = format!("{}: {}, {} rows", word("table"), word("state").replace('_', " "), item["rows"]);
    if let Some(percent) = item["percent"].as_f64() {
        line.push_str(&format!(", {percent:.2} % of this node's ranges"));
    }
    if !item["reason"].is_null() {
        line.push_str(&format!("; {}", word("reason")));
    }
    line
}
