"""A hub and its engine, which is there, away, or back; or the hub is another: STEP says which.

Variables: STORE and BUS (Unix sockets), ENGINE (redis:// or nats://), STEP, and for `reload` READY and DONE (files).
"""

import os
import threading
import time

import redis
import zmq

context = zmq.Context()
clients = []
is_redis = os.environ["ENGINE"].startswith("redis")


def client(**options):
    made = redis.Redis(unix_socket_path=os.environ["STORE"], socket_timeout=15, **options)
    # One that nobody holds takes its connections along, those of listeners too.
    clients.append(made)
    return made


def socket(kind):
    made = context.socket(kind)
    made.RCVTIMEO = 10_000
    made.LINGER = 5_000
    made.connect(f"ipc://{os.environ['BUS']}")
    return made


def synced(prefix):
    asker = socket(zmq.REQ)
    asker.send_multipart([b"SYNC", prefix, b"10000"])
    assert asker.recv_multipart() == [b"OK"]


def reader(prefix):
    made = socket(zmq.SUB)
    made.subscribe(prefix)
    synced(prefix)
    return made


def there():
    sub = reader(b"t")
    client().publish("t", "1")
    assert sub.recv_multipart() == [b"t", b"1"]
    if is_redis:
        client().set("key", 1)


def away():
    assert client().ping()
    info = client().info("Engines")
    assert info["bus_engine_state"] != "up" and info["bus_engine_trouble"], info
    try:
        client().publish("t", "lost")
        raise AssertionError("nobody heard it")
    except redis.ResponseError as error:
        assert "the engine of the bus" in str(error) and "away" in str(error), error
    if is_redis:
        try:
            client().get("key")
            raise AssertionError("nobody has it")
        except redis.ResponseError as error:
            assert "the engine of the store" in str(error) and "away" in str(error), error
    before = client().info("Engines")["bus_engine_waiting_bytes"]
    push = socket(zmq.PUSH)
    push.send_multipart([b"kept", b"waits"])
    deadline = time.monotonic() + 8
    while client().info("Engines")["bus_engine_waiting_bytes"] <= before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert client().info("Engines")["bus_engine_waiting_bytes"] > before
    for _ in range(20):
        push.send_multipart([b"big", bytes(1 << 20)])
    while client().info("Engines")["bus_engine_dropped_messages"] < 12 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert client().info("Engines")["bus_engine_dropped_messages"] >= 12


def back():
    there()
    info = client().info("Engines")
    assert info["bus_engine_losses"] == 1 and info["bus_engine_state"] == "up", info
    assert info["bus_engine_sent_messages"] > 2, "what waited was sent"


def reload():
    """A subscriber, a client that waits, one in a transaction and one that watches: all meet another hub."""
    sub = reader(b"news")
    listener = client().pubsub()
    listener.subscribe("news")
    assert listener.get_message(timeout=10)["type"] == "subscribe"
    found = []
    once = client(single_connection_client=True)
    client().rpush("old", "x")
    assert once.blpop(["old"], timeout=5) == (b"old", b"x")
    waiter = threading.Thread(target=lambda: found.append(client(single_connection_client=True).blpop(["queue"], timeout=12)))
    waiter.start()
    queued = client(single_connection_client=True)
    queued.execute_command("MULTI")
    queued.execute_command("SET", "queued", "yes")
    watching = client(single_connection_client=True)
    watching.execute_command("WATCH", "seen")
    selected = client(single_connection_client=True)
    selected.execute_command("SELECT", 5)
    outside = redis.Redis.from_url(os.environ["ENGINE"])
    while not any(line["cmd"] == "blpop" for line in outside.client_list()):
        time.sleep(0.01)
    open(os.environ["READY"], "w").close()
    deadline = time.monotonic() + 15
    while not os.path.exists(os.environ["DONE"]) and time.monotonic() < deadline:
        time.sleep(0.01)
    outside.rpush("queue", "job")
    waiter.join()
    assert found == [(b"queue", b"job")], found
    client().rpush("old", "y")
    assert once.llen("old") == 1, "what was done is not asked again"
    done = queued.execute_command("EXEC")
    assert done == [b"OK"], done
    assert outside.get("queued") == b"yes"
    watching.execute_command("MULTI")
    watching.execute_command("SET", "seen", 1)
    assert watching.execute_command("EXEC") is None
    selected.set("five", 5)
    assert redis.Redis.from_url(os.environ["ENGINE"] + "/5").get("five") == b"5"
    synced(b"news")
    assert client().publish("news", "hi") >= 1
    assert listener.get_message(timeout=10)["data"] == b"hi"
    assert sub.recv_multipart() == [b"news", b"hi"]


{"there": there, "away": away, "back": back, "reload": reload}[os.environ["STEP"]]()
os._exit(0)
