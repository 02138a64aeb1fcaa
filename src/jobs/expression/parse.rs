//! The text of an expression → the tree. An own reader of this small part of SQL: the sqlparser crate knows no Flink,
//! takes much that Flink refuses (`SELECT value`, `FILTER`), and its tree says neither types nor what to write instead.

use super::lexer::{Token, TokenKind, tokens};
use super::types::{Typed, number, unify};
use super::{Expr, Function, Literal, Operator};
use crate::config::near_names;
use crate::jobs::calendar;
use crate::jobs::pattern::Pattern;
use crate::jobs::value::{Comparison, Type};

/// How a rule names the record's Kafka timestamp.
pub const KAFKA_TIME: &str = "kafka_ts";

/// How deep parentheses and operators may stand in each other.
const MAX_DEPTH: usize = 50;

/// The columns that a name can mean: their names and types in order.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s>(pub &'s [(&'s str, Type)]);

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {at} of the expression)")]
pub struct ExpressionError {
    /// The character, from 1.
    pub at: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// Reads a condition over the columns of `scope`.
///
/// # Errors
/// It is no expression of this language, names no column, or its operands do not go together.
pub fn parse(text: &str, scope: Scope<'_>) -> Result<Expr, ExpressionError> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0, scope };
    let condition = parser.condition()?;
    match parser.peek() {
        TokenKind::End => Ok(condition),
        _ => parser.fail("expected the end, AND or OR"),
    }
}

struct Parser<'s> {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    scope: Scope<'s>,
}

type Parsed<T> = Result<T, ExpressionError>;

impl Parser<'_> {
    fn peek(&self) -> &TokenKind {
        self.tokens.get(self.next).map_or(&TokenKind::End, |token| &token.kind)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(1, |token| token.at)
    }

    fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(ExpressionError { at: self.at(), message: message.into() })
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), TokenKind::Symbol(found) if *found == symbol);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.symbol(symbol) { Ok(()) } else { self.fail(format!("expected {symbol}")) }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), TokenKind::Name(name) if name.eq_ignore_ascii_case(word))
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.next += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.word(word) { Ok(()) } else { self.fail(format!("expected {word}")) }
    }

    fn text(&mut self, what: &str) -> Parsed<String> {
        match self.peek() {
            TokenKind::Text(text) => {
                let text = text.clone();
                self.next += 1;
                Ok(text)
            }
            _ => self.fail(format!("expected {what} in single quotes")),
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return self.fail("too deep: split the rule");
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn condition(&mut self) -> Parsed<Expr> {
        let at = self.at();
        let found = self.deeper(Self::or)?;
        boolean(found, at)
    }

    fn or(&mut self) -> Parsed<Typed> {
        self.joined("OR", Self::and, Expr::Or)
    }

    fn and(&mut self) -> Parsed<Typed> {
        self.joined("AND", Self::not, Expr::And)
    }

    fn joined(
        &mut self,
        word: &str,
        part: impl Fn(&mut Self) -> Parsed<Typed>,
        join: impl Fn(Vec<Expr>) -> Expr,
    ) -> Parsed<Typed> {
        let at = self.at();
        let first = part(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let mut parts = vec![boolean(first, at)?];
        while self.word(word) {
            let at = self.at();
            parts.push(boolean(part(self)?, at)?);
        }
        Ok(Typed::new(join(parts), Type::Boolean))
    }

    fn not(&mut self) -> Parsed<Typed> {
        if !self.word("NOT") {
            return self.predicate();
        }
        let at = self.at();
        let inner = self.deeper(Self::not)?;
        Ok(Typed::new(boolean(inner, at)?.negated(), Type::Boolean))
    }

    fn predicate(&mut self) -> Parsed<Typed> {
        let at = self.at();
        let left = self.sum()?;
        if self.word("IS") {
            return self.is(left, at);
        }
        let negated = self.word("NOT");
        let found = if self.word("IN") {
            self.in_list(left)?
        } else if self.word("BETWEEN") {
            self.between(left)?
        } else if negated {
            return self.fail("expected IN or BETWEEN");
        } else {
            match Comparison::ALL.into_iter().find(|by| self.symbol(by.sql())) {
                None => return Ok(left),
                Some(by) => {
                    let right = self.sum()?;
                    self.compare(by, left, right)?
                }
            }
        };
        let found = if negated { found.negated() } else { found };
        Ok(Typed::new(found, Type::Boolean))
    }

    fn compare(&self, by: Comparison, left: Typed, right: Typed) -> Parsed<Expr> {
        match unify(left, right) {
            Ok((left, _)) if left.value_type == Type::Boolean && !by.is_equality() => {
                self.fail("true and false have no order: use = or <>")
            }
            Ok((left, right)) => Ok(Expr::compare(by, left.expr, right.expr)),
            Err(message) => self.fail(message),
        }
    }

    fn is(&mut self, left: Typed, at: usize) -> Parsed<Typed> {
        let negated = self.word("NOT");
        let inner = if self.word("NULL") {
            Expr::IsNull(Box::new(left.expr))
        } else if self.word("TRUE") {
            Expr::IsTrue(Box::new(boolean(left, at)?))
        } else if self.word("FALSE") {
            Expr::IsFalse(Box::new(boolean(left, at)?))
        } else {
            return self.fail("expected NULL, TRUE or FALSE");
        };
        Ok(Typed::new(if negated { inner.negated() } else { inner }, Type::Boolean))
    }

    fn in_list(&mut self, value: Typed) -> Parsed<Expr> {
        self.expect("(")?;
        let mut list = Vec::new();
        let mut value = value;
        loop {
            let literal = self.sum()?;
            let unified = unify(value, literal);
            let (left, right) = unified.or_else(|message| self.fail(message))?;
            value = left;
            match right.expr {
                Expr::Literal(literal) => list.push(literal),
                _ => return self.fail("IN takes values, no columns"),
            }
            if !self.symbol(",") {
                break;
            }
        }
        self.expect(")")?;
        if value.value_type == Type::Double {
            return self.fail("IN compares doubles exactly: use a range");
        }
        Ok(Expr::InList { value: Box::new(value.expr), list })
    }

    fn between(&mut self, value: Typed) -> Parsed<Expr> {
        let least = self.sum()?;
        self.expect_word("AND")?;
        let most = self.sum()?;
        let least = self.compare(Comparison::GreaterOrEqual, value.clone(), least)?;
        let most = self.compare(Comparison::LessOrEqual, value, most)?;
        Ok(Expr::And(vec![least, most]))
    }

    fn sum(&mut self) -> Parsed<Typed> {
        self.operators(&[("+", Operator::Add), ("-", Operator::Subtract)], Self::product)
    }

    fn product(&mut self) -> Parsed<Typed> {
        self.operators(&[("*", Operator::Multiply), ("/", Operator::Divide)], |parser| {
            parser.deeper(Self::operand)
        })
    }

    fn operators(
        &mut self,
        operators: &[(&str, Operator)],
        part: impl Fn(&mut Self) -> Parsed<Typed>,
    ) -> Parsed<Typed> {
        let mut left = part(self)?;
        let mut count = 0;
        while let Some((_, by)) = operators.iter().find(|(symbol, _)| self.symbol(symbol)) {
            // The tree is as deep as the chain is long.
            count += 1;
            if count > MAX_DEPTH {
                return self.fail("too long: split the rule");
            }
            let right = part(self)?;
            let (a, b) = unify(left, right).or_else(|message| self.fail(message))?;
            let value_type = match (a.value_type, b.value_type) {
                (Type::Double, Type::Double) => Type::Double,
                (Type::Integer, Type::Integer) if *by != Operator::Divide => Type::Integer,
                (Type::Integer, Type::Integer) => {
                    return self.fail("a whole number divided by zero ends a Flink job: divide doubles");
                }
                _ => return self.fail("arithmetic is for whole numbers and doubles"),
            };
            let expr = Expr::Arithmetic { by: *by, left: Box::new(a.expr), right: Box::new(b.expr) };
            left = Typed::new(expr, value_type);
        }
        Ok(left)
    }

    fn operand(&mut self) -> Parsed<Typed> {
        let at = self.at();
        if self.symbol("(") {
            let inner = self.or()?;
            self.expect(")")?;
            return Ok(inner);
        }
        let minus = self.symbol("-");
        let token = self.peek().clone();
        self.next += 1;
        match token {
            TokenKind::Number(text) => {
                let text = if minus { format!("-{text}") } else { text };
                let literal = number(&text)
                    .ok_or(ExpressionError { at, message: "the number is too large".to_owned() })?;
                Ok(Typed::literal(literal))
            }
            _ if minus => {
                Err(ExpressionError { at, message: "a minus stands before a number; write 0 - x".to_owned() })
            }
            TokenKind::Text(text) => Ok(Typed::literal(Literal::Text(text))),
            TokenKind::Quoted(name) => self.column(&name, at),
            TokenKind::Name(name) => self.named(&name, at),
            TokenKind::Symbol(symbol) => {
                Err(ExpressionError { at, message: format!("expected a value, found {symbol}") })
            }
            TokenKind::End => {
                Err(ExpressionError { at, message: "expected a value, found the end".to_owned() })
            }
        }
    }

    fn named(&mut self, name: &str, at: usize) -> Parsed<Typed> {
        let upper = name.to_ascii_uppercase();
        if matches!(self.peek(), TokenKind::Symbol("(")) && upper != "IN" {
            self.next += 1;
            let call = self.deeper(|parser| parser.call(&upper, at))?;
            self.expect(")")?;
            return Ok(call);
        }
        match upper.as_str() {
            "TRUE" => Ok(Typed::literal(Literal::Boolean(true))),
            "FALSE" => Ok(Typed::literal(Literal::Boolean(false))),
            "NULL" => {
                Err(ExpressionError { at, message: "NULL compares with nothing: write IS NULL".to_owned() })
            }
            "CASE" => self.deeper(Self::case),
            "TIMESTAMP" if matches!(self.peek(), TokenKind::Text(_)) => {
                let text = self.text("a timestamp")?;
                let ms = calendar::timestamp_literal(&text).ok_or(ExpressionError {
                    at,
                    message:
                        "expected TIMESTAMP 'yyyy-MM-dd HH:mm:ss', with up to three digits behind a point"
                            .to_owned(),
                })?;
                Ok(Typed::literal(Literal::Timestamp(ms)))
            }
            "DATE" if matches!(self.peek(), TokenKind::Text(_)) => {
                let text = self.text("a date")?;
                let message = "expected DATE 'yyyy-MM-dd'".to_owned();
                let days = calendar::iso_date(&text).ok_or(ExpressionError { at, message })?;
                Ok(Typed::literal(Literal::Date(days)))
            }
            "CURRENT_TIMESTAMP" | "LOCALTIMESTAMP" | "NOW" | "CURRENT_DATE" => Err(ExpressionError {
                at,
                message: format!("{upper} makes a rule give another answer tomorrow: use {KAFKA_TIME}"),
            }),
            _ => self.column(name, at),
        }
    }

    fn column(&self, name: &str, at: usize) -> Parsed<Typed> {
        if name == KAFKA_TIME {
            return Ok(Typed::new(Expr::KafkaTime, Type::Timestamp));
        }
        if let Some(index) = self.scope.0.iter().position(|(known, _)| *known == name) {
            let value_type = self.scope.0.get(index).map_or(Type::Opaque, |(_, value_type)| *value_type);
            return Ok(Typed::new(Expr::Column(index), value_type));
        }
        let known = self.scope.0.iter().map(|(known, _)| (*known).to_owned());
        let message = match near_names(name, known.chain([KAFKA_TIME.to_owned()])).first() {
            Some(near) => format!("{name} is no column; did you mean {near}?"),
            None => format!("{name} is no column of this table"),
        };
        Err(ExpressionError { at, message })
    }

    fn case(&mut self) -> Parsed<Typed> {
        let mut branches: Vec<(Expr, Expr)> = Vec::new();
        let mut value_type = None;
        let mut value = |parser: &mut Self| -> Parsed<Expr> {
            let found = parser.or()?;
            match value_type.replace(found.value_type) {
                Some(before) if before != found.value_type => {
                    parser.fail("the values of a CASE must have one type")
                }
                _ => Ok(found.expr),
            }
        };
        while self.word("WHEN") {
            let condition = self.condition()?;
            self.expect_word("THEN")?;
            branches.push((condition, value(self)?));
        }
        let otherwise = if self.word("ELSE") { Some(Box::new(value(self)?)) } else { None };
        self.expect_word("END")?;
        match value_type {
            Some(value_type) if !branches.is_empty() => {
                Ok(Typed::new(Expr::Case { branches, otherwise }, value_type))
            }
            _ => self.fail("a CASE needs WHEN … THEN …"),
        }
    }

    fn call(&mut self, name: &str, at: usize) -> Parsed<Typed> {
        match name {
            "CHAR_LENGTH" => {
                let argument = self.argument(&[Type::Text])?;
                Ok(Typed::new(Expr::Call(Function::CharLength, vec![argument.expr]), Type::Integer))
            }
            "TRIM" => {
                let argument = self.argument(&[Type::Text])?;
                Ok(Typed::new(Expr::Call(Function::Trim, vec![argument.expr]), Type::Text))
            }
            "ABS" => {
                let argument = self.argument(&[Type::Integer, Type::Double])?;
                Ok(Typed::new(Expr::Call(Function::Abs, vec![argument.expr]), argument.value_type))
            }
            "COALESCE" => self.coalesce(),
            "REGEXP" => {
                let value = self.argument(&[Type::Text])?;
                self.expect(",")?;
                let at = self.at();
                let pattern = Pattern::new(&self.text("a pattern")?);
                let pattern = pattern.map_err(|message| ExpressionError { at, message })?;
                Ok(Typed::new(Expr::Matches { value: Box::new(value.expr), pattern }, Type::Boolean))
            }
            "TIMESTAMPADD" => self.timestamp_add(),
            _ => {
                let known = ["CHAR_LENGTH", "TRIM", "ABS", "COALESCE", "REGEXP", "TIMESTAMPADD"];
                Err(ExpressionError { at, message: crate::jobs::fields::one_of(name, &known) })
            }
        }
    }

    fn argument(&mut self, types: &[Type]) -> Parsed<Typed> {
        let argument = self.or()?;
        if types.contains(&argument.value_type) {
            return Ok(argument);
        }
        let expected: Vec<String> = types.iter().map(Type::to_string).collect();
        self.fail(format!("expected {}, found {}", expected.join(" or "), argument.value_type))
    }

    fn coalesce(&mut self) -> Parsed<Typed> {
        let first = self.or()?;
        let value_type = first.value_type;
        let mut arguments = vec![first.expr];
        while self.symbol(",") {
            let next = self.argument(&[value_type])?;
            arguments.push(next.expr);
        }
        if arguments.len() < 2 || value_type == Type::Opaque {
            return self.fail("COALESCE takes at least two values of one type");
        }
        Ok(Typed::new(Expr::Call(Function::Coalesce, arguments), value_type))
    }

    fn timestamp_add(&mut self) -> Parsed<Typed> {
        let units = [("SECOND", 1), ("MINUTE", 60), ("HOUR", 3600), ("DAY", 86_400_i64)];
        let Some((_, scale)) = units.into_iter().find(|(unit, _)| self.word(unit)) else {
            return self.fail("expected SECOND, MINUTE, HOUR or DAY");
        };
        self.expect(",")?;
        let amount = match self.operand()?.expr {
            Expr::Literal(Literal::Integer(amount)) => amount.checked_mul(scale),
            _ => None,
        };
        let Some(seconds) = amount.and_then(|seconds| i32::try_from(seconds).ok()) else {
            return self.fail("expected a whole number of up to 68 years");
        };
        self.expect(",")?;
        let value = Box::new(self.argument(&[Type::Timestamp])?.expr);
        Ok(Typed::new(Expr::AddSeconds { value, seconds }, Type::Timestamp))
    }
}

fn boolean(found: Typed, at: usize) -> Parsed<Expr> {
    if found.value_type == Type::Boolean {
        return Ok(found.expr);
    }
    let message = format!("expected a condition (a < b, a IS NULL, …), found {}", found.value_type);
    Err(ExpressionError { at, message })
}
