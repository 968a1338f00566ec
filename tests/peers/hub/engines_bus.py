"""Two hubs that share a bus by an engine: pyzmq at one, redis-py at the other, and somebody at the engine itself.

Variables: BUS_A, STORE_A, BUS_B, STORE_B (Unix sockets), ENGINE (redis:// or nats://). Prints one line for each check.
"""

import asyncio
import os
import threading
import time
import urllib.parse

import redis
import zmq

WAIT_MS = 10_000
context = zmq.Context()
clients = []


def sub(place, *prefixes):
    socket = context.socket(zmq.SUB)
    socket.RCVTIMEO = WAIT_MS
    socket.LINGER = 0
    socket.connect(f"ipc://{os.environ['BUS_' + place]}")
    for prefix in prefixes:
        socket.subscribe(prefix)
        synced(place, prefix)
    return socket


def push(place):
    socket = context.socket(zmq.PUSH)
    socket.LINGER = WAIT_MS
    socket.connect(f"ipc://{os.environ['BUS_' + place]}")
    return socket


def ask(place, *frames):
    socket = context.socket(zmq.REQ)
    socket.RCVTIMEO = WAIT_MS
    socket.LINGER = 0
    socket.connect(f"ipc://{os.environ['BUS_' + place]}")
    socket.send_multipart(frames)
    answer = socket.recv_multipart()
    socket.close()
    return answer


def synced(place, prefix):
    assert ask(place, b"SYNC", prefix, b"10000") == [b"OK"]


def client(place, **options):
    made = redis.Redis(unix_socket_path=os.environ["STORE_" + place], socket_timeout=WAIT_MS / 1000, **options)
    # One that nobody holds takes its connections along, those of listeners too.
    clients.append(made)
    return made


def listen(connection, *channels, patterns=()):
    listener = connection.pubsub()
    if channels:
        listener.subscribe(*channels)
    if patterns:
        listener.psubscribe(*patterns)
    for _ in [*channels, *patterns]:
        assert listener.get_message(timeout=10)["type"] in ("subscribe", "psubscribe")
    return listener


def heard(listener):
    message = listener.get_message(timeout=10)
    assert message is not None, "nothing came"
    return message["channel"], message["data"]


def silent(listener):
    assert listener.get_message(timeout=0.2) is None


def across():
    reader = sub("A", b"news.")
    listener = listen(client("B"), "news.x", patterns=["ne?s.*"])
    count = client("B").publish("news.x", "from redis")
    if ENGINE == "redis":
        assert count >= 2, count
    assert reader.recv_multipart() == [b"news.x", b"from redis"]
    assert [heard(listener) for _ in range(2)] == [(b"news.x", b"from redis")] * 2
    writer = push("A")
    writer.send_multipart([b"news.x", b"from zeromq"])
    assert reader.recv_multipart() == [b"news.x", b"from zeromq"]
    assert [heard(listener) for _ in range(2)] == [(b"news.x", b"from zeromq")] * 2
    silent(listener)
    assert not reader.poll(200)


def order():
    total = 3000
    readers = [sub(place, b"order.", b"o", b"order.1") for place in "AB"]
    writer = push("A")
    for number in range(total):
        writer.send_multipart([b"order.%d" % (number % 7), b"%d" % number])
    for reader in readers:
        for number in range(total):
            assert reader.recv_multipart() == [b"order.%d" % (number % 7), b"%d" % number], number
        assert not reader.poll(200), "once"


def frames():
    reader = sub("B", b"frames", b"10001 3")
    listener = listen(client("B"), "frames", "10001")
    writer = push("A")
    sent = [
        [b"frames", b"a", b"", b"bc\0"],
        [b"frames one two"],
        [b"frames"],
        [b"frames", b""],
        [b"frames", b"x\0remuda-frames=1\0"],
        [b"10001 32 60"],
        [b"frames \xff\x00\r\n", b"\r\n\0"],
    ]
    for message in sent:
        writer.send_multipart(message)
    for message in sent:
        assert reader.recv_multipart() == message, message
    expected = [b"abc\0", b"one two", b"", b"", b"x\0remuda-frames=1\0"]
    assert [heard(listener) for _ in expected] == [(b"frames", payload) for payload in expected]
    assert heard(listener) == (b"10001", b"32 60")


def prefixes():
    reader = sub("B", b"pre.fix.a")
    wide = sub("B", b"")
    writer = push("A")
    for topic in [b"pre.fix.abc", b"pre.fix.b", b"pre.fix", b"pre.fix.a"]:
        writer.send_multipart([topic, b"-"])
    assert [reader.recv_multipart()[0] for _ in range(2)] == [b"pre.fix.abc", b"pre.fix.a"]
    assert [wide.recv_multipart()[0] for _ in range(4)] == [b"pre.fix.abc", b"pre.fix.b", b"pre.fix", b"pre.fix.a"]
    wide.close()
    reader.unsubscribe(b"pre.fix.a")
    reader.subscribe(b"pre.end")
    synced("B", b"pre.end")
    writer.send_multipart([b"pre.fix.a", b"-"])
    writer.send_multipart([b"pre.end", b"-"])
    assert reader.recv_multipart()[0] == b"pre.end"


def echo():
    connection = client("A")
    own = connection.pubsub()
    own.subscribe("echo")
    assert own.get_message(timeout=10)["type"] == "subscribe"
    other = listen(client("B"), "echo")
    third = sub("A")
    third.subscribe(b"$noecho")
    third.subscribe(b"echo")
    synced("A", b"echo")
    connection.publish("echo", "own")
    client("B").publish("echo", "own")
    # All clients here are one process: who wants no echo hears neither from A, and what B's hub published.
    assert heard(other) == (b"echo", b"own")
    assert third.recv_multipart() == [b"echo", b"own"]
    assert not third.poll(300), "its own came back"


def work():
    pulls = []
    for place in "AB":
        pull = context.socket(zmq.PULL)
        pull.RCVTIMEO = WAIT_MS
        pull.connect(f"ipc://{os.environ['BUS_' + place]}")
        ask(place, b"PING")
        pulls.append(pull)
    time.sleep(0.2)
    writer = push("A")
    reader = sub("B", b"work")
    for number in range(10):
        writer.send_multipart([b"work", b"%d" % number])
    assert [reader.recv_multipart()[1] for _ in range(10)] == [b"%d" % number for number in range(10)]
    assert [pulls[0].recv_multipart()[1] for _ in range(10)] == [b"%d" % number for number in range(10)]
    assert not pulls[1].poll(200), "work is done once"
    for pull in pulls:
        pull.close()


def threads():
    """Many who publish, and wait for how many heard it."""
    reader = sub("B", b"many")

    def publish(number):
        connection = client("A")
        for each in range(100):
            connection.publish(f"many.{number}", each)

    all_of_them = [threading.Thread(target=publish, args=(number,)) for number in range(4)]
    [thread.start() for thread in all_of_them]
    found = {}
    for _ in range(400):
        topic, payload = reader.recv_multipart()
        found.setdefault(topic, []).append(int(payload))
    [thread.join() for thread in all_of_them]
    assert all(numbers == list(range(100)) for numbers in found.values()) and len(found) == 4


def foreign_redis():
    outside = redis.Redis.from_url(os.environ["ENGINE"])
    listener = listen(outside, "out.x")
    writer = push("A")
    writer.send_multipart([b"out.x", b"clean"])
    writer.send_multipart([b"out.x", b"two", b"parts"])
    assert heard(listener) == (b"out.x", b"clean")
    assert heard(listener) == (b"out.x", b"twoparts\0remuda-frames=3,5\0")
    reader = sub("B", b"out.")
    outside.publish("out.y", "hello")
    assert reader.recv_multipart() == [b"out.y", b"hello"]
    shard = client("B", protocol=3).pubsub()
    shard.ssubscribe("part")
    assert shard.get_message(timeout=10)["type"] == "ssubscribe"
    assert client("A").execute_command("SPUBLISH", "part", "of it") == 1
    assert heard(shard) == (b"part", b"of it")


def foreign_nats():
    async def talk():
        import nats

        # This client takes what is encoded in a URL as it stands.
        url = urllib.parse.urlsplit(os.environ["ENGINE"])
        user, password = (urllib.parse.unquote(part or "") for part in (url.username, url.password))
        place = f"nats://{url.hostname}:{url.port}"
        outside = await nats.connect(place, user=user, password=password, allow_reconnect=False)
        listener = await outside.subscribe("out.>")
        await outside.flush()
        reader = sub("B", b"out.")
        writer = push("A")
        writer.send_multipart([b"out.x", b"clean"])
        message = await listener.next_msg(timeout=10)
        assert (message.subject, message.data) == ("out.x", b"clean")
        writer.send_multipart([b"out.x", b"two", b"parts"])
        message = await listener.next_msg(timeout=10)
        assert message.data == b"twoparts" and message.headers["Remuda-Frames"] == "3,5"
        await outside.publish("out.y", b"hello")
        await outside.flush()
        assert reader.recv_multipart() == [b"out.x", b"clean"]
        assert reader.recv_multipart() == [b"out.x", b"two", b"parts"]
        assert reader.recv_multipart() == [b"out.y", b"hello"]
        await outside.close()

    asyncio.run(talk())


ENGINE = os.environ["ENGINE"].split(":")[0]
checks = [across, order, frames, prefixes, echo, work, threads]
checks.append(foreign_redis if ENGINE == "redis" else foreign_nats)
for check in checks:
    began = time.monotonic()
    check()
    print(f"{check.__name__}: {time.monotonic() - began:.2f} s", flush=True)
os._exit(0)
