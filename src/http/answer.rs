//! From a request to its answer.

use std::net::IpAddr;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Response, StatusCode};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::pages::{Page, Pages};
use crate::telemetry::{Reason, Telemetry, metrics};

const PAGE: &str = include_str!("page.html");
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The page may run its own script and style, ask its own server, and nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash_of("<script>", "</script>"),
        hash_of("<style>", "</style>"),
    )
});

/// The hash of the page's one element of that kind, as a Content-Security-Policy names it.
fn hash_of(start: &str, end: &str) -> String {
    let content = PAGE.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map_or("", |(it, _)| it);
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
}

pub(super) type Answer = Response<Full<Bytes>>;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hosts {
    /// The server is bound to loopback: a request must name a loopback host. One that names another was brought here by a
    /// name that somebody made resolve to this machine, so that a foreign page could read the answer.
    Loopback,
    /// By which names the machine is reached is not known here.
    Any,
}

#[derive(Serialize)]
struct Readiness<'a> {
    ready: bool,
    state: &'a str,
    reasons: &'a [Reason],
}

pub(super) fn answer(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    hosts: Hosts,
    pages: &dyn Pages,
) -> Answer {
    if hosts == Hosts::Loopback && !headers.get(HOST).is_none_or(is_loopback) {
        let text = "this program answers on loopback: ask for localhost or 127.0.0.1\n";
        return full(StatusCode::MISDIRECTED_REQUEST, TEXT, text.into());
    }
    if method != Method::GET && method != Method::HEAD {
        let mut refused = full(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n".into());
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let page = pages.page(path);
    full(
        StatusCode::from_u16(page.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        page.content_type,
        page.body,
    )
}

impl Pages for Telemetry {
    fn page(&self, path: &str) -> Page {
        let page = |code, content_type, body: Vec<u8>| Page { code, content_type, body };
        match path {
            "/" => page(200, HTML, PAGE.into()),
            "/livez" if self.is_live() => page(200, TEXT, "ok\n".into()),
            "/livez" => page(503, TEXT, "the loop gives no sign of life\n".into()),
            "/readyz" => readyz(self),
            "/metrics" => page(200, metrics::CONTENT_TYPE, metrics::text(&self.status()).into_bytes()),
            "/status" => json(200, &self.status()),
            _ => page(404, TEXT, "there are /, /livez, /readyz, /metrics and /status\n".into()),
        }
    }
}

fn readyz(telemetry: &Telemetry) -> Page {
    let status = telemetry.status();
    let code = if status.is_ready { 200 } else { 503 };
    let said = Readiness { ready: status.is_ready, state: &status.headline.text, reasons: &status.reasons };
    json(code, &said)
}

fn json(code: u16, content: &impl Serialize) -> Page {
    match serde_json::to_vec(content) {
        Ok(body) => Page { code, content_type: JSON, body },
        Err(error) => Page { code: 500, content_type: TEXT, body: format!("{error}\n").into_bytes() },
    }
}

fn full(code: StatusCode, content_type: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = code;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

/// Whether a `Host` names this machine's loopback, with any port.
pub(crate) fn is_loopback(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else { return false };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_count_as_loopback() {
        let is = |text: &'static str| is_loopback(&HeaderValue::from_static(text));
        for host in ["localhost", "LOCALHOST:8083", "127.0.0.1", "127.1.2.3:80", "[::1]:8083", "[::1]"] {
            assert!(is(host), "{host}");
        }
        for host in ["", "example.org", "localhost.example.org:8083", "10.0.0.1", "127.0.0.1.nip.io", "[::2]"]
        {
            assert!(!is(host), "{host}");
        }
    }

    #[test]
    fn the_page_has_one_script_and_one_style() {
        for tag in ["<script", "<style"] {
            assert_eq!(PAGE.matches(tag).count(), 1, "{tag}: the policy names the hash of one");
        }
        assert!(!PAGE.contains(" style=\"") && !PAGE.contains("innerHTML") && !PAGE.contains("://"));
    }
}
