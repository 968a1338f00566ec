"""The same random commands to two servers; what they answer has to be the same, byte for byte.

    differential.py ONE OTHER SEED COMMANDS [FAMILY ...]

ONE and OTHER are redis:// or unix:// URLs; of each family of commands, COMMANDS are sent in RESP2 and as many in RESP3, pipelined.
Where an order is free (the members of a set, the fields of a hash) answers are compared sorted, where chance decides only
their shape, and times to live within two seconds. A difference is shown with the commands before it that touched the
same keys, and ends the run with code 1.
"""

import random
import socket
import sys
from urllib.parse import urlsplit

BATCH = 40
KEYS = [b"k%d" % number for number in range(6)]
# Sorted sets whose members all have the same score: what a range by members is made for.
EQUALS = [b"equal1", b"equal2"]
# Keys and fields for sums of fractions, and what they are made of: the other computes in longer floats, which shows in
# others.
EXACT = [b"0", b"1", b"1.5", b"-2.25", b"3", b"10", b"1e3", b"nan", b"inf", b"x", b""]
FRACTIONS = [b"fraction1", b"fraction2"]
MEMBERS = [b"a", b"b", b"c", b"d", b"e", b"10", b"9", b"-3", b"2.5", b"", b"x\r\ny", b"\xff\x00", b"long" * 30]
NUMBERS = [b"0", b"1", b"2", b"3", b"5", b"-1", b"-2", b"-3", b"10", b"100", b"-100"]
ODD_NUMBERS = [
    b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"007", b"+1", b" 1", b"1.0", b"", b"x", b"-0",
    b"4294967296",
]
# No time to live, or one that is refused: what ends soon would end sooner here than there.
NO_TIMES = [b"0", b"-1", b"x", b"9223372036854775807", b"", b"1.5"]
FLOATS = [b"0", b"1", b"1.5", b"-2.25", b"3", b"10", b"100", b"inf", b"-inf", b"+inf", b"1e3", b"0.1"]
ODD_FLOATS = [b"nan", b"abc", b"", b" 1", b"1,5"]


class Reply(tuple):
    """A sort (its first byte) and a value."""


class Client:
    def __init__(self, url):
        parts = urlsplit(url)
        if parts.scheme == "unix":
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(10)
            self.socket.connect(parts.path)
        else:
            self.socket = socket.create_connection((parts.hostname, parts.port), timeout=10)
        self.input = b""
        self.place = 0
        if parts.password:
            self.send([[b"AUTH", (parts.username or "default").encode(), parts.password.encode()]])
            assert self.read() == ("+", b"OK")

    def send(self, commands):
        words = []
        for command in commands:
            words.append(b"*%d\r\n" % len(command))
            words.extend(b"$%d\r\n%s\r\n" % (len(word), word) for word in command)
        self.socket.sendall(b"".join(words))

    def more(self):
        got = self.socket.recv(1 << 16)
        if not got:
            raise ConnectionError("the server has ended the connection")
        self.input = self.input[self.place :] + got
        self.place = 0

    def line(self):
        while (end := self.input.find(b"\r\n", self.place)) < 0:
            self.more()
        line = self.input[self.place : end]
        self.place = end + 2
        return line

    def bytes(self, count):
        while len(self.input) - self.place < count + 2:
            self.more()
        text = self.input[self.place : self.place + count]
        assert self.input[self.place + count : self.place + count + 2] == b"\r\n"
        self.place += count + 2
        return text

    def read(self):
        line = self.line()
        sort, rest = chr(line[0]), line[1:]
        if sort in "$=!":
            return Reply((sort, None if rest == b"-1" else self.bytes(int(rest))))
        if sort in "*~>":
            return Reply((sort, None if rest == b"-1" else [self.read() for _ in range(int(rest))]))
        if sort == "%":
            return Reply((sort, [Reply(("pair", [self.read(), self.read()])) for _ in range(int(rest))]))
        return Reply((sort, rest))

    def ask(self, *command):
        self.send([list(command)])
        return self.read()


class Words:
    """Random words for commands."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def one(self, of):
        return self.random.choice(of)

    def often(self, chance):
        return self.random.random() < chance

    def key(self):
        return self.one(KEYS)

    def keys(self, most=3):
        return [self.key() for _ in range(self.random.randint(1, most))]

    def value(self):
        if self.often(0.3):
            return self.number()
        return self.one(MEMBERS)

    def member(self):
        return self.one(MEMBERS)

    def members(self, most=4):
        return [self.member() for _ in range(self.random.randint(1, most))]

    def number(self, odd=0.05):
        return self.one(ODD_NUMBERS) if self.often(odd) else self.one(NUMBERS)

    def count(self):
        return self.number(0.03) if self.often(0.3) else self.one([b"0", b"1", b"2", b"3", b"10"])

    def float(self, odd=0.05):
        return self.one(ODD_FLOATS) if self.often(odd) else self.one(FLOATS)

    def seconds(self):
        return self.one([b"100", b"1000", b"5000"]) if self.often(0.9) else self.one(NO_TIMES)

    def millis(self):
        return self.one([b"100000", b"900000", b"5000000"]) if self.often(0.9) else self.one(NO_TIMES)

    def maybe(self, chance, *words):
        """Some words, or none."""
        if not self.often(chance):
            return []
        return [word() if callable(word) else word for word in words]

    def some(self, *choices):
        """A few of the choices, each a list of words."""
        return [
            word() if callable(word) else word
            for choice in choices
            if self.often(0.25)
            for word in choice
        ]

    def score_bound(self):
        if self.often(0.05):
            return self.one([b"((1", b"x", b"[1"])
        return self.one([b"", b"("]) + self.float(0.02)

    def lex_bound(self):
        if self.often(0.05):
            return self.one([b"a", b"", b"++", b"(", b"["])
        return self.one([b"-", b"+", b"[" + self.member(), b"(" + self.member()])

    def stream_id(self):
        if self.often(0.05):
            return self.one([b"x", b"1-", b"-1", b"1-x", b"0-0", b"+", b"-"])
        milliseconds, number = self.random.randint(0, 30), self.random.randint(0, 30)
        return b"%d-%d" % (milliseconds, number) if self.often(0.7) else b"%d" % (milliseconds + 1)


def strings(w):
    return w.one([
        lambda: [b"SET", w.key(), w.value(), *w.some([b"NX"], [b"XX"], [b"GET"], [b"KEEPTTL"], [b"EX", w.seconds], [b"PX", w.millis])],
        lambda: [b"SET", w.key(), w.value()],
        lambda: [b"SET", w.key(), w.number()],
        lambda: [b"GET", w.key()],
        lambda: [b"GETSET", w.key(), w.value()],
        lambda: [b"GETDEL", w.key()],
        lambda: [b"GETEX", w.key(), *w.some([b"EX", b"100"], [b"PX", b"900000"], [b"PERSIST"])],
        lambda: [b"SETEX", w.key(), w.seconds(), w.value()],
        lambda: [b"PSETEX", w.key(), w.millis(), w.value()],
        lambda: [b"SETNX", w.key(), w.value()],
        lambda: [b"MGET", *w.keys()],
        lambda: [b"MSET", *[word for key in w.keys() for word in (key, w.value())], *w.maybe(0.05, w.key)],
        lambda: [b"MSETNX", *[word for key in w.keys() for word in (key, w.value())], *w.maybe(0.05, w.key)],
        lambda: [b"INCR", w.key()],
        lambda: [b"DECR", w.key()],
        lambda: [b"INCRBY", w.key(), w.number()],
        lambda: [b"DECRBY", w.key(), w.number()],
        lambda: [b"INCRBYFLOAT", w.one(FRACTIONS), w.one(EXACT)],
        lambda: [b"SET", w.one(FRACTIONS), w.one(EXACT)],
        lambda: [b"APPEND", w.key(), w.value()],
        lambda: [b"STRLEN", w.key()],
        lambda: [b"GETRANGE", w.key(), w.number(), w.number()],
        lambda: [b"SUBSTR", w.key(), w.number(), w.number()],
        lambda: [b"SETRANGE", w.key(), w.number(), w.value()],
    ])()


def anything(w):
    return w.one([
        lambda: [b"SET", w.key(), w.value()],
        lambda: [b"RPUSH", w.key(), *w.members()],
        lambda: [b"SADD", w.key(), *w.members()],
        lambda: [b"HSET", w.key(), w.member(), w.value()],
        lambda: [b"ZADD", w.key(), w.float(), w.member()],
    ])()


def keys(w):
    return w.one([
        lambda: anything(w),
        lambda: anything(w),
        lambda: [w.one([b"DEL", b"UNLINK", b"EXISTS", b"TOUCH"]), *w.keys()],
        lambda: [b"TYPE", w.key()],
        lambda: [b"EXPIRE", w.key(), w.seconds(), *w.some([b"NX"], [b"XX"], [b"GT"], [b"LT"])],
        lambda: [b"PEXPIRE", w.key(), w.millis(), *w.some([b"NX"], [b"XX"], [b"GT"], [b"LT"])],
        lambda: [b"EXPIREAT", w.key(), w.one([b"33177117420", b"33177117421", b"1", b"x"]), *w.some([b"NX"], [b"XX"], [b"GT"], [b"LT"])],
        lambda: [b"PEXPIREAT", w.key(), w.one([b"33177117420123", b"33177117421000", b"1"]), *w.some([b"NX"], [b"GT"], [b"LT"])],
        lambda: [w.one([b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME"]), w.key()],
        lambda: [b"PERSIST", w.key()],
        lambda: [b"KEYS", w.one([b"*", b"k?", b"k[0-2]", b"k[^1]", b"\\k1", b"", b"k[3", b"K*", b"*1*"])],
        lambda: [b"SCAN", b"0", b"COUNT", b"1000", *w.some([b"MATCH", lambda: w.one([b"k*", b"k[1-3]"])], [b"TYPE", lambda: w.one([b"string", b"list", b"set", b"hash", b"zset", b"stream"])])],
        lambda: [b"SCAN", w.one([b"x", b"0"]), *w.some([b"COUNT", lambda: w.one([b"0", b"-1", b"x", b"1000"])], [b"FOO"]), b"COUNT", b"1000"],
        lambda: [w.one([b"RENAME", b"RENAMENX"]), w.key(), w.key()],
        lambda: [b"COPY", w.key(), w.key(), *w.some([b"REPLACE"], [b"DB", lambda: w.one([b"0", b"1", b"99", b"x"])])],
        lambda: [b"MOVE", w.key(), w.one([b"1", b"0", b"99", b"x"])],
        lambda: [b"DBSIZE"],
        lambda: [b"RANDOMKEY"],
        lambda: [b"OBJECT", w.one([b"FREQ", b"IDLETIME", b"FOO"]), w.key()],
        lambda: [b"SORT", w.key(), *w.some([b"ALPHA"], [b"DESC"], [b"LIMIT", w.number, w.number], [b"STORE", w.key], [b"BY", b"nosort"], [b"GET", b"#"], [b"GET", b"k*"])],
        lambda: [b"SWAPDB", w.one([b"0", b"1"]), w.one([b"1", b"2", b"99", b"x"])],
        lambda: [b"SELECT", w.one([b"0", b"0", b"1", b"99", b"-1", b"x"])],
        lambda: [w.one([b"FLUSHDB", b"FLUSHALL"]), *w.some([b"ASYNC"], [b"SYNC"], [b"FOO"])] if w.often(0.2) else [b"PERSIST", w.key()],
        lambda: [w.one([b"NOSUCH", b"GETT", b"x\r\ny", b""]), *w.members()],
    ])()


def lists(w):
    side = lambda: w.one([b"LEFT", b"RIGHT"] * 8 + [b"UP"])
    return w.one([
        lambda: [w.one([b"LPUSH", b"RPUSH"]), w.key(), *w.members()],
        lambda: [w.one([b"LPUSH", b"RPUSH"]), w.key(), *w.members()],
        lambda: [w.one([b"LPUSHX", b"RPUSHX"]), w.key(), *w.members()],
        lambda: [w.one([b"LPOP", b"RPOP"]), w.key(), *w.maybe(0.4, w.count)],
        lambda: [b"LLEN", w.key()],
        lambda: [b"LRANGE", w.key(), w.number(), w.number()],
        lambda: [b"LREM", w.key(), w.number(), w.member()],
        lambda: [b"LTRIM", w.key(), w.number(), w.number()],
        lambda: [b"LINDEX", w.key(), w.number()],
        lambda: [b"LSET", w.key(), w.number(), w.member()],
        lambda: [b"LINSERT", w.key(), w.one([b"BEFORE", b"AFTER", b"before", b"X"]), w.member(), w.member()],
        lambda: [b"LPOS", w.key(), w.member(), *w.some([b"RANK", w.number], [b"COUNT", w.count], [b"MAXLEN", w.count])],
        lambda: [b"LMOVE", w.key(), w.key(), side(), side()],
        lambda: [b"RPOPLPUSH", w.key(), w.key()],
        lambda: [b"LMPOP", w.one([b"1", b"2", b"0", b"x"]), *w.keys(2), side(), *w.some([b"COUNT", w.count])],
        # They wait where nothing is there: only with what surely answers at once.
        lambda: [w.one([b"BLPOP", b"BRPOP"]), *w.keys(2), w.one([b"x", b"-1"])],
        lambda: [b"BLMPOP", b"-1", b"1", w.key(), side()],
        lambda: [b"BLMOVE", w.key(), w.key(), side(), side(), w.one([b"-1", b"x"])],
        lambda: [b"DEL", w.key()],
        lambda: [b"SET", w.key(), b"v"] if w.often(0.2) else [b"DEL", w.key()],
    ])()


def hashes(w):
    return w.one([
        lambda: [w.one([b"HSET", b"HMSET"]), w.key(), *[word for field in w.members() for word in (field, w.value())], *w.maybe(0.05, w.member)],
        lambda: [w.one([b"HSET", b"HMSET"]), w.key(), *[word for field in w.members() for word in (field, w.value())]],
        lambda: [b"HSETNX", w.key(), w.member(), w.value()],
        lambda: [b"HGET", w.key(), w.member()],
        lambda: [b"HMGET", w.key(), *w.members()],
        lambda: [w.one([b"HGETALL", b"HKEYS", b"HVALS", b"HLEN"]), w.key()],
        lambda: [b"HDEL", w.key(), *w.members()],
        lambda: [w.one([b"HEXISTS", b"HSTRLEN"]), w.key(), w.member()],
        lambda: [b"HINCRBY", w.key(), w.member(), w.number()],
        lambda: [b"HINCRBYFLOAT", w.key(), w.one(FRACTIONS), w.one(EXACT)],
        lambda: [b"HSET", w.key(), w.one(FRACTIONS), w.one(EXACT)],
        lambda: [b"HSCAN", w.key(), b"0", b"COUNT", b"1000", *w.some([b"MATCH", lambda: w.one([b"*", b"[a-c]"])], [b"COUNT", lambda: w.one([b"1000", b"x", b"0"])])],
        lambda: [b"HRANDFIELD", w.key(), *w.maybe(0.6, w.number, *w.maybe(0.4, b"WITHVALUES"))],
        lambda: [b"DEL", w.key()] if w.often(0.3) else [b"SET", w.key(), b"v"] if w.often(0.2) else [b"HLEN", w.key()],
    ])()


def sets(w):
    return w.one([
        lambda: [b"SADD", w.key(), *w.members()],
        lambda: [b"SADD", w.key(), *w.members()],
        lambda: [b"SREM", w.key(), *w.members()],
        lambda: [b"SMEMBERS", w.key()],
        lambda: [b"SISMEMBER", w.key(), w.member()],
        lambda: [b"SMISMEMBER", w.key(), *w.members()],
        lambda: [b"SCARD", w.key()],
        lambda: [b"SPOP", w.key(), w.one([b"1000", b"0", b"-1", b"x"])],
        lambda: [b"SRANDMEMBER", w.key(), *w.maybe(0.6, w.number)],
        lambda: [b"SSCAN", w.key(), b"0", b"COUNT", b"1000", *w.some([b"MATCH", lambda: w.one([b"*", b"[a-c]"])], [b"COUNT", lambda: w.one([b"1000", b"x", b"0"])])],
        lambda: [b"SMOVE", w.key(), w.key(), w.member()],
        lambda: [w.one([b"SINTER", b"SUNION", b"SDIFF"]), *w.keys()],
        lambda: [w.one([b"SINTERSTORE", b"SUNIONSTORE", b"SDIFFSTORE"]), w.key(), *w.keys()],
        lambda: [b"SINTERCARD", w.one([b"1", b"2", b"0", b"x", b"3"]), *w.keys(), *w.some([b"LIMIT", w.count])],
        lambda: [b"DEL", w.key()] if w.often(0.3) else [b"SET", w.key(), b"v"] if w.often(0.2) else [b"SCARD", w.key()],
    ])()


def sorted_sets(w):
    counted = lambda: (lambda found: [b"%d" % len(found), *found])(w.keys())
    weights = lambda: w.some([b"AGGREGATE", lambda: w.one([b"SUM", b"MIN", b"MAX", b"X"])]) if w.often(0.5) else [b"WEIGHTS", w.float(), w.float()]
    return w.one([
        lambda: [b"ZADD", w.key(), *w.some([b"NX"], [b"XX"], [b"GT"], [b"LT"], [b"CH"], [b"INCR"]), *[word for member in w.members() for word in (w.float(0.02), member)]],
        lambda: [b"ZADD", w.key(), *[word for member in w.members() for word in (w.float(0.02), member)]],
        lambda: [b"ZADD", w.one(EQUALS), *[word for member in w.members() for word in (b"0", member)]],
        lambda: [b"ZINCRBY", w.key(), w.float(), w.member()],
        lambda: [b"ZREM", w.key(), *w.members()],
        lambda: [w.one([b"ZSCORE", b"ZRANK", b"ZREVRANK"]), w.key(), w.member()],
        lambda: [b"ZMSCORE", w.key(), *w.members()],
        lambda: [b"ZCARD", w.key()],
        lambda: [b"ZCOUNT", w.key(), w.score_bound(), w.score_bound()],
        lambda: [b"ZLEXCOUNT", w.one(EQUALS), w.lex_bound(), w.lex_bound()],
        lambda: [b"ZRANGE", w.key(), w.number(), w.number(), *w.some([b"REV"], [b"WITHSCORES"], [b"LIMIT", w.number, w.number])],
        lambda: [b"ZRANGE", w.key(), w.score_bound(), w.score_bound(), b"BYSCORE", *w.some([b"REV"], [b"WITHSCORES"], [b"LIMIT", w.number, w.number])],
        lambda: [b"ZRANGE", w.one(EQUALS), w.lex_bound(), w.lex_bound(), b"BYLEX", *w.some([b"REV"], [b"LIMIT", w.number, w.number], [b"WITHSCORES"])],
        lambda: [b"ZRANGESTORE", w.key(), w.key(), w.number(), w.number(), *w.some([b"REV"], [b"BYSCORE"], [b"LIMIT", w.number, w.number])],
        lambda: [b"ZRANGESTORE", w.key(), w.one(EQUALS), w.lex_bound(), w.lex_bound(), b"BYLEX", *w.some([b"REV"], [b"BYSCORE"], [b"LIMIT", w.number, w.number])],
        lambda: [w.one([b"ZRANGEBYSCORE", b"ZREVRANGEBYSCORE"]), w.key(), w.score_bound(), w.score_bound(), *w.some([b"WITHSCORES"], [b"LIMIT", w.number, w.number])],
        lambda: [w.one([b"ZRANGEBYLEX", b"ZREVRANGEBYLEX"]), w.one(EQUALS), w.lex_bound(), w.lex_bound(), *w.some([b"LIMIT", w.number, w.number])],
        lambda: [b"ZREVRANGE", w.key(), w.number(), w.number(), *w.some([b"WITHSCORES"])],
        lambda: [b"ZREMRANGEBYSCORE", w.key(), w.score_bound(), w.score_bound()],
        lambda: [b"ZREMRANGEBYRANK", w.key(), w.number(), w.number()],
        lambda: [b"ZREMRANGEBYLEX", w.one(EQUALS), w.lex_bound(), w.lex_bound()],
        lambda: [w.one([b"ZPOPMIN", b"ZPOPMAX"]), w.key(), *w.maybe(0.4, w.count)],
        lambda: [b"ZMPOP", *counted(), w.one([b"MIN", b"MAX", b"X"]), *w.some([b"COUNT", w.count])],
        lambda: [w.one([b"BZPOPMIN", b"BZPOPMAX"]), w.key(), w.one([b"-1", b"x"])],
        lambda: [b"ZSCAN", w.key(), b"0", b"COUNT", b"1000", *w.some([b"MATCH", lambda: w.one([b"*", b"[a-c]"])], [b"COUNT", lambda: w.one([b"1000", b"x"])])],
        lambda: [b"ZRANDMEMBER", w.key(), *w.maybe(0.6, w.number, *w.maybe(0.4, b"WITHSCORES"))],
        lambda: [w.one([b"ZUNION", b"ZINTER"]), *counted(), *weights(), *w.some([b"WITHSCORES"])],
        lambda: [b"ZDIFF", *counted(), *w.some([b"WITHSCORES"])],
        lambda: [w.one([b"ZUNIONSTORE", b"ZINTERSTORE"]), w.key(), *counted(), *weights()],
        lambda: [b"ZDIFFSTORE", w.key(), *counted()],
        lambda: [b"ZINTERCARD", *counted(), *w.some([b"LIMIT", w.count])],
        lambda: [b"SADD", w.key(), *w.members()] if w.often(0.2) else [b"DEL", w.key()] if w.often(0.3) else [b"ZCARD", w.key()],
    ])()


def streams(w):
    group = lambda: w.one([b"g1", b"g1", b"g2", b"nope"])
    who = lambda: w.one([b"c1", b"c2", b"c3"])
    edge = lambda: w.one([b"-", b"+", w.stream_id(), b"(" + w.stream_id()])
    trim = lambda: [w.one([b"MAXLEN", b"MAXLEN", b"FOO"]), *w.maybe(0.2, b"="), w.count()] if w.often(0.6) else [b"MINID", w.stream_id()]
    return w.one([
        lambda: [b"XADD", w.key(), *w.maybe(0.2, b"NOMKSTREAM"), *(trim() if w.often(0.2) else []), w.stream_id(), w.member(), w.value(), *w.maybe(0.05, w.member)],
        lambda: [b"XADD", w.key(), b"%d-*" % w.random.randint(0, 60), w.member(), w.value()],
        lambda: [b"XADD", w.key(), w.stream_id(), w.member(), w.value()],
        lambda: [b"XLEN", w.key()],
        lambda: [b"XRANGE", w.key(), edge(), edge(), *w.some([b"COUNT", w.count])],
        lambda: [b"XREVRANGE", w.key(), edge(), edge(), *w.some([b"COUNT", w.count])],
        lambda: [b"XREAD", *w.some([b"COUNT", w.count]), b"STREAMS", w.key(), w.key(), w.stream_id(), w.one([b"0", b"$", w.stream_id()])],
        lambda: [b"XREAD", *w.some([b"BLOCK", lambda: w.one([b"-1", b"x"])]), b"STREAMS", w.key(), *w.maybe(0.9, w.stream_id)],
        lambda: [b"XTRIM", w.key(), *trim(), *w.some([b"LIMIT", w.count])],
        lambda: [b"XDEL", w.key(), w.stream_id(), *w.maybe(0.3, w.stream_id)],
        lambda: [b"XGROUP", b"CREATE", w.key(), group(), w.one([b"0", b"$", w.stream_id()]), *w.some([b"MKSTREAM"], [b"ENTRIESREAD", lambda: w.one([b"0", b"-2", b"x"])])],
        lambda: [b"XGROUP", b"CREATE", w.key(), group(), b"0", b"MKSTREAM"],
        lambda: [b"XGROUP", b"SETID", w.key(), group(), w.one([b"0", b"$", w.stream_id()]), *w.some([b"ENTRIESREAD", lambda: w.one([b"0", b"-2", b"x"])])],
        lambda: [b"XGROUP", w.one([b"DESTROY", b"FOO"]), w.key(), group()] if w.often(0.3) else [b"XLEN", w.key()],
        lambda: [b"XGROUP", w.one([b"CREATECONSUMER", b"DELCONSUMER"]), w.key(), group(), who()],
        lambda: [b"XREADGROUP", b"GROUP", group(), who(), *w.some([b"COUNT", w.count], [b"NOACK"]), b"STREAMS", w.key(), b">"],
        lambda: [b"XREADGROUP", b"GROUP", b"g1", who(), b"COUNT", b"2", b"STREAMS", w.key(), b">"],
        lambda: [b"XREADGROUP", b"GROUP", group(), who(), *w.some([b"COUNT", w.count]), b"STREAMS", w.key(), w.stream_id()],
        lambda: [b"XACK", w.key(), group(), w.stream_id(), *w.maybe(0.3, w.stream_id)],
        lambda: [b"XPENDING", w.key(), group()],
        lambda: [b"XPENDING", w.key(), group(), *w.some([b"IDLE", b"0"]), edge(), edge(), w.count(), *w.maybe(0.3, who)],
        lambda: [b"XCLAIM", w.key(), group(), who(), b"0", w.stream_id(), *w.maybe(0.3, w.stream_id), *w.some([b"FORCE"], [b"JUSTID"], [b"RETRYCOUNT", w.count], [b"LASTID", w.stream_id], [b"IDLE", b"10"])],
        lambda: [b"XAUTOCLAIM", w.key(), group(), who(), b"0", w.one([b"-", b"0", w.stream_id()]), *w.some([b"COUNT", w.count], [b"JUSTID"])],
        lambda: [b"XINFO", w.one([b"STREAM", b"GROUPS"]), w.key()],
        lambda: [b"XINFO", b"STREAM", w.key(), b"FULL", *w.some([b"COUNT", w.count])],
        lambda: [b"XINFO", b"CONSUMERS", w.key(), group()],
        lambda: [b"XSETID", w.key(), b"%d" % w.random.randint(50, 80), *w.some([b"ENTRIESADDED", w.number], [b"MAXDELETEDID", w.stream_id])],
        lambda: [b"DEL", w.key()] if w.often(0.15) else [b"SET", w.key(), b"v"] if w.often(0.05) else [b"XLEN", w.key()],
    ])()


def bits(w):
    offset = lambda: w.one([b"0", b"1", b"7", b"8", b"100", b"-1", b"x", b"4294967296"])
    field = lambda: w.one([b"u8", b"i8", b"u4", b"i5", b"u63", b"i64", b"u64", b"x", b"u0", b"i16"])
    return w.one([
        lambda: [b"SET", w.key(), w.value()],
        lambda: [b"SETBIT", w.key(), offset(), w.one([b"0", b"1", b"1", b"2"])],
        lambda: [b"GETBIT", w.key(), offset()],
        lambda: [b"BITCOUNT", w.key(), *w.maybe(0.5, w.number, w.number, *w.some([b"BIT"], [b"BYTE"], [b"X"]))],
        lambda: [b"BITPOS", w.key(), w.one([b"0", b"1", b"2", b"x"]), *w.maybe(0.5, w.number, *w.maybe(0.6, w.number, *w.some([b"BIT"], [b"BYTE"])))],
        lambda: [b"BITOP", w.one([b"AND", b"OR", b"XOR", b"NOT", b"FOO"]), w.key(), *w.keys()],
        lambda: [b"BITOP", b"NOT", w.key(), w.key()],
        lambda: [b"BITFIELD", w.key(), *w.some([b"GET", field, offset], [b"OVERFLOW", lambda: w.one([b"WRAP", b"SAT", b"FAIL", b"X"])], [b"SET", field, lambda: w.one([b"#1", b"0", b"5"]), w.number], [b"INCRBY", field, offset, w.number], [b"OVERFLOW", b"FAIL"], [b"INCRBY", b"u8", b"#2", b"100"])],
        lambda: [b"BITFIELD_RO", w.key(), *w.some([b"GET", field, offset], [b"SET", b"u8", b"0", b"1"])],
        lambda: [b"GET", w.key()],
        lambda: [b"DEL", w.key()],
    ])()


def transactions(w):
    if w.often(0.35):
        return w.one([
            [b"MULTI"], [b"EXEC"], [b"EXEC"], [b"DISCARD"], [b"WATCH", w.key()], [b"UNWATCH"], [b"SET", w.key()],
            [b"NOSUCH"], [b"EXEC", b"x"], [b"MULTI", b"x"], [b"WATCH"],
        ])
    return w.one([strings, lists, hashes, sets, anything])(w)


def connection(w):
    return w.one([
        [b"PING"], [b"PING", w.member()], [b"PING", b"a", b"b"], [b"ECHO", w.member()], [b"ECHO"], [b"SELECT", w.number(0.3)],
        [b"SELECT", b"0"], [b"CLIENT", b"GETNAME"], [b"CLIENT", b"SETNAME", w.one([b"me", b"a b", b"", b"x\ny"])],
        [b"CLIENT", b"FOO"], [b"CLIENT"], [b"CLIENT", b"ID", b"x"], [b"CLIENT", b"NO-EVICT", b"on"], [b"CLIENT", b"GETREDIR"],
        [b"CLIENT", b"KILL", b"ID", b"x"], [b"CLIENT", b"KILL", b"1.2.3.4:5"], [b"CLIENT", b"UNBLOCK", b"123456789123"],
        [b"CLIENT", b"KILL", b"TYPE", b"foo"], [b"CLIENT", b"KILL", b"ID", b"987654321987"], [b"CLIENT", b"REPLY", b"FOO"],
        [b"CLIENT", b"UNBLOCK", b"x"], [b"CLIENT", b"UNBLOCK", b"1", b"FOO"], [b"CLIENT", b"LIST", b"FOO"], [b"CLIENT", b"LIST", b"TYPE", b"foo"],
        [b"CLIENT", b"LIST", b"ID", b"x"], [b"CLIENT", b"TRACKINGINFO"], [b"CLIENT", b"TRACKING", b"OFF"],
        [b"PUBSUB", b"CHANNELS"], [b"PUBSUB", b"NUMSUB", b"a", b"b"], [b"PUBSUB", b"NUMPAT"], [b"PUBSUB", b"FOO"], [b"PUBSUB"],
        [b"PUBSUB", b"SHARDCHANNELS"], [b"PUBSUB", b"SHARDNUMSUB", b"a"], [b"PUBSUB", b"NUMSUB"],
        [b"PUBLISH", b"ch", b"x"], [b"PUBLISH", b"ch"], [b"SPUBLISH", b"ch", b"x"],
        [b"AUTH"], [b"AUTH", b"a", b"b", b"c"], [b"HELLO", b"9"], [b"HELLO", b"x"], [b"HELLO", b"3", b"FOO"], [b"HELLO", b"2", b"SETNAME"],
        [b"WAIT", b"0", b"1"], [b"WAIT", b"x", b"1"], [b"WAIT", b"0", b"-1"], [b"WAIT", b"0"], [b"ROLE"], [b"LASTSAVE", b"x"], [b"READONLY"],
        [b"COMMAND", b"FOO"], [b"COMMAND", b"GETKEYS", b"GET"], [b"COMMAND", b"GETKEYS", b"MSET", b"a", b"1", b"b", b"2"],
        [b"COMMAND", b"GETKEYS", b"NOSUCH"], [b"COMMAND", b"GETKEYS", b"ECHO", b"x"], [b"COMMAND", b"GETKEYS", b"EVAL", b"x", b"2", b"a", b"b"],
        [b"COMMAND", b"GETKEYS", b"ZUNIONSTORE", b"d", b"2", b"a", b"b"], [b"COMMAND", b"GETKEYS", b"XREAD", b"STREAMS", b"a", b"b", b"0", b"0"],
        [b"COMMAND", b"INFO", b"nosuch"], [b"CONFIG", b"FOO"], [b"CONFIG"], [b"CONFIG", b"GET"], [b"CONFIG", b"SET", b"nosuch", b"1"],
        [b"CONFIG", b"SET", b"notify-keyspace-events", b"!"], [b"CONFIG", b"SET", b"x"], [b"SCRIPT", b"FOO"], [b"SCRIPT", b"EXISTS", b"a", b"b"],
        [b"SCRIPT", b"EXISTS"], [b"SCRIPT"], [b"SCRIPT", b"KILL"], [b"SCRIPT", b"LOAD", b"return 1"], [b"SCRIPT", b"FLUSH", b"FOO"],
        [b"EVAL", b"return 1"], [b"EVAL", b"return 1", b"x"], [b"EVAL", b"return 1", b"-1"], [b"EVAL", b"return 1", b"2", b"a"],
        [b"EVAL", b"return {KEYS[1],ARGV[1]}", b"1", w.key(), w.member()], [b"EVALSHA", b"abc", b"0"],
        [b"EVAL", b"return redis.call('NOSUCH')", b"0"], [b"EVAL", b"return redis.call('GET')", b"0"],
        [b"EVAL", b"return {1,2.9,'x',true,false,nil,3}", b"0"], [b"EVAL", b"return redis.error_reply('MY bad')", b"0"],
        [b"EVAL", b"return redis.status_reply('GOOD')", b"0"], [b"EVAL", b"return redis.call('SUBSCRIBE','x')", b"0"],
        [b"EVAL", b"redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])", b"1", w.key(), w.value()],
        [b"EVAL_RO", b"return redis.call('SET', KEYS[1], 1)", b"1", w.key()], [b"EVALSHA", b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db", b"0"],
        [b"OBJECT"], [b"QUIT"][:0] or [b"PING"], [b"SLOWLOG", b"LEN"], [b"SLOWLOG", b"FOO"], [b"ACL", b"WHOAMI"][:0] or [b"PING"],
        [b"RESET"] if w.often(0.0) else [b"PING"], [b"UNSUBSCRIBE", b"nothere"], [b"PUNSUBSCRIBE", b"nothere"], [b"SUNSUBSCRIBE", b"nothere"],
        [b"UNSUBSCRIBE"], [b"PUNSUBSCRIBE"], [b"SUNSUBSCRIBE"], [b"TIME", b"x"], [b"DBSIZE", b"x"], [b"MEMORY", b"FOO"], [b"MEMORY"],
        [b"SUBSCRIBE"], [b"PSUBSCRIBE"], [b"SSUBSCRIBE"], [b"SWAPDB", b"0"], [b"BLPOP", b"nolist"],
    ])


FAMILIES = {
    family.__name__: family
    for family in (strings, keys, lists, hashes, sets, sorted_sets, streams, bits, transactions, connection)
}
FREE_ORDER = {
    b"KEYS", b"SMEMBERS", b"SINTER", b"SUNION", b"SDIFF", b"HKEYS", b"HVALS", b"SPOP",
}
PAIRS = {b"HGETALL"}
SCANS = {b"SCAN": 1, b"SSCAN": 1, b"HSCAN": 2, b"ZSCAN": 2}
CHANCE = {b"SRANDMEMBER", b"HRANDFIELD", b"ZRANDMEMBER", b"RANDOMKEY"}
TIMES = {b"TTL": 2, b"PTTL": 2000, b"EXPIRETIME": 2, b"PEXPIRETIME": 2000}
# What newer versions than the one compared with say otherwise, and what a server says of itself.
OWN_WORDS = {b"lag", b"consumers", b"idle", b"inactive", b"radix-tree-keys", b"radix-tree-nodes", b"seen-time", b"active-time"}


def ordered(replies):
    return sorted(replies, key=repr)


def grouped(replies, size):
    return [replies[place : place + size] for place in range(0, len(replies), size)]


def shape(reply):
    sort, value = reply
    return (sort, [shape(one) for one in value] if isinstance(value, list) else value is None)


def without_times(reply):
    """Without fields that tell of times and of how memory is laid out."""
    sort, value = reply
    if not isinstance(value, list):
        return (":", b"now") if sort == ":" and len(value) > 12 else reply
    if sort == "%":
        return (sort, [without_times(pair) for pair in value if pair[1][0][1] not in OWN_WORDS])
    kept, skip = [], False
    for one in value:
        if skip:
            skip = False
        elif one[0] == "$" and one[1] in OWN_WORDS and sort == "*":
            skip = True
        else:
            kept.append(without_times(one))
    return (sort, kept)


def without_third(reply):
    """Lines of XPENDING without how long an entry is idle."""
    if reply[0] == "*" and reply[1] and all(one[0] == "*" and one[1] and len(one[1]) == 4 for one in reply[1]):
        return ("*", [[one[1][0], one[1][1], one[1][3]] for one in reply[1]])
    return reply


def plain_floats(reply):
    """Fractions in the shortest form, and one zero; older servers write 0.1 as 0.10000000000000001, and -0 or 0 as they store it."""
    sort, value = reply
    if isinstance(value, list):
        return (sort, [plain_floats(one) for one in value])
    if sort in "$," and value and (b"." in value or value == b"-0"):
        if value == b"-0":
            return (sort, b"0")
        try:
            return (sort, float(value))
        except ValueError:
            pass
    return reply


def newer(command, one, other):
    """Whether one answers as newer versions do than the other is of."""
    name, text = command[0].upper(), other[1]
    if name in (b"BITCOUNT", b"BITPOS"):
        # 7.2: arguments are looked at though the key does not exist.
        return one[0] == "-" and other[0] == ":"
    if name in (b"ZRANK", b"ZREVRANK"):
        # 7.2: WITHSCORE.
        return len(command) == 4
    if name == b"LPOS":
        return one[0] == "-" and one[1].startswith(b"ERR value is out of range, value must")
    if name == b"XREAD":
        # 7.4: the last entry.
        return b"+" in command and other[0] == "-"
    if name == b"XGROUP":
        # 7.2: claiming makes a consumer though there is nothing to claim.
        return len(command) > 1 and command[1].upper() in (b"CREATECONSUMER", b"DELCONSUMER") and one[0] == other[0] == ":"
    return name == b"XINFO" and len(command) > 1 and command[1].upper() == b"CONSUMERS" and one[0] == other[0] == "*"


def comparable(command, reply):
    """What of a reply has to be the same."""
    sort, value = reply
    name = command[0].upper()
    if name == b"EXEC" and isinstance(value, list):
        return (sort, len(value))
    if sort == "-" and value.startswith(b"ERR unknown command"):
        return value.decode(errors="replace")
    if sort == "-" or not isinstance(value, list) and name not in CHANCE and name != b"OBJECT":
        return reply
    if name in FREE_ORDER:
        return (sort, ordered(value))
    if name in PAIRS and sort == "*":
        return (sort, ordered(grouped(value, 2)))
    if name in PAIRS:
        return (sort, ordered(value))
    if name in SCANS:
        cursor, found = value
        return (sort, cursor, ordered(grouped(found[1], SCANS[name] if found[0] == "*" else 1)))
    if name in CHANCE:
        return shape(reply)
    if name == b"OBJECT" and sort == ":":
        return sort
    if name == b"SORT" and b"nosort" in command:
        return (sort, len(value))
    if name == b"XINFO":
        return without_times(reply)
    if name == b"XPENDING":
        return without_third(reply)
    return reply


def same(command, one, other):
    name = command[0].upper()
    if name in TIMES and one[0] == other[0] == ":":
        a, b = int(one[1]), int(other[1])
        return a == b if min(a, b) < 0 else abs(a - b) <= TIMES[name]
    if comparable(command, one) == comparable(command, other):
        return True
    return newer(command, one, other) or name.startswith((b"Z", b"BZ")) and comparable(command, plain_floats(one)) == comparable(command, plain_floats(other))


READS = {
    b"string": lambda key: [b"GET", key],
    b"list": lambda key: [b"LRANGE", key, b"0", b"-1"],
    b"hash": lambda key: [b"HGETALL", key],
    b"set": lambda key: [b"SMEMBERS", key],
    b"zset": lambda key: [b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"],
    b"stream": lambda key: [b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"],
    b"none": lambda key: [b"EXISTS", key],
}


def compare_state(one, other):
    """Every key, read from both."""
    for key in KEYS + EQUALS + FRACTIONS:
        sort = one.ask(b"TYPE", key)
        if sort != (twin := other.ask(b"TYPE", key)):
            return [b"TYPE", key], sort, twin
        for command in (READS[sort[1]](key), [b"PTTL", key]):
            answers = one.ask(*command), other.ask(*command)
            if not same(command, *answers):
                return command, *answers
    return None


def shown(command):
    return " ".join(repr(word)[1:] for word in command)


def tell(seed, family, history, command, one, other):
    print(f"\n{family} (seed {seed}): {shown(command)}\n  one:   {one}\n  other: {other}\nbefore:")
    keys = {word for word in command if word in KEYS}
    related = [past for past in history if not keys or keys & set(past) or past[0] in (b"MULTI", b"EXEC", b"DISCARD", b"SELECT", b"SWAPDB", b"FLUSHALL", b"FLUSHDB")]
    for past in related[-12:]:
        print("  ", shown(past))


def run(urls, seed, count, name, version, most_told=1):
    words, family = Words(f"{seed} {name} {version}"), FAMILIES[name]
    one, other = Client(urls[0]), Client(urls[1])
    for client in (one, other):
        assert client.ask(b"HELLO", version)[0] in "*%"
        assert client.ask(b"FLUSHALL") == client.ask(b"SCRIPT", b"FLUSH") == ("+", b"OK")
    history, told = [], 0
    seen = set()
    for _ in range(0, count, BATCH):
        batch = []
        for _ in range(BATCH):
            command = family(words)
            if name != "connection" and command[0][:1] not in b"BX" and command[0] not in (b"GETEX", b"SPOP", b"SWAPDB") and not command[0].endswith(b"SCAN") and words.often(0.02):
                place = words.random.randrange(len(command))
                command = [*command[:place], *words.one([[], [words.one(NUMBERS)], [command[place]] * 2]), *command[place + 1 :]]
            if command and not (command[0].upper() in (b"SPOP", b"XADD") and len(command) == 2):
                batch.append(command)
        one.send(batch)
        other.send(batch)
        for command in batch:
            answers = one.read(), other.read()
            if not same(command, *answers):
                kind = (command[0].upper(), answers[0][0], answers[1][0], repr(answers[1][1])[:30] if answers[1][0] == "-" else "")
                if kind not in seen:
                    seen.add(kind)
                    told += 1
                    tell(seed, name, history, command, *answers)
                if told >= most_told:
                    return told
            history.append(command)
        if name != "transactions" and (difference := compare_state(one, other)):
            told += 1
            tell(seed, name, history, *difference)
            return told
    return told


def main():
    urls, seed, count = sys.argv[1:3], sys.argv[3], int(sys.argv[4])
    families = sys.argv[5:] or list(FAMILIES)
    most = 1
    if families[0].isdigit():
        most, families = int(families[0]), families[1:] or list(FAMILIES)
    told = 0
    for name in families:
        for version in (b"2", b"3"):
            told += run(urls, seed, count, name, version, most)
        print(name, "compared", flush=True)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
