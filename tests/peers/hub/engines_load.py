"""Clients of a hub with engines, at work while it is reloaded again and again.

Variables: BUS_LOCAL and STORE, the hub's Unix sockets. Argument: the URL of the Redis that holds the store, if one does;
jobs are put there directly too, at any moment of a reload. Says `ready`, then `progress N` now and then; reads `stop`,
checks that what is promised was kept, and says `counted …`.
"""

import os
import sys
import time

import redis
import zmq
from load import advance, counted, failures, part, parts, stopping

UNKNOWN = "whether this was carried out is not known"
context = zmq.Context()
context.linger = 10_000


def store(**options):
    return redis.Redis(unix_socket_path=os.environ["STORE"], socket_timeout=20, retry=None, single_connection_client=True,
                       decode_responses=True, **options)


def socket(kind):
    made = context.socket(kind)
    made.rcvtimeo = made.sndtimeo = 20_000
    made.rcvhwm = made.sndhwm = 0
    made.connect(os.environ["BUS_LOCAL"])
    return made


sub = socket(zmq.SUB)
sub.subscribe(b"n.")
sub.subscribe(b"end")
asker = socket(zmq.REQ)
for prefix in (b"n.", b"end"):
    asker.send_multipart([b"SYNC", prefix, b"10000"])
    assert asker.recv_multipart() == [b"OK"]
published = {}


@part
def pusher():
    push, number = socket(zmq.PUSH), 0
    while not stopping.is_set():
        number += 1
        push.send_multipart([b"n.zmq", b"%d" % number])
        advance()
        time.sleep(0.002)
    published["zmq"] = number
    push.send_multipart([b"end", b"zmq"])


@part
def publisher():
    client, number = store(), 0
    while not stopping.is_set():
        number += 1
        try:
            client.publish("n.redis", number)
        except redis.ResponseError as error:
            assert UNKNOWN in str(error), error
        advance()
        time.sleep(0.001)
    published["redis"] = number
    client.publish("end", "redis")


@part
def listener():
    last, ends = {"zmq": 0, "redis": 0}, set()
    while len(ends) < len(last):
        topic, body = sub.recv_multipart()
        if topic == b"end":
            ends.add(body)
            continue
        name = topic.decode().removeprefix("n.")
        assert int(body) == last[name] + 1, f"after {last[name]} of {name} comes {body}"
        last[name] += 1
    assert last == published, f"heard {last} of {published}"
    counted["heard"] = sum(last.values())


def asked(count, what):
    try:
        what()
        count["done"] += 1
    except redis.ResponseError as error:
        assert UNKNOWN in str(error), error
        count["unknown"] += 1


@part
def increments():
    client, count = store(), {"done": 0, "unknown": 0}
    while not stopping.is_set():
        asked(count, lambda: client.incr("count"))
        advance()
    value = int(client.get("count"))
    assert count["done"] <= value <= count["done"] + count["unknown"], (value, count)
    counted["increments"] = value
    counted["unknown"] = count["unknown"]


@part
def transactions():
    client, count = store(), {"done": 0, "unknown": 0}
    while not stopping.is_set():
        asked(count, lambda: client.pipeline().incr("a").incr("b").execute())
        advance()
    assert client.get("a") == client.get("b"), "half of a transaction"


@part
def worker():
    pusher, popper, number = store(), store(), 0
    while not stopping.is_set():
        number += 1
        try:
            pusher.rpush("jobs", number)
            got = popper.blpop(["jobs"], timeout=10)
            assert got is not None, "a job is lost"
        except redis.ResponseError as error:
            assert UNKNOWN in str(error), error
        advance()


def outsider():
    outside, number = redis.Redis.from_url(sys.argv[1], socket_timeout=20), 0
    while not stopping.is_set():
        number += 1
        outside.rpush("shared", number)
        time.sleep(0.001)
    given.update(range(1, number + 1))
    outside.rpush("shared", *["end"] * POPPERS)


def popper(number):
    def pops():
        client = store(protocol=2 + number % 2)
        while True:
            if number < 2:
                got, _ = client.pipeline(transaction=False).blpop(["shared"], timeout=10).incr("popped").execute()
            else:
                got = client.blpop(["shared"], timeout=10)
            assert got is not None, "a shared job is lost"
            if got[1] == "end":
                return
            gathered.append(int(got[1]))
            advance()
    pops.__name__ = f"popper{number}"
    return pops


POPPERS = 8
given, gathered = set(), []
if len(sys.argv) > 1:
    part(outsider)
    for number in range(POPPERS):
        part(popper(number))

for thread in parts:
    thread.start()
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "stop":
        break
stopping.set()
for thread in parts:
    thread.join(30)
    if thread.is_alive():
        failures.append(f"{thread.name} does not end")
if len(gathered) != len(given) or set(gathered) != given:
    failures.append(f"lost {sorted(given - set(gathered))}, {len(gathered)} of {len(given)}")
print("failures", failures, flush=True) if failures else print("counted", counted, flush=True)
os._exit(1 if failures else 0)
