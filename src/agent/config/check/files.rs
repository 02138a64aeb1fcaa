//! Files that the options name: they can be read, and those with secrets not by everybody.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::agent::doctor::finding::Finding;
use crate::agent::exit::Exit;
use crate::cli::RunOptions;

/// Permission bits of users that are neither the owner nor in its group.
const OTHERS: u32 = 0o007;

pub(super) fn check(options: &RunOptions, findings: &mut Vec<Finding>) {
    for (key, path, is_secret) in named(options) {
        findings.extend(file(key, path, is_secret));
    }
}

/// Every file that an option names, and whether it holds a secret.
fn named(options: &RunOptions) -> impl Iterator<Item = (&'static str, &Path, bool)> {
    let (settings, cassandra) = (&options.settings, &options.live.cassandra);
    let (kafka, keys) = (&settings.kafka, &settings.keys);
    let files: [(&'static str, &Option<PathBuf>, bool); 15] = [
        ("schema_file", &cassandra.schema, false),
        ("cassandra_password_file", &cassandra.password_file, true),
        ("cassandra_ssl_ca_file", &cassandra.ssl_ca_file, false),
        ("cassandra_ssl_certificate_file", &cassandra.ssl_certificate_file, false),
        ("cassandra_ssl_key_file", &cassandra.ssl_key_file, true),
        ("column_hash_key_file", &settings.filter.hash_key_file, true),
        ("commitlog_key_hex_file", &keys.commitlog_key_hex_file, true),
        ("keystore", &keys.keystore, true),
        ("keystore_password_file", &keys.keystore_password_file, true),
        ("key_password_file", &keys.key_password_file, true),
        ("kafka_sasl_password_file", &kafka.sasl_password_file, true),
        ("kafka_oauth_token_file", &kafka.oauth_token_file, true),
        ("kafka_ssl_ca_file", &kafka.ssl_ca_file, false),
        ("kafka_ssl_key_file", &kafka.ssl_key_file, true),
        ("kafka_ssl_key_password_file", &kafka.ssl_key_password_file, true),
    ];
    let certificate = ("kafka_ssl_certificate_file", kafka.ssl_certificate_file.as_deref(), false);
    let files = files.into_iter().map(|(key, path, is_secret)| (key, path.as_deref(), is_secret));
    files.chain([certificate]).filter_map(|(key, path, is_secret)| Some((key, path?, is_secret)))
}

fn file(key: &'static str, path: &Path, is_secret: bool) -> Option<Finding> {
    let shown = path.display();
    let metadata = match File::open(path).and_then(|file| file.metadata()) {
        Ok(metadata) => metadata,
        Err(error) => {
            return Some(Finding::fail(
                "config.files",
                Exit::Usage,
                format!("{key}: cannot read {shown}: {error}"),
                "check the path, and that the agent's user may read the file and search its folders",
            ));
        }
    };
    if metadata.is_dir() {
        let found = format!("{key}: {shown} is a directory");
        return Some(Finding::fail("config.files", Exit::Usage, found, "name a file"));
    }
    let mode = metadata.mode();
    (is_secret && mode & OTHERS != 0).then(|| {
        Finding::warn(
            "config.files",
            format!("{key}: every user may open {shown}, which holds a secret (mode {:04o})", mode & 0o7777),
            format!("chmod o= {shown}"),
        )
    })
}
