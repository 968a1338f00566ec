"""An engine that takes nothing, and one that answers late, while others have the hub to themselves.

Variables: STORE and BUS (Unix sockets), STEP; for `late` ENGINE (redis://).
"""

import os
import threading
import time

import redis
import zmq

context = zmq.Context()


def client():
    made = redis.Redis(unix_socket_path=os.environ["STORE"], socket_timeout=20, retry=None, single_connection_client=True)
    made.ping()
    return made


def longest(stop, ask):
    """The longest that `ask` took until `stop` is set."""
    worst = 0.0
    while not stop.is_set():
        began = time.monotonic()
        ask()
        worst = max(worst, time.monotonic() - began)
    return worst


def watched(work):
    """Does `work` while somebody else uses the hub's own store: the longest that one command of it took."""
    stop, found, other = threading.Event(), [], client()
    thread = threading.Thread(target=lambda: found.append(longest(stop, lambda: other.ping())))
    thread.start()
    work()
    stop.set()
    thread.join()
    return found[0]


def stuck():
    """A bus whose engine reads nothing: messages wait, are dropped and counted, and memory stays as it is."""
    push = context.socket(zmq.PUSH)
    push.sndhwm = 4
    push.linger = 0
    push.sndtimeo = 20_000
    push.connect(f"ipc://{os.environ['BUS']}")
    info = client()

    def flood():
        for _ in range(200):
            push.send_multipart([b"big", bytes(1 << 20)])
        deadline = time.monotonic() + 15
        while info.info("Engines")["bus_engine_dropped_messages"] < 100 and time.monotonic() < deadline:
            time.sleep(0.02)

    worst = watched(flood)
    told = info.info("Engines")
    assert told["bus_engine_dropped_messages"] >= 100, told
    assert told["bus_engine_waiting_bytes"] <= 11 << 20, told
    assert worst < 2, f"somebody else waited {worst} s"
    print("dropped", told["bus_engine_dropped_messages"], "worst", round(worst, 3))


def late():
    """A store and bus whose engine answers after 1.5 s: who asked waits, and nobody else."""
    outside = redis.Redis.from_url(os.environ["ENGINE"])
    outside.set("key", "there")
    asking, publishing = client(), client()
    assert asking.get("key") == b"there"
    took = {}

    def timed(name, ask):
        began = time.monotonic()
        ask()
        took[name] = time.monotonic() - began

    def work():
        outside.execute_command("CLIENT", "PAUSE", 1500, "ALL")
        asked = [
            threading.Thread(target=timed, args=("get", lambda: asking.get("key"))),
            threading.Thread(target=timed, args=("publish", lambda: publishing.publish("a", "b"))),
        ]
        [thread.start() for thread in asked]
        [thread.join() for thread in asked]

    worst = watched(work)
    assert min(took.values()) > 0.5, took
    assert worst < 0.5, f"somebody else waited {worst} s"
    assert asking.get("key") == b"there" and publishing.publish("a", "b") == 0


{"stuck": stuck, "late": late}[os.environ["STEP"]]()
os._exit(0)
