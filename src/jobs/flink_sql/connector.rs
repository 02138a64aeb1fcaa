//! The options of tables in Kafka and in Cassandra.

use std::net::IpAddr;

use crate::jobs::environment::{Cassandra, Environment, Kafka, SecurityProtocol};
use crate::jobs::network::Host;
use crate::jobs::secret::{Credentials, SecretRef};
use crate::jobs::topics::LONGEST_RECORD;

/// Keys and values of a WITH clause.
pub(super) type Options = Vec<(String, String)>;

pub(super) fn option(key: &str, value: impl Into<String>) -> (String, String) {
    (key.to_owned(), value.into())
}

/// A secret as SQL names it: whoever submits the statement puts the value in its place, in memory.
fn placeholder(secret: &SecretRef) -> String {
    match secret {
        SecretRef::Variable(name) => format!("${{env:{name}}}"),
        SecretRef::File(path) => format!("${{file:{}}}", path.display()),
    }
}

/// How to reach Kafka.
pub(super) fn client(kafka: &Kafka) -> Options {
    let mut options = vec![option("properties.bootstrap.servers", kafka.bootstrap_servers.join(","))];
    let protocol = match kafka.security_protocol {
        SecurityProtocol::Plaintext => return options,
        SecurityProtocol::Ssl => "SSL",
        SecurityProtocol::SaslPlaintext => "SASL_PLAINTEXT",
        SecurityProtocol::SaslSsl => "SASL_SSL",
    };
    options.push(option("properties.security.protocol", protocol));
    if let Some(file) = &kafka.ca_file {
        options.push(option("properties.ssl.truststore.type", "PEM"));
        options.push(option("properties.ssl.truststore.location", file.display().to_string()));
    }
    if let Some(sasl) = &kafka.credentials {
        options.push(option("properties.sasl.mechanism", sasl.mechanism.as_str()));
        options.push(option("properties.sasl.jaas.config", jaas(&sasl.mechanism, &sasl.credentials)));
    }
    options
}

fn jaas(mechanism: &str, credentials: &Credentials) -> String {
    let module = if mechanism == "PLAIN" { "plain.PlainLoginModule" } else { "scram.ScramLoginModule" };
    format!(
        "org.apache.kafka.common.security.{module} required username=\"{}\" password=\"{}\";",
        placeholder(&credentials.username),
        placeholder(&credentials.password)
    )
}

/// A topic of records with their keys, both as bytes. The job goes on where its group stands, and begins with the
/// first record.
pub(super) fn source(environment: &Environment, topic: &str, group: &str, key: &str) -> Options {
    let mut options = vec![option("connector", "kafka"), option("topic", topic)];
    options.extend(client(&environment.kafka));
    options.extend([
        option("properties.group.id", group),
        option("properties.auto.offset.reset", "earliest"),
        option("properties.isolation.level", "read_committed"),
        option("scan.startup.mode", "group-offsets"),
        option("key.format", "raw"),
        option("key.fields", key),
        option("value.format", "raw"),
        option("value.fields-include", "EXCEPT_KEY"),
    ]);
    options
}

/// A topic that is appended to, each record exactly once: `prefix` begins the ids of its transactions.
pub(super) fn append(environment: &Environment, topic: &str, prefix: &str) -> Options {
    let mut options = vec![option("connector", "kafka"), option("topic", topic)];
    options.extend(client(&environment.kafka));
    options.extend([
        option("sink.delivery-guarantee", "exactly-once"),
        option("sink.transactional-id-prefix", prefix),
        option("properties.transaction.timeout.ms", "600000"),
        // The default refuses a record longer than 1 MiB, and would end the job for good.
        option("properties.max.request.size", LONGEST_RECORD),
    ]);
    options
}

/// A compacted topic of which the last value of a key counts: what is written twice overwrites itself.
pub(super) fn upsert(environment: &Environment, topic: &str) -> Options {
    let mut options = vec![option("connector", "upsert-kafka"), option("topic", topic)];
    options.extend(client(&environment.kafka));
    options.extend([option("key.format", "json"), option("value.format", "json")]);
    options
}

/// A table of the environment's data centre. TaskManagers read the credentials themselves.
pub(super) fn cassandra(cassandra: &Cassandra, keyspace: &str, table: &str) -> Options {
    let host = |host: &Host| match host {
        Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
        other => other.to_string(),
    };
    let hosts: Vec<String> = cassandra.hosts.iter().map(|named| host(&named.value)).collect();
    let networks: Vec<String> =
        cassandra.allowed_networks.iter().map(|network| network.value.to_string()).collect();
    let mut options = vec![
        option("connector", "cassandra"),
        option("hosts", hosts.join(",")),
        option("port", cassandra.port.to_string()),
        option("datacenter", cassandra.datacenter.value.as_str()),
        option("allowed-networks", networks.join(",")),
        option("keyspace", keyspace),
        option("table", table),
    ];
    if let Some(credentials) = &cassandra.credentials {
        let named = |key: &str, secret: &SecretRef| match secret {
            SecretRef::Variable(name) => option(&format!("{key}-env"), name.as_str()),
            SecretRef::File(path) => option(&format!("{key}-file"), path.display().to_string()),
        };
        options.push(named("username", &credentials.value.username));
        options.push(named("password", &credentials.value.password));
    }
    if let Some(file) = &cassandra.ca_file {
        options.push(option("ssl.ca-file", file.display().to_string()));
    }
    options
}
