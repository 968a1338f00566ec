//! What fails says so in the words of Redis and of Lua.

use super::{Strings, eval, run_on};
use crate::script::{Limits, Scripts, sha};

#[test]
fn errors_have_the_texts_of_redis() {
    let mut scripts = Scripts::new(Limits::default()).unwrap();
    let mut check = |script: &str, text: &str| {
        let answer = run_on(&mut scripts, &mut Strings::default(), script, &[], &[]);
        let sha = String::from_utf8(sha(script.as_bytes()).to_vec()).unwrap();
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
