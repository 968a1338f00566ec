//! Replies in both versions.

use bytes::BytesMut;
use remuda_wire::resp::{Double, Version, Writer};

fn written(version: Version, write: impl Fn(&mut Writer<'_>)) -> String {
    let mut out = BytesMut::new();
    write(&mut Writer::new(&mut out, version));
    String::from_utf8(out.to_vec()).unwrap()
}

#[test]
fn each_reply_has_its_form_in_each_version() {
    type Write = fn(&mut Writer<'_>);
    let table: [(Write, &str, &str); 18] = [
        (|to| to.simple("OK"), "+OK\r\n", "+OK\r\n"),
        (|to| to.error("ERR a\r\nb"), "-ERR a  b\r\n", "-ERR a  b\r\n"),
        (|to| to.integer(i64::MIN), ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"),
        (|to| to.bulk(b""), "$0\r\n\r\n", "$0\r\n\r\n"),
        (|to| to.bulk_text("twelve chars"), "$12\r\ntwelve chars\r\n", "$12\r\ntwelve chars\r\n"),
        (|to| to.null(), "$-1\r\n", "_\r\n"),
        (|to| to.null_array(), "*-1\r\n", "_\r\n"),
        (|to| to.array(0), "*0\r\n", "*0\r\n"),
        (|to| to.array(1000), "*1000\r\n", "*1000\r\n"),
        (|to| to.map(7), "*14\r\n", "%7\r\n"),
        (|to| to.set(10), "*10\r\n", "~10\r\n"),
        (|to| to.push(3), "*3\r\n", ">3\r\n"),
        (|to| to.double(1.5), "$3\r\n1.5\r\n", ",1.5\r\n"),
        (|to| to.double(f64::INFINITY), "$3\r\ninf\r\n", ",inf\r\n"),
        (|to| to.boolean(true), ":1\r\n", "#t\r\n"),
        (|to| to.boolean(false), ":0\r\n", "#f\r\n"),
        (|to| to.verbatim(*b"txt", "some"), "$4\r\nsome\r\n", "=8\r\ntxt:some\r\n"),
        (
            |to| to.big_number("-12345678901234567890"),
            "$21\r\n-12345678901234567890\r\n",
            "(-12345678901234567890\r\n",
        ),
    ];
    for (write, resp2, resp3) in table {
        assert_eq!(written(Version::Resp2, write), resp2);
        assert_eq!(written(Version::Resp3, write), resp3);
    }
}

#[test]
fn doubles_are_written_as_printf_does() {
    let table = [
        (0.0, "0"),
        (-0.0, "-0"),
        (3.0, "3"),
        (-17.0, "-17"),
        (0.1, "0.10000000000000001"),
        (0.3, "0.29999999999999999"),
        (1e16, "10000000000000000"),
        (1e17, "1e+17"),
        (123_456_789.125, "123456789.125"),
        (1e-4, "0.0001"),
        (1e-5, "1.0000000000000001e-05"),
        (-2.5e-300, "-2.5e-300"),
        (f64::MAX, "1.7976931348623157e+308"),
        (5e-324, "4.9406564584124654e-324"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
    ];
    for (value, text) in table {
        assert_eq!(str::from_utf8(Double::new(value).as_bytes()).unwrap(), text);
    }
}

proptest::proptest! {
    #[test]
    fn a_double_comes_back_as_it_was(value: f64) {
        let text = Double::new(value);
        let back: f64 = str::from_utf8(text.as_bytes()).unwrap().parse().unwrap();
        assert!(back.to_bits() == value.to_bits() || (back.is_nan() && value.is_nan()));
    }
}
