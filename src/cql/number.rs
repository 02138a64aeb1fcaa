//! Integers and decimals as text: the forms of Java's `BigInteger.toString` and `BigDecimal.toString`, so that every
//! implementation of `row_hash` writes the same digits.

use num_bigint::BigInt;

use super::value::ValueError;

/// Longest `varint` or unscaled `decimal` in bytes that is printed. The time grows with about the power 1.5 of the
/// length: 3 ms for 16 KiB, 1.5 s for 1 MiB, and it would be minutes for the longest mutations.
pub const MAX_NUMBER_LENGTH: usize = 1 << 20;
/// What is said of a longer one.
pub const NUMBER_TOO_LONG: &str = "it has more than 1 MiB and is not printed";

/// Most zeros that are written for the scale of a decimal without an exponent.
const MAX_ZEROS: usize = 16 * 1024;

/// Appends a decimal integer.
#[inline]
pub fn write_integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a two's complement big-endian integer in decimal.
///
/// # Errors
/// It is longer than [`MAX_NUMBER_LENGTH`].
pub fn write_varint(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ValueError> {
    if let Some(value) = small(bytes) {
        // Most fit 64 bits, which print several times faster.
        match i64::try_from(value) {
            Ok(value) => write_integer(value, out),
            Err(_) => write_integer(value, out),
        }
        return Ok(());
    }
    if bytes.len() > MAX_NUMBER_LENGTH {
        return Err(ValueError { type_name: "varint or decimal", problem: NUMBER_TOO_LONG });
    }
    out.extend_from_slice(BigInt::from_signed_bytes_be(bytes).to_string().as_bytes());
    Ok(())
}

/// A number of at most 16 bytes.
fn small(bytes: &[u8]) -> Option<i128> {
    let fill = if bytes.first().is_some_and(|first| *first >= 0x80) { 0xFF } else { 0 };
    let mut wide = [fill; 16];
    let start = wide.len().checked_sub(bytes.len())?;
    wide.get_mut(start..)?.copy_from_slice(bytes);
    Some(i128::from_be_bytes(wide))
}

/// Appends a decimal as `BigDecimal.toString` does: plain while the scale is not negative and the adjusted
/// exponent not below -6, else with one digit before the point and an exponent.
///
/// # Errors
/// The unscaled number is longer than [`MAX_NUMBER_LENGTH`].
pub fn write_decimal(scale: i32, unscaled: &[u8], out: &mut Vec<u8>) -> Result<(), ValueError> {
    let (mut buffer, mut long) = (itoa::Buffer::new(), Vec::new());
    let digits = match small(unscaled).map(i64::try_from) {
        Some(Ok(value)) => buffer.format(value).as_bytes(),
        _ => {
            write_varint(unscaled, &mut long)?;
            &long
        }
    };
    let digits = match digits.strip_prefix(b"-") {
        Some(digits) => {
            out.push(b'-');
            digits
        }
        None => digits,
    };
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let scale = i64::from(scale);
    let adjusted = length - 1 - scale;
    if scale >= 0 && adjusted >= -6 {
        write_plain(digits, usize::try_from(scale).unwrap_or(0), out);
    } else {
        write_scientific(digits, out);
        if adjusted != 0 {
            out.extend_from_slice(if adjusted > 0 { b"E+" } else { b"E" });
            write_integer(adjusted, out);
        }
    }
    Ok(())
}

/// Appends a decimal without an exponent, as `BigDecimal.toPlainString` does.
///
/// # Errors
/// The number is longer than [`MAX_NUMBER_LENGTH`], or would need more than 16,384 zeros.
pub fn write_plain_decimal(scale: i32, unscaled: &[u8], out: &mut Vec<u8>) -> Result<(), ValueError> {
    let zeros = usize::try_from(scale.unsigned_abs()).unwrap_or(usize::MAX);
    if zeros > MAX_ZEROS {
        let problem = "its scale is beyond 16384";
        return Err(ValueError { type_name: "decimal", problem });
    }
    if scale >= 0 {
        let mut digits = Vec::with_capacity(40);
        write_varint(unscaled, &mut digits)?;
        let negative = digits.first() == Some(&b'-');
        out.extend_from_slice(if negative { b"-" } else { b"" });
        write_plain(digits.get(usize::from(negative)..).unwrap_or_default(), zeros, out);
        return Ok(());
    }
    let start = out.len();
    write_varint(unscaled, out)?;
    if out.get(start..) != Some(b"0") {
        out.resize(out.len() + zeros, b'0');
    }
    Ok(())
}

/// `digits` with a point `scale` digits from the end.
fn write_plain(digits: &[u8], scale: usize, out: &mut Vec<u8>) {
    let Some(point) = digits.len().checked_sub(scale).filter(|point| *point > 0) else {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + scale.saturating_sub(digits.len()), b'0');
        out.extend_from_slice(digits);
        return;
    };
    let (whole, fraction) = digits.split_at_checked(point).unwrap_or((digits, &[]));
    out.extend_from_slice(whole);
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

/// `d.ddd`, or `d` alone.
fn write_scientific(digits: &[u8], out: &mut Vec<u8>) {
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, &[]));
    out.extend_from_slice(first);
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(unscaled: i64, scale: i32) -> String {
        let mut out = Vec::new();
        write_decimal(scale, &unscaled.to_be_bytes(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// From the documentation of `BigDecimal.toString`.
    #[test]
    fn decimals_as_java_prints_them() {
        let vectors = [
            (123, 0, "123"),
            (-123, 0, "-123"),
            (123, -1, "1.23E+3"),
            (123, -3, "1.23E+5"),
            (123, 1, "12.3"),
            (123, 5, "0.00123"),
            (123, 10, "1.23E-8"),
            (-123, 12, "-1.23E-10"),
            (0, 0, "0"),
            (0, 2, "0.00"),
            (0, 8, "0E-8"),
            (0, -3, "0E+3"),
            (1, 6, "0.000001"),
            (1, 7, "1E-7"),
        ];
        for (unscaled, scale, text) in vectors {
            assert_eq!(decimal(unscaled, scale), text);
        }
    }

    #[test]
    fn varints_of_every_length() {
        let vectors: &[(&[u8], &str)] = &[
            (&[0], "0"),
            (&[0xff], "-1"),
            (&[0x80], "-128"),
            (&[0, 0x80], "128"),
            (&[0x7f; 16], "169473963133173273960190490760135540607"),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "340282366920938463463374607431768211456"),
            (
                &[0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                "-340282366920938463463374607431768211456",
            ),
        ];
        for (bytes, text) in vectors {
            let mut out = Vec::new();
            write_varint(bytes, &mut out).unwrap();
            assert_eq!(std::str::from_utf8(&out).unwrap(), *text);
        }
        assert!(write_varint(&[1; MAX_NUMBER_LENGTH + 1], &mut Vec::new()).is_err());
    }
}
