//! What is in the directory now, and what is wrong with it.

use std::time::Duration;

use crate::agent::log;
use crate::cdc_raw::{Directory, DirectoryError, Life, Lives, Now, Scan, Timing};
use crate::commitlog::SegmentId;

/// So often the directory is looked at while something comes, and when nothing does.
const BUSY: Duration = Duration::from_millis(100);
const QUIET: Duration = Duration::from_millis(250);

/// The directory, and what was found in it last.
#[derive(Debug)]
pub(super) struct Found {
    life: Life,
    pub(super) lives: Lives,
    pub(super) scan: Scan,
    /// When the directory was looked at last.
    pub(super) looked: Option<Now>,
    /// What is wrong with it.
    pub(super) problem: Option<String>,
    /// It is to be told of once more.
    is_told_again: bool,
}

/// What a look came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    /// It was too soon for one.
    NotDue,
    /// The directory was looked at.
    Done,
    /// It cannot be looked at.
    Failed,
    /// No segment is left, although these were not read to their end. Told once.
    Emptied(Vec<SegmentId>),
}

impl Found {
    pub(super) fn new(timing: Timing) -> Self {
        Self {
            life: Life::new(timing),
            lives: Lives::default(),
            scan: Scan::default(),
            looked: None,
            problem: None,
            is_told_again: false,
        }
    }

    /// What was told of was not committed.
    pub(super) fn rewind(&mut self) {
        self.is_told_again = true;
    }

    /// Looks at the directory when it is time to.
    pub(super) fn look(
        &mut self,
        directory: &Directory,
        unfinished: impl IntoIterator<Item = SegmentId>,
        (now, is_urgent, is_busy): (Now, bool, bool),
        is_node_stopped: bool,
    ) -> Look {
        let span = if is_busy { BUSY } else { QUIET };
        let is_due = |last: Now| now.instant.saturating_duration_since(last.instant) >= span;
        if !is_urgent && !self.looked.is_none_or(is_due) {
            return Look::NotDue;
        }
        let held = directory.hold_moves();
        let judged = directory.scan_expecting(unfinished).and_then(|scan| {
            let lives = self.life.judge(directory, &scan, now, is_node_stopped)?;
            Ok((scan, lives))
        });
        drop(held);
        match judged {
            Ok((scan, lives)) => {
                if self.problem.take().is_some() {
                    log::info(&format!("{} is there again", directory.path().display()));
                }
                (self.scan, self.lives, self.looked) = (scan, lives, Some(now));
                Look::Done
            }
            Err(error) => self.failed(error),
        }
    }

    fn failed(&mut self, error: DirectoryError) -> Look {
        let text = error.to_string();
        let is_new = std::mem::take(&mut self.is_told_again) || self.problem.as_deref() != Some(&text);
        if is_new {
            log::error(&format!("{text}; {}", error.advice()));
        }
        self.problem = Some(text);
        (self.scan, self.lives) = (Scan::default(), Lives::default());
        match error {
            DirectoryError::Emptied { lost, .. } if is_new => Look::Emptied(lost),
            _ => Look::Failed,
        }
    }
}
