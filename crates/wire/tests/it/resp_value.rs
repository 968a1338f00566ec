//! Replies as a client reads them.

use bytes::BytesMut;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use remuda_wire::resp::{Limits, RespError, Value, ValueParser, Version, Writer, parse_value};

fn write(value: &Value, to: &mut Writer<'_>) {
    match value {
        Value::Simple(text) => to.simple(str::from_utf8(text).unwrap()),
        Value::Error(text) => to.error(str::from_utf8(text).unwrap()),
        Value::Integer(number) => to.integer(*number),
        Value::Bulk(bytes) => to.bulk(bytes),
        Value::Null => to.null(),
        Value::Double(number) => to.double(*number),
        Value::Boolean(value) => to.boolean(*value),
        Value::Verbatim { format, text } => to.verbatim(*format, str::from_utf8(text).unwrap()),
        Value::BigNumber(digits) => to.big_number(str::from_utf8(digits).unwrap()),
        Value::Array(list) | Value::Set(list) | Value::Push(list) => {
            match value {
                Value::Array(_) => to.array(list.len()),
                Value::Set(_) => to.set(list.len()),
                _ => to.push(list.len()),
            }
            list.iter().for_each(|element| write(element, to));
        }
        Value::Map(pairs) => {
            to.map(pairs.len());
            for (key, element) in pairs {
                write(key, to);
                write(element, to);
            }
        }
    }
}

fn some_value() -> impl Strategy<Value = Value> {
    let text = || "[ -~]{0,12}".prop_map(String::into_bytes);
    let leaf = prop_oneof![
        text().prop_map(Value::Simple),
        text().prop_map(Value::Error),
        any::<i64>().prop_map(Value::Integer),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bulk),
        Just(Value::Null),
        any::<f64>().prop_filter("nan is not itself", |number| !number.is_nan()).prop_map(Value::Double),
        any::<bool>().prop_map(Value::Boolean),
        text().prop_map(|text| Value::Verbatim { format: *b"txt", text }),
        "-?[0-9]{1,30}".prop_map(|digits| Value::BigNumber(digits.into_bytes())),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..6);
        prop_oneof![
            list().prop_map(Value::Array),
            list().prop_map(Value::Set),
            list().prop_map(Value::Push),
            prop::collection::vec((inner.clone(), inner.clone()), 0..4).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #[test]
    fn replies_are_read_as_they_were_written(list in prop::collection::vec(some_value(), 1..4), piece in 1_usize..60) {
        let mut bytes = BytesMut::new();
        for value in &list {
            write(value, &mut Writer::new(&mut bytes, Version::Resp3));
        }
        let mut parser = ValueParser::new(Limits::default());
        let (mut input, mut found) = (BytesMut::new(), Vec::new());
        for chunk in bytes.chunks(piece) {
            input.extend_from_slice(chunk);
            while let Some((value, len)) = parser.parse(&input).unwrap() {
                found.push(value);
                let _taken = input.split_to(len);
            }
        }
        assert_eq!(found, list);
        assert!(input.is_empty());
    }
}

fn one(bytes: &[u8]) -> Result<Option<(Value, usize)>, RespError> {
    parse_value(bytes, &Limits::default())
}

#[test]
fn nothing_of_resp2_and_attributes_of_resp3_are_read() {
    assert_eq!(one(b"$-1\r\n"), Ok(Some((Value::Null, 5))));
    assert_eq!(one(b"*-1\r\n"), Ok(Some((Value::Null, 5))));
    assert_eq!(one(b"!5\r\nERR x\r\n"), Ok(Some((Value::Error(b"ERR x".to_vec()), 11))));
    let bytes = b"|1\r\n+ttl\r\n:3\r\n*2\r\n:1\r\n|0\r\n:2\r\n";
    let list = Value::Array(vec![Value::Integer(1), Value::Integer(2)]);
    assert_eq!(one(bytes), Ok(Some((list, bytes.len()))));
    for len in 0..bytes.len() {
        assert_eq!(one(&bytes[..len]), Ok(None));
    }
}

#[test]
fn replies_are_bounded() {
    assert!(one(&b"*1\r\n".repeat(32)).unwrap().is_none());
    assert!(one(&b"*1\r\n".repeat(33)).is_err());
    assert!(one(b"*1048577\r\n").is_err());
    assert!(one(b"%9223372036854775807\r\n").is_err());
    assert!(one(b"$67108865\r\n").is_err());
    assert!(one(&[b'+'; 70000]).is_err());
    let limits = Limits { args_max: 4, ..Limits::default() };
    assert!(parse_value(b"*2\r\n*2\r\n:1\r\n:2\r\n*1\r\n", &limits).is_err());
    for bytes in [
        &b"?\r\n"[..],
        b":x\r\n",
        b"#x\r\n",
        b"_x\r\n",
        b",x\r\n",
        b"(x\r\n",
        b"=3\r\ntxt\r\n",
        b"$1\r\nab\r\n",
    ] {
        assert!(one(bytes).is_err(), "{}", bytes.escape_ascii());
    }
}
