//! How changes are delivered, and whether that is as before: consumers are told at the start of every run.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::kept;
use super::notices::Notices;
use crate::agent::exit::Failure;
use crate::agent::log;
use crate::agent::pipeline::worker::now_ms;
use crate::agent::pipeline::writer::Writer;
use crate::cli::{DeliveryWord, Settings};
use crate::durable::replace;

const FILE: &str = "modes.json";
const VERSION: u32 = 1;

/// What consumers may rely on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Modes {
    /// `exactly-once`, `at-least-once` or `file log`.
    pub(super) delivery: String,
    pub(super) visibility: String,
    pub(super) ownership: String,
}

/// What is kept, written before the commit that tells of it.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    modes: Modes,
    /// Those of the run before.
    before: Option<Modes>,
    /// The generation of the checkpoint at that time: as long as it is the same nothing was told.
    generation: u64,
}

/// How records are delivered.
pub(super) fn delivery(out: &Path, settings: &Settings) -> &'static str {
    match (out.to_str(), settings.kafka.delivery) {
        (Some("kafka"), DeliveryWord::ExactlyOnce) => "exactly-once",
        (Some("kafka"), DeliveryWord::AtLeastOnce) => "at-least-once",
        _ => "file log",
    }
}

/// The records that tell of the start, until they are committed.
#[derive(Debug)]
pub(super) struct Begin {
    path: PathBuf,
    kept: Option<Kept>,
    modes: Modes,
    config_hash: String,
    /// Of the checkpoint when they were sent last.
    generation: Option<u64>,
}

impl Begin {
    /// `state`: the state directory, with what the run before kept. One of an older agent has nothing of it.
    pub(super) fn new(state: &Path, modes: Modes, config_hash: String) -> Self {
        let path = state.join(FILE);
        let follows = "whether changes are delivered as by the run before is not told";
        let kept = kept::read(&path, |kept: &Kept| kept.version == VERSION, follows);
        Self { path, kept, modes, config_hash, generation: None }
    }

    /// Sends them unless they are committed, as far as can be told from the checkpoint that `writer` goes on from.
    ///
    /// # Errors
    /// The sink fails.
    pub(super) fn tell(&mut self, notices: &Notices, writer: &mut Writer<'_>) -> Result<(), Failure> {
        let generation = writer.checkpoint().generation();
        if self.generation.is_some_and(|sent| sent != generation) {
            return Ok(());
        }
        let before = self.before(generation);
        if self.generation.replace(generation).is_none() {
            self.keep(before.clone(), generation);
        }
        let Modes { delivery, visibility, ownership } = &self.modes;
        let what = json!({
            "config_hash": self.config_hash,
            "delivery": delivery,
            "visibility": visibility,
            "ownership": ownership,
        });
        notices.control(writer, "start", what, now_ms())?;
        if let Some(before) = before.filter(|before| *before != self.modes) {
            let what = json!({"before": before, "after": self.modes});
            log::warn(&format!("changes are delivered in another way than by the run before: {what}"));
            notices.control(writer, "mode_change", what, now_ms())?;
        }
        Ok(())
    }

    /// The modes that consumers were told last.
    fn before(&self, generation: u64) -> Option<Modes> {
        let kept = self.kept.as_ref()?;
        if kept.generation == generation { kept.before.clone() } else { Some(kept.modes.clone()) }
    }

    fn keep(&mut self, before: Option<Modes>, generation: u64) {
        let kept = Kept { version: VERSION, modes: self.modes.clone(), before, generation };
        let text = serde_json::to_vec(&kept).unwrap_or_default();
        self.kept = Some(kept);
        if let Err(error) = replace(&self.path, &self.path.with_extension("tmp"), &[&text]) {
            log::unwritten(&format!(
                "how changes are delivered is not kept, a change is not told of: {error}"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(visibility: &str) -> Modes {
        let [delivery, ownership] = ["exactly-once", "all"].map(str::to_owned);
        Modes { delivery, visibility: visibility.to_owned(), ownership }
    }

    fn begin(state: &Path, visibility: &str) -> Begin {
        Begin::new(state, modes(visibility), String::new())
    }

    #[test]
    fn what_was_not_committed_was_not_told() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(begin(dir.path(), "marked").before(0), None, "nothing is known of older agents");
        begin(dir.path(), "marked").keep(None, 0);
        // It died before its first commit, and with others so did the next one.
        let mut second = begin(dir.path(), "synced");
        assert_eq!(second.before(0), None);
        assert_eq!(second.before(1), Some(modes("marked")));
        second.keep(Some(modes("marked")), 1);
        let third = begin(dir.path(), "synced");
        assert_eq!(third.before(1), Some(modes("marked")), "the change is still to be told");
        assert_eq!(third.before(2), Some(modes("synced")));
    }
}
