//! Pages of rows of any table, and the ring: what a snapshot asks a node for.

use std::ops::ControlFlow;
use std::sync::Arc;

use scylla::client::session::Session;
use scylla::deserialize::row::ColumnIterator;
use scylla::response::PagingState;
use scylla::statement::{Consistency, Statement};

use super::connection::Node;
use super::{CqlError, CqlSource, Page, Pending, ReadConsistency, Ring, classify};

/// A keyspace and its replication options.
#[derive(Debug, serde::Deserialize)]
struct Replication {
    keyspace_name: String,
    replication: std::collections::BTreeMap<String, String>,
}

/// How errors call the table that pages are of: its name stands in the node's reason, or the caller adds it.
const TABLE: &str = "the table of a snapshot";

/// A page to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The SELECT.
    pub cql: String,
    /// How many rows it has at most.
    pub rows: i32,
    /// [`Page::next`] of the page before; `None` for the first one.
    pub after: Option<Vec<u8>>,
    /// Of how many replicas.
    pub consistency: ReadConsistency,
}

impl CqlSource {
    /// Begins to read a page. The statement must change nothing.
    #[must_use]
    pub fn start_page(&self, request: PageRequest) -> Pending<Page> {
        self.start(|node| async move { node.page(request).await })
    }

    /// Begins to read what the node knows of its ring, and the replication of keyspaces.
    #[must_use]
    pub fn start_ring(&self) -> Pending<Ring> {
        self.start(|node| async move { node.ring().await })
    }
}

impl Node {
    async fn page(&self, request: PageRequest) -> Result<Page, CqlError> {
        let session = self.session().await?;
        let page = self.one_page(&session, request).await;
        if page.is_err() {
            self.forget(&session).await;
        }
        page
    }

    async fn one_page(&self, session: &Session, request: PageRequest) -> Result<Page, CqlError> {
        let mut statement = Statement::new(request.cql);
        statement.set_page_size(request.rows);
        statement.set_consistency(match request.consistency {
            ReadConsistency::LocalOne => Consistency::LocalOne,
            ReadConsistency::LocalQuorum => Consistency::LocalQuorum,
        });
        let paging = request.after.map_or_else(PagingState::start, PagingState::new_from_raw_bytes);
        let answer = session.query_single_page(statement, (), paging).await;
        let (result, next) = answer.map_err(|error| classify::reading(&self.settings, TABLE, &error))?;
        let error = |reason| CqlError::Query { address: self.address(), table: TABLE, reason };
        let result = result.into_rows_result().map_err(|e| error(e.to_string()))?;
        let mut page = Page::new(result.column_specs().len());
        for row in result.rows::<ColumnIterator<'_, '_>>().map_err(|e| error(e.to_string()))? {
            for column in row.map_err(|e| error(e.to_string()))? {
                let column = column.map_err(|e| error(e.to_string()))?;
                page.push(column.slice.map(|slice| slice.as_slice()));
            }
        }
        page.next = match next.into_paging_control_flow() {
            ControlFlow::Break(()) => None,
            ControlFlow::Continue(state) => state.as_bytes_slice().map(|bytes: &Arc<[u8]>| bytes.to_vec()),
        };
        Ok(page)
    }

    async fn ring(&self) -> Result<Ring, CqlError> {
        let node = self.info().await?;
        // From 4.0 on nodes may share an address.
        let peers = if node.major_version() >= 4 { "system.peers_v2" } else { "system.peers" };
        let peers =
            self.json(&format!("SELECT JSON data_center, tokens FROM {peers}"), "system.peers").await?;
        let query = "SELECT JSON keyspace_name, replication FROM system_schema.keyspaces";
        let keyspaces: Vec<Replication> = self.json(query, "system_schema.keyspaces").await?;
        let keyspaces = keyspaces.into_iter().map(|row| (row.keyspace_name, row.replication)).collect();
        Ok(Ring { node, peers, keyspaces })
    }

    async fn json<T: serde::de::DeserializeOwned>(
        &self,
        cql: &str,
        table: &'static str,
    ) -> Result<Vec<T>, CqlError> {
        let rows = self.rows(cql, table).await?;
        let parsed: Result<Vec<T>, _> = rows.iter().map(|row| serde_json::from_str(row)).collect();
        parsed.map_err(|error| CqlError::Query { address: self.address(), table, reason: error.to_string() })
    }
}
