"""Everybody who can be connected to a hub, at work while it is reloaded again and again.

usage: handover_load.py [plain|curve:DIR]: how the bus at its TCP address is spoken to.
Says `ready`, then `progress N` now and then; reads `stop`, checks that nothing was lost, doubled or cut off, and says
`counted …`.
"""

import os
import pathlib
import sys
import threading
import time

import redis
import zmq
from load import advance, at_work, counted, failures, part, parts, stopping

PATIENCE_MS = 20_000
auth = sys.argv[1] if len(sys.argv) > 1 else "none"
BUS, LOCAL, STORE = os.environ["BUS"], os.environ["BUS_LOCAL"], os.environ["STORE"]
context = zmq.Context()
context.linger = PATIENCE_MS
monitors = []


def socket(kind, address, **options):
    made = context.socket(kind)
    made.rcvtimeo = made.sndtimeo = PATIENCE_MS
    made.rcvhwm = made.sndhwm = 0
    for name, value in options.items():
        setattr(made, name, value)
    if address == BUS and auth == "plain":
        made.plain_username, made.plain_password = b"web", os.environ["TOKEN"].encode()
    if address == BUS and auth.startswith("curve:"):
        folder = pathlib.Path(auth.removeprefix("curve:"))
        made.curve_serverkey = (folder / "server.public").read_bytes()
        made.curve_publickey = (folder / "web.public").read_bytes()
        made.curve_secretkey = (folder / "web.secret").read_bytes()
    monitors.append((made.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED), kind, address))
    made.connect(address)
    return made


def store(**options):
    client = redis.Redis(unix_socket_path=STORE, socket_timeout=20, retry=None, decode_responses=True, **options)
    client.ping()
    return client


def tcp_store(**options):
    host, port = os.environ["STORE_TCP"].rsplit(":", 1)
    return redis.Redis(host, int(port), username="web", password=os.environ["TOKEN"], socket_timeout=20, retry=None,
                       decode_responses=True, **options)


WORKERS = {"push_ipc", "push_tcp", "redis_publisher", "pipelines", "transactions", "caller"}

# Publishers push numbers; every subscriber hears each of them once and in order.
PUBLISHERS = {"ipc": LOCAL, "tcp": BUS}
pushed = {}


def subscriber(kind, address):
    made = socket(kind, address)
    made.subscribe(b"n.") if kind == zmq.SUB else made.send(b"\x01n.")
    made.subscribe(b"end") if kind == zmq.SUB else made.send(b"\x01end")
    return made


subscribers = {
    f"{name}-{transport}": subscriber(kind, address)
    for name, kind in (("sub", zmq.SUB), ("xsub", zmq.XSUB))
    for transport, address in PUBLISHERS.items()
}
slow = subscriber(zmq.SUB, LOCAL)
slow_redis = store().pubsub()
slow_redis.psubscribe("n.*")


def pusher(transport):
    push = socket(zmq.PUSH, PUBLISHERS[transport], sndhwm=100)
    number = 0
    while not stopping.is_set():
        for _ in range(10):
            number += 1
            push.send_multipart([b"n." + transport.encode(), b"%d" % number])
        advance()
        time.sleep(0.01)
    pushed[transport] = number
    push.send_multipart([b"end", transport.encode()])


@part
def push_ipc():
    pusher("ipc")


@part
def push_tcp():
    pusher("tcp")


def listen(name):
    made, last, ends = subscribers[name], dict.fromkeys(PUBLISHERS, 0), set()
    while len(ends) < len(PUBLISHERS):
        topic, body = made.recv_multipart()
        if topic == b"end":
            ends.add(body)
            continue
        transport = topic.decode().removeprefix("n.")
        assert int(body) == last[transport] + 1, f"{name}: after {last[transport]} of {transport} comes {body}"
        last[transport] += 1
    assert last == pushed, f"{name}: heard {last} of {pushed}"
    counted[name] = sum(last.values())


for name in subscribers:
    def listener(name=name):
        listen(name)
    listener.__name__ = f"listen_{name}"
    part(listener)


def redis_listener(protocol, connection):
    listener = connection(protocol=protocol).pubsub(ignore_subscribe_messages=True)
    listener.subscribe("told")
    def run():
        last = 0
        for message in listener.listen():
            if message["data"] == "end":
                counted[f"redis{protocol}"] = last
                return
            assert int(message["data"]) == last + 1, f"RESP{protocol}: after {last} comes {message['data']}"
            last += 1
    run.__name__ = f"redis_listener_{protocol}_{connection.__name__}"
    part(run)


redis_listener(2, store)
redis_listener(3, store)
redis_listener(3, tcp_store)


@part
def redis_publisher():
    client, number = store(), 0
    while not stopping.is_set():
        number += 1
        heard = client.publish("told", number)
        assert heard == 3, f"{heard} heard message {number}"
        advance()
    client.publish("told", "end")


@part
def pipelines():
    """Replies are consecutive: none is lost, none comes twice, and no write is done twice."""
    client, value = tcp_store(), 0
    while not stopping.is_set():
        pipeline = client.pipeline(transaction=False)
        for _ in range(50):
            pipeline.incr("count")
        assert pipeline.execute() == list(range(value + 1, value + 51))
        value += 50
        advance()
    assert int(client.get("count")) == value


@part
def transactions():
    client, number = store(), 0
    while not stopping.is_set():
        number += 1
        with client.pipeline(transaction=True) as both:
            both.incr("left").incr("right")
            assert both.execute() == [number, number]
        advance()


@part
def producer():
    client, number = store(), 0
    while not stopping.is_set():
        number += 1
        client.rpush("queue", number)
        time.sleep(0.003)
    client.rpush("queue", "end")


@part
def consumer():
    """Blocked most of the time: each element comes once, in order."""
    client, last = store(), 0
    while True:
        _, element = client.blpop("queue", 0)
        if element == "end":
            counted["blpop"] = last
            return
        assert int(element) == last + 1, f"BLPOP: after {last} comes {element}"
        last += 1


@part
def worker():
    made = socket(zmq.DEALER, LOCAL)
    made.send_multipart([b"SERVE", b"double"])
    assert made.recv_multipart() == [b"OK"]
    serving.set()
    while not stopping.is_set() or not callers_done.is_set():
        if not made.poll(50):
            continue
        frames = made.recv_multipart()
        if frames[0] == b"CALL":
            made.send_multipart([b"REPLY", frames[1], frames[3] * 2])


serving, callers_done = threading.Event(), threading.Event()


@part
def caller():
    """Each call has exactly one outcome: its own answer, or that the worker is gone, which is tried again."""
    made, number, again = socket(zmq.DEALER, BUS if auth != "none" else LOCAL), 0, 0
    assert serving.wait(20)
    while not stopping.is_set():
        number += 1
        body = b"%d;" % number
        while True:
            made.send_multipart([b"CALL", b"double", b"10000", body])
            answer = made.recv_multipart()
            if answer == [b"OK", body * 2]:
                break
            assert answer[0] == b"ERROR" and b"gone" in answer[1], f"call {number}: {answer}"
            again += 1
        advance()
    assert not made.poll(100), "an answer that nobody asked for"
    counted["calls"], counted["called again"] = number, again
    callers_done.set()


def main():
    control = socket(zmq.REQ, LOCAL)
    # All of them before anybody pushes.
    end = time.monotonic() + 20
    for topic, wanted in ((b"n.", len(subscribers) + 2), (b"end", len(subscribers) + 1)):
        while True:
            control.send_multipart([b"PUB", topic, b"ignored"])
            if int(control.recv_multipart()[1]) == wanted:
                break
            assert time.monotonic() < end, f"not all subscribe to {topic}"
            time.sleep(0.01)
    for made in [*subscribers.values(), slow]:
        while made.poll(100):
            made.recv_multipart()
    for thread in parts:
        thread.start()
    end = time.monotonic() + 20
    while not failures and not WORKERS <= at_work:
        assert time.monotonic() < end, f"only {at_work} come to work"
        time.sleep(0.01)
    print("ready", flush=True)
    assert sys.stdin.readline().strip() == "stop"
    stopping.set()
    for thread in parts:
        thread.join(25)
        assert not thread.is_alive(), f"{thread.name} does not end: {failures}"
    assert not failures, failures
    subscribers["slow"] = slow
    listen("slow")
    last = dict.fromkeys(PUBLISHERS, 0)
    while last != pushed:
        message = slow_redis.get_message(timeout=20)
        assert message, f"the slow Redis client heard {last} of {pushed}"
        if message["type"] == "pmessage" and message["data"] != "ignored":
            transport = message["channel"].removeprefix("n.")
            assert int(message["data"]) == last[transport] + 1, (transport, last, message)
            last[transport] += 1
    for monitor, kind, address in monitors:
        assert not monitor.poll(0), f"a connection of socket type {kind} to {address} was closed"
    assert all(count for what, count in counted.items() if what != "called again"), counted
    print("counted", counted, flush=True)
    os._exit(0)


main()
