"""What the checks of the bus share: sockets with a time limit, and certainty that a subscription is installed."""

import os
import time

import zmq

# No receive waits longer, in milliseconds; what should not come is waited for QUIET_MS.
PATIENCE_MS = 20_000
QUIET_MS = 300

BUS = os.environ.get("BUS", "")
LOCAL = os.environ.get("BUS_LOCAL", "")

context = zmq.Context()
context.linger = PATIENCE_MS


def socket(kind, address=None, **options):
    """A connected socket; options by their names in pyzmq, lower case."""
    made = context.socket(kind)
    made.rcvtimeo = made.sndtimeo = PATIENCE_MS
    for name, value in options.items():
        setattr(made, name, value)
    for one in (address or BUS).split(","):
        made.connect(one)
    return made


def subscriber(*topics, kind=zmq.SUB, address=None, synced=True, **options):
    made = socket(kind, address, **options)
    for topic in topics:
        made.subscribe(topic) if kind == zmq.SUB else made.send(b"\x01" + topic)
    if synced:
        for topic in topics:
            sync(topic)
    return made


_asker = None


def ask(*frames):
    """The answer to a request of a REQ socket."""
    global _asker
    if _asker is None:
        _asker = socket(zmq.REQ, os.environ.get("ASK") or LOCAL or BUS)
    _asker.send_multipart(frames)
    return _asker.recv_multipart()


def sync(topic):
    answer = ask(b"SYNC", topic, b"%d" % PATIENCE_MS)
    assert answer == [b"OK"], answer


def receivers(topic):
    """How many hear a message on this topic, which is sent."""
    answer = ask(b"PUB", topic, b"counted")
    assert answer[0] == b"OK", answer
    return int(answer[1])


def until(what, condition):
    """Waits for what no message tells of."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not condition():
        assert time.monotonic() < end, f"waited for {what} in vain"
        time.sleep(0.01)


def silent(made):
    """Nothing comes."""
    return made.poll(QUIET_MS) == 0


def main(checks):
    """Runs the checks named on the command line."""
    import sys

    for name in sys.argv[1:]:
        checks[name]()
        print("passed", name, flush=True)
