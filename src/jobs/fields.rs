//! Keys and values of a mapping, checked while they are read: what is wrong becomes a finding.

use std::cell::RefCell;

use super::finding::{Code, Findings, Place};
use super::yaml::{Entry, Kind, Node};
use crate::config::near_names;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands in its file.
    pub place: Place,
}

/// `expected a, b or c`, with the nearest of them when the text is like one.
pub(super) fn one_of(found: &str, allowed: &[&str]) -> String {
    let near = near_names(found, allowed.iter().map(|word| (*word).to_owned()));
    match near.first() {
        Some(near) => format!("{found:?} is not known; did you mean {near}? allowed: {}", allowed.join(", ")),
        None => format!("{found:?} is not known; allowed: {}", allowed.join(", ")),
    }
}

/// A mapping with a known set of keys.
pub(super) struct Fields<'n, 'f> {
    place: Place,
    entries: &'n [Entry],
    /// Keys that are not known; what is missing may be one of them.
    unknown: Vec<&'n str>,
    findings: &'f RefCell<Findings>,
}

impl<'n, 'f> Fields<'n, 'f> {
    /// Reads `node`, which `what` names, as a mapping with some of the keys `allowed`.
    pub(super) fn of(
        node: &'n Node,
        what: &str,
        allowed: &[&str],
        findings: &'f RefCell<Findings>,
    ) -> Option<Self> {
        let mut fields = Self::any(node, what, findings)?;
        for entry in fields.entries.iter().filter(|entry| !allowed.contains(&entry.key.as_str())) {
            fields.unknown.push(&entry.key);
            let message = format!("{what}: {}", one_of(&entry.key, allowed));
            findings.borrow_mut().add(entry.place, Code::UnknownKey, message);
        }
        Some(fields)
    }

    /// Reads `node` as a mapping with any keys.
    pub(super) fn any(node: &'n Node, what: &str, findings: &'f RefCell<Findings>) -> Option<Self> {
        let Kind::Mapping(entries) = &node.kind else {
            let message = format!("{what}: expected a mapping (key: value), found {}", node.kind.name());
            findings.borrow_mut().add(node.place, Code::Value, message);
            return None;
        };
        Some(Self { place: node.place, entries, unknown: Vec::new(), findings })
    }

    pub(super) fn findings(&self) -> &'f RefCell<Findings> {
        self.findings
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn entries(&self) -> &'n [Entry] {
        self.entries
    }

    pub(super) fn wrong(&self, place: Place, code: Code, message: impl Into<String>) {
        self.findings.borrow_mut().add(place, code, message);
    }

    /// The value of a key. Nothing (`key:`) is no value.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        let value = self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value);
        value.filter(|node| node.kind != Kind::Null)
    }

    /// The value of a key that must be there.
    pub(super) fn required(&self, key: &str) -> Option<&'n Node> {
        let value = self.get(key);
        let is_misspelt = |unknown: &&str| !near_names(unknown, [key.to_owned()]).is_empty();
        if value.is_none() && !self.unknown.iter().any(is_misspelt) {
            self.wrong(self.place, Code::MissingKey, format!("{key} is missing"));
        }
        value
    }

    fn expected(&self, key: &str, expected: &str, node: &Node) {
        let message = format!("{key}: expected {expected}, found {}", node.kind.name());
        self.wrong(node.place, Code::Value, message);
    }

    pub(super) fn text_of(&self, key: &str, node: &'n Node) -> Option<Placed<String>> {
        match &node.kind {
            Kind::Text(text) if !text.trim().is_empty() => {
                Some(Placed { value: text.clone(), place: node.place })
            }
            _ => {
                self.expected(key, "one text (in quotes where YAML would take it for something else)", node);
                None
            }
        }
    }

    pub(super) fn text(&self, key: &str) -> Option<Placed<String>> {
        self.get(key).and_then(|node| self.text_of(key, node))
    }

    pub(super) fn required_text(&self, key: &str) -> Option<Placed<String>> {
        self.required(key).and_then(|node| self.text_of(key, node))
    }

    /// A text that must be one of `allowed`.
    pub(super) fn word(&self, key: &str, allowed: &[&str]) -> Option<Placed<String>> {
        let text = self.text(key)?;
        if !allowed.contains(&text.value.as_str()) {
            self.wrong(text.place, Code::Value, format!("{key}: {}", one_of(&text.value, allowed)));
            return None;
        }
        Some(text)
    }

    /// A whole number from `least` to `most`.
    pub(super) fn integer(&self, key: &str, least: u64, most: u64) -> Option<u64> {
        let node = self.get(key)?;
        let number = match &node.kind {
            Kind::Number(text) => text.parse().ok().filter(|number| (least..=most).contains(number)),
            _ => None,
        };
        if number.is_none() {
            let message = format!("{key}: expected a whole number from {least} to {most}");
            self.wrong(node.place, Code::Value, message);
        }
        number
    }

    pub(super) fn boolean(&self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        match node.kind {
            Kind::Boolean(on) => Some(on),
            _ => {
                self.expected(key, "true or false", node);
                None
            }
        }
    }

    /// A list of at least one thing.
    pub(super) fn list(&self, key: &str) -> Option<&'n [Node]> {
        let node = self.get(key)?;
        match &node.kind {
            Kind::Sequence(nodes) if !nodes.is_empty() => Some(nodes),
            _ => {
                self.expected(key, "a list of at least one ([a, b])", node);
                None
            }
        }
    }

    /// A list of texts, each once. None when the key is missing or its value is wrong.
    pub(super) fn texts(&self, key: &str) -> Option<Vec<Placed<String>>> {
        let mut texts: Vec<Placed<String>> = Vec::new();
        for node in self.list(key)? {
            let text = self.text_of(key, node)?;
            if texts.iter().any(|other| other.value == text.value) {
                self.wrong(text.place, Code::Value, format!("{key}: {} stands here twice", text.value));
                continue;
            }
            texts.push(text);
        }
        Some(texts)
    }

    pub(super) fn required_texts(&self, key: &str) -> Option<Vec<Placed<String>>> {
        self.required(key)?;
        self.texts(key)
    }

    /// A length of time in seconds, written with its unit: `30s`, `5m`, `24h`, `7d`.
    pub(super) fn seconds(&self, key: &str) -> Option<u64> {
        let text = self.text(key)?;
        let seconds = parse_seconds(&text.value);
        if seconds.is_none() {
            let message =
                format!("{key}: expected a time with its unit, from 1s to 3650d (30s, 5m, 24h, 7d)");
            self.wrong(text.place, Code::Value, message);
        }
        seconds
    }
}

fn parse_seconds(text: &str) -> Option<u64> {
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
    let (number, scale) = units.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)))?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = number.parse::<u64>().ok()?.checked_mul(*scale)?;
    (1..=3650 * 86_400).contains(&seconds).then_some(seconds)
}
