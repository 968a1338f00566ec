"""A store that an engine holds: redis-py through the hub, and at the engine itself.

Variables: STORE (a Unix socket), BUS, ENGINE (redis://). Prints one line for each check.
"""

import os
import threading
import time

import redis
import zmq

inside = redis.Redis(unix_socket_path=os.environ["STORE"], socket_timeout=10)
outside = redis.Redis.from_url(os.environ["ENGINE"], socket_timeout=10)


def client(**options):
    return redis.Redis(unix_socket_path=os.environ["STORE"], socket_timeout=10, **options)


def values():
    assert inside.set("key", b"a\r\nb") is True
    assert outside.get("key") == b"a\r\nb"
    outside.hset("hash", mapping={"a": 1, "b": 2})
    assert inside.hgetall("hash") == {b"a": b"1", b"b": b"2"}
    assert client(protocol=3).hgetall("hash") == {b"a": b"1", b"b": b"2"}
    try:
        inside.incr("hash")
        raise AssertionError("it is no number")
    except redis.ResponseError as error:
        assert str(error).startswith("WRONGTYPE"), error
    big = os.urandom(3_000_000)
    inside.set("big", big)
    assert inside.get("big") == big
    assert inside.pfadd("log", "a", "b") == 1 and inside.pfcount("log") == 2, "commands that only the engine has"


def order():
    pipe = inside.pipeline(transaction=False)
    for number in range(2000):
        pipe.rpush("list", number)
        if number % 100 == 0:
            pipe.ping()
            pipe.execute_command("NOSUCH")
    answers = pipe.execute(raise_on_error=False)
    pushed = [answer for answer in answers if type(answer) is int]
    assert pushed == list(range(1, 2001))
    assert [answer for answer in answers if answer is True] == [True] * 20
    assert answers[1] is True and isinstance(answers[2], redis.ResponseError) and answers[3] == 2


def transactions():
    with inside.pipeline() as pipe:
        assert pipe.set("t", 1).incr("t").get("t").execute() == [True, 2, b"2"]
        pipe.watch("t")
        outside.set("t", 5)
        pipe.multi()
        pipe.incr("t")
        try:
            pipe.execute()
            raise AssertionError("the key has changed")
        except redis.WatchError:
            pass
        pipe.watch("t")
        pipe.multi()
        assert pipe.incr("t").execute() == [6]
    one = client(single_connection_client=True)
    one.execute_command("MULTI")
    try:
        one.execute_command("NOSUCH")
    except redis.ResponseError:
        pass
    try:
        one.execute_command("EXEC")
        raise AssertionError("it is discarded")
    except redis.exceptions.ExecAbortError:
        pass
    assert one.ping()


def waiting():
    found = []
    thread = threading.Thread(target=lambda: found.append(client().blpop(["queue"], timeout=8)))
    thread.start()
    deadline = time.monotonic() + 8
    while not any(line["cmd"] == "blpop" for line in outside.client_list()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert inside.ping()
    outside.rpush("queue", "job")
    thread.join()
    assert found == [(b"queue", b"job")]
    assert inside.blpop(["nothing"], timeout=0.1) is None


def scripts():
    add = inside.register_script("return redis.call('incrby', KEYS[1], ARGV[1])")
    assert add(keys=["script"], args=[5]) == 5
    assert outside.get("script") == b"5"
    assert inside.eval("return {1, 'a', {2}}", 0) == [1, b"a", [2]]


def databases():
    third = client(db=3)
    third.set("where", "three")
    assert outside.get("where") is None
    assert redis.Redis.from_url(os.environ["ENGINE"] + "/3").get("where") == b"three"
    try:
        third.execute_command("SELECT", 999)
    except redis.ResponseError as error:
        assert "out of range" in str(error)


def ours():
    assert inside.info("Engines")["store_engine_state"] == "up"
    listener = inside.pubsub()
    listener.subscribe("news")
    assert listener.get_message(timeout=10)["type"] == "subscribe"
    assert inside.publish("news", "ours") == 1
    assert listener.get_message(timeout=10)["data"] == b"ours"
    for command in [("CHANGES", 0, ""), ("BGREWRITEAOF",)]:
        try:
            inside.execute_command(*command)
            raise AssertionError(command)
        except redis.ResponseError as error:
            assert "engine" in str(error) or "another server" in str(error), error
    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.RCVTIMEO = 10_000
    socket.LINGER = 0
    socket.connect(f"ipc://{os.environ['BUS']}")
    socket.send_multipart([b"GET", b"key"])
    answer = socket.recv_multipart()
    assert answer[0] == b"ERROR" and b"REDIS_URL" in answer[1], answer


def events():
    listener = inside.pubsub()
    listener.psubscribe("store.*", "__keyevent@0__:set")
    for _ in range(2):
        assert listener.get_message(timeout=10)["type"] == "psubscribe"
    deadline = time.monotonic() + 8
    seen = set()
    while len(seen) < 2 and time.monotonic() < deadline:
        outside.set("watched", 1)
        message = listener.get_message(timeout=0.2)
        while message:
            seen.add((message["channel"], message["data"]))
            message = listener.get_message(timeout=0.05)
    assert (b"store.watched", b'{"key":"watched","event":"set"}') in seen, seen
    assert (b"__keyevent@0__:set", b"watched") in seen, seen


for check in [values, order, transactions, waiting, scripts, databases, ours, events]:
    began = time.monotonic()
    check()
    print(f"{check.__name__}: {time.monotonic() - began:.2f} s", flush=True)
os._exit(0)
