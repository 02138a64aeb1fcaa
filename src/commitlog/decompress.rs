//! Compressed section bodies: one block of a general-purpose format a section.
//!
//! Source: `ICompressor` implementations of Cassandra 3.0 to 5.0. Nothing here trusts a length: a block that
//! cannot possibly hold the declared bytes is refused before memory is taken for them, and formats with a
//! high ratio take memory only as they produce.

use flate2::{Decompress, FlushDecompress, Status};
use mzstd::{DecodeLimits, DecoderConfig, Decompressor, FrameMode};

/// How the sections of a compressed segment are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// `LZ4Compressor`: the plain length as little-endian `u32`, then one raw LZ4 block.
    Lz4,
    /// `SnappyCompressor`: one raw Snappy block, without the framing format.
    Snappy,
    /// `DeflateCompressor`: one zlib stream (RFC 1950).
    Deflate,
    /// `ZstdCompressor`: one Zstandard frame (RFC 8878), with a content checksum.
    Zstd,
    /// `NoopCompressor`: the plain bytes.
    Noop,
}

impl Compression {
    /// The compression that `compressionClass` of a descriptor names, short or with its package.
    #[must_use]
    pub fn from_class(class: &str) -> Option<Self> {
        match class.rsplit('.').next()? {
            "LZ4Compressor" => Some(Self::Lz4),
            "SnappyCompressor" => Some(Self::Snappy),
            "DeflateCompressor" => Some(Self::Deflate),
            "ZstdCompressor" => Some(Self::Zstd),
            "NoopCompressor" => Some(Self::Noop),
            _ => None,
        }
    }

    /// The name in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lz4 => "LZ4",
            Self::Snappy => "Snappy",
            Self::Deflate => "Deflate",
            Self::Zstd => "Zstd",
            Self::Noop => "Noop",
        }
    }

    /// Plain bytes that one stored byte can stand for at most.
    fn highest_ratio(self) -> usize {
        match self {
            // A length byte of 255 adds 255 bytes to a match.
            Self::Lz4 => 255,
            // A copy of three bytes yields up to 64.
            Self::Snappy => 22,
            // Two bits yield a match of 258 bytes.
            Self::Deflate => 1032,
            // A run block of four bytes yields up to 128 KiB.
            Self::Zstd => 32 * 1024,
            Self::Noop => 1,
        }
    }
}

/// Why a compressed or encrypted section body cannot be restored. Holds no data bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}, at byte {offset} of the section's body")]
pub struct BodyError {
    /// Offset in the body, in bytes: of the block, or of the chunk of an encrypted body.
    pub offset: usize,
    /// What is wrong.
    pub fault: BodyFault,
}

/// What is wrong with a section body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// The body ends inside a length.
    #[error("{stored} bytes are too few to begin {what}")]
    Short {
        /// Bytes there are.
        stored: usize,
        /// What begins there.
        what: &'static str,
    },
    /// The format cannot expand so far.
    #[error("{stored} stored bytes cannot hold {plain} plain bytes in {}", compression.as_str())]
    Ratio {
        /// Stored bytes.
        stored: usize,
        /// Declared plain bytes.
        plain: usize,
        /// The format.
        compression: Compression,
    },
    /// A length inside the body differs from the one before it.
    #[error("the block says {found} plain bytes, {expected} are declared")]
    Length {
        /// Length inside the block, or what it yielded.
        found: u64,
        /// Declared length.
        expected: u64,
    },
    /// The block is not of its format, or its checksum does not fit.
    #[error("the {} block is damaged: {reason}", compression.as_str())]
    Block {
        /// The format.
        compression: Compression,
        /// What the decoder says.
        reason: String,
    },
    /// Bytes behind the end of the block, or behind a section without plain bytes.
    #[error("{0} bytes follow the end of the data")]
    Trailing(usize),
    /// A chunk's length is negative, zero or longer than the body.
    #[error("a chunk declares {declared} encrypted bytes, {left} are left")]
    ChunkLength {
        /// Declared length.
        declared: i64,
        /// Bytes that are left.
        left: usize,
    },
    /// Decryption gives no valid padding.
    #[error(
        "a chunk of {0} bytes cannot be decrypted: damaged, or the key is not the one it was written with"
    )]
    Padding(usize),
}

impl BodyFault {
    /// This fault at `offset` of the body.
    pub(super) fn at(self, offset: usize) -> BodyError {
        BodyError { offset, fault: self }
    }
}

/// Longest block that any of the formats writes for no plain bytes (Zstd: 13).
const LONGEST_EMPTY_BLOCK: usize = 16;
/// First step in which memory for a Deflate stream grows.
const FIRST_STEP: usize = 256 * 1024;

/// Restores the plain bytes of a compressed section body into `out`.
///
/// `block` is the body behind the plain length, `plain_length` that length in bytes. `out` is overwritten,
/// its memory reused; on success it holds exactly `plain_length` bytes, on failure none.
///
/// # Errors
/// When the block is damaged or does not yield exactly `plain_length` bytes.
pub fn decompress(
    compression: Compression,
    block: &[u8],
    plain_length: usize,
    out: &mut Vec<u8>,
) -> Result<(), BodyError> {
    let result = restore(compression, block, plain_length, out);
    if result.is_err() {
        out.clear();
    }
    result.map_err(|fault| fault.at(0))
}

fn restore(
    compression: Compression,
    block: &[u8],
    plain_length: usize,
    out: &mut Vec<u8>,
) -> Result<(), BodyFault> {
    if plain_length == 0 {
        out.clear();
        return if block.len() > LONGEST_EMPTY_BLOCK {
            Err(BodyFault::Trailing(block.len()))
        } else {
            Ok(())
        };
    }
    refuse_impossible(compression, block.len(), plain_length)?;
    match compression {
        Compression::Lz4 => {
            out.resize(plain_length, 0);
            lz4(block, out)
        }
        Compression::Snappy => {
            let declared = snap::raw::decompress_len(block).map_err(|error| damaged(compression, &error))?;
            exactly(declared, plain_length)?;
            out.resize(plain_length, 0);
            let written = snap::raw::Decoder::new()
                .decompress(block, out)
                .map_err(|error| damaged(compression, &error))?;
            exactly(written, plain_length)
        }
        Compression::Deflate => deflate(block, plain_length, out),
        Compression::Zstd => zstd(block, plain_length, out),
        Compression::Noop => {
            exactly(block.len(), plain_length)?;
            out.clear();
            out.extend_from_slice(block);
            Ok(())
        }
    }
}

/// Refuses a plain length that no block of `stored` bytes can yield: before memory is taken for it.
pub(super) fn refuse_impossible(
    compression: Compression,
    stored: usize,
    plain: usize,
) -> Result<(), BodyFault> {
    if plain > stored.saturating_mul(compression.highest_ratio()) {
        return Err(BodyFault::Ratio { stored, plain, compression });
    }
    Ok(())
}

/// Restores an LZ4 block with Cassandra's length prefix into `out`, which must have the plain length.
pub(super) fn lz4(block: &[u8], out: &mut [u8]) -> Result<(), BodyFault> {
    let Some((prefix, raw)) = block.split_first_chunk() else {
        return Err(BodyFault::Short { stored: block.len(), what: "an LZ4 block" });
    };
    let declared = u32::from_le_bytes(*prefix);
    // Cassandra counts a differing prefix as damage although the block itself may be whole.
    if u64::from(declared) != out.len() as u64 {
        return Err(BodyFault::Length { found: declared.into(), expected: out.len() as u64 });
    }
    let written =
        lz4_flex::block::decompress_into(raw, out).map_err(|error| damaged(Compression::Lz4, &error))?;
    exactly(written, out.len())
}

/// The zlib checksum is verified by the decoder.
fn deflate(block: &[u8], plain_length: usize, out: &mut Vec<u8>) -> Result<(), BodyFault> {
    let mut decoder = Decompress::new(true);
    out.truncate(plain_length);
    let mut grown = out.len().max(FIRST_STEP).min(plain_length);
    loop {
        out.resize(grown, 0);
        let (consumed, produced) = (progress(decoder.total_in()), progress(decoder.total_out()));
        let input = block.get(consumed..).unwrap_or_default();
        let output = out.get_mut(produced..).unwrap_or_default();
        let status = decoder
            .decompress(input, output, FlushDecompress::None)
            .map_err(|error| damaged(Compression::Deflate, &error))?;
        if status == Status::StreamEnd {
            break;
        }
        let full = decoder.total_out() == grown as u64;
        let moved = progress(decoder.total_in()) > consumed || progress(decoder.total_out()) > produced;
        if full && grown < plain_length {
            grown = grown.saturating_mul(2).min(plain_length);
        } else if !moved {
            return Err(damaged(Compression::Deflate, &unfinished(full)));
        }
    }
    if decoder.total_in() != block.len() as u64 {
        return Err(BodyFault::Trailing(block.len().saturating_sub(progress(decoder.total_in()))));
    }
    exactly(progress(decoder.total_out()), plain_length)
}

fn unfinished(full: bool) -> &'static str {
    if full { "it yields more bytes than are declared" } else { "it ends too early" }
}

fn progress(total: u64) -> usize {
    usize::try_from(total).unwrap_or(usize::MAX)
}

/// The content checksum is verified by the decoder; its window and its output grow no further than
/// `plain_length` asks for.
fn zstd(block: &[u8], plain_length: usize, out: &mut Vec<u8>) -> Result<(), BodyFault> {
    let limits = DecodeLimits::DEFAULT.with_max_output_bytes(Some(plain_length as u64));
    let config = DecoderConfig::DEFAULT.with_frame_mode(FrameMode::Single).with_limits(limits);
    out.clear();
    Decompressor::new(config)
        .decompress_into(block, out)
        .map_err(|error| damaged(Compression::Zstd, &error))?;
    exactly(out.len(), plain_length)
}

fn damaged(compression: Compression, reason: &dyn std::fmt::Display) -> BodyFault {
    BodyFault::Block { compression, reason: reason.to_string() }
}

fn exactly(found: usize, expected: usize) -> Result<(), BodyFault> {
    if found == expected {
        Ok(())
    } else {
        Err(BodyFault::Length { found: found as u64, expected: expected as u64 })
    }
}

#[cfg(test)]
mod tests;
