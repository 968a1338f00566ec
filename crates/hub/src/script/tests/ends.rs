//! Scripts that would not end, or would take all memory, end alone.

use std::time::{Duration, Instant};

use super::{Strings, eval, run_on};
use crate::script::{Limits, Scripts};

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
