//! The server: one thread with a runtime of its own, beside the loop.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};

use super::answer::{Hosts, answer};
use super::pages::Pages;

/// Connections at a time; further ones wait in the system's queue. So many that clients which send nothing do not keep a
/// probe waiting.
const CONNECTIONS: usize = 256;
/// Most bytes of a request's head.
const HEAD_BYTES: usize = 16 * 1024;
/// Most headers.
const HEADERS: usize = 64;
/// For a request's head: with as many silent clients as there are connections, a probe waits so long.
const HEAD_TIME: Duration = Duration::from_secs(2);
/// For a request with its answer, which is all that a connection is for.
const TIME: Duration = Duration::from_secs(15);
/// After an error of accepting, as when there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// For connections that are open when the server stops.
const STOP_TIME: Duration = Duration::from_secs(1);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port is taken.
    #[error(
        "{0} is taken by another program: choose another http_address, or switch the pages off with http_enabled = false"
    )]
    Taken(SocketAddr),
    /// The address is not of this machine, or the port needs a privilege.
    #[error("cannot listen on {0}: {1}; choose another http_address")]
    Listen(SocketAddr, #[source] io::Error),
    /// No thread or no runtime.
    #[error("cannot start the HTTP server: {0}")]
    Start(#[source] io::Error),
}

/// A server that runs; it stops when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves on `address` what `pages` answer. When this returns, connections are accepted.
    ///
    /// # Errors
    /// Nothing can listen there.
    pub fn start<P: Pages + 'static>(address: SocketAddr, pages: Arc<P>) -> Result<Self, ServeError> {
        let pages: Arc<dyn Pages> = pages;
        let listen = |error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => ServeError::Taken(address),
            _ => ServeError::Listen(address, error),
        };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(ServeError::Start)?;
        let address = listener.local_addr().map_err(ServeError::Start)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(ServeError::Start)?;
        let hosts = if address.ip().is_loopback() { Hosts::Loopback } else { Hosts::Any };
        let (stop, stopped) = oneshot::channel();
        let serve = move || run(&runtime, listener, hosts, pages, stopped);
        let thread =
            thread::Builder::new().name("http".to_owned()).spawn(serve).map_err(ServeError::Start)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens; the port is the one that the system chose when 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A thread that is gone has nothing to stop; what it said is on standard error.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

fn run(
    runtime: &Runtime,
    listener: TcpListener,
    hosts: Hosts,
    pages: Arc<dyn Pages>,
    mut stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        // The listener is open and non-blocking: only a runtime without I/O would refuse it.
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        let free = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            tokio::select! {
                _ = &mut stopped => break,
                () = accept(&listener, hosts, &pages, &free) => {}
            }
        }
        drop(listener);
        let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
        _ = timeout(STOP_TIME, free.acquire_many(all)).await;
    });
}

async fn accept(
    listener: &tokio::net::TcpListener,
    hosts: Hosts,
    pages: &Arc<dyn Pages>,
    free: &Arc<Semaphore>,
) {
    let Ok(permit) = Arc::clone(free).acquire_owned().await else { return };
    let Ok((stream, _)) = listener.accept().await else { return sleep(ACCEPT_PAUSE).await };
    let pages = Arc::clone(pages);
    tokio::spawn(async move {
        let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
            let path = request.uri().path();
            let answer = answer(request.method(), path, request.headers(), hosts, pages.as_ref());
            async move { Ok::<_, Infallible>(answer) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD_BYTES)
            .max_headers(HEADERS)
            // One request a connection: no idle ones to look after.
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        // How a client's connection ends is the client's business.
        _ = timeout(TIME, connection).await;
        drop(permit);
    });
}
