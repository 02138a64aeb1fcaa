//! The schema while the log is followed: from a file, or from the node and what was kept of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::later::Newest;
#[cfg(feature = "cql")]
use super::node::{Came, Node};
use super::passed::Passed;
#[cfg(feature = "cql")]
use super::reached;
use super::reader::Reading;
#[cfg(feature = "cql")]
use super::schema_kept::place;
use super::stop::Stop;
use crate::agent::exit::{Exit, Failure};
use crate::agent::input::from_schema_file;
use crate::agent::log;
use crate::agent::pipeline::epoch::{KeepsSchema, SchemaAt};
#[cfg(feature = "cql")]
use crate::agent::pipeline::walk::start_of;
use crate::agent::pipeline::worker::Owned;
use crate::agent::unlogged::{ADVICE, Unlogged};
use crate::change::filter::TableFilter;
use crate::checkpoint::Checkpoint;
use crate::cli::CassandraArgs;
use crate::commitlog::{Position, SegmentId};
use crate::schema::{Schema, SchemaHistory, SystemSchemaRows};

/// The schema at the place that is read, and where newer ones come from.
#[derive(Debug)]
pub(super) struct LiveSchema {
    /// At the place that is read.
    pub(super) at: SchemaAt,
    newest: Arc<Newest>,
    #[cfg(feature = "cql")]
    told: Told,
    #[cfg(feature = "cql")]
    node: Option<Node>,
    /// Since when a mutation waits for a newer one that was asked for.
    #[cfg(feature = "cql")]
    wanted: Option<Instant>,
}

/// What came of a look after the schema.
#[cfg_attr(not(feature = "cql"), expect(dead_code, reason = "newer schemas come from the node"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing.
    None,
    /// A schema was fetched.
    Fetched {
        /// When the node was asked for it.
        began: Instant,
        /// Whether it is another one than the one before: parked mutations may be decodable now.
        is_other: bool,
    },
}

impl LiveSchema {
    /// From a file. Nothing newer comes.
    ///
    /// # Errors
    /// The file cannot be used.
    pub(super) fn from_file(path: &Path, filter: TableFilter) -> Result<Self, Failure> {
        let mut told = Told::new(&filter);
        let history = from_schema_file(path, |rows| {
            let (history, problems) = SchemaHistory::new(rows);
            told.look(rows, history.schema());
            (history, problems)
        })?;
        let at = SchemaAt::new(history, filter).remember();
        Ok(Self {
            newest: Arc::new(Newest::new(Arc::clone(at.epoch()))),
            at,
            #[cfg(feature = "cql")]
            told,
            #[cfg(feature = "cql")]
            node: None,
            #[cfg(feature = "cql")]
            wanted: None,
        })
    }

    /// From the node, or what is kept of it: the newest that is known, until [`Self::begin`].
    #[cfg(feature = "cql")]
    pub(super) fn from_node(node: Node, filter: TableFilter) -> Self {
        let (mut told, rows) = (Told::new(&filter), node.newest());
        let (history, problems) = SchemaHistory::new(&rows);
        told.look(&rows, history.schema());
        for problem in problems {
            log::warn(&format!("schema: {problem}"));
        }
        let at = SchemaAt::new(history, filter).remember();
        let newest = Arc::new(Newest::new(Arc::clone(at.epoch())));
        Self { at, newest, told, node: Some(node), wanted: None }
    }

    /// The log is read from what `checkpoint` leaves on: with the schema that it was read with there before.
    #[cfg(feature = "cql")]
    pub(super) fn begin(&mut self, reading: &Reading<'_>, checkpoint: &Checkpoint, passed: &Passed) {
        let Some(node) = &self.node else { return };
        let kept = node.kept();
        let history = kept.history(reached::next_place(reading, checkpoint, passed));
        self.at.begin(history, Arc::clone(kept) as Arc<dyn KeepsSchema>);
        if let Some(oldest) = reached::oldest(reading) {
            // Ids begin above the milliseconds of the process's start.
            kept.forget_before(oldest.0);
        }
    }

    #[cfg(not(feature = "cql"))]
    pub(super) fn begin(&mut self, _: &Reading<'_>, _: &Checkpoint, _: &Passed) {}

    /// The schema at the start of a segment that was read before; of a file the one at the place that is read.
    pub(super) fn at_start_of(&self, segment: SegmentId) -> SchemaAt {
        #[cfg(feature = "cql")]
        if let Some(node) = &self.node {
            return self.at.elsewhere(node.kept().history(place(start_of(segment))));
        }
        #[cfg(not(feature = "cql"))]
        let _ = segment;
        self.at.clone()
    }

    /// Who keeps what the log tells of it.
    pub(super) fn keeper(&self) -> Option<Arc<dyn KeepsSchema>> {
        self.at.keeper()
    }

    /// The newest schema that is known.
    pub(super) fn newest(&self) -> Arc<Newest> {
        Arc::clone(&self.newest)
    }

    /// What the node owns first. Nothing is `None` when it is asked to stop meanwhile.
    ///
    /// # Errors
    /// It cannot be told.
    #[cfg(feature = "cql")]
    pub(super) fn owned_first(
        &mut self,
        state: &Path,
        stop: &Stop,
    ) -> Result<Option<Arc<dyn Owned + Send + Sync>>, Failure> {
        let Some(node) = &mut self.node else { return Err(no_ring()) };
        let owned = node.own_first(state, stop)?;
        Ok(owned.map(|owned| owned as Arc<dyn Owned + Send + Sync>))
    }

    #[cfg(not(feature = "cql"))]
    pub(super) fn owned_first(
        &mut self,
        _: &Path,
        _: &Stop,
    ) -> Result<Option<Arc<dyn Owned + Send + Sync>>, Failure> {
        Err(no_ring())
    }

    /// Whether newer schemas can be had.
    #[cfg(feature = "cql")]
    pub(super) fn can_be_asked_for(&self) -> bool {
        self.node.is_some()
    }

    #[cfg(not(feature = "cql"))]
    pub(super) fn can_be_asked_for(&self) -> bool {
        false
    }

    /// Goes on with requests to the node. `read_since`: all that was logged before this time is read, up to `reached`.
    #[cfg(feature = "cql")]
    pub(super) fn tend(
        &mut self,
        now: Instant,
        read_since: Option<Instant>,
        reached: Option<Position>,
    ) -> News {
        let (is_touched, is_asked_for) = (self.at.take_touched(), self.newest.take_asked_for());
        let Some(node) = &mut self.node else { return News::None };
        if is_touched {
            node.logged();
        }
        if is_asked_for {
            self.wanted = Some(now);
            node.hint();
        }
        let came = node.tend(now);
        if let Some(rows) = node.settled(read_since, reached) {
            tell(&self.at.settle(None, &rows));
        }
        let Some(Came { began, rows, is_other }) = came else { return News::None };
        self.wanted.take_if(|wanted| began >= *wanted);
        tell(&self.at.learn(None, &rows));
        let epoch = self.at.epoch_of(&rows);
        if is_other {
            self.told.look(&rows, &epoch.schema);
        }
        self.newest.set(Arc::new(epoch));
        News::Fetched { began, is_other }
    }

    #[cfg(not(feature = "cql"))]
    pub(super) fn tend(&mut self, _: Instant, _: Option<Instant>, _: Option<Position>) -> News {
        self.at.take_touched();
        self.newest.take_asked_for();
        News::None
    }

    /// Whether a mutation needs a newer schema, and it will come: what is read until then would only be parked, too.
    pub(super) fn is_awaited(&self) -> bool {
        #[cfg(feature = "cql")]
        let is_wanted = self.wanted.is_some() || self.newest.is_asked_for();
        #[cfg(not(feature = "cql"))]
        let is_wanted = false;
        is_wanted && self.is_reachable() == Some(true)
    }

    /// Reading goes on from `checkpoint`: the schema that holds there does, too. What the node told since is asked for
    /// again.
    pub(super) fn rewind(&mut self, checkpoint: &Checkpoint) {
        if self.at.go_back(checkpoint) {
            self.ask();
        }
    }

    /// Whether the node answers; `None` when it is not asked.
    pub(super) fn is_reachable(&self) -> Option<bool> {
        #[cfg(feature = "cql")]
        return self.node.as_ref().map(Node::is_reachable);
        #[cfg(not(feature = "cql"))]
        None
    }

    /// When the node's schema was read last, in microseconds since 1970.
    pub(super) fn refreshed_us(&self) -> Option<u64> {
        #[cfg(feature = "cql")]
        return u64::try_from(self.node.as_ref()?.refreshed_ms()?).ok()?.checked_mul(1000);
        #[cfg(not(feature = "cql"))]
        None
    }

    /// Whether the node says that it puts nothing into `cdc_raw`.
    pub(super) fn is_cdc_off(&self) -> bool {
        #[cfg(feature = "cql")]
        return self.node.as_ref().is_some_and(|node| node.cdc.is_off());
        #[cfg(not(feature = "cql"))]
        false
    }

    /// Whether that is another answer than at the last call.
    pub(super) fn is_cdc_switched(&mut self) -> bool {
        #[cfg(feature = "cql")]
        return self.node.as_mut().is_some_and(|node| node.cdc.take_news());
        #[cfg(not(feature = "cql"))]
        false
    }

    /// Has the node be asked soon, if there is one.
    pub(super) fn ask(&mut self) {
        #[cfg(feature = "cql")]
        if let Some(node) = &mut self.node {
            node.hint();
        }
    }

    /// Goes on asking the node with other options: files that they name are read anew.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(super) fn renew(&mut self, args: &CassandraArgs) -> Result<(), Failure> {
        #[cfg(feature = "cql")]
        if let Some(node) = &mut self.node {
            node.renew(super::node::source(args)?);
        }
        #[cfg(not(feature = "cql"))]
        let _ = args;
        Ok(())
    }

    /// Keeps what is known on disk.
    pub(super) fn save(&mut self) {
        #[cfg(feature = "cql")]
        if let Some(node) = &mut self.node {
            node.kept().save_now();
        }
    }
}

/// Warns of tables of which nothing comes.
#[derive(Debug)]
struct Told {
    filter: TableFilter,
    unlogged: Unlogged,
}

impl Told {
    fn new(filter: &TableFilter) -> Self {
        Self { filter: filter.clone(), unlogged: Unlogged::default() }
    }

    /// The node has this schema now.
    fn look(&mut self, rows: &SystemSchemaRows, schema: &Schema) {
        for table in self.unlogged.news(rows, schema, &self.filter) {
            log::warn(&format!(
                "nothing of {table} is published: its keyspace has durable_writes = false, so its changes are in no commit \
                 log; {ADVICE}"
            ));
        }
    }
}

#[cfg(feature = "cql")]
fn tell(changes: &[String]) {
    for change in changes {
        log::info(&format!("schema, from the node: {change}"));
    }
}

/// There is no node to ask for its ring.
pub(in crate::agent) fn no_ring() -> Failure {
    Failure::new(Exit::Usage, "ownership = \"primary\" asks the node for its ring, and no node is asked here")
        .next("leave schema_file (--schema) away, or use ownership = \"all\"")
}
