use super::*;

fn made(yaml: &str) -> String {
    let documents = YamlLoader::load_from_str(yaml).unwrap();
    configuration(&Node(&documents[0]))
}

fn has(text: &str, line: &str) {
    assert!(text.lines().any(|other| other == line), "{line} is not in:\n{text}");
}

#[test]
fn a_plain_node_of_4_0() {
    let text = made(
        "cluster_name: 'Test Cluster'\ncdc_enabled: true\ncdc_raw_directory: /data/cdc_raw\ncommitlog_sync: periodic\n\
         commitlog_sync_period_in_ms: 2000\ncdc_total_space_in_mb: 512\nnative_transport_port: 9142\n\
         rpc_address: 10.0.0.5\nauthenticator: PasswordAuthenticator\n",
    );
    for line in [
        "cluster = \"Test Cluster\"",
        "cdc_raw_directory = \"/data/cdc_raw\"",
        "commitlog_sync_period_ms = 2000",
        "cdc_total_space_mb = 512",
        "cassandra_host = \"10.0.0.5\"",
        "cassandra_port = 9142",
        "#cassandra_username = \"cdc_agent\"",
    ] {
        has(&text, line);
    }
    assert!(!text.contains("keystore") && !text.contains("cdc_enabled"), "{text}");
}

#[test]
fn an_encrypted_node_of_5_0_whose_password_goes_nowhere() {
    let text = made(
        "cdc_enabled: true\ncdc_block_writes: false\ncommitlog_sync: batch\ncdc_total_space: 2GiB\n\
         transparent_data_encryption_options:\n  enabled: true\n  key_alias: testing:1\n  key_provider:\n    \
         - class_name: org.apache.cassandra.security.JKSKeyProvider\n      parameters:\n        - keystore: conf/.keystore\n          \
         keystore_password: hunter2\n          store_type: JCEKS\n          key_password: hunter3\n\
         client_encryption_options:\n  enabled: true\n  optional: false\n  require_client_auth: true\n  keystore_password: hunter4\n",
    );
    for line in [
        "visibility = \"synced\"",
        "cdc_total_space_mb = 2048",
        "cdc_block_writes = false",
        "keystore = \"conf/.keystore\"",
        "keystore_password_file = \"keystore.password\"",
        "key_password_file = \"key.password\"",
        "#cassandra_ssl_ca_file = \"cassandra-ca.pem\"",
        "#cassandra_ssl_key_file = \"cdc-agent.key\"",
    ] {
        has(&text, line);
    }
    assert!(
        text.contains("alias testing:1") && text.contains("deletes the oldest segments unread"),
        "{text}"
    );
    assert!(text.contains("Segments are encrypted") && !text.contains("hunter"), "{text}");
}

#[test]
fn periods_with_units_compression_and_cdc_that_is_off() {
    let text = made("commitlog_sync_period: 500ms\ncommitlog_compression:\n  - class_name: LZ4Compressor\n");
    has(&text, "commitlog_sync_period_ms = 500");
    assert!(
        text.contains("cdc_enabled is not true") && text.contains("compressed (LZ4Compressor)"),
        "{text}"
    );
    has(&text, "cdc_raw_directory = \"/var/lib/cassandra/cdc_raw\"");
    has(&text, "#cassandra_host = \"\"");
}

#[test]
fn what_is_no_cassandra_yaml_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cassandra.yaml");
    let level = |number: usize| {
        format!("l{}: &l{} [{}]\n", number + 1, number + 1, format!("*l{number}, ").repeat(9))
    };
    let bomb = format!("l0: &l0 x\n{}", (0..9).map(level).collect::<String>());
    for text in ["", "- a\n", "a: [", "just words", &bomb] {
        std::fs::write(&path, text).unwrap();
        assert_eq!(file(&path).unwrap_err().exit(), Exit::Usage, "{text}");
    }
    assert_eq!(file(&folder.path().join("none")).unwrap_err().exit(), Exit::Usage);
}

#[test]
fn a_space_that_no_option_takes_is_told_of() {
    let text = made("cdc_total_space_in_mb: 1073741825\n");
    assert!(text.contains("# cdc_total_space is 1073741825 MiB"), "{text}");
    assert!(!text.contains("cdc_total_space_mb ="), "{text}");
}
