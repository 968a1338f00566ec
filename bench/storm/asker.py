"""A client of the control socket that asks `GET /v1` without an end and notes how long it goes unanswered.

It asks again 1 ms after each answer, on a connection that it keeps, and on a new one as soon as that is cut off; so a
gap is the time from one answer to the next, and on an idle machine it is a little more than 1 ms.

Run as `asker.py SOCKET`. Writes `warm` to its standard output after its first answer, goes on until its standard
input closes, and writes its account as JSON: every gap of at least 5 ms with its two ends by the monotonic clock.
"""

import json
import select
import socket
import sys
import time

REQUEST = b"GET /v1 HTTP/1.1\r\nHost: loss\r\n\r\n"
PAUSE_S = 0.001
ANSWER_LIMIT_S = 10.0
GAP_MIN_S = 0.005
GAPS_KEPT = 100_000
RECEIVE_BYTES = 65_536


class Asker:
    def __init__(self, path):
        self.path = path
        self.connection = None
        self.answers = 0
        self.cut_off = 0
        self.gaps = []
        self.last = None

    def run(self):
        while not select.select([sys.stdin], [], [], PAUSE_S)[0]:
            try:
                self._ask()
            except OSError:
                self._drop()
        return {"answers": self.answers, "cut_off": self.cut_off, "gaps": self.gaps}

    def _ask(self):
        if self.connection is None:
            self.connection = socket.socket(socket.AF_UNIX)
            self.connection.settimeout(ANSWER_LIMIT_S)
            self.connection.connect(self.path)
        self.connection.sendall(REQUEST)
        received = b""
        # The body is one object of JSON, which is whole when it can be read.
        while not _is_whole(received):
            piece = self.connection.recv(RECEIVE_BYTES)
            if not piece:
                raise ConnectionResetError
            received += piece
        now = time.monotonic()
        if self.last is None:
            print("warm", flush=True)
        elif now - self.last >= GAP_MIN_S and len(self.gaps) < GAPS_KEPT:
            self.gaps.append((self.last, now))
        self.last = now
        self.answers += 1

    def _drop(self):
        self.cut_off += self.last is not None
        self.connection.close()
        self.connection = None


def _is_whole(received):
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return False
    if not head.startswith(b"HTTP/1.1 200 "):
        raise ConnectionResetError
    try:
        return bool(json.loads(body))
    except ValueError:
        return False


if __name__ == "__main__":
    print(json.dumps(Asker(sys.argv[1]).run()))
