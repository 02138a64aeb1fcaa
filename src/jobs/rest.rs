//! An HTTP endpoint that takes records: the JSON produce form of version 2 of the Kafka REST proxy, and nothing else of it.
//!
//! `POST /topics/<topic>` and `POST /topics/<topic>/partitions/<number>` with `application/vnd.kafka.json.v2+json`; for
//! probes `/livez`, for Prometheus `/metrics`. docs/jobs-commands.md has the answers.

mod answer;
mod body;
mod connection;
mod counts;
mod produce;
mod server;

use std::sync::Arc;

use zeroize::Zeroizing;

pub use server::{RestError, RestServer};

use counts::Counts;
use produce::Topics;

/// What is allowed.
#[derive(Clone)]
pub struct RestOptions {
    /// Topics that may be written.
    pub topics: Vec<String>,
    /// Most bytes of a request's body.
    pub most_bytes: usize,
    /// What a request must bring as `Authorization: Bearer`; None: nothing.
    pub token: Option<Arc<Zeroizing<String>>>,
}

impl std::fmt::Debug for RestOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (topics, most_bytes) = (&self.topics, self.most_bytes);
        f.debug_struct("RestOptions")
            .field("topics", topics)
            .field("most_bytes", &most_bytes)
            .finish_non_exhaustive()
    }
}

/// What requests share.
struct Shared {
    options: RestOptions,
    /// Whether the server is bound to loopback: a request must name a loopback host.
    is_loopback: bool,
    counts: Counts,
    topics: Topics,
}
