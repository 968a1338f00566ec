//! Numbers as texts.

use super::precise;

#[test]
fn numbers_are_written_as_printf_does() {
    let cases = [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (1e15, "1e+15"),
        (123_456_789.0, "123456789"),
        (1e-5, "1e-05"),
        (0.0001, "0.0001"),
        (99_999_999_999_999.9, "1e+14"),
        (f64::MAX, "1.7976931348623e+308"),
        (f64::NEG_INFINITY, "-inf"),
    ];
    for (value, text) in cases {
        assert_eq!(super::text(value), text);
    }
    assert_eq!(precise(0.1), "0.10000000000000001");
    assert_eq!(precise(1_700_000_000_123.0), "1700000000123");
}
