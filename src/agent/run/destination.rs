//! Where the records of a live agent go.

use std::path::Path;
use std::sync::Arc;
#[cfg(feature = "kafka")]
use std::time::{Duration, Instant};

use super::stop::Stop;
use crate::agent::exit::{Exit, Failure};
#[cfg(feature = "kafka")]
use crate::agent::log;
use crate::agent::pipeline::writer::sink_failure;
use crate::cli::Settings;
use crate::schema::Schema;
#[cfg(feature = "kafka")]
use crate::sink::SinkError;
#[cfg(feature = "kafka")]
use crate::sink::kafka::{KafkaOptions, Notice, Untaken, probe::Probe};
use crate::sink::{FileLog, FileLogOptions, Sink};
use crate::telemetry::Telemetry;
#[cfg(feature = "kafka")]
use crate::telemetry::{LedgerEntry, LedgerKind, Phase};

/// Between attempts to reach brokers.
#[cfg(feature = "kafka")]
const PAUSE: Duration = Duration::from_secs(1);
/// That they do not answer is told after this time.
#[cfg(feature = "kafka")]
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// And then so often.
#[cfg(feature = "kafka")]
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Opens what the options name. `telemetry`, of an agent that runs, is told of records that are not taken; such an agent
/// waits for brokers that do not answer.
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
    use crate::sink::kafka::{KafkaSink, Observer};

    let waits = telemetry.map(Arc::clone);
    let telemetry = waits.clone();
    let observer = Observer::new(move |notice| {
        log_notice(notice);
        telemetry.iter().for_each(|telemetry| noticed(notice, telemetry));
    });
    let options = KafkaOptions { observer, ..kafka_options(settings, schema, state, stop)? };
    // One for all attempts: librdkafka does not repeat itself then.
    let probe = match waits {
        Some(_) => Some(probe(&options).map_err(sink_failure)?),
        None => None,
    };
    let mut away = Away::default();
    loop {
        let answered = probe.as_ref().map_or(Ok(()), |probe| probe.brokers().map(drop));
        let opened = answered.and_then(|()| KafkaSink::open(options.clone())).and_then(|mut sink| {
            // Whoever only looks, or writes of itself, leaves that to the agent, whose ledger has it.
            waits.is_some().then(|| sink.tell_of_lost_topics()).transpose()?;
            Ok(sink)
        });
        match (opened, &waits) {
            (Ok(sink), _) => return Ok(Box::new(sink)),
            (Err(error), Some(telemetry)) if error.is_rewindable() && !stop.is_asked() => {
                away.tell(&error, telemetry);
                stop.sleep(PAUSE);
            }
            (Err(error), _) => return Err(sink_failure(error)),
        }
    }
}

/// What the sink tells that whoever watches the agent is to know.
#[cfg(feature = "kafka")]
fn noticed(notice: &Notice, telemetry: &Telemetry) {
    match notice {
        // At least once, the sink waits for hours in one call.
        Notice::Waiting { what, .. } => telemetry.phase(Phase::WaitingForKafka, Some(what)),
        Notice::DeadLetter { topic, position, bytes, reason, kind } => telemetry.ledger(LedgerEntry {
            kind: match kind {
                Untaken::TooLong => LedgerKind::Oversize,
                Untaken::Forbidden => LedgerKind::Denied,
                Untaken::Refused => LedgerKind::DeadLetter,
            },
            place: position.clone(),
            table: Some(topic.clone()),
            bytes: *bytes,
            reason: reason.clone(),
        }),
        Notice::TopicGone { topic, committed_to } => telemetry.ledger(LedgerEntry {
            kind: LedgerKind::Lost,
            place: committed_to.clone(),
            table: Some(topic.clone()),
            bytes: 0,
            reason: "the topic was deleted, and what was published to it until then with it".to_owned(),
        }),
        _ => {}
    }
}

/// Asks whether any broker answers: that is to be known soon.
#[cfg(feature = "kafka")]
fn probe(options: &KafkaOptions) -> Result<Probe, SinkError> {
    Probe::new(KafkaOptions { start_timeout: ANSWERED_WITHIN.min(options.start_timeout), ..options.clone() })
}

/// Brokers that do not answer at the start.
#[cfg(feature = "kafka")]
#[derive(Default)]
struct Away {
    told: Option<Instant>,
}

#[cfg(feature = "kafka")]
impl Away {
    fn tell(&mut self, error: &SinkError, telemetry: &Telemetry) {
        let text = error.to_string();
        if self.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            log::warn(&format!("waiting for Kafka, nothing is read before it is there: {text}"));
            self.told = Some(Instant::now());
        }
        telemetry.phase(Phase::WaitingForKafka, Some(&text));
        telemetry.alive();
    }
}

/// How Kafka is reached, and whose checkpoint is meant.
#[cfg(feature = "kafka")]
pub(super) fn kafka_options(
    settings: &Settings,
    schema: &Schema,
    state: &Path,
    stop: &Stop,
) -> Result<KafkaOptions, Failure> {
    use crate::agent::kafka::options;
    use crate::agent::record_options::find_table;
    use crate::envelope::topic::table_topic;
    use crate::sink::kafka::Identity;

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

#[cfg(all(test, feature = "kafka"))]
mod tests {
    use super::*;
    use crate::telemetry::{Clock, Limits, SetClock, metrics};

    #[test]
    fn whoever_waits_for_kafka_lives_and_says_so() {
        let clock = Arc::new(SetClock::at(0));
        let telemetry = Telemetry::with_clock(Limits::default(), Arc::clone(&clock) as Arc<dyn Clock>);
        telemetry.phase(Phase::Running, None);
        for seconds in [100, 200] {
            clock.pass(Duration::from_secs(100));
            noticed(&Notice::Waiting { what: "no answer".to_owned(), seconds }, &telemetry);
        }
        let status = telemetry.status();
        let reasons: Vec<_> = status.reasons.iter().map(|reason| reason.text.as_str()).collect();
        assert!(status.is_live);
        assert_eq!(reasons, ["Waiting for Kafka for 1 min 40 s: no answer"]);
        telemetry.phase_if_new(Phase::Running, None);
        assert!(telemetry.status().is_ready);
    }

    /// The lines of `/metrics` that count what did not come through, without those that are 0.
    fn counted(telemetry: &Telemetry) -> Vec<String> {
        let text = metrics::text(&telemetry.status());
        let names = ["cdc_oversize_total", "cdc_acl_denied_total", "cdc_dead_letter_total", "cdc_ledger_"];
        let is_counted =
            |line: &&str| names.iter().any(|name| line.starts_with(name)) && !line.ends_with(" 0");
        text.lines().filter(is_counted).map(str::to_owned).collect()
    }

    #[test]
    fn what_kafka_does_not_take_is_counted_by_its_reason() {
        let letter = |kind| Notice::DeadLetter {
            topic: "p.cdc.k.t".to_owned(),
            position: "7:20:1:0".to_owned(),
            bytes: 150_000,
            reason: "why".to_owned(),
            kind,
        };
        for (kind, word, own) in [
            (Untaken::TooLong, "oversize", Some("cdc_oversize_total 2")),
            (Untaken::Forbidden, "denied", Some("cdc_acl_denied_total 2")),
            (Untaken::Refused, "dead_letter", None),
        ] {
            let telemetry = Telemetry::new(Limits::default());
            for _ in 0..2 {
                noticed(&letter(kind), &telemetry);
            }
            let mut expected = vec![
                format!("cdc_ledger_entries_total{{kind=\"{word}\"}} 2"),
                format!("cdc_ledger_bytes_total{{kind=\"{word}\"}} 300000"),
            ];
            expected.extend(own.map(str::to_owned));
            expected.push("cdc_dead_letter_total 2".to_owned());
            assert_eq!(counted(&telemetry), expected);
            let entry = telemetry.status().ledger.into_iter().next().unwrap().entry;
            assert_eq!((entry.place.as_str(), entry.table.as_deref()), ("7:20:1:0", Some("p.cdc.k.t")));
        }
    }

    #[test]
    fn a_topic_that_was_deleted_is_a_loss() {
        let telemetry = Telemetry::new(Limits::default());
        let gone = Notice::TopicGone { topic: "p.cdc.k.t".to_owned(), committed_to: "7:20:1:0".to_owned() };
        noticed(&gone, &telemetry);
        assert_eq!(counted(&telemetry), ["cdc_ledger_entries_total{kind=\"lost\"} 1"]);
        let text = gone.to_string();
        assert!(text.contains("p.cdc.k.t was deleted") && text.contains("up to 7:20:1:0 is lost"), "{text}");
    }
}
