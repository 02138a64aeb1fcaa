//! CQL text → tokens.

use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{tag, take_until, take_while, take_while1},
    character::complete::{anychar, multispace1},
    combinator::{fail, map, opt, recognize, value},
    sequence::{delimited, preceded},
};

use crate::cql::ident;

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// Unquoted word: keyword or name.
    Word(&'a str),
    /// Name in double quotes, unquoted.
    Name(String),
    /// Text in single quotes or between `$$`.
    Text(String),
    /// Anything that begins with a digit: number, UUID, blob.
    Number(&'a str),
    /// A single other character.
    Symbol(char),
}

/// A token and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The tokens of a text; `Err` is where a text, a name or a comment is not closed.
///
/// A comment in which Cassandra shows a COMPACT STORAGE table ("Warning: …", then its CREATE TABLE) is read like the
/// text around it: it is the only description of that table.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, usize> {
    let offset = |rest: &str| text.len().saturating_sub(rest.len());
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = gap(rest);
        if rest.is_empty() {
            return Ok(tokens);
        }
        let start = offset(rest);
        let Ok((after, kind)) = token(rest) else {
            return Err(start);
        };
        rest = after;
        let end = offset(rest);
        tokens.push(Token { kind, start, end });
    }
}

/// Skips space, comments, the preface of a compact table and the end of the comment it stands in.
fn gap(mut input: &str) -> &str {
    let line = || take_while::<_, _, nom::error::Error<&str>>(|c| c != '\n');
    loop {
        let skipped: IResult<&str, ()> = alt((
            value((), multispace1),
            value((), preceded(alt((tag("--"), tag("//"))), line())),
            value((), compact_table),
            value((), delimited(tag("/*"), take_until("*/"), tag("*/"))),
            value((), tag("*/")),
        ))
        .parse(input);
        match skipped {
            Ok((rest, ())) => input = rest,
            Err(_) => return input,
        }
    }
}

/// The beginning of a comment up to the statement that shows a compact table.
fn compact_table(input: &str) -> IResult<&str, ()> {
    let (body, _) = (tag("/*"), multispace1, tag("Warning: ")).parse(input)?;
    // Only within the comment: to search the whole text for each comment would take quadratic time.
    let (_, comment) = take_until("*/")(body)?;
    let (_, preface): (&str, &str) = take_until("CREATE ")(comment)?;
    Ok((body.get(preface.len()..).unwrap_or_default(), ()))
}

fn token(input: &str) -> IResult<&str, Kind<'_>> {
    if input.starts_with("/*") {
        return fail().parse(input);
    }
    if input.starts_with('"') {
        return map(|i| ident::enclosed('"', i), Kind::Name).parse(input);
    }
    if input.starts_with('\'') {
        return map(|i| ident::enclosed('\'', i), Kind::Text).parse(input);
    }
    if input.starts_with("$$") {
        let dollars = delimited(tag("$$"), take_until("$$"), tag("$$"));
        return map(dollars, |text: &str| Kind::Text(text.to_owned())).parse(input);
    }
    alt((
        map(uuid, Kind::Number),
        map(number, Kind::Number),
        map(ident::word, Kind::Word),
        map(anychar, Kind::Symbol),
    ))
    .parse(input)
}

fn uuid(input: &str) -> IResult<&str, &str> {
    let hex = |n: usize| nom::bytes::complete::take_while_m_n(n, n, |c: char| c.is_ascii_hexdigit());
    recognize((hex(8), tag("-"), hex(4), tag("-"), hex(4), tag("-"), hex(4), tag("-"), hex(12))).parse(input)
}

/// Digits with what can follow them in a number, a blob or a duration; the dot only between digits.
fn number(input: &str) -> IResult<&str, &str> {
    let digits = || take_while1::<_, &str, nom::error::Error<&str>>(|c: char| c.is_ascii_digit());
    let tail = take_while(|c: char| c.is_ascii_alphanumeric() || c == '_');
    recognize((digits(), opt((tag("."), digits())), tail)).parse(input)
}
