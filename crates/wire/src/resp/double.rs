//! Numbers with a fraction as Redis 7.0 writes them: C's `%.17g`, and `inf`, `-inf`, `nan`.
//!
//! Seventeen significant digits bring every double back as it was; whole numbers have no point, and very large and
//! small ones an exponent. The text is made in place: there is one for each score of a sorted set.

use std::fmt::{self, Write as _};

/// Significant digits.
const DIGITS: usize = 17;
/// Below this whole numbers are their digits: the most a double holds exactly, 2^53.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// Bytes of the longest text: a sign, `0.000`, 17 digits; or a sign, digits with a point, and an exponent.
const TEXT_MAX: usize = 32;

/// The text of a double.
#[derive(Clone, Copy)]
pub struct Double {
    bytes: [u8; TEXT_MAX],
    len: usize,
}

impl Double {
    /// The text of `value`.
    #[must_use]
    pub fn new(value: f64) -> Self {
        let mut text = Self { bytes: [0; TEXT_MAX], len: 0 };
        if value.is_nan() {
            text.put(b"nan");
        } else if value.is_infinite() {
            text.put(if value > 0.0 { b"inf" } else { b"-inf" });
        } else if value == 0.0 {
            text.put(if value.is_sign_negative() { b"-0" } else { b"0" });
        } else if value.trunc() == value && value.abs() < WHOLE_MAX {
            // Most scores are: it saves nine tenths of the time.
            write!(text, "{value}").expect("16 digits have room");
        } else {
            text.finite(value);
        }
        text
    }

    /// As bytes; all ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn finite(&mut self, value: f64) {
        let mut scientific = Self { bytes: [0; TEXT_MAX], len: 0 };
        write!(scientific, "{:.*e}", DIGITS - 1, value.abs()).expect("24 bytes have room");
        let text = str::from_utf8(scientific.as_bytes()).expect("numbers are ASCII");
        let (mantissa, exponent) = text.split_once('e').expect("the format has an exponent");
        let exponent: i32 = exponent.parse().expect("the format has a decimal exponent");
        let mut digits = [b'0'; DIGITS];
        let significant = mantissa.bytes().filter(u8::is_ascii_digit);
        digits.iter_mut().zip(significant).for_each(|(place, digit)| *place = digit);
        let used = digits.iter().rposition(|&digit| digit != b'0').map_or(1, |last| last + 1);

        if value < 0.0 {
            self.put(b"-");
        }
        match usize::try_from(exponent) {
            Ok(whole) if whole < DIGITS => {
                self.put(&digits[..=whole]);
                if used > whole + 1 {
                    self.put(b".");
                    self.put(&digits[whole + 1..used]);
                }
            }
            Err(_) if exponent >= -4 => {
                let zeros = usize::try_from(-exponent).expect("it is between 1 and 4");
                self.put(&b"0.000"[..=zeros]);
                self.put(&digits[..used]);
            }
            _ => {
                self.put(&digits[..1]);
                if used > 1 {
                    self.put(b".");
                    self.put(&digits[1..used]);
                }
                let sign = if exponent < 0 { '-' } else { '+' };
                write!(self, "e{sign}{:02}", exponent.unsigned_abs()).expect("24 bytes have room");
            }
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..][..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

impl fmt::Write for Double {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() > TEXT_MAX - self.len {
            return Err(fmt::Error);
        }
        self.put(text.as_bytes());
        Ok(())
    }
}

impl fmt::Debug for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Double({})", self.as_bytes().escape_ascii())
    }
}
