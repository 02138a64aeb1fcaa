//! Kafka: brokers answer and let the agent in, and topics are fit.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::finding::Finding;
use super::{Known, pushed};
use crate::agent::exit::Exit;
use crate::agent::kafka::options;
use crate::agent::record_options::{find_table, table_filter};
use crate::cli::Settings;
use crate::envelope::topic::table_topic;
use crate::schema::Schema;
use crate::sink::SinkError;
use crate::sink::kafka::probe::{Probe, TopicState};
use crate::sink::kafka::{Identity, KafkaOptions, Observer};

/// How long to wait for the brokers.
const LIMIT: Duration = Duration::from_secs(10);
/// Topics that are named.
const NAMES: usize = 5;
/// What one record may be at most: Cassandra's largest mutation unless configured otherwise, half a segment.
const LARGEST_MUTATION: u64 = 16 << 20;

pub(super) fn check(settings: &Settings, known: &Known, findings: &mut Vec<Finding>) {
    if settings.kafka.bootstrap_servers.is_none() {
        // It is among the findings of the configuration.
        return;
    }
    let host_id = known.host_id.clone().unwrap_or_else(|| "unknown".to_owned());
    let identity = Identity::Node { host_id: host_id.clone(), local: None };
    let (profile, prefix) = (settings.records.profile, &settings.source.prefix);
    let topic = |name: &crate::cli::TableName| match &known.schema {
        Some(schema) => find_table(schema, name).map(|table| table_topic(profile, prefix, table)),
        None => Some(format!("{prefix}.{}.{}", name.keyspace, name.table)),
    };
    let Some(made) = pushed(options(settings, identity, topic), "kafka.options", findings) else { return };
    // What librdkafka says meanwhile comes as an error of its own.
    let made = KafkaOptions { start_timeout: LIMIT, observer: Observer::new(|_| {}), ..made };
    let probe = match Probe::new(made) {
        Ok(probe) => probe,
        Err(error) => return findings.push(refused("kafka.options", Exit::Usage, &error)),
    };
    let brokers = match probe.brokers() {
        Ok(brokers) => brokers,
        Err(error) => return findings.push(refused("kafka.connection", Exit::Destination, &error)),
    };
    findings.push(Finding::pass(
        "kafka.connection",
        format!("{} broker(s) answer, and let the agent in", brokers.count),
    ));
    let authorizer = brokers.first.and_then(|id| broker(&probe, id, brokers.count, findings));
    checkpoints(&probe, settings, findings);
    if let Some(schema) = &known.schema {
        topics(&probe, settings, schema, findings);
    }
    findings.push(rights(authorizer.as_deref(), prefix, &host_id));
}

/// Brokers are asked nothing that would change them, so what this user may write is not tried. `authorizer`: the class that
/// decides it, empty where nobody does; `None` where the broker does not tell.
fn rights(authorizer: Option<&str>, prefix: &str, host_id: &str) -> Finding {
    let check = "kafka.rights";
    if authorizer == Some("") {
        return Finding::pass(check, "brokers have no authorizer: every user may read and write everything");
    }
    Finding::warn(
        check,
        "what this user may write is not tried, because that would change something",
        format!(
            "see to it that the user has: WRITE and DESCRIBE on the transactional ids cdc-agent.{prefix}.{host_id}.0 to .2; \
             WRITE, DESCRIBE and, where topics are to be made, CREATE on the topics that begin with {prefix}.cdc; READ on \
             {prefix}.cdc.__checkpoints; IDEMPOTENT_WRITE on the cluster of brokers before 3.0 (docs/kafka.md 4)"
        ),
    )
}

fn refused(check: &'static str, exit: Exit, error: &SinkError) -> Finding {
    match error {
        SinkError::Kafka { what, hint }
        | SinkError::Unreachable { what, hint }
        | SinkError::Unmade { what, hint }
        | SinkError::Forbidden { what, hint } => Finding::fail(check, exit, what.clone(), *hint),
        other => Finding::fail(
            check,
            exit,
            other.to_string(),
            "correct the option; docs/configuration.md has them",
        ),
    }
}

/// What a broker says of itself. Gives the class that decides what users may do; empty where there is none.
fn broker(probe: &Probe, id: i32, count: usize, findings: &mut Vec<Finding>) -> Option<String> {
    let settings = match probe.broker_settings(id) {
        Ok(settings) => settings,
        Err(reason) => {
            findings.push(Finding::warn(
                "kafka.broker",
                format!("broker {id} does not tell its settings: {reason}"),
                "allow this user DESCRIBE_CONFIGS on the cluster if they are to be checked",
            ));
            return None;
        }
    };
    let number = |name: &str| settings.get(name).and_then(|value| value.parse::<u64>().ok());
    if let Some(longest) = number("message.max.bytes").filter(|longest| *longest < LARGEST_MUTATION) {
        findings.push(Finding::warn(
            "kafka.message_max_bytes",
            format!("brokers take records of up to {longest} bytes, and a Cassandra row may be longer (16 MiB)"),
            "raise message.max.bytes (max.message.bytes of the topics) and kafka_option message.max.bytes, or set \
             kafka_refused = \"dead_letter\"",
        ));
    }
    let replicas = number("default.replication.factor").unwrap_or(1);
    let in_sync = number("min.insync.replicas").unwrap_or(1);
    findings.push(if count > 1 && (replicas < 2 || in_sync < 2) {
        Finding::warn(
            "kafka.replication",
            format!("new topics have {replicas} replica(s), and a write counts when {in_sync} have it: one disk can lose records"),
            "set kafka_topic_replication = 3 and min.insync.replicas = 2",
        )
    } else {
        Finding::pass("kafka.replication", format!("default.replication.factor {replicas}, min.insync.replicas {in_sync}"))
    });
    if let (Some(limit), Some(asked)) = (number("transaction.max.timeout.ms"), probe.transaction_timeout()) {
        findings.push(transactions(Duration::from_millis(limit), asked));
    }
    settings.get("authorizer.class.name").cloned()
}

/// Whether brokers let a transaction be open for as long as the agent asks for. They refuse its ids otherwise.
fn transactions(limit: Duration, asked: Duration) -> Finding {
    let check = "kafka.transactions";
    let found = format!(
        "transaction.timeout.ms is {}, and the brokers' transaction.max.timeout.ms {}",
        asked.as_millis(),
        limit.as_millis()
    );
    if asked <= limit {
        return Finding::pass(check, found);
    }
    Finding::fail(
        check,
        Exit::Destination,
        format!("{found}: they refuse it"),
        "give a shorter one, kafka_option transaction.timeout.ms, or raise that of the brokers",
    )
}

fn checkpoints(probe: &Probe, settings: &Settings, findings: &mut Vec<Finding>) {
    let (check, topic) = ("kafka.checkpoint_topic", probe.checkpoint_topic());
    match probe.topic(&topic) {
        Err(error) => return findings.push(refused(check, Exit::Destination, &error)),
        Ok(TopicState::Refused(reason)) => return findings.push(not_allowed(check, &topic, &reason)),
        Ok(TopicState::Missing) => return findings.push(missing(check, settings, &topic)),
        Ok(TopicState::Found { .. }) => {}
    }
    findings.push(match policy(probe, &topic) {
        Ok(policy) if policy != "compact" => Finding::fail(
            check,
            Exit::Destination,
            format!("topic {topic} has cleanup.policy={policy}: checkpoints in it would be deleted"),
            "set its cleanup.policy to compact",
        ),
        Ok(_) => Finding::pass(check, format!("topic {topic} is there, and compacted")),
        Err(reason) => Finding::warn(
            check,
            format!("topic {topic} is there; whether it is compacted is not known: {reason}"),
            "allow this user DESCRIBE_CONFIGS on it",
        ),
    });
}

fn topics(probe: &Probe, settings: &Settings, schema: &Schema, findings: &mut Vec<Finding>) {
    let check = "kafka.topics";
    let filter = table_filter(&settings.filter);
    let names: BTreeSet<String> = schema
        .tables()
        .filter(|table| filter.wants(table))
        .map(|table| table_topic(settings.records.profile, &settings.source.prefix, table))
        .collect();
    findings.extend(colliding(&names));
    let (mut absent, mut there, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for name in &names {
        match probe.topic(name) {
            Err(error) => return findings.push(refused(check, Exit::Destination, &error)),
            Ok(TopicState::Refused(reason)) => return findings.push(not_allowed(check, name, &reason)),
            Ok(TopicState::Missing) => absent.push(name.as_str()),
            Ok(TopicState::Found { partitions, replicas }) => {
                there.push(format!("{name} ({partitions} partitions, {replicas} replicas)"));
                let new = settings.kafka.topic_partitions;
                others.extend(new.filter(|new| usize::from(new.get()) != partitions).map(|_| name.as_str()));
                let policy = policy(probe, name).unwrap_or_default();
                if policy.contains("compact") {
                    findings.push(Finding::fail(
                        check,
                        Exit::Destination,
                        format!("topic {name} has cleanup.policy={policy}: changes in it would be lost"),
                        "set its cleanup.policy to delete",
                    ));
                }
            }
        }
    }
    if !there.is_empty() {
        findings.push(Finding::pass(check, there.join(", ")));
    }
    if !others.is_empty() {
        findings.push(Finding::warn(
            "kafka.partitions",
            format!("other partitions than kafka_topic_partitions, which is for topics that are made: {}", listed(others)),
            "set kafka_topic_partitions to what they have; more partitions for a topic in use break the order of its keys",
        ));
    }
    if !absent.is_empty() {
        findings.push(missing(check, settings, &listed(absent)));
    }
}

/// The first of these topics.
fn listed(mut names: Vec<&str>) -> String {
    let more = if names.len() > NAMES { ", …" } else { "" };
    names.truncate(NAMES);
    format!("{}{more}", names.join(", "))
}

/// Topics of which Kafka makes only the first, because it tells no `.` from `_`.
fn colliding(names: &BTreeSet<String>) -> Vec<Finding> {
    let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in names {
        alike.entry(name.replace('.', "_")).or_default().push(name);
    }
    let colliding = alike.into_values().filter(|names| names.len() > 1);
    let finding = |names: Vec<&str>| {
        Finding::fail(
            "kafka.topics",
            Exit::Destination,
            format!(
                "Kafka makes only one of these topics, whose names differ only in `.` and `_`: {}",
                names.join(", ")
            ),
            "leave all of these tables but one out, with table_exclude_list",
        )
    };
    colliding.map(finding).collect()
}

fn policy(probe: &Probe, topic: &str) -> Result<String, String> {
    Ok(probe.topic_settings(topic)?.remove("cleanup.policy").unwrap_or_default())
}

fn not_allowed(check: &'static str, topic: &str, reason: &str) -> Finding {
    let (found, fix) = reason.split_once("; ").unwrap_or((reason, ""));
    Finding::fail(check, Exit::Destination, format!("topic {topic}: {found}"), fix)
}

fn missing(check: &'static str, settings: &Settings, topics: &str) -> Finding {
    if settings.kafka.create_topics {
        return Finding::pass(check, format!("not there yet, the agent makes: {topics}"));
    }
    Finding::fail(
        check,
        Exit::Destination,
        format!("not there: {topics}"),
        "make them, or let the agent make them (kafka_create_topics)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_take_transactions_as_long_as_their_limit() {
        let of = |ms| transactions(Duration::from_secs(900), Duration::from_millis(ms));
        let (pass, fail) = (of(900_000), of(900_001));
        assert_eq!([pass.exit, fail.exit], [Exit::Ok, Exit::Destination]);
        assert!(fail.found.contains("900001") && fail.found.contains("900000"), "{fail:?}");
    }

    #[test]
    fn topics_that_kafka_does_not_tell_apart_are_named_together() {
        let names = ["p.cdc.a.b_c", "p.cdc.a_b.c", "p.cdc.a.b", "p.cdc.a.b-c"].map(str::to_owned).into();
        let found = format!("{:?}", colliding(&names));
        assert_eq!(found.matches("kafka.topics").count(), 1, "{found}");
        assert!(found.contains("p.cdc.a.b_c, p.cdc.a_b.c"), "{found}");
    }
}
