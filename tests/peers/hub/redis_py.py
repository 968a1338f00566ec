"""redis-py against the hub: both protocols, blocking and asyncio."""

import asyncio
import threading
import time

import redis
import redis.asyncio

from cases import URL, run, wait_until


def client(**options):
    return redis.Redis.from_url(URL, **options)


def both():
    """A client of each protocol, its keys gone."""
    for protocol in (2, 3):
        it = client(protocol=protocol, decode_responses=True)
        it.flushall()
        yield it


def case_greeting():
    for r in both():
        assert r.ping() and r.client_setname("me") and r.client_getname() == "me"
        assert r.client_id() > 0 and r.client_info()["name"] == "me"
        names = [one["name"] for one in r.client_list()]
        assert "me" in names, names
        assert r.info()["redis_version"].startswith("7.") and r.info("server")["server_name"] == "remuda"
        assert r.info("memory")["maxmemory_policy"] == "noeviction" and r.dbsize() == 0
        assert r.config_get("maxmemory*")["maxmemory-policy"] == "noeviction"
        assert r.command_count() > 200 and r.execute_command("COMMAND", "INFO", "get")
        assert r.time()[0] > 0 and r.lastsave() is not None


def case_values():
    for r in both():
        assert r.set("k", "v", ex=100) and r.get("k") == "v" and 99 <= r.ttl("k") <= 100
        assert r.set("k", "w", nx=True) is None and r.set("k", "w", xx=True, get=True) == "v"
        assert r.incr("n", 5) == 5 and r.incrbyfloat("f", 0.5) == 0.5
        assert r.mset({"a": 1, "b": 2}) and r.mget("a", "b", "c") == ["1", "2", None]
        assert r.rpush("l", *"abc") == 3 and r.lrange("l", 0, -1) == list("abc")
        assert r.lmpop(1, "l", direction="LEFT", count=2) == ["l", ["a", "b"]]
        assert r.hset("h", mapping={"x": 1, "y": 2}) == 2 and r.hgetall("h") == {"x": "1", "y": "2"}
        assert r.sadd("s", "a", "b") == 2 and r.smembers("s") == {"a", "b"} and r.sismember("s", "a")
        assert r.zadd("z", {"a": 1, "b": 2.5}) == 2
        assert [tuple(pair) for pair in r.zrange("z", 0, -1, withscores=True)] == [("a", 1.0), ("b", 2.5)]
        assert r.zincrby("z", 2, "a") == 3.0 and r.zrank("z", "a") == 1
        assert r.setbit("bits", 7, 1) == 0 and r.bitcount("bits") == 1 and r.get("bits") == "\x01"
        assert r.type("z") == "zset" and sorted(r.keys("?"))[:2] == ["a", "b"]
        assert r.expire("a", 10) and r.persist("a") and r.rename("a", "aa") and r.copy("aa", "c")
        assert sorted(r.scan_iter(match="*", count=3)) == sorted(r.keys("*"))
        assert dict(r.hscan_iter("h")) == {"x": "1", "y": "2"}


def case_scan_sees_everything_that_stays():
    for r in both():
        pipeline = r.pipeline(transaction=False)
        for number in range(1000):
            pipeline.set(f"key:{number}", number)
        assert all(pipeline.execute())
        seen, cursor = set(), None
        while cursor != 0:
            cursor, names = r.scan(cursor or 0, match="key:*", count=50)
            seen.update(names)
            for name in [name for name in names if name.endswith("7")]:
                r.delete(name)
        assert {f"key:{number}" for number in range(1000) if number % 10 != 7} <= seen


def case_transactions():
    for r in both():
        r.set("balance", 10)

        def withdraw(pipeline):
            left = int(pipeline.get("balance"))
            if left == 10:
                # Somebody else comes in between, once.
                client().decrby("balance", 3)
            pipeline.multi()
            pipeline.set("balance", left - 1)

        assert r.transaction(withdraw, "balance") == [True] and r.get("balance") == "6"
        with r.pipeline() as pipeline:
            pipeline.watch("balance")
            client().set("balance", 1)
            pipeline.multi()
            pipeline.incr("balance")
            try:
                pipeline.execute()
                raise AssertionError("a watched key has changed")
            except redis.WatchError:
                pass
        with r.pipeline() as pipeline:
            pipeline.set("x", "text").incr("x").set("y", 1)
            first, wrong, last = pipeline.execute(raise_on_error=False)
            assert first and last and isinstance(wrong, redis.ResponseError), wrong
        pipeline = r.pipeline()
        pipeline.execute_command("NOSUCH")
        try:
            pipeline.execute()
            raise AssertionError("it exists")
        except redis.ResponseError as error:
            assert "unknown command 'NOSUCH'" in str(error)
        assert r.pipeline().set("x", 1).get("x").execute() == [True, "1"]


def case_locks():
    for r in both():
        with r.lock("door", timeout=5) as held:
            assert held.owned() and not client().lock("door", timeout=5).acquire(blocking=False)
            assert held.extend(5) and held.reacquire()
        assert client().lock("door", timeout=5, blocking_timeout=1).acquire()
        r.delete("door")
        order = []

        def enter(name):
            with client().lock("room", timeout=10, sleep=0.001):
                order.append(name)
                order.append(name)

        threads = [threading.Thread(target=enter, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert order[::2] == order[1::2], order


def case_pubsub():
    for r in both():
        listener = r.pubsub()
        listener.subscribe("news", "sport")
        listener.psubscribe("w*")
        kinds = [listener.get_message(timeout=5) for _ in range(3)]
        assert [(one["type"], one["data"]) for one in kinds] == [("subscribe", 1), ("subscribe", 2), ("psubscribe", 3)]
        teller = client()
        assert teller.publish("news", "hello") == 1 and teller.publish("nobody", "x") == 0
        assert teller.publish("weather", "sun") == 1
        first, second = listener.get_message(timeout=5), listener.get_message(timeout=5)
        assert (first["channel"], first["data"]) == ("news", "hello")
        assert (second["type"], second["pattern"], second["channel"]) == ("pmessage", "w*", "weather")
        assert teller.pubsub_channels() == [b"news", b"sport"] and teller.pubsub_numpat() == 1
        assert teller.pubsub_numsub("news") == [(b"news", 1)]
        if r.get_connection_kwargs()["protocol"] == 2:
            listener.ping("here?")
            assert listener.get_message(timeout=5)["type"] == "pong"
        listener.unsubscribe("news")
        assert listener.get_message(timeout=5)["data"] == 2
        listener.unsubscribe()
        listener.punsubscribe()
        assert [listener.get_message(timeout=5)["data"] for _ in range(2)] == [1, 0]
        listener.close()
        sharded = r.pubsub()
        sharded.ssubscribe("shard")
        assert sharded.get_message(timeout=5)["type"] == "ssubscribe"
        assert teller.spublish("shard", "x") == 1 and sharded.get_message(timeout=5)["type"] == "smessage"
        sharded.close()


def case_a_confirmation_comes_before_the_first_message():
    stop = threading.Event()

    def tell():
        teller = client()
        while not stop.is_set():
            teller.publish("flood", "x")

    thread = threading.Thread(target=tell)
    thread.start()
    try:
        for protocol in (2, 3):
            for _ in range(100):
                listener = client(protocol=protocol).pubsub()
                listener.subscribe("flood")
                assert listener.get_message(timeout=5)["type"] == "subscribe"
                listener.close()
    finally:
        stop.set()
        thread.join()


def case_blocking_pops():
    for r in both():
        assert r.blpop("queue", timeout=0.05) is None
        got = []
        waiting = threading.Thread(target=lambda: got.append(r.blpop(["other", "queue"], timeout=10)))
        waiting.start()
        teller = client()
        wait_until("a client that waits", lambda: teller.info("clients")["blocked_clients"] == 1)
        teller.rpush("queue", "job")
        waiting.join(10)
        assert [tuple(one) for one in got] == [("queue", "job")] and not teller.exists("queue")
        r.rpush("from", "a", "b")
        assert r.blmove("from", "to", 1, "LEFT", "RIGHT") == "a" and r.brpoplpush("from", "to", 1) == "b"
        r.zadd("z", {"m": 1})
        assert tuple(r.bzpopmin("z", 1)) == ("z", "m", 1.0)
        waiting = threading.Thread(target=lambda: got.append(r.bzpopmax("z", 10)))
        waiting.start()
        wait_until("a client that waits", lambda: teller.info("clients")["blocked_clients"] == 1)
        teller.pipeline().zadd("z", {"n": 2}).zadd("z", {"o": 3}).execute()
        waiting.join(10)
        assert tuple(got[1]) == ("z", "o", 3.0), got


def case_streams_with_groups():
    for r in both():
        first = r.xadd("s", {"n": 1})
        r.xadd("s", {"n": 2}, maxlen=100, approximate=True)
        assert r.xlen("s") == 2 and r.xrange("s")[0] == (first, {"n": "1"})
        assert r.xgroup_create("s", "g", "0")
        streams = lambda found: found.items() if isinstance(found, dict) else found
        found = list(streams(r.xreadgroup("g", "one", {"s": ">"}, count=1)))
        assert found[0][0] == "s"
        assert r.xpending("s", "g")["pending"] == 1
        assert r.xpending_range("s", "g", "-", "+", 10)[0]["consumer"] == "one"
        assert r.xclaim("s", "g", "two", 0, [first])[0][0] == first
        assert r.xautoclaim("s", "g", "three", 0, "0-0")[1][0][0] == first
        assert r.xack("s", "g", first) == 1
        assert r.xinfo_groups("s")[0]["name"] == "g" and r.xinfo_stream("s")["length"] == 2
        got = []
        waiting = threading.Thread(target=lambda: got.append(r.xread({"s": "$"}, block=10_000)))
        waiting.start()
        wait_until("a client that waits", lambda: client().info("clients")["blocked_clients"] == 1)
        client().xadd("s", {"n": 3})
        waiting.join(10)
        entries = dict(streams(got[0]))["s"]
        assert "3" in str(entries), got


def case_scripts():
    for r in both():
        add = r.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        assert add(keys=["n"], args=[5]) == 5
        r.script_flush()
        assert add(keys=["n"], args=[5]) == 10
        assert r.eval("return {1, 'two', redis.status_reply('ok'), false}", 0) == [1, "two", "ok", None]
        try:
            r.eval("return redis.call('LPUSH', KEYS[1], 1)", 1, "n")
            raise AssertionError("the key has another type")
        except redis.ResponseError as error:
            assert "WRONGTYPE" in str(error), error
        pipeline = r.pipeline()
        add(keys=["n"], args=[1], client=pipeline)
        assert pipeline.execute() == [11]


def case_other_clients():
    r, other = client(), client()
    r.client_setname("first")
    got = []

    def wait():
        try:
            other.blpop("nothing", 10)
            got.append(None)
        except redis.ResponseError as error:
            got.append(str(error))

    number = other.client_id()
    waiting = threading.Thread(target=wait)
    waiting.start()
    wait_until("a client that waits", lambda: r.info("clients")["blocked_clients"] == 1)
    blocked = [one for one in r.client_list() if "b" in one["flags"]]
    assert len(blocked) == 1 and blocked[0]["cmd"] == "blpop", blocked
    assert r.client_unblock(int(blocked[0]["id"]), error=True) == 1
    waiting.join(10)
    assert "UNBLOCKED" in got[0], got
    assert r.client_kill_filter(_id=number) in (0, 1)
    victim = client()
    victim.client_setname("victim")
    address = [one["addr"] for one in r.client_list() if one["name"] == "victim"]
    assert len(address) == 1 and r.client_kill(address[0])
    assert "victim" not in [one["name"] for one in r.client_list()]
    assert len(r.client_list(client_id=[r.client_id()])) == 1


async def case_asyncio():
    for protocol in (2, 3):
        r = redis.asyncio.from_url(URL, protocol=protocol, decode_responses=True)
        await r.flushall()
        assert await r.set("k", "v") and await r.get("k") == "v"
        values = await asyncio.gather(*[r.incr("n") for _ in range(50)])
        assert sorted(values) == list(range(1, 51))
        async with r.pipeline(transaction=True) as pipeline:
            assert await pipeline.set("a", 1).incr("a").execute() == [True, 2]
        async with r.pubsub() as listener:
            await listener.subscribe("c")
            assert (await listener.get_message(timeout=5))["type"] == "subscribe"
            await r.publish("c", "x")
            assert (await listener.get_message(timeout=5))["data"] == "x"
        waiting = asyncio.create_task(r.brpop("q", 10))
        while (await r.info("clients"))["blocked_clients"] != 1:
            await asyncio.sleep(0.01)
        await r.lpush("q", "x")
        assert list(await waiting) == ["q", "x"]
        async with r.lock("l", timeout=5):
            pass
        await r.aclose()


def case_events():
    for r in both():
        listener = r.pubsub()
        listener.psubscribe("__key*@0__:*", "store.*")
        [listener.get_message(timeout=5) for _ in range(2)]
        teller = client()
        teller.set("k", "v", px=60)
        heard = []
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and ("__keyspace@0__:k", "expired") not in [(one["channel"], one["data"]) for one in heard]:
            if message := listener.get_message(timeout=0.2):
                heard.append(message)
        lines = [(one["channel"], one["data"]) for one in heard]
        assert ("__keyspace@0__:k", "set") in lines and ("__keyevent@0__:set", "k") in lines, lines
        assert ("__keyspace@0__:k", "expired") in lines, lines
        told = [data for channel, data in lines if channel == "store.k"]
        assert '"event":"set"' in told[0] and '"value":"v"' in told[0] and '"deleted":true' in told[-1], told
        listener.close()


def case_changes_resume_without_a_gap():
    r = client(decode_responses=True)
    start = r.execute_command("CHANGES")
    r.set("watched:a", 1)
    r.set("other", 1)
    r.delete("watched:a")
    changes = r.execute_command("CHANGES", start, "watched:")
    assert [one[2] for one in changes] == ["set", "del"] and [one[4] for one in changes] == [0, 1], changes
    assert changes[1][3] == changes[0][0] and r.execute_command("CHANGES") == changes[1][0]
    assert r.execute_command("CHANGES", changes[0][0], "watched:") == changes[1:]


if __name__ == "__main__":
    run()
