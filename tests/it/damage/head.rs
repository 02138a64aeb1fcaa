//! Damage to the descriptor: the segment is refused, with the right reason.

use cdc_agent::commitlog::{Damage, DamageKind, DescriptorError, Segment, SegmentError};

use super::mutant::{Random, SEED};
use super::segment::{Original, read, read_with};
use crate::support::fixture_key;

const FOLDERS: &[&str] = &["4.1-none", "4.1-lz4", "5.0-v8-direct", "5.0-v8-encrypted"];

fn originals() -> impl Iterator<Item = Original> {
    FOLDERS.iter().flat_map(|folder| Original::of(folder))
}

/// Makes the checksum of a descriptor right again.
fn signed(bytes: &mut [u8], head: usize) {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..4]);
    hasher.update(&bytes[8..12]);
    hasher.update(&bytes[4..8]);
    hasher.update(&[0, 0]);
    hasher.update(&bytes[12..head - 4]);
    bytes[head - 4..head].copy_from_slice(&hasher.finalize().to_be_bytes());
}

/// With `text` in the parameters replaced by one of the same length.
fn replaced(original: &Original, text: &str, by: &str) -> Vec<u8> {
    assert_eq!(text.len(), by.len());
    let mut bytes = original.bytes.clone();
    let at = bytes[..original.head].windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    bytes[at..at + text.len()].copy_from_slice(by.as_bytes());
    signed(&mut bytes, original.head);
    bytes
}

fn refused(original: &Original, bytes: &[u8]) -> SegmentError {
    read(bytes, &original.name).expect_err("it must be refused")
}

#[test]
fn the_test_signs_as_cassandra_does() {
    for original in originals() {
        let mut bytes = original.bytes.clone();
        signed(&mut bytes, original.head);
        assert!(bytes == original.bytes, "{}", original.name);
    }
}

#[test]
fn every_flipped_bit_is_found() {
    for original in originals() {
        for bit in 0..original.head * 8 {
            let mut bytes = original.bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            match refused(&original, &bytes) {
                SegmentError::Descriptor(DescriptorError::Version(_)) => assert!(bit < 32, "bit {bit}"),
                // The length of the parameters reaches behind a small file's end.
                SegmentError::Descriptor(DescriptorError::Short { .. }) => {
                    assert!((96..112).contains(&bit), "bit {bit}");
                }
                error => assert_eq!(error.damage_kind(), Some(DamageKind::DescriptorChecksum), "bit {bit}"),
            }
        }
    }
}

#[test]
fn a_file_that_ends_in_its_descriptor_is_short() {
    for original in originals() {
        for cut in 0..original.head {
            let error = refused(&original, &original.bytes[..cut]);
            assert_eq!(error, SegmentError::Descriptor(DescriptorError::Short { length: cut }));
        }
        assert!(read(&original.bytes[..original.head], &original.name).unwrap().sections.is_empty());
    }
}

#[test]
fn a_segment_that_was_never_written_is_blank() {
    let original = originals().next().unwrap();
    let zeros = vec![0; 1 << 20];
    assert_eq!(refused(&original, &zeros), SegmentError::Descriptor(DescriptorError::Blank));
}

#[test]
fn random_bytes_in_the_descriptor_are_refused() {
    for original in originals() {
        for case in 0..500 {
            let mut random = Random::new(case);
            let mut bytes = original.bytes.clone();
            for byte in &mut bytes[..original.head] {
                *byte = u8::try_from(random.next() & 0xFF).unwrap();
            }
            assert!(read(&bytes, &original.name).is_err(), "{} seed {SEED:#x} case {case}", original.name);
        }
    }
}

#[test]
fn another_segments_id_under_this_name_is_a_mismatch() {
    for original in originals() {
        let mut bytes = original.bytes.clone();
        bytes[11] ^= 1;
        signed(&mut bytes, original.head);
        let error = refused(&original, &bytes);
        assert!(matches!(error, SegmentError::NameMismatch { .. }), "{error}");
        assert_eq!(error.damage_kind(), Some(DamageKind::DescriptorMismatch));
    }
}

#[test]
fn another_version_is_a_mismatch_and_an_unknown_one_is_named() {
    for original in originals() {
        for version in [-1, 0, 1, 3, 6, 9, i32::MAX] {
            let mut bytes = original.bytes.clone();
            bytes[..4].copy_from_slice(&version.to_be_bytes());
            signed(&mut bytes, original.head);
            match refused(&original, &bytes) {
                SegmentError::NameMismatch { version: 6, .. } => assert_eq!(version, 6),
                SegmentError::Descriptor(DescriptorError::Version(found)) => assert_eq!(found, version),
                error => panic!("version {version}: {error}"),
            }
        }
    }
}

#[test]
fn an_unknown_compressor_is_named() {
    for original in Original::of("4.1-lz4") {
        let error = refused(&original, &replaced(&original, "LZ4Compressor", "LZ5Compressor"));
        assert_eq!(error.damage_kind(), Some(DamageKind::DescriptorParameters));
        assert!(error.to_string().contains("LZ5Compressor"), "{error}");
    }
}

#[test]
fn parameters_that_are_no_json_are_refused() {
    for original in originals() {
        let mut bytes = original.bytes.clone();
        bytes[14] = b'[';
        signed(&mut bytes, original.head);
        assert_eq!(refused(&original, &bytes).damage_kind(), Some(DamageKind::DescriptorParameters));
    }
}

#[test]
fn an_unknown_cipher_is_named_and_is_no_damage() {
    for original in Original::of("5.0-v8-encrypted") {
        let error = refused(&original, &replaced(&original, "CBC", "ECB"));
        assert!(matches!(error, SegmentError::Cipher(_)), "{error}");
        assert!(error.to_string().contains("/ECB/"), "{error}");
        assert_eq!(error.damage_kind(), None);
    }
}

#[test]
fn a_missing_key_is_no_damage_and_a_wrong_one_loses_every_section() {
    for original in Original::of("5.0-v8-encrypted") {
        let name = original.name.parse().unwrap();
        let error = Segment::open(&original.bytes, Some(name), &|_| None).unwrap_err();
        assert!(matches!(error, SegmentError::NoKey { .. }), "{error}");
        let outcome = read_with(&original.bytes, &original.name, &|_| Some(vec![7; 16])).unwrap();
        assert!(outcome.mutations().is_empty());
        let with_data = original.sections.iter().filter(|section| !section.frames.is_empty()).count();
        assert_eq!(outcome.damages.len(), with_data);
        assert!(outcome.damages.iter().all(|damage| damage.kind == DamageKind::SectionBody));
        // The reasons tell more than the kind.
        let says = |damage: &Damage| damage.reason.as_deref().is_some_and(|it| it.contains("the key is not"));
        assert!(outcome.damages.iter().any(says), "{:?}", outcome.damages);
    }
}

#[test]
fn a_changed_vector_loses_every_section() {
    for original in Original::of("5.0-v8-encrypted") {
        let json = String::from_utf8_lossy(&original.bytes[14..original.head - 4]).into_owned();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let iv = json["encIV"].as_str().unwrap();
        let changed: String = iv.chars().rev().collect();
        let outcome = read(&replaced(&original, iv, &changed), &original.name).unwrap();
        assert!(outcome.mutations().is_empty());
    }
}

#[test]
fn the_right_key_reads_everything() {
    for original in Original::of("5.0-v8-encrypted") {
        let outcome = read_with(&original.bytes, &original.name, &fixture_key).unwrap();
        assert!(outcome.mutations() == original.mutations(|_, _| false));
    }
}
