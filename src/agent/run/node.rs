//! The node as the source of schemas, and what is kept of them on disk.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use super::node_cdc::NodeCdc;
use super::owned_first::OwnedFirst;
use super::refusals::Refusals;
use super::schema_kept::{KeptSchema, place};
use super::stop::Stop;
use super::unsettled::Unsettled;
use crate::agent::exit::{Exit, Failure};
use crate::agent::keys::password;
use crate::agent::log;
use crate::cli::{CassandraArgs, SourceArgs};
use crate::commitlog::Position;
use crate::config::Secret;
use crate::failpoint;
use crate::schema::SystemSchemaRows;
use crate::schema::refresh::{Due, Refresh, RefreshLimits};
use crate::schema::source::{
    CqlError, CqlSettings, CqlSource, Credentials, ExpectedNode, Fetched, IdentityError, NodeInfo, Pending,
    Ring, TlsSettings,
};
use crate::schema::store::LogPlace;

/// The node, and the history of its schema.
#[derive(Debug)]
pub(super) struct Node {
    source: CqlSource,
    /// Takes its place when no request is under way.
    next_source: Option<CqlSource>,
    kept: Arc<KeptSchema>,
    refresh: Refresh,
    under_way: Option<UnderWay>,
    /// The schema that came last.
    newest: Option<SystemSchemaRows>,
    /// Fetched, and not yet taken over as a whole.
    unsettled: Unsettled<SystemSchemaRows>,
    expected: ExpectedNode,
    /// Whether the last request failed, and it was said.
    is_away: bool,
    /// Whether another node answered, and it was said.
    is_other: bool,
    /// When the schema was asked for last and came, in milliseconds since 1970.
    refreshed_ms: Option<i64>,
    /// What the node owns first, where that matters, and the request for its ring.
    owned: Option<(Arc<OwnedFirst>, Option<Pending<Ring>>)>,
    /// Whether the node puts its changes into `cdc_raw`.
    pub(super) cdc: NodeCdc,
}

/// A schema that came from the node.
#[derive(Debug)]
pub(super) struct Came {
    /// When it was asked for.
    pub(super) began: Instant,
    pub(super) rows: SystemSchemaRows,
    /// Whether it is another one than the one that came before.
    pub(super) is_other: bool,
}

#[derive(Debug)]
struct UnderWay {
    began: Instant,
    wall_ms: i64,
    request: Request,
}

#[derive(Debug)]
enum Request {
    Fetch(Pending<Fetched>),
    Poll(Pending<NodeInfo>),
}

/// How the node is reached.
///
/// # Errors
/// A file with a secret cannot be read.
pub(in crate::agent) fn settings(args: &CassandraArgs) -> Result<CqlSettings, Failure> {
    let credentials = match &args.username {
        Some(user) => {
            let password = password(args.password_file.as_deref(), Secret::CassandraPassword)?;
            let password = password.ok_or_else(|| {
                let (key, variable) = (Secret::CassandraPassword.key(), Secret::CassandraPassword.variable());
                Failure::new(Exit::Usage, format!("there is no password for the Cassandra role {user}"))
                    .next(format!("give {key}, or set {variable}"))
            })?;
            Some(Credentials { user: user.clone(), password: Zeroizing::new(password) })
        }
        None => None,
    };
    let tls = args.ssl_ca_file.as_ref().map(|ca| TlsSettings {
        ca_file: Some(ca.clone()),
        certificate_file: args.ssl_certificate_file.clone(),
        key_file: args.ssl_key_file.clone(),
        server_name: args.ssl_server_name.clone(),
    });
    Ok(CqlSettings {
        port: args.port.get(),
        credentials,
        tls,
        connect_timeout: Duration::from_millis(args.connect_timeout_ms.get()),
        request_timeout: Duration::from_millis(args.request_timeout_ms.get()),
        ..CqlSettings::new(&args.host)
    })
}

/// Connects to nothing yet.
///
/// # Errors
/// The settings cannot be used.
pub(super) fn source(args: &CassandraArgs) -> Result<CqlSource, Failure> {
    CqlSource::new(settings(args)?).map_err(unusable)
}

/// What the node says of itself, when it is the configured one. `None` when it cannot be reached now.
///
/// # Errors
/// It is another node, or refuses for some minutes.
pub(super) fn identity(
    source: &CqlSource,
    names: &SourceArgs,
    refusals: &mut Refusals,
    stop: &Stop,
) -> Result<Option<NodeInfo>, Failure> {
    match refusals.wait(stop, || source.node()) {
        Ok(node) => {
            node.check(&expected(names)).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
            Ok(Some(node))
        }
        Err(error) if error.is_transient() || stop.is_asked() => {
            log::warn(&format!("the node does not answer: {error}"));
            Ok(None)
        }
        Err(error) => Err(unusable(error)),
    }
}

/// Checks that the node writes into the directory that is to be read, when it tells and both can be compared: beside a
/// node in a container they can have different names.
///
/// # Errors
/// It is another directory.
pub(super) fn check_directory(source: &CqlSource, ours: &Path) -> Result<(), Failure> {
    const NAME: &str = "cdc_raw_directory";
    // A role that may not read it, or a node without it: doctor tells.
    let settings = source.start_settings(Some(NAME)).wait().unwrap_or_default();
    match settings.get(NAME) {
        Some(said) if is_other_directory(said, ours) => {
            let what = format!("the node writes its changes into {said}, not into {}", ours.display());
            Err(Failure::new(Exit::Usage, what)
                .next("give that directory with cdc_raw_directory or --cdc-raw"))
        }
        _ => Ok(()),
    }
}

/// Whether both names lead to directories, and not to the same one.
pub(in crate::agent) fn is_other_directory(said: &str, ours: &Path) -> bool {
    let found = (Path::new(said).canonicalize(), ours.canonicalize());
    matches!(found, (Ok(said), Ok(ours)) if said != ours)
}

fn expected(names: &SourceArgs) -> ExpectedNode {
    ExpectedNode {
        cluster: names.cluster.clone(),
        dc: names.dc.clone(),
        host_id: names.host_id.map(|id| id.to_string()),
    }
}

fn unusable(error: CqlError) -> Failure {
    Failure::new(Exit::Usage, "the node's schema cannot be had").because(error)
}

impl Node {
    /// The node at `source`; the history is kept in `state_dir`. Nothing is asked yet.
    ///
    /// # Errors
    /// The history cannot be read.
    pub(super) fn open(
        source: CqlSource,
        state_dir: &Path,
        names: &SourceArgs,
        args: &CassandraArgs,
    ) -> Result<Self, Failure> {
        let host_id = names.host_id.map(|id| id.to_string()).unwrap_or_default();
        let kept = Arc::new(KeptSchema::open(state_dir, &host_id)?);
        let poll_interval = Duration::from_millis(args.schema_refresh_interval_ms.get());
        let limits = RefreshLimits { poll_interval, ..RefreshLimits::default() };
        Ok(Self {
            source,
            next_source: None,
            kept,
            refresh: Refresh::new(limits),
            under_way: None,
            newest: None,
            unsettled: Unsettled::default(),
            expected: expected(names),
            is_away: false,
            is_other: false,
            refreshed_ms: None,
            owned: None,
            cdc: NodeCdc::default(),
        })
    }

    /// What the node owns first, from here on kept up with its ring; `None` when it is asked to stop meanwhile.
    ///
    /// # Errors
    /// As of [`OwnedFirst::start`].
    pub(super) fn own_first(
        &mut self,
        state: &Path,
        stop: &Stop,
    ) -> Result<Option<Arc<OwnedFirst>>, Failure> {
        let Some(owned) = OwnedFirst::start(&self.source, state, stop)?.map(Arc::new) else {
            return Ok(None);
        };
        self.owned = Some((Arc::clone(&owned), None));
        Ok(Some(owned))
    }

    /// Takes over the ring that was asked for.
    fn tend_ring(&mut self) {
        let Some((owned, request)) = &mut self.owned else { return };
        let Some(answer) = request.as_ref().and_then(Pending::poll) else { return };
        *request = None;
        // The next poll asks again.
        let Ok(ring) = answer else { return };
        if let Err(error) = owned.take(&ring) {
            log::error(&format!("the ring of before is used: {error}"));
        }
    }

    /// What is known of its schema over time.
    pub(super) fn kept(&self) -> &Arc<KeptSchema> {
        &self.kept
    }

    /// The newest schema that is known: the node's, if it has answered.
    pub(super) fn newest(&self) -> SystemSchemaRows {
        self.newest.clone().unwrap_or_else(|| self.kept.newest())
    }

    /// The node is asked through this source from the next request on.
    pub(super) fn renew(&mut self, source: CqlSource) {
        self.next_source = Some(source);
        self.refresh.hint();
    }

    /// Something was read that asks for a newer schema.
    pub(super) fn hint(&mut self) {
        self.refresh.hint();
    }

    /// The log changed the schema: what was fetched before does not have it.
    pub(super) fn logged(&mut self) {
        self.unsettled.logged();
        self.refresh.hint();
    }

    /// Asks the node, takes its answers. A schema that came.
    pub(super) fn tend(&mut self, now: Instant) -> Option<Came> {
        self.tend_ring();
        self.cdc.tend(&self.source, now);
        if self.under_way.is_none() {
            if let Some(source) = self.next_source.take() {
                self.source = source;
            }
            let due = self.refresh.due(now);
            let request = match due {
                Due::Fetch => {
                    self.unsettled.asked();
                    Request::Fetch(self.source.start_fetch())
                }
                Due::Poll => Request::Poll(self.source.start_node()),
                Due::NotBefore(_) | Due::UnderWay => return None,
            };
            self.refresh.began(due, now);
            self.under_way = Some(UnderWay { began: now, wall_ms: wall_ms(), request });
        }
        let under_way = self.under_way.take()?;
        match &under_way.request {
            Request::Fetch(pending) => match pending.poll() {
                None => self.under_way = Some(under_way),
                Some(Ok(fetched)) => match self.fetched(fetched, under_way.began, under_way.wall_ms, now) {
                    Ok(came) => return Some(came),
                    Err(other) => self.is_another(&other, now),
                },
                Some(Err(error)) => self.failed(&error, now),
            },
            Request::Poll(pending) => match pending.poll() {
                None => self.under_way = Some(under_way),
                Some(Ok(node)) => self.polled(&node, under_way.wall_ms, now),
                Some(Err(error)) => self.failed(&error, now),
            },
        }
        None
    }

    /// Takes a schema on, unless it is another node's.
    fn fetched(
        &mut self,
        fetched: Fetched,
        began: Instant,
        wall_ms: i64,
        now: Instant,
    ) -> Result<Came, IdentityError> {
        failpoint::cross("schema_fetched");
        fetched.node.check(&self.expected)?;
        self.is_back();
        self.refreshed_ms = Some(wall_ms);
        self.refresh.fetched(&fetched.node.schema_version, now);
        self.kept.fetched(&fetched.rows, wall_ms);
        self.unsettled.answered(now, fetched.rows.clone());
        let is_other = self.newest.replace(fetched.rows.clone()).as_ref() != Some(&fetched.rows);
        Ok(Came { began, rows: fetched.rows, is_other })
    }

    fn polled(&mut self, node: &NodeInfo, wall_ms: i64, now: Instant) {
        if let Err(other) = node.check(&self.expected) {
            return self.is_another(&other, now);
        }
        self.is_back();
        if let Some((_, request)) = &mut self.owned {
            *request = Some(self.source.start_ring());
        }
        if self.refresh.polled(&node.schema_version, now) {
            self.kept.unchanged(wall_ms);
        }
    }

    /// Another node answers: nothing of it is taken over.
    fn is_another(&mut self, other: &IdentityError, now: Instant) {
        self.refresh.failed(now);
        self.is_away = true;
        if !std::mem::replace(&mut self.is_other, true) {
            log::error(&format!("its schema is not taken over: {other}"));
        }
    }

    fn failed(&mut self, error: &CqlError, now: Instant) {
        self.refresh.failed(now);
        if !std::mem::replace(&mut self.is_away, true) {
            log::warn(&format!("the node's schema cannot be had now, its history is used: {error}"));
        }
    }

    fn is_back(&mut self) {
        self.is_other = false;
        if std::mem::replace(&mut self.is_away, false) {
            log::info("the node answers again");
        }
    }

    /// Whether the last request was answered.
    pub(super) fn is_reachable(&self) -> bool {
        !self.is_away
    }

    /// A fetched schema that can be taken over as a whole. `read_since`: all that was logged before it is read, up to
    /// `reached`.
    pub(super) fn settled(
        &mut self,
        read_since: Option<Instant>,
        reached: Option<Position>,
    ) -> Option<SystemSchemaRows> {
        let rows = self.unsettled.settled(read_since)?;
        self.kept.settled(&rows, reached.map_or(LogPlace::START, place));
        Some(rows)
    }

    /// When the schema was asked for last and came, in milliseconds since 1970.
    pub(super) fn refreshed_ms(&self) -> Option<i64> {
        self.refreshed_ms
    }

    /// Waits for a first schema.
    ///
    /// # Errors
    /// The node refuses for some minutes, or is another one than the configured one.
    pub(super) fn fetch_now(&mut self, refusals: &mut Refusals, stop: &Stop) -> Result<bool, Failure> {
        let (began, wall_ms) = (Instant::now(), wall_ms());
        self.refresh.began(Due::Fetch, began);
        self.unsettled.asked();
        match refusals.wait(stop, || self.source.fetch()) {
            Ok(fetched) => match self.fetched(fetched, began, wall_ms, Instant::now()) {
                Ok(_) => Ok(true),
                Err(other) => Err(Failure::new(Exit::Usage, other.to_string())),
            },
            Err(error) if error.is_transient() || stop.is_asked() => {
                self.failed(&error, Instant::now());
                Ok(false)
            }
            Err(error) => Err(unusable(error)),
        }
    }
}

fn wall_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
