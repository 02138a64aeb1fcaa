//! The primitives of the mutation format, as nom parsers over a slice of known length.
//!
//! A length never indexes: it makes a sub-slice, or the parse fails.

use nom::error::{ErrorKind, ParseError};
use nom::{IResult, Parser, bytes::complete::take, number::complete};

/// Why bytes are not what they should be, and how many bytes were left when that showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// What was expected.
    pub expected: &'static str,
    /// Bytes of the input that were left.
    pub left: usize,
}

impl<'a> ParseError<&'a [u8]> for Malformed {
    fn from_error_kind(input: &'a [u8], _: ErrorKind) -> Self {
        Self { expected: "more bytes", left: input.len() }
    }

    fn append(_: &'a [u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// Result of a parser over `'a`: the rest and the value.
pub type Parsed<'a, T> = IResult<&'a [u8], T, Malformed>;

/// A failed parse at `input`.
#[cold]
pub(crate) fn malformed<'a, T>(input: &'a [u8], expected: &'static str) -> Parsed<'a, T> {
    Err(nom::Err::Error(Malformed { expected, left: input.len() }))
}

/// One byte.
#[inline]
pub fn u8(input: &[u8]) -> Parsed<'_, u8> {
    complete::u8(input)
}

/// Big-endian 16-bit unsigned integer.
#[inline]
pub fn u16(input: &[u8]) -> Parsed<'_, u16> {
    fixed(input).map(|(rest, bytes)| (rest, u16::from_be_bytes(bytes)))
}

/// Big-endian 32-bit unsigned integer.
#[inline]
pub fn u32(input: &[u8]) -> Parsed<'_, u32> {
    fixed(input).map(|(rest, bytes)| (rest, u32::from_be_bytes(bytes)))
}

/// Big-endian 32-bit signed integer.
#[inline]
pub fn i32(input: &[u8]) -> Parsed<'_, i32> {
    fixed(input).map(|(rest, bytes)| (rest, i32::from_be_bytes(bytes)))
}

/// Big-endian 64-bit signed integer.
#[inline]
pub fn i64(input: &[u8]) -> Parsed<'_, i64> {
    fixed(input).map(|(rest, bytes)| (rest, i64::from_be_bytes(bytes)))
}

/// `N` bytes as an array.
#[inline]
pub fn fixed<const N: usize>(input: &[u8]) -> Parsed<'_, [u8; N]> {
    match input.split_first_chunk() {
        Some((bytes, rest)) => Ok((rest, *bytes)),
        None => malformed(input, "a value of fixed length"),
    }
}

/// `length` bytes.
#[inline]
pub fn slice(length: usize) -> impl Fn(&[u8]) -> Parsed<'_, &[u8]> {
    move |input| take(length).parse_complete(input)
}

/// Cassandra's unsigned vint: the leading one bits of the first byte count the bytes that follow, big-endian.
/// Any length is accepted, shortest or not.
#[inline]
pub fn uvint(input: &[u8]) -> Parsed<'_, u64> {
    match input.split_first() {
        Some((&first, rest)) if first < 0x80 => Ok((rest, u64::from(first))),
        Some((&first, rest)) => long_uvint(first, rest),
        None => malformed(input, "a vint"),
    }
}

#[inline]
fn long_uvint(first: u8, rest: &[u8]) -> Parsed<'_, u64> {
    let extra = first.leading_ones();
    let high = u64::from(first) & u64::from(0xFF_u8.checked_shr(extra).unwrap_or(0));
    let extra_bytes = extra as usize;
    if let (Some(window), Some(after)) = (rest.first_chunk::<8>(), rest.get(extra_bytes..)) {
        let low = u64::from_be_bytes(*window) >> (64 - 8 * extra);
        return Ok((after, high.checked_shl(8 * extra).unwrap_or(0) | low));
    }
    match rest.split_at_checked(extra_bytes) {
        Some((bytes, after)) => {
            Ok((after, bytes.iter().fold(high, |value, byte| value << 8 | u64::from(*byte))))
        }
        None => malformed(rest, "the rest of a vint"),
    }
}

/// Zigzag signed vint (only inside `duration` values).
#[inline]
pub fn svint(input: &[u8]) -> Parsed<'_, i64> {
    let (rest, coded) = uvint(input)?;
    Ok((rest, (coded >> 1).cast_signed() ^ -(coded & 1).cast_signed()))
}

/// A vint length and that many bytes.
#[inline]
pub fn vbytes(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, length) = uvint(input)?;
    match usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)) {
        Some((bytes, after)) => Ok((after, bytes)),
        None => malformed(rest, "as many bytes as the length before them says"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Values and bytes from the specification of the encoding.
    const UVINTS: &[(u64, &[u8])] = &[
        (0, &[0]),
        (127, &[0x7f]),
        (128, &[0x80, 0x80]),
        (255, &[0x80, 0xff]),
        (256, &[0x81, 0x00]),
        (300, &[0x81, 0x2c]),
        (16383, &[0xbf, 0xff]),
        (16384, &[0xc0, 0x40, 0x00]),
        (2_097_151, &[0xdf, 0xff, 0xff]),
        (2_097_152, &[0xe0, 0x20, 0x00, 0x00]),
        (1 << 28, &[0xf0, 0x10, 0, 0, 0]),
        (1 << 35, &[0xf8, 0x08, 0, 0, 0, 0]),
        (1 << 42, &[0xfc, 0x04, 0, 0, 0, 0, 0]),
        (1 << 49, &[0xfe, 0x02, 0, 0, 0, 0, 0, 0]),
        ((1 << 56) - 1, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        (1 << 56, &[0xff, 0x01, 0, 0, 0, 0, 0, 0, 0]),
        (u64::MAX, &[0xff; 9]),
    ];

    #[test]
    fn uvint_vectors_alone_and_followed_by_other_bytes() {
        for (value, bytes) in UVINTS {
            assert_eq!(uvint(bytes), Ok((&[][..], *value)));
            let mut longer = bytes.to_vec();
            longer.extend([0xAA; 9]);
            assert_eq!(uvint(&longer), Ok((&[0xAA; 9][..], *value)));
        }
    }

    #[test]
    fn uvint_cut_anywhere_fails() {
        for (_, bytes) in UVINTS {
            for cut in 0..bytes.len() {
                assert!(uvint(&bytes[..cut]).is_err());
            }
        }
    }

    #[test]
    fn svint_vectors() {
        let vectors: &[(i64, &[u8])] = &[
            (0, &[0]),
            (-1, &[1]),
            (1, &[2]),
            (-64, &[0x7f]),
            (63, &[0x7e]),
            (64, &[0x80, 0x80]),
            (-65, &[0x80, 0x81]),
            (10_800_000_000_000, &[0xfc, 0x13, 0xa5, 0x24, 0x53, 0xc0, 0x00]),
            (i64::MIN, &[0xff; 9]),
        ];
        for (value, bytes) in vectors {
            assert_eq!(svint(bytes), Ok((&[][..], *value)));
        }
    }

    #[test]
    fn vbytes_never_reads_past_its_input() {
        assert_eq!(vbytes(&[2, 7, 8, 9]), Ok((&[9][..], &[7, 8][..])));
        assert!(vbytes(&[3, 7, 8]).is_err());
        assert!(vbytes(&[0xff; 9]).is_err());
    }

    /// The writer's side, from the table of the specification: shortest form.
    fn write_uvint(value: u64) -> Vec<u8> {
        let bits = 64 - value.leading_zeros().min(63) as usize;
        let extra = ((bits - 1) / 7).min(8);
        let bytes = value.to_be_bytes();
        if extra == 8 {
            return [&[0xff][..], &bytes].concat();
        }
        let mut out = bytes[7 - extra..].to_vec();
        out[0] |= !(0xFF_u8 >> extra);
        out
    }

    proptest! {
        #[test]
        fn uvint_reads_what_a_writer_wrote(value: u64, shift in 0_u32..64) {
            let value = value >> shift;
            let written = write_uvint(value);
            prop_assert_eq!(uvint(&written), Ok((&[][..], value)));
        }

        #[test]
        fn no_primitive_panics(bytes: Vec<u8>) {
            let _ = (uvint(&bytes), svint(&bytes), vbytes(&bytes), u16(&bytes), i32(&bytes), i64(&bytes));
        }
    }
}
