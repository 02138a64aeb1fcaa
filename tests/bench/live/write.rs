//! Rows of `bench.events` over CQL.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::Args;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::prepared::PreparedStatement;
use tokio::sync::Semaphore;

use crate::common::{TAG, now_ns, write_lines};

const INSERT: &str = "INSERT INTO bench.events (id, kind, amount, paid, note, tag) VALUES (?, ?, ?, ?, ?, ?)";
const KINDS: [&str; 4] = ["order", "refund", "delivery", "cancellation"];
const WORDS: [&str; 16] = [
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbour", "island", "juniper", "kestrel",
    "lagoon", "meadow", "nectar", "orchard", "prairie",
];

#[derive(Args)]
pub(crate) struct Options {
    /// The node, `host:port`.
    #[arg(long)]
    node: String,
    /// Number of the first row, which is its key.
    #[arg(long)]
    first: u64,
    /// Rows.
    #[arg(long)]
    count: u64,
    /// Rows a second, whether earlier ones are acknowledged or not. Without it: as fast as 256 at once go.
    #[arg(long)]
    rate: Option<u32>,
    /// Gets a line for each row: number, time of sending, time of the acknowledgement.
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(write(options));
}

async fn write(options: &Options) {
    let session = Arc::new(SessionBuilder::new().known_node(&options.node).build().await.unwrap());
    let insert = Arc::new(session.prepare(INSERT).await.unwrap());
    let acks = Arc::new(Mutex::new(Vec::new()));
    let at_once = Arc::new(Semaphore::new(if options.rate.is_some() { 10_000 } else { 256 }));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..options.count {
        if let Some(rate) = options.rate {
            let due = Duration::from_secs_f64(f64::from(u32::try_from(number).unwrap()) / f64::from(rate));
            // The timer's steps are milliseconds; what is due within one goes out together.
            let early = due.saturating_sub(started.elapsed());
            if early > Duration::from_micros(500) {
                tokio::time::sleep(early).await;
            }
        }
        let permit = Arc::clone(&at_once).acquire_owned().await.unwrap();
        let (session, insert, acks) = (Arc::clone(&session), Arc::clone(&insert), Arc::clone(&acks));
        let number = options.first + number;
        tasks.spawn(async move {
            if let Some((sent, acknowledged)) = insert_one(&session, &insert, number).await {
                acks.lock().unwrap().push([number, sent, acknowledged]);
            }
            drop(permit);
        });
        while tasks.try_join_next().is_some_and(|joined| joined.is_ok()) {}
    }
    while let Some(joined) = tasks.join_next().await {
        joined.unwrap();
    }
    let seconds = started.elapsed().as_secs_f64();
    let acks = std::mem::take(&mut *acks.lock().unwrap());
    println!("{{\"rows\": {}, \"acknowledged\": {}, \"seconds\": {seconds}}}", options.count, acks.len());
    if let Some(path) = &options.out {
        write_lines(path, acks);
    }
}

/// Writes a row, whose values follow from its number; gives the times of sending and of the acknowledgement. `None` when the node does
/// not acknowledge it, which one on a loaded machine does at times.
async fn insert_one(session: &Session, insert: &PreparedStatement, number: u64) -> Option<(u64, u64)> {
    // A multiplicative hash: neighbours differ.
    let random = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let pick = |shift: u32| WORDS[usize::try_from((random >> shift) % 16).unwrap()];
    let note: Vec<&str> = (0..14).map(|word| pick(4 * word)).collect();
    let note = format!("{} {:016x}", note.join(" "), random.rotate_left(17));
    let tag = [TAG.as_slice(), &number.to_be_bytes()].concat();
    let kind = KINDS[usize::try_from(random >> 62).unwrap()];
    let amount = f64::from(u32::try_from(random >> 40).unwrap()) / 100.0;
    let values = (i64::try_from(number).unwrap(), kind, amount, random & 1 == 1, note, tag);
    let sent = now_ns();
    session.execute_unpaged(insert, values).await.ok()?;
    Some((sent, now_ns()))
}
