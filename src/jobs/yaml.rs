//! A YAML file as a tree whose every node knows its place.
//!
//! The subset that these files need: one document, mappings with text keys, sequences, scalars of YAML 1.2's core
//! schema. Anchors, aliases and tags are refused: what a file says must be readable where it stands.

use serde_json::Value;
use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::{Marker, TScalarStyle};

use super::finding::Place;

/// Larger files are refused, in bytes.
pub const MAX_FILE: usize = 1024 * 1024;

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number, as it is written.
    Number(String),
    /// Anything else in one piece.
    Text(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values, in the order of the file, each key once.
    Mapping(Vec<Entry>),
}

/// An entry of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where the key stands.
    pub place: Place,
    /// The key.
    pub key: String,
    /// The value.
    pub value: Node,
}

/// Why a text is no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// Where.
    pub place: Place,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Kind {
    /// What it is, in words.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

impl Node {
    /// The same without places, as JSON. Numbers that JSON cannot hold become texts.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Boolean(on) => Value::Bool(*on),
            Kind::Number(text) => {
                let digits = text.strip_prefix('+').unwrap_or(text);
                serde_json::from_str(digits).unwrap_or_else(|_| Value::String(text.clone()))
            }
            Kind::Text(text) => Value::String(text.clone()),
            Kind::Sequence(nodes) => nodes.iter().map(Self::to_json).collect(),
            Kind::Mapping(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect()
            }
        }
    }
}

/// A collection whose end has not come.
enum Open {
    Sequence(Place, Vec<Node>),
    Mapping(Place, Vec<Entry>, Option<(Place, String)>),
}

/// Reads a text.
///
/// # Errors
/// It is not YAML, or uses what these files do without.
pub fn parse(text: &str) -> Result<Node, YamlError> {
    let error = |place, message: &str| YamlError { place, message: message.to_owned() };
    let start = Place { line: 1, column: 1 };
    if text.len() > MAX_FILE {
        return Err(error(start, "longer than 1 MiB"));
    }
    // Editors of some systems put a byte order mark before the text; YAML allows it there.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    printable(text)?;
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut root: Option<Node> = None;
    loop {
        let (event, mark) = parser.next_token().map_err(|problem| YamlError {
            place: place(problem.marker()),
            message: format!("not YAML: {}", problem.info()),
        })?;
        let place = place(&mark);
        if let Some(message) = refused(&event) {
            return Err(error(place, message));
        }
        let done = match event {
            Event::StreamEnd => break,
            Event::DocumentStart if root.is_some() => {
                return Err(error(place, "a second document: write one file for each"));
            }
            Event::SequenceStart(..) => {
                open.push(Open::Sequence(place, Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Mapping(place, Vec::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::Sequence(place, nodes)) => Node { place, kind: Kind::Sequence(nodes) },
                Some(Open::Mapping(place, entries, _)) => Node { place, kind: Kind::Mapping(entries) },
                None => return Err(error(place, "not YAML: an end without a beginning")),
            },
            Event::Scalar(text, style, ..) => Node { place, kind: scalar(text, style) },
            _ => continue,
        };
        match open.last_mut() {
            None => root = Some(done),
            Some(parent) => add(parent, done)?,
        }
    }
    root.ok_or_else(|| error(start, "the file is empty"))
}

/// Refuses the characters that YAML 1.2 (5.1) keeps out of a text. The parser takes U+0000 for the end of the file: what
/// stands behind it would not be read, and nobody would know.
fn printable(text: &str) -> Result<(), YamlError> {
    let mut place = Place { line: 1, column: 1 };
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let is_forbidden = match character {
            '\t' | '\n' | '\r' | '\u{85}' => false,
            '\u{fffe}' | '\u{ffff}' => true,
            other => other.is_control(),
        };
        if is_forbidden {
            let mut message = format!(
                "not YAML: the character U+{:04X}: take it out, or write it as an escape in double quotes",
                u32::from(character)
            );
            if character == '\0' {
                message.push_str("; an end of zeros is what a crash leaves of a file: restore it");
            }
            return Err(YamlError { place, message });
        }
        if character == '\n' || (character == '\r' && characters.peek() != Some(&'\n')) {
            place = Place { line: place.line.saturating_add(1), column: 1 };
        } else {
            place.column = place.column.saturating_add(1);
        }
    }
    Ok(())
}

fn add(parent: &mut Open, node: Node) -> Result<(), YamlError> {
    match parent {
        Open::Sequence(_, nodes) => nodes.push(node),
        Open::Mapping(_, entries, key) => match key.take() {
            Some((place, key)) => entries.push(Entry { place, key, value: node }),
            None => {
                let text = match node.kind {
                    Kind::Text(text) | Kind::Number(text) => text,
                    other => {
                        let message = format!("a key must be a text, and this is {}", other.name());
                        return Err(YamlError { place: node.place, message });
                    }
                };
                if entries.iter().any(|entry| entry.key == text) {
                    let message = format!("{text} stands here twice");
                    return Err(YamlError { place: node.place, message });
                }
                *key = Some((node.place, text));
            }
        },
    }
    Ok(())
}

fn place(mark: &Marker) -> Place {
    Place { line: mark.line().max(1), column: mark.col().saturating_add(1) }
}

fn refused(event: &Event) -> Option<&'static str> {
    let (anchor, tag): (usize, Option<&Tag>) = match event {
        Event::Alias(_) => return Some("an alias (*): write the value out"),
        Event::Scalar(_, _, anchor, tag)
        | Event::SequenceStart(anchor, tag)
        | Event::MappingStart(anchor, tag) => (*anchor, tag.as_ref()),
        _ => return None,
    };
    if anchor > 0 {
        return Some("an anchor (&): write the value out where it is used");
    }
    tag.map(|_| "a tag (!): values need none here")
}

/// What a scalar is by YAML 1.2's core schema; octal and hexadecimal numbers stay texts.
fn scalar(text: String, style: TScalarStyle) -> Kind {
    if style != TScalarStyle::Plain {
        return Kind::Text(text);
    }
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Boolean(true),
        "false" | "False" | "FALSE" => Kind::Boolean(false),
        _ if is_number(&text) => Kind::Number(text),
        _ => Kind::Text(text),
    }
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_is = match mantissa.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(mantissa),
    };
    mantissa_is && exponent.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_kinds() {
        let root = parse("a: 1\nb:\n  - x\n  - {c: true, d: -1.5e3}\n").unwrap();
        let Kind::Mapping(entries) = &root.kind else { panic!("{root:?}") };
        assert_eq!(entries[0].value.kind, Kind::Number("1".to_owned()));
        assert_eq!(entries[0].value.place, Place { line: 1, column: 4 });
        assert_eq!(entries[1].place, Place { line: 2, column: 1 });
        let Kind::Sequence(nodes) = &entries[1].value.kind else { panic!("{entries:?}") };
        assert_eq!(nodes[0].place, Place { line: 3, column: 5 });
        let Kind::Mapping(inner) = &nodes[1].kind else { panic!("{nodes:?}") };
        assert_eq!(inner[0].value.kind, Kind::Boolean(true));
        assert_eq!(inner[1].value.kind, Kind::Number("-1.5e3".to_owned()));
        assert_eq!(inner[1].place, Place { line: 4, column: 15 });
    }

    #[test]
    fn scalars_of_the_core_schema() {
        let kind = |text: &str| parse(text).unwrap().kind;
        for text in ["no", "on", "'1'", "1.", ".5", "0x1F", "1_000", "2025-01-01", "<", "1e", "\"true\""] {
            assert!(matches!(kind(text), Kind::Text(_)), "{text}");
        }
        for text in ["+1", "007", "1.50", "1E-7"] {
            assert_eq!(kind(text), Kind::Number(text.to_owned()));
        }
        assert_eq!(kind("~"), Kind::Null);
    }

    #[test]
    fn what_is_refused_says_where() {
        for (text, line, column, word) in [
            ("a: 1\na: 2", 2, 1, "twice"),
            ("a: &x 1", 1, 7, "anchor"),
            ("a: *x", 1, 4, "anchor"),
            ("a: !!str 1", 1, 10, "tag"),
            ("a: 1\n---\nb: 1", 2, 1, "document"),
            ("a: [1", 2, 1, "not YAML"),
            ("", 1, 1, "empty"),
            ("[1]: 2", 1, 1, "key"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message.contains(word), "{text}: {error:?}");
            if word != "anchor" && word != "not YAML" {
                assert_eq!(error.place, Place { line, column }, "{text}: {error:?}");
            }
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn characters_that_yaml_forbids_say_where() {
        for (text, line, column, word) in [
            ("a: 1\n\0b: 2\n", 2, 1, "U+0000"),
            ("a: 1\n\0\0\0\0", 2, 1, "a crash"),
            ("a: 1\0", 1, 5, "U+0000"),
            ("a: 1 # \0\n", 1, 8, "U+0000"),
            ("a: x\0y", 1, 5, "U+0000"),
            ("a: 'x\u{1b}y'", 1, 6, "U+001B"),
            ("a: \"\u{e9}\u{7f}\"", 1, 6, "U+007F"),
            ("a: 1\r\nb: 2\rc: \u{80}", 3, 4, "U+0080"),
            ("a: \u{ffff}", 1, 4, "U+FFFF"),
            ("\u{feff}\0", 1, 1, "U+0000"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message.contains(word), "{text:?}: {error:?}");
            assert_eq!(error.place, Place { line, column }, "{text:?}: {error:?}");
        }
        let root = parse("a: \"\\0\t\u{85}\u{a0}\u{fffd}\u{10ffff}\"\r\n").unwrap();
        assert_eq!(root.to_json(), serde_json::json!({ "a": "\0\t\u{85}\u{a0}\u{fffd}\u{10ffff}" }));
    }

    #[test]
    fn a_byte_order_mark_before_the_text_does_not_count() {
        let text = "# comment\na: 1\n";
        assert_eq!(parse(&format!("\u{feff}{text}")), parse(text));
        assert_eq!(parse("\u{feff}a: 1"), parse("a: 1"));
    }
}
