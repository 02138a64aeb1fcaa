//! The statements in a text of Flink SQL.

/// A statement, without comments before it and without its semicolon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'t> {
    /// Its text.
    pub text: &'t str,
    /// Line at which it begins, counted from 1.
    pub line: usize,
}

impl Statement<'_> {
    /// The key and value of a `SET 'key' = 'value'`.
    #[must_use]
    pub fn setting(&self) -> Option<(String, String)> {
        let mut words = words(self.text);
        let is_set = words.next().is_some_and(|word| word.text.eq_ignore_ascii_case("SET"));
        let (key, equals, value) = (words.next()?, words.next()?, words.next()?);
        let unquoted = |word: &Word<'_>| {
            let inner = word.text.strip_prefix('\'')?.strip_suffix('\'')?;
            Some(inner.replace("''", "'"))
        };
        if !is_set || equals.text != "=" || words.next().is_some() {
            return None;
        }
        Some((unquoted(&key)?, unquoted(&value)?))
    }

    /// Whether it starts a job.
    #[must_use]
    pub fn starts_job(&self) -> bool {
        let first: Vec<String> =
            words(self.text).take(3).map(|word| word.text.to_ascii_uppercase()).collect();
        let first: Vec<&str> = first.iter().map(String::as_str).collect();
        matches!(
            first.as_slice(),
            ["INSERT", ..] | ["EXECUTE", "INSERT", ..] | ["EXECUTE", "STATEMENT", "SET"]
        )
    }
}

/// Splits a text at its semicolons: not at those in texts, names and comments, nor at those inside a statement set
/// (`EXECUTE STATEMENT SET BEGIN …; …; END;`).
#[must_use]
pub fn split(text: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let mut current = Current::default();
    for word in words(text) {
        if word.text == ";" && !current.is_open_set() {
            found.extend(current.end(text));
            current = Current::default();
        } else {
            current.add(&word);
        }
    }
    found.extend(current.end(text));
    found
}

/// The statement that is being read.
#[derive(Default)]
struct Current {
    /// Offsets of its first and behind its last word.
    range: Option<(usize, usize)>,
    /// Its first words, in upper case.
    first: Vec<String>,
    /// How many CASE are open.
    cases: usize,
    is_set_closed: bool,
}

impl Current {
    fn add(&mut self, word: &Word<'_>) {
        let upper = word.text.to_ascii_uppercase();
        if self.is_open_set() {
            match upper.as_str() {
                "CASE" => self.cases += 1,
                "END" if self.cases > 0 => self.cases -= 1,
                "END" => self.is_set_closed = true,
                _ => {}
            }
        }
        if self.first.len() < 4 {
            self.first.push(upper);
        }
        let start = self.range.map_or(word.start, |(start, _)| start);
        self.range = Some((start, word.start + word.text.len()));
    }

    fn is_open_set(&self) -> bool {
        let begins = self.first.iter().map(String::as_str).eq(["EXECUTE", "STATEMENT", "SET", "BEGIN"]);
        begins && !self.is_set_closed
    }

    fn end(self, text: &str) -> Option<Statement<'_>> {
        let (start, end) = self.range?;
        let line = text.get(..start)?.matches('\n').count() + 1;
        Some(Statement { text: text.get(start..end)?, line })
    }
}

/// A word, a text in quotes, or another character; white space and comments are between them.
struct Word<'t> {
    text: &'t str,
    start: usize,
}

fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += skipped(text.get(at..)?);
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let length = word_length(rest);
        let word = Word { text: rest.get(..length)?, start: at };
        at += length;
        Some(word)
    })
}

/// How long white space and comments at the beginning are.
fn skipped(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        rest = if rest.starts_with("--") {
            rest.split_once('\n').map_or("", |(_, rest)| rest)
        } else if rest.starts_with("/*") {
            rest.split_once("*/").map_or("", |(_, rest)| rest)
        } else {
            return text.len() - rest.len();
        };
    }
}

fn word_length(text: &str) -> usize {
    let Some(first) = text.chars().next() else { return 0 };
    if matches!(first, '\'' | '`' | '"') {
        return quoted_length(text, first);
    }
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    if is_word(first) {
        text.find(|character| !is_word(character)).unwrap_or(text.len())
    } else {
        first.len_utf8()
    }
}

/// Up to the closing quote; a doubled quote is one in the text.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut rest = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = rest.next() {
        if character == quote && rest.next_if(|(_, next)| *next == quote).is_none() {
            return at + quote.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<(usize, &str)> {
        split(sql).into_iter().map(|statement| (statement.line, statement.text)).collect()
    }

    #[test]
    fn semicolons_in_texts_names_and_comments_end_nothing() {
        let sql = "-- a; b\nSET 'a;b' = 'it''s; so';\n\n/* ; */ CREATE TABLE `x;` (\"y;\" INT) -- ;\n WITH ('a'='b') ;;\n SELECT 1";
        assert_eq!(
            texts(sql),
            [
                (2, "SET 'a;b' = 'it''s; so'"),
                (4, "CREATE TABLE `x;` (\"y;\" INT) -- ;\n WITH ('a'='b')"),
                (6, "SELECT 1"),
            ]
        );
        assert_eq!(texts(" -- nothing\n;"), []);
        assert_eq!(texts("SELECT 'open; "), [(1, "SELECT 'open; ")]);
    }

    #[test]
    fn a_statement_set_is_one_statement() {
        let set = "EXECUTE STATEMENT SET BEGIN\n\
            INSERT INTO a SELECT CASE WHEN x THEN CASE y WHEN 1 THEN 2 END ELSE 3 END FROM b;\n\
            INSERT INTO c SELECT 1 FROM d GROUP BY CASE WHEN x THEN 1 END;\nEND";
        let sql = format!("SET 'a' = 'b';\n{set};\nDROP TABLE a;\n");
        assert_eq!(texts(&sql), [(1, "SET 'a' = 'b'"), (2, set), (6, "DROP TABLE a")]);
    }

    #[test]
    fn statements_say_what_they_are() {
        let one = |sql| split(sql)[0];
        assert_eq!(
            one("set 'pipeline.name' = 'it''s'").setting(),
            Some(("pipeline.name".into(), "it's".into()))
        );
        for none in ["SET", "SET 'a'", "RESET 'a'", "SET 'a' = 'b' 'c'", "INSERT INTO a VALUES (1)"] {
            assert_eq!(one(none).setting(), None, "{none}");
        }
        for starts in
            ["INSERT INTO a SELECT 1", "insert overwrite a VALUES (1)", "EXECUTE STATEMENT SET BEGIN END"]
        {
            assert!(one(starts).starts_job(), "{starts}");
        }
        for other in ["CREATE TABLE `INSERT` (a INT)", "EXPLAIN INSERT INTO a SELECT 1", "SET 'a' = 'b'"] {
            assert!(!one(other).starts_job(), "{other}");
        }
    }
}
