//! Sizes and times as cassandra.yaml has them: since 4.1 with a unit, before as numbers of a unit that the key names.

/// Mebibytes of `cdc_total_space: 4096MiB` or `cdc_total_space_in_mb: 4096`.
pub(super) fn mebibytes(key: &str, text: &str) -> Option<u64> {
    if key.ends_with("_in_mb") {
        return text.parse().ok();
    }
    let (number, unit) = split(text)?;
    match unit {
        "B" => Some(number >> 20),
        "KiB" => Some(number >> 10),
        "MiB" => Some(number),
        "GiB" => number.checked_mul(1024),
        _ => None,
    }
}

/// Milliseconds of `commitlog_sync_period: 10000ms` or `commitlog_sync_period_in_ms: 10000`.
pub(super) fn milliseconds(key: &str, text: &str) -> Option<u64> {
    if key.ends_with("_in_ms") {
        return text.parse().ok();
    }
    let (number, unit) = split(text)?;
    let scale = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(scale)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings() {
        assert_eq!(mebibytes("cdc_total_space", "4096MiB"), Some(4096));
        assert_eq!(mebibytes("cdc_total_space", "2GiB"), Some(2048));
        assert_eq!(mebibytes("cdc_total_space_in_mb", "512"), Some(512));
        assert_eq!(mebibytes("cdc_total_space", "512"), None, "no unit");
        assert_eq!(milliseconds("commitlog_sync_period", "10000ms"), Some(10_000));
        assert_eq!(milliseconds("commitlog_sync_period", "2s"), Some(2000));
        assert_eq!(milliseconds("commitlog_sync_period_in_ms", "1500"), Some(1500));
        assert_eq!(milliseconds("commitlog_sync_period", "soon"), None);
    }
}
