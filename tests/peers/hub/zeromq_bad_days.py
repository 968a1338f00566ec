"""The bus under load and under attack: each function is one check, named on the command line."""

import os
import random
import signal
import socket as plain
import struct
import subprocess
import sys
import threading
import time

import redis
import zmq

from zeromq_checks import endpoint
from zeromq_peer import BUS, LOCAL, PATIENCE_MS, ask, context, main, receivers, socket, subscriber, sync, until

HUB = int(os.environ.get("HUB_PID", 0))
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(16 + 32)


def ready(kind):
    body = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
    return bytes([4, len(body)]) + body


def memory_kib():
    """What the hub itself takes."""
    with open(f"/proc/{HUB}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def stuck():
    """Subscribes, and is stopped by its parent."""
    made = subscriber(b"blast", address=BUS, rcvhwm=1, synced=False)
    sync(b"blast")
    print("ready", flush=True)
    while True:
        made.recv()


def publisher():
    """Publishes 200 MB as fast as it can; numbered."""
    push, body = socket(zmq.PUSH, BUS, sndhwm=0), os.urandom(1000)
    for number in range(200_000):
        push.send_multipart([b"blast", b"%d" % number, body])
    push.close()
    context.term()


def blast():
    """A publisher at full speed with one reader that is stopped: the others get everything in order, memory is bounded."""
    child = subprocess.Popen([sys.executable, __file__, "stuck"], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    os.kill(child.pid, signal.SIGSTOP)
    readers = [subscriber(b"blast", address=BUS, rcvhwm=0, synced=False) for _ in range(2)]
    until("all three", lambda: receivers(b"blast") == 3)
    for reader in readers:
        while reader.poll(100):
            reader.recv_multipart()
    before, most = memory_kib(), 0
    sender = subprocess.Popen([sys.executable, __file__, "publisher"])
    poller = zmq.Poller()
    counts = {reader: 0 for reader in readers}
    for reader in readers:
        poller.register(reader, zmq.POLLIN)
    turns = 0
    while min(counts.values()) < 200_000:
        for reader, _ in poller.poll(PATIENCE_MS) or [(None, None)]:
            assert reader is not None, counts.values()
            for _ in range(1000):
                try:
                    number = int(reader.recv_multipart(zmq.NOBLOCK)[1])
                except zmq.Again:
                    break
                assert number == counts[reader], (number, counts[reader])
                counts[reader] += 1
        turns += 1
        if turns % 20 == 0:
            most = max(most, memory_kib())
    assert sender.wait() == 0
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    # Three queues of 8 MiB, what a turn reads, and what the allocator keeps.
    assert most - before < 64 * 1024, (before, most)
    print("memory before", before, "KiB, most", most, "KiB")


def fuzz():
    """Noise and broken conversations on every endpoint: nothing ends but the connections that made it."""
    rng = random.Random(7)
    openings = [b"", GREETING, GREETING[:40], b"PING\r\n", b"*1\r\n$4\r\nPING\r\n"]
    openings += [GREETING + ready(kind) for kind in (b"PUSH", b"SUB", b"DEALER", b"PULL", b"XSUB", b"ROUTER", b"REQ")]
    frames = [b"\x00\x04PING", b"\x01\x00\x00\x04PING", b"\x01\x04CALL\x00\x03foo", b"\x04\x05\x04PING", b"\x00\x02\x01a"]
    before = memory_kib()
    addresses = [one for one in os.environ["EVERYWHERE"].split(",")]
    for _ in range(3000):
        host, port = rng.choice(addresses).rsplit(":", 1)
        with plain.create_connection((host, int(port)), 10) as raw:
            text = bytearray(rng.choice(openings))
            for _ in range(rng.randrange(8)):
                text += rng.choice(frames) if rng.random() < 0.6 else rng.randbytes(rng.randrange(200))
            for _ in range(rng.randrange(3) if text else 0):
                text[rng.randrange(len(text))] = rng.randrange(256)
            try:
                raw.sendall(text)
            except ConnectionError:
                pass
    assert ask(b"PING") == [b"OK", b"PONG"]
    assert memory_kib() - before < 32 * 1024, (before, memory_kib())


def unfinished():
    """Large frames that are announced and never come cost what has come of them."""
    before, raws = memory_kib(), []
    for _ in range(200):
        raw = plain.create_connection(endpoint(), 10)
        raw.sendall(GREETING + ready(b"PUSH") + b"\x02" + struct.pack(">Q", 64 << 20) + bytes(1000))
        raws.append(raw)
    assert ask(b"PING") == [b"OK", b"PONG"]
    assert memory_kib() - before < 16 * 1024


def asks_and_does_not_read():
    """A peer that asks for much and reads nothing: its answers stop piling up, and come when it reads."""
    assert ask(b"SET", b"large", bytes(100_000)) == [b"OK"]
    before = memory_kib()
    raw = plain.create_connection(endpoint(), 10) if not LOCAL else plain.socket(plain.AF_UNIX)
    if LOCAL:
        raw.connect(LOCAL.removeprefix("ipc://"))
    request = b"\x01\x00\x01\x03GET\x00\x05large"
    raw.sendall(GREETING + ready(b"DEALER") + request * 5000)
    for _ in range(100):
        assert ask(b"PING") == [b"OK", b"PONG"]
    assert memory_kib() - before < 32 * 1024, (before, memory_kib())
    wanted, got = 5000 * 100_000, 0
    raw.settimeout(PATIENCE_MS / 1000)
    while got < wanted:
        part = raw.recv(1 << 20)
        assert part, got
        got += len(part)


def half_open():
    """Peers that say nothing are gone soon, whatever they are; with a heartbeat of 300 ms."""
    for kind in (b"PUSH", b"SUB", b"DEALER", b"PULL"):
        raw = plain.create_connection(endpoint(), 10)
        raw.settimeout(10)
        raw.sendall(GREETING + ready(kind))
        heard = b""
        while part := raw.recv(4096):
            heard += part
        assert b"PING" in heard, (kind, heard)
    # One that answers stays.
    raw = plain.create_connection(endpoint(), 10)
    raw.settimeout(10)
    raw.sendall(GREETING + ready(b"SUB"))
    pings, heard = 0, b""
    while pings < 5:
        part = raw.recv(4096)
        assert part
        heard += part
        while b"\x04PING" in heard:
            heard = heard.split(b"\x04PING", 1)[1]
            pings += 1
            raw.sendall(b"\x04\x05\x04PONG")


def silent():
    """One that does not even greet is gone after the time for greetings."""
    raw = plain.create_connection(endpoint(), 10)
    raw.settimeout(20)
    while raw.recv(4096):
        pass


def survivors():
    """Clients of all kinds at work while the hub is killed, which happens when the file is there: all go on."""
    marker = os.environ["MARKER"]
    sub, push = subscriber(b"go", address=BUS), socket(zmq.PUSH, BUS)
    client = redis.Redis(unix_socket_path=os.environ["STORE"], retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), 200), retry_on_error=[ConnectionError])
    sub_redis = client.pubsub()
    sub_redis.subscribe("news")
    seen = {"bus": 0, "store": 0, "news": 0}
    phase = {"killed": False}
    end = threading.Event()

    def bus():
        while not end.is_set():
            push.send(b"go on")
            if sub.poll(50):
                sub.recv()
                seen["bus"] += 1

    def store():
        while not end.is_set():
            client.incr("counter")
            client.publish("news", "x")
            seen["store"] += 1

    def news():
        while not end.is_set():
            try:
                if sub_redis.get_message(timeout=0.1):
                    seen["news"] += 1
            except redis.ConnectionError:
                time.sleep(0.05)

    threads = [threading.Thread(target=one, daemon=True) for one in (bus, store, news)]
    for thread in threads:
        thread.start()
    for round_ in range(2):
        now = dict(seen)
        until("all at work", lambda: all(seen[key] > now[key] + 20 for key in seen))
        if round_ == 0:
            print("working", flush=True)
            until("the hub's death", lambda: os.path.exists(marker))
    end.set()
    for thread in threads:
        thread.join(5)


if __name__ == "__main__":
    main(globals())
