//! Values that contradict each other, or whose consequences somebody should know.

use std::net::IpAddr;

use crate::agent::doctor::finding::Finding;
use crate::agent::exit::Exit;
use crate::cli::{
    FinishedWord, KafkaArgs, LiveArgs, LogArgs, MechanismWord, OwnershipWord, ProtocolWord, RunOptions,
    SourceArgs, Undecodable, UndecodedArgs, UnknownTable,
};
use crate::config::Secret;

/// How long a transaction may stay open, in milliseconds: what the sink asks for.
const TRANSACTION_MS: u64 = 30_000;
/// Beyond this a heartbeat tells of an agent's death too late to be of use, in milliseconds.
const LONGEST_HEARTBEAT_MS: u64 = 60_000;

pub(super) fn check(options: &RunOptions, findings: &mut Vec<Finding>) {
    log(&options.live.log, findings);
    cassandra(&options.live, findings);
    telling(&options.live, findings);
    source(&options.settings.source, findings);
    undecoded(&options.settings.undecoded, findings);
    kafka(&options.settings.kafka, findings);
}

fn log(log: &LogArgs, findings: &mut Vec<Finding>) {
    for unfit in log.unfit() {
        let check = match unfit.about {
            "archive_directory" => "config.archive_directory",
            "spool_directory" => "config.spool_directory",
            _ => "config.directories",
        };
        findings.push(Finding::fail(check, Exit::Usage, unfit.what, unfit.fix));
    }
    if log.finished_segments == FinishedWord::Keep {
        findings.push(Finding::warn(
            "config.finished_segments",
            "finished segments are kept: unless somebody else deletes them, cdc_raw gets full, and Cassandra then refuses \
             writes to tables with CDC",
            "delete each segment together with its index once another reader is done with it, too",
        ));
    }
    if log.ownership == OwnershipWord::Primary {
        findings.push(Finding::warn(
            "config.ownership",
            "ownership is primary: a change that the first replica of its partition misses (down, overloaded) comes later \
             by hint or repair, or never; and each change of the ring can repeat or leave out some",
            "use ownership = \"all\", and keep the first record of each event_id",
        ));
    }
}

fn cassandra(live: &LiveArgs, findings: &mut Vec<Finding>) {
    let node = &live.cassandra;
    if node.schema.is_some() {
        findings.push(Finding::warn(
            "config.schema_file",
            "the schema comes from a file: changes of it are only seen in the log, and the node's identity is not checked",
            "take schema_file away where the node can be asked",
        ));
        return;
    }
    let has_password = node.password_file.is_some() || Secret::CassandraPassword.from_environment().is_some();
    let failed = |found: &str, fix: &str| Finding::fail("config.cassandra", Exit::Usage, found, fix);
    match (&node.username, has_password) {
        (Some(_), false) => findings.push(failed(
            "cassandra_username is given, and no password",
            "give cassandra_password_file, or set CDC_AGENT_CASSANDRA_PASSWORD",
        )),
        (None, true) => findings.push(Finding::warn(
            "config.cassandra",
            "there is a password for Cassandra, and no cassandra_username: it is not used",
            "give cassandra_username, or take the password away",
        )),
        _ => {}
    }
    let has_client = node.ssl_certificate_file.is_some() || node.ssl_key_file.is_some();
    if node.ssl_certificate_file.is_some() != node.ssl_key_file.is_some() {
        findings.push(failed(
            "of cassandra_ssl_certificate_file and cassandra_ssl_key_file only one is given",
            "give both or none",
        ));
    }
    if node.ssl_ca_file.is_none() {
        if has_client || node.ssl_server_name.is_some() {
            findings.push(failed(
                "options of TLS to Cassandra are given, and cassandra_ssl_ca_file, which turns it on, is not",
                "name the certificates of the authorities, or take the other options away",
            ));
        } else if has_password && !is_here(&node.host) {
            findings.push(Finding::warn(
                "config.cassandra",
                format!("the password goes to {} without TLS: whoever listens can read it", node.host),
                "turn client_encryption_options on, and give cassandra_ssl_ca_file",
            ));
        }
    }
    if !is_here(&node.host) {
        findings.push(Finding::warn(
            "config.cassandra_host",
            format!("{} is not this machine by its name: the schema must come from the node whose commit log is read", node.host),
            "make sure that it is this node's own address, and configure host_id",
        ));
    }
}

/// Whether an address cannot be another machine's.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn telling(live: &LiveArgs, findings: &mut Vec<Finding>) {
    let telling = &live.telling;
    match telling.heartbeat_interval_ms {
        0 => findings.push(Finding::warn(
            "config.heartbeat",
            "there are no heartbeats: consumers cannot tell a quiet table from an agent that is dead, and low watermarks \
             only move with changes",
            "set heartbeat_interval_ms = 1000",
        )),
        LONGEST_HEARTBEAT_MS.. => findings.push(Finding::warn(
            "config.heartbeat",
            format!("heartbeats come every {} s: consumers learn of a dead agent that late", telling.heartbeat_interval_ms / 1000),
            "set heartbeat_interval_ms to a few seconds at most",
        )),
        _ => {}
    }
    if telling.http && !telling.http_address.ip().is_loopback() {
        findings.push(Finding::warn(
            "config.http_address",
            format!("{} can be reached from elsewhere: anybody who reaches it can read names of tables and counts", telling.http_address),
            "use 127.0.0.1, or let a firewall or network policy decide who reaches it",
        ));
    }
}

fn source(source: &SourceArgs, findings: &mut Vec<Finding>) {
    let pairs = [
        ("cluster", source.cluster.is_some()),
        ("dc", source.dc.is_some()),
        ("host_id", source.host_id.is_some()),
    ];
    let missing: Vec<&str> = pairs.into_iter().filter(|(_, given)| !given).map(|(key, _)| key).collect();
    if !missing.is_empty() {
        findings.push(Finding::warn(
            "config.source",
            format!(
                "not configured: {}. The agent takes any node for the right one in this respect",
                missing.join(", ")
            ),
            "set them; `nodetool info` and `nodetool describecluster` name them",
        ));
    }
    if source.prefix == "local" {
        findings.push(Finding::warn(
            "config.topic_prefix",
            "topic_prefix is the default, local: every agent that leaves it so writes the same topics",
            "set topic_prefix to a name of this cluster",
        ));
    }
}

fn undecoded(undecoded: &UndecodedArgs, findings: &mut Vec<Finding>) {
    if undecoded.unknown_table == Some(UnknownTable::Ledger) {
        findings.push(Finding::warn(
            "config.unknown_table",
            "unknown_table is ledger: changes of a table that the schema does not know yet are counted and lost",
            "use unknown_table = \"park\"",
        ));
    }
    if undecoded.undecodable == Undecodable::Ledger {
        findings.push(Finding::warn(
            "config.undecodable",
            "undecodable is ledger: changes that no schema at hand decodes are counted and lost",
            "use undecodable = \"park\"",
        ));
    }
}

fn kafka(kafka: &KafkaArgs, findings: &mut Vec<Finding>) {
    if kafka.ssl_insecure {
        findings.push(Finding::warn(
            "config.kafka_ssl_insecure",
            "certificates of brokers are not checked: whoever stands between can read and change everything",
            "take kafka_ssl_insecure away, and give kafka_ssl_ca_file",
        ));
    }
    let is_plain = kafka.sasl_mechanism == Some(MechanismWord::Plain)
        || kafka.sasl_mechanism == Some(MechanismWord::OauthBearer);
    if kafka.security_protocol == ProtocolWord::SaslPlaintext && is_plain {
        findings.push(Finding::warn(
            "config.kafka_security_protocol",
            "the password or token goes to the brokers without TLS: whoever listens can read it",
            "use sasl_ssl",
        ));
    }
    if kafka.batch_ms.get() >= TRANSACTION_MS / 2 {
        findings.push(Finding::warn(
            "config.kafka_batch_ms",
            format!(
                "batches of up to {} ms: a transaction may stay open for {TRANSACTION_MS} ms, and readers see nothing before its end",
                kafka.batch_ms
            ),
            "set kafka_batch_ms to a few seconds at most",
        ));
    }
    if kafka.topic_replication.is_some_and(|replicas| replicas.get() == 1) {
        findings.push(Finding::warn(
            "config.kafka_topic_replication",
            "topics are made with one replica: a broker's disk that fails takes records and checkpoints away",
            "set kafka_topic_replication = 3, and min.insync.replicas = 2 on the brokers",
        ));
    }
}
