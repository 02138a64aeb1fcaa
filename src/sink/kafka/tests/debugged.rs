//! librdkafka's own log, which its option `debug` asks for.

use super::*;

const SECRETS: [&str; 2] = ["hunter2-of-the-user", "hunter2-of-the-key"];

/// What librdkafka says in detail while it is asked to log in, with this option `debug`.
fn lines(debug: Option<&str>) -> Vec<String> {
    let mock = Mock::new();
    let security = Security {
        protocol: SecurityProtocol::SaslPlaintext,
        mechanism: Some(SaslMechanism::Plain),
        username: Some("agent".to_owned()),
        password: Some(Password::new(SECRETS[0].to_owned())),
        key_password: Some(Password::new(SECRETS[1].to_owned())),
        ..Security::default()
    };
    let extra = ClientOptions(debug.iter().map(|value| ("debug".to_owned(), (*value).to_owned())).collect());
    let start_timeout = Duration::from_secs(1);
    // This broker knows no SASL.
    let options = KafkaOptions { security, extra, start_timeout, ..mock.options(Delivery::ExactlyOnce) };
    KafkaSink::open(options).unwrap_err();
    let notices = mock.notices.lock().unwrap();
    let text = |notice: &Notice| match notice {
        Notice::Client { level: 7, text } => Some(text.clone()),
        _ => None,
    };
    notices.iter().filter_map(text).collect()
}

#[test]
fn its_lines_are_told_when_they_are_asked_for_and_hold_no_secret() {
    assert_eq!(lines(None), [""; 0]);
    let told = lines(Some("all"));
    let has = |text: &str| told.iter().any(|line| line.contains(text));
    assert!(has("Sent ApiVersionRequest") && has("SASL mechanism PLAIN"), "{told:?}");
    assert!(!SECRETS.iter().any(|secret| has(secret)), "{told:?}");
}
