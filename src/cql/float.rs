//! Doubles and floats as text: the forms of Java's `Double.toString` and `Float.toString` (JDK 19 and later), so that
//! every implementation of `row_hash` writes the same digits.

use std::fmt::LowerExp;
use std::str::FromStr;

use super::number::write_integer;

/// Appends a finite double as JDK 19 and later print it; `false` for NaN and infinities, and nothing appended.
pub fn write_double(value: f64, out: &mut Vec<u8>) -> bool {
    value.is_finite() && write_finite(value, value.abs(), 1e-300, out)
}

/// Appends a finite float as JDK 19 and later print it; `false` for NaN and infinities, and nothing appended.
pub fn write_float(value: f32, out: &mut Vec<u8>) -> bool {
    value.is_finite() && write_finite(value, f64::from(value.abs()), f64::from(1e-35_f32), out)
}

/// `true`. Numbers of a magnitude below `sparse` may be further apart than their digits say.
#[inline]
fn write_finite<F>(value: F, magnitude: f64, sparse: f64, out: &mut Vec<u8>) -> bool
where
    F: zmij::Float + LowerExp + FromStr + PartialEq,
{
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    if is_plain(magnitude, text) {
        out.extend_from_slice(text.as_bytes());
        return true;
    }
    // With one digit Java takes the nearest of two digits, which differs only where numbers are sparse.
    let parsed = Shortest::parse(text);
    let parsed = if parsed.digits().len() == 1 && magnitude < sparse && magnitude > 0.0 {
        let two = format!("{value:.1e}");
        if two.parse().is_ok_and(|read: F| read == value) { Shortest::parse(&two) } else { parsed }
    } else {
        parsed
    };
    parsed.write(out);
    true
}

/// Whether shortest digits in `d.d` form are what Java prints: it lays numbers of this size out plainly.
fn is_plain(magnitude: f64, text: &str) -> bool {
    (1e-3..1e7).contains(&magnitude) && text.contains('.') && !text.contains('e')
}

/// Appends `NaN`, `Infinity` or `-Infinity`, as Java prints them.
pub fn write_not_finite(value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(match (value.is_nan(), value > 0.0) {
        (true, _) => b"NaN",
        (false, true) => b"Infinity",
        (false, false) => b"-Infinity",
    });
}

/// Digits and exponent of a printed number: `0.d1d2d3… × 10^point`.
struct Shortest {
    negative: bool,
    digits: [u8; 24],
    length: usize,
    point: i32,
}

impl Shortest {
    /// Takes apart `[-]ddd[.ddd][e[-]dd]`.
    fn parse(text: &str) -> Self {
        let mut number = Self { negative: false, digits: [b'0'; 24], length: 0, point: 0 };
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let mut seen_point = false;
        for byte in mantissa.bytes() {
            match byte {
                b'-' => number.negative = true,
                b'.' => seen_point = true,
                digit => {
                    number.point += i32::from(!seen_point && (number.length > 0 || digit != b'0'));
                    number.point -= i32::from(seen_point && number.length == 0 && digit == b'0');
                    number.push(digit);
                }
            }
        }
        number.point += exponent.parse::<i32>().unwrap_or(0);
        number.trim();
        number
    }

    /// Appends a digit; leading zeros are left out.
    fn push(&mut self, digit: u8) {
        if self.length == 0 && digit == b'0' {
            return;
        }
        if let Some(slot) = self.digits.get_mut(self.length) {
            *slot = digit;
            self.length += 1;
        }
    }

    fn trim(&mut self) {
        while self.length > 1 && self.digits.get(self.length - 1) == Some(&b'0') {
            self.length -= 1;
        }
        if self.length == 0 {
            (self.length, self.point) = (1, 1);
        }
    }

    fn digits(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }

    /// Java's layout: plain from 10^-3 to 10^7, else one digit before the point and an exponent.
    fn write(&self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        let digits = self.digits();
        match self.point {
            point @ 1..=7 => {
                let point = usize::try_from(point).unwrap_or(1);
                let whole = digits.get(..point).unwrap_or(digits);
                out.extend_from_slice(whole);
                out.resize(out.len() + point.saturating_sub(digits.len()), b'0');
                write_fraction(digits.get(point..).unwrap_or_default(), out);
            }
            point @ -2..=0 => {
                out.extend_from_slice(b"0.");
                out.resize(out.len() + usize::try_from(-point).unwrap_or(0), b'0');
                out.extend_from_slice(digits);
            }
            point => {
                let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, &[]));
                out.extend_from_slice(first);
                write_fraction(rest, out);
                out.push(b'E');
                write_integer(point - 1, out);
            }
        }
    }
}

fn write_fraction(digits: &[u8], out: &mut Vec<u8>) {
    out.push(b'.');
    out.extend_from_slice(if digits.is_empty() { b"0" } else { digits });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(value: f64) -> String {
        let mut out = Vec::new();
        assert!(write_double(value, &mut out));
        String::from_utf8(out).unwrap()
    }

    /// From the documentation of `Double.toString` and from runs of JDK 21.
    #[test]
    fn doubles_as_java_prints_them() {
        let vectors = [
            (100.0, "100.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (1e21, "1.0E21"),
            (0.001, "0.001"),
            (0.000_999_99, "9.9999E-4"),
            (9.5e-5, "9.5E-5"),
            (4.9e-324, "4.9E-324"),
            (2e-323, "2.0E-323"),
            (f64::MAX, "1.7976931348623157E308"),
            (1e23, "1.0E23"),
            (2e23, "2.0E23"),
            (8.41e21, "8.41E21"),
            (0.012, "0.012"),
            (-1234.5, "-1234.5"),
        ];
        for (value, text) in vectors {
            assert_eq!(double(value), text);
        }
        assert!(!write_double(f64::NAN, &mut Vec::new()));
    }
}
