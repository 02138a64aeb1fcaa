//! Regular expressions that mean the same to Rust's `regex` and to `java.util.regex`.
//!
//! A pattern is looked for anywhere in the text. What the two read differently is refused, or written anew for each:
//! `.` is anything but Java's line terminators, `$` is the end of the text (Java's own also matches before a last line
//! break), `\d`, `\w` and `\s` are ASCII.

use std::fmt;

use regex::{Regex, RegexBuilder};
use regex_syntax::ast::{
    Assertion, AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem, GroupKind,
    HexLiteralKind, Literal, LiteralKind, Repetition, RepetitionKind, RepetitionRange, Span,
    SpecialLiteralKind, parse::Parser,
};

/// Longest pattern, in bytes.
const MAX_LENGTH: usize = 1000;

/// Highest number in a repetition: Java unrolls none, Rust unrolls all.
const MAX_REPEAT: u32 = 1000;

/// A pattern for both engines.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    java: String,
    rust: Regex,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It is none, or the two engines could answer differently; the text says which part and why.
    pub fn new(source: &str) -> Result<Self, String> {
        if source.is_empty() || source.len() > MAX_LENGTH {
            return Err(format!("a pattern has 1 to {MAX_LENGTH} bytes"));
        }
        let ast = Parser::new().parse(source).map_err(|error| {
            let hint = match error.kind() {
                regex_syntax::ast::ErrorKind::UnsupportedLookAround => {
                    ": write what must be there as a rule of its own"
                }
                regex_syntax::ast::ErrorKind::UnsupportedBackreference => ": use a compare rule",
                _ => "",
            };
            format!("{} at character {}{hint}", error.kind(), error.span().start.column)
        })?;
        let mut pieces = Vec::new();
        Checker { source, pieces: &mut pieces }.check(&ast)?;
        let rust = write(source, &pieces, |piece| piece.rust);
        let java = write(source, &pieces, |piece| piece.java);
        let rust = RegexBuilder::new(&rust).unicode(true).size_limit(1 << 20).build();
        let rust =
            rust.map_err(|_| "the pattern needs more than 1 MiB: make its repetitions smaller".to_owned())?;
        Ok(Self { source: source.to_owned(), java, rust })
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// For `java.util.regex`.
    #[must_use]
    pub fn java(&self) -> &str {
        &self.java
    }

    /// Whether it is somewhere in the text.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.rust.is_match(text)
    }
}

/// A part of the pattern that is written anew.
struct Piece {
    span: Span,
    rust: &'static str,
    java: &'static str,
}

fn write(source: &str, pieces: &[Piece], text: impl Fn(&Piece) -> &'static str) -> String {
    let mut out = String::new();
    let mut done = 0;
    for piece in pieces {
        out.push_str(source.get(done..piece.span.start.offset).unwrap_or_default());
        out.push_str(text(piece));
        done = piece.span.end.offset;
    }
    out.push_str(source.get(done..).unwrap_or_default());
    out
}

struct Checker<'p> {
    source: &'p str,
    /// In the order of the pattern.
    pieces: &'p mut Vec<Piece>,
}

fn refuse<T>(span: &Span, why: &str) -> Result<T, String> {
    Err(format!("{why} (at character {})", span.start.column))
}

impl Checker<'_> {
    fn check(&mut self, ast: &Ast) -> Result<(), String> {
        match ast {
            Ast::Empty(_) => Ok(()),
            Ast::Literal(literal) => literal_is_common(literal),
            Ast::Dot(span) => {
                self.write(**span, r"[^\n\r\x{85}\x{2028}\x{2029}]", r"[^\n\r\u0085\u2028\u2029]");
                Ok(())
            }
            Ast::Assertion(assertion) => self.assertion(assertion),
            Ast::ClassPerl(class) => {
                let text = perl(class, true);
                self.write(class.span, text, text);
                Ok(())
            }
            Ast::ClassBracketed(class) => self.set(&class.kind),
            Ast::Repetition(repetition) => self.repetition(repetition),
            Ast::Group(group) => match &group.kind {
                GroupKind::CaptureIndex(_) => self.check(&group.ast),
                GroupKind::NonCapturing(flags) if flags.items.is_empty() => self.check(&group.ast),
                GroupKind::NonCapturing(_) => {
                    refuse(&group.span, "flags mean different letters to the two engines: write both cases")
                }
                GroupKind::CaptureName { .. } => refuse(&group.span, "a group needs no name here"),
            },
            Ast::Alternation(alternation) => alternation.asts.iter().try_for_each(|ast| self.check(ast)),
            Ast::Concat(concat) => concat.asts.iter().try_for_each(|ast| self.check(ast)),
            Ast::Flags(flags) => {
                refuse(&flags.span, "flags mean different letters to the two engines: write both cases")
            }
            Ast::ClassUnicode(class) => refuse(
                &class.span,
                "classes of Unicode change with the version of Java: write the letters as a class",
            ),
        }
    }

    fn write(&mut self, span: Span, rust: &'static str, java: &'static str) {
        self.pieces.push(Piece { span, rust, java });
    }

    fn assertion(&mut self, assertion: &Assertion) -> Result<(), String> {
        match assertion.kind {
            AssertionKind::StartLine | AssertionKind::StartText | AssertionKind::EndText => Ok(()),
            AssertionKind::EndLine => {
                self.write(assertion.span, r"\z", r"\z");
                Ok(())
            }
            _ => refuse(
                &assertion.span,
                "boundaries of words differ between versions of Java: name the characters",
            ),
        }
    }

    fn set(&mut self, set: &ClassSet) -> Result<(), String> {
        match set {
            ClassSet::BinaryOp(operation) => {
                refuse(&operation.span, "&&, -- and ~~ in a class mean different sets: write one class")
            }
            ClassSet::Item(item) => self.item(item),
        }
    }

    fn item(&mut self, item: &ClassSetItem) -> Result<(), String> {
        match item {
            ClassSetItem::Empty(_) => Ok(()),
            ClassSetItem::Literal(literal) => literal_in_class(literal, self.source),
            ClassSetItem::Range(range) => {
                literal_in_class(&range.start, self.source)?;
                literal_in_class(&range.end, self.source)
            }
            ClassSetItem::Perl(class) if class.negated => {
                refuse(&class.span, r"\D, \W and \S cannot stand in a class: write what it holds")
            }
            ClassSetItem::Perl(class) => {
                let text = perl(class, false);
                self.write(class.span, text, text);
                Ok(())
            }
            ClassSetItem::Union(union) => union.items.iter().try_for_each(|item| self.item(item)),
            ClassSetItem::Ascii(class) => {
                refuse(&class.span, "[:…:] is a set of characters to Java: write the class out")
            }
            ClassSetItem::Unicode(class) => refuse(
                &class.span,
                "classes of Unicode change with the version of Java: write the letters as a class",
            ),
            ClassSetItem::Bracketed(class) => {
                refuse(&class.span, r"a class in a class: write one class, and \[ for a bracket")
            }
        }
    }

    fn repetition(&mut self, repetition: &Repetition) -> Result<(), String> {
        let span = &repetition.span;
        let highest = match &repetition.op.kind {
            RepetitionKind::ZeroOrOne => Some(1),
            RepetitionKind::ZeroOrMore | RepetitionKind::OneOrMore => None,
            RepetitionKind::Range(RepetitionRange::Exactly(most) | RepetitionRange::Bounded(_, most)) => {
                Some(*most)
            }
            RepetitionKind::Range(RepetitionRange::AtLeast(least)) if *least > MAX_REPEAT => Some(*least),
            RepetitionKind::Range(RepetitionRange::AtLeast(_)) => None,
        };
        if highest.is_some_and(|highest| highest > MAX_REPEAT) {
            return refuse(span, "a repetition of more than 1000 times");
        }
        match &*repetition.ast {
            Ast::Repetition(_) => refuse(span, "a repetition of a repetition means something else to Java"),
            Ast::Assertion(_) | Ast::Empty(_) => refuse(span, "a repetition of nothing"),
            Ast::Group(_) if highest.is_none() => refuse(
                span,
                "a group without limit lets Java run out of stack or time on a long text: give the highest number, \
                 as in (…){0,20}",
            ),
            ast => self.check(ast),
        }
    }
}

/// ASCII as Java has it; `\s` has no vertical tab in Rust's own ASCII set.
fn perl(class: &ClassPerl, brackets: bool) -> &'static str {
    match (&class.kind, class.negated, brackets) {
        (ClassPerlKind::Digit, true, _) => "[^0-9]",
        (ClassPerlKind::Digit, false, true) => "[0-9]",
        (ClassPerlKind::Digit, false, false) => "0-9",
        (ClassPerlKind::Word, true, _) => "[^a-zA-Z_0-9]",
        (ClassPerlKind::Word, false, true) => "[a-zA-Z_0-9]",
        (ClassPerlKind::Word, false, false) => "a-zA-Z_0-9",
        (ClassPerlKind::Space, true, _) => r"[^ \t\n\x0B\f\r]",
        (ClassPerlKind::Space, false, true) => r"[ \t\n\x0B\f\r]",
        (ClassPerlKind::Space, false, false) => r" \t\n\x0B\f\r",
    }
}

fn literal_is_common(literal: &Literal) -> Result<(), String> {
    let common = match &literal.kind {
        LiteralKind::Verbatim => !matches!(literal.c, '{' | '}' | ']'),
        LiteralKind::Meta | LiteralKind::HexFixed(HexLiteralKind::X | HexLiteralKind::UnicodeShort) => true,
        LiteralKind::HexBrace(HexLiteralKind::X) => true,
        LiteralKind::Superfluous => !literal.c.is_ascii_alphanumeric() && !matches!(literal.c, '<' | '>'),
        LiteralKind::Special(kind) => matches!(
            kind,
            SpecialLiteralKind::Tab
                | SpecialLiteralKind::LineFeed
                | SpecialLiteralKind::CarriageReturn
                | SpecialLiteralKind::FormFeed
        ),
        LiteralKind::HexFixed(_) | LiteralKind::HexBrace(_) | LiteralKind::Octal => false,
    };
    let why =
        r"a character that the two engines read differently: write \xHH, \uHHHH, or a backslash before it";
    if common { Ok(()) } else { refuse(&literal.span, why) }
}

/// In a class Java also reads `[` as the beginning of another one, and `^` and `&` by where they stand.
fn literal_in_class(literal: &Literal, source: &str) -> Result<(), String> {
    let escaped = source.get(literal.span.start.offset..).is_some_and(|rest| rest.starts_with('\\'));
    if !escaped && matches!(literal.c, '[' | ']' | '^' | '&' | '~') {
        return refuse(&literal.span, "this character in a class needs a backslash before it");
    }
    if literal.c == '{' || literal.c == '}' { Ok(()) } else { literal_is_common(literal) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches() {
        for (pattern, text, expected) in [
            ("^[a-z]+$", "abc", true),
            // Java's own $ would match before the line break.
            ("^[a-z]+$", "abc\n", false),
            ("b", "abc", true),
            ("^a.c$", "a\u{2028}c", false),
            ("^a.c$", "a😀c", true),
            (r"^\d+$", "١٢", false),
            (r"^[\w.]+@[\w.]+\.[a-z]{2,}$", "ada@example.com", true),
            (r"^[\w.]+@[\w.]+\.[a-z]{2,}$", "é@example.com", false),
            (r"\s", "\u{0B}", true),
            (r"\s", "\u{A0}", false),
            ("^(?:ab|c){1,3}$", "abcab", true),
            (r"^\x41\u0042\x{43}$", "ABC", true),
            ("é", "café", true),
        ] {
            let compiled = Pattern::new(pattern).unwrap();
            assert_eq!(compiled.is_in(text), expected, "{pattern} in {text:?}");
        }
    }

    #[test]
    fn what_java_gets() {
        for (pattern, java) in [
            (r"^a$", r"^a\z"),
            (r"^\d{4}[\d-]$", r"^[0-9]{4}[0-9-]\z"),
            (r"a.b", r"a[^\n\r\u0085\u2028\u2029]b"),
            (r"[^.\\]", r"[^.\\]"),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().java(), java);
        }
    }

    #[test]
    fn what_is_refused() {
        for pattern in [
            "",
            "(",
            "a**",
            "a*+",
            "(a+)+",
            "(a|b)*",
            "(a)+",
            "(?i)a",
            "(?=a)",
            r"(a)\1",
            r"\bword\b",
            r"\p{L}",
            "[[:alpha:]]",
            "[a[b]]",
            "[a&&b]",
            r"[^\D]",
            "(?P<n>a)",
            r"\v",
            r"\a",
            "a{2}{3}",
            "a{2000}",
            r"\u{41}",
            "[a^]",
            "(?:)+",
            "^*",
            r"\<",
            "]",
            r"\Qa\E",
            "a{,3}",
        ] {
            let refused = Pattern::new(pattern);
            assert!(refused.is_err(), "{pattern}: {refused:?}");
        }
    }
}
