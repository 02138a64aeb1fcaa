//! A session with one node and no other one.

use std::net::{SocketAddr, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use scylla::client::PoolSize;
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::{Session, TlsContext};
use scylla::client::session_builder::SessionBuilder;
use scylla::cluster::metadata::Peer;
use scylla::errors::TranslationError;
use scylla::policies::address_translator::{AddressTranslator, UntranslatedPeer};
use scylla::policies::host_filter::HostFilter;
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::statement::Consistency;
use uuid::Uuid;

use super::{CqlError, CqlSettings, classify};

/// The driver reads the list of nodes now and then; it is of no use here.
const TOPOLOGY_INTERVAL: Duration = Duration::from_secs(3600);

/// The driver takes what nodes say of their addresses for true, and looks for other nodes. Here every node it knows is
/// at the configured address, and it knows one: whichever it hears of first. That may be under the host id of another
/// one, which the driver only counts pools by.
#[derive(Default)]
struct OnlyOne(OnceLock<Uuid>);

impl HostFilter for OnlyOne {
    fn accept(&self, peer: &Peer) -> bool {
        *self.0.get_or_init(|| peer.host_id) == peer.host_id
    }
}

struct At(SocketAddr);

type Translated<'t> = Pin<Box<dyn Future<Output = Result<SocketAddr, TranslationError>> + Send + 't>>;

impl AddressTranslator for At {
    fn translate_address<'a: 't, 'b: 't, 't>(&'a self, _: &'b UntranslatedPeer<'_>) -> Translated<'t>
    where
        Self: 't,
    {
        let address = self.0;
        Box::pin(std::future::ready(Ok(address)))
    }
}

pub(super) async fn connect(settings: &CqlSettings, tls: Option<&TlsContext>) -> Result<Session, CqlError> {
    let limit = settings.connect_timeout + settings.request_timeout;
    let connecting = async {
        let node = resolve(settings).await?;
        let session = Session::connect(builder(settings, tls, node).config).await;
        session.map_err(|error| classify::connecting(settings, &error))
    };
    tokio::time::timeout(limit, connecting).await.unwrap_or_else(|_| {
        let reason = format!("no connection within {} ms", limit.as_millis());
        Err(CqlError::Unreachable { address: settings.address(), reason })
    })
}

fn builder(settings: &CqlSettings, tls: Option<&TlsContext>, node: SocketAddr) -> SessionBuilder {
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::One)
        .request_timeout(Some(settings.request_timeout))
        .retry_policy(Arc::new(FallthroughRetryPolicy::new()))
        .build();
    let builder = SessionBuilder::new()
        .known_node_addr(node)
        .host_filter(Arc::new(OnlyOne::default()))
        .address_translator(Arc::new(At(node)))
        .pool_size(PoolSize::PerHost(NonZeroUsize::MIN))
        .disallow_shard_aware_port(true)
        .connection_timeout(settings.connect_timeout)
        .default_execution_profile_handle(profile.into_handle())
        .cluster_metadata_refresh_interval(TOPOLOGY_INTERVAL)
        .fetch_schema_metadata(false)
        .auto_await_schema_agreement(false)
        .tls_context(tls.cloned());
    match &settings.credentials {
        Some(credentials) => builder.user(&credentials.user, credentials.password.as_str()),
        None => builder,
    }
}

/// The first address of the host: a name of several nodes would make it chance which one answers.
async fn resolve(settings: &CqlSettings) -> Result<SocketAddr, CqlError> {
    let (host, port) = (settings.host.clone(), settings.port);
    let resolving = tokio::task::spawn_blocking(move || {
        (host.as_str(), port).to_socket_addrs().map(|mut addresses| addresses.next())
    });
    let reason = match resolving.await {
        Ok(Ok(Some(address))) => return Ok(address),
        Ok(Ok(None)) => "the host has no address".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    Err(CqlError::Unreachable { address: settings.address(), reason })
}
