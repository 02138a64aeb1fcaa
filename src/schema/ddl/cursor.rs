//! Walking over the tokens of a statement.

use super::DdlError;
use super::lexer::{Kind, Token};

/// The tokens not yet read, and the text they are of.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    next: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, tokens: &'a [Token<'a>]) -> Self {
        Self { text, tokens, next: 0 }
    }

    /// The next token.
    pub(super) fn peek(&self) -> Option<&'a Kind<'a>> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    /// The next token, which is then read.
    pub(super) fn take(&mut self) -> Option<&'a Kind<'a>> {
        let kind = self.peek()?;
        self.next += 1;
        Some(kind)
    }

    /// An error at the next token.
    pub(super) fn error(&self, message: impl Into<String>) -> DdlError {
        let last = self.tokens.last().map_or(self.text.len(), |token| token.end);
        let at = self.tokens.get(self.next).map_or(last, |token| token.start);
        DdlError::at(self.text, at, message)
    }

    /// Whether the next tokens are these words; if so they are read.
    pub(super) fn words(&mut self, words: &[&str]) -> bool {
        let ahead = self.tokens.get(self.next..).unwrap_or_default().iter();
        let mut matching = ahead.zip(words).take_while(|(token, word)| match token.kind {
            Kind::Word(found) => found.eq_ignore_ascii_case(word),
            _ => false,
        });
        let matches = matching.by_ref().count() == words.len();
        if matches {
            self.next += words.len();
        }
        matches
    }

    /// Whether the next token is that symbol; if so it is read.
    pub(super) fn symbol(&mut self, symbol: char) -> bool {
        let found = matches!(self.peek(), Some(Kind::Symbol(c)) if *c == symbol);
        self.next += usize::from(found);
        found
    }

    pub(super) fn expect_words(&mut self, words: &[&str]) -> Result<(), DdlError> {
        if self.words(words) { Ok(()) } else { Err(self.error(format!("expected {}", words.join(" ")))) }
    }

    pub(super) fn expect_symbol(&mut self, symbol: char) -> Result<(), DdlError> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.error(format!("expected `{symbol}`"))) }
    }

    /// A name, in stored form.
    pub(super) fn name(&mut self) -> Result<String, DdlError> {
        let name = match self.peek() {
            Some(Kind::Word(word)) => word.to_ascii_lowercase(),
            Some(Kind::Name(name)) => name.clone(),
            _ => return Err(self.error("expected a name")),
        };
        self.next += 1;
        Ok(name)
    }

    /// `keyspace.name` or `name`.
    pub(super) fn qualified(&mut self) -> Result<(Option<String>, String), DdlError> {
        let first = self.name()?;
        if self.symbol('.') { Ok((Some(first), self.name()?)) } else { Ok((None, first)) }
    }

    /// Names separated by commas, in parentheses.
    pub(super) fn names(&mut self) -> Result<Vec<String>, DdlError> {
        self.expect_symbol('(')?;
        let mut names = vec![self.name()?];
        while self.symbol(',') {
            names.push(self.name()?);
        }
        self.expect_symbol(')')?;
        Ok(names)
    }

    /// A type: the text up to a comma, a closing parenthesis or a word that follows types.
    pub(super) fn type_text(&mut self) -> Result<String, DdlError> {
        let first = self.next;
        let mut depth = 0_usize;
        while let Some(kind) = self.peek() {
            match kind {
                Kind::Symbol('<') => depth += 1,
                Kind::Symbol('>') => depth = depth.saturating_sub(1),
                Kind::Symbol(',' | ')') if depth == 0 => break,
                Kind::Word(word) if depth == 0 && self.next > first && is_modifier(word) => break,
                _ => {}
            }
            self.next += 1;
        }
        let read = self.tokens.get(first..self.next).unwrap_or_default();
        let (Some(begin), Some(end)) = (read.first(), read.last()) else {
            return Err(self.error("expected a type"));
        };
        Ok(self.text.get(begin.start..end.end).unwrap_or_default().to_owned())
    }

    /// A whole number.
    pub(super) fn integer(&mut self) -> Result<i64, DdlError> {
        let start = self.clone();
        let sign = if self.symbol('-') { "-" } else { "" };
        let number = match self.take() {
            Some(Kind::Number(digits)) => format!("{sign}{digits}").parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| start.error("expected a whole number"))
    }

    /// Reads over what follows MASKED WITH: a function and its arguments.
    pub(super) fn skip_mask(&mut self) {
        let mut depth = 0_usize;
        while let Some(kind) = self.peek() {
            match kind {
                Kind::Symbol('(') => depth += 1,
                Kind::Symbol(',' | ')') if depth == 0 => return,
                Kind::Word(word) if depth == 0 && word.eq_ignore_ascii_case("primary") => return,
                Kind::Symbol(')') => depth -= 1,
                _ => {}
            }
            self.next += 1;
        }
    }

    /// Reads on to the next of these words that stands outside all brackets.
    pub(super) fn skip_to_word(&mut self, words: &[&str]) {
        let mut depth = 0_usize;
        while let Some(kind) = self.peek() {
            match kind {
                Kind::Symbol('(' | '{' | '[') => depth += 1,
                Kind::Symbol(')' | '}' | ']') => depth = depth.saturating_sub(1),
                Kind::Word(word) if depth == 0 && words.iter().any(|w| word.eq_ignore_ascii_case(w)) => {
                    return;
                }
                _ => {}
            }
            self.next += 1;
        }
    }
}

/// Words that can follow the type of a column.
fn is_modifier(word: &str) -> bool {
    ["static", "primary", "masked"].iter().any(|modifier| word.eq_ignore_ascii_case(modifier))
}
