//! What is wrong in the files of the jobs, and where.

use std::fmt;

use serde::Serialize;

/// A place in a text file, counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// What kind of mistake a finding is: a word that programs can rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The file cannot be read.
    File,
    /// Not YAML, or YAML that these files do without (anchors, tags, several documents).
    Syntax,
    /// A key that is not known.
    UnknownKey,
    /// A key that must be there.
    MissingKey,
    /// A value that is not allowed.
    Value,
    /// A secret, or what looks like one.
    Secret,
    /// Something that belongs to two environments.
    Shared,
    /// A host outside the allowed networks.
    Network,
    /// A regular expression outside the common subset.
    Regex,
    /// A mistake in an expression.
    Expression,
    /// A rule that cannot hold what it promises.
    Rule,
    /// Key or version of a table.
    Key,
    /// The definition of the row hash.
    Hash,
    /// The table in Cassandra is another one.
    Schema,
    /// A job that reads what it writes.
    Loop,
    /// Deletions that a job does not copy.
    Deletions,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Syntax => "syntax",
            Self::UnknownKey => "unknown-key",
            Self::MissingKey => "missing-key",
            Self::Value => "value",
            Self::Secret => "secret",
            Self::Shared => "shared",
            Self::Network => "network",
            Self::Regex => "regex",
            Self::Expression => "expression",
            Self::Rule => "rule",
            Self::Key => "key",
            Self::Hash => "hash",
            Self::Schema => "schema",
            Self::Loop => "loop",
            Self::Deletions => "deletions",
        })
    }
}

/// One mistake. Ordered by file and place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file, as it was named.
    pub file: String,
    /// Where in it; none for a file as a whole.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// What kind of mistake it is.
    pub code: Code,
    /// What is wrong, and what would be right. Never holds a secret.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(place) = self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        write!(f, ": {} [{}]", self.message, self.code)
    }
}

/// The findings of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    file: String,
    found: Vec<Finding>,
}

impl Findings {
    /// None yet, in the file of this name.
    pub fn new(file: impl Into<String>) -> Self {
        Self { file: file.into(), found: Vec::new() }
    }

    /// Adds one.
    pub fn add(&mut self, place: impl Into<Option<Place>>, code: Code, message: impl Into<String>) {
        let (file, place) = (self.file.clone(), place.into());
        self.found.push(Finding { file, place, code, message: message.into() });
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them, in the order of the file.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Finding> {
        self.found.sort();
        self.found.dedup();
        self.found
    }
}
