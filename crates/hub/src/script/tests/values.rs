//! Values of Lua as answers, answers as values of Lua, and both as bytes.

use super::eval;

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
fn more_than_a_million_values_are_packed() {
    let script = "local t = {} for i = 1, 1100000 do t[i] = 'x' end return #cmsgpack.pack(t)";
    assert_eq!(eval(script), ":2200005");
}
