//! The state of the job as bytes: a line of JSON, then what `unique` rules remember, then event ids.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Counters, DqJob, Totals, Uniques, no_json, remembering};
use crate::agent::exit::Exit;
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::first_seen::FirstSeen;
use crate::jobs::engine::repeats::Repeats;

#[derive(Serialize, Deserialize)]
struct Head {
    totals: Totals,
    counters: Counters,
    /// Ids of the rules and partitions whose memories follow, in their order.
    uniques: Vec<(String, i32)>,
}

impl DqJob {
    pub(super) fn save_state(&self, state: &mut Vec<u8>) -> Result<(), EngineError> {
        let ids: BTreeMap<usize, &str> = remembering(&self.rules).collect();
        let remembered = self.uniques.0.iter();
        let remembered: Vec<_> = remembered
            .filter_map(|((rule, partition), memory)| {
                Some((((*ids.get(rule)?).to_owned(), *partition), memory))
            })
            .collect();
        let head = Head {
            totals: self.totals.clone(),
            counters: self.counters.clone(),
            uniques: remembered.iter().map(|(of, _)| of.clone()).collect(),
        };
        serde_json::to_writer(&mut *state, &head).map_err(no_json)?;
        state.push(b'\n');
        remembered.iter().for_each(|(_, memory)| memory.save(state));
        self.repeats.save(state);
        Ok(())
    }

    pub(super) fn load_state(&mut self, state: &[u8]) -> Result<(), EngineError> {
        let strange = || EngineError::new(Exit::Unreadable, "the saved state is none of this job");
        let end = memchr::memchr(b'\n', state).ok_or_else(strange)?;
        let (line, rest) = state.split_at(end);
        let head: Head = serde_json::from_slice(line).map_err(|_| strange())?;
        let mut rest = rest.get(1..).unwrap_or_default();
        let mut uniques = Uniques::default();
        for (id, partition) in &head.uniques {
            let memory = FirstSeen::load(&mut rest).ok_or_else(strange)?;
            // A rule that the file does not list any more has nothing to remember.
            if let Some((number, _)) = remembering(&self.rules).find(|(_, known)| known == id) {
                uniques.0.insert((number, *partition), memory);
            }
        }
        self.repeats = Repeats::load(&mut rest, self.rules.max_event_ids).ok_or_else(strange)?;
        (self.totals, self.counters, self.uniques) = (head.totals, head.counters, uniques);
        Ok(())
    }
}
