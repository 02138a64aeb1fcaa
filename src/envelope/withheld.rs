//! Columns whose values do not show: masked or hashed.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::columns::{Content, live_cells};
use super::config::EncoderConfig;
use super::json::{write_hex, write_null};
use crate::change::filter::ColumnRule;
use crate::commitlog::mutation::ColumnCells;

const MASK: &[u8] = b"\"***\"";

/// Appends what stands for the value of a masked or hashed column: null where it is deleted, the keyed hash
/// of a simple value, else the mask.
pub(super) fn write_withheld(
    rule: ColumnRule,
    column: &ColumnCells<'_>,
    content: Content<'_, '_>,
    config: &EncoderConfig,
    out: &mut Vec<u8>,
) {
    match content {
        Content::Simple(None) => write_null(out),
        Content::Whole(cells) if live_cells(column, cells).next().is_none() => write_null(out),
        Content::Simple(Some(bytes)) if rule == ColumnRule::Hash => write_keyed_hash(bytes, config, out),
        _ => out.extend_from_slice(MASK),
    }
}

fn write_keyed_hash(bytes: &[u8], config: &EncoderConfig, out: &mut Vec<u8>) {
    // HMAC takes keys of any length; the error cannot occur.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&config.hash_key.0) else {
        out.extend_from_slice(MASK);
        return;
    };
    mac.update(bytes);
    out.push(b'"');
    write_hex(&mac.finalize().into_bytes(), out);
    out.push(b'"');
}
