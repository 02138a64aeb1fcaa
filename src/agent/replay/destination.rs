//! Where the records of a replay go.

use crate::agent::exit::{Exit, Failure};
use crate::agent::input::SegmentFile;
use crate::agent::keys::Keys;
use crate::agent::pipeline::writer::sink_failure;
use crate::agent::{output, warn};
use crate::cli::ReplayArgs;
use crate::schema::Schema;
use crate::sink::{Discard, FileLog, FileLogOptions, Sink, Stdout};

/// Opens what the options name.
pub(super) fn open(
    args: &ReplayArgs,
    files: &[SegmentFile],
    keys: &Keys,
    schema: &Schema,
) -> Result<Box<dyn Sink>, Failure> {
    if args.output.dry_run {
        return Ok(Box::new(Discard::default()));
    }
    match args.output.out.to_str() {
        Some("-") => {
            let stdout = output::stdout()?;
            if output::is_null(&stdout) {
                warn(
                    "standard output is /dev/null, or was closed: no record is kept (to count only: --dry-run)",
                );
            }
            Ok(Box::new(Stdout::new(stdout)))
        }
        Some("kafka") => kafka(args, files, keys, schema),
        _ => {
            let options = FileLogOptions { partitions: args.output.partitions, ..FileLogOptions::default() };
            Ok(Box::new(FileLog::open(&args.output.out, options).map_err(sink_failure)?))
        }
    }
}

#[cfg(not(feature = "kafka"))]
fn kafka(_: &ReplayArgs, _: &[SegmentFile], _: &Keys, _: &Schema) -> Result<Box<dyn Sink>, Failure> {
    Err(Failure::new(Exit::Usage, "this cdc-agent was built without Kafka").next(
        "build it with the feature kafka, or write a file log (--out DIR; a directory of that name is ./kafka)",
    ))
}

#[cfg(feature = "kafka")]
fn kafka(
    args: &ReplayArgs,
    files: &[SegmentFile],
    keys: &Keys,
    schema: &Schema,
) -> Result<Box<dyn Sink>, Failure> {
    use crate::agent::kafka::options;
    use crate::agent::pipeline::segment::{Identity as SegmentIdentity, OpenSegment};
    use crate::agent::record_options::find_table;
    use crate::envelope::topic::table_topic;
    use crate::sink::kafka::{Identity, KafkaSink};

    if args.output.partitions.is_some() {
        let what = "--partitions is for file logs";
        return Err(Failure::new(Exit::Usage, what).next("give --topic-partitions for topics that are made"));
    }
    let mut segments = std::collections::BTreeMap::new();
    for file in files {
        // What cannot be read is told when its turn comes, and gets no checkpoint.
        let Ok(opened) = OpenSegment::open(file.clone()) else { continue };
        let Ok(segment) = opened.segment(keys) else { continue };
        if let Some(fingerprint) = SegmentIdentity::of(&segment).lasting() {
            segments.entry(segment.descriptor().id).or_insert(fingerprint);
        }
    }
    let identity = Identity::Replay { segments, again: args.output.again };
    let (profile, prefix) = (args.settings.records.profile, &args.settings.source.prefix);
    let topic = |name: &crate::cli::TableName| {
        find_table(schema, name).map(|table| table_topic(profile, prefix, table))
    };
    let sink = KafkaSink::open(options(&args.settings, identity, topic)?).map_err(sink_failure)?;
    Ok(Box::new(sink))
}
