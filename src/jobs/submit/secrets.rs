//! `${env:NAME}` and `${file:PATH}` in statements: the secrets take their places here, in memory, and nowhere else.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::SubmitError;
use super::mask::HIDDEN;
use crate::jobs::expression::PLACE;
use crate::jobs::secret::SecretRef;

/// The secrets that statements name, by their references (`env:NAME`).
#[derive(Default)]
pub(super) struct Secrets(BTreeMap<String, Zeroizing<String>>);

impl Secrets {
    /// The statement with secrets in the places of its references, as SQL and the text around them quote them.
    pub(super) fn filled(&mut self, sql: &str, place: &str) -> Result<Zeroizing<String>, SubmitError> {
        let mut filled = Zeroizing::new(String::with_capacity(sql.len()));
        let mut rest = sql;
        while let Some((before, behind)) = rest.split_once(PLACE) {
            let Some((reference, behind)) = behind.split_once('}') else { break };
            let secret = self.secret(reference, place)?;
            filled.push_str(before);
            // In the JAAS configuration of a Kafka client it stands between double quotes.
            filled.push_str(&quoted(secret, before.ends_with('"')));
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn secret(&mut self, reference: &str, place: &str) -> Result<&str, SubmitError> {
        if !self.0.contains_key(reference) {
            let wrong = |why: String| SubmitError::Secret(reference.to_owned(), place.to_owned(), why);
            let secret = resolved(reference).map_err(wrong)?;
            self.0.insert(reference.to_owned(), secret);
        }
        Ok(self.0.get(reference).map_or("", |secret| secret.as_str()))
    }

    /// A text of Flink's, which may repeat a statement, without the secrets.
    pub(super) fn hidden(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        for secret in self.0.values() {
            for form in
                [secret.to_string(), quoted(secret, false).to_string(), quoted(secret, true).to_string()]
            {
                hidden = hidden.replace(&*Zeroizing::new(form), HIDDEN);
            }
        }
        hidden
    }
}

/// Inside a text of SQL, and in that perhaps inside double quotes.
fn quoted(secret: &str, is_in_double_quotes: bool) -> Zeroizing<String> {
    let secret = if is_in_double_quotes {
        Zeroizing::new(secret.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        Zeroizing::new(secret.to_owned())
    };
    Zeroizing::new(secret.replace('\'', "''"))
}

fn resolved(reference: &str) -> Result<Zeroizing<String>, String> {
    let named = match reference.split_once(':') {
        Some(("env", name)) => SecretRef::Variable(name.to_owned()),
        Some(("file", path)) => SecretRef::File(path.into()),
        _ => return Err("expected env:NAME or file:PATH".to_owned()),
    };
    let secret = named.text().map_err(|error| error.to_string())?;
    match secret.chars().find(|character| character.is_control()) {
        Some(_) => Err("it has control characters".to_owned()),
        None => Ok(secret),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, text).unwrap();
        let reference = format!("${{file:{}}}", path.display());
        (folder, reference)
    }

    #[test]
    fn a_secret_is_quoted_for_its_place() {
        let (_folder, reference) = file("a'b\"c\\d\nsecond line\n");
        let mut secrets = Secrets::default();
        let sql = format!("WITH ('password' = '{reference}', 'jaas' = 'x password=\"{reference}\";')");
        let filled = secrets.filled(&sql, "a.sql:1").unwrap();
        assert_eq!(*filled, "WITH ('password' = 'a''b\"c\\d', 'jaas' = 'x password=\"a''b\\\"c\\\\d\";')");
        assert_eq!(secrets.hidden(&filled), "WITH ('password' = '***', 'jaas' = 'x password=\"***\";')");
        assert_eq!(secrets.hidden("wrong password a'b\"c\\d"), "wrong password ***");
    }

    #[test]
    fn what_is_no_secret_is_told_without_a_value() {
        let (folder, empty) = file("\n");
        let (_other, broken) = file("top\tsecret\n");
        for (reference, told) in [
            (empty.as_str(), "is empty"),
            (broken.as_str(), "control characters"),
            ("${file:/does/not/exist}", "cannot read /does/not/exist"),
            ("${env:CDC_JOBS_TEST_NOT_SET}", "CDC_JOBS_TEST_NOT_SET is not set"),
            ("${vault:x}", "expected env:NAME or file:PATH"),
        ] {
            let error = Secrets::default().filled(reference, "a.sql:7").unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("a.sql:7") && !error.contains("top"), "{error}");
        }
        drop(folder);
    }
}
