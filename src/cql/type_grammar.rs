//! The grammar of CQL type texts, as `system_schema` prints them and DDL spells them.
//!
//! [`parse`] reads the text into a [`TypeExpr`]; [`TypeExpr::resolve`] looks user-defined types up and gives a
//! [`CqlType`]. Two steps, because types may be declared in any order. Depth is bounded in both.

use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{tag, tag_no_case},
    character::complete::{char, multispace0, u32 as number},
    combinator::{all_consuming, map, not, opt, value},
    error::{ErrorKind, ParseError},
    multi::separated_list1,
    sequence::{delimited, preceded, terminated},
};

use super::ident;
use super::type_class;
use super::type_expr::TypeExpr;
use super::types::CqlType;

/// How deep types may nest, user-defined types counted with what they contain.
pub const MAX_DEPTH: usize = 64;

/// Why a type text has no type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    /// Not the grammar.
    #[error("type `{text}`: expected {expected} at character {column}")]
    Syntax {
        /// The whole type text.
        text: String,
        /// Where, counted in characters from 1.
        column: usize,
        /// What should have stood there.
        expected: &'static str,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("a type nested deeper than {MAX_DEPTH} levels is not supported")]
    TooDeep,
    /// A user-defined type that the schema does not have.
    #[error("unknown user-defined type `{0}`; the schema must hold the rows of system_schema.types too")]
    UnknownUserType(String),
    /// A user-defined type that contains itself.
    #[error("user-defined type `{0}` contains itself")]
    Recursive(String),
    /// A user-defined type with more field names than field types, or fewer.
    #[error("user-defined type `{0}` has not as many field names as field types")]
    FieldCount(String),
    /// A user-defined type whose own definition has an error.
    #[error("user-defined type `{name}`, field `{field}`: {error}")]
    Field {
        /// The user-defined type.
        name: String,
        /// Its field.
        field: String,
        /// What is wrong with the field's type.
        error: Box<TypeError>,
    },
}

/// The types without parameters and their names; the first name of a type is the one that is printed.
pub(crate) static NATIVE: [(&str, CqlType); 22] = [
    ("ascii", CqlType::Ascii),
    ("bigint", CqlType::BigInt),
    ("blob", CqlType::Blob),
    ("boolean", CqlType::Boolean),
    ("counter", CqlType::Counter),
    ("date", CqlType::Date),
    ("decimal", CqlType::Decimal),
    ("double", CqlType::Double),
    ("duration", CqlType::Duration),
    ("empty", CqlType::Empty),
    ("float", CqlType::Float),
    ("inet", CqlType::Inet),
    ("int", CqlType::Int),
    ("smallint", CqlType::SmallInt),
    ("text", CqlType::Text),
    ("time", CqlType::Time),
    ("timestamp", CqlType::Timestamp),
    ("timeuuid", CqlType::TimeUuid),
    ("tinyint", CqlType::TinyInt),
    ("uuid", CqlType::Uuid),
    ("varchar", CqlType::Text),
    ("varint", CqlType::VarInt),
];

/// Reads a type text.
///
/// # Errors
///
/// [`TypeError::Syntax`] or [`TypeError::TooDeep`].
pub fn parse(text: &str) -> Result<TypeExpr, TypeError> {
    let whole = delimited(multispace0, |i| type_expr(1, i), multispace0);
    match all_consuming(whole).parse(text) {
        Ok((_, expr)) => Ok(expr),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(fault.at(text)),
        Err(nom::Err::Incomplete(_)) => Err(Fault::new("", EXPECTED_TYPE).at(text)),
    }
}

const EXPECTED_TYPE: &str = "a type";
const TOO_DEEP: &str = "less nesting";

/// Where parsing stopped (the rest of the text) and what was expected there.
struct Fault<'a> {
    rest: &'a str,
    expected: &'static str,
}

impl<'a> Fault<'a> {
    fn new(rest: &'a str, expected: &'static str) -> Self {
        Self { rest, expected }
    }

    fn at(&self, text: &str) -> TypeError {
        if self.expected == TOO_DEEP {
            return TypeError::TooDeep;
        }
        let consumed = text.len().saturating_sub(self.rest.len());
        let column = text.get(..consumed).map_or(0, |t| t.chars().count()) + 1;
        TypeError::Syntax { text: text.to_owned(), column, expected: self.expected }
    }
}

impl<'a> ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(rest: &'a str, kind: ErrorKind) -> Self {
        let expected = match kind {
            ErrorKind::Eof => "the end of the type",
            ErrorKind::Char | ErrorKind::Tag => "`<`, `,` or `>`",
            _ => EXPECTED_TYPE,
        };
        Self { rest, expected }
    }

    fn append(_: &'a str, _: ErrorKind, first: Self) -> Self {
        first
    }
}

type Parsed<'a, T> = IResult<&'a str, T, Fault<'a>>;

/// Turns the plain error of [`ident`]'s parsers into a [`Fault`].
fn lift<'a, T>(result: IResult<&'a str, T>, expected: &'static str) -> Parsed<'a, T> {
    result.map_err(|error| error.map(|e| Fault::new(e.input, expected)))
}

fn token<'a>(c: char) -> impl Parser<&'a str, Output = char, Error = Fault<'a>> {
    delimited(multispace0, char(c), multispace0)
}

fn type_expr(depth: usize, input: &str) -> Parsed<'_, TypeExpr> {
    if depth > MAX_DEPTH {
        return Err(nom::Err::Failure(Fault::new(input, TOO_DEEP)));
    }
    alt((|i| class(depth, i), |i| parameterised(depth, i), native, named)).parse(input)
}

fn class(depth: usize, input: &str) -> Parsed<'_, TypeExpr> {
    let (rest, text) = lift(ident::enclosed('\'', input), EXPECTED_TYPE)?;
    let expr = type_class::parse(&text);
    if depth + expr.depth() > MAX_DEPTH + 1 {
        return Err(nom::Err::Failure(Fault::new(input, TOO_DEEP)));
    }
    Ok((rest, expr))
}

/// A keyword followed by `<`. Once both are read there is no other reading, so that errors stay where they are.
fn parameterised(depth: usize, input: &str) -> Parsed<'_, TypeExpr> {
    let (parameters, keyword) = terminated(
        alt((
            tag_no_case("frozen"),
            tag_no_case("list"),
            tag_no_case("set"),
            tag_no_case("map"),
            tag_no_case("tuple"),
            tag_no_case("vector"),
        )),
        token('<'),
    )
    .parse(input)?;
    let inner = |i| type_expr(depth + 1, i);
    let boxed = |i| map(inner, Box::new).parse(i);
    let comma = || token(',');
    let body = |i| match keyword.to_ascii_lowercase().as_str() {
        "frozen" => map(boxed, TypeExpr::Frozen).parse(i),
        "list" => map(boxed, TypeExpr::List).parse(i),
        "set" => map(boxed, TypeExpr::Set).parse(i),
        "map" => map((boxed, preceded(comma(), boxed)), |(k, v)| TypeExpr::Map(k, v)).parse(i),
        "tuple" => map(separated_list1(comma(), inner), TypeExpr::Tuple).parse(i),
        _ => map((boxed, preceded(comma(), dimension)), |(e, n)| TypeExpr::Vector(e, n)).parse(i),
    };
    terminated(body, preceded(multispace0, char('>'))).parse(parameters).map_err(|error| match error {
        nom::Err::Error(fault) => nom::Err::Failure(fault),
        other => other,
    })
}

/// Number of elements of a vector: at least one, and at most what Java can count.
fn dimension(input: &str) -> Parsed<'_, u32> {
    match number::<_, Fault<'_>>(input) {
        Ok((rest, n)) if n >= 1 && i32::try_from(n).is_ok() => Ok((rest, n)),
        _ => Err(nom::Err::Failure(Fault::new(input, "a number of elements (1 to 2147483647)"))),
    }
}

fn native(input: &str) -> Parsed<'_, TypeExpr> {
    let (rest, word) = lift(ident::word(input), EXPECTED_TYPE)?;
    // `int.x` is a type of keyspace `int`.
    let (rest, ()) = not(tag::<_, _, Fault<'_>>(".")).parse(rest)?;
    match native_type(&word.to_ascii_lowercase()) {
        Some(found) => Ok((rest, TypeExpr::Native(found))),
        None => Err(nom::Err::Error(Fault::new(input, EXPECTED_TYPE))),
    }
}

/// The type without parameters of that lower-case name.
pub(crate) fn native_type(name: &str) -> Option<CqlType> {
    let (_, found) = NATIVE.iter().find(|(n, _)| *n == name)?;
    Some(found.clone())
}

fn named(input: &str) -> Parsed<'_, TypeExpr> {
    let (rest, first) = lift(ident::identifier(input), EXPECTED_TYPE)?;
    let (rest, dot) = opt(value((), char('.'))).parse(rest)?;
    if dot.is_none() {
        return Ok((rest, TypeExpr::Named(None, first)));
    }
    let (rest, name) = lift(ident::identifier(rest), "the name of a type")?;
    Ok((rest, TypeExpr::Named(Some(first), name)))
}
