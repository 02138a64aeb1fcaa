//! Compact JSON, appended to a buffer. `serde_json` is its oracle in tests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::cql::LooseText;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends a JSON string. Only `"`, `\` and control characters are escaped.
#[inline]
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_escaped(text, out);
    out.push(b'"');
}

/// Appends text that UTF-8 does not have as a JSON string, with U+FFFD for what is no character: a record that strict
/// parsers refuse would stop its consumers.
#[cold]
pub(super) fn write_loose_string(text: LooseText<'_>, out: &mut Vec<u8>) {
    write_string(&text.lossy(), out);
}

/// Appends the content of a JSON string without its quotes.
#[inline]
pub(super) fn write_escaped(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(position) = first_to_escape(rest) {
        let (plain, from) = rest.split_at_checked(position).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        let Some((byte, after)) = from.split_first() else { return };
        write_escape(*byte, out);
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// Appends ASCII text that needs no escape as a JSON string; `false` when the bytes are something else, and
/// nothing is appended.
#[inline]
pub(super) fn write_plain_ascii(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    if !is_plain_ascii(bytes) {
        return false;
    }
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    out.extend_from_slice(bytes);
    out.push(b'"');
    true
}

#[inline]
fn is_plain_ascii(bytes: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut chunks = bytes.chunks_exact(8);
    let clean = chunks.all(|chunk| {
        let word = chunk.try_into().map_or(HIGH, u64::from_le_bytes);
        (word & HIGH) | bytes_to_escape(word) == 0
    });
    clean
        && chunks
            .remainder()
            .iter()
            .all(|byte| (0x20..0x80).contains(byte) && *byte != b'"' && *byte != b'\\')
}

/// Position of the first byte that must be escaped; looks at eight bytes a step.
#[inline]
fn first_to_escape(bytes: &[u8]) -> Option<usize> {
    let mut chunks = bytes.chunks_exact(8);
    let mut position = 0;
    for chunk in &mut chunks {
        let Ok(word) = chunk.try_into().map(u64::from_le_bytes) else { break };
        let marks = bytes_to_escape(word);
        if marks != 0 {
            return Some(position + (marks.trailing_zeros() / 8) as usize);
        }
        position += 8;
    }
    let tail = chunks.remainder();
    tail.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\').map(|index| position + index)
}

/// Sets the high bit of every byte below 0x20 or equal to `"` or `\`; exact for the lowest such byte.
#[inline]
fn bytes_to_escape(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word & HIGH;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    below(word, 0x20) | equal(b'"') | equal(b'\\')
}

#[cold]
fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            out.extend_from_slice(b"\\u00");
            write_hex(&[byte], out);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Appends lower-case hex digits.
#[inline]
pub(super) fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 0xF)]);
    }
}

/// Appends a JSON string of base64.
pub(super) fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    let length = bytes.len().div_ceil(3) * 4;
    out.resize(start + length, b'=');
    if let Some(slot) = out.get_mut(start..) {
        let written = STANDARD.encode_slice(bytes, slot).unwrap_or(0);
        out.truncate(start + written);
    }
    out.push(b'"');
}

/// Appends `null`.
#[inline]
pub(super) fn write_null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

/// Appends a JSON string, or `null`.
pub(super) fn write_optional_string(text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        Some(text) => write_string(text, out),
        None => write_null(out),
    }
}

/// `"name":`, for names written again and again.
pub(super) fn field(name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + 3);
    write_string(name, &mut out);
    out.push(b':');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn string(text: &str) -> String {
        let mut out = Vec::new();
        write_string(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_what_json_demands_and_nothing_else() {
        assert_eq!(
            string("a\"b\\c/\u{8}\t\n\u{c}\r\u{1}\u{1f}\u{7f}é😀"),
            "\"a\\\"b\\\\c/\\b\\t\\n\\f\\r\\u0001\\u001f\u{7f}é😀\""
        );
        for byte in 0..=127_u8 {
            for length in 0..20 {
                let text = format!("{}{}", "x".repeat(length), char::from(byte));
                assert_eq!(serde_json::from_str::<String>(&string(&text)).unwrap(), text);
            }
        }
    }

    proptest! {
        #[test]
        fn strings_are_what_serde_json_reads_and_writes(text: String) {
            prop_assert_eq!(serde_json::to_string(&text).unwrap(), string(&text));
        }

        #[test]
        fn plain_ascii_is_what_serde_json_writes_or_is_refused(text in "[ -~é\\x00-\\x1f]{0,40}") {
            let mut out = Vec::new();
            let plain = text.bytes().all(|byte| (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\');
            prop_assert_eq!(write_plain_ascii(text.as_bytes(), &mut out), plain);
            if plain {
                prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
            }
        }

        #[test]
        fn base64_decodes_to_the_bytes(bytes: Vec<u8>) {
            let mut out = Vec::new();
            write_base64(&bytes, &mut out);
            let text: String = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(STANDARD.decode(text).unwrap(), bytes);
        }
    }
}
