use aes::{Aes128Enc, Aes256Enc, Block};
use cbc::Encryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, InnerIvInit, KeyInit};

use crate::commitlog::decompress::{BodyError, Compression, decompress};
use crate::commitlog::decrypt::{CIPHER, SectionCipher};

const KEY: [u8; 32] = [0x42; 32];
const IV: [u8; 16] = [0x17; 16];

/// A compressed or encrypted section body. The first byte chooses the form, three more are the plain length;
/// a body to be decrypted is encrypted first, so that what stands inside is reached.
pub fn body(data: &[u8]) {
    let Some((&[form, a, b, c], stored)) = data.split_first_chunk() else { return };
    let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(0);
    match form % 8 {
        0 => check(length, |out| decompress(Compression::Lz4, stored, length, out)),
        1 => check(length, |out| decompress(Compression::Snappy, stored, length, out)),
        2 => check(length, |out| decompress(Compression::Deflate, stored, length, out)),
        3 => check(length, |out| decompress(Compression::Zstd, stored, length, out)),
        4 => check(length, |out| decompress(Compression::Noop, stored, length, out)),
        5 => decrypt(16, stored, length),
        6 => decrypt(16, &encrypted(16, stored), length),
        _ => decrypt(32, &encrypted(32, stored), length),
    }
}

/// A failed restore leaves nothing, a good one exactly what was declared, whatever the buffer held before.
fn check(length: usize, restore: impl Fn(&mut Vec<u8>) -> Result<(), BodyError>) {
    let (mut fresh, mut used) = (Vec::new(), vec![0xA5; 100_000]);
    let result = restore(&mut fresh);
    assert_eq!(fresh.len(), if result.is_ok() { length } else { 0 });
    assert_eq!(restore(&mut used), result);
    assert!(fresh == used, "the result depends on what the buffer held");
}

fn decrypt(key_length: usize, stored: &[u8], length: usize) {
    let key = KEY.get(..key_length).unwrap_or_default();
    let Ok(cipher) = SectionCipher::new(CIPHER, key, &IV) else { return };
    check(length, |out| cipher.decrypt(stored, length, &mut vec![1; 33], out));
}

/// Chunks as Cassandra writes them, of blocks that each stand behind a length of two bytes.
fn encrypted(key_length: usize, mut blocks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some((length, rest)) = blocks.split_first_chunk() {
        let (block, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)).min(rest.len()));
        blocks = rest;
        let secret = encrypt(key_length, block);
        body.extend(u32::try_from(secret.len()).unwrap_or(0).to_be_bytes());
        body.extend(u32::try_from(block.len()).unwrap_or(0).to_be_bytes());
        body.extend(secret);
    }
    body
}

fn encrypt(key_length: usize, block: &[u8]) -> Vec<u8> {
    let iv = &Block::from(IV);
    let key = KEY.get(..key_length).unwrap_or_default();
    let mut buffer = block.to_vec();
    buffer.resize(block.len() + 16, 0);
    let secret = match (Aes128Enc::new_from_slice(key), Aes256Enc::new_from_slice(key)) {
        (Ok(key), _) => Encryptor::inner_iv_init(key, iv).encrypt_padded::<Pkcs7>(&mut buffer, block.len()),
        (_, Ok(key)) => Encryptor::inner_iv_init(key, iv).encrypt_padded::<Pkcs7>(&mut buffer, block.len()),
        _ => return Vec::new(),
    };
    secret.unwrap_or_default().to_vec()
}
