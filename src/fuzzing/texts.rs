use serde::de::IgnoredAny;

use crate::commitlog::Position;
use crate::cql::counter::shards;
use crate::cql::number::{write_decimal, write_plain_decimal, write_varint};
use crate::cql::type_grammar;
use crate::envelope::options::ValueFormat;
use crate::envelope::value::write_value;
use crate::keystore;
use crate::schema::{build, ddl, file};

/// Types, values, schema texts, key files and positions. The first byte chooses.
pub fn texts(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let text = std::str::from_utf8(rest);
    match (mode % 7, text) {
        (0, _) => value(rest),
        (1, Ok(text)) => ddl(text),
        (2, Ok(text)) => {
            if let Ok(rows) = file::parse(text) {
                let _ = build(&rows);
            }
        }
        (3, _) => numbers(rest),
        (4, _) => {
            if let Ok(shards) = shards(rest) {
                assert!(shards.count() <= rest.len() / 32);
            }
        }
        (5, _) => keystore::fuzz(rest),
        (6, Ok(text)) => {
            if let Ok(position) = text.parse::<Position>() {
                assert_eq!(position.to_string().parse(), Ok(position));
            }
        }
        _ => {}
    }
}

/// The text of a type up to a zero byte, then a value of it.
fn value(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (Some(text), Some(bytes)) = (parts.next(), parts.next()) else { return };
    let Ok(Ok(expression)) = std::str::from_utf8(text).map(type_grammar::parse) else { return };
    let mut no_user_types =
        |_: Option<&str>, name: &str| Err(crate::cql::TypeError::UnknownUserType(name.to_owned()));
    let Ok(cql_type) = expression.resolve(&mut no_user_types) else { return };
    let mut json = Vec::new();
    if write_value(&cql_type.value, bytes, ValueFormat::default(), &mut json).is_ok() {
        assert!(serde_json::from_slice::<IgnoredAny>(&json).is_ok(), "a value is no JSON");
    }
}

fn ddl(text: &str) {
    match ddl::parse(text) {
        Ok(loaded) => {
            let _ = build(&loaded.rows);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn numbers(data: &[u8]) {
    let Some((scale, digits)) = data.split_first_chunk() else { return };
    let scale = i32::from_be_bytes(*scale);
    let mut out = Vec::new();
    if write_varint(digits, &mut out).is_ok() {
        assert!(out.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-'));
    }
    let _ = write_decimal(scale, digits, &mut out);
    let _ = write_plain_decimal(scale, digits, &mut out);
    assert!(out.len() < 200_000, "a short number became a long text");
}
