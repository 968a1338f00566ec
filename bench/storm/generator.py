"""The load: clients in one thread on one epoll, in a process of their own.

A *new* client opens a connection for every request; a *kept* one asks again on its connection for as long as the
server lets it. Each waits for its answer and then a short random time, so that connections, requests and idle
moments overlap every instant of a storm, and the machine's cores are left to the workers. Half of the requests
take the worker a moment, so that there is always one in flight to lose.

Run as `generator.py HOST PORT NEW KEPT SEED`. Writes `warm` to its standard output once every client has been
answered, goes on until its standard input closes, lets the requests under way end, and writes its account as JSON.
"""

import collections
import errno
import heapq
import json
import random
import re
import select
import socket
import sys
import time

TIMEOUT_S = 10.0
PAUSE_S = (0.0, 0.020)
SLOW_MS = 10
FAILURES_KEPT = 10_000
STDIN = 0
RECEIVE_BYTES = 65_536
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
PID = re.compile(rb"(\d+)\s*$")


class Client:
    """One client: between two requests (`asking` false), or waiting for an answer."""

    def __init__(self, kept):
        self.kept = kept
        self.socket = None
        self.asking = False
        self.port = 0
        self.pid = None  # of the process that answered last on this connection
        self.answers = 0  # on this connection
        self.request = b""
        self.received = b""
        self.began = 0.0
        self.turn = 0  # counts requests, so that an old timer is known to be old


class Load:
    def __init__(self, address, new, kept, seed):
        self.address = address
        self.random = random.Random(seed)
        self.epoll = select.epoll()
        self.by_fd = {}
        self.timers = []
        self.clients = [Client(False) for _ in range(new)] + [Client(True) for _ in range(kept)]
        self.unanswered = set(self.clients)
        self.ending = False
        self.fates = {"new": collections.Counter(), "kept": collections.Counter()}
        self.failures = []
        self.latencies_ms = []
        self.pids = collections.Counter()
        self.idle_closes = 0

    def run(self):
        began = time.monotonic()
        self.epoll.register(STDIN, select.EPOLLIN | select.EPOLLHUP)
        for client in self.clients:
            self._rest(client)
        while not self.ending or any(client.asking for client in self.clients):
            wait = max(0.0, self.timers[0][0] - time.monotonic()) if self.timers else 1.0
            for fd, events in self.epoll.poll(wait):
                if fd == STDIN:
                    self.epoll.unregister(STDIN)
                    self.ending = True
                elif fd in self.by_fd:
                    self._happen(self.by_fd[fd], events)
            self._ring()
        elapsed = time.monotonic() - began
        return {
            "fates": self.fates,
            "failures": self.failures,
            "latencies_ms": sorted(self.latencies_ms),
            "pids": self.pids,
            "idle_closes": self.idle_closes,
            "elapsed_s": elapsed,
            "generator_cpu": time.process_time() / elapsed,
        }

    def _ring(self):
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            _, _, client, turn = heapq.heappop(self.timers)
            if client.turn != turn:
                continue
            if client.asking:
                self._end(client, "timed out")
            elif not self.ending:
                self._ask(client)

    def _at(self, client, moment):
        client.turn += 1
        heapq.heappush(self.timers, (moment, id(client), client, client.turn))

    def _rest(self, client):
        self._at(client, time.monotonic() + self.random.uniform(*PAUSE_S))

    def _ask(self, client):
        path = f"/slow?ms={SLOW_MS}" if self.random.random() < 0.5 else "/"
        manner = "keep-alive" if client.kept else "close"
        client.request = f"GET {path} HTTP/1.1\r\nHost: loss\r\nConnection: {manner}\r\n\r\n".encode()
        client.received = b""
        client.asking = True
        client.began = time.monotonic()
        self._at(client, client.began + TIMEOUT_S)
        if client.socket is not None and self._was_closed(client):
            self.idle_closes += 1
            self._close(client)
        if client.socket is None:
            self._connect(client)
        else:
            self._send(client)

    def _was_closed(self, client):
        # As pools of connections do: what has been closed while at rest is not asked on.
        try:
            return client.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _connect(self, client):
        client.answers, client.pid = 0, None
        client.socket = socket.socket()
        client.socket.setblocking(False)
        self.by_fd[client.socket.fileno()] = client
        self.epoll.register(client.socket, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP)
        code = client.socket.connect_ex(self.address)
        if code not in (0, errno.EINPROGRESS):
            self._end(client, _fate_of(code, client))

    def _happen(self, client, events):
        if not client.asking:
            # Nothing was asked: the server has closed a connection at rest, which loses nothing.
            self.idle_closes += 1
            self._close(client)
            return
        if client.request and events & (select.EPOLLOUT | select.EPOLLERR | select.EPOLLHUP):
            client.port = client.port or self._port(client)
            if code := client.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._end(client, _fate_of(code, client))
                return
            self._send(client)
        if client.asking and not client.request and events & ~select.EPOLLOUT:
            self._receive(client)

    def _port(self, client):
        try:
            return client.socket.getsockname()[1]
        except OSError:
            return 0

    def _send(self, client):
        try:
            sent = client.socket.send(client.request)
        except OSError as error:
            self._end(client, _fate_of(error.errno, client))
            return
        client.request = client.request[sent:]
        self.epoll.modify(client.socket, select.EPOLLIN | select.EPOLLRDHUP)

    def _receive(self, client):
        try:
            piece = client.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(client, "short" if client.received else _fate_of(error.errno, client))
            return
        client.received += piece
        head, separator, body = client.received.partition(b"\r\n\r\n")
        length = LENGTH.search(head) if separator else None
        if separator and length and len(body) >= int(length[1]):
            self._answered(client, head, body)
        elif not piece and separator and not length:
            # Without a length the end of the connection is the end of the answer; ours all end in the pid.
            self._answered(client, head, body) if PID.search(body) else self._end(client, "short")
        elif not piece:
            self._end(client, "short" if client.received else _fate_of(errno.ECONNRESET, client))

    def _answered(self, client, head, body):
        status = head.split(b" ", 2)[1]
        pid = PID.search(body)
        if status != b"200" or pid is None:
            self._end(client, "5xx")
            return
        client.pid = int(pid[1])
        client.answers += 1
        self.pids[client.pid] += 1
        self.latencies_ms.append(round(1000 * (time.monotonic() - client.began), 3))
        keeps = client.kept and b"HTTP/1.1" in head[:8] and LENGTH.search(head) and not CLOSE.search(head)
        self._end(client, "ok", keep=keeps)

    def _end(self, client, fate, keep=False):
        self.fates["kept" if client.kept else "new"][fate] += 1
        if fate == "ok":
            if client in self.unanswered:
                self.unanswered.remove(client)
                if not self.unanswered:
                    print("warm", flush=True)
        elif len(self.failures) < FAILURES_KEPT:
            now = time.monotonic()
            known = {"fate": fate, "port": client.port, "pid": client.pid, "answers_before": client.answers}
            self.failures.append({**known, "began": client.began, "ended": now})
        client.asking = False
        if not keep:
            self._close(client)
        self._rest(client)

    def _close(self, client):
        if client.socket is not None:
            del self.by_fd[client.socket.fileno()]
            client.socket.close()
            client.socket = None
            client.port = 0


def _fate_of(code, client):
    """The name of a connection's end by error `code` before the first byte of an answer."""
    if code == errno.ECONNREFUSED:
        return "refused"
    if code in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN):
        return "stale" if client.answers else "reset"
    if code == errno.ETIMEDOUT:
        return "timed out"
    raise OSError(code, "a client met an error that is not the server's doing")


def main():
    host, port, new, kept, seed = sys.argv[1:]
    print(json.dumps(Load((host, int(port)), int(new), int(kept), int(seed)).run()))


if __name__ == "__main__":
    main()
