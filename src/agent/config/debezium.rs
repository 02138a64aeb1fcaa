//! The properties of Debezium's Cassandra connector (3.5) → options of this program.

use super::new_file::quoted;
use super::properties::Property;

/// A configuration file, and what to know of it.
#[derive(Debug)]
pub(super) struct Imported {
    pub(super) text: String,
    pub(super) notes: Vec<String>,
}

/// What becomes of a property.
enum Fate {
    /// `key = value`, and what differs.
    Option(&'static str, String, Option<&'static str>),
    /// Nothing, because.
    Ignored(&'static str),
}

/// Makes a configuration file of a connector's properties.
pub(super) fn import(properties: &[Property]) -> Imported {
    let mut notes = Vec::new();
    let mut text = String::from(
        "# From the properties of Debezium's Cassandra connector. `cdc-agent config check --config FILE` checks it.\n\
         # Records have the connector's shape; profile \"flat\" (the default) has more in it.\nprofile = \"debezium-cassandra\"\n",
    );
    let mut producer = Vec::new();
    for property in properties {
        let Property { key, value, line } = property;
        let place = format!("line {line}: {key}");
        if let Some(name) = key.strip_prefix("kafka.producer.") {
            match kafka(name, value) {
                Fate::Option("kafka_option", value, note) => {
                    producer.push(value);
                    notes.extend(note.map(|note| format!("{place}: {note}")));
                }
                fate => settle(fate, &place, &mut text, &mut notes),
            }
        } else {
            settle(fate(key, value), &place, &mut text, &mut notes);
        }
    }
    if !producer.is_empty() {
        let options: Vec<String> = producer.iter().map(|option| quoted(option)).collect();
        text.push_str(&format!("kafka_option = [{}]\n", options.join(", ")));
    }
    if !properties.iter().any(|property| property.key == "kafka.producer.bootstrap.servers") {
        notes.push("kafka.producer.bootstrap.servers is missing: set kafka_bootstrap_servers".to_owned());
    }
    text.push_str(
        "\n# Not in the connector's properties; see docs/configuration.md:\n#cdc_raw_directory = \
         \"/var/lib/cassandra/cdc_raw\"\n#state_directory = \"/var/lib/cdc-agent\"\n#cassandra_username = \"cdc_agent\"\n\
         ",
    );
    if !properties.iter().any(|property| property.key == "cassandra.cluster.name") {
        text.push_str("#cluster = \"\"\n");
    }
    text.push_str("#dc = \"\"\n#host_id = \"\"\n");
    Imported { text, notes }
}

fn settle(fate: Fate, place: &str, text: &mut String, notes: &mut Vec<String>) {
    match fate {
        Fate::Option(key, value, note) => {
            text.push_str(&format!("{key} = {value}\n"));
            notes.extend(note.map(|note| format!("{place}: becomes {key}: {note}")));
        }
        Fate::Ignored(why) => notes.push(format!("{place}: ignored: {why}")),
    }
}

fn fate(key: &str, value: &str) -> Fate {
    let word = value.to_ascii_lowercase();
    match key {
        "topic.prefix" => match crate::envelope::topic::is_prefix(value) {
            true => Fate::Option("topic_prefix", quoted(value), None),
            false => Fate::Ignored("it has characters that Kafka does not take; set topic_prefix"),
        },
        "tombstones.on.delete" if matches!(word.as_str(), "true" | "false") => {
            Fate::Option("tombstones_on_delete", word, None)
        }
        "decimal.handling.mode" if matches!(word.as_str(), "precise" | "double" | "string") => {
            Fate::Option("decimal_handling", quoted(&word), None)
        }
        "varint.handling.mode" if matches!(word.as_str(), "precise" | "long" | "string") => {
            Fate::Option("varint_handling", quoted(&word), None)
        }
        "field.exclude.list" => Fate::Option("field_exclude_list", list(value), None),
        "table.include.list" => Fate::Option(
            "table_include_list",
            list(value),
            Some(
                "exact names of tables here, no regular expressions; the connector itself has no such filter",
            ),
        ),
        "table.exclude.list" => Fate::Option(
            "table_exclude_list",
            list(value),
            Some(
                "exact names of tables here, no regular expressions; the connector itself has no such filter",
            ),
        ),
        "cassandra.cluster.name" => Fate::Option(
            "cluster",
            quoted(value),
            Some("every record carries it, and the agent refuses a node of another cluster"),
        ),
        "http.port" if value.parse::<u16>().is_ok() => Fate::Option(
            "http_address",
            quoted(&format!("127.0.0.1:{value}")),
            Some("only this machine can reach it; other paths: /livez, /readyz, /metrics (Prometheus)"),
        ),
        "cassandra.hosts" => {
            let first = value.split(',').next().unwrap_or_default().trim();
            let note = "the node beside the agent, only one; of several the first is taken";
            Fate::Option("cassandra_host", quoted(first), Some(note))
        }
        "cassandra.username" => Fate::Option(
            "cassandra_username",
            quoted(value),
            Some("its password is given with cassandra_password_file or CDC_AGENT_CASSANDRA_PASSWORD"),
        ),
        "cassandra.port" if value.parse::<u16>().is_ok_and(|port| port > 0) => {
            Fate::Option("cassandra_port", value.to_owned(), None)
        }
        "commit.log.real.time.processing.enabled" => match word.as_str() {
            "true" => Fate::Option(
                "visibility",
                quoted("synced"),
                Some(
                    "nothing that the node can forget is read, as by the connector; \"marked\" is up to 10 s faster",
                ),
            ),
            _ => Fate::Option(
                "visibility",
                quoted("synced"),
                Some("segments are read while they grow, not only when they are complete"),
            ),
        },
        _ => Fate::Ignored(ignored(key)),
    }
}

/// Why a property has no place here.
fn ignored(key: &str) -> &'static str {
    const REASONS: &[(&str, &str)] = &[
        ("connector.class", "there is one connector"),
        ("connector.name", "the connector does not use it either"),
        ("cassandra.config", "run `cdc-agent config init --cassandra-yaml` with it, and compare"),
        (
            "cassandra.driver.config.file",
            "set cassandra_host, cassandra_port, cassandra_username and cassandra_ssl_…",
        ),
        ("cassandra.node.id", "a node is known by its host id"),
        (
            "commit.log.relocation.dir",
            "segments are deleted when they are committed; finished_segments = \"archive\" with archive_directory keeps them",
        ),
        (
            "commit.log.",
            "segments stay in cdc_raw until they are committed, then finished_segments says what happens",
        ),
        ("cdc.dir.poll.interval.ms", "the directory is watched; nothing waits for a poll"),
        ("latest.commit.log.only", "only for tests"),
        (
            "offset.",
            "checkpoints stand in Kafka together with the records; offsets of the connector are not taken over",
        ),
        ("max.offset.flush.size", "checkpoints are committed with each batch"),
        ("snapshot.", "existing rows are read when asked for, with `cdc-agent snapshot`"),
        ("schema.refresh.interval.ms", "without effect in the connector; see schema_refresh_interval_ms"),
        ("max.queue.size", "see kafka_batch_records and kafka_batch_bytes"),
        ("max.batch.size", "see kafka_batch_records"),
        ("poll.", "see kafka_batch_ms"),
        ("num.of.change.event.queues", "order is kept with any number of partitions"),
        ("event.order.guarantee.mode", "order is kept for each partition key"),
        ("key.converter", "records are JSON; schemas and other formats are not written"),
        ("value.converter", "records are JSON; schemas and other formats are not written"),
        ("tracing.enabled", "there is no tracing"),
        ("sourceinfo.struct.maker", "the source block is fixed"),
        ("topic.heartbeat", "the connector emits none; see heartbeat_interval_ms"),
        ("heartbeat.", "the connector emits none; see heartbeat_interval_ms"),
        ("topic.", "topics are <prefix>.<keyspace>.<table> in this profile"),
        ("schema.name.adjustment.mode", "there are no schemas in the records"),
        ("field.name.adjustment.mode", "without effect in the connector"),
        ("custom.metric.tags", "metrics are Prometheus', with labels of their own"),
        ("tombstones.on.delete", "expected true or false"),
        ("decimal.handling.mode", "expected precise, double or string"),
        ("varint.handling.mode", "expected precise, long or string"),
        ("http.port", "expected a port"),
        ("cassandra.port", "expected a port"),
        ("cassandra.password", "a secret: put it into a file and name that with cassandra_password_file"),
        ("cassandra.ssl", "set cassandra_ssl_ca_file and the others (PEM)"),
        ("converters", "without effect in the connector"),
        ("post.processors", "without effect in the connector"),
        ("skipped.operations", "without effect in the connector"),
        ("signal.", "without effect in the connector"),
        ("notification.", "without effect in the connector"),
        ("incremental.snapshot", "without effect in the connector"),
        ("errors.max.retries", "what can be tried again is tried again without limit"),
    ];
    let found = REASONS.iter().find(|(start, _)| key.starts_with(start));
    found.map_or("no such option is known", |(_, reason)| reason)
}

/// A property of the Java producer.
fn kafka(name: &str, value: &str) -> Fate {
    match name {
        "bootstrap.servers" => Fate::Option("kafka_bootstrap_servers", quoted(value), None),
        "security.protocol" => {
            let word = value.to_ascii_lowercase();
            match word.as_str() {
                "plaintext" | "ssl" | "sasl_plaintext" | "sasl_ssl" => {
                    Fate::Option("kafka_security_protocol", quoted(&word), None)
                }
                _ => Fate::Ignored("expected PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"),
            }
        }
        "sasl.mechanism" => match value {
            "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" => Fate::Option(
                "kafka_sasl_mechanism",
                quoted(value),
                Some("set kafka_sasl_username and kafka_sasl_password_file, which stood in sasl.jaas.config"),
            ),
            "OAUTHBEARER" => {
                Fate::Option("kafka_sasl_mechanism", quoted(value), Some("set kafka_oauth_token_file"))
            }
            _ => Fate::Ignored("PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER are known"),
        },
        "compression.type" => match value {
            "none" | "lz4" | "zstd" => Fate::Option("kafka_compression", quoted(value), None),
            _ => Fate::Ignored("none, lz4 and zstd are known; lz4 is the default"),
        },
        "sasl.jaas.config" => {
            Fate::Ignored("it holds a secret: set kafka_sasl_username and kafka_sasl_password_file")
        }
        "acks"
        | "enable.idempotence"
        | "retries"
        | "transactional.id"
        | "delivery.timeout.ms"
        | "max.in.flight.requests.per.connection"
        | "transaction.timeout.ms"
        | "partitioner.class" => Fate::Ignored("the agent's promises rest on its own value"),
        "key.serializer" | "value.serializer" => Fate::Ignored("records are JSON"),
        "linger.ms"
        | "batch.size"
        | "request.timeout.ms"
        | "client.id"
        | "socket.connection.setup.timeout.ms"
        | "metadata.max.age.ms"
        | "reconnect.backoff.ms"
        | "reconnect.backoff.max.ms"
        | "retry.backoff.ms" => Fate::Option(
            "kafka_option",
            format!("{name}={value}"),
            Some("passed to librdkafka, where its meaning may differ a little from the Java client's"),
        ),
        "max.request.size" => Fate::Option(
            "kafka_option",
            format!("message.max.bytes={value}"),
            Some("becomes kafka_option message.max.bytes"),
        ),
        "buffer.memory" | "max.block.ms" => {
            Fate::Ignored("see kafka_batch_bytes: memory is bounded by the batch")
        }
        _ if name.starts_with("ssl.") => {
            Fate::Ignored("Java key stores are not read: set kafka_ssl_ca_file and the others (PEM)")
        }
        _ => Fate::Ignored("not passed on; librdkafka's options can be given by kafka_option"),
    }
}

/// `a, b` as a list.
fn list(value: &str) -> String {
    let entries: Vec<String> =
        value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(quoted).collect();
    format!("[{}]", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(pairs: &[(&str, &str)]) -> Imported {
        let property = |(number, (key, value)): (usize, &(&str, &str))| Property {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            line: number + 1,
        };
        import(&pairs.iter().enumerate().map(property).collect::<Vec<_>>())
    }

    #[test]
    fn what_has_an_equal_is_taken_over() {
        let found = imported(&[
            ("topic.prefix", "prod"),
            ("tombstones.on.delete", "TRUE"),
            ("decimal.handling.mode", "PRECISE"),
            ("varint.handling.mode", "string"),
            ("field.exclude.list", "shop.users.phone, shop.users.mail"),
            ("cassandra.hosts", "10.0.0.1, 10.0.0.2"),
            ("cassandra.username", "cdc"),
            ("kafka.producer.bootstrap.servers", "b1:9092,b2:9092"),
            ("kafka.producer.linger.ms", "20"),
            ("kafka.producer.compression.type", "zstd"),
            ("kafka.producer.security.protocol", "SASL_SSL"),
        ]);
        for line in [
            "profile = \"debezium-cassandra\"",
            "topic_prefix = \"prod\"",
            "tombstones_on_delete = true",
            "decimal_handling = \"precise\"",
            "varint_handling = \"string\"",
            "cassandra_host = \"10.0.0.1\"",
            "cassandra_username = \"cdc\"",
            "field_exclude_list = [\"shop.users.phone\", \"shop.users.mail\"]",
            "kafka_bootstrap_servers = \"b1:9092,b2:9092\"",
            "kafka_option = [\"linger.ms=20\"]",
            "kafka_compression = \"zstd\"",
            "kafka_security_protocol = \"sasl_ssl\"",
        ] {
            assert!(found.text.lines().any(|other| other == line), "{line}: {}", found.text);
        }
        assert_eq!(found.notes.len(), 3, "{:?}", found.notes);
    }

    #[test]
    fn what_is_ignored_is_named_with_its_reason_and_secrets_are_not_repeated() {
        let found = imported(&[
            ("snapshot.mode", "initial"),
            ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("kafka.producer.sasl.jaas.config", "hunter2"),
            ("cassandra.password", "hunter2"),
            ("kafka.producer.acks", "1"),
            ("no.such.thing", "1"),
            ("decimal.handling.mode", "hunter2"),
        ]);
        assert_eq!(found.notes.len(), 8, "{:?}", found.notes);
        for (note, start) in found.notes.iter().zip(1..=7) {
            assert!(note.starts_with(&format!("line {start}: ")) && note.contains(": ignored: "), "{note}");
        }
        assert!(found.notes[7].starts_with("kafka.producer.bootstrap.servers is missing"));
        assert!(!format!("{found:?}").contains("hunter2"));
    }
}
