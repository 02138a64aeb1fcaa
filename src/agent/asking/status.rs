//! `status`: how a running agent is, asked over its socket, or over HTTP.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::super::exit::{Exit, Failure};
use super::super::output;
use super::asked;
use crate::agent::socket::Request;
use crate::cli::StatusArgs;
use crate::http;
use crate::telemetry::Status;

/// For an answer over HTTP.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Moves the cursor up left and clears the terminal.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Runs `status`.
///
/// # Errors
/// No agent answers, or standard output cannot be written.
pub fn status(args: &StatusArgs) -> Result<Exit, Failure> {
    let mut out = output::stdout()?;
    let clears = args.watch && !args.json && out.is_terminal();
    loop {
        let text = match fetch(args) {
            Ok((json, status)) => {
                let text = if args.json { format!("{json}\n") } else { http::terminal(&status) };
                if !args.watch {
                    out.write_all(text.as_bytes()).map_err(Failure::stdout)?;
                    // It runs, and cannot do its work, or hangs.
                    let is_well = if args.live { status.is_live } else { status.is_ready };
                    return Ok(if is_well { Exit::Ok } else { Exit::Unreadable });
                }
                text
            }
            // It may come back.
            Err(failure) if args.watch && !args.json => format!("{failure}\n"),
            Err(failure) => return Err(failure),
        };
        let before = if clears { CLEAR } else { "" };
        out.write_all(format!("{before}{text}").as_bytes()).map_err(Failure::stdout)?;
        thread::sleep(LOOK_AGAIN);
    }
}

fn fetch(args: &StatusArgs) -> Result<(String, Status), Failure> {
    let address = args.place.http_address;
    // Without a socket, or when it is another user's, HTTP may answer.
    if let Ok(Some((items, _))) = asked(&args.place.state.state_dir, &Request::Status) {
        let json = items.first().map_or_else(String::new, Value::to_string);
        return parse(address, json);
    }
    let unreachable = |error: http::ClientError| {
        let next = format!(
            "is it running? Its socket {} does not answer either; name its state directory with --state-dir or --config",
            args.place.state.state_dir.join("agent.sock").display()
        );
        Failure::new(Exit::Destination, error.to_string()).next(next)
    };
    parse(address, http::fetch(address, ANSWER_TIME).map_err(unreachable)?)
}

fn parse(address: SocketAddr, json: String) -> Result<(String, Status), Failure> {
    let status = http::parse(address, &json).map_err(|error| {
        Failure::new(Exit::Destination, error.to_string())
            .next("use the program that the running agent was started from")
    })?;
    Ok((json, status))
}
