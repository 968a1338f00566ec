"""A server that was away: how much crosses the wire until its keys are those of the other one again, and how long it takes.

Two instances of Remuda, made and stopped by the commands an operator uses, with shared keys on disk. The bytes are those
that the interface between the two has counted, headers of every layer and signs of life included.
"""

import contextlib
import hashlib
import pathlib
import shutil
import socket
import tempfile
import time

import processes
from messaging import pairs, servers
from messaging.servers import Failed

PREFIX = "shared:"
PIPE = 5_000
SOCKET_LIMIT_S = 60
COPIED_LIMIT_S = 300
EQUAL_LIMIT_S = 60


class Store:
    """One connection with a server's store, which asks many things at once."""

    def __init__(self, running, place):
        host, _, port = running.publish.rpartition(":")
        with place.inside():
            self.socket = socket.create_connection((host, int(port)), timeout=SOCKET_LIMIT_S)
        self.lines = self.socket.makefile("rb")

    def ask(self, *requests):
        """The answers to requests, each a list of words: numbers, texts and None."""
        parts = []
        for words in requests:
            parts.append(b"*%d\r\n" % len(words))
            parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
        self.socket.sendall(b"".join(parts))
        return [self._answer() for _ in requests]

    def _answer(self):
        line = self.lines.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            return None if rest == b"-1" else self.lines.read(int(rest) + 2)[:-2]
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest
        raise Failed(f"the store said {line[:100]!r}")

    def close(self):
        self.lines.close()
        self.socket.close()


def key(number):
    return f"{PREFIX}{number:07}".encode()


def value(number, version, size):
    """Bytes that no compression makes fewer."""
    return hashlib.shake_128(f"{version}:{number}".encode()).digest(size)


def measure(pair, keys, changed, size):
    """The figures of one server's absence."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="herd-"))
    log = open(folder / "output", "wb")
    try:
        return _measure(pair, folder, log, keys, changed, size)
    finally:
        processes.end_everything()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _measure(pair, folder, log, keys, changed, size):
    folders = [folder / name for name in ("first", "second")]
    for each in folders:
        each.mkdir()
    pair.config = f'durable = true\nmemory = "4GiB"\nauth = "none"', f'keys = ["{PREFIX}"]\n'
    with pair.places[0].inside():
        first = pair.first(folders[0], log)
    with contextlib.closing(Store(first, pair.places[0])) as store:
        for start in range(0, keys, PIPE):
            store.ask(*([b"SET", key(at), value(at, 0, size)] for at in range(start, min(start + PIPE, keys))))
        began = time.monotonic()
        with pair.places[1].inside():
            second = pair.second(folders[1], log, first)
        _until(lambda: _count(second, pair.places[1]) == keys, "all keys to be copied", COPIED_LIMIT_S)
        copied_s = time.monotonic() - began
        pair.down(folders[1])
        stride = keys // changed
        altered = [at * stride for at in range(changed)]
        store.ask(*([b"SET", key(at), value(at, 1, size)] for at in altered))
        wire_before = wire_bytes(pair.places[0])
        cpu_before = processes.activity(first.pids)[0]
        began = time.monotonic()
        with pair.places[1].inside():
            second = pair.up_again(folders[1], log)
        answers_s = time.monotonic() - began
        with contextlib.closing(Store(second, pair.places[1])) as other:
            wanted = [value(at, 1, size) for at in altered]
            ask = [[b"GET", key(at)] for at in altered]
            _until(lambda: other.ask(*ask) == wanted, "the changes", EQUAL_LIMIT_S)
            equal_s = time.monotonic() - began
            wire = wire_bytes(pair.places[0])
        cpu_s = processes.activity(first.pids)[0] - cpu_before
        check = pair.command(folders[1], "herd", "check")
    return {
        "keys": keys,
        "changed": changed,
        "value_bytes": size,
        "copied_s": copied_s,
        "answers_s": answers_s,
        "equal_s": equal_s,
        "wire_bytes": None if wire is None else wire - wire_before,
        "changes_bytes": changed * (len(key(0)) + size),
        "giver_cpu_s": cpu_s,
        "check": check.strip().splitlines()[-1] if check.strip() else "",
    }


def _until(look, what, limit_s):
    limit = time.monotonic() + limit_s
    while not look():
        if time.monotonic() > limit:
            raise Failed(f"waited {limit_s} s in vain for {what}")
        time.sleep(0.002)


def _count(running, place):
    with contextlib.closing(Store(running, place)) as store:
        return store.ask([b"DBSIZE"])[0]


def wire_bytes(place):
    """Bytes that have crossed the interface between the places, both ways; None where there is none."""
    if place.namespace is None:
        return None
    with place.inside():
        lines = pathlib.Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines()
    for line in lines:
        name, _, counts = line.partition(":")
        if name.strip() == "wire":
            words = counts.split()
            return int(words[0]) + int(words[8])
    return None


def remuda(binary, places):
    """The pair that is measured."""
    return pairs.Remuda(servers.Remuda(binary, "resp"), places)
