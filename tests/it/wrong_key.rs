//! Encrypted segments and a key that is not theirs: nothing can be read, nothing is lost, nothing is done.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use cdc_agent::commitlog::{Segment, SegmentError};
use serde_json::{Value, json};

use crate::program::{agent, fixtures, json_lines, segment, stderr};
use crate::support::fixture_key;

const FOLDERS: [&str; 2] = ["4.1-encrypted", "5.0-v8-encrypted"];

fn right_key() -> PathBuf {
    fixtures().join("keys/aes128.key.hex")
}

/// A key file with another key of the same length.
fn wrong_key(dir: &Path) -> PathBuf {
    let path = dir.join("other.key.hex");
    fs::write(&path, "07".repeat(16)).unwrap();
    path
}

/// Exit code, standard error and summary.
fn replay(segment: &Path, key: &Path, out: &Path) -> (Option<i32>, String, Value) {
    let schema = segment.with_file_name("schema.json");
    let summary = out.with_extension("summary");
    let paths = [segment, &schema, out, &summary, key].map(Path::as_os_str);
    let [segment, schema, out, told, key] = paths;
    let option = |name: &'static str| OsStr::new(name);
    let arguments = [option("replay"), segment, option("--schema"), schema, option("--out"), out];
    let more = [option("--summary"), told, option("--commitlog-key-hex-file"), key];
    let output = agent(arguments.into_iter().chain(more));
    let told = fs::read(&summary).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    (output.status.code(), stderr(&output), serde_json::from_slice(&told).unwrap())
}

fn checkpoint(out: &Path) -> Value {
    let commit: Value = serde_json::from_slice(&fs::read(out.join("commit.json")).unwrap()).unwrap();
    commit["checkpoint"].clone()
}

#[test]
fn a_replay_with_a_wrong_key_loses_nothing_and_the_right_one_reads_all() {
    for folder in FOLDERS {
        let segment = segment(folder);
        let dir = tempfile::tempdir().unwrap();
        let (out, fresh) = (dir.path().join("out"), dir.path().join("fresh"));
        let (_, _, expected) = replay(&segment, &right_key(), &fresh);
        assert!(expected["records"].as_u64().unwrap() > 100, "{expected}");

        for _ in 0..2 {
            let (code, said, summary) = replay(&segment, &wrong_key(dir.path()), &out);
            assert_eq!(code, Some(4), "{said}");
            assert!(said.contains("wrong key?") && said.contains("--commitlog-key-hex-file"), "{said}");
            assert!(!said.contains("LOST"), "{said}");
            assert_eq!(summary["lost"], json!({"sections":0,"bytes":0,"mutations":0,"more_mutations":false}));
            assert_eq!(summary["damage"]["count"], 0, "{summary}");
            assert_eq!(summary["segments"]["unreadable"].as_array().unwrap().len(), 1, "{summary}");
            assert_eq!(checkpoint(&out)["done"], json!({}));
        }
        let (code, said, summary) = replay(&segment, &right_key(), &out);
        assert_eq!((code, &summary["records"]), (Some(0), &expected["records"]), "{folder}: {said}");
        assert_eq!(summary["events"], expected["events"], "{folder}");
        let (code, _, summary) = replay(&segment, &right_key(), &out);
        assert_eq!((code, &summary["segments"]["done_before"]), (Some(0), &json!(1)), "{folder}");
    }
}

#[test]
fn verify_and_inspect_say_that_it_cannot_be_read() {
    for folder in FOLDERS {
        let segment = segment(folder);
        let dir = tempfile::tempdir().unwrap();
        let key = wrong_key(dir.path());
        let [segment, key] = [&segment, &key].map(|path| path.to_str().unwrap());
        let output = agent(["verify", "--json", segment, "--commitlog-key-hex-file", key]);
        let report = &json_lines(&output)[0];
        assert_eq!((output.status.code(), &report["outcome"]), (Some(4), &json!("unreadable")), "{report}");
        assert!(report["reason"].as_str().unwrap().contains("wrong key?"), "{report}");
        assert_eq!((&report["damage"], &report["version"]), (&json!([]), &Value::Null), "{report}");
        let output = agent(["inspect", segment, "--commitlog-key-hex-file", key]);
        assert_eq!(output.status.code(), Some(4));
        assert!(stderr(&output).contains("wrong key?"), "{}", stderr(&output));
        assert!(stderr(&output).contains("\n  next: pass the key"), "{}", stderr(&output));
    }
}

/// With the right key a damaged section is damage, wherever it stands.
#[test]
fn a_damaged_section_is_not_taken_for_a_wrong_key() {
    for folder in FOLDERS {
        let original = segment(folder);
        let name = original.file_name().unwrap();
        let bytes = fs::read(&original).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        let head = 18 + usize::from(u16::from_be_bytes([bytes[12], bytes[13]]));
        let mut changed = bytes.clone();
        // Behind marker, plain length and the chunk's two lengths: ciphertext of the first section.
        changed[head + 24] ^= 1;
        fs::write(&path, &changed).unwrap();
        let [segment, key] = [&path, &right_key()].map(|path| path.to_str().unwrap().to_owned());
        let output = agent(["verify", "--json", &segment, "--commitlog-key-hex-file", &key]);
        let report = &json_lines(&output)[0];
        assert_eq!((output.status.code(), &report["sections_lost"]), (Some(3), &json!(1)), "{report}");
        let damage = &report["damage"][0];
        assert_eq!((&damage["kind"], &damage["offset"]), (&json!("section-body"), &json!(head)), "{report}");
        assert!(damage["reason"].as_str().unwrap().contains("at byte 0 of the section's body"), "{report}");
    }
}

#[test]
fn the_key_is_tried_on_every_section() {
    let original = segment("4.1-encrypted");
    let mut bytes = fs::read(&original).unwrap();
    let wrong = |_: &str| Some(vec![7; 16]);
    let check = |bytes: &[u8], key: &dyn Fn(&str) -> Option<Vec<u8>>| {
        Segment::open(bytes, None, key).unwrap().check_key()
    };
    assert!(matches!(check(&bytes, &wrong), Err(SegmentError::WrongKey { alias }) if alias == "fixture:1"));
    assert_eq!(check(&bytes, &fixture_key), Ok(()));
    // Only the last section with mutations is whole: by the chain of pointers behind the descriptor.
    let mut marker = 18 + usize::from(u16::from_be_bytes([bytes[12], bytes[13]]));
    let head = marker;
    let mut with_chunks = Vec::new();
    while marker < bytes.len() {
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        if word(marker + 8) > 0 {
            with_chunks.push(marker);
        }
        marker = usize::try_from(word(marker)).unwrap();
    }
    assert!(with_chunks.len() > 1);
    for (index, marker) in with_chunks.iter().enumerate() {
        assert_eq!(check(&bytes, &fixture_key), Ok(()), "{index} sections are damaged");
        bytes[marker + 24] ^= 1;
    }
    assert!(check(&bytes, &fixture_key).is_err(), "no section can be decrypted");
    assert_eq!(check(&bytes[..head], &wrong), Ok(()), "nothing was written with any key");
}
