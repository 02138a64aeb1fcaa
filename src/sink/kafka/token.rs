//! The token of OAUTHBEARER: read from its file whenever one is needed.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::ClientContext;
use rdkafka::bindings::rd_kafka_oauthbearer_set_token;
use rdkafka::client::{Client, OAuthToken};
use rdkafka::types::RDKafkaRespErr;

/// How long librdkafka's words may be.
const WORDS: usize = 512;

/// The token in a file.
///
/// # Errors
/// In words, without the token: the file cannot be read, holds no token, or an expired one.
pub(super) fn read(path: &Path) -> Result<OAuthToken, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read kafka_oauth_token_file {shown}: {error}"))?;
    let token = parse(text.trim()).ok_or_else(|| {
        format!("kafka_oauth_token_file {shown} holds no JSON Web Token that says when it expires (exp)")
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    if u128::try_from(token.lifetime_ms).unwrap_or_default() <= now {
        let exp = token.lifetime_ms / 1000;
        return Err(format!("the token in kafka_oauth_token_file {shown} has expired (exp {exp})"));
    }
    Ok(token)
}

/// Gives a client a token that it did not ask for.
///
/// # Errors
/// In librdkafka's words: it does not take it.
#[expect(unsafe_code, reason = "the crate's admin client never asks its context for a token")]
pub(super) fn give<C: ClientContext>(client: &Client<C>, token: OAuthToken) -> Result<(), String> {
    let [text, principal] = [token.token, token.principal_name].map(CString::new);
    let unfit = |_| "it holds a zero byte".to_owned();
    let (text, principal) = (text.map_err(unfit)?, principal.map_err(unfit)?);
    let mut words = [0_u8; WORDS];
    // SAFETY: the handle is that of a client, which lives as long as it is borrowed here; any thread may call this. The
    // strings end with a zero and are copied; there are no extensions; the buffer is as long as it is said to be.
    let code = unsafe {
        rd_kafka_oauthbearer_set_token(
            client.native_ptr(),
            text.as_ptr(),
            token.lifetime_ms,
            principal.as_ptr(),
            ptr::null_mut(),
            0,
            words.as_mut_ptr().cast(),
            words.len(),
        )
    };
    match code {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        _ => Err(CStr::from_bytes_until_nul(&words).unwrap_or_default().to_string_lossy().into_owned()),
    }
}

/// Whom a JSON Web Token names (`sub`) and until when it is good (`exp`, RFC 7519 4.1).
fn parse(text: &str) -> Option<OAuthToken> {
    let claims = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    let seconds = claims.get("exp")?;
    let lifetime_ms = seconds.as_i64().or_else(|| whole(seconds.as_f64()?))?.checked_mul(1000)?;
    let principal = claims.get("sub").and_then(|sub| sub.as_str()).unwrap_or_default();
    Some(OAuthToken { token: text.to_owned(), principal_name: principal.to_owned(), lifetime_ms })
}

/// The whole seconds of a time that is given with a fraction.
fn whole(seconds: f64) -> Option<i64> {
    format!("{:.0}", seconds.floor()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_of(claims: &str) -> String {
        format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_says_whose_it_is_and_until_when() {
        // The example of RFC 7519 3.1: {"iss":"joe","exp":1300819380,…}.
        let text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0\
                    dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let parsed = parse(text).unwrap();
        assert_eq!((parsed.lifetime_ms, parsed.principal_name.as_str()), (1_300_819_380_000, ""));
        let parsed = parse(&token_of(r#"{"sub":"agent","exp":1300819380.75}"#)).unwrap();
        assert_eq!((parsed.lifetime_ms, parsed.principal_name.as_str()), (1_300_819_380_000, "agent"));
        for bad in ["", "a", "a.b.c", "e30.e30.x"] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_without_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let why = || read(&path).map(|token| token.lifetime_ms);
        assert!(why().unwrap_err().starts_with("cannot read kafka_oauth_token_file "));
        let expired = token_of(r#"{"sub":"agent","exp":1300819380}"#);
        for (text, says) in
            [("hunter2", "holds no JSON Web Token"), (&expired, "has expired (exp 1300819380)")]
        {
            std::fs::write(&path, text).unwrap();
            let said = why().unwrap_err();
            assert!(said.contains(says) && !said.contains(text), "{said}");
        }
        // 2100-01-01.
        std::fs::write(&path, token_of(r#"{"exp":4102444800}"#) + "\n").unwrap();
        assert_eq!(why(), Ok(4_102_444_800_000));
    }
}
