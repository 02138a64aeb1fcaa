//! [`CqlSource`]: a synchronous face over a driver with a thread of its own.

use std::ops::ControlFlow;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use scylla::client::session::{Session, TlsContext};
use scylla::response::PagingState;
use scylla::statement::Statement;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;

use super::{CqlError, CqlSettings, Fetched, NodeInfo, Pending, classify, query, session, tls};

/// Rows asked for at once.
const PAGE_ROWS: i32 = 1000;

/// How often the schema is read when it changes meanwhile.
const ATTEMPTS: u32 = 3;

/// The schema of the node beside the agent, over CQL.
///
/// The connection is made when it is first needed and kept; after an error it is made anew with the next request.
/// Nothing is tried again by itself: that is the caller's ([`Refresh`](crate::schema::Refresh) says when).
#[derive(Debug)]
pub struct CqlSource {
    node: Arc<Node>,
    /// One thread; `None` only while this is dropped.
    runtime: Option<Runtime>,
}

impl CqlSource {
    /// A source with these settings. Reads the TLS files; connects to nothing yet.
    ///
    /// # Errors
    /// A file that cannot be used; the system gives no thread.
    pub fn new(settings: CqlSettings) -> Result<Self, CqlError> {
        let tls = settings.tls.as_ref().map(tls::context).transpose()?;
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("cql").enable_all().build();
        let runtime = runtime.map_err(|error| CqlError::Settings {
            what: "thread for CQL".to_owned(),
            reason: error.to_string(),
            hint: "allow the process more threads",
        })?;
        let node = Node { settings, tls, session: Mutex::new(None) };
        Ok(Self { node: Arc::new(node), runtime: Some(runtime) })
    }

    /// Waits for [`Self::start_fetch`].
    ///
    /// # Errors
    /// The node is not reachable, refuses, is too slow, or its rows are not as expected.
    pub fn fetch(&self) -> Result<Fetched, CqlError> {
        self.start_fetch().wait()
    }

    /// Waits for [`Self::start_node`].
    ///
    /// # Errors
    /// As [`Self::fetch`].
    pub fn node(&self) -> Result<NodeInfo, CqlError> {
        self.start_node().wait()
    }

    /// Begins to read the rows of `system_schema`; all of one state of the schema.
    #[must_use]
    pub fn start_fetch(&self) -> Pending<Fetched> {
        self.start(|node| async move { node.fetch().await })
    }

    /// Begins to read `system.local`: which node it is, and the version of its schema.
    #[must_use]
    pub fn start_node(&self) -> Pending<NodeInfo> {
        self.start(|node| async move { node.info().await })
    }

    /// Begins a `SELECT JSON` of `table`; the answer are its rows, each as the text of a JSON object. `cql` must change
    /// nothing.
    #[must_use]
    pub fn start_rows(&self, cql: String, table: &'static str) -> Pending<Vec<String>> {
        self.start(move |node| async move { node.rows(&cql, table).await })
    }

    pub(super) fn start<T, F>(&self, ask: impl FnOnce(Arc<Node>) -> F) -> Pending<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, CqlError>> + Send + 'static,
    {
        let (sender, answer) = mpsc::channel();
        let asking = ask(self.node.clone());
        if let Some(runtime) = &self.runtime {
            runtime.spawn(async move {
                // Nobody waits any more when this fails.
                let _ = sender.send(asking.await);
            });
        }
        Pending { address: self.node.settings.address(), answer }
    }
}

impl CqlSource {
    /// Ends the session, and waits until its connections are closed, at most for `limit`.
    pub fn close(mut self, limit: Duration) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(limit);
        }
    }
}

impl Drop for CqlSource {
    fn drop(&mut self) {
        // Without waiting: a request may hang until its time limit.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The node and the session with it.
pub(super) struct Node {
    pub(super) settings: CqlSettings,
    tls: Option<TlsContext>,
    session: Mutex<Option<Arc<Session>>>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.settings.fmt(f)
    }
}

impl Node {
    async fn fetch(&self) -> Result<Fetched, CqlError> {
        let mut before = self.info().await?.schema_version;
        for _ in 0..ATTEMPTS {
            let mut texts = Vec::new();
            for (array, table) in query::TABLES {
                texts.push((array, self.rows(&query::select(table), table).await?));
            }
            let node = self.info().await?;
            if before == node.schema_version {
                let rows = query::rows(texts);
                let rows = rows.map_err(|error| CqlError::Rows { address: self.address(), error })?;
                return Ok(Fetched { rows, node });
            }
            before = node.schema_version;
        }
        Err(CqlError::Changing { address: self.address(), attempts: ATTEMPTS })
    }

    pub(super) async fn info(&self) -> Result<NodeInfo, CqlError> {
        let table = "system.local";
        let rows = self.rows(query::LOCAL, table).await?;
        let error = |reason| CqlError::Query { address: self.address(), table, reason };
        let row = rows.first().ok_or_else(|| error("it has no row".to_owned()))?;
        serde_json::from_str(row).map_err(|e| error(e.to_string()))
    }

    /// The rows of a `SELECT JSON`, as texts.
    pub(super) async fn rows(&self, cql: &str, table: &'static str) -> Result<Vec<String>, CqlError> {
        let session = self.session().await?;
        let rows = self.all_pages(&session, cql, table).await;
        if rows.is_err() {
            self.forget(&session).await;
        }
        rows
    }

    /// The next request makes a new session.
    pub(super) async fn forget(&self, session: &Arc<Session>) {
        let mut kept = self.session.lock().await;
        if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, session)) {
            *kept = None;
        }
    }

    async fn all_pages(
        &self,
        session: &Session,
        cql: &str,
        table: &'static str,
    ) -> Result<Vec<String>, CqlError> {
        let mut statement = Statement::new(cql);
        statement.set_page_size(PAGE_ROWS);
        let mut paging = PagingState::start();
        let mut texts = Vec::new();
        loop {
            let page = session.query_single_page(statement.clone(), (), paging).await;
            let (page, next) = page.map_err(|error| classify::reading(&self.settings, table, &error))?;
            let error = |reason| CqlError::Query { address: self.address(), table, reason };
            let page = page.into_rows_result().map_err(|e| error(e.to_string()))?;
            for row in page.rows::<(String,)>().map_err(|e| error(e.to_string()))? {
                let (text,) = row.map_err(|e| error(e.to_string()))?;
                texts.push(text);
            }
            match next.into_paging_control_flow() {
                ControlFlow::Break(()) => return Ok(texts),
                ControlFlow::Continue(state) => paging = state,
            }
        }
    }

    pub(super) async fn session(&self) -> Result<Arc<Session>, CqlError> {
        let mut kept = self.session.lock().await;
        if let Some(session) = kept.as_ref() {
            return Ok(session.clone());
        }
        let session = Arc::new(session::connect(&self.settings, self.tls.as_ref()).await?);
        *kept = Some(session.clone());
        Ok(session)
    }

    pub(super) fn address(&self) -> String {
        self.settings.address()
    }
}
