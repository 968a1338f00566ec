//! JSON, both ways.

use mlua::{Lua, Value};
use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::{decode, encode, number};
use crate::script::tests::eval;

#[test]
fn values_are_encoded_as_lua_cjson_does() {
    let cases = [
        ("return cjson.encode({})", "${}"),
        ("return cjson.encode({1, 2, {a = 'b'}})", r#"$[1,2,{\"a\":\"b\"}]"#),
        ("return cjson.encode({1, nil, 3})", "$[1,null,3]"),
        ("return cjson.encode({[3] = 1})", "$[null,null,1]"),
        ("return cjson.encode({[1.5] = 1})", r#"${\"1.5\":1}"#),
        ("return cjson.encode(cjson.null)", "$null"),
        ("return cjson.encode({0.1, 1e20, -5, 1/3})", "$[0.1,1e+20,-5,0.33333333333333]"),
        ("return cjson.encode('a\\n/\\\"\\1')", r#"$\"a\\n\\/\\\"\\u0001\""#),
        ("return cjson.encode(true)", "$true"),
    ];
    for (script, answer) in cases {
        assert_eq!(eval(script), answer, "{script}");
    }
    for (script, text) in [
        ("cjson.encode({[1000] = 1})", "Cannot serialise table: excessively sparse array"),
        ("cjson.encode(0/0)", "Cannot serialise number: must not be NaN or Inf"),
        ("cjson.encode(function() end)", "Cannot serialise function: type not supported"),
        ("cjson.encode({[true] = 1})", "Cannot serialise boolean: table key must be a number or string"),
        ("local t = {} t.t = t cjson.encode(t)", "Cannot serialise, excessive depth (129)"),
    ] {
        let answer = eval(script);
        assert!(answer.starts_with(&format!("-ERR user_script:1: {text}")), "{answer}");
    }
}

/// The answers are those of redis-server 7.0.
#[test]
fn numbers_are_taken_as_strtod_takes_them() {
    let cases = [
        ("1.", "1"),
        ("1.e5", "100000"),
        ("-01", "-1"),
        ("+1", "1"),
        ("-.5", "-0.5"),
        ("-0x1F", "-31"),
        ("0x.8", "0.5"),
        ("0x1P-2", "0.25"),
        ("1e999", "inf"),
        ("-Infinity", "-inf"),
        ("NaN", "nan"),
        ("nan(a_1)", "nan"),
    ];
    for (text, number) in cases {
        assert_eq!(eval(&format!("return tostring(cjson.decode('{text}'))")), format!("${number}"), "{text}");
    }
    for (text, found) in [
        ("[1 true]", "T_BOOLEAN"),
        ("[1 null]", "T_NULL"),
        ("[1 inf]", "T_NUMBER"),
        ("[1 .5]", "invalid token"),
        ("[1 -]", "invalid number"),
        ("[1 i]", "invalid token"),
    ] {
        let answer = eval(&format!("cjson.decode('{text}')"));
        assert!(
            answer.contains(&format!("Expected comma or array end but found {found} at character 4")),
            "{text}: {answer}"
        );
    }
}

#[test]
fn texts_are_decoded_and_broken_ones_are_told() {
    let cases = [
        (r#"return cjson.decode('[1,"a",true,[]]')[2]"#, "$a"),
        (r#"return cjson.decode('{"a":{"b":[1,2]}}').a.b"#, "*2 :1 :2"),
        (r#"return cjson.decode('[null]')[1] == cjson.null"#, ":1"),
        (r#"return cjson.decode(' "\\u00e4\\ud83d\\ude00\\n" ')"#, "$\\xc3\\xa4\\xf0\\x9f\\x98\\x80\\n"),
        ("return cjson.decode('-1.5e2')", ":-150"),
        (
            "local ok, e = pcall(cjson.decode, '[1,') return {tostring(ok), e}",
            "*2 $false $Expected value but found T_END at character 4",
        ),
    ];
    for (script, answer) in cases {
        assert_eq!(eval(script), answer, "{script}");
    }
    for text in [
        "",
        "[1,]",
        "{1:2}",
        r#"{"a" 1}"#,
        "nul",
        ".5",
        "-",
        "0x1p",
        "1.5.2",
        "1e",
        "nan(",
        "[1] 2",
        r#""\ud800""#,
        r#""abc"#,
        "[1 2]",
    ] {
        let answer = eval(&format!("cjson.decode([=[{text}]=])"));
        assert!(answer.starts_with("-ERR user_script:1: Expected "), "{text}: {answer}");
    }
    let deep = "cjson.decode(string.rep('[', 200))";
    assert!(eval(deep).contains("Found too many nested data structures (129) at character 129"));
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i32>().prop_map(|number| serde_json::Value::from(f64::from(number))),
        any::<String>().prop_map(serde_json::Value::from),
        proptest::strategy::Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..6).prop_map(serde_json::Value::from),
            proptest::collection::btree_map("[a-z]{1,6}", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Both sides have numbers as doubles.
fn normal(text: &[u8]) -> serde_json::Value {
    fn double(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Number(number) => number.as_f64().unwrap().into(),
            serde_json::Value::Array(values) => values.into_iter().map(double).collect(),
            serde_json::Value::Object(map) => {
                map.into_iter().map(|(key, value)| (key, double(value))).collect()
            }
            other => other,
        }
    }
    double(serde_json::from_slice(text).unwrap())
}

proptest! {
    #[test]
    fn what_is_decoded_is_encoded_to_the_same_value(value in json()) {
        let lua = Lua::new();
        let decoded = decode::decode(&lua, value.to_string().as_bytes()).unwrap();
        let mut encoded = Vec::new();
        encode::encode(&decoded, &mut encoded).unwrap();
        prop_assert_eq!(normal(&encoded), value);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes: Vec<u8>) {
        let _: Result<Value, _> = decode::decode(&Lua::new(), &bytes);
    }

    /// Not the other way round: `01` and `1.` are no JSON.
    #[test]
    fn whatever_serde_takes_is_taken_too(text in "[\\[\\]{},:0-9truefalsn\" .eE+-]{0,20}") {
        let has_serde = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        proptest::prop_assert!(!has_serde || decode::decode(&Lua::new(), text.as_bytes()).is_ok(), "{}", text);
    }

    #[test]
    fn a_number_is_what_rust_reads_as_one(number: f64) {
        let (text, longer) = (format!("{number:?}"), format!("{number:?},"));
        let expected = (number.to_bits(), text.len());
        for text in [text, longer] {
            let (value, length) = number::prefix(text.as_bytes()).unwrap();
            prop_assert_eq!((value.to_bits(), length), expected);
        }
    }
}
