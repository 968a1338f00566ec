"""A client of the hub in a few lines: one connection, spoken to in RESP (what Redis speaks), standard library only.

`Hub(url).ask(["SET", "key", "value"], ["GET", "key"])` sends both at once and gives both replies. A reply that is an error
is given as a `Refused`, not raised: the commands behind it were done all the same.
"""

import socket
import threading
from urllib.parse import unquote, urlsplit

# The hub is on this machine: who waits longer waits in vain.
WAIT_SECONDS = 5


class Refused(Exception):
    """The hub's answer is an error."""


class Hub:
    """May be used by several threads, which then take turns."""

    def __init__(self, url):
        self.url = urlsplit(url)
        self.turn = threading.Lock()
        self.connection = None
        self.replies = None

    def ask(self, *commands):
        """The replies to these commands, in their order. Raises OSError when the hub cannot be reached."""
        with self.turn:
            if self.connection:
                try:
                    return self._exchange(commands)
                except OSError:
                    # The hub was replaced since, or is away; a new connection tells which. What was on its way when the
                    # old one ended may be done twice.
                    pass
            self._connect()
            return self._exchange(commands)

    def _connect(self):
        if self.url.scheme == "unix":
            self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.connection.settimeout(WAIT_SECONDS)
            self.connection.connect(unquote(self.url.path))
        else:
            self.connection = socket.create_connection((self.url.hostname, self.url.port), WAIT_SECONDS)
        self.replies = self.connection.makefile("rb")
        if self.url.password:
            reply = self._exchange([["AUTH", unquote(self.url.username), unquote(self.url.password)]])[0]
            if isinstance(reply, Refused):
                raise PermissionError(str(reply))

    def _exchange(self, commands):
        try:
            self.connection.sendall(b"".join(_encoded(command) for command in commands))
            return [self._reply() for _ in commands]
        except OSError:
            self.connection.close()
            self.connection = None
            raise

    def _reply(self):
        line = self.replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the hub closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Refused(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.replies.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return None if rest == b"-1" else [self._reply() for _ in range(int(rest))]
        raise ConnectionError(f"the hub speaks another language: {line!r}")


def _encoded(command):
    words = [word if isinstance(word, bytes) else str(word).encode() for word in command]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
