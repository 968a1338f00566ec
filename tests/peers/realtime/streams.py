"""A plain WebSocket and a stream of events on the topic `chat`: what is published comes out of both, and what a client
sends goes in; who comes back with Last-Event-ID gets what it missed.
"""

import base64
import http.client
import os
import pathlib
import socket
import struct
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "hub"))

import cases  # noqa: E402
import redis  # noqa: E402

ADDRESS = urllib.parse.urlsplit(os.environ["GATEWAY"]).netloc
HOST, PORT = ADDRESS.split(":")
hub = redis.Redis.from_url(os.environ["REDIS_URL"])


class WebSocket:
    def __init__(self, path, **fields):
        self.socket = socket.create_connection((HOST, int(PORT)), 10)
        self.file = self.socket.makefile("rb")
        fields = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Host": ADDRESS, **fields}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        self.status = int(self.file.readline().split()[1])
        while self.file.readline() != b"\r\n":
            pass

    def send(self, payload, opcode=1):
        head = bytes([0x80 | opcode]) + (bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload)))
        self.socket.sendall(head + bytes(4) + payload)

    def next(self):
        while True:
            first, length = self.file.read(2)
            length = struct.unpack(">H", self.file.read(2))[0] if length == 126 else length
            payload = self.file.read(length)
            if first & 15 != 9:
                return first & 15, payload


class Events:
    def __init__(self, last=None):
        self.connection = http.client.HTTPConnection(ADDRESS, timeout=10)
        self.connection.request("GET", "/events", headers={"Last-Event-ID": last} if last else {})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200 and self.answer.headers["Content-Type"] == "text/event-stream"

    def next(self):
        """The next event: its fields; comments are passed over."""
        fields = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line == "" and fields.keys() & {"data"}:
                return fields
            if line == "":
                fields = {}
            elif not line.startswith(":"):
                name, value = line.split(": ", 1)
                fields[name] = fields[name] + "\n" + value if name in fields else value


def listened(at_least):
    """Publishes until as many gateways as there are listen: a subscription takes a moment."""
    cases.wait_until("the gateways", lambda: hub.publish("chat", "are you there?") >= at_least)


def case_messages_go_both_ways():
    one, two = WebSocket("/ws"), WebSocket("/ws")
    listened(1)
    one.send("gr\u00fc\u00df".encode())
    for each in (one, two):
        while (message := each.next())[1] == b"are you there?":
            pass
        assert message == (1, "gr\u00fc\u00df".encode()), message
    one.send(b"\xff\x00", 2)
    assert one.next() == two.next() == (2, b"\xff\x00")


def case_events_come_with_lines_and_bytes():
    events = Events()
    listened(1)
    hub.publish("chat", "one\ntwo")
    while (event := events.next())["data"] == "are you there?":
        pass
    assert event["data"] == "one\ntwo"
    hub.publish("chat", b"\xff")
    event = events.next()
    assert (event["event"], base64.b64decode(event["data"])) == ("base64", b"\xff")


def case_who_comes_back_gets_what_it_missed():
    events = Events()
    listened(1)
    hub.publish("chat", "first")
    while (event := events.next())["data"] != "first":
        pass
    events.connection.close()
    for number in range(50):
        hub.publish("chat", f"missed {number}")
    again = Events(event["id"])
    assert [again.next()["data"] for _ in range(50)] == [f"missed {number}" for number in range(50)]
    hub.publish("chat", "live")
    assert again.next()["data"] == "live"
    elsewhere = Events("another-17")
    assert elsewhere.next() == {"event": "gap", "data": '{"missed":null}'}


def case_pages_of_other_origins_are_refused():
    assert WebSocket("/ws", Origin="http://evil.example").status == 403
    assert WebSocket("/ws", Origin=f"http://{ADDRESS}").status == 101
    assert WebSocket("/ws", **{"Sec-WebSocket-Version": "8"}).status == 426


if __name__ == "__main__":
    cases.run()
