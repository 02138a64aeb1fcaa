//! The head of a segment: version, id, compression and encryption parameters, checksum.
//!
//! Source: `CommitLogDescriptor` of Cassandra 2.2 to 5.0.

use nom::Parser;
use serde::Deserialize;

use super::decompress::Compression;
use super::error::DamageKind;
use super::marker::used_length;
use super::position::SegmentId;
use crate::primitives::{self as bytes, Parsed};

/// Newest version that is read: written by Cassandra 5.0 with `storage_compatibility_mode` other than
/// `CASSANDRA_4`.
pub const NEWEST_VERSION: u32 = 8;
/// Oldest version whose mutations are decoded (Cassandra 3.0). Before it the framing is read, not more.
pub const OLDEST_DECODED_VERSION: u32 = 6;
/// Oldest version with sync markers (Cassandra 2.1).
pub const OLDEST_FRAMED_VERSION: u32 = 4;
/// First version with a parameter block in its descriptor.
const FIRST_WITH_PARAMETERS: u32 = 5;

/// Head of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Version of the segment format.
    pub version: u32,
    /// Segment id.
    pub id: SegmentId,
    /// How section bodies are stored.
    pub body: BodyFormat,
    /// Length of the descriptor in bytes: where the first sync marker stands.
    pub length: usize,
    /// The parameter block as it stands in the file, JSON.
    pub parameters: String,
}

/// How the bodies of a segment's sections are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyFormat {
    /// As they are.
    Plain,
    /// One compressed block a section.
    Compressed(Compression),
    /// LZ4 blocks, encrypted in chunks.
    Encrypted(Encryption),
}

/// Parameters of an encrypted segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// Java cipher name, such as `AES/CBC/PKCS5Padding`.
    pub cipher: String,
    /// Alias of the key in the operator's keystore.
    pub key_alias: String,
    /// Initialisation vector of every chunk of this segment.
    pub iv: Vec<u8>,
}

/// Why a file's head is no descriptor that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// The file ends inside the descriptor.
    #[error("the file ends inside the descriptor ({length} bytes)")]
    Short {
        /// Length of the file in bytes.
        length: usize,
    },
    /// Every byte of the file is zero: a segment that was created and never written.
    #[error("every byte is zero: nothing was ever written to this segment")]
    Blank,
    /// Every byte of the head is zero, and bytes behind it are not.
    #[error("the head of the segment is zero, what follows is not: it was wiped after it was written")]
    Wiped,
    /// A version this program does not know.
    #[error("{}", unsupported(*.0))]
    Version(i32),
    /// The checksum does not fit.
    #[error("the descriptor's checksum is {found:08x}, computed {computed:08x}")]
    Checksum {
        /// Checksum in the file.
        found: u32,
        /// Checksum of the bytes.
        computed: u32,
    },
    /// The parameters are not the expected JSON.
    #[error("the descriptor's parameters are not usable: {0}")]
    Parameters(String),
}

/// Beyond this no version is to be expected: the file is something else.
const HIGHEST_BELIEVABLE_VERSION: i32 = 255;

fn unsupported(version: i32) -> String {
    if !(0..=HIGHEST_BELIEVABLE_VERSION).contains(&version) {
        return format!(
            "this is no segment: it begins with {version} where a segment has its format version"
        );
    }
    format!(
        "segment format version {version} is not supported (decoded: 6 to 8; framing only: 4 and 5); \
         a version newer than 8 needs a newer cdc-agent"
    )
}

impl DescriptorError {
    /// The kind of damage, for ledgers; `None` for what is no damage.
    #[must_use]
    pub fn damage_kind(&self) -> Option<DamageKind> {
        match self {
            Self::Short { .. } => Some(DamageKind::ShortDescriptor),
            Self::Checksum { .. } | Self::Wiped => Some(DamageKind::DescriptorChecksum),
            Self::Parameters(_) => Some(DamageKind::DescriptorParameters),
            Self::Blank | Self::Version(_) => None,
        }
    }
}

struct Head<'a> {
    version: u32,
    id: i64,
    parameters: &'a [u8],
    checksum: u32,
}

impl Descriptor {
    /// Reads the descriptor at the start of a segment.
    ///
    /// # Errors
    /// See [`DescriptorError`].
    pub fn parse(segment: &[u8]) -> Result<Self, DescriptorError> {
        let short = DescriptorError::Short { length: segment.len() };
        let (_, version) = bytes::i32(segment).map_err(|_| short.clone())?;
        let known = match u32::try_from(version) {
            Ok(known @ OLDEST_FRAMED_VERSION..=NEWEST_VERSION) => known,
            Ok(0) if used_length(segment) == 0 => return Err(DescriptorError::Blank),
            Ok(0) if segment.iter().take(20).all(|byte| *byte == 0) => return Err(DescriptorError::Wiped),
            _ => return Err(DescriptorError::Version(version)),
        };
        let (rest, head) = head(segment, known).map_err(|_| short)?;
        let computed = head.checksum();
        if head.checksum != computed {
            return Err(DescriptorError::Checksum { found: head.checksum, computed });
        }
        Ok(Self {
            version: head.version,
            id: SegmentId(head.id),
            body: body_format(head.parameters)?,
            length: segment.len() - rest.len(),
            parameters: String::from_utf8_lossy(head.parameters).into_owned(),
        })
    }

    /// Checksum of the sync marker that stands at file offset `offset`.
    #[must_use]
    #[inline]
    pub fn marker_checksum(&self, offset: u32) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&id_words(self.id.0));
        hasher.update(&offset.to_be_bytes());
        hasher.finalize()
    }
}

/// The id as checksums cover it: low word first.
fn id_words(id: i64) -> [u8; 8] {
    id.rotate_left(32).to_be_bytes()
}

fn head(segment: &[u8], version: u32) -> Parsed<'_, Head<'_>> {
    let (rest, (_, id)) = (bytes::i32, bytes::i64).parse(segment)?;
    let (rest, parameters) = if version >= FIRST_WITH_PARAMETERS {
        let (rest, length) = bytes::u16(rest)?;
        bytes::slice(usize::from(length))(rest)?
    } else {
        (rest, &[][..])
    };
    let (rest, checksum) = bytes::u32(rest)?;
    Ok((rest, Head { version, id, parameters, checksum }))
}

impl Head<'_> {
    fn checksum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.version.to_be_bytes());
        hasher.update(&id_words(self.id));
        if self.version >= FIRST_WITH_PARAMETERS {
            let length = u32::try_from(self.parameters.len()).unwrap_or(u32::MAX);
            hasher.update(&length.to_be_bytes());
            hasher.update(self.parameters);
        }
        hasher.finalize()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    compression_class: Option<String>,
    enc_cipher: Option<String>,
    enc_key_alias: Option<String>,
    #[serde(rename = "encIV")]
    enc_iv: Option<String>,
}

/// Encryption wins over compression, as in Cassandra.
fn body_format(json: &[u8]) -> Result<BodyFormat, DescriptorError> {
    if json.is_empty() {
        return Ok(BodyFormat::Plain);
    }
    let parameters: Parameters =
        serde_json::from_slice(json).map_err(|error| DescriptorError::Parameters(error.to_string()))?;
    match parameters {
        Parameters { enc_cipher: Some(cipher), enc_key_alias: Some(key_alias), enc_iv, .. } => {
            let iv = enc_iv.as_deref().and_then(unhex).ok_or_else(|| {
                DescriptorError::Parameters("`encIV` is missing or no hexadecimal text".to_owned())
            })?;
            Ok(BodyFormat::Encrypted(Encryption { cipher, key_alias, iv }))
        }
        Parameters { compression_class: Some(class), .. } => match Compression::from_class(&class) {
            Some(compression) => Ok(BodyFormat::Compressed(compression)),
            None => Err(DescriptorError::Parameters(format!(
                "unknown compressor `{class}`; known are LZ4, Snappy, Deflate, Zstd and Noop"
            ))),
        },
        _ => Ok(BodyFormat::Plain),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(high << 4 | low).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First bytes of a segment written by Cassandra 4.0.15.
    const REAL: &[u8] = &[
        0, 0, 0, 7, 0, 0, 1, 0xa2, 0x02, 0xf7, 0x37, 0xbb, 0, 2, 0x7b, 0x7d, 0x9b, 0xe7, 0xc6, 0x76, 0, 0, 1,
        0xca, 0xac, 0x69, 0x26, 0x30,
    ];

    fn written(version: u32, parameters: &str) -> Vec<u8> {
        let head = Head { version, id: 77, parameters: parameters.as_bytes(), checksum: 0 };
        let mut out = version.to_be_bytes().to_vec();
        out.extend(77_i64.to_be_bytes());
        if version >= FIRST_WITH_PARAMETERS {
            out.extend(u16::try_from(parameters.len()).unwrap().to_be_bytes());
            out.extend(parameters.as_bytes());
        }
        out.extend(head.checksum().to_be_bytes());
        out
    }

    #[test]
    fn reads_a_real_descriptor_and_its_first_marker() {
        let descriptor = Descriptor::parse(REAL).unwrap();
        assert_eq!(descriptor.version, 7);
        assert_eq!(descriptor.id, SegmentId(1_795_346_085_819));
        assert_eq!(descriptor.body, BodyFormat::Plain);
        assert_eq!(descriptor.length, 20);
        assert_eq!(descriptor.marker_checksum(20), 0xac69_2630);
    }

    #[test]
    fn every_flipped_bit_is_found() {
        for bit in 0..20 * 8 {
            let mut bytes = REAL.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Descriptor::parse(&bytes).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn cut_anywhere_is_short() {
        for cut in 0..20 {
            assert!(matches!(Descriptor::parse(&REAL[..cut]), Err(DescriptorError::Short { .. })));
        }
    }

    #[test]
    fn compression_by_short_and_by_full_class_name() {
        for class in ["LZ4Compressor", "org.apache.cassandra.io.compress.LZ4Compressor"] {
            let json = format!("{{\"compressionClass\":\"{class}\",\"compressionParameters\":null}}");
            let descriptor = Descriptor::parse(&written(7, &json)).unwrap();
            assert_eq!(descriptor.body, BodyFormat::Compressed(Compression::Lz4));
        }
    }

    #[test]
    fn encryption_wins_over_compression() {
        let json = r#"{"compressionClass":"LZ4Compressor","encCipher":"AES\/CBC\/PKCS5Padding","encIV":"00ff","encKeyAlias":"k:1"}"#;
        let descriptor = Descriptor::parse(&written(6, json)).unwrap();
        let BodyFormat::Encrypted(encryption) = descriptor.body else { panic!("not encrypted") };
        assert_eq!(encryption.cipher, "AES/CBC/PKCS5Padding");
        assert_eq!(encryption.key_alias, "k:1");
        assert_eq!(encryption.iv, [0, 255]);
    }

    #[test]
    fn refuses_unknown_versions_compressors_and_parameters() {
        assert_eq!(Descriptor::parse(&written(9, "{}")), Err(DescriptorError::Version(9)));
        assert_eq!(Descriptor::parse(&written(3, "")), Err(DescriptorError::Version(3)));
        assert_eq!(Descriptor::parse(&[0; 64]), Err(DescriptorError::Blank));
        let mut wiped = [0; 8192];
        wiped[8000] = 1;
        assert_eq!(Descriptor::parse(&wiped), Err(DescriptorError::Wiped));
        for json in
            [r#"{"compressionClass":"MyCompressor"}"#, "[]", "{", r#"{"encCipher":"a","encKeyAlias":"b"}"#]
        {
            assert!(
                matches!(Descriptor::parse(&written(7, json)), Err(DescriptorError::Parameters(_))),
                "{json}"
            );
        }
    }

    #[test]
    fn version_4_has_no_parameters() {
        let descriptor = Descriptor::parse(&written(4, "")).unwrap();
        assert_eq!((descriptor.version, descriptor.length), (4, 16));
    }
}
