//! What a check found.

use std::io::{self, Write};

use serde_json::Value;

use crate::agent::exit::Exit;
use crate::agent::object::Object;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// It works, and somebody should know this.
    Warn,
    /// It does not work.
    Fail,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What a check found, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Name of the check, which does not change: `cdc_raw.permissions`.
    pub check: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do; empty when there is nothing to do.
    pub fix: String,
    /// The exit code when it fails.
    pub exit: Exit,
}

impl Finding {
    /// All is well.
    pub fn pass(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Pass, found: found.into(), fix: String::new(), exit: Exit::Ok }
    }

    /// It works, but.
    pub fn warn(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warn, found: found.into(), fix: fix.into(), exit: Exit::Ok }
    }

    /// It does not work; `exit` says of which kind that is.
    pub fn fail(check: &'static str, exit: Exit, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fail, found: found.into(), fix: fix.into(), exit }
    }
}

/// Prints the findings and how many there are of each kind.
///
/// # Errors
/// `out` cannot be written.
pub fn print(findings: &[Finding], json: bool, out: &mut impl Write) -> io::Result<()> {
    for finding in findings {
        let Finding { check, verdict, found, fix, .. } = finding;
        if json {
            let mut object = Object::of("check");
            object.put("check", *check);
            object.put("verdict", verdict.word());
            object.put("found", found.clone());
            object.put("fix", (!fix.is_empty()).then(|| fix.clone()));
            writeln!(out, "{}", Value::from(object))?;
        } else {
            writeln!(out, "{}  {check}: {found}", verdict.word().to_ascii_uppercase())?;
            if !fix.is_empty() {
                writeln!(out, "      fix: {fix}")?;
            }
        }
    }
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let [pass, warn, fail] = [Verdict::Pass, Verdict::Warn, Verdict::Fail].map(count);
    if json {
        let mut object = Object::of("total");
        object.put("pass", pass);
        object.put("warn", warn);
        object.put("fail", fail);
        writeln!(out, "{}", Value::from(object))
    } else {
        writeln!(out, "{pass} passed, {warn} warnings, {fail} failed")
    }
}

/// The exit code: that of the first check that failed.
#[must_use]
pub fn outcome(findings: &[Finding]) -> Exit {
    let first = findings.iter().find(|finding| finding.verdict == Verdict::Fail);
    first.map_or(Exit::Ok, |finding| finding.exit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_decides() {
        let findings = [
            Finding::pass("a", "fine"),
            Finding::warn("b", "odd", "look"),
            Finding::fail("c", Exit::Destination, "gone", "bring it back"),
            Finding::fail("d", Exit::Locked, "held", "stop it"),
        ];
        assert_eq!(outcome(&findings), Exit::Destination);
        assert_eq!(outcome(&findings[..2]), Exit::Ok);
        let mut out = Vec::new();
        print(&findings, false, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "PASS  a: fine\nWARN  b: odd\n      fix: look\nFAIL  c: gone\n      fix: bring it back\n\
             FAIL  d: held\n      fix: stop it\n1 passed, 1 warnings, 2 failed\n"
        );
    }
}
