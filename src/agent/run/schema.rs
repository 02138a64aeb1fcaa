//! The schema while the log is followed: from a file, or from the node and what was kept of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::later::Newest;
#[cfg(feature = "cql")]
use super::node::Node;
use super::stop::Stop;
use crate::agent::exit::{Exit, Failure};
use crate::agent::input::from_schema_file;
#[cfg(feature = "cql")]
use crate::agent::log;
use crate::agent::pipeline::epoch::SchemaAt;
use crate::agent::pipeline::worker::Owned;
use crate::change::filter::TableFilter;
use crate::checkpoint::Checkpoint;
use crate::cli::CassandraArgs;
use crate::schema::SchemaHistory;

/// The schema at the place that is read, and where newer ones come from.
#[derive(Debug)]
pub(super) struct LiveSchema {
    /// At the place that is read.
    pub(super) at: SchemaAt,
    newest: Arc<Newest>,
    #[cfg(feature = "cql")]
    node: Option<Node>,
}

/// What came of a look after the schema.
#[cfg_attr(not(feature = "cql"), expect(dead_code, reason = "newer schemas come from the node"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing.
    None,
    /// A schema was fetched: parked mutations may be decodable now. It began at this time.
    Fetched(Instant),
}

impl LiveSchema {
    /// From a file. Nothing newer comes.
    ///
    /// # Errors
    /// The file cannot be used.
    pub(super) fn from_file(path: &Path, filter: TableFilter) -> Result<Self, Failure> {
        let history = from_schema_file(path, SchemaHistory::new)?;
        let at = SchemaAt::new(history, filter).remember();
        Ok(Self {
            newest: Arc::new(Newest::new(Arc::clone(at.epoch()))),
            at,
            #[cfg(feature = "cql")]
            node: None,
        })
    }

    /// From the node.
    #[cfg(feature = "cql")]
    pub(super) fn from_node(node: Node, history: SchemaHistory, filter: TableFilter) -> Self {
        let at = SchemaAt::new(history, filter).remember();
        let newest = Arc::new(Newest::new(Arc::clone(at.epoch())));
        Self { at, newest, node: Some(node) }
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

    /// Goes on with requests to the node. `read_since`: all that was logged before this time is read.
    #[cfg(feature = "cql")]
    pub(super) fn tend(&mut self, now: Instant, read_since: Option<Instant>) -> News {
        let touched = self.at.take_touched();
        let Some(node) = &mut self.node else { return News::None };
        let rows = touched.iter().filter_map(|id| self.at.rows_of(*id));
        node.logged(rows.collect());
        if self.newest.was_asked_for() {
            node.hint();
        }
        let fetched = node.tend(now);
        if let Some(rows) = node.settled(read_since) {
            tell(&self.at.settle(None, &rows));
        }
        let Some((began, rows)) = fetched else { return News::None };
        tell(&self.at.learn(None, &rows));
        self.newest.set(Arc::new(self.at.epoch_of(&rows)));
        News::Fetched(began)
    }

    #[cfg(not(feature = "cql"))]
    pub(super) fn tend(&mut self, _: Instant, _: Option<Instant>) -> News {
        self.at.take_touched();
        News::None
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
            node.save_now();
        }
    }
}

#[cfg(feature = "cql")]
fn tell(changes: &[String]) {
    for change in changes {
        log::info(&format!("schema, from the node: {change}"));
    }
}

fn no_ring() -> Failure {
    Failure::new(Exit::Usage, "ownership = \"primary\" asks the node for its ring, and no node is asked here")
        .next("leave schema_file (--schema) away, or use ownership = \"all\"")
}
