//! Key files: lines of `key` or `alias=key`, in hexadecimal digits.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{KeyFault, Secret, is_aes_key_length};

/// Keys by alias in lower case, and the key for every other alias.
pub(super) type Keys = (BTreeMap<String, Secret>, Option<Secret>);

pub(super) fn parse(content: &[u8]) -> Result<Keys, KeyFault> {
    let text = std::str::from_utf8(content)
        .map_err(|_| KeyFault::HexFile { line: 1, reason: "the file is no text" })?;
    let (mut by_alias, mut any) = (BTreeMap::new(), None);
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let refused = |reason| KeyFault::HexFile { line: index + 1, reason };
        let (alias, digits) = match line.rsplit_once('=') {
            Some((alias, digits)) => (Some(alias.trim().to_lowercase()), digits.trim()),
            None => (None, line),
        };
        let key = key(digits).map_err(refused)?;
        let earlier = match alias {
            Some(alias) => by_alias.insert(alias, key),
            None => any.replace(key),
        };
        if earlier.is_some() {
            return Err(refused("a second key for the same alias"));
        }
    }
    if by_alias.is_empty() && any.is_none() {
        return Err(KeyFault::NoAesKey { unreadable: Vec::new() });
    }
    Ok((by_alias, any))
}

fn key(digits: &str) -> Result<Secret, &'static str> {
    let key = hex::decode(digits).map_err(|_| "not an even number of hexadecimal digits")?;
    let key = Zeroizing::new(key);
    if is_aes_key_length(key.len()) { Ok(key) } else { Err("an AES key has 32, 48 or 64 hexadecimal digits") }
}
