//! The end of an agent that is to publish everything that is there.

use super::{Ended, Live, Pass, Went};
use crate::agent::exit::{Exit, Failure};
use crate::agent::log;
use crate::cdc_raw::{Standing, State};

/// Segments and tables that are named one by one.
const NAMED: usize = 5;

impl Live<'_> {
    /// Whether everything that is there is published, as far as it can be.
    pub(super) fn is_empty(&mut self, pass: &Pass) -> bool {
        let checkpoint = self.writer.checkpoint();
        let is_done = |standing: &Standing| {
            matches!(standing.state, State::Unused | State::Orphan(_))
                || checkpoint.done_as(standing.file.name.id).is_some()
                || self.parts.passed.has(&standing.file, checkpoint)
        };
        // Where no more can be parked, no more is read.
        let is_at_end =
            self.writer.is_full_of_parked() || self.parts.found.lives.standings.iter().all(is_done);
        let is_read = !pass.has_news && is_at_end;
        is_read && !self.waits_for_schema()
    }

    /// Whether a node that answers is to say first what it knows of tables whose mutations are parked.
    fn waits_for_schema(&mut self) -> bool {
        let may_be_told = self.writer.checkpoint().parked_count() > 0
            && !self.is_newest_tried
            && self.parts.schema.can_be_asked_for()
            && self.parts.schema.is_reachable() == Some(true);
        if may_be_told {
            self.parts.schema.ask();
        }
        may_be_told
    }

    /// Commits what is left, and says whether everything is published.
    ///
    /// # Errors
    /// It is not: what is missing, and how to go on.
    pub(super) fn end_empty(&mut self) -> Result<Went, Failure> {
        while self.note_stranger()? {}
        self.commit()?;
        self.take_finished();
        let unfinished: Vec<String> =
            self.writer.checkpoint().snapshots().iter().map(|one| one.name()).collect();
        if !unfinished.is_empty() {
            log::warn(&format!(
                "snapshots that have begun are not finished: {}; they go on when the agent runs again",
                named(&unfinished)
            ));
        }
        self.unpublished().map_or(Ok(Went::Ended(Ended::Empty)), Err)
    }

    /// What of the log is not published.
    fn unpublished(&self) -> Option<Failure> {
        let checkpoint = self.writer.checkpoint();
        let (mut left, mut next) = (Vec::new(), Vec::new());
        let is_damaged = |standing: &&Standing| {
            let file = &standing.file;
            checkpoint.done_as(file.name.id).is_none() && self.parts.passed.has(file, checkpoint)
        };
        let standings = self.parts.found.lives.standings.iter().filter(is_damaged);
        let damaged: Vec<String> = standings.map(|standing| standing.file.name.to_string()).collect();
        let losses = self.parts.telling.losses();
        if !damaged.is_empty() {
            left.push(format!("damaged segments stay: {}", named(&damaged)));
        } else if losses > 0 {
            left.push(format!("{losses} losses were found and told of"));
        }
        if !left.is_empty() {
            next.push("cdc-agent verify SEGMENT says what cannot be read; docs/operations.md 10");
        }
        let parked = checkpoint.parked_count();
        if let Some(first) = checkpoint.parked().next() {
            left.push(format!("{parked} mutations are parked, the first one at {first}"));
            next.push(
                "cdc-agent parked list says which and why; a schema that decodes them, parked skip (while the agent \
                 runs without --until-empty) or checkpoint accept-loss ends it: docs/operations.md 9",
            );
        }
        let exit = match (damaged.is_empty() && losses == 0, parked) {
            (true, 0) => return None,
            (true, _) => Exit::UnknownSchema,
            (false, _) => Exit::Damaged,
        };
        let what = format!("not everything is published, the rest is: {}", left.join("; "));
        Some(Failure::new(exit, what).next(next.join("; ")))
    }
}

fn named(all: &[String]) -> String {
    let mut text = all.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if let Some(more) = all.len().checked_sub(NAMED).filter(|more| *more > 0) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
