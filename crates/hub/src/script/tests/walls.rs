//! What a script may not do, cannot reach, and does not leave behind.

use super::{Strings, Text, eval, run_on};
use crate::script::{Limits, Request, Scripts, Source};

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
