//! MessagePack, both ways.

use mlua::{Lua, Value};
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{pack, unpack};
use crate::script::room::Room;
use crate::script::tests::eval;

#[test]
fn values_are_packed_as_lua_cmsgpack_does() {
    let cases = [
        ("return cmsgpack.pack({1, 'a', true, false})", "$\\x94\\x01\\xa1a\\xc3\\xc2"),
        ("return cmsgpack.pack({})", "$\\x90"),
        ("return cmsgpack.pack({a = 1})", "$\\x81\\xa1a\\x01"),
        (
            "return cmsgpack.pack(127, 128, -32, -33, 65536)",
            "$\\x7f\\xcc\\x80\\xe0\\xd0\\xdf\\xce\\x00\\x01\\x00\\x00",
        ),
        ("return cmsgpack.pack(0.5)", "$\\xca?\\x00\\x00\\x00"),
        ("return cmsgpack.pack(0.1)", "$\\xcb?\\xb9\\x99\\x99\\x99\\x99\\x99\\x9a"),
        ("return cmsgpack.pack(nil)", "$\\xc0"),
        ("return {cmsgpack.unpack(cmsgpack.pack(1, 'two', {3}))}", "*3 :1 $two *1 :3"),
        ("return {cmsgpack.unpack_one('\\1\\2')}", "*2 :1 :1"),
        ("return {cmsgpack.unpack_one('\\1\\2', 1)}", "*2 :-1 :2"),
        ("return {cmsgpack.unpack_limit('\\1\\2\\3', 2, 0)}", "*3 :2 :1 :2"),
        ("local t = {} t.t = t return #cmsgpack.pack(t) > 0", ":1"),
    ];
    for (script, answer) in cases {
        assert_eq!(eval(script), answer, "{script}");
    }
    for (script, text) in [
        ("cmsgpack.unpack('\\146\\1')", "Missing bytes in input."),
        ("cmsgpack.unpack('\\193')", "Bad data format in input."),
        ("cmsgpack.unpack('\\129\\192\\1')", "Bad data format in input."),
        ("cmsgpack.unpack('\\219\\255\\255\\255\\255a')", "Missing bytes in input."),
    ] {
        assert!(eval(script).contains(text), "{script}: {}", eval(script));
    }
}

/// A value apart from any state.
#[derive(Debug, Clone, PartialEq)]
enum Plain {
    Nil,
    Boolean(bool),
    Number(f64),
    Text(Vec<u8>),
    Array(Vec<Plain>),
    Map(Vec<(Vec<u8>, Plain)>),
}

impl Plain {
    fn build(&self, lua: &Lua) -> Value {
        match self {
            Self::Nil => Value::Nil,
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Number(value) => Value::Number(*value),
            Self::Text(text) => Value::String(lua.create_string(text).unwrap()),
            Self::Array(values) => {
                Value::Table(lua.create_sequence_from(values.iter().map(|value| value.build(lua))).unwrap())
            }
            Self::Map(pairs) => {
                let pairs =
                    pairs.iter().map(|(key, value)| (lua.create_string(key).unwrap(), value.build(lua)));
                Value::Table(lua.create_table_from(pairs).unwrap())
            }
        }
    }

    fn take(value: &Value) -> Self {
        match value {
            Value::Boolean(value) => Self::Boolean(*value),
            Value::String(text) => Self::Text(text.as_bytes().to_vec()),
            Value::Table(table) if table.raw_len() > 0 || table.pairs::<Value, Value>().next().is_none() => {
                Self::Array(
                    table.sequence_values::<Value>().map(|value| Self::take(&value.unwrap())).collect(),
                )
            }
            Value::Table(table) => {
                let pairs = table.pairs::<mlua::LuaString, Value>().map(Result::unwrap);
                let mut pairs: Vec<_> =
                    pairs.map(|(key, value)| (key.as_bytes().to_vec(), Self::take(&value))).collect();
                pairs.sort_by(|a, b| a.0.cmp(&b.0));
                Self::Map(pairs)
            }
            other => crate::script::numbers::number(other).map_or(Self::Nil, Self::Number),
        }
    }
}

fn plain() -> impl Strategy<Value = Plain> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Plain::Boolean),
        any::<i64>().prop_map(|value| Plain::Number(crate::script::numbers::double(value))),
        any::<i8>().prop_map(|value| Plain::Number(f64::from(value))),
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |value| !value.is_nan())
            .prop_map(Plain::Number),
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(Plain::Text),
    ];
    leaf.prop_recursive(4, 40, 20, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..20).prop_map(Plain::Array),
            proptest::collection::btree_map(proptest::collection::vec(any::<u8>(), 0..5), inner, 1..6)
                .prop_map(|map| Plain::Map(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked(value in plain()) {
        let lua = Lua::new();
        let mut packed = Vec::new();
        pack::pack(&value.build(&lua), 0, &mut packed, &mut Room::new()).unwrap();
        let (values, end) = unpack::unpack(&lua, &packed, 0, usize::MAX).unwrap();
        prop_assert_eq!(end, packed.len());
        prop_assert_eq!(values.len(), 1);
        prop_assert_eq!(Plain::take(&values[0]), value);
    }

    #[test]
    fn any_bytes_are_unpacked_or_refused(bytes: Vec<u8>) {
        if let Ok((_, end)) = unpack::unpack(&Lua::new(), &bytes, 0, usize::MAX) {
            prop_assert!(end == bytes.len());
        }
    }
}
