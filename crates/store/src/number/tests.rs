//! Numbers as Redis takes and writes them.

use super::{decimal_sum, float, float_text, integer};

#[test]
fn an_integer_has_one_spelling() {
    for (text, value) in
        [("0", 0), ("-1", -1), ("9223372036854775807", i64::MAX), ("-9223372036854775808", i64::MIN)]
    {
        assert_eq!(integer(text.as_bytes()), Some(value), "{text}");
    }
    for text in
        ["", "-", "+1", "01", "-0", " 1", "1 ", "1.0", "9223372036854775808", "-9223372036854775809", "0x1"]
    {
        assert_eq!(integer(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn floats_are_taken_as_redis_takes_them() {
    assert_eq!(float(b"3.0e3"), Some(3000.0));
    assert_eq!(float(b"-inf"), Some(f64::NEG_INFINITY));
    assert_eq!(float(b"nan"), None);
    assert_eq!(float(b"1e999"), None);
    assert_eq!(float(b""), None);
    assert_eq!(float(b" 1"), None);
}

#[test]
fn sums_of_decimals_are_exact() {
    let sum = |a: &str, b: &str| decimal_sum(a.as_bytes(), b.as_bytes()).unwrap();
    assert_eq!(sum("0.1", "0.2"), "0.3");
    assert_eq!(sum("10.50", "0.1"), "10.6");
    assert_eq!(sum("5.0e3", "2.0e2"), "5200");
    assert_eq!(sum("-0.5", "0.5"), "0");
    assert_eq!(sum("3", "-5"), "-2");
    assert!(decimal_sum(b"1e308", b"1e308").is_err());
    assert!(decimal_sum(b"x", b"1").is_err());
}

#[test]
fn a_float_is_written_without_an_exponent() {
    assert_eq!(float_text(1e20), "100000000000000000000");
    assert_eq!(float_text(0.1), "0.1");
    assert_eq!(float_text(1e-30), "0");
    assert_eq!(float_text(-0.0), "0");
}
