//! Credentials by reference, and secrets that have no place in a file.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::fields::Fields;
use super::finding::{Code, Findings};
use super::yaml::{Kind, Node};

/// Where a user name or a password is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// In this environment variable.
    Variable(String),
    /// In this file.
    File(PathBuf),
}

/// Why what a reference points to cannot be had. The texts hold no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or is no text.
    #[error("environment variable {0} is not set; environments.yaml takes a credential from it")]
    Variable(String),
    /// The file cannot be read.
    #[error("cannot read {}, from which environments.yaml takes a credential: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// There is nothing in it.
    #[error("{0} is empty; environments.yaml takes a credential from it")]
    Empty(String),
}

/// Secrets are shorter.
const MOST_BYTES: u64 = 64 * 1024;

impl SecretRef {
    /// What it points to: the variable's text, or the first line of the file. Every engine and command reads it so.
    ///
    /// # Errors
    /// There is no such variable, the file cannot be read, or there is nothing in it.
    pub fn text(&self) -> Result<Zeroizing<String>, SecretError> {
        let text = match self {
            Self::Variable(name) => {
                std::env::var(name).map(Zeroizing::new).map_err(|_| SecretError::Variable(name.clone()))?
            }
            Self::File(path) => {
                let text = read(path).map_err(|error| SecretError::File { path: path.clone(), error })?;
                Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
            }
        };
        if text.is_empty() { Err(SecretError::Empty(self.to_string())) } else { Ok(text) }
    }
}

fn read(path: &Path) -> std::io::Result<Zeroizing<String>> {
    if path.metadata()?.len() > MOST_BYTES {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    std::fs::read_to_string(path).map(Zeroizing::new)
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// What logs in somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user's name.
    pub username: SecretRef,
    /// The password.
    pub password: SecretRef,
}

/// Reads `username` and `password`.
pub(super) fn credentials(node: &Node, findings: &RefCell<Findings>) -> Option<Credentials> {
    let fields = Fields::of(node, "credentials", &["username", "password"], findings)?;
    let username = fields.required("username").and_then(|node| reference("username", node, findings));
    let password = fields.required("password").and_then(|node| reference("password", node, findings));
    Some(Credentials { username: username?, password: password? })
}

fn reference(key: &str, node: &Node, findings: &RefCell<Findings>) -> Option<SecretRef> {
    if !matches!(node.kind, Kind::Mapping(_)) {
        // What stands here may be the secret itself: it is not repeated.
        findings.borrow_mut().add(node.place, Code::Secret, by_reference(key));
        return None;
    }
    let fields = Fields::of(node, key, &["env", "file"], findings)?;
    match (fields.text("env"), fields.text("file")) {
        (Some(name), None) if is_variable(&name.value) => Some(SecretRef::Variable(name.value)),
        (Some(name), None) => {
            let message = "env: expected the name of an environment variable (A-Z, 0-9, _)";
            fields.wrong(name.place, Code::Value, message);
            None
        }
        (None, Some(file)) if std::path::Path::new(&file.value).is_absolute() => {
            Some(SecretRef::File(file.value.into()))
        }
        (None, Some(file)) => {
            fields.wrong(file.place, Code::Value, "file: expected an absolute path, outside this folder");
            None
        }
        (None, None) | (Some(_), Some(_)) => {
            let message = format!("{key}: give either env or file");
            fields.wrong(fields.place(), Code::Value, message);
            None
        }
    }
}

fn by_reference(key: &str) -> String {
    format!(
        "{key} must not stand here: write {{env: NAME}} or {{file: /path}}, and change it if it was a real one"
    )
}

fn is_variable(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
}

/// Parts of keys whose values are secrets.
const SECRET_KEYS: [&str; 9] =
    ["password", "passwd", "passphrase", "secret", "token", "api_key", "apikey", "private_key", "jaas"];

/// Looks for secrets anywhere in a file: values of keys that are named so, passwords in addresses, private keys.
pub(super) fn look_for_secrets(node: &Node, findings: &RefCell<Findings>) {
    match &node.kind {
        Kind::Mapping(entries) => {
            for entry in entries {
                let key = entry.key.to_ascii_lowercase().replace(['-', '.'], "_");
                let is_scalar = matches!(entry.value.kind, Kind::Text(_) | Kind::Number(_));
                if is_scalar && SECRET_KEYS.iter().any(|secret| key.contains(secret)) {
                    findings.borrow_mut().add(entry.value.place, Code::Secret, by_reference(&entry.key));
                } else {
                    look_for_secrets(&entry.value, findings);
                }
            }
        }
        Kind::Sequence(nodes) => nodes.iter().for_each(|node| look_for_secrets(node, findings)),
        Kind::Text(text) if has_password(text) || has_secret_query(text) => {
            let message =
                "an address with a password, key or token: take it out, and change it if it was a real one";
            findings.borrow_mut().add(node.place, Code::Secret, message);
        }
        Kind::Text(text) if text.contains("PRIVATE KEY-----") => {
            let message = "a private key: keep it in a file outside, and make a new one if it was a real one";
            findings.borrow_mut().add(node.place, Code::Secret, message);
        }
        _ => {}
    }
}

/// `scheme://user:password@host`
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

/// Names of parameters of addresses whose values are secrets, beside [`SECRET_KEYS`]: of presigned and shared ones.
const SECRET_PARAMETERS: [&str; 6] =
    ["access_key", "accesskey", "account_key", "accountkey", "signature", "credential"];

/// `scheme://host/path?secret_key=value`
fn has_secret_query(text: &str) -> bool {
    let is_secret = |parameter: &str| {
        let Some((name, value)) = parameter.split_once('=') else { return false };
        let name = name.to_ascii_lowercase().replace(['-', '.'], "_");
        let contains = |word: &&str| name.contains(*word);
        !value.is_empty()
            && (matches!(name.as_str(), "sig" | "pwd")
                || SECRET_KEYS.iter().any(contains)
                || SECRET_PARAMETERS.iter().any(contains))
    };
    text.split("://").skip(1).any(|rest| rest.split(['?', '&', '#', ';']).skip(1).any(is_secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_queries() {
        for text in [
            "s3://bucket/x?secret_key=abcdef",
            "s3://bucket/x?region=eu&AWSAccessKeyId=AKIA",
            "see s3://b/x?X-Amz-Credential=a%2F1&X-Amz-Signature=b",
            "wasbs://c@a.example.com/x?sv=1&sig=b%3D",
            "https://h/#access.token=1",
            "jdbc:x://h/db;password=1",
        ] {
            assert!(has_secret_query(text), "{text}");
        }
        for text in [
            "s3://bucket/x?region=eu&design=a",
            "s3://bucket/x?secret_key=",
            "a?token=b",
            "s3://bucket/token=1",
        ] {
            assert!(!has_secret_query(text), "{text}");
        }
    }
}
