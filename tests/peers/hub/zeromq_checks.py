"""The bus as pyzmq sees it: each function is one check, named on the command line."""

import os
import socket as plain
import struct
import threading

import zmq
import zmq.utils.monitor

from zeromq_peer import ask, context, main, receivers, silent, socket, subscriber, sync, until
from zeromq_peer import BUS, LOCAL


def basic():
    for address in (BUS, LOCAL):
        sub, push, pub = subscriber(b"basic", address=address), socket(zmq.PUSH, address), socket(zmq.PUB, address)
        push.send(b"basic the seed's format")
        assert sub.recv_multipart() == [b"basic the seed's format"]
        # A PUB drops what it sends before its peer has subscribed; the hub does so at once.
        until("the PUB's first message", lambda: pub.send(b"basic pub") or sub.poll(20))
        sub.close()


def multipart():
    sub, push = subscriber(b""), socket(zmq.PUSH)
    sent = [[b"a", b"", b"x" * 300, b"y" * 70_000], [b"", b""], [b"one"], [b"t"] + [b"%d" % n for n in range(1000)]]
    for message in sent:
        push.send_multipart(message)
    assert [sub.recv_multipart() for _ in sent] == sent


def order():
    sub, push = subscriber(b"n", rcvhwm=0), socket(zmq.PUSH, sndhwm=0)
    for number in range(20_000):
        push.send_multipart([b"n", b"%d" % number])
    for number in range(20_000):
        assert sub.recv_multipart() == [b"n", b"%d" % number]


def prefix_filter():
    sub, push = subscriber(b"news.sport", b"news.art"), socket(zmq.PUSH)
    for topic in (b"news", b"news.spor", b"news.sport", b"news.sports", b"other", b"", b"news.art "):
        push.send_multipart([topic, b"payload"])
    assert [sub.recv_multipart()[0] for _ in range(3)] == [b"news.sport", b"news.sports", b"news.art "]
    assert silent(sub)


def refcounted_unsubscribe():
    for kind in (zmq.SUB, zmq.XSUB):
        sub = subscriber(b"again", b"again", kind=kind, synced=False)
        sync(b"again")
        drop = (lambda: sub.unsubscribe(b"again")) if kind == zmq.SUB else (lambda: sub.send(b"\x00again"))
        drop()
        for _ in range(20):
            assert receivers(b"again") == 1
        drop()
        until("the last subscription to go", lambda: receivers(b"again") == 0)
        sub.close()


def overlapping():
    sub, push = subscriber(b"", b"a", b"a.b", b"a.b.c"), socket(zmq.PUSH)
    push.send_multipart([b"a.b.c.d", b"once"])
    push.send_multipart([b"end"])
    assert sub.recv_multipart() == [b"a.b.c.d", b"once"]
    assert sub.recv_multipart() == [b"end"]


def large():
    sub, push = subscriber(b"big"), socket(zmq.PUSH)
    body = os.urandom(1 << 20) * 20
    push.send_multipart([b"big", body])
    push.send(b"big after")
    assert sub.recv_multipart() == [b"big", body]
    assert sub.recv_multipart() == [b"big after"]


def heartbeats():
    """Clients that ask for signs of life twice a second stay connected, idle or not."""
    quick = {"heartbeat_ivl": 100, "heartbeat_timeout": 400}
    sub, push = subscriber(b"beat", **quick), socket(zmq.PUSH, **quick)
    watch = sub.get_monitor_socket(zmq.EVENT_DISCONNECTED), push.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    push.send(b"beat first")
    assert sub.recv() == b"beat first"
    # Five times the limit of silence.
    assert watch[0].poll(2000) == 0 and watch[1].poll(1) == 0
    push.send(b"beat last")
    assert sub.recv() == b"beat last"


def too_large():
    """With a limit of 1 MiB."""
    sub, push, good = subscriber(b""), socket(zmq.PUSH), socket(zmq.PUSH)
    watch = push.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    push.send(bytes(1 << 20))
    assert len(sub.recv()) == 1 << 20
    push.send(bytes((1 << 20) + 1))
    assert watch.poll(10_000)
    good.send(b"fine")
    assert sub.recv() == b"fine"


def xsub():
    sub, push = subscriber(b"x", kind=zmq.XSUB), socket(zmq.PUSH)
    other = subscriber(b"up")
    push.send_multipart([b"x", b"down"])
    assert sub.recv_multipart() == [b"x", b"down"]
    sub.send_multipart([b"up", b"stream"])
    assert other.recv_multipart() == [b"up", b"stream"]


def xpub():
    """An XPUB that connects learns of the hub's one subscription, to everything, and publishes."""
    sub, pub = subscriber(b"x"), socket(zmq.XPUB)
    assert pub.recv() == b"\x01"
    pub.send_multipart([b"x", b"from an XPUB"])
    assert sub.recv_multipart() == [b"x", b"from an XPUB"]


def many():
    context.max_sockets = 2000
    subs = [subscriber(b"own.%d." % n, synced=False) for n in range(200)]
    for n in range(200):
        sync(b"own.%d." % n)
    push = socket(zmq.PUSH)
    for n in range(200):
        push.send_multipart([b"own.%d." % n, b"%d" % n])
    for n, sub in enumerate(subs):
        assert sub.recv_multipart() == [b"own.%d." % n, b"%d" % n]
    push.send_multipart([b"own", b"nobody's"])
    assert not any(sub.poll(1) for sub in subs)


def pull():
    """Work goes to one of the consumers each, shared evenly; none of it is lost."""
    pulls = [socket(zmq.PULL) for _ in range(4)]
    until("the consumers", lambda: receivers(b"job") == 1)
    push = socket(zmq.PUSH)
    for n in range(400):
        push.send_multipart([b"job", b"%d" % n])
    seen, shares = [], []
    for one in pulls:
        share = []
        while one.poll(500 if len(seen) < 400 else 50):
            topic, body = one.recv_multipart()
            if body != b"counted":
                share.append(int(body))
        seen += share
        shares.append(len(share))
    assert sorted(seen) == list(range(400)), len(seen)
    assert min(shares) >= 50, shares


def no_echo():
    """Who subscribes to `$noecho` does not hear its own process, where the kernel knows the process."""
    deaf, hears = subscriber(b"$noecho", b"e", address=LOCAL, synced=False), subscriber(b"e", address=LOCAL)
    until("the second subscription", lambda: receivers(b"e") == 1)
    push, elsewhere = socket(zmq.PUSH, LOCAL), socket(zmq.PUSH, BUS)
    push.send(b"e of this process")
    while hears.recv() != b"e of this process":
        pass
    elsewhere.send(b"e over tcp")
    assert deaf.recv() == b"e over tcp"


def reserved():
    """What only the hub says, nobody else can."""
    sub, push = subscriber(b"", b"store.", address=LOCAL), socket(zmq.PUSH)
    for topic in (b"store.key", b"__keyspace@0__:key", b"__keyevent@0__:set"):
        push.send_multipart([topic, b"forged"])
        answer = ask(b"PUB", topic, b"forged")
        assert answer[0] == b"ERROR", answer
    push.send_multipart([b"store", b"fine"])
    assert sub.recv_multipart() == [b"store", b"fine"]
    assert ask(b"SET", b"key", b"value") == [b"OK"]
    topic, payload = sub.recv_multipart()
    assert topic == b"store.key" and b'"event":"set"' in payload, (topic, payload)


def endpoint():
    address = BUS.removeprefix("tcp://").rsplit(":", 1)
    return address[0], int(address[1])


def garbage():
    """Peers that talk nonsense are cut off, and nobody else notices."""
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(16 + 32)
    ready = b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB"
    push_ready = b"\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x04PUSH"
    nonsense = [
        b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n",
        bytes(70),
        b"\xff" * 500,
        greeting + b"\x06" + struct.pack(">Q", 2**64 - 1),
        greeting + push_ready + b"\x02" + struct.pack(">Q", 2**64 - 1) + b"x" * 100,
        greeting + push_ready + b"\x02" + struct.pack(">Q", 2**63) + b"x" * 100,
        greeting + push_ready + b"\x80\x01x",
        greeting + ready + b"\x00\x05hello",
        greeting + ready + b"\x04\x05\x09SUBS",
        greeting + b"\x04\x03\x05REA",
        greeting + b"\x04\x1a\x05READY\x0bSocket-Type\x00\x00\x00\x04PAIR",
        greeting[:10] + b"\x01" + greeting[11:],
        greeting.replace(b"NULL", b"LLUN"),
    ]
    sub, push = subscriber(b"fine"), socket(zmq.PUSH)
    for bytes_ in nonsense:
        with plain.create_connection(endpoint(), 10) as raw:
            raw.sendall(bytes_)
            while True:
                try:
                    if not raw.recv(4096):
                        break
                except ConnectionResetError:
                    break
        push.send(b"fine")
        assert sub.recv() == b"fine"


def raw_3_0():
    """A peer that announces ZMTP 3.0 is served in 3.0: subscriptions are messages, and no heartbeats come."""
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16 + 32)
    raw = plain.create_connection(endpoint(), 10)
    raw.sendall(greeting + b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB" + b"\x00\x04\x01raw")
    sync(b"raw")
    push = socket(zmq.PUSH)
    push.send_multipart([b"raw", b"message"])
    wanted, heard = b"\x01\x03raw\x00\x07message", b""
    while not heard.endswith(wanted):
        part = raw.recv(4096)
        assert part, heard
        heard += part
    assert heard[0] == 0xFF and b"XPUB" in heard and b"PING" not in heard, heard


def old():
    """A peer of ZMTP 2.0 is refused."""
    raw = plain.create_connection(endpoint(), 10)
    raw.sendall(b"\xff" + bytes(7) + b"\x01\x7f\x01\x02\x00\x00")
    while raw.recv(4096):
        pass


def early():
    """Clients that were there first: the port is found in a file as soon as the hub has it."""
    address, marker = os.environ["EARLY"], os.environ["MARKER"]
    sub, push = subscriber(b"early", address=address, synced=False), socket(zmq.PUSH, address)
    push.send(b"early bird")
    open(marker, "w").close()
    until("a message to oneself", lambda: push.send(b"early bird") or sub.poll(50))


def slow_beside_fast():
    """One that does not read keeps nobody else from anything."""
    slow, fast = subscriber(b"s", rcvhwm=10), subscriber(b"s", rcvhwm=0)
    push, body, count = socket(zmq.PUSH, sndhwm=0), os.urandom(10_000), 10_000
    done = []

    def read():
        for number in range(count):
            assert fast.recv_multipart() == [b"s", b"%d" % number, body], number
        done.append(True)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(count):
        push.send_multipart([b"s", b"%d" % number, body])
    reader.join()
    assert done
    heard = 0
    last = -1
    while slow.poll(500):
        number = int(slow.recv_multipart()[1])
        assert number > last
        last, heard = number, heard + 1
    assert 0 < heard < count and last == count - 1, (heard, last)


def connects():
    """Thousands come and go."""
    for round_ in range(10):
        subs = [subscriber(b"storm", synced=False) for _ in range(100)]
        pushes = [socket(zmq.PUSH, linger=0) for _ in range(100)]
        if round_ % 2:
            until("all to be there", lambda: receivers(b"storm") >= 100)
        for one in subs + pushes:
            one.close(linger=0)
    for _ in range(2000):
        with plain.create_connection(endpoint(), 10):
            pass
    until("all to be gone", lambda: receivers(b"storm") == 0)


def subscriptions():
    """10,000 subscriptions of 1,000 clients, each heard by whom it concerns."""
    context.max_sockets = 4000
    subs = []
    for client in range(1000):
        subs.append(subscriber(*(b"t.%d.%d." % (client, n) for n in range(10)), synced=False))
    for client in range(1000):
        sync(b"t.%d.9." % client)
    push = socket(zmq.PUSH, sndhwm=0)
    for client in range(1000):
        push.send_multipart([b"t.%d.%d." % (client, client % 10), b"%d" % client])
    for client, sub in enumerate(subs):
        assert sub.recv_multipart()[1] == b"%d" % client
    assert not any(sub.poll(0) for sub in subs)


def rules():
    """What a service may not hear or say over PLAIN it does not; what it may goes on."""
    plain_ = {"plain_username": os.environ["NAME"].encode(), "plain_password": os.environ["TOKEN"].encode()}
    sub = subscriber(b"secret.", b"", b"open.", synced=False, **plain_)
    push = socket(zmq.PUSH, **plain_)
    sync(b"open.")
    free = socket(zmq.PUSH, LOCAL)
    for topic in (b"secret.1", b"other", b"open.1"):
        free.send_multipart([topic, b"payload"])
    assert sub.recv_multipart() == [b"open.1", b"payload"]
    everything = subscriber(b"", address=LOCAL)
    for topic in (b"secret.1", b"heard.1", b"open.2"):
        push.send_multipart([topic, b"mine"])
    assert everything.recv_multipart() == [b"open.2", b"mine"]
    assert silent(everything)


def limited_pull():
    """Who may not hear every topic gets no work by PULL, and takes none away from others."""
    plain_ = {"plain_username": os.environ["NAME"].encode(), "plain_password": os.environ["TOKEN"].encode()}
    limited, pull = socket(zmq.PULL, **plain_), socket(zmq.PULL, LOCAL)
    push = socket(zmq.PUSH, LOCAL)
    # Whoever came before somebody who is answered has been let in too.
    for _ in range(3):
        asker = socket(zmq.REQ, **plain_)
        asker.send(b"PING")
        asker.recv_multipart()
    for number in range(20):
        push.send_multipart([b"other.x", b"%d" % number])
    assert [pull.recv_multipart()[1] for _ in range(20)] == [b"%d" % number for number in range(20)]
    assert silent(limited)


def intruder():
    """A wrong password, a wrong key, or none, gets nowhere."""
    for options in (
        {"plain_username": b"web", "plain_password": b"0" * 32},
        {"plain_username": b"nobody", "plain_password": b"x"},
        {},
    ):
        made = context.socket(zmq.DEALER)
        for name, value in options.items():
            setattr(made, name, value)
        failed = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        watch = made.get_monitor_socket(failed | zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED)
        made.connect(BUS)
        assert watch.poll(10_000)
        event = zmq.utils.monitor.recv_monitor_message(watch)["event"]
        assert event != zmq.EVENT_HANDSHAKE_SUCCEEDED, event
        made.close(linger=0)


def curve():
    """Everything over CURVE: small, large, many, requests, heartbeats."""
    keys = {name: os.environ[name.upper()].encode() for name in ("curve_serverkey", "curve_publickey", "curve_secretkey")}
    sub, push = subscriber(b"c", synced=False, **keys), socket(zmq.PUSH, heartbeat_ivl=100, **keys)
    sync(b"c")
    body = os.urandom(1 << 20) * 3
    push.send_multipart([b"c", b"", body])
    assert sub.recv_multipart() == [b"c", b"", body]
    for number in range(2000):
        push.send_multipart([b"c", b"%d" % number])
    for number in range(2000):
        assert sub.recv_multipart() == [b"c", b"%d" % number]
    req = socket(zmq.REQ, **keys)
    req.send_multipart([b"SET", b"sealed", b"value"])
    assert req.recv_multipart() == [b"OK"]
    req.send_multipart([b"GET", b"sealed"])
    assert req.recv_multipart() == [b"OK", b"value"]
    stranger = dict(keys)
    stranger["curve_publickey"], stranger["curve_secretkey"] = zmq.curve_keypair()
    made = context.socket(zmq.DEALER)
    for name, value in stranger.items():
        setattr(made, name, value)
    watch = made.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_SUCCEEDED)
    made.connect(BUS)
    assert watch.poll(10_000)
    event = zmq.utils.monitor.recv_monitor_message(watch)
    assert event["event"] == zmq.EVENT_HANDSHAKE_FAILED_AUTH and event["value"] == 400, event


def classic():
    """The classic two lines: PUSH to one address, SUB to another."""
    sub, push = subscriber(b"", address=os.environ["PUB"], synced=False), socket(zmq.PUSH, os.environ["PULL"])
    everybody = subscriber(b"both", address=BUS, synced=False)
    sync(b"")
    sync(b"both")
    push.send(b"both classic")
    assert sub.recv() == b"both classic" and everybody.recv() == b"both classic"
    # The one only takes, the other only gives.
    for kind, address in ((zmq.PUSH, os.environ["PUB"]), (zmq.SUB, os.environ["PULL"]), (zmq.DEALER, os.environ["PUB"])):
        made = context.socket(kind)
        watch = made.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED)
        made.connect(address)
        assert watch.poll(10_000)
        event = zmq.utils.monitor.recv_monitor_message(watch)["event"]
        assert event == zmq.EVENT_DISCONNECTED, (kind, event)
        made.close(linger=0)


def replay():
    """Who comes late asks for what was said before."""
    push, early = socket(zmq.PUSH), subscriber(b"kept.")
    for n in range(5):
        push.send_multipart([b"kept.%d" % n, b"%d" % n])
    for _ in range(5):
        early.recv_multipart()
    ok, lost, *rest = ask(b"REPLAY", b"kept.", b"0")
    assert ok == b"OK" and lost == b"0", (ok, lost)
    messages = [rest[place : place + 3] for place in range(0, len(rest), 3)]
    assert [topic for _, topic, _ in messages] == [b"kept.%d" % n for n in range(5)], messages
    after = messages[2][0]
    assert len(ask(b"REPLAY", b"kept.", after)) == 2 + 2 * 3


if __name__ == "__main__":
    main(globals())
