//! Our patterns against those of the Lua that is linked: the same results, the same errors.

use std::rc::Rc;
use std::time::{Duration, Instant};

use mlua::{Function, Lua, MultiValue, Table, Value};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};

use super::library;
use crate::script::bounds::Bounds;
use crate::script::failure::Failure;
use crate::script::text;

/// One state with both: Lua's own functions in `string`, ours in `ours`.
fn state() -> (Lua, Rc<Bounds>) {
    let lua = Lua::new();
    let bounds = Rc::new(Bounds::new(1 << 20));
    let ours = library(&lua, &bounds).unwrap();
    for pair in text::library(&lua, &bounds).unwrap().pairs::<String, Function>() {
        let (name, function) = pair.unwrap();
        ours.raw_set(name, function).unwrap();
    }
    lua.globals().set("ours", ours).unwrap();
    (lua, bounds)
}

/// What the body of a function of `f` and `...` gives, values and errors, in words.
fn told(lua: &Lua, library: &str, body: &str, arguments: &[Value]) -> Vec<String> {
    let text = format!(
        "local arguments = {{...}} local f = {library} \
         return pcall(function() local s, p, r, n = unpack(arguments, 1, 4) {body} end)"
    );
    let function = lua.load(text).set_name("=body").into_function().unwrap();
    let given: MultiValue = function.call(MultiValue::from_vec(arguments.to_vec())).unwrap();
    given
        .iter()
        .map(|value| match value {
            Value::String(text) => format!("'{}'", text.as_bytes().escape_ascii()),
            Value::Error(error) => match Failure::of(error) {
                failure @ Failure::Raised => told_value(&failure.value(lua).unwrap()),
                failure => format!("'{}'", failure.to_string().escape_default()),
            },
            other => told_value(other),
        })
        .collect()
}

fn told_value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{}'", text.as_bytes().escape_ascii()),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        other => other.type_name().to_owned(),
    }
}

fn same(lua: &Lua, body: &str, arguments: &[Value]) {
    let (theirs, ours) = (told(lua, "string", body, arguments), told(lua, "ours", body, arguments));
    assert_eq!(ours, theirs, "{body} of {arguments:?}");
}

const BODIES: [&str; 12] = [
    "return f.find(s, p)",
    "return f.find(s, p, n)",
    "return f.find(s, p, n, true)",
    "return f.match(s, p, n)",
    "return f.gsub(s, p, r)",
    "return f.gsub(s, p, r, n)",
    "return f.gsub(s, p, {a = 'A', b = 5, ab = false, c = {}, [1] = 'one'})",
    "return f.gsub(s, p, setmetatable({}, {__index = function(_, k) return '<' .. k .. '>' end}))",
    "return f.gsub(s, p, function(...) return select('#', ...) end, n)",
    "return f.gsub(s, p, function(a, b) return b end)",
    "return f.gsub(s, p, function(a) if a == 'a' then error({}) end return a == 'b' and a end)",
    "local all = {} for a, b, c in f.gmatch(s, p) do all[#all + 1] = tostring(a) .. tostring(b) .. tostring(c) end \
     return table.concat(all, ',')",
];

/// Patterns that are right more often than not.
fn pattern() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => Just("a"), 4 => Just("b"), 3 => Just("."), 3 => Just("("), 3 => Just(")"), 2 => Just("()"),
        3 => Just("*"), 3 => Just("+"), 3 => Just("-"), 3 => Just("?"), 1 => Just("^"), 1 => Just("$"),
        2 => Just("%1"), 1 => Just("%2"), 1 => Just("%0"), 2 => Just("%a"), 1 => Just("%W"), 1 => Just("%z"),
        1 => Just("%s"), 1 => Just("%p"), 2 => Just("%b()"), 1 => Just("%bab"), 2 => Just("%f[a]"), 1 => Just("%f"),
        2 => Just("[ab]"), 2 => Just("[^b]"), 1 => Just("[a-c%d]"), 1 => Just("[]a]"), 1 => Just("[^]]"),
        1 => Just("["), 1 => Just("]"), 1 => Just("%"), 1 => Just("%b"), 1 => Just("\0"), 1 => Just("[%a-]"),
        1 => Just("[a%"), 1 => Just("[a-"), 1 => Just("(a)"), 1 => Just("(.-)%1"), 1 => Just("[%]]"),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat().into_bytes())
}

fn subject() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        8 => proptest::sample::select(b"aabbc()".to_vec()),
        1 => proptest::sample::select(b" 1A.-]\x0b\0\xe4".to_vec()),
    ];
    proptest::collection::vec(byte, 0..14)
}

fn replacement() -> impl Strategy<Value = Vec<u8>> {
    let byte = proptest::sample::select(b"xy%%0123z".to_vec());
    proptest::collection::vec(byte, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn every_pattern_does_what_luas_own_does(
        subject in subject(), pattern in pattern(), replacement in replacement(), number in -16_i32..16,
    ) {
        let (lua, _) = state();
        let text = |bytes: &[u8]| Value::String(lua.create_string(bytes).unwrap());
        let arguments = [text(&subject), text(&pattern), text(&replacement), Value::Integer(number.into())];
        for body in BODIES {
            same(&lua, body, &arguments);
        }
    }

    #[test]
    fn arbitrary_bytes_are_matched_as_luas_own_does(
        subject in proptest::collection::vec(any::<u8>(), 0..12),
        pattern in proptest::collection::vec(any::<u8>(), 0..6),
    ) {
        let (lua, _) = state();
        let text = |bytes: &[u8]| Value::String(lua.create_string(bytes).unwrap());
        let arguments = [text(&subject), text(&pattern), text(&subject), Value::Integer(1)];
        for body in BODIES {
            same(&lua, body, &arguments);
        }
    }
}

#[test]
fn arguments_are_taken_and_refused_as_luas_own_does() {
    let (lua, _) = state();
    for body in [
        "return f.find()",
        "return f.find('a')",
        "return f.find(nil, 'a')",
        "return f.find({}, 'a')",
        "return f.find('abc', {})",
        "return f.find('abc', 'b', 'x')",
        "return f.find('abc', 'b', {})",
        "return f.find('abc', 'b', ' 2 ')",
        "return f.find('abc', 'b', 1.9)",
        "return f.find(12321, 3)",
        "return f.find(0.1, '.', 1, true)",
        "return f.find('a.c', '.', nil, nil)",
        "return f.find('abc', '', 10)",
        "return f.find('abc', '', -10)",
        "return f.find('abc', '$', 4)",
        "return f.find('abc', 'c', -1)",
        "return f.find('a\\0b', '\\0b')",
        "return f.find('a\\0b', 'a.b\\0x')",
        "return pcall(f.find)",
        "return select(2, pcall(f.match, 'a', '('))",
        "return f.match('abc', '((a)(b))')",
        "return f.match('a', string.rep('()', 33))",
        "return f.match('a', string.rep('()', 32))",
        "return f.gsub('a', 'a')",
        "return f.gsub('a', 'a', true)",
        "return f.gsub('a', 'a', nil, {})",
        "return f.gsub('abc', '', '-')",
        "return f.gsub('abc', '', '-', 2)",
        "return f.gsub('abc', '%w', '%%%0', -1)",
        "return f.gsub('abc', '^a', 'x')",
        "return f.gsub('abc', '^', 'x')",
        "return f.gsub('abc', 'b', 5)",
        "return f.gsub('abc', 'b', function() return {} end)",
        "return f.gsub('abc', 'b', function() error('mine') end)",
        "return f.gsub('abc', 'b', function() return f.rep() end)",
        "return f.gsub('hello world', '(o)()', '%2%1')",
        "return f.gsub('abc', 'b', '%2')",
        "return f.gmatch()",
        "return f.gmatch('a', {})()",
        "return f.gmatch('abc', '^a')()",
        "local next = f.gmatch('a', 'b') return next(), next()",
        "return f.rep('ab', 3), f.rep('ab', 0), f.rep('ab', -1), f.rep('', 5), f.rep('x', '2'), f.rep(1.5, 2)",
        "return f.rep('a')",
        "return f.lower('AbC\\196'), f.upper('aBc\\228'), f.reverse('abc'), f.lower(5), f.reverse('')",
        "return f.lower({})",
    ] {
        same(&lua, body, &[]);
    }
    // The names that strings have their functions under are those of methods.
    let method = lua.load("string.find = ours.find string.upper = ours.upper return ('x'):find({})");
    let error = method.set_name("=body").eval::<Value>().unwrap_err();
    assert_eq!(
        Failure::of(&error).to_string(),
        "body:1: bad argument #1 to 'find' (string expected, got table)"
    );
    let error = lua.load("local s = {u = string.upper} s:u()").set_name("=body").exec().unwrap_err();
    assert_eq!(
        Failure::of(&error).to_string(),
        "body:1: calling 'u' on bad self (string expected, got table)"
    );
}

#[test]
fn a_pattern_made_to_be_slow_is_ended_in_time() {
    let (lua, bounds) = state();
    for body in [
        "return ours.find(('a'):rep(100), ('a?'):rep(100) .. ('a'):rep(100))",
        "return ours.match(('a'):rep(3000), ('.-'):rep(30) .. 'b')",
        "return ours.gsub(('a'):rep(30000), '(.-)(.-)(.-)%1%2%3b', '')",
        "return ours.find(('('):rep(1e6), ('%b()'):rep(9))",
        "return ours.find(('a'):rep(1e5), '[' .. ('b'):rep(1e5) .. ']')",
        "return ours.find(('a'):rep(1e5), ('(a*)%1'):rep(9) .. 'b')",
        "for x in ours.gmatch(('a'):rep(1e5), '.-.-b') do end",
    ] {
        let began = Instant::now();
        bounds.begin(Duration::from_millis(100));
        let error = lua.load(body).eval::<Value>().unwrap_err();
        assert!(matches!(Failure::of(&error), Failure::End(_)), "{body}: {error}");
        assert!(began.elapsed() < Duration::from_secs(3), "{body}: {:?}", began.elapsed());
        bounds.end();
    }
}

#[test]
fn a_pattern_made_to_be_deep_is_refused_or_matched_but_takes_no_stack() {
    let (lua, _) = state();
    let told = |body: &str| told(&lua, "ours", body, &[]);
    for body in [
        "return f.find(('a'):rep(200000), ('a?'):rep(200000) .. 'a')",
        "return f.match(('a'):rep(200000), ('a-'):rep(200000) .. 'b')",
    ] {
        assert_eq!(told(body), ["false", "'body:1: pattern too complex'"], "{body}");
    }
    assert_eq!(
        told("return f.find(('('):rep(30000), ('('):rep(30000))"),
        ["false", "'body:1: too many captures'"]
    );
    assert_eq!(told("return f.find(('a'):rep(50000), ('a?'):rep(50000))"), ["true", "1", "50000"]);
}

#[test]
fn a_result_beyond_the_memory_of_scripts_is_refused() {
    let (lua, _) = state();
    for body in [
        "return f.gsub(('a'):rep(10000), 'a', ('b'):rep(10000))",
        "return f.gsub(('a'):rep(10000), '.*', ('%0'):rep(10000))",
        "return f.rep('ab', 1e6)",
        "return f.rep('ab', 1e300)",
    ] {
        let told = told(&lua, "ours", body, &[]);
        assert_eq!(told, ["false", "'body:1: not enough memory'"], "{body}");
    }
    assert!(lua.globals().get::<Table>("ours").is_ok());
}

#[test]
fn what_replacements_within_replacements_make_is_bounded_together() {
    let (lua, _bounds) = state();
    let big = Value::String(lua.create_string(vec![b'x'; 600 << 10]).unwrap());
    let nested = "local function nest(depth) \
        return (f.gsub('ab', '.', function(c) if c == 'a' then return s end if depth > 0 then nest(depth - 1) end return '' end)) end \
        return #nest(p)";
    assert_eq!(told(&lua, "ours", nested, &[big.clone(), Value::Integer(0)]), ["true", "614400"]);
    let refused = told(&lua, "ours", nested, &[big.clone(), Value::Integer(1)]);
    assert!(refused[0] == "false" && refused[1].contains("not enough memory"), "{refused:?}");
    assert_eq!(
        told(&lua, "ours", nested, &[big, Value::Integer(0)]),
        ["true", "614400"],
        "what was made is gone"
    );
}
