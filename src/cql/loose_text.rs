//! Text that Cassandra takes and UTF-8 does not have.
//!
//! Cassandra's validator of `text` lets pass: `C0 80` for NUL (Java's modified UTF-8), surrogates written as three
//! bytes each (CESU-8 in pairs), code points above U+10FFFF, and after `E0` and `F0` some second bytes that give no
//! code point. `tests/oracle/vectors/accepted.jsonl` holds what it takes and what not.

/// Bytes that are no UTF-8 and that Cassandra takes for text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LooseText<'a>(&'a [u8]);

/// What stands at a place of such a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// A character; of a pair of surrogates the one that they stand for.
    Char(char),
    /// A sequence that stands for no character: a surrogate alone among them.
    Nothing,
}

impl<'a> LooseText<'a> {
    /// Takes bytes that Cassandra takes; `None` when it refuses them.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = piece(rest)?.1;
        }
        Some(Self(bytes))
    }

    /// The pieces in order.
    pub fn pieces(self) -> impl Iterator<Item = Piece> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (piece, after) = piece(rest)?;
            rest = after;
            Some(piece)
        })
    }

    /// The text, when it has only characters.
    #[must_use]
    pub fn exact(self) -> Option<String> {
        let chars = self.pieces().map(|piece| match piece {
            Piece::Char(char) => Some(char),
            Piece::Nothing => None,
        });
        chars.collect()
    }

    /// The text, with U+FFFD for every piece that is no character.
    #[must_use]
    pub fn lossy(self) -> String {
        let chars = self.pieces().map(|piece| match piece {
            Piece::Char(char) => char,
            Piece::Nothing => char::REPLACEMENT_CHARACTER,
        });
        chars.collect()
    }
}

/// The first piece and what follows it; `None` where Cassandra refuses the bytes, and at the end.
fn piece(bytes: &[u8]) -> Option<(Piece, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    match *first {
        0..=0x7F => Some((Piece::Char(char::from(*first)), rest)),
        0xC0 => match rest.split_first()? {
            (0x80, rest) => Some((Piece::Char('\0'), rest)),
            _ => None,
        },
        0xC2..=0xDF => {
            let (code, rest) = continued(u32::from(first & 0x1F), 1, rest)?;
            Some((character(code), rest))
        }
        0xE0 => match rest.split_first()? {
            (0xA0..=0xBF, _) => three(0, rest),
            (0x80..=0x9F, _) => None,
            (_, rest) => continued(0, 1, rest).map(|(_, rest)| (Piece::Nothing, rest)),
        },
        0xE1..=0xEF => three(u32::from(first & 0x0F), rest),
        0xF0 => match rest.split_first()? {
            (0x90..=0xBF, _) => continued(0, 3, rest).map(|(code, rest)| (character(code), rest)),
            (second, _) if second & 0x30 == 0 => None,
            (_, rest) => continued(0, 2, rest).map(|(_, rest)| (Piece::Nothing, rest)),
        },
        0xF1..=0xF7 => {
            let (code, rest) = continued(u32::from(first & 0x07), 3, rest)?;
            Some((character(code), rest))
        }
        _ => None,
    }
}

fn character(code: u32) -> Piece {
    char::from_u32(code).map_or(Piece::Nothing, Piece::Char)
}

/// Adds six bits of each of `count` continuation bytes.
fn continued(start: u32, count: usize, bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (continuation, rest) = bytes.split_at_checked(count)?;
    let mut code = start;
    for byte in continuation {
        if byte & 0xC0 != 0x80 {
            return None;
        }
        code = code << 6 | u32::from(byte & 0x3F);
    }
    Some((code, rest))
}

/// A sequence of three bytes, the first of which is read; of six when it and the next one are a pair of surrogates.
fn three(start: u32, bytes: &[u8]) -> Option<(Piece, &[u8])> {
    let (code, rest) = continued(start, 2, bytes)?;
    let surrogate = match u16::try_from(code) {
        Ok(code @ 0xD800..=0xDFFF) => code,
        _ => return Some((character(code), rest)),
    };
    let low = rest.strip_prefix(&[0xED]).and_then(|after| continued(0x0D, 2, after));
    match low {
        Some((low @ 0xDC00..=0xDFFF, after)) if surrogate < 0xDC00 => {
            Some((character(0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00)), after))
        }
        _ => Some((Piece::Nothing, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(bytes: &[u8]) -> Vec<Piece> {
        LooseText::new(bytes).unwrap().pieces().collect()
    }

    #[test]
    fn every_kind_of_piece() {
        assert_eq!(pieces(b"a\xC0\x80"), [Piece::Char('a'), Piece::Char('\0')]);
        // U+1F600 is D83D DE00 in UTF-16.
        assert_eq!(pieces(b"\xED\xA0\xBD\xED\xB8\x80"), [Piece::Char('\u{1F600}')]);
        assert_eq!(pieces(b"\xED\xB8\x80\xED\xA0\xBD"), [Piece::Nothing, Piece::Nothing]);
        assert_eq!(pieces(b"\xED\xA0\xBDx"), [Piece::Nothing, Piece::Char('x')]);
        assert_eq!(pieces(b"\xE0\x41\x80\xF5\x80\x80\x80"), [Piece::Nothing, Piece::Nothing]);
        let text = LooseText::new(b"\xED\xA0\xBD\xC0\x80").unwrap();
        assert_eq!((text.exact(), text.lossy()), (None, "\u{FFFD}\0".to_owned()));
    }

    proptest! {
        #[test]
        fn utf8_is_what_it_is(text: String) {
            prop_assert_eq!(LooseText::new(text.as_bytes()).unwrap().exact(), Some(text.clone()));
        }
    }
}
