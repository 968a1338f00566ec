"""Records what pyzmq's sockets send: `record.py FOLDER`, once for each new libzmq.

Each file has the version in its first line, and then in hex, a chunk a line, what a client sends to a server that
announces ZMTP 3.0 or 3.1 and answers its READY. Nothing in it depends on the moment.
"""

import pathlib
import socket
import sys

import zmq

ANSWERS = {"SUB": b"XPUB", "XSUB": b"XPUB", "PUSH": b"PULL", "REQ": b"ROUTER", "DEALER": b"ROUTER"}


def use(client, kind):
    if kind == "SUB":
        client.subscribe(b"topic")
    elif kind == "XSUB":
        client.send(b"\x01topic")
        client.send_multipart([b"up", b"stream"])
    elif kind == "DEALER":
        client.send_multipart([b"one", b"", b"x" * 300])
    else:
        client.send_multipart([b"one", b"two"])


def record(kind, minor):
    context = zmq.Context()
    listener = socket.create_server(("127.0.0.1", 0))
    client = context.socket(getattr(zmq, kind))
    if kind == "DEALER":
        client.identity = b"number-one"
    client.connect(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
    stream, _ = listener.accept()
    stream.sendall(b"\xff" + bytes(8) + b"\x7f\x03" + bytes([minor]) + b"NULL" + bytes(16 + 32))
    answer = ANSWERS[kind]
    ready = b"\x05READY\x0bSocket-Type" + len(answer).to_bytes(4, "big") + answer
    stream.sendall(b"\x04" + bytes([len(ready)]) + ready)
    use(client, kind)
    client.close(linger=1000)
    chunks = b""
    while chunk := stream.recv(65536):
        chunks += chunk
    context.term()
    return chunks


folder = pathlib.Path(sys.argv[1])
for kind in ANSWERS:
    for minor in (0, 1):
        text = record(kind, minor).hex()
        lines = "\n".join(text[at : at + 100] for at in range(0, len(text), 100))
        name = f"{kind.lower()}-to-3.{minor}.hex"
        (folder / name).write_text(f"libzmq {zmq.zmq_version()}\n{lines}\n")
