//! What a long-running command says on standard error: lines for people, or JSON objects. Never values of cells, never
//! secrets.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

static IS_TIMED: AtomicBool = AtomicBool::new(false);
static IS_JSON: AtomicBool = AtomicBool::new(false);
static PROGRAM: OnceLock<&'static str> = OnceLock::new();
static TOLD: OnceLock<Listener> = OnceLock::new();

/// What whoever watches the program is told, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<'t> {
    /// A warning or an error, as it was said.
    Line(&'t str),
    /// Something of the state directory could not be written.
    Unwritten,
}

type Listener = Box<dyn Fn(Heard<'_>) + Send + Sync>;

/// The name of the program before lines without a time; `cdc-agent` without this. Only the first one counts.
pub fn program(name: &'static str) {
    let _ = PROGRAM.set(name);
}

/// From here on every line has its time and level, and is a JSON object if `is_json`.
pub fn begin(is_json: bool) {
    IS_TIMED.store(true, Ordering::Relaxed);
    IS_JSON.store(is_json, Ordering::Relaxed);
}

/// Has `tell` hear of every warning and error, and of state that could not be written. Only the first one is told.
pub fn also(tell: impl Fn(Heard<'_>) + Send + Sync + 'static) {
    let _ = TOLD.set(Box::new(tell));
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Somebody asked to see it.
    Debug,
    /// Something is as it should be, and worth knowing.
    Info,
    /// Something needs attention; the program goes on.
    Warn,
    /// Something is lost, or the program cannot go on.
    Error,
}

/// Says a line.
pub fn log(level: Level, text: &str) {
    let level = match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    line(level, text);
}

/// Something is as it should be, and worth knowing.
pub fn info(text: &str) {
    line("info", text);
}

/// Something needs attention; the program goes on.
pub fn warn(text: &str) {
    line("warn", text);
}

/// Something is lost, or the program cannot go on.
pub fn error(text: &str) {
    line("error", text);
}

/// Something of the state directory could not be written; the program goes on.
pub fn unwritten(text: &str) {
    still_unwritten();
    warn(text);
}

/// The same once more, which was said already.
pub fn still_unwritten() {
    TOLD.get().iter().for_each(|tell| tell(Heard::Unwritten));
}

fn line(level: &str, text: &str) {
    // The simulation says very much, and the tests' harness does not hold it back.
    if cfg!(test) {
        return;
    }
    if let ("warn" | "error", Some(tell)) = (level, TOLD.get()) {
        tell(Heard::Line(text));
    }
    let line = match (IS_TIMED.load(Ordering::Relaxed), IS_JSON.load(Ordering::Relaxed)) {
        (false, _) => format!("{}: {text}", PROGRAM.get().unwrap_or(&"cdc-agent")),
        (true, false) => format!("{} {level:5} {text}", now()),
        (true, true) => serde_json::json!({"ts": now(), "level": level, "message": text}).to_string(),
    };
    // A closed standard error is no reason to stop.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}
