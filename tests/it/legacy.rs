//! Segments from Apache Cassandra's own tests, with the counts and losses that its tests expect.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ruzstd::decoding::StreamingDecoder;

use crate::program::{agent, fixtures, json_lines, stderr, stdout};

/// A folder of the archive, unpacked once.
pub(crate) fn folder(name: &str) -> PathBuf {
    static UNPACKED: OnceLock<tempfile::TempDir> = OnceLock::new();
    let dir = UNPACKED.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let archive =
            File::open(fixtures().join("legacy/legacy-commitlog.tar.zst")).expect("the archive exists");
        let mut plain = Vec::new();
        let mut decoder = StreamingDecoder::new(BufReader::new(archive)).expect("the archive is zstd");
        decoder.read_to_end(&mut plain).expect("the archive is whole");
        tar::Archive::new(plain.as_slice()).unpack(dir.path()).expect("the archive is tar");
        dir
    });
    dir.path().join(name)
}

/// Cassandra's published test key: alias `testing:1` of `test/conf/cassandra.keystore`.
pub(crate) fn key_file(dir: &Path) -> PathBuf {
    let path = dir.join("key.hex");
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
    file.and_then(|mut file| file.write_all(b"b7d96fb9b11d829179aeeb0b4e81f97a\n"))
        .expect("the key can be written");
    path
}

/// Folder, version, sections, sections lost, good mutations, lost bytes, lost mutations, exit code.
type Expected = (&'static str, u64, u64, u64, u64, u64, Option<u64>, i32);

/// The counts stand in `cdc_fixtures/legacy/README.md`. Where they come from: the sections, mutations and losses
/// are those that Cassandra's tests state; the lost bytes are the distance of the section's markers, and for
/// the single frame its length and checksums.
const EXPECTED: [Expected; 8] = [
    ("2.2-lz4", 5, 465, 0, 6134, 0, Some(0), 0),
    ("2.2-lz4-bitrot", 5, 464, 0, 6133, 321, Some(1), 3),
    ("2.2-lz4-bitrot2", 5, 463, 1, 6119, 2159, None, 3),
    ("2.2-lz4-truncated", 5, 462, 1, 6119, 1933, None, 3),
    ("3.0.13-encrypted", 6, 3, 0, 1480, 0, Some(0), 0),
    ("3.0.29-encrypted", 6, 15, 0, 176, 0, Some(0), 0),
    ("3.4-encrypted", 6, 3, 0, 14562, 0, Some(0), 0),
    ("4.0.11-encrypted", 7, 4, 0, 358, 0, Some(0), 0),
];

#[test]
fn verify_counts_what_is_good_and_what_is_lost() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let key = key_file(dir.path());
    for (name, version, sections, sections_lost, mutations, lost_bytes, lost_mutations, exit) in EXPECTED {
        let output = agent([
            "verify".into(),
            folder(name).into_os_string(),
            "--json".into(),
            "--commitlog-key-hex-file".into(),
            key.clone().into_os_string(),
        ]);
        assert_eq!(output.status.code(), Some(exit), "{name}");
        let lines = json_lines(&output);
        let (total, segments) = lines.split_last().expect("there are lines");
        assert!(segments.iter().all(|segment| segment["version"] == version), "{name}");
        assert_eq!(total["sections"], sections, "{name}");
        assert_eq!(total["sections_lost"], sections_lost, "{name}");
        assert_eq!(total["mutations"], mutations, "{name}");
        assert_eq!(total["lost_bytes"], lost_bytes, "{name}");
        assert_eq!(total["lost_mutations_all_known"], lost_mutations.is_some(), "{name}");
        assert_eq!(total["lost_mutations"], lost_mutations.unwrap_or(0), "{name}");
    }
}

#[test]
fn the_key_of_an_encrypted_segment_comes_from_a_keystore() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let password = dir.path().join("password");
    std::fs::write(&password, "cassandra\n").expect("the password can be written");
    let run = |arguments: &[(&str, &Path)]| {
        let named = arguments.iter().flat_map(|(name, path)| [name.into(), path.as_os_str().to_owned()]);
        agent(["verify".into(), folder("3.4-encrypted").into_os_string()].into_iter().chain(named))
    };
    let keystore = fixtures().join("legacy/cassandra.keystore");
    let output = run(&[("--keystore", &keystore), ("--keystore-password-file", &password)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("mutations 14562"), "{}", stdout(&output));

    let output = run(&[]);
    assert_eq!(output.status.code(), Some(4));
    assert!(stdout(&output).contains("pass --keystore"), "{}", stdout(&output));

    let output = run(&[("--keystore", &keystore)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("CDC_AGENT_KEYSTORE_PASSWORD"), "{}", stderr(&output));

    std::fs::write(&password, "wrong").expect("the password can be written");
    let output = run(&[("--keystore", &keystore), ("--keystore-password-file", &password)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("wrong store password"), "{}", stderr(&output));
}
