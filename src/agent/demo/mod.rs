//! `demo`: a segment that a real node wrote, through the whole way to a file log, statement beside record.

mod bundle;
mod print;
mod record;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use anstream::AutoStream;

use super::exit::{Exit, Failure};
use super::replay::replay;
use crate::cli::{Cli, Command, DemoArgs};
use crate::sink::FileLogReader;
use bundle::Place;
use record::Shown;

/// Number of the statement whose record is shown in full: the one with a TTL.
const IN_FULL: usize = 4;

/// `cdc-agent demo`.
///
/// # Errors
/// The directory or standard output cannot be written.
pub fn demo(args: &DemoArgs) -> Result<Exit, Failure> {
    let place = Place::unpack(args.out.as_deref())?;
    let exit = run_replay(&place)?;
    let log = FileLogReader::open(&place.log).map_err(|error| {
        Failure::new(Exit::Destination, "the demo's file log cannot be read").because(error)
    })?;
    let records = record::read(&log)?;
    // Colours only on a terminal, and not with NO_COLOR.
    let mut out = AutoStream::auto(io::stdout()).lock();
    show(&mut out, &place, &records).and_then(|()| out.flush()).map_err(Failure::stdout)?;
    Ok(exit)
}

/// The command that a user would give.
fn run_replay(place: &Place) -> Result<Exit, Failure> {
    let mut words: Vec<OsString> = ["cdc-agent", "replay", "--quiet"].map(OsString::from).into();
    words.push(place.segment.clone().into());
    for (option, value) in [("--schema", &place.schema), ("--out", &place.log)] {
        words.push(option.into());
        words.push(value.clone().into());
    }
    // Without the environment: the demo looks the same everywhere.
    match Cli::read(words, []).map(|cli| cli.command) {
        Ok(Command::Replay(args)) => replay(&args),
        Ok(_) => Err(Failure::new(Exit::Bug, "the demo's command line is not that of replay")),
        Err(error) => Err(Failure::new(Exit::Bug, "the demo's command line was refused").because(error)),
    }
}

fn show(out: &mut impl Write, place: &Place, records: &[Shown]) -> io::Result<()> {
    let segment = place.segment.file_name().unwrap_or_default().to_string_lossy();
    writeln!(out, "{segment}: written by a Cassandra 4.1 node, carried in this program.")?;
    writeln!(out, "Each statement that was executed there, and the records that come of it:\n")?;
    let mut statements = 0;
    let mut in_full = None;
    for (number, (statement, records)) in (1..).zip(bundle::statements().zip(record::by_mutation(records))) {
        print::statement(out, number, statement, records)?;
        if number == IN_FULL {
            in_full = records.first();
        }
        statements = number;
    }
    if let Some(record) = in_full {
        print::whole_record(out, IN_FULL, record)?;
    }
    print::summary(out, statements, records)?;
    let program = std::env::args_os().next().unwrap_or_else(|| "cdc-agent".into());
    print::next_steps(out, &Path::new(&program).display().to_string(), place, records)
}
