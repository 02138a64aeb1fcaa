//! JCEKS keystores: Java's own format, in which `keytool -genseckey -storetype JCEKS` keeps secret keys.
//!
//! `u32 magic, u32 version, u32 count`, the entries, and a SHA-1 over password and everything before it. A
//! secret key is a serialized `SealedObject`: the serialized key, encrypted with `PBEWithMD5AndTripleDES`.
//! Source: `JceKeyStore`, `KeyProtector` and `PBES1Core` of the JDK, whose derivation is its own and not that
//! of PKCS#5.

use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use des::TdesEde3;
use md5::Md5;
use nom::bytes::complete::{tag, take};
use nom::multi::{length_count, length_data};
use nom::number::complete::{be_u8, be_u16, be_u32};
use nom::{IResult, Parser};
use sha1::{Digest, Sha1};
use zeroize::{Zeroize, Zeroizing};

use super::java_object::{Object, read_object};
use super::{Entries, KeyFault, Secret, is_aes_key_length};

const DIGEST_LENGTH: usize = 20;
/// What the JDK mixes into the digest.
const WHITENER: &[u8] = b"Mighty Aphrodite";
const ALGORITHM: &str = "PBEWithMD5AndTripleDES";
const SALT_LENGTH: usize = 8;
/// As many as the JDK accepts (`jdk.jceks.iterationCount`).
const MOST_ITERATIONS: u32 = 5_000_000;
const PRIVATE_KEY: u32 = 1;
const CERTIFICATE: u32 = 2;
const SECRET_KEY: u32 = 3;

/// Reads the AES keys of a keystore.
pub(super) fn read(store: &[u8], store_password: &str, key_password: &str) -> Result<Entries, KeyFault> {
    let malformed = |offset, expected| KeyFault::Malformed { offset, expected };
    let end = store.len().saturating_sub(DIGEST_LENGTH);
    let (content, digest) = store
        .split_at_checked(end)
        .filter(|(content, _)| content.len() >= 12)
        .ok_or(malformed(0, "more bytes"))?;
    if Sha1::new().chain_update(utf16(store_password)).chain_update(WHITENER).chain_update(content).finalize()
        [..]
        != *digest
    {
        return Err(KeyFault::StorePassword);
    }
    let (rest, (version, count)) = head(content).map_err(|_| malformed(0, "the head of a JCEKS keystore"))?;
    let mut entries = Entries::default();
    let mut rest = rest;
    for _ in 0..count {
        let offset = content.len() - rest.len();
        let (after, (kind, alias)) = entry_head(rest).map_err(|_| malformed(offset, "an entry"))?;
        rest = match kind {
            PRIVATE_KEY => private_key(version, after).map_err(|_| malformed(offset, "a private key"))?.0,
            CERTIFICATE => certificate(version, after).map_err(|_| malformed(offset, "a certificate"))?.0,
            SECRET_KEY => {
                let (sealed, after) = read_object(after)?;
                match unseal(&sealed, key_password) {
                    Ok(Some(key)) => entries.aes.push((alias.to_owned(), key)),
                    Ok(None) => {}
                    Err(Closed) => entries.unreadable.push(alias.to_owned()),
                }
                after
            }
            _ => return Err(malformed(offset, "a kind of entry")),
        };
    }
    Ok(entries)
}

fn head(input: &[u8]) -> IResult<&[u8], (u32, u32)> {
    let (rest, (_magic, version, count)) = (be_u32, be_u32, be_u32).parse(input)?;
    Ok((rest, (version, count)))
}

fn entry_head(input: &[u8]) -> IResult<&[u8], (u32, &str)> {
    let (rest, (kind, alias, _created)) = (be_u32, utf, take(8_usize)).parse(input)?;
    Ok((rest, (kind, alias)))
}

fn utf(input: &[u8]) -> IResult<&[u8], &str> {
    length_data(be_u16).map_res(std::str::from_utf8).parse(input)
}

fn private_key(version: u32, input: &[u8]) -> IResult<&[u8], ()> {
    let (rest, _key) = length_data(be_u32).parse(input)?;
    let (rest, _chain) = length_count(be_u32, |input| certificate(version, input)).parse(rest)?;
    Ok((rest, ()))
}

/// Version 1 does not name the type of a certificate.
fn certificate(version: u32, input: &[u8]) -> IResult<&[u8], ()> {
    let rest = if version == 1 { input } else { utf(input)?.0 };
    length_data(be_u32).map(|_| ()).parse(rest)
}

/// The key password does not open an entry, or the entry is damaged.
struct Closed;

/// The AES key in a sealed object; `None` when it is another kind of key.
fn unseal(sealed: &Object<'_>, key_password: &str) -> Result<Option<Secret>, Closed> {
    let (Some(parameters), Some(content)) = (sealed.bytes("encodedParams"), sealed.bytes("encryptedContent"))
    else {
        return Err(Closed);
    };
    if sealed.text("sealAlg") != Some(ALGORITHM) {
        return Err(Closed);
    }
    let (salt, iterations) = pbe_parameters(parameters).ok_or(Closed)?;
    let derived = derive(key_password, salt, iterations);
    let (key, iv) = derived.split_at_checked(24).ok_or(Closed)?;
    let mut content: Secret = Zeroizing::new(content.to_vec());
    let serialized = Decryptor::<TdesEde3>::new_from_slices(key, iv)
        .map_err(|_| Closed)?
        .decrypt_padded::<Pkcs7>(&mut content)
        .map_err(|_| Closed)?;
    let (object, _) = read_object(serialized).map_err(|_| Closed)?;
    let key = object.bytes("key").filter(|key| is_aes_key_length(key.len()));
    let is_aes = object.class == "javax.crypto.spec.SecretKeySpec"
        && object.text("algorithm").is_some_and(|algorithm| algorithm.eq_ignore_ascii_case("AES"));
    Ok(key.filter(|_| is_aes).map(|key| Zeroizing::new(key.to_vec())))
}

/// DER: a sequence of the salt as octets and the iteration count as integer.
fn pbe_parameters(der: &[u8]) -> Option<([u8; SALT_LENGTH], u32)> {
    let sequence = |input| -> IResult<_, (&[u8], &[u8])> {
        let (_, body) = (tag(&[0x30_u8][..]), length_data(be_u8)).map(|(_, body)| body).parse(input)?;
        let octets = (tag(&[0x04_u8][..]), length_data(be_u8)).map(|(_, octets)| octets);
        let integer = (tag(&[0x02_u8][..]), length_data(be_u8)).map(|(_, octets)| octets);
        (octets, integer).parse(body)
    };
    let (_, (salt, count)) = sequence(der).ok()?;
    let count =
        count.iter().try_fold(0_u32, |value, byte| value.checked_mul(256)?.checked_add((*byte).into()))?;
    (1..=MOST_ITERATIONS).contains(&count).then_some((salt.try_into().ok()?, count))
}

/// The JDK's derivation: each half of the salt is hashed with the password as often as asked; the two digests
/// are 24 bytes of key and 8 of initialisation vector.
fn derive(password: &str, mut salt: [u8; SALT_LENGTH], iterations: u32) -> Zeroizing<[u8; 32]> {
    let password: Secret =
        Zeroizing::new(password.encode_utf16().filter_map(|unit| u8::try_from(unit & 0x7F).ok()).collect());
    if let [a, b, c, d, e, f, g, h] = salt
        && [a, b, c, d] == [e, f, g, h]
    {
        // Two equal halves would give the same digest twice.
        salt = [d, c, b, a, e, f, g, h];
    }
    let mut derived = Zeroizing::new([0; 32]);
    for (half, out) in salt.chunks_exact(SALT_LENGTH / 2).zip(derived.chunks_exact_mut(16)) {
        let mut digest: [u8; 16] = Md5::new().chain_update(half).chain_update(&*password).finalize().into();
        for _ in 1..iterations {
            digest = Md5::new().chain_update(digest).chain_update(&*password).finalize().into();
        }
        out.copy_from_slice(&digest);
        digest.zeroize();
    }
    derived
}

fn utf16(text: &str) -> Secret {
    Zeroizing::new(text.encode_utf16().flat_map(u16::to_be_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain text, salt and what `javax.crypto` makes of it with seven iterations and the password `cassandra`.
    #[test]
    fn derives_as_the_jdk_does_also_for_equal_halves_of_the_salt() {
        for (plain, salt, encrypted) in [
            ("equal halves", [1, 2, 3, 4, 1, 2, 3, 4], "c173525216f611d7a7bdc8f8bdf21c9f"),
            ("other halves", [1, 2, 3, 4, 5, 6, 7, 8], "3e9135eef68e46c45bfcc6d5f1c75c8c"),
        ] {
            let derived = derive("cassandra", salt, 7);
            let mut bytes = hex::decode(encrypted).unwrap();
            let decryptor = Decryptor::<TdesEde3>::new_from_slices(&derived[..24], &derived[24..]).unwrap();
            assert_eq!(decryptor.decrypt_padded::<Pkcs7>(&mut bytes).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn iterations_are_bounded() {
        let der = |count: &[u8]| {
            [
                &[0x30, 12 + u8::try_from(count.len()).unwrap(), 4, 8],
                &[7; 8][..],
                &[2, u8::try_from(count.len()).unwrap()],
                count,
            ]
            .concat()
        };
        assert_eq!(pbe_parameters(&der(&[20])), Some(([7; 8], 20)));
        assert_eq!(pbe_parameters(&der(&[0x03, 0x0D, 0x40])), Some(([7; 8], 200_000)));
        assert_eq!(pbe_parameters(&der(&[0x4C, 0x4B, 0x40])), Some(([7; 8], 5_000_000)));
        for count in [&[0][..], &[], &[0x4C, 0x4B, 0x41], &[0xFF; 4], &[1; 5]] {
            assert_eq!(pbe_parameters(&der(count)), None, "{count:?}");
        }
    }
}
