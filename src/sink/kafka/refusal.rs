//! Brokers that do not let the agent in: how librdkafka tells it, and what to do about it.

/// What stands in the line of librdkafka's log that tells why a connection is refused. The error callback can come half a
/// minute later (`rd_kafka_broker_set_error` of rdkafka_broker.c).
const REFUSALS: [&str; 4] = [
    "SASL authentication error",
    "Unsupported SASL mechanism",
    "SSL handshake failed",
    // With TLS 1.3 the handshake is over when the broker looks at the agent's certificate.
    "SSL alert number",
];

/// What of a reason says what to do. The first that it holds counts.
const ADVICE: [(&str, &str); 6] = [
    (
        "kafka_oauth_token_file",
        "write a good token into that file; it is read again before the one in it expires",
    ),
    (
        "Unsupported SASL mechanism",
        "set kafka_sasl_mechanism to one that the brokers take at this port, which is said above",
    ),
    (
        "SASL authentication error",
        "check kafka_sasl_mechanism, kafka_sasl_username and the password (kafka_sasl_password_file), or the token \
         (kafka_oauth_token_file)",
    ),
    (
        "certificate verify failed",
        "give kafka_ssl_ca_file the certificates of the authority that signed the brokers', and see to it that their names \
         in kafka_bootstrap_servers and advertised.listeners are those in their certificates",
    ),
    (
        "SSL alert number",
        "the brokers want a certificate of an authority that they trust: give kafka_ssl_certificate_file and \
         kafka_ssl_key_file",
    ),
    ("PLAINTEXT broker listener", "check kafka_security_protocol: brokers speak no TLS at this port"),
];

/// Why a line of librdkafka's log says that a connection was refused: `[thrd:<thread>]: <broker>: <reason>`.
pub(super) fn reason(line: &str) -> Option<&str> {
    REFUSALS.iter().any(|words| line.contains(words)).then(|| {
        let behind_thread = line.split_once("]: ").map_or(line, |(_, rest)| rest);
        behind_thread.split_once(": ").map_or(behind_thread, |(_, reason)| reason)
    })
}

/// What to do about a reason.
pub(super) fn advice(reason: &str) -> &'static str {
    let known = ADVICE.iter().find(|(words, _)| reason.contains(words));
    known.map_or("check kafka_security_protocol, user, password and certificates", |(_, advice)| advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of librdkafka 2.12.1 in front of Kafka 3.9, and what their advice must name.
    #[test]
    fn refusals_are_found_in_the_log_and_say_what_to_do() {
        let broker = "ssl://127.0.0.1:22683/bootstrap";
        for (reason_given, names) in [
            (
                "SSL handshake failed: ../ssl/statem/statem_clnt.c:1889:tls_post_process_server_certificate \
                 error:0A000086:SSL routines::certificate verify failed: broker certificate could not be verified (after 9ms \
                 in state SSL_HANDSHAKE)",
                "kafka_ssl_ca_file",
            ),
            (
                "Receive failed: ../ssl/record/rec_layer_s3.c:1601:ssl3_read_bytes error:0A000412:SSL routines::sslv3 alert \
                 bad certificate: SSL alert number 42 (after 6ms in state APIVERSION_QUERY)",
                "kafka_ssl_certificate_file",
            ),
            (
                "SASL authentication error: Authentication failed: Invalid username or password (after 301ms in state \
                 AUTH_REQ)",
                "kafka_sasl_password_file",
            ),
            (
                "SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism: broker's supported mechanisms: \
                 SCRAM-SHA-256",
                "kafka_sasl_mechanism",
            ),
            (
                "SSL handshake failed: Disconnected: SSL connection closed by peer: connecting to a PLAINTEXT broker \
                 listener? (after 3ms in state SSL_HANDSHAKE)",
                "kafka_security_protocol",
            ),
        ] {
            let line = format!("[thrd:{broker}]: {broker}: {reason_given}");
            assert_eq!(reason(&line), Some(reason_given));
            assert!(advice(reason_given).contains(names), "{reason_given}");
        }
        assert_eq!(reason(&format!("[thrd:{broker}]: {broker}: Connect to ipv4#127.0.0.1:9 failed")), None);
    }
}
