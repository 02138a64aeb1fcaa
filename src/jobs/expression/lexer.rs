//! The text of an expression → words.

use super::parse::ExpressionError;

/// A word, and the number of its first character, from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A bare name: a column, or a word of the language.
    Name(String),
    /// A name in backquotes: a column.
    Quoted(String),
    /// A text in single quotes.
    Text(String),
    /// Digits, with point and exponent when it has them.
    Number(String),
    /// `= <> < <= > >= + - * / ( ) ,`
    Symbol(&'static str),
    /// Behind the last word.
    End,
}

/// Longer symbols first.
const SYMBOLS: [&str; 13] = ["<>", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "(", ")", ","];

/// What other languages write, and what to write here.
const FOREIGN: [(&str, &str); 7] = [
    ("!=", "<>"),
    ("==", "="),
    ("&&", "AND"),
    ("||", "OR; texts cannot be joined here"),
    ("!", "NOT"),
    ("%", "other arithmetic; there is no remainder here"),
    ("\"", "'text' for a text and `name` for a column"),
];

struct Lexer<'t> {
    rest: &'t str,
    at: usize,
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ExpressionError> {
    let mut lexer = Lexer { rest: text, at: 1 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        let is_end = token.kind == TokenKind::End;
        tokens.push(token);
        if is_end {
            return Ok(tokens);
        }
    }
}

impl Lexer<'_> {
    fn take(&mut self, bytes: usize) -> String {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.at += taken.chars().count();
        let taken = taken.to_owned();
        self.rest = rest;
        taken
    }

    fn next(&mut self) -> Result<Token, ExpressionError> {
        let blank = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.take(blank);
        let at = self.at;
        let kind = match self.rest.chars().next() {
            None => TokenKind::End,
            Some('\'') => TokenKind::Text(self.enclosed('\'')?),
            Some('`') => TokenKind::Quoted(self.enclosed('`')?),
            Some(first) if first.is_ascii_digit() => TokenKind::Number(self.number()),
            Some(first) if first.is_ascii_alphabetic() || first == '_' => {
                let length = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                TokenKind::Name(self.take(length.unwrap_or(self.rest.len())))
            }
            Some(first) => match SYMBOLS.iter().find(|symbol| self.rest.starts_with(**symbol)) {
                Some(symbol) if !self.rest.starts_with("==") => {
                    self.take(symbol.len());
                    TokenKind::Symbol(symbol)
                }
                _ => return Err(self.foreign(first)),
            },
        };
        Ok(Token { at, kind })
    }

    fn foreign(&self, first: char) -> ExpressionError {
        let message = match FOREIGN.iter().find(|(foreign, _)| self.rest.starts_with(foreign)) {
            Some((foreign, ours)) => format!("{foreign} is no SQL: write {ours}"),
            None => format!("unexpected {first:?}"),
        };
        ExpressionError { at: self.at, message }
    }

    /// The text up to the closing `quote`; two of them stand for one.
    fn enclosed(&mut self, quote: char) -> Result<String, ExpressionError> {
        let at = self.at;
        let mut content = String::new();
        let mut characters = self.rest.char_indices().skip(1).peekable();
        while let Some((offset, character)) = characters.next() {
            if character != quote {
                content.push(character);
            } else if characters.next_if(|(_, next)| *next == quote).is_some() {
                content.push(quote);
            } else {
                self.take(offset + 1);
                return Ok(content);
            }
        }
        Err(ExpressionError { at, message: format!("the closing {quote} is missing") })
    }

    fn number(&mut self) -> String {
        let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let mut length = digits(self.rest);
        let fraction = self.rest.get(length..).and_then(|rest| rest.strip_prefix('.')).map_or(0, digits);
        if fraction > 0 {
            length += 1 + fraction;
        }
        if let Some(rest) = self.rest.get(length..).and_then(|rest| rest.strip_prefix(['e', 'E'])) {
            let sign = usize::from(rest.starts_with(['+', '-']));
            let exponent = rest.get(sign..).map_or(0, digits);
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        self.take(length)
    }
}
