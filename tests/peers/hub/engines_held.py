"""Messages that wait for an engine that is away, and a hub that follows with another engine, or none.

Variables: BUS_LOCAL and STORE. Says `held` when messages wait; `heard` when they came, each once and in their order.
"""

import os
import time

import redis
import zmq

COUNT = 50
context = zmq.Context()


def socket(kind):
    made = context.socket(kind)
    made.rcvtimeo = made.sndtimeo = 20_000
    made.linger = 0
    made.connect(os.environ["BUS_LOCAL"])
    return made


def wait_for(section, line, least):
    told = redis.Redis(unix_socket_path=os.environ["STORE"])
    deadline = time.monotonic() + 15
    while (value := told.info(section)[line]) < least:
        assert time.monotonic() < deadline, f"{line} is {value}"
        time.sleep(0.01)


sub, pull, push = socket(zmq.SUB), socket(zmq.PULL), socket(zmq.PUSH)
sub.subscribe(b"held")
wait_for("Bus", "bus_members", 2)
for number in range(COUNT):
    push.send_multipart([b"held", b"%d" % number, bytes(100)])
for number in range(COUNT):
    assert pull.recv_multipart()[1] == b"%d" % number
wait_for("Engines", "bus_engine_waiting_bytes", COUNT * 100)
print("held", flush=True)
for number in range(COUNT):
    heard = sub.recv_multipart()
    assert heard == [b"held", b"%d" % number, bytes(100)], heard
push.send_multipart([b"held", b"end"])
assert sub.recv_multipart() == [b"held", b"end"]
assert pull.recv_multipart() == [b"held", b"end"], "work was given before"
print("heard", flush=True)
os._exit(0)
