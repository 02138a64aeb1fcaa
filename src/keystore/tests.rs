//! Against keystores made by `keytool` and read by Java (`cdc_fixtures/keystores`), Cassandra's own test
//! keystore, and damaged ones.

use super::*;

const KEYSTORES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cdc_fixtures/keystores");
const LEGACY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cdc_fixtures/legacy/cassandra.keystore");
/// What Java finds: lines of file, alias, algorithm, key.
const KEYS: &str = include_str!("../../cdc_fixtures/keystores/keys.txt");

fn keystore(name: &str) -> PathBuf {
    Path::new(KEYSTORES).join(name)
}

/// The AES keys that Java finds in a keystore.
fn expected(name: &str) -> Vec<(&'static str, Vec<u8>)> {
    let lines = KEYS.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    lines
        .filter(|fields| fields[0] == name && fields[2] == "AES")
        .map(|fields| (fields[1], hex::decode(fields[3]).unwrap()))
        .collect()
}

fn assert_as_java(name: &str, key_password: Option<&str>) {
    let keys = CommitLogKeys::from_keystore(&keystore(name), "storepass", key_password).unwrap();
    let expected = expected(name);
    assert!(!expected.is_empty());
    assert_eq!(
        keys.aliases().collect::<Vec<_>>(),
        expected.iter().map(|(alias, _)| *alias).collect::<Vec<_>>()
    );
    for (alias, key) in expected {
        assert_eq!(keys.key(alias), Some(&key[..]), "{name} {alias}");
    }
    assert_eq!(keys.key("no such alias"), None);
}

fn refused(path: &Path, store_password: &str, key_password: Option<&str>) -> KeyFault {
    CommitLogKeys::from_keystore(path, store_password, key_password).unwrap_err().fault
}

fn written(content: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    file
}

fn from_hex(text: &str) -> Result<CommitLogKeys, KeyError> {
    CommitLogKeys::from_hex_file(written(text.as_bytes()).path())
}

#[test]
fn cassandras_own_test_keystore() {
    let keys = CommitLogKeys::from_keystore(Path::new(LEGACY), "cassandra", None).unwrap();
    assert_eq!(keys.aliases().collect::<Vec<_>>(), ["testing:1", "testing:2"]);
    assert_eq!(keys.key("testing:1").map(hex::encode).as_deref(), Some("b7d96fb9b11d829179aeeb0b4e81f97a"));
}

#[test]
fn jceks_with_several_kinds_of_entries() {
    assert_as_java("several.jceks", None);
    assert_as_java("several.jceks", Some("storepass"));
}

#[test]
fn jceks_with_a_password_for_the_key() {
    assert_as_java("key-password.jceks", Some("keypass123"));
    let fault = refused(&keystore("key-password.jceks"), "storepass", None);
    assert_eq!(fault.to_string(), "holds no AES key that the key password opens (tried: testing:1)");
}

#[cfg(feature = "pkcs12")]
#[test]
fn pkcs12_made_by_keytool_and_imported_from_jceks() {
    assert_as_java("several.p12", None);
    assert_as_java("imported.p12", None);
    for password in ["", "wrong", "Storepass"] {
        assert!(matches!(refused(&keystore("several.p12"), password, None), KeyFault::Pkcs12(_)));
    }
}

/// The keystores and key files beside the encrypted segments.
#[test]
fn the_keys_of_the_fixture_segments_from_each_kind_of_file() {
    let folder = Path::new(KEYSTORES).join("../keys");
    let expected = ["aes128.key.hex", "aes256.key.hex"].map(|name| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let keys = CommitLogKeys::from_hex_file(&folder.join(name)).unwrap();
        assert_eq!(keys.key("fixture:1").map(hex::encode).as_deref(), Some(text.trim()));
        text.trim().to_owned()
    });
    let names = [
        "keystore.jceks",
        #[cfg(feature = "pkcs12")]
        "keystore.p12",
    ];
    for name in names {
        let keys = CommitLogKeys::from_keystore(&folder.join(name), "throw-away", None).unwrap();
        let found = ["fixture:1", "fixture:256"].map(|alias| hex::encode(keys.key(alias).unwrap()));
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn aliases_are_the_same_in_any_case() {
    let keys = CommitLogKeys::from_keystore(&keystore("several.jceks"), "storepass", None).unwrap();
    assert!(keys.key("Upper:Case").is_some());
    assert_eq!(keys.key("Upper:Case"), keys.key("upper:case"));
}

#[test]
fn a_wrong_store_password_is_told_apart() {
    for password in ["", "wrong", "Storepass", "störepass"] {
        assert!(matches!(refused(&keystore("several.jceks"), password, None), KeyFault::StorePassword));
    }
}

#[test]
fn what_holds_no_secret_keys_is_refused_with_a_reason() {
    assert!(matches!(refused(&keystore("plain.jks"), "storepass", None), KeyFault::Jks));
    for content in [&b""[..], b"abc", b"b7d96fb9b11d829179aeeb0b4e81f97a", &[0xCE, 0xCE, 0xCE]] {
        assert!(matches!(refused(written(content).path(), "x", None), KeyFault::UnknownKind));
    }
    assert!(matches!(refused(Path::new("/no/such/keystore"), "x", None), KeyFault::Io(_)));
}

#[test]
fn every_truncation_and_every_changed_byte_of_a_jceks_keystore_is_found() {
    let content = std::fs::read(LEGACY).unwrap();
    for cut in 0..content.len() {
        assert!(read_entries(&content[..cut], "cassandra", "cassandra").is_err(), "cut at {cut}");
    }
    for at in 0..content.len() {
        let mut changed = content.clone();
        changed[at] ^= 0x10;
        assert!(read_entries(&changed, "cassandra", "cassandra").is_err(), "changed at {at}");
    }
}

/// The same with a digest that fits again, so that the damage reaches the parsers.
#[test]
fn damaged_entries_are_refused_or_closed_and_never_panic() {
    use sha1::{Digest, Sha1};
    let content = std::fs::read(LEGACY).unwrap();
    let (body, _) = content.split_at(content.len() - 20);
    let sign = |body: &[u8]| {
        let password: Vec<u8> = "cassandra".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let digest =
            Sha1::new().chain_update(password).chain_update("Mighty Aphrodite").chain_update(body).finalize();
        [body, &digest[..]].concat()
    };
    assert_eq!(sign(body), content, "the digest is computed as the keystore's");
    let mut whole = 0;
    for at in 0..body.len() {
        for change in [0x01_u8, 0x80, 0xFF] {
            let mut changed = body.to_vec();
            changed[at] ^= change;
            // The count of iterations is bounded, and still too long for this many runs.
            let grown_iterations = (0x112..0x116).contains(&at) || (0x2E7..0x2EB).contains(&at);
            if !grown_iterations {
                whole += usize::from(read_entries(&sign(&changed), "cassandra", "cassandra").is_ok());
            }
        }
        assert!(read_entries(&sign(&body[..at]), "cassandra", "cassandra").is_err(), "cut at {at}");
    }
    assert!(whole > 0, "changes of dates and aliases leave a keystore whole");
}

#[cfg(feature = "pkcs12")]
#[test]
fn damaged_pkcs12_is_refused_or_read_and_never_panics() {
    let content = std::fs::read(keystore("imported.p12")).unwrap();
    for cut in 0..content.len() {
        assert!(read_entries(&content[..cut], "storepass", "storepass").is_err(), "cut at {cut}");
    }
}

#[test]
fn a_hex_file_with_one_key_for_every_alias() {
    let keys = from_hex("# Cassandra's test key\n\n  b7d96fb9b11d829179aeeb0b4e81f97a \r\n").unwrap();
    for alias in ["testing:1", "anything"] {
        assert_eq!(keys.key(alias).map(hex::encode).as_deref(), Some("b7d96fb9b11d829179aeeb0b4e81f97a"));
    }
}

#[test]
fn a_hex_file_with_a_key_for_each_alias() {
    let (a, b) = ("00".repeat(16), "AB".repeat(32));
    let keys = from_hex(&format!("testing:1={a}\nOther = {b}\n")).unwrap();
    assert_eq!(keys.key("testing:1"), Some(&[0; 16][..]));
    assert_eq!(keys.key("other"), Some(&[0xAB; 32][..]));
    assert_eq!(keys.key("third"), None);
}

#[test]
fn a_hex_file_that_is_wrong_says_where_and_not_what() {
    for (text, line) in [
        ("b7d9", 1),
        ("# key\nzz".to_owned().as_str(), 2),
        (&format!("{}\n{}", "00".repeat(16), "11".repeat(16)), 2),
        (&format!("a={0}\n\nA={0}", "00".repeat(16)), 3),
        ("a=", 1),
    ] {
        let error = from_hex(text).unwrap_err();
        assert!(matches!(error.fault, KeyFault::HexFile { line: found, .. } if found == line), "{error}");
        assert!(!error.to_string().contains("b7d9"));
    }
    assert!(matches!(from_hex("# nothing\n").unwrap_err().fault, KeyFault::NoAesKey { .. }));
    let no_text = CommitLogKeys::from_hex_file(written(&[0xFF; 40]).path());
    assert!(matches!(no_text.unwrap_err().fault, KeyFault::HexFile { line: 1, .. }));
}

#[test]
fn a_file_longer_than_any_keystore_is_refused() {
    let file = written(&[0xCE]);
    file.as_file().set_len(LONGEST_FILE + 1).unwrap();
    assert!(matches!(refused(file.path(), "x", None), KeyFault::TooLong));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    let file = written("00".repeat(16).as_bytes());
    for (mode, warnings) in [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1)] {
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let keys = CommitLogKeys::from_hex_file(file.path()).unwrap();
        assert_eq!(keys.warnings().len(), warnings, "{mode:o}");
    }
}

#[test]
fn keys_are_not_shown() {
    let keys = from_hex(&format!("testing:1={}", "ab".repeat(16))).unwrap();
    assert_eq!(format!("{keys:?}"), r#"CommitLogKeys { aliases: ["testing:1"], any: false, .. }"#);
}
