//! `cdc-jobs tail`.

mod line;

use std::io::{BufWriter, Write};
use std::ops::ControlFlow;

use clap::{Args, ValueEnum};

use super::place::At;
use super::target::TargetArgs;
use crate::agent::exit::{Exit, Failure};
use crate::agent::output;
use crate::jobs::kafka::tail::Request;

pub(super) const HELP: &str = "\
Only committed records are read; nothing is committed. Values may be personal data: they are shown because this command was
asked for them, and by no other one.

Examples:
  cdc-jobs tail onprem.dlq.sales.events --env onprem
  cdc-jobs tail topic_onprem_sales --env onprem --from -10
  cdc-jobs tail dq_metrics_invalid --env onprem --from 2026-01-31T12:00:00Z --follow --format json | jq .value.by_rule

Exit codes: 0 the end is reached, 2 no such topic or offset, 6 the brokers refuse or do not answer.";

/// `cdc-jobs tail`.
#[derive(Debug, Clone, Args)]
pub struct TailArgs {
    /// The topic
    #[arg(value_name = "TOPIC")]
    pub topic: String,
    /// Which brokers.
    #[command(flatten)]
    pub target: TargetArgs,
    /// From where on: beginning, end, an offset, -10 (the last ten offsets of each partition), or a time
    #[arg(long, value_name = "PLACE", default_value = "beginning", allow_hyphen_values = true)]
    pub from: At,
    /// Only this partition; can be given several times
    #[arg(long = "partition", value_name = "N")]
    pub partitions: Vec<i32>,
    /// Stop after so many records
    #[arg(long, value_name = "N")]
    pub max: Option<u64>,
    /// Go on at the end, until stopped
    #[arg(long)]
    pub follow: bool,
    /// Form of a record
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Form::Pretty)]
    pub format: Form,
}

/// Form of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people: place, time, key, headers, and the value as indented JSON
    Pretty,
    /// A JSON object a line: topic, partition, offset, ts_ms, key, value, headers; what is no JSON is key_text, value_text or
    /// (no UTF-8 either) key_base64, value_base64
    Json,
}

/// Runs `cdc-jobs tail`.
///
/// # Errors
/// There is no such topic or offset, the brokers do not answer or refuse, standard output cannot be written.
pub(super) fn run(args: &TailArgs) -> Result<Exit, Failure> {
    let target = args.target.connect()?;
    let mut out = BufWriter::new(output::stdout()?);
    let request = Request {
        topic: &args.topic,
        from: args.from.place(),
        partitions: &args.partitions,
        follow: args.follow,
    };
    let mut left = args.max.unwrap_or(u64::MAX);
    if left > 0 {
        target.brokers.tail(&request, |record| -> Result<_, Failure> {
            let text = match args.format {
                Form::Pretty => line::pretty(&args.topic, record),
                Form::Json => line::json(&args.topic, record),
            };
            out.write_all(text.as_bytes()).map_err(Failure::stdout)?;
            if args.follow {
                out.flush().map_err(Failure::stdout)?;
            }
            left -= 1;
            Ok(if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
    }
    out.flush().map_err(Failure::stdout)?;
    Ok(Exit::Ok)
}
