//! JSON over HTTP/1.1, with TLS where the address begins with `https`. Certificates are checked against the system's
//! authorities (OpenSSL's variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name others).

use std::error::Error;
use std::pin::Pin;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use openssl::ssl::{SslConnector, SslMethod};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio_openssl::SslStream;

use super::cause;
use super::mask::HIDDEN;

/// More than any answer has: the exceptions of a job, its vertices.
const MOST_BYTES: usize = 64 << 20;
/// Longer than Flink waits for anything inside itself before it answers with an error.
const LIMIT: Duration = Duration::from_secs(60);

type Cause = Box<dyn Error + Send + Sync>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// The address is none.
    #[error(
        "{0:?} is no address of a {1}: expected http://host:port or https://host:port, without user or query"
    )]
    Address(String, &'static str),
    /// Nobody answers.
    #[error("the {what} at {address} does not answer: {why}")]
    Away {
        /// Whom was asked.
        what: &'static str,
        /// Where.
        address: String,
        /// Why not.
        why: String,
    },
    /// It answers with an error.
    #[error("the {what} at {address} says ({status}): {cause}")]
    Refused {
        /// Who was asked.
        what: &'static str,
        /// Where.
        address: String,
        /// HTTP status.
        status: u16,
        /// The last cause.
        cause: String,
        /// Line and column in a statement, counted from 1, where they are named.
        at: Option<(usize, usize)>,
    },
    /// Somebody answers who is not Flink, or another Flink.
    #[error("what answers at {address} is no {what} of Flink 1.20: {why}")]
    NotFlink {
        /// Who was asked.
        what: &'static str,
        /// Where.
        address: String,
        /// Why not.
        why: String,
    },
}

/// An address for an error: who asks, with which password or token, stands before the host or behind a `?`.
fn without_secrets(address: &str) -> String {
    let (who, place) = address.rsplit_once('@').map_or(("", address), |(_, place)| ("***@", place));
    match place.split_once('?') {
        Some((place, _)) => format!("{who}{place}?{HIDDEN}"),
        None => format!("{who}{place}"),
    }
}

/// One REST interface.
#[derive(Debug)]
pub struct Rest {
    what: &'static str,
    host: String,
    port: u16,
    has_tls: bool,
    /// Path before those of Flink, where a proxy adds one.
    path: String,
    runtime: Runtime,
}

impl Rest {
    /// The interface of a `what` (SQL gateway, JobManager) at `address`. Nothing is asked yet.
    ///
    /// # Errors
    /// It is no address.
    pub fn at(what: &'static str, address: &str) -> Result<Self, RestError> {
        let wrong = || RestError::Address(without_secrets(address), what);
        let uri: Uri = address.parse().map_err(|_| wrong())?;
        let has_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let has_wrong_port = authority.port().is_none() && authority.as_str() != authority.host();
        // A password in the address would be printed with it.
        if uri.query().is_some() || has_wrong_port || authority.as_str().contains('@') {
            return Err(wrong());
        }
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| RestError::Away {
            what,
            address: address.to_owned(),
            why: error.to_string(),
        })?;
        Ok(Self {
            what,
            host: uri.host().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if has_tls { 443 } else { 80 }),
            has_tls,
            path: uri.path().trim_end_matches('/').to_owned(),
            runtime,
        })
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> String {
        let scheme = if self.has_tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.path)
    }

    fn authority(&self) -> String {
        let bracketed = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{bracketed}:{}", self.port)
    }

    /// What is at `path`.
    ///
    /// # Errors
    /// Nobody answers, or with an error, or not with a `T`.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, RestError> {
        self.ask(Method::GET, path, None)
    }

    /// What comes back for `body`.
    ///
    /// # Errors
    /// Nobody answers, or with an error, or not with a `T`.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, RestError> {
        self.ask(Method::POST, path, Some(body))
    }

    /// Ends what is at `path`.
    ///
    /// # Errors
    /// Nobody answers, or with an error.
    pub fn end(&self, method: Method, path: &str) -> Result<(), RestError> {
        self.ask::<Value>(method, path, None).map(drop)
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, RestError> {
        let exchange = async {
            match tokio::time::timeout(LIMIT, self.exchange(method, path, body)).await {
                Ok(answer) => answer,
                Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs()).into()),
            }
        };
        let (status, bytes) = self.runtime.block_on(exchange).map_err(|error| self.away(&*error))?;
        if !status.is_success() {
            return Err(self.refused(status, &bytes));
        }
        let bytes = if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes };
        serde_json::from_slice(&bytes).map_err(|error| self.not_flink(error.to_string()))
    }

    /// Says that it is another Flink than this program can speak with.
    pub(super) fn not_flink(&self, why: String) -> RestError {
        RestError::NotFlink { what: self.what, address: self.address(), why }
    }

    fn away(&self, error: &(dyn Error + Send + Sync + 'static)) -> RestError {
        let mut why = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            why = format!("{why}: {error}");
            source = error.source();
        }
        RestError::Away { what: self.what, address: self.address(), why }
    }

    fn refused(&self, status: StatusCode, bytes: &[u8]) -> RestError {
        #[derive(serde::Deserialize)]
        struct Errors {
            errors: Vec<String>,
        }
        match serde_json::from_slice::<Errors>(bytes) {
            Ok(Errors { errors }) => {
                let (cause, at) = cause::of_errors(&errors);
                let (what, status) = (self.what, status.as_u16());
                RestError::Refused { what, address: self.address(), status, cause, at }
            }
            Err(_) => self.not_flink(format!("it answers with HTTP status {status}")),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Bytes), Cause> {
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.path))
            .header(HOST, self.authority())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        if !self.has_tls {
            return send(stream, request).await;
        }
        let ssl = SslConnector::builder(SslMethod::tls())?.build().configure()?.into_ssl(&self.host)?;
        let mut stream = SslStream::new(ssl, stream)?;
        Pin::new(&mut stream).connect().await?;
        send(stream, request).await
    }
}

async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Cause>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // What it fails with, the request fails with, too.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    Ok((status, Limited::new(answer.into_body(), MOST_BYTES).collect().await?.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in [
            "",
            "127.0.0.1:8084",
            "ftp://a:1",
            "http://",
            "http://a:b",
            "http://user:password@a:1",
            "http://a?x=1",
        ] {
            let error = Rest::at("SQL gateway", wrong).unwrap_err();
            assert!(matches!(error, RestError::Address(..)), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_is_refused_is_told_without_its_password() {
        for (given, told) in [
            ("http://ada:hunter2@a:1", "\"***@a:1\" is no address"),
            ("http://ada:hunter?2@a:1/x?token=hunter2", "\"***@a:1/x?***\" is no address"),
            ("http://a?token=hunter2", "\"http://a?***\" is no address"),
            ("http://a:b", "\"http://a:b\" is no address"),
        ] {
            let error = Rest::at("SQL gateway", given).unwrap_err().to_string();
            assert!(error.starts_with(told) && !error.contains("hunter"), "{error}");
        }
    }

    #[test]
    fn an_address_has_a_port_and_may_have_a_path() {
        for (given, address) in [
            ("http://127.0.0.1:8084", "http://127.0.0.1:8084"),
            ("https://flink.example.com/gateway/", "https://flink.example.com:443/gateway"),
            ("http://[::1]:8081/", "http://[::1]:8081"),
        ] {
            assert_eq!(Rest::at("SQL gateway", given).unwrap().address(), address);
        }
    }
}
