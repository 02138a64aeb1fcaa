//! One connection, from its first request to its end, and how long its client may let it wait.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::answer::Answer;

/// For a request's head, and between two requests of a connection.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// Serves a connection to its end: who does not take an answer within `answer_time` loses it.
pub(super) async fn converse<S>(stream: TcpStream, service: S, answer_time: Duration)
where
    S: Service<Request<Incoming>, Response = Answer, Error = Infallible>,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(64)
        .serve_connection(TokioIo::new(InTime { stream, time: answer_time, waiting: None }), service);
    // How a client's connection ends is the client's business.
    let _ = connection.await;
}

/// A stream that fails when what is written to it is not taken in time. hyper flushes it when all of an answer is written.
struct InTime<S> {
    stream: S,
    time: Duration,
    /// Runs from the first write that must wait to the next flush: to take a byte now and then is not enough.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> InTime<S> {
    fn unless_late<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            return written;
        }
        let time = self.time;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(time)));
        waiting.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for InTime<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for InTime<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.unless_late(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if let Poll::Ready(Ok(())) = flushed {
            self.waiting = None;
        }
        self.unless_late(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use hyper::service::service_fn;
    use tokio::net::TcpListener;
    use tokio::runtime::Builder;
    use tokio::time::timeout;

    use super::*;
    use crate::jobs::rest::answer;

    const GET: &[u8] = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

    /// Serves the connection of `client` with this time for an answer; whether it has an end within a minute.
    fn has_end(answer_time: Duration, client: impl FnOnce(std::net::TcpStream) + Send + 'static) -> bool {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let client = std::thread::spawn(move || client(stream));
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(|_| async { Ok::<_, Infallible>(answer::alive()) });
            let ended =
                timeout(Duration::from_secs(60), converse(stream, service, answer_time)).await.is_ok();
            client.join().unwrap();
            ended
        })
    }

    #[test]
    fn who_reads_nothing_loses_the_connection() {
        let ended = has_end(Duration::from_millis(200), |mut client| {
            // The system's buffers take some thousands of answers; the end of the connection is an error here.
            let requests = GET.repeat(100);
            while client.write_all(&requests).is_ok() {}
        });
        assert!(ended);
    }

    #[test]
    fn who_reads_is_served() {
        let ended = has_end(Duration::from_secs(30), |mut client| {
            let mut writer = client.try_clone().unwrap();
            let writing = std::thread::spawn(move || {
                writer.write_all(&GET.repeat(19_999)).unwrap();
                let last = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
                writer.write_all(last).unwrap();
            });
            let mut text = String::new();
            client.read_to_string(&mut text).unwrap();
            writing.join().unwrap();
            assert_eq!(text.matches("\r\n\r\nok\n").count(), 20_000);
        });
        assert!(ended);
    }
}
