//! Against blocks made by other implementations (`cdc_fixtures/blocks`), and against hostile ones.

use std::sync::LazyLock;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

const VECTORS: &str = include_str!("../../../cdc_fixtures/blocks/vectors.txt");

#[derive(Clone)]
struct Vector {
    form: &'static str,
    name: String,
    plain_length: usize,
    sha256: Vec<u8>,
    stored: Vec<u8>,
}

fn vectors() -> Vec<Vector> {
    VECTORS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&'static str> = line.split(' ').collect();
            Vector {
                form: fields[0],
                name: format!("{} {} {}", fields[0], fields[1], fields[2]),
                plain_length: fields[3].parse().unwrap(),
                sha256: hex::decode(fields[4]).unwrap(),
                stored: hex::decode(fields[5]).unwrap(),
            }
        })
        .collect()
}

/// The vectors that are compressed and not encrypted.
fn compressed() -> Vec<(Compression, Vector)> {
    static COMPRESSED: LazyLock<Vec<(Compression, Vector)>> = LazyLock::new(|| {
        let form = |vector: &Vector| ALL.into_iter().find(|form| format!("{form:?}") == vector.form);
        vectors().into_iter().filter_map(|vector| Some((form(&vector)?, vector))).collect()
    });
    COMPRESSED.clone()
}

fn fault(compression: Compression, block: &[u8], plain_length: usize) -> BodyFault {
    let mut out = b"left over".to_vec();
    let error = decompress(compression, block, plain_length, &mut out).unwrap_err();
    assert_eq!(error.offset, 0);
    assert!(out.is_empty(), "bytes of a damaged block were left");
    error.fault
}

const ALL: [Compression; 5] =
    [Compression::Lz4, Compression::Snappy, Compression::Deflate, Compression::Zstd, Compression::Noop];

#[test]
fn restores_what_other_implementations_wrote() {
    let vectors = compressed();
    assert!(vectors.len() > 40);
    let mut out = Vec::new();
    for (compression, vector) in vectors {
        decompress(compression, &vector.stored, vector.plain_length, &mut out).unwrap();
        assert_eq!(out.len(), vector.plain_length, "{}", vector.name);
        assert_eq!(Sha256::digest(&out).to_vec(), vector.sha256, "{}", vector.name);
    }
}

#[test]
fn takes_no_memory_once_it_has_enough() {
    for (compression, vector) in compressed() {
        // A Zstandard frame that does not say its length needs room for one block (128 KiB) more.
        let mut out = Vec::with_capacity(2 * vector.plain_length + (256 << 10));
        out.resize(vector.plain_length + 7, 0xEE);
        let before = (out.as_ptr(), out.capacity());
        for _ in 0..3 {
            decompress(compression, &vector.stored, vector.plain_length, &mut out).unwrap();
            assert_eq!(Sha256::digest(&out).to_vec(), vector.sha256, "{}", vector.name);
        }
        assert_eq!(before, (out.as_ptr(), out.capacity()), "{}", vector.name);
    }
}

/// Sections of the length that busy nodes write, through each format's own encoder.
#[test]
fn restores_sections_of_megabytes() {
    use std::io::Write as _;
    let mut random = 0x9E37_79B9_u32;
    let mut byte = |index: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Half of it repeats, half of it does not.
        if (index / 64).is_multiple_of(2) { index.to_le_bytes()[0] } else { random.to_be_bytes()[0] }
    };
    let plain: Vec<u8> = (0..5 * FIRST_STEP + 1).map(&mut byte).collect();
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    deflate.write_all(&plain).unwrap();
    let lz4 =
        [&u32::try_from(plain.len()).unwrap().to_le_bytes()[..], &lz4_flex::block::compress(&plain)].concat();
    let zstd =
        ruzstd::encoding::compress_to_vec(plain.as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
    let blocks = [
        (Compression::Lz4, lz4),
        (Compression::Snappy, snap::raw::Encoder::new().compress_vec(&plain).unwrap()),
        (Compression::Deflate, deflate.finish().unwrap()),
        (Compression::Zstd, zstd),
        (Compression::Noop, plain.clone()),
    ];
    for (compression, block) in blocks {
        for mut out in [Vec::new(), vec![1; 3], vec![1; 2 * plain.len()]] {
            decompress(compression, &block, plain.len(), &mut out).unwrap();
            assert!(out == plain, "{compression:?}");
        }
    }
}

#[test]
fn class_names_short_and_long() {
    assert_eq!(Compression::from_class("LZ4Compressor"), Some(Compression::Lz4));
    assert_eq!(
        Compression::from_class("org.apache.cassandra.io.compress.ZstdCompressor"),
        Some(Compression::Zstd)
    );
    for compression in ALL {
        let class = match compression {
            Compression::Lz4 => "LZ4Compressor".to_owned(),
            other => format!("{other:?}Compressor"),
        };
        assert_eq!(Compression::from_class(&class), Some(compression));
    }
    for class in ["", "LZ4", "lz4compressor", "com.example.MyCompressor", "LZ4Compressor."] {
        assert_eq!(Compression::from_class(class), None, "{class}");
    }
}

/// The blocks that Cassandra writes for a section without plain bytes.
#[test]
fn no_plain_bytes_need_no_decoder() {
    for block in [&b""[..], &[0], &[0; 5], &[0x78, 0x9c, 3, 0, 0, 0, 0, 1], &[9; 13]] {
        for compression in ALL {
            let mut out = vec![1];
            decompress(compression, block, 0, &mut out).unwrap();
            assert!(out.is_empty());
        }
    }
}

#[test]
fn a_whole_block_under_a_plain_length_of_zero_is_damage() {
    assert_eq!(fault(Compression::Lz4, &[1; 100], 0), BodyFault::Trailing(100));
}

#[test]
fn a_length_prefix_that_lies_is_damage_although_the_block_is_whole() {
    let (_, vector) =
        compressed().into_iter().find(|(c, v)| *c == Compression::Lz4 && v.plain_length == 2093).unwrap();
    let mut stored = vector.stored;
    stored[1] ^= 0x80;
    let found = 2093 ^ 0x8000;
    assert_eq!(fault(Compression::Lz4, &stored, 2093), BodyFault::Length { found, expected: 2093 });
}

#[test]
fn other_plain_lengths_than_the_true_one_are_refused() {
    for (compression, vector) in compressed() {
        let n = vector.plain_length;
        for lie in [n - 1, n + 1, n / 2, n * 2, n + 32_768, n.saturating_mul(1000), i32::MAX as usize] {
            if lie != n && lie != 0 {
                fault(compression, &vector.stored, lie);
            }
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    for (compression, vector) in compressed() {
        for cut in 0..vector.stored.len() {
            fault(compression, &vector.stored[..cut], vector.plain_length);
        }
    }
}

#[test]
fn trailing_bytes_are_refused() {
    for (compression, mut vector) in compressed() {
        vector.stored.push(0);
        fault(compression, &vector.stored, vector.plain_length);
    }
}

#[test]
fn checksums_of_deflate_and_zstd_are_verified() {
    for (compression, mut vector) in compressed() {
        if matches!(compression, Compression::Deflate | Compression::Zstd) {
            *vector.stored.last_mut().unwrap() ^= 1;
            fault(compression, &vector.stored, vector.plain_length);
        }
    }
}

#[test]
fn what_a_format_cannot_expand_to_is_refused_without_memory() {
    let huge = i32::MAX as usize;
    for compression in [Compression::Lz4, Compression::Snappy, Compression::Deflate, Compression::Zstd] {
        let mut out = Vec::new();
        let error = decompress(compression, &[0x28; 40], huge, &mut out).unwrap_err();
        assert_eq!(error.fault, BodyFault::Ratio { stored: 40, plain: huge, compression });
        assert_eq!(out.capacity(), 0);
    }
}

/// A block of 65,053 bytes whose 32,512 sequences each repeat at least 65,539 bytes: 2 GB, in a block that
/// may hold 128 KiB.
#[test]
fn a_zstd_block_larger_than_the_format_allows_is_refused_before_it_is_unfolded() {
    let mut body = vec![0, 255, 0, 0, 0b0101_0100, 0, 0, 52];
    body.resize(body.len() + 2 * 0x7F00, 0);
    body.push(1);
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0, 0x58];
    frame.extend([8 << 3, 0, 0]);
    frame.extend(b"abcdefgh");
    let header = u32::try_from(body.len()).unwrap() << 3 | 2 << 1 | 1;
    frame.extend(&header.to_le_bytes()[..3]);
    frame.extend(body);
    let mut out = Vec::new();
    assert!(decompress(Compression::Zstd, &frame, 1 << 30, &mut out).is_err());
    assert!(out.capacity() < 1 << 20, "{} bytes were taken", out.capacity());
}

/// Runs of zeros compressed 1:1000 and more, of which only a part is declared.
#[test]
fn bombs_take_no_more_memory_than_is_declared() {
    for (compression, vector) in compressed() {
        if vector.plain_length == 262_144 {
            let mut out = Vec::new();
            assert!(decompress(compression, &vector.stored, 5000, &mut out).is_err());
            assert!(out.capacity() <= 256 * 1024, "{}: {}", vector.name, out.capacity());
        }
    }
}

#[test]
fn messages_say_what_is_wrong() {
    let error = decompress(Compression::Snappy, &[3, 0, 0], 3, &mut Vec::new()).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("the Snappy block is damaged: "), "{message}");
    assert!(message.ends_with(", at byte 0 of the section's body"), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Any bytes: an error, or exactly the declared length.
    #[test]
    fn any_bytes_are_refused_or_restored(which in 0..5_usize, block: Vec<u8>, plain_length in 0..100_000_usize) {
        let mut out = Vec::new();
        let done = decompress(ALL[which], &block, plain_length, &mut out).is_ok();
        prop_assert_eq!(out.len(), if done { plain_length } else { 0 });
    }

    /// Real blocks with up to three bytes changed.
    #[test]
    fn changed_blocks_are_refused_or_restored(
        pick: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let vectors = compressed();
        let (compression, vector) = pick.get(&vectors);
        let mut stored = vector.stored.clone();
        for (at, byte) in changes {
            let at = at.index(stored.len());
            stored[at] = byte;
        }
        let mut out = Vec::new();
        let done = decompress(*compression, &stored, vector.plain_length, &mut out).is_ok();
        prop_assert_eq!(out.len(), if done { vector.plain_length } else { 0 });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What `snap` and `flate2` write themselves, at any length.
    #[test]
    fn blocks_of_any_length_are_restored(seed: Vec<u8>, length in 1..300_000_usize) {
        let plain: Vec<u8> = seed.iter().copied().chain([0]).cycle().take(length).collect();
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &plain).unwrap();
        let blocks = [
            (Compression::Snappy, snap::raw::Encoder::new().compress_vec(&plain).unwrap()),
            (Compression::Deflate, encoder.finish().unwrap()),
        ];
        let mut out = Vec::new();
        for (compression, block) in blocks {
            decompress(compression, &block, plain.len(), &mut out).unwrap();
            prop_assert!(out == plain);
        }
    }
}
