"""A ZeroMQ peer for the tests: `peer.py ROLE MECHANISM PORT`, keys and passwords in the environment.

ROLE is what the peer is and does; with PORT 0 it binds, and prints the port it got as its first line. What it receives
it prints, a message a line, frames in hex, separated by blanks. It ends by itself, or when its standard input does.
"""

import os
import sys

import zmq
import zmq.auth.thread

role, mechanism, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
context = zmq.Context()
authenticator = None


def secure(socket):
    global authenticator
    environment = {key: value.encode() for key, value in os.environ.items() if key.startswith("PEER_")}
    if port:
        if mechanism == "PLAIN":
            socket.plain_username, socket.plain_password = b"worker", environment["PEER_PASSWORD"]
        elif mechanism == "CURVE":
            socket.curve_secretkey = environment["PEER_SECRET"]
            socket.curve_publickey = environment["PEER_PUBLIC"]
            socket.curve_serverkey = environment["PEER_OTHER_PUBLIC"]
        return
    if mechanism == "NULL":
        return
    authenticator = zmq.auth.thread.ThreadAuthenticator(context)
    authenticator.start()
    if mechanism == "PLAIN":
        authenticator.configure_plain(domain="test", passwords={"worker": environment["PEER_PASSWORD"].decode()})
        socket.plain_server = True
    else:
        authenticator.configure_curve_callback(
            domain="test", credentials_provider=OneKey(environment["PEER_OTHER_PUBLIC"])
        )
        socket.curve_secretkey = environment["PEER_SECRET"]
        socket.curve_publickey = environment["PEER_PUBLIC"]
        socket.curve_server = True
    socket.zap_domain = b"test"


class OneKey:
    def __init__(self, key):
        self.key = key

    def callback(self, domain, key):
        return key == self.key


def start(kind, **options):
    socket = context.socket(getattr(zmq, kind))
    socket.linger = 5000
    socket.rcvtimeo = socket.sndtimeo = 20000
    secure(socket)
    for name, value in options.items():
        setattr(socket, name, value)
    if port:
        socket.connect(f"tcp://127.0.0.1:{port}")
    else:
        print(socket.bind_to_random_port("tcp://127.0.0.1"), flush=True)
    return socket


def show(parts):
    print(" ".join(part.hex() or "-" for part in parts), flush=True)


def push():
    socket = start("PUSH")
    socket.send_multipart([b"topic", b"payload"])
    socket.send_multipart([b""])
    socket.send_multipart([b"", b"x" * 300, b"", b"y"])
    socket.send_multipart([b"z" * 1_000_000])
    for number in range(1000):
        socket.send(b"%d" % number)
    socket.close()


def pull():
    socket = start("PULL")
    for _ in range(3):
        show(socket.recv_multipart())


def sub():
    socket = start("SUB")
    socket.subscribe(b"a")
    socket.subscribe(b"")
    show(socket.recv_multipart())
    socket.unsubscribe(b"a")
    show(socket.recv_multipart())


def xsub():
    socket = start("XSUB")
    socket.send(b"\x01a")
    socket.send_multipart([b"upstream", b"\x01data"])
    socket.send(b"\x00a")
    show(socket.recv_multipart())


def xpub():
    socket = start("XPUB")
    show(socket.recv_multipart())
    socket.send_multipart([b"topic", b"payload"])
    sys.stdin.read()


def pub():
    # The subscription is made when the first message comes through.
    socket = start("PUB")
    socket.sndtimeo = 0
    import select

    while not select.select([sys.stdin], [], [], 0.01)[0]:
        socket.send_multipart([b"topic", b"payload"])


def req():
    socket = start("REQ")
    socket.send(b"ask")
    show(socket.recv_multipart())


def dealer():
    socket = start("DEALER", identity=b"number-one")
    socket.send_multipart([b"ask", b"more"])
    show(socket.recv_multipart())


def router():
    socket = start("ROUTER")
    identity, *rest = socket.recv_multipart()
    show([identity, *rest])
    socket.send_multipart([identity, b"answer", *rest])
    sys.stdin.read()


def rep():
    socket = start("REP")
    show([socket.recv()])
    socket.send(b"answer")
    sys.stdin.read()


def beat():
    socket = start("DEALER", heartbeat_ivl=50, heartbeat_timeout=5000, heartbeat_ttl=1000)
    socket.send_multipart([b"first"])
    show(socket.recv_multipart())


def deaf():
    # Refuses whoever comes.
    os.environ["PEER_PASSWORD"] = "another"
    os.environ["PEER_OTHER_PUBLIC"] = os.environ["PEER_PUBLIC"]
    socket = start("PULL")
    sys.stdin.read()
    socket.close(0)


def pair():
    # Its kind is not served: nothing to wait for but the end of the test.
    socket = start("PAIR")
    sys.stdin.read()
    socket.close(0)


def refused():
    socket = context.socket(zmq.DEALER)
    secure(socket)
    # libzmq 4.3.5 misspells ERROR in its PLAIN, so that it takes a right one for a fault in the protocol.
    failed = zmq.EVENT_HANDSHAKE_FAILED_AUTH if mechanism == "CURVE" else zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    monitor = socket.get_monitor_socket(failed)
    monitor.rcvtimeo = 20000
    socket.linger = 0
    socket.connect(f"tcp://127.0.0.1:{port}")
    from zmq.utils.monitor import recv_monitor_message

    print(recv_monitor_message(monitor)["value"], flush=True)


globals()[role]()
if authenticator:
    authenticator.stop()
context.destroy(linger=5000)
