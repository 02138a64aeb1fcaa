//! The parts of `make bench-live` for which Python is too slow to be fair: who writes over CQL, who looks at the log, who consumes,
//! and the bare producer. `run.py` starts them; each prints what it measured, or writes it to a file, one line a write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement that cannot go on stops"
)]

mod bare;
mod common;
mod consume;
mod copies;
mod probe;
mod write;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
    /// What `cargo bench` adds.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Writes rows over CQL: as fast as they are acknowledged, or so many a second.
    Write(write::Options),
    /// Notes when each write can be seen in the log: its entry, the marker behind it, the index.
    Probe(probe::Options),
    /// Notes when each write reaches a consumer of committed records.
    Consume(consume::Options),
    /// Sends the records of a topic to another one with librdkafka alone.
    Bare(bare::Options),
    /// Copies segments under new ids until there are so many bytes.
    Copies(copies::Options),
}

fn main() {
    match Options::parse().command {
        Command::Write(options) => write::run(&options),
        Command::Probe(options) => probe::run(&options),
        Command::Consume(options) => consume::run(&options),
        Command::Bare(options) => bare::run(&options),
        Command::Copies(options) => copies::run(&options),
    }
}
