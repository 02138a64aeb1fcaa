//! Against bodies encrypted by another implementation (`cdc_fixtures/blocks`), and against damaged ones.

use sha2::{Digest, Sha256};

use super::*;

const VECTORS: &str = include_str!("../../../cdc_fixtures/blocks/vectors.txt");

struct Vector {
    cipher: SectionCipher,
    name: String,
    plain_length: usize,
    sha256: Vec<u8>,
    stored: Vec<u8>,
}

fn key(bits: u8) -> Vec<u8> {
    (0..bits).collect()
}

fn iv() -> Vec<u8> {
    (100..116).collect()
}

fn vectors() -> Vec<Vector> {
    VECTORS
        .lines()
        .filter(|line| line.starts_with("AES "))
        .map(|line| {
            let fields: Vec<&str> = line.split(' ').collect();
            let bits: u16 = fields[1].parse().unwrap();
            Vector {
                cipher: SectionCipher::new(CIPHER, &key(u8::try_from(bits / 8).unwrap()), &iv()).unwrap(),
                name: format!("AES-{bits} {}", fields[2]),
                plain_length: fields[3].parse().unwrap(),
                sha256: hex::decode(fields[4]).unwrap(),
                stored: hex::decode(fields[5]).unwrap(),
            }
        })
        .collect()
}

fn refused(vector: &Vector, body: &[u8], plain_length: usize) -> BodyError {
    let mut out = b"left over".to_vec();
    let error = vector.cipher.decrypt(body, plain_length, &mut Vec::new(), &mut out).unwrap_err();
    assert!(out.is_empty(), "bytes of a damaged body were left");
    error
}

/// The body with several chunks: 262,144 plain bytes in four.
fn four_chunks() -> Vector {
    vectors().into_iter().find(|vector| vector.plain_length == 262_144).unwrap()
}

#[test]
fn restores_what_another_implementation_encrypted() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 21);
    let (mut scratch, mut out) = (Vec::new(), Vec::new());
    for vector in vectors {
        vector.cipher.decrypt(&vector.stored, vector.plain_length, &mut scratch, &mut out).unwrap();
        assert_eq!(out.len(), vector.plain_length, "{}", vector.name);
        assert_eq!(Sha256::digest(&out).to_vec(), vector.sha256, "{}", vector.name);
    }
}

#[test]
fn takes_no_memory_once_it_has_enough() {
    let vector = four_chunks();
    let (mut scratch, mut out) = (Vec::with_capacity(2000), Vec::with_capacity(vector.plain_length));
    let before = (scratch.as_ptr(), out.as_ptr());
    for _ in 0..3 {
        vector.cipher.decrypt(&vector.stored, vector.plain_length, &mut scratch, &mut out).unwrap();
    }
    assert_eq!(before, (scratch.as_ptr(), out.as_ptr()));
}

#[test]
fn an_error_says_in_which_chunk() {
    let vector = four_chunks();
    let first = 8 + usize::try_from(i32::from_be_bytes(vector.stored[..4].try_into().unwrap())).unwrap();
    let mut body = vector.stored.clone();
    body[first + 8 + 3] ^= 1;
    assert_eq!(refused(&vector, &body, vector.plain_length).offset, first);
}

#[test]
fn no_plain_bytes_have_no_chunks() {
    let vector = four_chunks();
    let mut out = vec![1];
    vector.cipher.decrypt(&[], 0, &mut Vec::new(), &mut out).unwrap();
    assert!(out.is_empty());
    assert_eq!(refused(&vector, &vector.stored, 0).fault, BodyFault::Trailing(vector.stored.len()));
}

#[test]
fn other_plain_lengths_than_the_true_one_are_refused() {
    for vector in vectors() {
        let n = vector.plain_length;
        for lie in [n - 1, n + 1, n / 2, n * 2, n + 65_536, i32::MAX as usize] {
            if lie != n {
                refused(&vector, &vector.stored, lie);
            }
        }
    }
}

#[test]
fn every_truncation_and_any_trailing_byte_are_refused() {
    for vector in vectors() {
        for cut in 0..vector.stored.len() {
            refused(&vector, &vector.stored[..cut], vector.plain_length);
        }
        let longer = [&vector.stored[..], &[0]].concat();
        refused(&vector, &longer, vector.plain_length);
    }
}

/// CBC has no checksum: a changed body may decrypt to other bytes, but never to another length.
#[test]
fn changed_bodies_are_refused_or_keep_their_length() {
    for vector in vectors() {
        let mut out = Vec::new();
        for at in 0..vector.stored.len() {
            let mut body = vector.stored.clone();
            body[at] ^= 1 << (at % 8);
            let done = vector.cipher.decrypt(&body, vector.plain_length, &mut Vec::new(), &mut out).is_ok();
            assert_eq!(out.len(), if done { vector.plain_length } else { 0 });
        }
    }
}

#[test]
fn lengths_of_chunks_are_bounded() {
    let vector = four_chunks();
    for (declared, plain) in [(-1_i32, 10_i32), (0, 10), (i32::MAX, 10), (16, -1), (16, 0), (i32::MIN, 0)] {
        let body = [&declared.to_be_bytes()[..], &plain.to_be_bytes(), &[7; 64]].concat();
        assert_eq!(refused(&vector, &body, 100).offset, 0);
    }
}

#[test]
fn a_wrong_key_or_vector_is_refused() {
    let vector = four_chunks();
    for cipher in
        [SectionCipher::new(CIPHER, &[9; 16], &iv()), SectionCipher::new(CIPHER, &key(16), &[0; 16])]
    {
        let mut out = Vec::new();
        let result = cipher.unwrap().decrypt(&vector.stored, vector.plain_length, &mut Vec::new(), &mut out);
        assert!(result.is_err());
        assert!(out.is_empty());
    }
}

#[test]
fn other_ciphers_keys_and_vectors_are_refused_with_a_reason() {
    let error =
        |cipher: &str, key: &[u8], iv: &[u8]| SectionCipher::new(cipher, key, iv).unwrap_err().to_string();
    assert_eq!(
        error("AES/GCM/NoPadding", &[0; 16], &[0; 12]),
        "the segment is encrypted with `AES/GCM/NoPadding`; only `AES/CBC/PKCS5Padding` can be read"
    );
    assert!(error(CIPHER, &[0; 8], &[0; 16]).contains("this one has 8"));
    assert!(error(CIPHER, &[0; 16], &[0; 12]).contains("has 12 bytes"));
}

#[test]
fn the_key_is_not_shown() {
    let shown = format!("{:?}", SectionCipher::new(CIPHER, &[0xAB; 32], &[0xCD; 16]).unwrap());
    assert_eq!(shown, "SectionCipher { key_bits: 256, .. }");
}
