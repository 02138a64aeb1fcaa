//! The HTTP server, asked over real sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use cdc_agent::http::{self, ClientError, ServeError, Server};
use cdc_agent::telemetry::{Clock, Limits, Phase, Reading, SetClock, Telemetry};

struct Served {
    clock: Arc<SetClock>,
    telemetry: Arc<Telemetry>,
    server: Server,
}

fn served() -> Served {
    let clock = Arc::new(SetClock::at(1_798_761_600_000_000));
    let telemetry = Arc::new(Telemetry::with_clock(Limits::default(), Arc::clone(&clock) as Arc<dyn Clock>));
    let server = Server::start("127.0.0.1:0".parse().unwrap(), Arc::clone(&telemetry)).unwrap();
    Served { clock, telemetry, server }
}

impl Served {
    fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str) -> (u16, String, String) {
        let answer = self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let code = head.split(' ').nth(1).unwrap().parse().unwrap();
        (code, head.to_ascii_lowercase(), body.to_owned())
    }
}

#[test]
fn readiness_follows_the_loop() {
    let it = served();
    let (code, _, body) = it.get("/readyz");
    assert_eq!(code, 503);
    let said: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(said["reasons"][0]["code"], "starting");
    it.telemetry.phase(Phase::Running, None);
    assert_eq!(it.get("/readyz").0, 200);
    it.telemetry.phase(Phase::WaitingForDirectory, Some("/cdc_raw is missing"));
    let (code, _, body) = it.get("/readyz");
    assert!(code == 503 && body.contains("/cdc_raw is missing"), "{body}");
    it.telemetry.phase(Phase::Running, None);
    it.telemetry.reading(Reading { uncommitted_records: 1, ..Reading::default() });
    it.clock.pass(Duration::from_secs(60));
    let (code, _, body) = it.get("/readyz");
    assert!(code == 503 && body.contains("stalled"), "{body}");
    assert_eq!(it.get("/livez").0, 200);
    it.clock.pass(Duration::from_secs(61));
    assert_eq!(it.get("/livez").0, 503);
}

/// What health checks go by, that restart an agent.
#[test]
fn status_live_says_what_livez_does() {
    let it = served();
    let nobody = tempfile::tempdir().unwrap();
    let code = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cdc-agent"));
        command.args(["status", "--http-address", &it.server.address().to_string()]).args(words);
        command.arg("--state-dir").arg(nobody.path());
        command.output().unwrap().status.code()
    };
    it.telemetry.phase(Phase::WaitingForKafka, Some("no broker answers"));
    assert_eq!((code(&[]), code(&["--live"])), (Some(4), Some(0)));
    it.telemetry.phase(Phase::Running, None);
    assert_eq!((code(&[]), code(&["--live"])), (Some(0), Some(0)));
    it.clock.pass(Duration::from_secs(121));
    assert_eq!((code(&[]), code(&["--live"])), (Some(4), Some(4)));
}

#[test]
fn every_answer_carries_the_headers_that_protect_it() {
    let it = served();
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/status", "application/json"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ("/none", "text/plain; charset=utf-8"),
    ] {
        let (code, head, body) = it.get(path);
        assert_eq!(code, if path == "/none" { 404 } else { 200 });
        for header in [
            &format!("content-type: {content_type}"),
            "x-content-type-options: nosniff",
            "content-security-policy: default-src 'none'; script-src 'sha256-",
            "cache-control: no-store",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(head.contains(header), "{path}: {header} in {head}");
        }
        assert!(!body.is_empty());
    }
}

#[test]
fn only_reading_is_allowed_and_only_by_loopback_names() {
    let it = served();
    let code = |request: &str| it.send(request).split(' ').nth(1).map(str::to_owned).unwrap_or_default();
    assert_eq!(code("POST /status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"), "405");
    assert_eq!(code("DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n"), "405");
    assert_eq!(code("GET /status HTTP/1.1\r\nHost: rebound.example\r\n\r\n"), "421");
    assert_eq!(code("GET /status HTTP/1.0\r\n\r\n"), "200");
    let head = it.send("HEAD /status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    // What is too long is refused before all of it is read: the end of the sending may fail.
    let mut stream = TcpStream::connect(it.server.address()).unwrap();
    _ = stream.write_all(long.as_bytes());
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[test]
fn connections_that_say_nothing_do_not_keep_others_away() {
    let it = served();
    let _silent: Vec<_> = (0..8).map(|_| TcpStream::connect(it.server.address()).unwrap()).collect();
    assert_eq!(it.get("/livez").0, 200);
}

#[test]
fn a_taken_port_is_named() {
    let it = served();
    let error = Server::start(it.server.address(), Arc::clone(&it.telemetry)).unwrap_err();
    assert!(matches!(error, ServeError::Taken(address) if address == it.server.address()));
    assert!(error.to_string().contains("http_address"));
}

#[test]
fn the_client_reads_what_is_served_until_the_server_stops() {
    let it = served();
    it.telemetry.phase(Phase::Running, None);
    it.telemetry.reading(Reading::default());
    let address = it.server.address();
    let limit = Duration::from_secs(30);
    let text = http::fetch(address, limit).unwrap();
    let printed = http::terminal(&http::parse(address, &text).unwrap());
    assert!(printed.starts_with("Running: everything is read and committed\n"), "{printed}");
    drop(it);
    assert!(matches!(http::fetch(address, limit), Err(ClientError::Unreachable(at, _)) if at == address));
}
