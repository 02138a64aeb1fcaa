//! Where the records of a live agent go.

use std::path::Path;
use std::sync::Arc;

use super::stop::Stop;
use crate::agent::exit::{Exit, Failure};
use crate::agent::pipeline::writer::sink_failure;
use crate::cli::Settings;
use crate::schema::Schema;
use crate::sink::{FileLog, FileLogOptions, Sink};
use crate::telemetry::Telemetry;

/// Opens what the options name. `telemetry` is told of records that are not taken.
pub(super) fn open(
    out: &Path,
    settings: &Settings,
    schema: &Schema,
    state: &Path,
    (stop, telemetry): (&Stop, Option<&Arc<Telemetry>>),
) -> Result<Box<dyn Sink>, Failure> {
    if out.to_str() == Some("kafka") {
        return kafka(settings, schema, state, stop, telemetry);
    }
    let log = FileLog::open(out, FileLogOptions::default()).map_err(sink_failure)?;
    if log.checkpoint().is_some_and(|checkpoint| checkpoint.scope().is_some()) {
        let what = format!("{} was written by replay, which keeps other promises", out.display());
        return Err(Failure::new(Exit::Usage, what).next("give another directory"));
    }
    Ok(Box::new(log))
}

#[cfg(not(feature = "kafka"))]
fn kafka(
    _: &Settings,
    _: &Schema,
    _: &Path,
    _: &Stop,
    _: Option<&Arc<Telemetry>>,
) -> Result<Box<dyn Sink>, Failure> {
    Err(Failure::new(Exit::Usage, "this cdc-agent was built without Kafka")
        .next("build it with the feature kafka, or write a file log (--out DIR)"))
}

#[cfg(feature = "kafka")]
fn kafka(
    settings: &Settings,
    schema: &Schema,
    state: &Path,
    stop: &Stop,
    telemetry: Option<&Arc<Telemetry>>,
) -> Result<Box<dyn Sink>, Failure> {
    use crate::agent::kafka::log_notice;
    use crate::sink::kafka::{KafkaOptions, KafkaSink, Notice, Observer, Untaken};
    use crate::telemetry::{LedgerEntry, LedgerKind};

    let telemetry = telemetry.map(Arc::clone);
    let observer = Observer::new(move |notice| {
        log_notice(notice);
        if let (Some(telemetry), Notice::DeadLetter { topic, position, bytes, reason, kind }) =
            (&telemetry, notice)
        {
            telemetry.ledger(LedgerEntry {
                kind: match kind {
                    Untaken::TooLong => LedgerKind::Oversize,
                    Untaken::Forbidden => LedgerKind::Denied,
                    Untaken::Refused => LedgerKind::DeadLetter,
                },
                place: position.clone(),
                table: Some(topic.clone()),
                bytes: *bytes,
                reason: reason.clone(),
            });
        }
    });
    let options = KafkaOptions { observer, ..kafka_options(settings, schema, state, stop)? };
    Ok(Box::new(KafkaSink::open(options).map_err(sink_failure)?))
}

/// How Kafka is reached, and whose checkpoint is meant.
#[cfg(feature = "kafka")]
pub(super) fn kafka_options(
    settings: &Settings,
    schema: &Schema,
    state: &Path,
    stop: &Stop,
) -> Result<crate::sink::kafka::KafkaOptions, Failure> {
    use crate::agent::kafka::options;
    use crate::agent::record_options::find_table;
    use crate::envelope::topic::table_topic;
    use crate::sink::kafka::{Identity, KafkaOptions};

    let Some(host_id) = settings.source.host_id else {
        let names = &settings.names;
        return Err(Failure::new(Exit::Usage, format!("{} is not given", names.of("host_id"))).next(
            "give the node's host id (nodetool info). An agent that asks its node (no --schema) keeps it in its state \
             directory: name that with --state-dir or --config",
        ));
    };
    let identity =
        Identity::Node { host_id: host_id.to_string(), local: Some(state.join("checkpoint.json")) };
    let (profile, prefix) = (settings.records.profile, &settings.source.prefix);
    let topic = |name: &crate::cli::TableName| {
        find_table(schema, name).map(|table| table_topic(profile, prefix, table))
    };
    Ok(KafkaOptions { stop: stop.flag(), ..options(settings, identity, topic)? })
}
