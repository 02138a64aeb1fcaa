//! Answers, in the form of the Kafka REST proxy's version 2.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use serde::Serialize;

use crate::jobs::kafka::Delivered;

pub(super) type Answer = Response<Full<Bytes>>;

const FORM: &str = "application/vnd.kafka.v2+json";
const TEXT: &str = "text/plain; charset=utf-8";

/// Why a request is refused. The numbers behind the status are those of the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 401: without the token.
    Token,
    /// 403: not a topic that may be written here.
    Topic,
    /// 404: there is no such path.
    Path,
    /// 404: Kafka has no such topic.
    NoTopic,
    /// 404: the topic has no such partition.
    NoPartition,
    /// 405: not a POST.
    Method(&'static str),
    /// 408: the body does not come.
    Slow,
    /// 413: the body is too long.
    TooLong(usize),
    /// 415: another type of content.
    ContentType,
    /// 400: no JSON.
    Syntax(String),
    /// 421: not by a loopback name.
    Host,
    /// 422: another form of JSON.
    Form(String),
    /// 503: Kafka does not answer.
    Kafka,
}

impl Refusal {
    /// The status, the proxy's number, and the text.
    fn parts(&self) -> (StatusCode, u32, String) {
        let (status, number, text) = match self {
            Self::Token => (StatusCode::UNAUTHORIZED, 40101, "a valid bearer token is needed".to_owned()),
            Self::Topic => (StatusCode::FORBIDDEN, 40301, "this topic may not be written here".to_owned()),
            Self::Path => (StatusCode::NOT_FOUND, 404, "HTTP 404 Not Found".to_owned()),
            Self::NoTopic => (StatusCode::NOT_FOUND, 40401, "Topic not found.".to_owned()),
            Self::NoPartition => (StatusCode::NOT_FOUND, 40402, "Partition not found.".to_owned()),
            Self::Method(_) => {
                (StatusCode::METHOD_NOT_ALLOWED, 405, "HTTP 405 Method Not Allowed".to_owned())
            }
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, 408, "the body did not come in time".to_owned()),
            Self::TooLong(most) => {
                (StatusCode::PAYLOAD_TOO_LARGE, 413, format!("a request has at most {most} bytes"))
            }
            Self::ContentType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                415,
                "HTTP 415 Unsupported Media Type: application/vnd.kafka.json.v2+json is taken".to_owned(),
            ),
            Self::Syntax(text) => (StatusCode::BAD_REQUEST, 400, text.clone()),
            Self::Host => (StatusCode::MISDIRECTED_REQUEST, 421, "ask for localhost or 127.0.0.1".to_owned()),
            Self::Form(text) => (StatusCode::UNPROCESSABLE_ENTITY, 422, text.clone()),
            Self::Kafka => {
                (StatusCode::SERVICE_UNAVAILABLE, 50003, "Kafka does not answer; try again".to_owned())
            }
        };
        (status, number, text)
    }
}

#[derive(Serialize)]
struct Error<'e> {
    error_code: u32,
    message: &'e str,
}

#[derive(Serialize)]
struct Offsets {
    offsets: Vec<Offset>,
    key_schema_id: Option<i32>,
    value_schema_id: Option<i32>,
}

#[derive(Serialize)]
struct Offset {
    partition: Option<i32>,
    offset: Option<i64>,
    /// 1: the same record will not be taken; 2: it may be another time.
    error_code: Option<u32>,
    error: Option<String>,
}

pub(super) fn refused(refusal: &Refusal) -> Answer {
    let (status, error_code, message) = refusal.parts();
    let mut answer = json(status, &Error { error_code, message: &message });
    match refusal {
        Refusal::Token => {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Refusal::Method(allowed) => {
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        }
        _ => {}
    }
    answer
}

/// What became of each record, in the order of the request.
pub(super) fn delivered(records: Vec<Delivered>) -> Answer {
    use rdkafka::error::RDKafkaErrorCode as Code;
    let offset = |delivered: Delivered| match delivered {
        Ok((partition, offset)) => {
            Offset { partition: Some(partition), offset: Some(offset), error_code: None, error: None }
        }
        Err(code) => {
            let is_lasting = matches!(
                code,
                Code::MessageSizeTooLarge
                    | Code::InvalidMessage
                    | Code::InvalidMessageSize
                    | Code::InvalidRecord
                    | Code::UnknownPartition
                    | Code::TopicAuthorizationFailed
                    | Code::PolicyViolation
            );
            let error_code = Some(if is_lasting { 1 } else { 2 });
            Offset { partition: None, offset: None, error_code, error: Some(code.to_string()) }
        }
    };
    let offsets = records.into_iter().map(offset).collect();
    json(StatusCode::OK, &Offsets { offsets, key_schema_id: None, value_schema_id: None })
}

pub(super) fn text(content_type: &'static str, text: String) -> Answer {
    full(StatusCode::OK, content_type, text.into_bytes())
}

pub(super) fn alive() -> Answer {
    text(TEXT, "ok\n".to_owned())
}

fn json(status: StatusCode, content: &impl Serialize) -> Answer {
    match serde_json::to_vec(content) {
        Ok(body) => full(status, FORM, body),
        Err(error) => full(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{error}\n").into_bytes()),
    }
}

fn full(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    answer
}
