//! Scripts against a store of a few commands: what they see, what they answer, and what they cannot do.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use super::{Answer, CallMode, Host, Limits, Request, Scripts, Source};

/// An answer as text: `[1, "a", nil]`.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Answer for Text {
    fn simple(&mut self, text: &str) {
        write!(self.0, "+{text} ").unwrap();
    }
    fn error(&mut self, text: &str) {
        write!(self.0, "-{text} ").unwrap();
    }
    fn integer(&mut self, value: i64) {
        write!(self.0, ":{value} ").unwrap();
    }
    fn bulk(&mut self, bytes: &[u8]) {
        write!(self.0, "${} ", bytes.escape_ascii()).unwrap();
    }
    fn null(&mut self) {
        self.0.push_str("_ ");
    }
    fn null_array(&mut self) {
        self.0.push_str("*-1 ");
    }
    fn array(&mut self, length: usize) {
        write!(self.0, "*{length} ").unwrap();
    }
    fn map(&mut self, length: usize) {
        write!(self.0, "%{length} ").unwrap();
    }
    fn set(&mut self, length: usize) {
        write!(self.0, "~{length} ").unwrap();
    }
    fn push(&mut self, length: usize) {
        write!(self.0, ">{length} ").unwrap();
    }
    fn double(&mut self, value: f64) {
        write!(self.0, ",{value} ").unwrap();
    }
    fn boolean(&mut self, value: bool) {
        write!(self.0, "#{value} ").unwrap();
    }
    fn verbatim(&mut self, format: &str, text: &[u8]) {
        write!(self.0, "={format}:{} ", text.escape_ascii()).unwrap();
    }
    fn big_number(&mut self, digits: &str) {
        write!(self.0, "({digits} ").unwrap();
    }
    fn is_resp3(&self) -> bool {
        true
    }
}

/// A store of strings.
#[derive(Debug, Default)]
struct Strings {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    calls: Vec<String>,
    logged: Vec<(u8, String)>,
}

impl Host for Strings {
    fn call(&mut self, command: &[&[u8]], mode: CallMode, answer: &mut dyn Answer) {
        let words: Vec<String> = command.iter().map(|word| word.escape_ascii().to_string()).collect();
        self.calls.push(words.join(" "));
        let name = command[0].to_ascii_uppercase();
        if mode.is_read_only && name != b"GET" {
            return answer.error("ERR Write commands are not allowed from read-only scripts.");
        }
        match (name.as_slice(), &command[1..]) {
            (b"GET", [key]) => match self.values.get(*key) {
                Some(value) => answer.bulk(value),
                None => answer.null(),
            },
            (b"SET", [key, value, ..]) => {
                self.values.insert(key.to_vec(), value.to_vec());
                answer.simple("OK");
            }
            (b"DEL", keys) => {
                let found = keys.iter().filter(|key| self.values.remove(**key).is_some());
                answer.integer(i64::try_from(found.count()).unwrap());
            }
            (b"EXISTS", [key]) => answer.integer(i64::from(self.values.contains_key(*key))),
            (b"PTTL", [_]) => answer.integer(1000),
            (b"PEXPIRE", [_, _]) => answer.integer(1),
            (b"TYPES", []) => {
                answer.map(2);
                answer.simple("list");
                answer.array(3);
                answer.integer(1);
                answer.null();
                answer.array(0);
                answer.bulk(b"more");
                answer.set(2);
                answer.double(0.5);
                answer.boolean(true);
            }
            (b"LPUSH", _) => {
                answer.error("WRONGTYPE Operation against a key holding the wrong kind of value");
            }
            (b"NESTED", []) => {
                answer.array(2);
                answer.error("ERR inside");
                answer.verbatim("txt", b"words");
            }
            _ => answer.error("ERR Unknown Redis command called from script"),
        }
    }

    fn log(&mut self, level: u8, line: &[u8]) {
        self.logged.push((level, String::from_utf8_lossy(line).into_owned()));
    }
}

fn run_on(
    scripts: &mut Scripts,
    host: &mut Strings,
    script: &str,
    keys: &[&str],
    arguments: &[&str],
) -> String {
    let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
    let arguments: Vec<&[u8]> = arguments.iter().map(|argument| argument.as_bytes()).collect();
    let source = Source::Text(script.as_bytes());
    let request = Request { source, keys: &keys, arguments: &arguments, is_read_only: false };
    let mut text = Text::default();
    scripts.run(request, host, &mut text);
    text.0.trim_end().to_owned()
}

/// What a script answers in a state of its own.
pub(super) fn eval(script: &str) -> String {
    run_on(
        &mut Scripts::new(Limits::default()).unwrap(),
        &mut Strings::default(),
        script,
        &["k1", "k2"],
        &["a1"],
    )
}

#[test]
fn values_of_lua_are_answered_as_redis_converts_them() {
    let cases = [
        ("return 3.99", ":3"),
        ("return -3.99", ":-3"),
        ("return 'text'", "$text"),
        ("return true", ":1"),
        ("return false", "_"),
        ("return nil", "_"),
        ("return", "_"),
        ("return {1, 2, 'three', nil, 4}", "*3 :1 :2 $three"),
        ("return {1, {2, {}}, false}", "*3 :1 *2 :2 *0 _"),
        ("return {ok = 'fine'}", "+fine"),
        ("return {err = 'MY mistake'}", "-MY mistake"),
        ("return redis.status_reply('fine')", "+fine"),
        ("return redis.error_reply('MY mistake')", "-MY mistake"),
        ("return redis.error_reply('-oops')", "-ERR oops"),
        ("return {double = 1.5}", ",1.5"),
        ("return {map = {a = 1}}", "%1 $a :1"),
        ("return {set = {a = true}}", "~1 $a"),
        ("return {big_number = '123'}", "(123"),
        ("return {verbatim_string = {format = 'txt', string = 'x'}}", "=txt:x"),
        ("redis.setresp(3) return {true, false}", "*2 #true #false"),
        ("return {KEYS[1], KEYS[2], KEYS[3], ARGV[1]}", "*2 $k1 $k2"),
        ("return {#KEYS, #ARGV, ARGV[1]}", "*3 :2 :1 $a1"),
        ("return function() end", "_"),
    ];
    for (script, answer) in cases {
        assert_eq!(eval(script), answer, "{script}");
    }
    let deep = "local t = {} for i = 1, 200 do t = {t} end return t";
    assert!(eval(deep).ends_with("-ERR reached lua stack limit"));
}

#[test]
fn answers_of_commands_are_values_of_lua() {
    let cases = [
        ("return type(redis.call('get', 'none'))", "$boolean"),
        ("return redis.call('set', 'a', 5).ok", "$OK"),
        ("redis.call('set', 'a', 1700000000123) return redis.call('get', 'a')", "$1700000000123"),
        ("redis.call('set', 'a', 0.1) return redis.call('get', 'a')", "$0.10000000000000001"),
        ("redis.call('set', 'a', 'b\\0c') return #redis.call('get', 'a')", ":3"),
        ("return #redis.call('types')", ":4"),
        (
            "local t = redis.call('types') return {t[1].ok, t[2][1], t[2][2], t[4][1], t[4][2]}",
            "*5 $list :1 _ $0.5 :1",
        ),
        ("redis.setresp(3) local t = redis.call('types').map return t.more.set[true] and 1", ":1"),
        ("redis.setresp(3) return type(redis.call('get', 'none'))", "$nil"),
        (
            "return redis.pcall('lpush').err",
            "$WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        ("return redis.pcall('lpush')", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        (
            "local ok, e = pcall(redis.call, 'lpush') return {tostring(ok), e}",
            "*2 $false $WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        ("local t = redis.call('nested') return {t[1].err, t[2]}", "*2 $ERR inside $words"),
        ("return redis.call('nested')", "*2 -ERR inside $words"),
        ("return redis.pcall()", "-ERR Please specify at least one argument for this redis lib call"),
        ("return redis.pcall('get', {})", "-ERR Lua redis lib command arguments must be strings or integers"),
        ("return redis.sha1hex('')", "$da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    ];
    for (script, answer) in cases {
        assert_eq!(eval(script), answer, "{script}");
    }
}

#[test]
fn errors_have_the_texts_of_redis() {
    let mut scripts = Scripts::new(Limits::default()).unwrap();
    let mut check = |script: &str, text: &str| {
        let answer = run_on(&mut scripts, &mut Strings::default(), script, &[], &[]);
        let sha = String::from_utf8(super::sha(script.as_bytes()).to_vec()).unwrap();
        assert_eq!(answer, format!("-{}", text.replace("SHA", &sha)), "{script}");
    };
    check(
        "return redis.call('lpush')",
        "WRONGTYPE Operation against a key holding the wrong kind of value script: SHA, on @user_script:1.",
    );
    check(
        "\n\nreturn nope",
        "ERR user_script:3: Script attempted to access nonexistent global variable 'nope' script: SHA, on @user_script:3.",
    );
    check("x = 1", "ERR user_script:1: Attempt to modify a readonly table script: SHA, on @user_script:1.");
    check("\nerror('mine')", "ERR user_script:2: mine script: SHA, on @user_script:2.");
    check("error({err = 'MY own'})", "MY own script: SHA, on @user_script:1.");
    check(
        "return {} + 1",
        "ERR user_script:1: attempt to perform arithmetic on a table value script: SHA, on @user_script:1.",
    );
    check(
        "return (",
        "ERR Error compiling script (new function): user_script:1: unexpected symbol near '<eof>'",
    );
    check(
        "return redis.call('nope')",
        "ERR Unknown Redis command called from script script: SHA, on @user_script:1.",
    );
    check(
        "cjson.decode('{')",
        "ERR user_script:1: Expected object key string but found T_END at character 2 script: SHA, on @user_script:1.",
    );
    check("redis.setresp(4)", "ERR RESP version must be 2 or 3. script: SHA, on @user_script:1.");
    check("#!python\nreturn 1", "ERR Unexpected engine in script shebang: #!python");
}

#[test]
fn a_script_is_known_by_its_sha_until_the_flush() {
    let mut scripts = Scripts::new(Limits::default()).unwrap();
    let by_sha = |scripts: &mut Scripts, sha: &[u8]| {
        let request = Request { source: Source::Sha(sha), keys: &[], arguments: &[], is_read_only: false };
        let mut text = Text::default();
        scripts.run(request, &mut Strings::default(), &mut text);
        text.0.trim_end().to_owned()
    };
    let sha = scripts.load(b"return 7").unwrap();
    assert!(scripts.contains(&sha) && scripts.contains(&sha.to_ascii_uppercase()));
    assert_eq!(by_sha(&mut scripts, &sha.to_ascii_uppercase()), ":7");
    assert_eq!(scripts.loaded().collect::<Vec<_>>(), [b"return 7"]);
    assert!(
        scripts.load(b"return (").unwrap_err().starts_with("ERR Error compiling script (new function): ")
    );
    scripts.flush();
    assert!(!scripts.contains(&sha));
    for unknown in [&sha[..], b"x", b""] {
        assert_eq!(by_sha(&mut scripts, unknown), "-NOSCRIPT No matching script. Please use EVAL.");
    }
}

#[test]
fn evaluated_scripts_go_by_age_and_loaded_ones_stay() {
    let limits = Limits { evaluated_max: 2, loaded_max: 1, source_max_bytes: 40, ..Limits::default() };
    let (mut scripts, mut host) = (Scripts::new(limits).unwrap(), Strings::default());
    let loaded = scripts.load(b"return 'loaded'").unwrap();
    assert!(scripts.load(b"return 'more'").unwrap_err().contains("SCRIPT FLUSH"));
    let mut shas = Vec::new();
    for number in 0..5 {
        let script = format!("return {number}");
        assert_eq!(run_on(&mut scripts, &mut host, &script, &[], &[]), format!(":{number}"));
        shas.push(super::sha(script.as_bytes()));
    }
    let known: Vec<bool> = shas.iter().map(|sha| scripts.contains(sha)).collect();
    assert_eq!(known, [false, false, false, true, true]);
    assert!(scripts.contains(&loaded) && scripts.count() == 3);
    let long = format!("return '{}'", "x".repeat(40));
    assert!(run_on(&mut scripts, &mut host, &long, &[], &[]).contains("40 are the most"));
}

#[test]
fn a_read_only_script_may_not_write() {
    let (mut scripts, mut host) = (Scripts::new(Limits::default()).unwrap(), Strings::default());
    let flagged = "#!lua flags=no-writes\nreturn redis.call('set', 'a', 1)";
    let answer = run_on(&mut scripts, &mut host, flagged, &[], &[]);
    assert!(answer.starts_with("-ERR Write commands are not allowed from read-only scripts."), "{answer}");
    assert!(answer.ends_with("on @user_script:2."), "{answer}");
    let source = Source::Text(b"return redis.call('set', 'a', 1)");
    let mut text = Text::default();
    scripts.run(Request { source, keys: &[], arguments: &[], is_read_only: true }, &mut host, &mut text);
    assert!(text.0.starts_with("-ERR Write commands"), "{}", text.0);
    assert!(host.values.is_empty());
}

#[test]
fn no_script_leaves_anything_for_the_next() {
    let (mut scripts, mut host) = (Scripts::new(Limits::default()).unwrap(), Strings::default());
    let attempts = [
        "rawset(_G, 'left', 1) return 1",
        "_G.left = 1",
        "string.left = 1",
        "rawset(string, 'left', 1)",
        "table.insert(cjson, 1)",
        "getmetatable('').__index.left = 1",
        "getmetatable(_G).__index = {left = 1}",
        "getmetatable(string).__index.left = 1",
        "setmetatable(_G, {})",
        "redis.call = nil",
        "for k in pairs(redis) do redis[k] = nil end",
        "setmetatable(string, {})",
    ];
    for attempt in attempts {
        let answer = run_on(&mut scripts, &mut host, attempt, &[], &[]);
        assert!(answer.starts_with('-') || attempt.starts_with("rawset(_G"), "{attempt}: {answer}");
    }
    let check = "local ok, e = pcall(function() return left end) \
                 return {e, string.left, redis.call('exists', 'a'), (('x'):upper())}";
    let answer = run_on(&mut scripts, &mut host, check, &[], &[]);
    assert!(answer.starts_with("*1 $user_script:1: Script attempted to access"), "{answer}");
    assert_eq!(
        run_on(&mut scripts, &mut host, "return {redis.call('exists', 'a'), ('x'):upper()}", &[], &[]),
        "*2 :0 $X"
    );
}

#[test]
fn nothing_outside_is_reached() {
    for name in [
        "io", "require", "dofile", "loadfile", "package", "debug", "getfenv", "setfenv", "newproxy", "print",
        "module",
    ] {
        let answer = eval(&format!("return {name}"));
        assert!(answer.contains("nonexistent global variable"), "{name}: {answer}");
    }
    assert_eq!(
        eval("return {type(os.clock()), type(os.execute), type(os.exit), type(string.dump)}"),
        "*4 $number $nil $nil $nil"
    );
    let code = eval("return load('\\27Lua')()");
    assert!(code.starts_with("-ERR user_script:1: attempt to call"), "{code}");
    assert!(eval("\x1bLua").contains("wrong mode"));
    assert_eq!(eval("local f = loadstring('return KEYS[1]') return f()"), "$k1");
    assert!(eval("local f = loadstring('left = 1') return f()").contains("readonly"));
    assert_eq!(eval("return {loadstring('return (')}"), "*0");
}

#[test]
fn a_script_that_does_not_end_is_ended_whatever_it_catches() {
    let limits = Limits { time_max: Duration::from_millis(50), ..Limits::default() };
    let (mut scripts, mut host) = (Scripts::new(limits).unwrap(), Strings::default());
    let endless = [
        "while true do end",
        "redis.call('set', 'a', 1) while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function(e) return e end) end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "local function f() return f() end f()",
        "while true do redis.pcall('get', 'a') end",
    ];
    for script in endless {
        let began = Instant::now();
        let answer = run_on(&mut scripts, &mut host, script, &[], &[]);
        assert!(answer.starts_with("-ERR the script ran longer than it may"), "{script}: {answer}");
        assert!(began.elapsed() < Duration::from_secs(10), "{script}");
    }
    assert_eq!(host.values.len(), 1, "what was written stays");
    assert_eq!(run_on(&mut scripts, &mut host, "return 1", &[], &[]), ":1");
}

#[test]
fn a_library_function_that_would_last_for_ever_is_ended_too() {
    let limits = Limits { time_max: Duration::from_millis(50), ..Limits::default() };
    let (mut scripts, mut host) = (Scripts::new(limits).unwrap(), Strings::default());
    for script in [
        "return string.find(string.rep('a', 100), string.rep('a?', 100) .. string.rep('a', 100))",
        "return (('a'):rep(30000):gsub('(.-)(.-)(.-)%1%2%3b', ''))",
        "while true do string.rep('', 2147483647) end",
        "local s, t = string.rep('a', 1e6), {} for i = 1, 20000 do t[i] = s end table.sort(t) return 1",
        "local t = {} for i = 1, 200000 do t[i] = i % 7 end table.sort(t, rawequal) table.sort(t) return redis.call('x')",
        "local t = {} for i = 1, 300000 do t[i] = {i} end while true do collectgarbage() end",
        "local s = string.rep('x', 4e6) while true do local l = s:lower() end",
        "table.sort({3, 2, 1, 5, 4}, function() while true do end end)",
        "string.gsub('a', 'a', function() while true do end end)",
        "pcall(string.gsub, 'a', 'a', function() pcall(function() while true do end end) end) while true do end",
    ] {
        let began = Instant::now();
        let answer = run_on(&mut scripts, &mut host, script, &[], &[]);
        let is_refused = answer.contains("invalid order function for sorting");
        assert!(
            is_refused || answer.starts_with("-ERR the script ran longer than it may"),
            "{script}: {answer}"
        );
        assert!(began.elapsed() < Duration::from_secs(10), "{script}: {:?}", began.elapsed());
        assert_eq!(run_on(&mut scripts, &mut host, "return 1", &[], &[]), ":1");
    }
    assert!(eval("return string.find(('a'):rep(200000), ('a?'):rep(200000) .. 'a')").contains("too complex"));
}

#[test]
fn library_functions_of_our_own_fail_as_luas_do() {
    let cases = [
        (
            "local _, e = pcall(table.insert) return e",
            "$bad argument #1 to \\'insert\\' (table expected, got no value)",
        ),
        (
            "local t = {1, 2} table.insert(t, 3) table.insert(t, 1, 0) table.insert(t, 9, 5) return t",
            "*4 :0 :1 :2 :3",
        ),
        ("local t = {2, 3, 1} table.sort(t) return t", "*3 :1 :2 :3"),
        ("local t = {2, 3, 1} table.sort(t, function(a, b) return a > b end) return t", "*3 :3 :2 :1"),
        ("local t = {'b', 'a'} table.sort(t, nil) return t", "*2 $a $b"),
    ];
    for (script, answer) in cases {
        assert_eq!(eval(script), answer, "{script}");
    }
    for (script, why) in [
        (
            "table.insert({}, -2147483648, 1)",
            "user_script:1: bad argument #2 to 'insert' (position out of bounds)",
        ),
        ("table.insert({}, 1, 2, 3)", "user_script:1: wrong number of arguments to 'insert'"),
        (
            "table.insert({}, 'x', 2)",
            "user_script:1: bad argument #2 to 'insert' (number expected, got string)",
        ),
        ("table.sort()", "user_script:1: bad argument #1 to 'sort' (table expected, got no value)"),
        ("table.sort({}, 1)", "user_script:1: bad argument #2 to 'sort' (function expected, got number)"),
        ("table.sort({1, {}})", "attempt to compare table with number"),
        ("table.sort({1, 2}, function() error({err = 'MY own'}) end)", "MY own"),
        ("table.sort({2, 1}, function() redis.call('lpush') end)", "WRONGTYPE Operation"),
        ("return (('a'):gsub('a', function() error({err = 'MY own'}) end))", "MY own"),
        ("return (('a'):gsub('a', function() redis.call('lpush') end))", "WRONGTYPE Operation"),
        ("return (('a'):gsub('a', function() error('mine') end))", "user_script:1: mine"),
        (
            "return (('a'):gsub('a', function() return {} end))",
            "user_script:1: invalid replacement value (a table)",
        ),
        ("for x in ('a'):gmatch('%') do end", "user_script:1: malformed pattern (ends with '%')"),
        ("local function f() return (('a'):gsub('a', f)) end return f()", "stack overflow"),
        (
            "local function f() return (tostring(setmetatable({}, {__tostring = f}))) end return f()",
            "stack overflow",
        ),
        ("local function f() coroutine.wrap(f)() end f()", "stack overflow"),
        ("return unpack({}, 1, 1e8)", "too many results to unpack"),
        ("return ('%99999d'):format(1)", "invalid format (width or precision too long)"),
        ("return table.concat({}, 'x', 1, 1e9)", "invalid value (nil) at index 1 in table for 'concat'"),
        ("return ('a'):find()", "user_script:1: bad argument #1 to 'find' (string expected, got no value)"),
    ] {
        let answer = eval(script);
        assert!(answer.starts_with('-') && answer.contains(why), "{script}: {answer}");
    }
    let caught = "local ok, e = pcall(string.gsub, 'a', 'a', function() error({code = 7}) end) return e.code";
    assert_eq!(eval(caught), ":7");
    assert_eq!(eval("local function f(...) return pcall(f, ...) end return (f() and 1 or 0)"), ":1");
    let many = "for i = 1, 10000 do pcall(string.gsub, 'a', 'a', function() error({}) end) end return 1";
    assert_eq!(eval(many), ":1");
}

#[test]
fn a_script_that_takes_all_memory_ends_alone() {
    let limits = Limits { memory_max_bytes: 8 << 20, ..Limits::default() };
    let (mut scripts, mut host) = (Scripts::new(limits).unwrap(), Strings::default());
    for script in [
        "local t = {} for i = 1, 1e9 do t[i] = {i} end",
        "return string.rep('x', 1e9)",
        "local s = 'x' while true do s = s .. s end",
    ] {
        let answer = run_on(&mut scripts, &mut host, script, &[], &[]);
        assert!(answer.starts_with("-ERR") && answer.contains("not enough memory"), "{script}: {answer}");
        assert_eq!(run_on(&mut scripts, &mut host, "return {1, 'x'}", &[], &[]), "*2 :1 $x");
    }
    let garbage = "local s = '' for i = 1, 20000 do s = string.rep('x', 1000 + i % 7) end return #s";
    assert!(
        run_on(&mut scripts, &mut host, garbage, &[], &[]).starts_with(':'),
        "garbage is collected in time"
    );
}

#[test]
fn random_numbers_are_the_same_in_every_run() {
    let script = "return {math.random(1000), math.random(5, 6), tostring(math.random())}";
    let (mut scripts, mut host) = (Scripts::new(Limits::default()).unwrap(), Strings::default());
    let first = run_on(&mut scripts, &mut host, script, &[], &[]);
    assert_eq!(first, run_on(&mut scripts, &mut host, script, &[], &[]));
    assert!(first.starts_with("*3 :171 "), "drand48 of seed 0 begins with 0.1708: {first}");
    assert!(eval("return math.random(0)").contains("interval is empty"));
}

#[test]
fn lines_are_logged_with_their_level() {
    let (mut scripts, mut host) = (Scripts::new(Limits::default()).unwrap(), Strings::default());
    let answer = run_on(&mut scripts, &mut host, "redis.log(redis.LOG_WARNING, 'a', 2)", &[], &[]);
    assert_eq!((answer.as_str(), &host.logged[..]), ("_", &[(3, "a 2".to_owned())][..]));
    let answer = run_on(&mut scripts, &mut host, "redis.log(9, 'a')", &[], &[]);
    assert!(answer.contains("Invalid debug level."), "{answer}");
}

#[test]
fn a_lock_is_released_and_extended_by_its_owner_alone() {
    let release = "local owner = redis.call('get', KEYS[1]) \
                   if owner == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";
    let extend = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
                  local left = redis.call('pttl', KEYS[1]) if left < 0 then return 0 end \
                  redis.call('pexpire', KEYS[1], left + tonumber(ARGV[2])) return 1";
    let (mut scripts, mut host) = (Scripts::new(Limits::default()).unwrap(), Strings::default());
    host.values.insert(b"lock".to_vec(), b"me".to_vec());
    assert_eq!(run_on(&mut scripts, &mut host, release, &["lock"], &["you"]), ":0");
    assert_eq!(run_on(&mut scripts, &mut host, extend, &["lock"], &["me", "500"]), ":1");
    assert_eq!(host.calls.last().unwrap(), "pexpire lock 1500");
    assert_eq!(run_on(&mut scripts, &mut host, release, &["lock"], &["me"]), ":1");
    assert_eq!(run_on(&mut scripts, &mut host, release, &["lock"], &["me"]), ":0");
}

#[test]
fn bits_and_structures_are_packed_as_their_libraries_do() {
    let cases = [
        ("return {bit.band(0xff, 0x0f), bit.bor(1, 2, 4), bit.bxor(5, 1), bit.bnot(0)}", "*4 :15 :7 :4 :-1"),
        (
            "return {bit.lshift(1, 31), bit.rshift(-1, 28), bit.arshift(-8, 1), bit.tobit(0xffffffff)}",
            "*4 :-2147483648 :15 :-4 :-1",
        ),
        (
            "return {bit.rol(0x12345678, 8), bit.ror(0x12345678, 8), bit.bswap(0x12345678)}",
            "*3 :878082066 :2014458966 :2018915346",
        ),
        ("return {bit.tohex(255), bit.tohex(255, 2), bit.tohex(-1, -4)}", "*3 $000000ff $ff $FFFF"),
        ("return struct.pack('>HBs', 258, 3, 'ab')", "$\\x01\\x02\\x03ab\\x00"),
        ("return {struct.unpack('>HBs', '\\1\\2\\3ab\\0')}", "*4 :258 :3 $ab :7"),
        ("return {struct.unpack('<i4', struct.pack('<i4', -2))}", "*2 :-2 :5"),
        ("return {struct.unpack('>Bc0', struct.pack('>Bc0', 3, 'abc'))}", "*2 $abc :5"),
        ("return {struct.size('>!4BI4'), struct.size('bhld')}", "*2 :8 :19"),
        ("return tostring(struct.unpack('d', struct.pack('d', 0.25)))", "$0.25"),
    ];
    for (script, answer) in cases {
        assert_eq!(eval(script), answer, "{script}");
    }
    for script in [
        "struct.unpack('>I4', 'abc')",
        "struct.pack('q', 1)",
        "struct.pack('I99', 1)",
        "struct.unpack('c0', 'abc')",
        "struct.unpack('s', 'abc')",
        "bit.band()",
        "bit.band({})",
        "struct.unpack('c99999999999999999999', 'a')",
    ] {
        assert!(eval(script).starts_with("-ERR user_script:1: "), "{script}: {}", eval(script));
    }
}

#[test]
fn what_past_runs_were_given_does_not_fill_the_memory() {
    let mut scripts = Scripts::new(Limits::default()).unwrap();
    let mut host = Strings::default();
    for number in 0..400 {
        let large = "x".repeat(256 * 1024);
        let script = format!("return {number}");
        let answer = run_on(&mut scripts, &mut host, &script, &[], &[&large]);
        assert_eq!(answer, format!(":{number}"));
    }
}

#[test]
fn large_scripts_give_way_to_new_ones() {
    let mut scripts = Scripts::new(Limits::default()).unwrap();
    let mut host = Strings::default();
    for number in 0..80 {
        let script = format!("local s = '{number}{}' return {number}", "x".repeat(700 * 1024));
        assert_eq!(run_on(&mut scripts, &mut host, &script, &[], &[]), format!(":{number}"));
    }
    let much = "return #string.rep('x', 4 * 1024 * 1024)";
    assert_eq!(run_on(&mut scripts, &mut host, much, &[], &[]), ":4194304");
}

#[test]
fn loaded_scripts_leave_memory_to_those_that_run() {
    let mut scripts = Scripts::new(Limits::default()).unwrap();
    let large = |number: u32| format!("local s = '{number}{}' return {number}", "x".repeat(700 * 1024));
    let evaluated = run_on(&mut scripts, &mut Strings::default(), "return 'small'", &[], &[]);
    assert_eq!(evaluated, "$small");
    let loaded = (0..60).take_while(|number| match scripts.load(large(*number).as_bytes()) {
        Ok(_) => true,
        Err(text) => {
            assert!(text.contains("SCRIPT FLUSH"), "{text}");
            false
        }
    });
    let loaded: Vec<u32> = loaded.collect();
    assert!((10..40).contains(&loaded.len()), "{loaded:?}");
    assert_eq!(scripts.loaded().count(), loaded.len());
    // A successor, which is given them in any order, keeps them all.
    let mut successor = Scripts::new(Limits::default()).unwrap();
    for source in scripts.loaded() {
        successor.load(source).unwrap();
    }
    let much = "return #string.rep('x', 4 * 1024 * 1024)";
    assert_eq!(run_on(&mut scripts, &mut Strings::default(), much, &[], &[]), ":4194304");
    scripts.flush();
    scripts.load(large(60).as_bytes()).unwrap();
}

#[test]
fn a_value_that_stands_in_itself_many_times_is_not_written_out() {
    let shared = "local t = string.rep('x', 65536) for i = 1, 60 do t = {t, t} end";
    for (rest, answer) in [
        ("return cjson.encode(t)", "-ERR user_script:1: Cannot serialise, the result is too long"),
        ("return t", "-ERR the script's answer is too long"),
        ("return {1, {map = {[1] = t}}}", "-ERR the script's answer is too long"),
        ("return {1, {set = {[t] = true}}}", "-ERR the script's answer is too long"),
    ] {
        let said = eval(&format!("{shared} {rest}"));
        assert!(said.starts_with(answer), "{rest}: {}", &said[..said.len().min(200)]);
    }
    let wide = "local s, t = string.rep('x', 1024 * 1024), {} for i = 1, 200 do t[i] = s end";
    let too_long = "-ERR user_script:1: Cannot serialise, the result is too long";
    for (rest, answer) in [
        ("return cmsgpack.pack(t)", too_long),
        ("return cmsgpack.pack(unpack(t))", too_long),
        ("return cjson.encode({[string.rep('\\1', 12 * 1024 * 1024)] = 1})", too_long),
        ("return struct.pack(string.rep('s', 200), unpack(t))", too_long),
        ("return struct.pack(string.rep('c0', 200), unpack(t))", too_long),
        ("return t", "-ERR the script's answer is too long"),
        ("return redis.call('SET', unpack(t))", "-ERR the command is too long"),
        ("return #cmsgpack.pack(s, s) + #cjson.encode({s, s})", ":4194321"),
    ] {
        let said = eval(&format!("{wide} {rest}"));
        assert!(said.starts_with(answer), "{rest}: {}", &said[..said.len().min(200)]);
    }
}

#[test]
fn more_than_a_million_values_are_packed() {
    let script = "local t = {} for i = 1, 1100000 do t[i] = 'x' end return #cmsgpack.pack(t)";
    assert_eq!(eval(script), ":2200005");
}
