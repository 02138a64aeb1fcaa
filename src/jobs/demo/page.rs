//! The demo on the terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

const HEADING: Style = AnsiColor::Cyan.on_default().bold();
const WORD: Style = AnsiColor::Green.on_default().bold();
const LABEL: Style = Style::new().dimmed();

/// What is shown, part after part.
pub(super) struct Page<'o> {
    out: &'o mut dyn Write,
}

impl<'o> Page<'o> {
    pub(super) fn new(out: &'o mut dyn Write) -> Self {
        Self { out }
    }

    /// The beginning of a part.
    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{HEADING}{text}{HEADING:#}")
    }

    /// A plain line.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// A line that begins with a word that tells it from others.
    pub(super) fn told(&mut self, word: &str, text: &str) -> io::Result<()> {
        writeln!(self.out, "    {WORD}{word:<2}{WORD:#}  {text}")
    }

    /// A name and its value, below such a line.
    pub(super) fn field(&mut self, name: &str, value: &str) -> io::Result<()> {
        writeln!(self.out, "        {LABEL}{name:<9}{LABEL:#}{value}")
    }

    /// The same of what may not be there.
    pub(super) fn value(&mut self, name: &str, value: Option<&Value>) -> io::Result<()> {
        value.map_or(Ok(()), |value| self.field(name, &value.to_string()))
    }

    /// A command, and what it is for.
    pub(super) fn command(&mut self, what: &str, command: &str) -> io::Result<()> {
        writeln!(self.out, "    {LABEL}{what}{LABEL:#}")?;
        writeln!(self.out, "      {command}")
    }

    /// The end of a part.
    pub(super) fn end(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }
}

/// A number of things.
pub(super) fn count(of: &Value, name: &str) -> u64 {
    of.get(name).and_then(Value::as_u64).unwrap_or_default()
}
