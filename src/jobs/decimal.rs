//! Decimal numbers of up to 38 digits, as Flink's `DECIMAL(p, s)` has them.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::BigInt;

/// Most digits.
pub const MAX_PRECISION: u8 = 38;

/// `unscaled` times ten to the minus `scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    unscaled: i128,
    scale: u8,
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self { unscaled: i128::from(number), scale: 0 }
    }
}

impl Decimal {
    /// Reads `[-+]?[0-9]+([.][0-9]+)?([eE]([+]?[01]?[0-9]|-[0-9]))?`, rounded half up to `scale` digits behind the
    /// point. None when the text has another form, or the number has more than `precision` digits then. Flink casts
    /// numbers with longer exponents to NULL or not by rules of their own.
    #[must_use]
    pub fn parse(text: &str, precision: u8, scale: u8) -> Option<Self> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Self::exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits: Vec<u8> =
            whole.bytes().chain(fraction.bytes()).skip_while(|byte| *byte == b'0').collect();
        // How many of the digits stand before the point of the unscaled number.
        let behind = i64::try_from(fraction.len()).ok()?;
        let count = i64::try_from(digits.len()).ok()?;
        let kept = count.checked_sub(behind)?.checked_add(exponent)?.checked_add(i64::from(scale))?;
        let unscaled = round(&digits, kept)?;
        if unscaled >= 10_i128.checked_pow(u32::from(precision))? {
            return None;
        }
        Some(Self { unscaled: if negative { -unscaled } else { unscaled }, scale })
    }

    /// `[+]?[01]?[0-9]|-[0-9]`
    fn exponent(text: &str) -> Option<i64> {
        let (digits, length, most) = match text.strip_prefix('-') {
            Some(digits) => (digits, 1, 9),
            None => (text.strip_prefix('+').unwrap_or(text), 2, 19),
        };
        if !(1..=length).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let size = digits.parse::<i64>().ok().filter(|size| *size <= most)?;
        Some(if text.starts_with('-') { -size } else { size })
    }

    /// How many digits it has, those behind the point included; at least one.
    #[must_use]
    pub fn digits(self) -> u32 {
        let digits = self.unscaled.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
        digits.max(u32::from(self.scale))
    }

    /// How many of them stand behind the point.
    #[must_use]
    pub fn scale(self) -> u8 {
        self.scale
    }

    /// The number without its point, and how many digits stand behind the point.
    #[must_use]
    pub fn parts(self) -> (i128, u8) {
        (self.unscaled, self.scale)
    }

    /// The order of two numbers, whatever their scales.
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        let scaled = |number: Self, to: u8| {
            BigInt::from(number.unscaled) * BigInt::from(10).pow(u32::from(to.saturating_sub(number.scale)))
        };
        let scale = self.scale.max(other.scale);
        scaled(self, scale).cmp(&scaled(other, scale))
    }
}

/// The first `kept` digits as a number, rounded half up by the next one. Zeros stand behind the last digit.
fn round(digits: &[u8], kept: i64) -> Option<i128> {
    if digits.is_empty() || kept < 0 {
        return Some(0);
    }
    let kept = usize::try_from(kept).ok().filter(|kept| *kept <= usize::from(MAX_PRECISION))?;
    let mut number: i128 = 0;
    for digit in digits.iter().copied().chain(std::iter::repeat(b'0')).take(kept) {
        number = number.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    let up = digits.get(kept).is_some_and(|next| *next >= b'5');
    number.checked_add(i128::from(up))
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>1$}", self.unscaled.unsigned_abs(), usize::from(self.scale) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(self.scale));
        let sign = if self.unscaled < 0 { "-" } else { "" };
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts that Flink 1.20 prints for CAST(x AS DECIMAL(10, 2)).
    #[test]
    fn as_flink_casts() {
        for (text, expected) in [
            ("100", Some("100.00")),
            ("1.1", Some("1.10")),
            ("0.005", Some("0.01")),
            ("-0.005", Some("-0.01")),
            ("0.0049", Some("0.00")),
            ("1.23456789E7", Some("12345678.90")),
            ("99999999.99", Some("99999999.99")),
            ("99999999.995", None),
            ("100000000", None),
            ("1e-9", Some("0.00")),
            ("1e-10", None),
            ("1e-09", None),
            ("0e19", Some("0.00")),
            ("0e20", None),
            ("1e999999999999", None),
            ("", None),
            ("-", None),
            ("1.", None),
            (".5", None),
            ("1d", None),
            ("1e", None),
            (" 1", None),
            ("é", None),
        ] {
            let found = Decimal::parse(text, 10, 2).map(|number| number.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn numbers_of_different_scales_compare() {
        let number = |text, scale| Decimal::parse(text, 38, scale).unwrap();
        assert_eq!(number("1.50", 2).compare(number("1.5", 1)), Ordering::Equal);
        assert_eq!(number("1.49", 2).compare(number("1.5", 1)), Ordering::Less);
        let large = number("99999999999999999999999999999999999999", 0);
        assert_eq!(large.compare(number("0.00000000000000000000000000000000000001", 38)), Ordering::Greater);
        assert_eq!(Decimal::from(-3).compare(number("-3.0", 1)), Ordering::Equal);
    }
}
