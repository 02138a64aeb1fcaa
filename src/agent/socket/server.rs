//! The agent's side: a thread that listens, one for each client, and the loop that takes the requests once a turn.
//!
//! A client gets a few seconds for its line, then its request waits for the loop in a bounded queue. The loop never waits for
//! a client.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Answer, NEW_NAME, REQUEST_BYTES, Request, TURN_TIME, WORK_TIME, path, receive};
use crate::cdc_raw::Waker;
use crate::telemetry::Telemetry;

/// Clients at a time; further ones are refused.
const CLIENTS: usize = 8;
/// Requests that wait for the loop at a time.
const WAITING: usize = 8;
/// For a client's line, and for each piece of the answer that it takes.
const LINE_TIME: Duration = Duration::from_secs(5);
/// After an error of accepting, as when there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A request that waits for the loop.
#[derive(Debug)]
pub(in crate::agent) struct Waiting {
    pub(in crate::agent) request: Request,
    answer: SyncSender<Answer>,
    /// Whoever sets it first decides: the loop to begin with the request, the client's thread to take it back.
    is_decided: Arc<AtomicBool>,
}

impl Waiting {
    /// Whether it is still wanted; from here on the client waits for the answer.
    pub(in crate::agent) fn begin(&self) -> bool {
        !self.is_decided.swap(true, Ordering::AcqRel)
    }

    /// Answers. A client that is gone needs none.
    pub(in crate::agent) fn answer(self, answer: Answer) {
        let _ = self.answer.try_send(answer);
    }
}

/// The requests that wait, for the loop.
#[derive(Debug)]
pub(in crate::agent) struct Inbox(Option<Receiver<Waiting>>);

impl Inbox {
    /// Always empty.
    pub(in crate::agent) fn none() -> Self {
        Self(None)
    }

    /// The next request, if there is one.
    pub(in crate::agent) fn next(&self) -> Option<Waiting> {
        self.0.as_ref()?.try_recv().ok()
    }

    /// Refuses all that wait, while the loop can do nothing.
    pub(in crate::agent) fn refuse(&self, why: &str) {
        while let Some(waiting) = self.next() {
            if waiting.begin() {
                let error = format!("nothing was done: the agent waits for its destination: {why}");
                waiting.answer(Answer::refused(error, "try again when cdc-agent status says that it runs"));
            }
        }
    }
}

/// Listens until it is dropped.
#[derive(Debug)]
pub(in crate::agent) struct Server {
    path: PathBuf,
    is_stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What the threads share.
struct Shared {
    telemetry: Arc<Telemetry>,
    inbox: SyncSender<Waiting>,
    waker: Waker,
    is_stopped: Arc<AtomicBool>,
    clients: AtomicUsize,
}

impl Server {
    /// Listens in `state`, which the caller holds locked: a socket that is there is a dead agent's, and is replaced.
    ///
    /// # Errors
    /// What the operating system refuses: the path is longer than a socket's can be (107 bytes), for example.
    pub(in crate::agent) fn start(
        state: &Path,
        telemetry: Arc<Telemetry>,
        waker: Waker,
    ) -> io::Result<(Self, Inbox)> {
        let (path, new) = (path(state), state.join(NEW_NAME));
        remove(&new)?;
        let listener = UnixListener::bind(&new)?;
        // Nobody can connect under the name that they know before only this user may.
        fs::set_permissions(&new, Permissions::from_mode(0o600))?;
        fs::rename(&new, &path)?;
        let (inbox, requests) = mpsc::sync_channel(WAITING);
        let is_stopped = Arc::new(AtomicBool::new(false));
        let shared = Shared {
            telemetry,
            inbox,
            waker,
            is_stopped: Arc::clone(&is_stopped),
            clients: AtomicUsize::new(0),
        };
        let listen = move || listen(&listener, &Arc::new(shared));
        let thread = Some(thread::Builder::new().name("socket".to_owned()).spawn(listen)?);
        Ok((Self { path, is_stopped, thread }, Inbox(Some(requests))))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Release);
        // Ends the wait for a client. If even that fails, the thread ends with the program.
        let woken = UnixStream::connect(&self.path).is_ok();
        // A socket that stays says "not running" as well, to whoever connects.
        let _ = remove(&self.path);
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            let _ = thread.join();
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn listen(listener: &UnixListener, shared: &Arc<Shared>) {
    loop {
        let accepted = listener.accept();
        if shared.is_stopped.load(Ordering::Acquire) {
            return;
        }
        let Ok((stream, _)) = accepted else {
            thread::sleep(ACCEPT_PAUSE);
            continue;
        };
        let all = shared.clients.fetch_add(1, Ordering::AcqRel) + 1;
        let one = Arc::clone(shared);
        let serve = move || {
            // How a client's connection ends is the client's business.
            let _ = serve(&stream, &one, all <= CLIENTS);
            one.clients.fetch_sub(1, Ordering::AcqRel);
        };
        // Without a thread to serve it, the connection closes.
        if all > 2 * CLIENTS || thread::Builder::new().name("client".to_owned()).spawn(serve).is_err() {
            shared.clients.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

fn serve(stream: &UnixStream, shared: &Shared, has_room: bool) -> io::Result<()> {
    let answer = match has_room {
        true => match read_line(stream)? {
            Ok(line) => answer(&line, shared),
            Err(refused) => refused,
        },
        false => Answer::refused("the agent is asked by too many at once", "try again"),
    };
    stream.set_write_timeout(Some(LINE_TIME))?;
    let mut stream = stream;
    stream.write_all(answer.to_text().as_bytes())
}

/// The client's line.
fn read_line(stream: &UnixStream) -> io::Result<Result<Vec<u8>, Answer>> {
    let mut line = receive(stream, Instant::now() + LINE_TIME, REQUEST_BYTES, |read| read.contains(&b'\n'))?;
    line.truncate(line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len()));
    if line.len() > REQUEST_BYTES {
        let error = format!("the request is longer than {REQUEST_BYTES} bytes");
        return Ok(Err(Answer::refused(error, "ask for less at a time")));
    }
    Ok(Ok(line))
}

fn answer(line: &[u8], shared: &Shared) -> Answer {
    match serde_json::from_slice(line) {
        // It shall be told when the loop does not answer, too.
        Ok(Request::Status) => match serde_json::to_value(shared.telemetry.status()) {
            Ok(status) => Answer::items(vec![status]),
            Err(error) => Answer::Refused { error: error.to_string(), next: None },
        },
        Ok(request) => by_the_loop(request, shared),
        Err(error) => Answer::refused(
            format!("this agent does not know the request: {error}"),
            "use the program that the running agent was started from",
        ),
    }
}

/// Has the loop answer.
fn by_the_loop(request: Request, shared: &Shared) -> Answer {
    let (answer, answered) = mpsc::sync_channel(1);
    let is_decided = Arc::new(AtomicBool::new(false));
    let waiting = Waiting { request, answer, is_decided: Arc::clone(&is_decided) };
    match shared.inbox.try_send(waiting) {
        Ok(()) => shared.waker.wake(),
        Err(TrySendError::Full(_)) => return Answer::refused("too many requests wait", "try again"),
        Err(TrySendError::Disconnected(_)) => return stopping(),
    }
    match answered.recv_timeout(TURN_TIME) {
        Ok(answer) => return answer,
        Err(RecvTimeoutError::Disconnected) => return stopping(),
        Err(RecvTimeoutError::Timeout) => {}
    }
    if !is_decided.swap(true, Ordering::AcqRel) {
        let at = shared.telemetry.status().headline.text;
        return Answer::refused(
            format!("nothing was done: the agent has not come to the request in {TURN_TIME:?} ({at})"),
            "see what it waits for with cdc-agent status, and try again",
        );
    }
    match answered.recv_timeout(WORK_TIME) {
        Ok(answer) => answer,
        Err(RecvTimeoutError::Disconnected) => stopping(),
        Err(RecvTimeoutError::Timeout) => Answer::refused(
            format!("the agent has begun with the request and is not through after {WORK_TIME:?}"),
            "look at its log for how it ended",
        ),
    }
}

fn stopping() -> Answer {
    Answer::refused(
        "the agent stops, or has met an error, before the answer",
        "look at its log for how it ended, and try again when it runs",
    )
}
