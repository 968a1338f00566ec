"""A member of a herd with good papers and bad manners, made of nothing but Python's own TLS.

    herd_rogue.py FOLDER ADDRESS garbage|silent

FOLDER is the herd folder of a node. It connects to ADDRESS, shakes hands as that node, says its hello, and then either
sends frames of nonsense until it is cut off, on one connection after the other, or never reads again. Says `ready` when
it is a link, and in the end `cut off`.
"""

import os
import random
import re
import socket
import ssl
import struct
import subprocess
import sys

HELLO = 0
# Frames that are no messages: of the machine that spreads, of the replica, of checks that are passed on.
KINDS = [1, 2, 4, 5, 6, 8, 13, 32, 33, 36, 38, 40, 64, 65]


def frame(kind, payload):
    return struct.pack(">IB", len(payload) + 1, kind) + payload


def piece(text):
    return struct.pack(">H", len(text)) + text


def connect(folder, address):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.load_verify_locations(os.path.join(folder, "trusted.pem"))
    context.load_cert_chain(os.path.join(folder, "node.pem"))
    context.set_alpn_protocols(["remuda-herd/1"])
    host, port = address.rsplit(":", 1)
    raw = socket.create_connection((host, int(port)), timeout=30)
    # Little room, so that what is not read comes to a stop soon.
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    stream = context.wrap_socket(raw)
    assert stream.version() == "TLSv1.3" and stream.selected_alpn_protocol() == "remuda-herd/1"
    return stream


def say_hello(stream, folder):
    shown = subprocess.run(
        ["openssl", "x509", "-in", os.path.join(folder, "node.pem"), "-noout", "-ext", "subjectAltName", "-subject"],
        check=True, capture_output=True, text=True,
    ).stdout
    herd, node = re.search(r"remuda://([^/]+)/([0-9a-f]+)", shown).groups()
    name = re.search(r"CN ?= ?([^\s,]+)", shown).group(1)
    hello = struct.pack(">HHQQQQ", 2, 2, int(node, 16), 1, 0, 0) + piece(herd.encode()) + piece(name.encode())
    stream.sendall(frame(HELLO, hello))
    (length, kind) = struct.unpack(">IB", exactly(stream, 5))
    assert kind == HELLO, kind
    exactly(stream, length - 1)


def exactly(stream, count):
    data = b""
    while len(data) < count:
        more = stream.recv(count - len(data))
        assert more, "the server has closed"
        data += more
    return data


def is_cut_off(stream):
    try:
        while stream.recv(65536):
            pass
    except (ConnectionError, ssl.SSLError):
        pass
    return True


def garbage(folder, address, seed):
    chance = random.Random(seed)
    for kind in KINDS:
        stream = connect(folder, address)
        say_hello(stream, folder)
        try:
            # Some are messages by chance; nobody takes ten thousand of them.
            for _ in range(10000):
                stream.sendall(frame(kind, chance.randbytes(chance.randrange(200))))
        except (ConnectionError, ssl.SSLError):
            pass
        else:
            if kind in (64, 65):
                # What is passed over or passed on may be nonsense for ever; a frame without end may not.
                stream.sendall(struct.pack(">I", 0xFFFFFFFF))
        assert is_cut_off(stream)
    stream = connect(folder, address)
    say_hello(stream, folder)
    raw = socket.socket(fileno=stream.detach())
    raw.settimeout(30)
    raw.sendall(b"\xff" * 4096)
    assert is_cut_off(raw)
    print("cut off", flush=True)


def silent(folder, address):
    stream = connect(folder, address)
    say_hello(stream, folder)
    print("ready", flush=True)
    sys.stdin.readline()


folder, address, manners = sys.argv[1:4]
if manners == "garbage":
    garbage(folder, address, 1)
else:
    silent(folder, address)
