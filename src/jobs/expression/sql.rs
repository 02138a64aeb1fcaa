//! The tree → Flink SQL.

use super::{Expr, Function, Literal, Operator};
use crate::jobs::calendar::{write_date, write_timestamp};

/// How the place of a secret begins, which `cdc-jobs submit` fills in.
pub const PLACE: &str = "${";

/// What the columns of a row are called in the query that an expression stands in.
pub trait Dialect {
    /// The typed value of a column; whole numbers as `BIGINT`, floats as `DOUBLE`.
    fn column(&self, column: usize) -> String;
    /// The record's Kafka timestamp, `TIMESTAMP(3)` in UTC.
    fn kafka_time(&self) -> String;
    /// Whether the payload is an object; never NULL.
    fn is_object(&self) -> String;
    /// Whether the payload carries the column's field; never NULL.
    fn is_carried(&self, column: usize) -> String;
    /// Whether the field's content is no value of the column's type; never NULL.
    fn is_untyped(&self, column: usize) -> String;
    /// Whether the record's write time is known; never NULL.
    fn has_write_time(&self) -> String;
}

/// A name in backquotes: bare names can be reserved words (`value`, `raw`).
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text in single quotes. What an editor, a terminal or a line-wise reader of SQL would take for something else goes
/// by its code point.
#[must_use]
pub fn sql_text(text: &str) -> String {
    text_of(text, is_plain)
}

/// The same of a text that a rules file has: what looks like the place of a secret (`${env:NAME}`) is none there.
fn literal_text(text: &str) -> String {
    let has_place = text.contains(PLACE);
    text_of(text, |character| is_plain(character) && !(has_place && character == '$'))
}

fn is_plain(character: char) -> bool {
    !character.is_control() && !"\u{2028}\u{2029}\u{feff}".contains(character)
}

fn text_of(text: &str, is_plain: impl Fn(char) -> bool) -> String {
    if text.chars().all(&is_plain) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\'' => escaped.push_str("''"),
            '\\' => escaped.push_str(r"\\"),
            plain if is_plain(plain) => escaped.push(plain),
            other => escaped.push_str(&format!("\\{:04X}", u32::from(other))),
        }
    }
    format!("U&'{escaped}'")
}

impl Literal {
    /// As Flink SQL writes it.
    #[must_use]
    pub fn to_sql(&self) -> String {
        match self {
            Self::Text(text) => literal_text(text),
            // Its minus is an operator, and the number behind it out of range.
            Self::Integer(i64::MIN) => format!("CAST('{}' AS BIGINT)", i64::MIN),
            Self::Integer(number) | Self::Time(number) => number.to_string(),
            Self::Decimal(number) => match number.digits() {
                // Longer literals are out of range.
                ..=18 => number.to_string(),
                digits => format!("CAST('{number}' AS DECIMAL({digits}, {}))", number.scale()),
            },
            // An exponent makes it a DOUBLE.
            Self::Double(number) => format!("{number:e}").to_uppercase(),
            Self::Boolean(on) => on.to_string().to_uppercase(),
            Self::Timestamp(ms) => format!("TIMESTAMP '{}'", write_timestamp(*ms)),
            Self::Date(days) => format!("DATE '{}'", write_date(*days)),
        }
    }
}

impl Expr {
    /// As Flink SQL writes it, in parentheses where it has parts.
    #[must_use]
    pub fn to_sql(&self, dialect: &dyn Dialect) -> String {
        let sql = |expr: &Self| expr.to_sql(dialect);
        let joined = |parts: &[Self], word: &str| {
            format!("({})", parts.iter().map(sql).collect::<Vec<_>>().join(word))
        };
        match self {
            Self::Column(column) => dialect.column(*column),
            Self::KafkaTime => dialect.kafka_time(),
            Self::Literal(literal) => literal.to_sql(),
            Self::IsObject => dialect.is_object(),
            Self::IsCarried(column) => dialect.is_carried(*column),
            Self::IsUntyped(column) => dialect.is_untyped(*column),
            Self::HasWriteTime => dialect.has_write_time(),
            Self::Not(inner) => format!("(NOT {})", sql(inner)),
            Self::And(parts) => joined(parts, " AND "),
            Self::Or(parts) => joined(parts, " OR "),
            Self::IsNull(inner) => format!("({} IS NULL)", sql(inner)),
            Self::IsTrue(inner) => format!("({} IS TRUE)", sql(inner)),
            Self::IsFalse(inner) => format!("({} IS FALSE)", sql(inner)),
            Self::Compare { by, left, right } => format!("({} {} {})", sql(left), by.sql(), sql(right)),
            Self::InList { value, list } => {
                let list: Vec<String> = list.iter().map(Literal::to_sql).collect();
                format!("({} IN ({}))", sql(value), list.join(", "))
            }
            Self::Matches { value, pattern } => {
                format!("REGEXP({}, {})", sql(value), literal_text(pattern.java()))
            }
            Self::Arithmetic { by, left, right } => {
                let by = match by {
                    Operator::Add => "+",
                    Operator::Subtract => "-",
                    Operator::Multiply => "*",
                    Operator::Divide => "/",
                };
                // A small number alone would make the sum an INT, which wraps around earlier.
                let wide = |part: &Self| match part {
                    Self::Literal(Literal::Integer(number)) => format!("CAST({number} AS BIGINT)"),
                    other => sql(other),
                };
                format!("({} {by} {})", wide(left), wide(right))
            }
            Self::ToDouble(inner) => format!("CAST({} AS DOUBLE)", sql(inner)),
            Self::Call(function, arguments) => {
                let name = match function {
                    Function::CharLength => "CHAR_LENGTH",
                    Function::Trim => "TRIM",
                    Function::Abs => "ABS",
                    Function::Coalesce => "COALESCE",
                };
                format!("{name}{}", joined(arguments, ", "))
            }
            Self::AddSeconds { value, seconds } => {
                format!("TIMESTAMPADD(SECOND, {seconds}, {})", sql(value))
            }
            Self::Case { branches, otherwise } => {
                let mut text = "CASE".to_owned();
                for (condition, value) in branches {
                    text.push_str(&format!(" WHEN {} THEN {}", sql(condition), sql(value)));
                }
                if let Some(value) = otherwise {
                    text.push_str(&format!(" ELSE {}", sql(value)));
                }
                text.push_str(" END");
                text
            }
        }
    }
}
