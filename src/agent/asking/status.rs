//! `status`: how a running agent is, asked over its socket, or over HTTP.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::super::exit::{Exit, Failure};
use super::super::output;
use super::asked;
use crate::agent::socket::Request;
use crate::cli::{DEFAULT_STATE_DIRECTORY, StatusArgs, resolved};
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
    let (json, status) = parse(address, http::fetch(address, ANSWER_TIME).map_err(unreachable)?)?;
    check_is_meant(&args.place.state.state_dir, address, &status.identity.state_directory)?;
    Ok((json, status))
}

/// Refuses the answer of another agent than the one whose state directory was given: the default address is everybody's,
/// and a health check must not take one agent's word for another one.
fn check_is_meant(given: &Path, address: SocketAddr, theirs: &str) -> Result<(), Failure> {
    if given == Path::new(DEFAULT_STATE_DIRECTORY)
        || theirs.is_empty()
        || resolved(given) == Path::new(theirs)
    {
        return Ok(());
    }
    let what = format!("no agent of {} answers; on {address} there is the one of {theirs}", given.display());
    Err(Failure::new(Exit::Destination, what)
        .next("is it running? If it serves HTTP elsewhere: --http-address"))
}

fn parse(address: SocketAddr, json: String) -> Result<(String, Status), Failure> {
    let status = http::parse(address, &json).map_err(|error| {
        Failure::new(Exit::Destination, error.to_string())
            .next("use the program that the running agent was started from")
    })?;
    Ok((json, status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_agent_does_not_answer_for_another_one() {
        let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let address = "127.0.0.1:8083".parse().unwrap();
        let theirs = resolved(own.path()).display().to_string();
        assert!(check_is_meant(own.path(), address, &theirs).is_ok());
        assert!(
            check_is_meant(&own.path().join("../").join(own.path().file_name().unwrap()), address, &theirs)
                .is_ok()
        );
        let failure = check_is_meant(other.path(), address, &theirs).unwrap_err();
        assert_eq!(failure.exit(), Exit::Destination);
        assert!(failure.to_string().contains(&theirs), "{failure}");
        // Nobody said which one is meant, or it does not say who it is.
        assert!(check_is_meant(Path::new(DEFAULT_STATE_DIRECTORY), address, &theirs).is_ok());
        assert!(check_is_meant(other.path(), address, "").is_ok());
    }
}
