//! Passwords in texts of Flink's: options that a stack trace repeats. Which passwords there are is not known where a job
//! that runs is asked, so what looks like the value of one is hidden.

pub(super) const HIDDEN: &str = "***";

const WORDS: [&str; 3] = ["password", "secret", "token"];

/// The text, with `***` in the place of the values in `password=x`, `'ssl.keystore-password' = 'x'`, `"password":"x"`.
pub(super) fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = first_word(rest) {
        let (before, behind) = rest.split_at(end);
        masked.push_str(before);
        rest = behind;
        let Some((between, value)) = value(behind) else { continue };
        masked.push_str(between);
        let (quote, length) = value_length(value);
        masked.push_str(&format!("{quote}{HIDDEN}{quote}"));
        rest = value.get(length..).unwrap_or_default();
    }
    masked.push_str(rest);
    masked
}

/// Where the first of the words ends.
fn first_word(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    WORDS.iter().filter_map(|word| Some(lower.find(word)? + word.len())).min()
}

/// What stands behind a word up to its value, and the rest from there on; None where no value follows.
fn value(text: &str) -> Option<(&str, &str)> {
    let named = text.trim_start_matches(['\'', '"', '`']);
    let is_quoted = named.len() < text.len();
    let assigned = named.trim_start();
    let assigned = match is_quoted {
        true => assigned.strip_prefix(['=', ':'])?,
        false => assigned.strip_prefix('=')?,
    };
    let value = assigned.trim_start_matches([' ', '\t']);
    text.split_at_checked(text.len() - value.len())
}

/// The quote around a value, and how long it is with its quotes.
fn value_length(value: &str) -> (&str, usize) {
    let Some(quote) = ['"', '\''].into_iter().find(|quote| value.starts_with(*quote)) else {
        let end = value.find(|character: char| character.is_whitespace() || ",;)}".contains(character));
        return ("", end.unwrap_or(value.len()));
    };
    let mut is_escaped = false;
    let mut characters = value.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            // A doubled quote is one in the text.
            _ if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() => {
                return (if quote == '"' { "\"" } else { "'" }, at + 1);
            }
            _ => {}
        }
    }
    ("", value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_passwords_are_hidden() {
        for (text, told) in [
            (r#"required username="ada" password="a\"b;c";"#, r#"required username="ada" password="***";"#),
            ("'password' = 'it''s', 'table' = 't'", "'password' = '***', 'table' = 't'"),
            ("'ssl.keystore-password'='x'", "'ssl.keystore-password'='***'"),
            ("{\"Password\":\"x\",\"a\":1}", "{\"Password\":\"***\",\"a\":1}"),
            ("password=hunter2, next", "password=***, next"),
            ("password=\"never closed", "password=***"),
            ("sasl.oauthbearer.token=abc secret = s", "sasl.oauthbearer.token=*** secret = ***"),
            ("password=", "password=***"),
        ] {
            assert_eq!(masked(text), told);
        }
        for text in [
            "",
            "Check 'username' and 'password' (or their files).",
            "password: authentication failed",
            "secret",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
