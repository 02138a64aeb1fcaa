//! Timestamps, deletion times and TTLs: deltas to the minima that open an update.

use super::fields::{Cursor, Walked};

/// 2015-09-22T00:00:00Z in microseconds: what the smallest timestamp is counted from.
const TIMESTAMP_EPOCH: u64 = 1_442_880_000_000_000;
/// The same in seconds, for local deletion times.
const DELETION_TIME_EPOCH: u64 = 1_442_880_000;
/// First segment version whose local deletion times are unsigned.
const FIRST_UNSIGNED: u32 = 8;

/// The minima of an update.
#[derive(Clone, Copy)]
pub(super) struct Minima {
    timestamp: u64,
    deletion_time: u64,
    ttl: u64,
    unsigned: bool,
}

pub(super) fn minima(cursor: &mut Cursor<'_>, version: u32) -> Walked<Minima> {
    let at = |epoch: u64, delta: u64| epoch.wrapping_add(delta);
    let timestamp = cursor
        .uvint(|delta| format!("smallest timestamp: {} us", at(TIMESTAMP_EPOCH, delta).cast_signed()))?;
    let deletion_time = cursor.uvint(|delta| match delta {
        0 => "smallest local deletion time: none".to_owned(),
        _ => format!("smallest local deletion time: {} s", low_32_bits(at(DELETION_TIME_EPOCH, delta))),
    })?;
    let ttl = cursor.uvint(|ttl| match ttl {
        0 => "smallest TTL: none".to_owned(),
        _ => format!("smallest TTL: {} s", low_32_bits(ttl)),
    })?;
    Ok(Minima {
        timestamp: at(TIMESTAMP_EPOCH, timestamp),
        deletion_time: at(DELETION_TIME_EPOCH, deletion_time),
        ttl,
        unsigned: version >= FIRST_UNSIGNED,
    })
}

pub(super) fn timestamp(cursor: &mut Cursor<'_>, minima: Minima, what: &str) -> Walked<()> {
    cursor.uvint(|delta| {
        let micros = minima.timestamp.wrapping_add(delta).cast_signed();
        format!("{what} timestamp: {micros} us")
    })?;
    Ok(())
}

pub(super) fn local_time(cursor: &mut Cursor<'_>, minima: Minima, what: &str) -> Walked<()> {
    cursor.uvint(|delta| format!("{what}: {}", seconds(minima, delta)))?;
    Ok(())
}

pub(super) fn ttl(cursor: &mut Cursor<'_>, minima: Minima, what: &str) -> Walked<()> {
    cursor.uvint(|delta| {
        let seconds = low_32_bits(minima.ttl.wrapping_add(delta));
        format!("{what} TTL: {seconds} s")
    })?;
    Ok(())
}

/// Timestamp and local deletion time. The smallest timestamp means that nothing is deleted: gives false.
pub(super) fn deletion(cursor: &mut Cursor<'_>, minima: Minima, what: &str) -> Walked<bool> {
    let micros = |delta| minima.timestamp.wrapping_add(delta).cast_signed();
    let delta = cursor.uvint(|delta| match micros(delta) {
        i64::MIN => format!("{what}: none"),
        micros => format!("{what} timestamp: {micros} us"),
    })?;
    local_time(cursor, minima, &format!("{what} local time"))?;
    Ok(micros(delta) != i64::MIN)
}

/// Up to version 7 the sign bit never stands for a time.
fn seconds(minima: Minima, delta: u64) -> String {
    let value = low_32_bits(minima.deletion_time.wrapping_add(delta));
    let is_time = minima.unsigned || i32::try_from(value).is_ok();
    match value {
        0x7FFF_FFFF | 0xFFFF_FFFF => "none".to_owned(),
        _ if is_time => format!("{value} s"),
        _ => format!("invalid ({value:#010x})"),
    }
}

fn low_32_bits(value: u64) -> u32 {
    let [_, _, _, _, a, b, c, d] = value.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}
