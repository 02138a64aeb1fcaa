//! The server.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, EXPECT, HOST, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request};
use rdkafka::error::RDKafkaErrorCode;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::answer::{self, Answer, Refusal};
use super::body::{self, BodyError};
use super::connection::converse;
use super::counts::Counts;
use super::produce::Topics;
use super::{RestOptions, Shared};
use crate::http::is_loopback;
use crate::jobs::kafka::{Brokers, Producer};
use crate::telemetry::metrics;

/// Connections at a time; further ones wait in the system's queue.
const CONNECTIONS: usize = 64;
/// For a request's body.
const BODY_TIME: Duration = Duration::from_secs(30);
/// For a client to take an answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// For what is under way when the server stops.
const STOP_TIME: Duration = Duration::from_secs(10);
/// How many times the allowed length of a body is read before the connection is closed.
const DRAINED: usize = 4;
/// How often it is looked whether the server is to stop.
const LOOKS_EVERY: Duration = Duration::from_millis(100);

const JSON_V2: &str = "application/vnd.kafka.json.v2+json";

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// The port is taken, or the address is not of this machine.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// No runtime.
    #[error("cannot start the HTTP server: {0}")]
    Start(#[source] io::Error),
}

/// A server that listens.
pub struct RestServer {
    listener: TcpListener,
    address: SocketAddr,
    runtime: Runtime,
    shared: Arc<Shared>,
}

impl RestServer {
    /// Listens on `address`; connections are accepted by [`Self::run`].
    ///
    /// # Errors
    /// Nothing can listen there.
    pub fn bind(
        address: SocketAddr,
        options: RestOptions,
        brokers: Brokers,
        producer: Producer,
    ) -> Result<Self, RestError> {
        let listener = TcpListener::bind(address).map_err(|error| RestError::Listen(address, error))?;
        listener.set_nonblocking(true).map_err(RestError::Start)?;
        let address = listener.local_addr().map_err(RestError::Start)?;
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let shared = Shared {
            options,
            is_loopback: address.ip().is_loopback(),
            counts: Counts::default(),
            topics: Topics::new(brokers, producer),
        };
        Ok(Self { listener, address, runtime: runtime.map_err(RestError::Start)?, shared: Arc::new(shared) })
    }

    /// Where it listens; the port is the one that the system chose when 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is set, then answers what is under way.
    ///
    /// # Errors
    /// The listener is not taken.
    pub fn run(self, stop: &AtomicBool) -> Result<(), RestError> {
        let Self { listener, runtime, shared, .. } = self;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).map_err(RestError::Start)?;
            let free = Arc::new(Semaphore::new(CONNECTIONS));
            while !stop.load(Ordering::Relaxed) {
                // Also wakes up to look at `stop`.
                let _ = timeout(LOOKS_EVERY, accept(&listener, &shared, &free)).await;
            }
            drop(listener);
            let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
            let _ = timeout(STOP_TIME, free.acquire_many(all)).await;
            Ok(())
        })?;
        // What a request has sent is delivered even when nobody waits for its answer any more.
        let _ = shared.topics.flush(STOP_TIME);
        Ok(())
    }
}

async fn accept(listener: &tokio::net::TcpListener, shared: &Arc<Shared>, free: &Arc<Semaphore>) {
    let Ok(permit) = Arc::clone(free).acquire_owned().await else { return };
    let Ok((stream, _)) = listener.accept().await else { return sleep(LOOKS_EVERY).await };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let service = service_fn(|request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(serve(request, &shared).await) }
        });
        converse(stream, service, ANSWER_TIME).await;
        drop(permit);
    });
}

async fn serve(request: Request<Incoming>, shared: &Arc<Shared>) -> Answer {
    let is_known = has_token(request.headers(), &shared.options);
    let mut answer = match route(request, shared).await {
        Ok(answer) => answer,
        Err(refusal) => answer::refused(&refusal),
    };
    if !is_known {
        // One answer: who has no token keeps no place from those who have one.
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    shared.counts.request(answer.status().as_u16());
    answer
}

async fn route(request: Request<Incoming>, shared: &Arc<Shared>) -> Result<Answer, Refusal> {
    match asked(&request, &shared.options, shared.is_loopback)? {
        Asked::Alive => Ok(answer::alive()),
        Asked::Metrics => Ok(answer::text(metrics::CONTENT_TYPE, shared.counts.text())),
        Asked::Produce { topic, partition } => {
            let bytes = read(request, shared.options.most_bytes).await?;
            produce(topic, partition, bytes, shared).await
        }
    }
}

/// What a request is for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Alive,
    Metrics,
    Produce { topic: String, partition: Option<i32> },
}

/// What a request is for, by its head alone. Whether the program runs may be known to everybody; all else needs the token, where
/// there is one.
fn asked<B>(request: &Request<B>, options: &RestOptions, is_on_loopback: bool) -> Result<Asked, Refusal> {
    let headers = request.headers();
    if is_on_loopback && !headers.get(HOST).is_none_or(is_loopback) {
        return Err(Refusal::Host);
    }
    let is_get = request.method() == Method::GET || request.method() == Method::HEAD;
    let token = || if has_token(headers, options) { Ok(()) } else { Err(Refusal::Token) };
    match (request.uri().path(), is_get) {
        ("/livez", true) => return Ok(Asked::Alive),
        ("/metrics", true) => return token().map(|()| Asked::Metrics),
        ("/livez" | "/metrics", false) => return Err(Refusal::Method("GET, HEAD")),
        _ => {}
    }
    let (topic, partition) = place(request.uri().path()).ok_or(Refusal::Path)?;
    if request.method() != Method::POST {
        return Err(Refusal::Method("POST"));
    }
    token()?;
    if !options.topics.contains(&topic) {
        return Err(Refusal::Topic);
    }
    if !is_json_v2(headers) {
        return Err(Refusal::ContentType);
    }
    Ok(Asked::Produce { topic, partition })
}

/// The topic and partition of a path; topics need no escapes.
fn place(path: &str) -> Option<(String, Option<i32>)> {
    let rest = path.strip_prefix("/topics/")?;
    match rest.split_once('/') {
        None => Some((rest.to_owned(), None)),
        Some((topic, rest)) => {
            let number = rest.strip_prefix("partitions/")?;
            Some((topic.to_owned(), Some(number.parse().ok()?)))
        }
    }
}

/// Whether the request brings the token. It takes as long for a wrong one as for the right one.
fn has_token(headers: &HeaderMap, options: &RestOptions) -> bool {
    let Some(token) = &options.token else { return true };
    let given = headers.get(AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    let given = match given.split_at_checked(7) {
        Some((scheme, given)) if scheme.eq_ignore_ascii_case(b"bearer ") => given,
        _ => b"",
    };
    let difference = token.bytes().zip(given.iter().copied().chain(std::iter::repeat(0)));
    difference.fold(u8::from(token.len() != given.len()), |sum, (a, b)| sum | (a ^ b)) == 0
}

fn is_json_v2(headers: &HeaderMap) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(JSON_V2)
}

/// Reads the body. What is a little too long is read to its end all the same: most clients hear an answer only when they
/// have sent everything.
async fn read(request: Request<Incoming>, most: usize) -> Result<Vec<u8>, Refusal> {
    let announced = usize::try_from(request.body().size_hint().lower()).unwrap_or(usize::MAX);
    let drained = most.saturating_mul(DRAINED);
    if announced > drained || (announced > most && request.headers().contains_key(EXPECT)) {
        return Err(Refusal::TooLong(most));
    }
    let mut body = request.into_body();
    let reading = async {
        let (mut bytes, mut length) = (Vec::with_capacity(announced.min(most)), 0_usize);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refusal::Syntax("the body ended early".to_owned()))?;
            let Ok(data) = frame.into_data() else { continue };
            length = length.saturating_add(data.len());
            if length > drained {
                break;
            }
            if length <= most {
                bytes.extend_from_slice(&data);
            }
        }
        if length > most { Err(Refusal::TooLong(most)) } else { Ok(bytes) }
    };
    timeout(BODY_TIME, reading).await.unwrap_or(Err(Refusal::Slow))
}

async fn produce(
    topic: String,
    partition: Option<i32>,
    bytes: Vec<u8>,
    shared: &Arc<Shared>,
) -> Result<Answer, Refusal> {
    let (sending, name) = (Arc::clone(shared), topic.clone());
    let sent = tokio::task::spawn_blocking(move || {
        let body = body::read(&bytes).map_err(|error| match error {
            BodyError::Syntax(text) => Refusal::Syntax(text),
            BodyError::Form(text) => Refusal::Form(text),
        })?;
        sending.topics.send(&name, partition, &body.records)
    });
    let waiting = sent.await.unwrap_or(Err(Refusal::Kafka))?;
    let mut all = Vec::with_capacity(waiting.len());
    for one in waiting {
        let delivered = one.delivered.await.unwrap_or(Err(RDKafkaErrorCode::Fail));
        shared.counts.record(&topic, one.bytes, delivered.is_ok());
        all.push(delivered);
    }
    Ok(answer::delivered(all))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn places() {
        assert_eq!(place("/topics/a.b_c-d"), Some(("a.b_c-d".to_owned(), None)));
        assert_eq!(place("/topics/a/partitions/2"), Some(("a".to_owned(), Some(2))));
        for path in ["/", "/topics", "/topics/a/partitions/x", "/topics/a/b", "/consumers/a", "/v3/clusters"]
        {
            assert_eq!(place(path), None, "{path}");
        }
    }

    #[test]
    fn tokens() {
        let token = Some(Arc::new(Zeroizing::new("s3cret".to_owned())));
        let options = RestOptions { topics: Vec::new(), most_bytes: 1, token };
        let has = |text: Option<&'static str>, options: &RestOptions| {
            let mut headers = HeaderMap::new();
            text.map(|text| headers.insert(AUTHORIZATION, HeaderValue::from_static(text)));
            has_token(&headers, options)
        };
        for text in ["Bearer s3cret", "bearer s3cret"] {
            assert!(has(Some(text), &options), "{text}");
        }
        for text in
            [None, Some("Bearer "), Some("Bearer s3cre"), Some("Bearer s3cret\u{30}"), Some("Basic s3cret")]
        {
            assert!(!has(text, &options), "{text:?}");
        }
        assert!(has(None, &RestOptions { token: None, ..options }));
    }

    /// Names of topics and their counts are for those who may write them.
    #[test]
    fn without_the_token_nothing_is_told_but_that_it_runs() {
        let token = Some(Arc::new(Zeroizing::new("s3cret".to_owned())));
        let open = RestOptions { topics: vec!["t".to_owned()], most_bytes: 1, token: None };
        let closed = RestOptions { token, ..open.clone() };
        let ask = |method: &str, path: &str, bearer: bool, options: &RestOptions| {
            let mut request = Request::builder().method(method).uri(path).header(HOST, "10.10.0.9:8082");
            request = request.header(CONTENT_TYPE, JSON_V2);
            if bearer {
                request = request.header(AUTHORIZATION, "Bearer s3cret");
            }
            asked(&request.body(()).unwrap(), options, false)
        };
        assert_eq!(ask("GET", "/livez", false, &closed), Ok(Asked::Alive));
        for (method, path) in
            [("GET", "/metrics"), ("HEAD", "/metrics"), ("POST", "/topics/t"), ("POST", "/topics/u")]
        {
            assert_eq!(ask(method, path, false, &closed), Err(Refusal::Token), "{method} {path}");
        }
        assert_eq!(ask("GET", "/metrics", true, &closed), Ok(Asked::Metrics));
        let produce = Ok(Asked::Produce { topic: "t".to_owned(), partition: None });
        assert_eq!(ask("POST", "/topics/t", true, &closed), produce);
        assert_eq!(ask("POST", "/topics/u", true, &closed), Err(Refusal::Topic));
        assert_eq!(ask("GET", "/metrics", false, &open), Ok(Asked::Metrics));
    }

    #[test]
    fn types_of_content() {
        let is = |text: &'static str| {
            is_json_v2(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]))
        };
        assert!(is(JSON_V2) && is("application/vnd.kafka.json.v2+json; charset=utf-8"));
        assert!(!is("application/json") && !is("application/vnd.kafka.avro.v2+json") && !is(""));
    }
}
