//! Java's .properties files.

use std::path::Path;

use crate::agent::exit::{Exit, Failure};

/// A property and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) key: String,
    pub(super) value: String,
    /// From 1.
    pub(super) line: usize,
}

/// Reads a file, in Latin-1 as the connector does: in the order of its lines, of a key that stands twice only the last one, as Java has it.
///
/// # Errors
/// It cannot be read, or an escape in it is none.
pub(super) fn read(path: &Path) -> Result<Vec<Property>, Failure> {
    let failure = |what: String| Failure::new(Exit::Usage, what);
    let bytes = std::fs::read(path)
        .map_err(|error| failure(format!("cannot read {}", path.display())).because(error))?;
    parse(&bytes).map_err(|error| {
        failure(format!("{} is no .properties file", path.display()))
            .because(error)
            .next("give the file that the connector is started with")
    })
}

/// An escape `\u` without four hexadecimal digits, and its line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {0}: \\u must be followed by four hexadecimal digits")]
struct BadEscape(usize);

fn parse(bytes: &[u8]) -> Result<Vec<Property>, BadEscape> {
    let text: String = bytes.iter().copied().map(char::from).collect();
    let text = text.replace("\r\n", "\n");
    let mut properties: Vec<Property> = Vec::new();
    let mut lines =
        text.split(['\n', '\r']).zip(1..).map(|(text, line)| (text.trim_start_matches(BLANKS), line));
    while let Some((first, line)) = lines.next() {
        if first.is_empty() || first.starts_with(['#', '!']) {
            continue;
        }
        let mut whole = first.to_owned();
        while is_continued(&whole) {
            whole.pop();
            let Some((more, _)) = lines.next() else { break };
            whole.push_str(more);
        }
        let (key, value) = split(&whole);
        let (key, value) = (unescaped(key, line)?, unescaped(value, line)?);
        properties.retain(|other| other.key != key);
        properties.push(Property { key, value: value.trim_end().to_owned(), line });
    }
    Ok(properties)
}

const BLANKS: [char; 3] = [' ', '\t', '\u{c}'];

/// Whether a line ends with a backslash that is not itself escaped.
fn is_continued(line: &str) -> bool {
    line.chars().rev().take_while(|character| *character == '\\').count() % 2 == 1
}

/// Key and value, still escaped: blanks, `=` or `:` stand between them.
fn split(line: &str) -> (&str, &str) {
    let mut is_escaped = false;
    let end = line.find(|character: char| {
        let ends = !is_escaped && (BLANKS.contains(&character) || matches!(character, '=' | ':'));
        is_escaped = !is_escaped && character == '\\';
        ends
    });
    let (key, rest) = line.split_at_checked(end.unwrap_or(line.len())).unwrap_or((line, ""));
    let rest = rest.trim_start_matches(BLANKS);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (key, rest.trim_start_matches(BLANKS))
}

fn unescaped(text: &str, line: usize) -> Result<String, BadEscape> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let plain = match character {
            '\\' => match characters.next() {
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).collect();
                    let is_hex = digits.len() == 4 && digits.chars().all(|digit| digit.is_ascii_hexdigit());
                    let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| is_hex);
                    units.push(unit.ok_or(BadEscape(line))?);
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some(other) => other,
                None => continue,
            },
            other => other,
        };
        units.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
    }
    Ok(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms that the documentation of `java.util.Properties.load` names.
    #[test]
    fn every_form_of_a_line() {
        let text = b"# comment\n! comment\nTruth = Beauty\n Truth2:Beauty\nTruth3\t\t:Beauty\n\
            fruits   apple, banana, pear, \\\n          cantaloupe\ncheeses\n\
            a\\:b\\=c\\ d=x\\u00e9\\ty\nTruth=again\n";
        let found: Vec<(String, String)> =
            parse(text).unwrap().into_iter().map(|property| (property.key, property.value)).collect();
        let expected = [
            ("Truth2", "Beauty"),
            ("Truth3", "Beauty"),
            ("fruits", "apple, banana, pear, cantaloupe"),
            ("cheeses", ""),
            ("a:b=c d", "x\u{e9}\ty"),
            ("Truth", "again"),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(found, expected);
        assert_eq!(
            parse(b"a=1\r\n\r\nb=2\\\r\n 3\r\n").unwrap()[1],
            Property { key: "b".to_owned(), value: "23".to_owned(), line: 3 }
        );
        assert_eq!(parse(b"a=\xe9").unwrap()[0].value, "\u{e9}");
        assert_eq!(parse(b"a=\\ud83d\\ude00").unwrap()[0].value, "\u{1f600}");
        assert_eq!(parse(b"\na=\\u00zz"), Err(BadEscape(2)));
    }
}
