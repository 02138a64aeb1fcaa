//! Asks a running agent for its status.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::telemetry::Status;

/// More than a status can have: 1001 tables, 100 segments, 100 entries, 1800 numbers.
const MOST_BYTES: u64 = 16 << 20;

/// Why there is no status.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens, or does not answer in time.
    #[error("no agent answers on {0}: {1}; is it running, with that http_address and http_enabled = true?")]
    Unreachable(SocketAddr, #[source] io::Error),
    /// Somebody answers, but not with a status.
    #[error("what answers on {0} is no cdc-agent of this version: {1}")]
    NotAnAgent(SocketAddr, String),
}

/// The JSON text of `/status` from the agent at `address`, within `limit`.
///
/// # Errors
/// No agent answers there.
pub fn fetch(address: SocketAddr, limit: Duration) -> Result<String, ClientError> {
    let address = reachable(address);
    let answer = ask(address, limit).map_err(|error| ClientError::Unreachable(address, error))?;
    let not_an_agent = |what: &str| ClientError::NotAnAgent(address, what.to_owned());
    let answer = String::from_utf8(answer).map_err(|_| not_an_agent("its answer is no text"))?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| not_an_agent("its answer is no HTTP"))?;
    let first = head.lines().next().unwrap_or_default();
    if first.split(' ').nth(1) != Some("200") {
        return Err(not_an_agent(&format!("it says {first:?}")));
    }
    Ok(body.to_owned())
}

/// Reads the text of [`fetch`].
///
/// # Errors
/// It is no status.
pub fn parse(address: SocketAddr, text: &str) -> Result<Status, ClientError> {
    serde_json::from_str(text).map_err(|error| ClientError::NotAnAgent(address, error.to_string()))
}

/// An agent that listens on every address is asked on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn ask(address: SocketAddr, limit: Duration) -> io::Result<Vec<u8>> {
    let started = Instant::now();
    let left = || match limit.saturating_sub(started.elapsed()) {
        Duration::ZERO => Err(io::Error::from(io::ErrorKind::TimedOut)),
        left => Ok(left),
    };
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    stream.set_write_timeout(Some(left()?))?;
    // By version 1.0 the answer comes in one piece and ends with the connection.
    write!(stream, "GET /status HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        stream.set_read_timeout(Some(left()?))?;
        let length = stream.read(&mut piece)?;
        let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) else { return Ok(answer) };
        answer.extend_from_slice(read);
        if u64::try_from(answer.len()).unwrap_or(u64::MAX) > MOST_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is too long"));
        }
    }
}
