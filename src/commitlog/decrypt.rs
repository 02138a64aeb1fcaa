//! Encrypted section bodies: LZ4 blocks in chunks, each encrypted with AES in CBC mode.
//!
//! A chunk is `i32 encrypted length, i32 length before padding, encrypted bytes`; decrypted it is
//! `i32 plain length` and an LZ4 block with Cassandra's length prefix. Every chunk starts again from the
//! segment's initialisation vector. Source: `EncryptedSegment` and `EncryptionUtils` of Cassandra 3.4 to 5.0.

use std::fmt;

use aes::{Aes128Dec, Aes192Dec, Aes256Dec, Block};
use cbc::Decryptor;
use cbc::cipher::block_padding::{self, Pkcs7};
use cbc::cipher::{BlockModeDecrypt, InnerIvInit, KeyInit};

use super::decompress::{BodyError, BodyFault, Compression, lz4, refuse_impossible};

/// The only cipher that is read. Java's name; its PKCS#5 padding is that of PKCS#7 for blocks of 16 bytes.
pub const CIPHER: &str = "AES/CBC/PKCS5Padding";

/// Why no cipher can be made for a segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// Another cipher, mode or padding.
    #[error("the segment is encrypted with `{0}`; only `{CIPHER}` can be read")]
    Unsupported(String),
    /// The key has no length that AES knows.
    #[error("an AES key has 16, 24 or 32 bytes, this one has {0}: is it the right key of the keystore?")]
    KeyLength(usize),
    /// The initialisation vector of the descriptor does not have 16 bytes.
    #[error("the descriptor's initialisation vector has {0} bytes instead of 16")]
    IvLength(usize),
}

/// Decrypts the section bodies of one segment. Its key schedule is wiped when it is dropped.
#[derive(Clone)]
pub struct SectionCipher {
    schedule: Schedule,
    iv: Block,
}

/// The key, expanded for decryption.
#[derive(Clone)]
enum Schedule {
    Aes128(Aes128Dec),
    Aes192(Aes192Dec),
    Aes256(Aes256Dec),
}

impl Schedule {
    fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Aes128(Aes128Dec::new_from_slice(key).ok()?),
            24 => Self::Aes192(Aes192Dec::new_from_slice(key).ok()?),
            32 => Self::Aes256(Aes256Dec::new_from_slice(key).ok()?),
            _ => return None,
        })
    }

    /// Decrypts `bytes` in place and takes the padding off.
    fn decrypt<'b>(&self, iv: &Block, bytes: &'b mut [u8]) -> Result<&'b [u8], block_padding::Error> {
        match self {
            Self::Aes128(key) => Decryptor::inner_iv_init(key.clone(), iv).decrypt_padded::<Pkcs7>(bytes),
            Self::Aes192(key) => Decryptor::inner_iv_init(key.clone(), iv).decrypt_padded::<Pkcs7>(bytes),
            Self::Aes256(key) => Decryptor::inner_iv_init(key.clone(), iv).decrypt_padded::<Pkcs7>(bytes),
        }
    }
}

/// Never shows the key.
impl fmt::Debug for SectionCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = match self.schedule {
            Schedule::Aes128(_) => 128,
            Schedule::Aes192(_) => 192,
            Schedule::Aes256(_) => 256,
        };
        f.debug_struct("SectionCipher").field("key_bits", &bits).finish_non_exhaustive()
    }
}

impl SectionCipher {
    /// Prepares the cipher that a descriptor names (`encCipher`) with `key` and the descriptor's `iv`.
    ///
    /// # Errors
    /// When the cipher is not [`CIPHER`], or key or vector have no length that fits it.
    pub fn new(cipher: &str, key: &[u8], iv: &[u8]) -> Result<Self, CipherError> {
        if !cipher.eq_ignore_ascii_case(CIPHER) {
            return Err(CipherError::Unsupported(cipher.to_owned()));
        }
        let iv = Block::try_from(iv).map_err(|_| CipherError::IvLength(iv.len()))?;
        let schedule = Schedule::new(key).ok_or(CipherError::KeyLength(key.len()))?;
        Ok(Self { schedule, iv })
    }

    /// Restores the plain bytes of an encrypted section body into `out`.
    ///
    /// `body` is what stands behind the section's plain length, `plain_length` that length in bytes. `scratch`
    /// and `out` are overwritten, their memory reused; on success `out` holds exactly `plain_length` bytes, on
    /// failure none.
    ///
    /// # Errors
    /// When a chunk is damaged, the key is wrong, or the chunks do not yield exactly `plain_length` bytes.
    pub fn decrypt(
        &self,
        body: &[u8],
        plain_length: usize,
        scratch: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyError> {
        out.clear();
        let result = self.decrypt_chunks(body, plain_length, scratch, out);
        if result.is_err() {
            out.clear();
        }
        result
    }

    /// Whether the first chunk of a body can be decrypted and restored: with another key it cannot. `None` when
    /// no chunk stands there.
    pub(super) fn fits(&self, body: &[u8], plain_length: usize, scratch: &mut Vec<u8>) -> Option<bool> {
        let (chunk, _) = Chunk::split(body).ok()?;
        let block = self.open(&chunk, scratch);
        Some(block.and_then(|block| append(block, plain_length, &mut Vec::new())).is_ok())
    }

    fn decrypt_chunks(
        &self,
        body: &[u8],
        plain_length: usize,
        scratch: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), BodyError> {
        let mut rest = body;
        while out.len() < plain_length {
            let offset = body.len() - rest.len();
            let (chunk, after) = Chunk::split(rest).map_err(|fault| fault.at(offset))?;
            let block = self.open(&chunk, scratch).map_err(|fault| fault.at(offset))?;
            append(block, plain_length, out).map_err(|fault| fault.at(offset))?;
            rest = after;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(BodyFault::Trailing(rest.len()).at(body.len() - rest.len()))
        }
    }

    /// Decrypts a chunk in `scratch`.
    fn open<'s>(&self, chunk: &Chunk<'_>, scratch: &'s mut Vec<u8>) -> Result<&'s [u8], BodyFault> {
        scratch.clear();
        scratch.extend_from_slice(chunk.encrypted);
        let block = self
            .schedule
            .decrypt(&self.iv, scratch)
            .map_err(|_| BodyFault::Padding(chunk.encrypted.len()))?;
        if block.len() as u64 != u64::from(chunk.length) {
            return Err(BodyFault::Length { found: block.len() as u64, expected: chunk.length.into() });
        }
        Ok(block)
    }
}

/// Restores the LZ4 block of a decrypted chunk behind what `out` holds already.
fn append(block: &[u8], plain_length: usize, out: &mut Vec<u8>) -> Result<(), BodyFault> {
    let Some((length, lz4_block)) = block.split_first_chunk() else {
        return Err(BodyFault::Short { stored: block.len(), what: "a decrypted chunk" });
    };
    let declared = u32::from_be_bytes(*length);
    let room = plain_length.saturating_sub(out.len());
    let length = usize::try_from(declared)
        .ok()
        // A chunk without plain bytes would let a body of any length stand for nothing.
        .filter(|length| (1..=room).contains(length))
        .ok_or(BodyFault::Length { found: declared.into(), expected: room as u64 })?;
    refuse_impossible(Compression::Lz4, lz4_block.len(), length)?;
    let start = out.len();
    out.resize(start + length, 0);
    lz4(lz4_block, out.get_mut(start..).unwrap_or_default())
}

struct Chunk<'a> {
    /// Length without padding.
    length: u32,
    encrypted: &'a [u8],
}

impl<'a> Chunk<'a> {
    fn split(rest: &'a [u8]) -> Result<(Self, &'a [u8]), BodyFault> {
        let short = BodyFault::Short { stored: rest.len(), what: "a chunk" };
        let Some((encrypted_length, after)) = rest.split_first_chunk() else { return Err(short) };
        let Some((length, after)) = after.split_first_chunk() else { return Err(short) };
        let declared = i32::from_be_bytes(*encrypted_length);
        let (encrypted, after) = usize::try_from(declared)
            .ok()
            .filter(|length| *length > 0)
            .and_then(|length| after.split_at_checked(length))
            .ok_or(BodyFault::ChunkLength { declared: declared.into(), left: after.len() })?;
        Ok((Self { length: u32::from_be_bytes(*length), encrypted }, after))
    }
}

#[cfg(test)]
mod tests;
