//! What the options say about Kafka.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::exit::{Exit, Failure};
use super::keys::password;
use super::log::{self, Level};
use crate::cli::{
    CompressionWord, DeliveryWord, KafkaArgs, MechanismWord, ProtocolWord, RefusedWord, Settings,
};
use crate::config::Secret;
use crate::envelope::topic::side_topic;
use crate::sink::kafka::{
    BatchLimits, ClientOptions, Compression, Delivery, Identity, KafkaOptions, Notice, Observer, Password,
    Refused, SaslMechanism, Security, SecurityProtocol, TopicOptions, Untaken,
};

/// Severity from which on librdkafka's own lines are shown: warnings.
const SHOWN: u8 = 4;
/// Severity of a line of librdkafka's debug log.
const DEBUG: u8 = 7;

/// The options of a Kafka sink for `identity`. `topic` says which topic a table's records go to. Notices are said on
/// standard error.
///
/// # Errors
/// There are no brokers to ask, or the file with a password cannot be read.
pub fn options(
    settings: &Settings,
    identity: Identity,
    topics: impl Fn(&crate::cli::TableName) -> Option<String>,
) -> Result<KafkaOptions, Failure> {
    let args = &settings.kafka;
    let names = &settings.names;
    let servers = args.bootstrap_servers.as_deref().ok_or_else(|| {
        let option = names.of("kafka_bootstrap_servers");
        Failure::new(Exit::Usage, format!("{option} is not given"))
            .next("name one or more brokers: <host>:<port>")
    })?;
    let mut refused_by_topic = std::collections::HashMap::new();
    for entry in &args.refused_tables {
        let topic = topics(&entry.table).ok_or_else(|| {
            let (option, table) = (names.of("kafka_refused_tables"), &entry.table);
            Failure::new(
                Exit::Usage,
                format!("{option}: the schema has no table {}.{}", table.keyspace, table.table),
            )
        })?;
        // What profile debezium has no shape for goes there.
        refused_by_topic.insert(side_topic(&topic), refused(entry.refused));
        refused_by_topic.insert(topic, refused(entry.refused));
    }
    Ok(KafkaOptions {
        delivery: match args.delivery {
            DeliveryWord::ExactlyOnce => Delivery::ExactlyOnce,
            DeliveryWord::AtLeastOnce => Delivery::AtLeastOnce,
        },
        security: security(args)?,
        compression: match args.compression {
            CompressionWord::None => Compression::None,
            CompressionWord::Lz4 => Compression::Lz4,
            CompressionWord::Zstd => Compression::Zstd,
        },
        batch: BatchLimits {
            records: args.batch_records.get(),
            bytes: args.batch_bytes.get(),
            time: Duration::from_millis(args.batch_ms.get()),
        },
        topics: TopicOptions {
            create: args.create_topics,
            partitions: args.topic_partitions.map(Into::into),
            replication: args.topic_replication.map(Into::into),
        },
        refused: refused(args.refused),
        refused_by_topic,
        extra: ClientOptions(
            args.options.iter().map(|option| (option.name.clone(), option.value.clone())).collect(),
        ),
        stop: Arc::new(AtomicBool::new(false)),
        observer: Observer::new(log_notice),
        ..KafkaOptions::new(servers, &settings.source.prefix, identity)
    })
}

/// Says a notice in the log.
pub fn log_notice(notice: &Notice) {
    let Some(level) = level(notice) else { return };
    match notice {
        Notice::LocalCopy { .. } | Notice::PartitionsUnkept { .. } => log::unwritten(&notice.to_string()),
        _ => log::log(level, &notice.to_string()),
    }
}

/// How much a notice matters; `None`: it is not said.
fn level(notice: &Notice) -> Option<Level> {
    Some(match notice {
        // Which the user asked for, with librdkafka's option `debug`; else there are none.
        Notice::Client { level: DEBUG, .. } => Level::Debug,
        Notice::Client { level, .. } if *level > SHOWN => return None,
        Notice::TopicCreated { .. } => Level::Info,
        // There may be thousands a second.
        Notice::DeadLetter { kind: Untaken::Forbidden, .. } => return None,
        Notice::DeadLetter { .. }
        | Notice::Forbidden { .. }
        | Notice::TopicGone { .. }
        | Notice::Unmade { .. } => Level::Error,
        _ => Level::Warn,
    })
}

fn refused(word: RefusedWord) -> Refused {
    match word {
        RefusedWord::Fail => Refused::Fail,
        RefusedWord::DeadLetter => Refused::DeadLetter,
        RefusedWord::Truncate => Refused::Truncate,
    }
}

fn security(args: &KafkaArgs) -> Result<Security, Failure> {
    let secret = |file: &Option<std::path::PathBuf>, secret| {
        password(file.as_deref(), secret).map(|text| text.map(Password::new))
    };
    Ok(Security {
        protocol: match args.security_protocol {
            ProtocolWord::Plaintext => SecurityProtocol::Plaintext,
            ProtocolWord::Ssl => SecurityProtocol::Ssl,
            ProtocolWord::SaslPlaintext => SecurityProtocol::SaslPlaintext,
            ProtocolWord::SaslSsl => SecurityProtocol::SaslSsl,
        },
        mechanism: args.sasl_mechanism.map(|word| match word {
            MechanismWord::Plain => SaslMechanism::Plain,
            MechanismWord::ScramSha256 => SaslMechanism::ScramSha256,
            MechanismWord::ScramSha512 => SaslMechanism::ScramSha512,
            MechanismWord::OauthBearer => SaslMechanism::OauthBearer,
        }),
        username: args.sasl_username.clone(),
        password: secret(&args.sasl_password_file, Secret::KafkaSaslPassword)?,
        token_file: args.oauth_token_file.clone(),
        ca_file: args.ssl_ca_file.clone(),
        certificate_file: args.ssl_certificate_file.clone(),
        key_file: args.ssl_key_file.clone(),
        key_password: secret(&args.ssl_key_password_file, Secret::KafkaSslKeyPassword)?,
        insecure: args.ssl_insecure,
    })
}

#[cfg(test)]
mod tests {
    use clap::{Args, FromArgMatches};

    use super::*;

    #[test]
    fn lines_of_the_client_are_warnings_unless_they_were_asked_for() {
        let of = |number| level(&Notice::Client { level: number, text: String::new() });
        let levels = [3, 4, 5, 6, 7].map(of);
        assert_eq!(levels, [Some(Level::Warn), Some(Level::Warn), None, None, Some(Level::Debug)]);
    }

    #[test]
    fn what_is_said_of_a_table_holds_for_its_side_topic() {
        let command = Settings::augment_args(clap::Command::new("options").no_binary_name(true));
        let words = ["--bootstrap-servers=b:9092", "--refused-table=k.t=dead_letter"];
        let settings = Settings::from_arg_matches(&command.try_get_matches_from(words).unwrap()).unwrap();
        let made = options(&settings, Identity::Job, |table| {
            Some(format!("p.cdc.{}.{}", table.keyspace, table.table))
        });
        let refused = made.unwrap().refused_by_topic;
        let mut topics: Vec<_> = refused.iter().map(|(topic, refused)| (topic.as_str(), *refused)).collect();
        topics.sort_unstable_by_key(|(topic, _)| *topic);
        assert_eq!(topics, [("p.cdc.k.t", Refused::DeadLetter), ("p.cdc.k.t.flat", Refused::DeadLetter)]);
    }
}
