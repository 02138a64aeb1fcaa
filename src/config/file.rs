//! Options in a TOML file.

use std::ffi::OsString;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::definitions::{Definition, Definitions, Kind};
use super::{Given, Secret};

/// The options of the file, in the order of its lines. Paths are meant from the file's folder.
pub(super) fn read(path: &Path, definitions: &Definitions, mistakes: &mut Vec<String>) -> Vec<Given> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            mistakes.push(format!("cannot read {}: {error}", path.display()));
            return Vec::new();
        }
    };
    let file = Text { path, text: &text };
    let table = match DeTable::parse(&text) {
        Ok(table) => table,
        Err(error) => {
            let place = error.span().map_or_else(|| path.display().to_string(), |span| file.place(&span));
            mistakes.push(format!("{place}: not TOML: {}", error.message()));
            return Vec::new();
        }
    };
    let mut options = Vec::new();
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let name = format!("{}: {}", file.place(&key.span()), key.get_ref());
        match definitions.get(key.get_ref()) {
            Some(definition) => match file.values(&definition, value) {
                Ok(values) => options.push(Given { key: key.get_ref().to_string(), name, values }),
                Err((span, complaint)) => {
                    mistakes.push(format!("{}: {}: {complaint}", file.place(&span), key.get_ref()));
                }
            },
            None if value.get_ref().is_table() => mistakes.push(format!(
                "{name} is a table, and every key stands at the top level: take the line of [{}] away",
                key.get_ref()
            )),
            None => mistakes.push(format!("{name}{}", unknown(key.get_ref(), definitions))),
        }
    }
    options
}

fn unknown(key: &str, definitions: &Definitions) -> String {
    if let Some(secret) = Secret::named(key) {
        let (file, variable) = (secret.key(), secret.variable());
        return format!(" is a secret, which has no place here: name a file with {file}, or set {variable}");
    }
    match definitions.near(key) {
        Some(near) => format!(" is no option; did you mean {near}?"),
        None => " is no option; docs/configuration.md lists them".to_owned(),
    }
}

/// A file's text, and where it comes from.
struct Text<'t> {
    path: &'t Path,
    text: &'t str,
}

/// What is wrong, and where.
type Mistake = (Range<usize>, String);

impl Text<'_> {
    /// `agent.toml:7`
    fn place(&self, span: &Range<usize>) -> String {
        let line = 1 + self.text.bytes().take(span.start).filter(|byte| *byte == b'\n').count();
        format!("{}:{line}", self.path.display())
    }

    fn values(
        &self,
        definition: &Definition<'_>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Vec<OsString>, Mistake> {
        let texts: Vec<(Range<usize>, String)> = match (definition.kind(), value.get_ref()) {
            (Kind::Switch, DeValue::Boolean(on)) => vec![(value.span(), on.to_string())],
            (Kind::Number, DeValue::Integer(number)) => {
                let whole = i128::from_str_radix(number.as_str(), number.radix())
                    .map_err(|error| (value.span(), error.to_string()))?;
                vec![(value.span(), whole.to_string())]
            }
            (Kind::Text | Kind::Path | Kind::Number, DeValue::String(text)) => {
                vec![(value.span(), text.to_string())]
            }
            (Kind::List, DeValue::Array(entries)) => entries.iter().map(text).collect::<Result<_, _>>()?,
            (kind, other) => {
                return Err((
                    value.span(),
                    format!("expected {}, found {}", kind.expected(), other.type_str()),
                ));
            }
        };
        let mut values = Vec::with_capacity(texts.len());
        for (span, text) in texts {
            let value = match definition.kind() {
                Kind::Path if !text.is_empty() => self.beside(&text),
                _ => text.into(),
            };
            definition.check(&value).map_err(|complaint| (span, complaint))?;
            values.push(value);
        }
        Ok(values)
    }

    fn beside(&self, path: &str) -> OsString {
        self.path.parent().map_or_else(|| path.into(), |folder| folder.join(path).into_os_string())
    }
}

fn text(entry: &Spanned<DeValue<'_>>) -> Result<(Range<usize>, String), Mistake> {
    match entry.get_ref() {
        DeValue::String(text) => Ok((entry.span(), text.to_string())),
        other => {
            let expected = Kind::List.expected();
            Err((entry.span(), format!("expected {expected}, found {} among them", other.type_str())))
        }
    }
}

/// Reads a list by itself, as it would stand behind a key.
pub(super) fn list_of_texts(list: &str) -> Result<Vec<OsString>, String> {
    let complaint = || format!("expected {} or a single text", Kind::List.expected());
    let value = DeValue::parse(list).map_err(|_| complaint())?;
    let DeValue::Array(entries) = value.get_ref() else { return Err(complaint()) };
    entries.iter().map(|entry| text(entry).map(|(_, text)| text.into()).map_err(|_| complaint())).collect()
}
