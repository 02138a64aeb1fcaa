use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::cdc_raw::Waker;
use crate::telemetry::{Limits, Telemetry};

fn server(state: &Path) -> (Server, Inbox) {
    Server::start(state, Arc::new(Telemetry::new(Limits::default())), Waker::default()).unwrap()
}

/// Answers one request, as the loop does.
fn serve_one(inbox: &Inbox, answer: Answer) -> Request {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        assert!(Instant::now() < until, "no request came");
        if let Some(waiting) = inbox.next() {
            assert!(waiting.begin());
            let request = waiting.request.clone();
            waiting.answer(answer);
            return request;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What the agent says to these bytes.
fn say(state: &Path, bytes: &[u8]) -> Value {
    let mut stream = UnixStream::connect(path(state)).unwrap();
    // It may answer and close before all is written.
    let _ = stream.write_all(bytes);
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

#[test]
fn the_loop_answers_what_a_client_asks() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, inbox) = server(folder.path());
    let state = folder.path().to_owned();
    let client = std::thread::spawn(move || ask(&state, &Request::Checkpoint));
    let items = vec![json!({"a": 1}), json!({"b": "x\ny"})];
    let request = serve_one(&inbox, Answer::Done { items: items.clone(), what: json!({"count": 2}) });
    assert_eq!(request, Request::Checkpoint);
    let answer = client.join().unwrap().unwrap();
    assert_eq!(answer, Answer::Done { items, what: json!({"ok": true, "count": 2}) });
}

#[test]
fn a_refusal_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, inbox) = server(folder.path());
    let state = folder.path().to_owned();
    let client = std::thread::spawn(move || ask(&state, &Request::Checkpoint));
    serve_one(&inbox, Answer::refused("not now", "wait"));
    assert_eq!(client.join().unwrap().unwrap(), Answer::refused("not now", "wait"));
}

#[test]
fn while_the_loop_can_do_nothing_it_says_so_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, inbox) = server(folder.path());
    let state = folder.path().to_owned();
    let client = std::thread::spawn(move || ask(&state, &Request::ParkedRetry));
    while !client.is_finished() {
        inbox.refuse("no broker");
        std::thread::sleep(Duration::from_millis(1));
    }
    let Ok(Answer::Refused { error, .. }) = client.join().unwrap() else { panic!() };
    assert!(error.contains("nothing was done") && error.contains("no broker"), "{error}");
}

#[test]
fn the_status_needs_no_loop() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, _inbox) = server(folder.path());
    let Ok(Answer::Done { items, .. }) = ask(folder.path(), &Request::Status) else { panic!("no status") };
    assert_eq!(items[0]["is_ready"], false);
}

#[test]
fn a_loop_that_ended_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, inbox) = server(folder.path());
    drop(inbox);
    let Ok(Answer::Refused { error, .. }) = ask(folder.path(), &Request::Checkpoint) else { panic!() };
    assert!(error.contains("stops"), "{error}");
}

#[test]
fn wrong_and_long_requests_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, _inbox) = server(folder.path());
    for wrong in [&b"\n"[..], b"{}\n", b"{\"command\":\"sing\"}\n", b"\xff\n", b"[1]\n"] {
        let answer = say(folder.path(), wrong);
        assert_eq!(answer["ok"], false);
        assert!(answer["error"].as_str().unwrap().contains("does not know"), "{answer}");
    }
    let answer = say(folder.path(), &vec![b'x'; REQUEST_BYTES + 1]);
    assert!(answer["error"].as_str().unwrap().contains("longer than 65536"), "{answer}");
}

#[test]
fn clients_that_say_nothing_do_not_keep_others_out_forever() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _inbox) = server(folder.path());
    let silent: Vec<_> = (0..12).map(|_| UnixStream::connect(path(folder.path())).unwrap()).collect();
    let until = Instant::now() + Duration::from_secs(30);
    while !matches!(ask(folder.path(), &Request::Status), Ok(Answer::Done { .. })) {
        assert!(Instant::now() < until, "nobody else is heard");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(server);
    drop(silent);
}

#[test]
fn only_the_user_may_ask_and_a_dead_agents_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    // Left behind: nobody listens on them.
    for name in [NAME, NEW_NAME] {
        drop(UnixListener::bind(folder.path().join(name)).unwrap());
    }
    assert!(matches!(ask(folder.path(), &Request::Status), Err(AskError::NotRunning(..))));
    let (server, _inbox) = server(folder.path());
    let mode = fs::metadata(path(folder.path())).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(ask(folder.path(), &Request::Status).is_ok());
    drop(server);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    assert!(matches!(ask(folder.path(), &Request::Status), Err(AskError::NotRunning(..))));
}

#[test]
fn a_path_that_is_too_long_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("x".repeat(120));
    fs::create_dir(&long).unwrap();
    let telemetry = Arc::new(Telemetry::new(Limits::default()));
    assert!(Server::start(&long, telemetry, Waker::default()).is_err());
    assert!(matches!(ask(&long, &Request::Status), Err(AskError::NotRunning(..))));
}
