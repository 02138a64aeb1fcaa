//! Which schema holds from where on.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::doubt::{self, Doubts};
use crate::change::filter::TableFilter;
use crate::change::schema_change;
use crate::checkpoint::Checkpoint;
use crate::commitlog::{Decoder, Mutation, Peek, Position};
use crate::schema::{
    Creation, Effect, LoggedUpdate, Schema, SchemaHistory, SystemSchemaRows, TableId, TableMap, system,
};

/// A schema and the place from which it holds.
#[derive(Debug)]
pub(in crate::agent) struct Epoch {
    /// First mutation that it holds for; `None` from the start.
    pub(in crate::agent) from: Option<Position>,
    pub(in crate::agent) schema: Schema,
    pub(in crate::agent) interest: Interest,
}

impl Epoch {
    pub(in crate::agent) fn new(from: Option<Position>, schema: Schema, filter: &TableFilter) -> Self {
        let interest = Interest::new(&schema, filter);
        Self { from, schema, interest }
    }
}

/// What a mutation of `system_schema` did.
#[derive(Debug, Default)]
pub(in crate::agent) struct Applied {
    /// What changed, in words.
    pub(in crate::agent) changes: Vec<String>,
    /// Whether another epoch begins behind it.
    pub(in crate::agent) is_changed: bool,
    /// What it created, whether or not that was known.
    pub(in crate::agent) created: Vec<Creation>,
}

/// Keeps what the log told of the schema for an agent that goes on from a later place.
pub(in crate::agent) trait KeepsSchema: fmt::Debug + Send + Sync {
    /// The log left a table like this from a place on; the change was made at `at_ms`, milliseconds since 1970.
    fn logged(&self, table: &SystemSchemaRows, from: Position, at_ms: i64);

    /// What was logged is on disk behind this, as far as it can be: before a checkpoint says that it was read.
    fn keep(&self);
}

/// The schema at one place of the log.
#[derive(Debug, Clone)]
pub(in crate::agent) struct SchemaAt {
    history: SchemaHistory,
    epoch: Arc<Epoch>,
    filter: TableFilter,
    /// Places behind which it may be another one.
    pub(in crate::agent) doubts: Doubts,
    /// Whether the log changed the schema since that was asked last.
    is_touched: bool,
    /// `None` where nobody goes on without the log so far.
    keeper: Option<Arc<dyn KeepsSchema>>,
    /// `None` where reading never goes back.
    before: Option<Vec<Before>>,
}

/// The schema before a change, to go back to.
#[derive(Debug, Clone)]
struct Before {
    /// The place of the change.
    at: Position,
    history: SchemaHistory,
    epoch: Arc<Epoch>,
    doubts: Doubts,
}

#[cfg_attr(not(feature = "cql"), expect(dead_code, reason = "newer schemas come from the node"))]
impl SchemaAt {
    pub(in crate::agent) fn new(history: SchemaHistory, filter: TableFilter) -> Self {
        let epoch = Arc::new(Epoch::new(None, history.schema().clone(), &filter));
        Self {
            history,
            epoch,
            filter,
            doubts: Doubts::default(),
            is_touched: false,
            keeper: None,
            before: None,
        }
    }

    /// Remembers from here on what is needed to [go back](Self::go_back).
    pub(in crate::agent) fn remember(mut self) -> Self {
        self.before.get_or_insert_default();
        self
    }

    /// Begins anew with a schema that holds at the place from which on the log is read. What the log tells is kept.
    pub(in crate::agent) fn begin(&mut self, history: SchemaHistory, keeper: Arc<dyn KeepsSchema>) {
        *self = Self { keeper: Some(keeper), ..self.elsewhere(history).remember() };
    }

    /// The schema at another place.
    pub(in crate::agent) fn elsewhere(&self, history: SchemaHistory) -> Self {
        Self::new(history, self.filter.clone())
    }

    /// Who keeps what the log tells.
    pub(in crate::agent) fn keeper(&self) -> Option<Arc<dyn KeepsSchema>> {
        self.keeper.clone()
    }

    pub(in crate::agent) fn epoch(&self) -> &Arc<Epoch> {
        &self.epoch
    }

    /// Changes that are done in `committed` are not gone back behind any more: a schema is large, and not to be kept for
    /// longer than that.
    pub(in crate::agent) fn committed(&mut self, committed: Option<&Checkpoint>) {
        if let (Some(before), Some(checkpoint)) = (&mut self.before, committed) {
            let done = before.iter().take_while(|before| is_done(checkpoint, before.at)).count();
            before.drain(..done);
        }
    }

    /// Takes back the changes that are not done in `checkpoint`: reading goes on from there. Whether there were any.
    pub(in crate::agent) fn go_back(&mut self, checkpoint: &Checkpoint) -> bool {
        self.committed(Some(checkpoint));
        let Some(first) = self.before.as_mut().and_then(|before| before.drain(..).next()) else {
            return false;
        };
        (self.history, self.epoch, self.doubts) = (first.history, first.epoch, first.doubts);
        true
    }

    /// Takes what is missing from a newer schema of the node; it holds from `from` on. What changed, in words.
    pub(in crate::agent) fn learn(&mut self, from: Option<Position>, rows: &SystemSchemaRows) -> Vec<String> {
        let effects = self.history.learn(rows);
        self.begin_epoch(from, &effects)
    }

    /// Takes a newer schema of the node as a whole: all of the log that was there when it was asked for is read. What
    /// changed, in words.
    pub(in crate::agent) fn settle(
        &mut self,
        from: Option<Position>,
        rows: &SystemSchemaRows,
    ) -> Vec<String> {
        let effects = self.history.settle(rows);
        self.begin_epoch(from, &effects)
    }

    /// Whether the log changed the schema since the last call.
    pub(in crate::agent) fn take_touched(&mut self) -> bool {
        std::mem::take(&mut self.is_touched)
    }

    fn keep(&mut self, before: Option<Before>) {
        if let Some(all) = &mut self.before {
            all.extend(before);
        }
    }

    fn begin_epoch(&mut self, from: Option<Position>, effects: &[Effect]) -> Vec<String> {
        let changes: Vec<_> = effects.iter().filter(|effect| doubt::of_effect(effect).is_none()).collect();
        if !changes.is_empty() {
            self.epoch = Arc::new(Epoch::new(from, self.history.schema().clone(), &self.filter));
        }
        changes.iter().map(ToString::to_string).collect()
    }

    /// An epoch of a whole schema, wherever it holds.
    pub(in crate::agent) fn epoch_of(&self, rows: &SystemSchemaRows) -> Epoch {
        let (history, _) = SchemaHistory::new(rows);
        Epoch::new(None, history.schema().clone(), &self.filter)
    }

    /// Goes past a mutation of `system_schema`.
    pub(in crate::agent) fn apply(&mut self, position: Position, payload: &[u8]) -> Applied {
        // The schema holds for what follows the mutation that changed it.
        let from = Position { entry: position.entry + 1, ..position };
        let mut mutation = Mutation::default();
        let decoded = Decoder::new(system::schema()).decode(payload, &mut mutation);
        let change = match &decoded {
            Ok(()) => schema_change(&mutation).map_err(|error| error.to_string()),
            Err(error) => Err(format!("a change of system_schema cannot be decoded: {error}")),
        };
        let before = self.before.is_some().then(|| Before {
            at: position,
            history: self.history.clone(),
            epoch: Arc::clone(&self.epoch),
            doubts: self.doubts.clone(),
        });
        let (effects, at_us, created) = match change {
            Ok(updates) => {
                let at_us = updates.iter().filter_map(LoggedUpdate::changed_at_us).max();
                let effects = self.history.apply(&updates);
                (effects, at_us, self.history.creations(&updates))
            }
            Err(problem) => {
                self.keep(before);
                self.doubts.add(from, problem);
                return Applied::default();
            }
        };
        if !effects.is_empty() {
            self.keep(before);
        }
        let is_doubtful = |effect: &Effect| matches!(effect, Effect::Doubtful { .. });
        // Cassandra's own tables are built in, whatever a new node logs of them.
        let is_own = |effect: &Effect| system::is_system_keyspace(effect.keyspace());
        let (doubtful, changes): (Vec<_>, Vec<_>) = effects
            .into_iter()
            .filter(|effect| !is_own(effect) || !is_doubtful(effect))
            .partition(is_doubtful);
        let reasons = doubtful.iter().filter_map(doubt::of_effect);
        reasons.for_each(|reason| self.doubts.add(from, reason));
        if changes.is_empty() {
            return Applied { created, ..Applied::default() };
        }
        self.is_touched = true;
        if let Some(keeper) = &self.keeper {
            let tables = changes.iter().filter(|effect| !is_own(effect)).filter_map(Effect::table);
            for rows in tables.filter_map(|id| self.history.rows_of(id)) {
                keeper.logged(&rows, from, at_us.unwrap_or_default() / 1000);
            }
        }
        self.epoch = Arc::new(Epoch::new(Some(from), self.history.schema().clone(), &self.filter));
        // A node that starts drops and makes its own tables anew: nothing that a consumer could act on.
        let changes = changes.iter().filter(|effect| !is_own(effect)).map(ToString::to_string).collect();
        Applied { changes, is_changed: true, created }
    }
}

/// Whether a change at this place is done.
fn is_done(checkpoint: &Checkpoint, at: Position) -> bool {
    checkpoint.done_as(at.segment).is_some() || checkpoint.open_at(at.segment).is_some_and(|next| at < next)
}

/// What becomes of a table's mutations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) enum Verdict {
    /// Its events become records.
    Wanted,
    /// A table of Cassandra itself.
    System,
    /// Not wanted; another table of its keyspace is.
    Unwanted,
    /// No table of its keyspace is wanted.
    UnwantedKeyspace,
    /// Not in the schema.
    Unknown,
}

/// The verdict on every known table.
#[derive(Debug)]
pub(in crate::agent) struct Interest(TableMap<Verdict>);

impl Interest {
    fn new(schema: &Schema, filter: &TableFilter) -> Self {
        let wanted: HashSet<&str> = schema
            .tables()
            .filter(|table| filter.wants(table))
            .map(|table| table.keyspace.as_str())
            .collect();
        let verdict = |table: &crate::schema::TableSchema| {
            if filter.wants(table) {
                Verdict::Wanted
            } else if wanted.contains(table.keyspace.as_str()) {
                Verdict::Unwanted
            } else if system::is_system_keyspace(&table.keyspace) {
                Verdict::System
            } else {
                Verdict::UnwantedKeyspace
            }
        };
        Self(schema.tables().map(|table| (table.id, verdict(table))).collect())
    }

    #[inline]
    pub(in crate::agent) fn table(&self, id: TableId) -> Verdict {
        self.0.get(&id).copied().unwrap_or(Verdict::Unknown)
    }

    /// The verdict on a whole mutation, where its first update tells: all updates are of one keyspace.
    #[inline]
    pub(in crate::agent) fn mutation(&self, peek: &Peek<'_>) -> Verdict {
        match self.table(peek.table) {
            Verdict::Unwanted if peek.updates > 1 => Verdict::Wanted,
            verdict => verdict,
        }
    }
}
