//! The text of `environments.yaml` → [`Environments`].

use std::cell::RefCell;
use std::str::FromStr;

use super::across::compare;
use super::{
    Cassandra, Checkpoints, ConsumerGroups, Environment, Environments, Kafka, SaslCredentials,
    SecurityProtocol,
};
use crate::envelope::topic::is_prefix;
use crate::jobs::fields::{Fields, Placed};
use crate::jobs::finding::{Code, Findings};
use crate::jobs::network::{Host, is_in_domain, is_name};
use crate::jobs::secret::{credentials, look_for_secrets};
use crate::jobs::yaml::Node;

const KEYS: [&str; 5] = ["topic_prefix", "kafka", "cassandra", "consumer_groups", "checkpoints"];
const KAFKA: [&str; 5] =
    ["bootstrap_servers", "security_protocol", "sasl_mechanism", "credentials", "ca_file"];
const CASSANDRA: [&str; 8] = [
    "datacenter",
    "hosts",
    "port",
    "allowed_networks",
    "allowed_domains",
    "keyspace",
    "credentials",
    "ca_file",
];
const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

/// Reads the tree of an `environments.yaml`. What is wrong becomes a finding, and leaves its environment out.
pub fn read(root: &Node, findings: &RefCell<Findings>) -> Environments {
    look_for_secrets(root, findings);
    let Some(top) = Fields::of(root, "environments.yaml", &["environments"], findings) else {
        return Environments::default();
    };
    let Some(all) = top.required("environments").and_then(|node| Fields::any(node, "environments", findings))
    else {
        return Environments::default();
    };
    let environments: Vec<Environment> = all
        .entries()
        .iter()
        .filter_map(|entry| {
            let name = Placed { value: entry.key.clone(), place: entry.place };
            environment(name, &entry.value, findings)
        })
        .collect();
    compare(&environments, findings);
    Environments(environments)
}

fn environment(name: Placed<String>, node: &Node, findings: &RefCell<Findings>) -> Option<Environment> {
    let fields = Fields::of(node, &name.value, &KEYS, findings)?;
    if !is_word(&name.value) {
        let message = "the name of an environment: expected letters, digits, _ and -";
        fields.wrong(name.place, Code::Value, message);
    }
    let topic_prefix = fields.required_text("topic_prefix").filter(|prefix| {
        let ok = is_prefix(&prefix.value);
        if !ok {
            let message = "topic_prefix: expected the beginning of a topic's name: letters, digits, . _ -";
            fields.wrong(prefix.place, Code::Value, message);
        }
        ok
    });
    let kafka = fields.required("kafka").and_then(|node| kafka(node, findings));
    let cassandra = fields.required("cassandra").and_then(|node| cassandra(node, findings));
    let groups = fields.required("consumer_groups").and_then(|node| groups(node, findings));
    let checkpoints = fields.required("checkpoints").and_then(|node| checkpoints(node, findings));
    Some(Environment {
        name,
        topic_prefix: topic_prefix?,
        kafka: kafka?,
        cassandra: cassandra?,
        consumer_groups: groups?,
        checkpoints: checkpoints?,
    })
}

fn kafka(node: &Node, findings: &RefCell<Findings>) -> Option<Kafka> {
    let fields = Fields::of(node, "kafka", &KAFKA, findings)?;
    let servers = fields.required_texts("bootstrap_servers")?;
    for server in &servers {
        let port = server.value.rsplit_once(':').and_then(|(host, port)| {
            host.trim_matches(['[', ']']).parse::<Host>().ok()?;
            let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
            port.parse::<u16>().ok().filter(|port| is_number && *port > 0)
        });
        if port.is_none() {
            let message = "bootstrap_servers: expected host:port; a list has an entry for each";
            fields.wrong(server.place, Code::Value, message);
        }
    }
    let protocols = [
        ("PLAINTEXT", SecurityProtocol::Plaintext),
        ("SSL", SecurityProtocol::Ssl),
        ("SASL_PLAINTEXT", SecurityProtocol::SaslPlaintext),
        ("SASL_SSL", SecurityProtocol::SaslSsl),
    ];
    let protocol = fields.word("security_protocol", &protocols.map(|(word, _)| word));
    let security_protocol = protocol
        .and_then(|found| protocols.iter().find(|(word, _)| *word == found.value))
        .map_or(SecurityProtocol::Plaintext, |(_, protocol)| *protocol);
    let is_sasl = matches!(security_protocol, SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl);
    let mechanism = fields.word("sasl_mechanism", &MECHANISMS);
    let user = fields.get("credentials").and_then(|node| credentials(node, findings));
    if is_sasl != fields.get("credentials").is_some() {
        let message =
            "kafka: credentials belong to security_protocol SASL_SSL or SASL_PLAINTEXT, and they to it";
        fields.wrong(fields.place(), Code::Value, message);
    }
    let mechanism = mechanism.map_or_else(|| "SCRAM-SHA-512".to_owned(), |mechanism| mechanism.value);
    Some(Kafka {
        bootstrap_servers: servers.into_iter().map(|server| server.value).collect(),
        security_protocol,
        credentials: user.map(|credentials| SaslCredentials { mechanism, credentials }),
        ca_file: fields.text("ca_file").map(|file| file.value.into()),
    })
}

fn cassandra(node: &Node, findings: &RefCell<Findings>) -> Option<Cassandra> {
    let fields = Fields::of(node, "cassandra", &CASSANDRA, findings)?;
    let datacenter = fields.required_text("datacenter").filter(|name| {
        let ok = is_word(&name.value);
        if !ok {
            let message = "datacenter: expected the name of exactly one data centre: letters, digits, _ . -";
            fields.wrong(name.place, Code::Value, message);
        }
        ok
    });
    let hosts = parsed::<Host>(&fields, "hosts", fields.required_texts("hosts")?);
    let allowed_networks = fields.required_texts("allowed_networks")?;
    let allowed_networks = parsed(&fields, "allowed_networks", allowed_networks);
    let allowed_domains = fields.texts("allowed_domains").unwrap_or_default();
    for domain in allowed_domains.iter().filter(|domain| !is_name(&domain.value)) {
        let message = "allowed_domains: expected a domain without wildcard (internal, cass.example.com)";
        fields.wrong(domain.place, Code::Value, message);
    }
    let keyspace = fields.required_text("keyspace").filter(|name| {
        let ok = is_keyspace(&name.value);
        if !ok {
            let message =
                "keyspace: expected the name of exactly one keyspace: up to 48 letters, digits and _";
            fields.wrong(name.place, Code::Value, message);
        }
        ok
    });
    let credentials = fields
        .get("credentials")
        .and_then(|node| credentials(node, findings).map(|value| Placed { value, place: node.place }));
    let cassandra = Cassandra {
        datacenter: datacenter?,
        hosts,
        port: fields.integer("port", 1, 65_535).and_then(|port| u16::try_from(port).ok()).unwrap_or(9042),
        allowed_networks,
        allowed_domains,
        keyspace: keyspace?,
        credentials,
        ca_file: fields.text("ca_file").map(|file| file.value.into()),
    };
    hosts_inside(&cassandra, &fields);
    Some(cassandra)
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(
    fields: &Fields<'_, '_>,
    key: &str,
    texts: Vec<Placed<String>>,
) -> Vec<Placed<T>> {
    let parse = |text: Placed<String>| match text.value.parse() {
        Ok(value) => Some(Placed { value, place: text.place }),
        Err(error) => {
            fields.wrong(text.place, Code::Value, format!("{key}: {:?}: {error}", text.value));
            None
        }
    };
    texts.into_iter().filter_map(parse).collect()
}

fn hosts_inside(cassandra: &Cassandra, fields: &Fields<'_, '_>) {
    for host in &cassandra.hosts {
        let message = match &host.value {
            Host::Address(address) => {
                let inside =
                    cassandra.allowed_networks.iter().any(|network| network.value.contains(*address));
                (!inside).then(|| format!("host {address} is in none of the allowed_networks"))
            }
            Host::Name(name) => {
                let mut domains = cassandra.allowed_domains.iter();
                let inside = domains.any(|domain| is_in_domain(name, &domain.value.to_ascii_lowercase()));
                (!inside).then(|| format!("host {name} is in none of the allowed_domains"))
            }
        };
        if let Some(message) = message {
            fields.wrong(host.place, Code::Network, message);
        }
    }
}

fn groups(node: &Node, findings: &RefCell<Findings>) -> Option<ConsumerGroups> {
    let fields = Fields::of(node, "consumer_groups", &["dq", "hash", "audit", "drift"], findings)?;
    let (dq, hash, audit) =
        (fields.required_text("dq"), fields.required_text("hash"), fields.required_text("audit"));
    let drift = match fields.get("drift") {
        Some(_) => fields.text("drift"),
        None => {
            audit.clone().map(|Placed { value, place }| Placed { value: format!("{value}-drift"), place })
        }
    };
    Some(ConsumerGroups { dq: dq?, hash: hash?, audit: audit?, drift: drift? })
}

fn checkpoints(node: &Node, findings: &RefCell<Findings>) -> Option<Checkpoints> {
    let fields = Fields::of(node, "checkpoints", &["directory", "interval"], findings)?;
    let directory = fields.required_text("directory")?;
    if !directory.value.contains("://") {
        let message = "directory: expected a URI (file:///var/lib/flink/onprem, s3://bucket/onprem)";
        fields.wrong(directory.place, Code::Value, message);
    }
    fields.required("interval");
    let interval_s = fields.seconds("interval").filter(|seconds| {
        let ok = *seconds <= 600;
        if !ok {
            let message =
                "interval: at most 10m: everything since the last checkpoint is done again after a failure";
            fields.wrong(fields.place(), Code::Value, message);
        }
        ok
    });
    Some(Checkpoints { directory, interval_s: interval_s? })
}

/// What Cassandra takes for the name of a keyspace.
fn is_keyspace(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=48).contains(&text.len()) && text.bytes().all(is_part)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}
