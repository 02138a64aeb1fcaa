//! CQL identifiers: when a stored name needs quotes, and how quotes are undone.

use std::borrow::Cow;

use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{tag, take_while},
    character::complete::{char, satisfy},
    combinator::{map, recognize},
    multi::fold_many0,
    sequence::{delimited, pair},
};

/// Words that CQL does not accept as an unquoted name (Cassandra's `reserved_keywords.txt`, 4.0 to 5.0).
const RESERVED: &[&str] = &[
    "add",
    "allow",
    "alter",
    "and",
    "apply",
    "asc",
    "authorize",
    "batch",
    "begin",
    "by",
    "columnfamily",
    "create",
    "delete",
    "desc",
    "describe",
    "drop",
    "entries",
    "execute",
    "from",
    "full",
    "grant",
    "if",
    "in",
    "index",
    "infinity",
    "insert",
    "into",
    "is",
    "keyspace",
    "limit",
    "materialized",
    "modify",
    "nan",
    "norecursive",
    "not",
    "null",
    "of",
    "on",
    "or",
    "order",
    "primary",
    "rename",
    "revoke",
    "schema",
    "select",
    "set",
    "table",
    "to",
    "token",
    "truncate",
    "unlogged",
    "update",
    "use",
    "using",
    "view",
    "where",
    "with",
];

/// The name as CQL text prints it: as is when it is a lower-case identifier and no reserved word, else in double
/// quotes.
#[must_use]
pub fn quoted_if_needed(name: &str) -> Cow<'_, str> {
    let mut bytes = name.bytes();
    let plain = bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && RESERVED.binary_search(&name).is_err();
    if plain { Cow::Borrowed(name) } else { Cow::Owned(quoted(name)) }
}

/// The name in double quotes, inner quotes doubled.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The stored form of an identifier: unquoted ones in lower case, quoted ones as written.
pub(crate) fn identifier(input: &str) -> IResult<&str, String> {
    alt((|i| enclosed('"', i), map(word, |text: &str| text.to_ascii_lowercase()))).parse(input)
}

/// An unquoted word: a letter, then letters, digits and `_`.
pub(crate) fn word(input: &str) -> IResult<&str, &str> {
    recognize(pair(
        satisfy(|c| c.is_ascii_alphabetic()),
        take_while(|c: char| c.is_ascii_alphanumeric() || c == '_'),
    ))
    .parse(input)
}

/// Text between two `quote` characters, in which a doubled one stands for itself.
pub(crate) fn enclosed(quote: char, input: &str) -> IResult<&str, String> {
    let doubled = if quote == '"' { "\"\"" } else { "''" };
    delimited(
        char(quote),
        fold_many0(
            alt((map(tag(doubled), |_| quote), satisfy(move |c: char| c != quote))),
            String::new,
            |mut text, c| {
                text.push(c);
                text
            },
        ),
        char(quote),
    )
    .parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_only_where_cql_needs_them() {
        for (stored, printed) in [
            ("addr", "addr"),
            ("a_1", "a_1"),
            ("My T", "\"My T\""),
            ("Upper", "\"Upper\""),
            ("1st", "\"1st\""),
            ("_x", "\"_x\""),
            ("", "\"\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("select", "\"select\""),
            ("with", "\"with\""),
            ("selected", "selected"),
        ] {
            assert_eq!(quoted_if_needed(stored), printed);
        }
    }

    #[test]
    fn reserved_words_are_sorted() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn reads_identifiers() {
        assert_eq!(identifier("Addr>"), Ok((">", "addr".to_owned())));
        assert_eq!(identifier("\"A\"\"b\" x"), Ok((" x", "A\"b".to_owned())));
        assert!(identifier("\"open").is_err());
        assert!(identifier("9a").is_err());
    }
}
