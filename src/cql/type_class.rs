//! Types written as Java classes: `org.apache.cassandra.db.marshal.MapType(…UTF8Type,…Int32Type)`.
//!
//! `system_schema` prints this form, in single quotes, for types without a CQL form. Classes that have one are
//! mapped onto it, because their values are framed and read alike; all others stay opaque.

use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{tag, take_while, take_while1},
    character::complete::{char, multispace0},
    combinator::{all_consuming, consumed, map, opt},
    error::{Error, ErrorKind},
    multi::separated_list0,
    sequence::{delimited, preceded, terminated},
};

use super::hex;
use super::type_expr::TypeExpr;
use super::type_grammar::MAX_DEPTH;
use super::types::CqlType;

const PACKAGE: &str = "org.apache.cassandra.db.marshal.";

/// Classes without parameters that have a CQL type.
fn simple(class: &str) -> Option<CqlType> {
    Some(match class {
        "AsciiType" => CqlType::Ascii,
        "BooleanType" => CqlType::Boolean,
        "ByteType" => CqlType::TinyInt,
        "BytesType" => CqlType::Blob,
        "CounterColumnType" => CqlType::Counter,
        // The old name of TimestampType; the same eight bytes, compared differently.
        "DateType" | "TimestampType" => CqlType::Timestamp,
        "DecimalType" => CqlType::Decimal,
        "DoubleType" => CqlType::Double,
        "DurationType" => CqlType::Duration,
        "EmptyType" => CqlType::Empty,
        "FloatType" => CqlType::Float,
        "InetAddressType" => CqlType::Inet,
        "Int32Type" => CqlType::Int,
        "IntegerType" => CqlType::VarInt,
        "LegacyTimeUUIDType" | "TimeUUIDType" => CqlType::TimeUuid,
        "LexicalUUIDType" | "UUIDType" => CqlType::Uuid,
        "LongType" => CqlType::BigInt,
        "ShortType" => CqlType::SmallInt,
        "SimpleDateType" => CqlType::Date,
        "TimeType" => CqlType::Time,
        "UTF8Type" => CqlType::Text,
        _ => return None,
    })
}

/// The type of a class text. Never fails: what is not understood is [`TypeExpr::Custom`] with the text as it is.
pub(super) fn parse(text: &str) -> TypeExpr {
    let whole = delimited(multispace0, |i| class(1, i), multispace0);
    match all_consuming(whole).parse(text) {
        Ok((_, class)) => class.to_expr(),
        Err(_) => TypeExpr::Custom(text.to_owned()),
    }
}

/// A class with its parameters.
struct Class<'a> {
    /// As written, parameters included.
    text: &'a str,
    name: &'a str,
    parameters: Vec<Parameter<'a>>,
}

/// `class`, `label:class` (fields of a user-defined type) or `label=>class` (dynamic composite).
struct Parameter<'a> {
    label: Option<&'a str>,
    class: Class<'a>,
}

fn class(depth: usize, input: &str) -> IResult<&str, Class<'_>> {
    if depth > MAX_DEPTH {
        return Err(nom::Err::Failure(Error::new(input, ErrorKind::TooLarge)));
    }
    let comma = delimited(multispace0, char(','), multispace0);
    let parameters = delimited(
        terminated(char('('), multispace0),
        separated_list0(comma, |i| parameter(depth + 1, i)),
        preceded(multispace0, char(')')),
    );
    map(consumed((name, opt(parameters))), |(text, (name, parameters))| Class {
        text,
        name,
        parameters: parameters.unwrap_or_default(),
    })
    .parse(input)
}

fn parameter(depth: usize, input: &str) -> IResult<&str, Parameter<'_>> {
    let label = terminated(take_while(is_name), alt((tag(":"), tag("=>"))));
    map((opt(label), |i| class(depth, i)), |(label, class)| Parameter { label, class }).parse(input)
}

fn name(input: &str) -> IResult<&str, &str> {
    take_while1(is_name).parse(input)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '&' | '$')
}

impl Class<'_> {
    fn to_expr(&self) -> TypeExpr {
        self.known().unwrap_or_else(|| TypeExpr::Custom(self.text.to_owned()))
    }

    /// The type when the class has a CQL form and the parameters fit it.
    fn known(&self) -> Option<TypeExpr> {
        let class = self.name.strip_prefix(PACKAGE).unwrap_or(self.name);
        match (class, self.parameters.as_slice()) {
            (class, []) => simple(class).map(TypeExpr::Native),
            // Reversed order changes how values are sorted, not how they are written.
            ("ReversedType", [of]) => of.plain(),
            ("FrozenType", [of]) => Some(TypeExpr::Frozen(Box::new(of.plain()?))),
            ("ListType", [of]) => Some(TypeExpr::List(Box::new(of.plain()?))),
            ("SetType", [of]) => Some(TypeExpr::Set(Box::new(of.plain()?))),
            ("MapType", [key, value]) => {
                Some(TypeExpr::Map(Box::new(key.plain()?), Box::new(value.plain()?)))
            }
            ("TupleType", fields) => {
                let fields = fields.iter().map(Parameter::plain).collect::<Option<_>>()?;
                Some(TypeExpr::Tuple(fields))
            }
            ("VectorType", [of, dimension]) => {
                let dimension = dimension.class.text.parse().ok().filter(|n| *n >= 1)?;
                Some(TypeExpr::Vector(Box::new(of.plain()?), dimension))
            }
            ("UserType", [keyspace, name, fields @ ..]) => Some(TypeExpr::Inline {
                keyspace: keyspace.class.text.to_owned(),
                name: from_hex(name.class.text)?,
                fields: fields
                    .iter()
                    .map(|field| Some((from_hex(field.label?)?, field.class.to_expr())))
                    .collect::<Option<_>>()?,
            }),
            _ => None,
        }
    }
}

impl Parameter<'_> {
    /// The type of a parameter without a label.
    fn plain(&self) -> Option<TypeExpr> {
        self.label.is_none().then(|| self.class.to_expr())
    }
}

/// Text whose UTF-8 bytes are written as hex digits.
fn from_hex(digits: &str) -> Option<String> {
    String::from_utf8(hex::decode(digits)?).ok()
}
