"""Writes under load and notes what was acknowledged; clients come back by themselves when the hub was killed.

usage: durability_load.py [tolerance_s]: what was acknowledged longer than that before the hub was killed has to be there.
Says `acked N` now and then, checks when it reads `check`, ends when it reads `end`.
"""

import os
import sys
import threading
import time

import redis

CLIENTS = 6
REPORT_EVERY = 300
tolerance = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
lock = threading.Lock()
halted, running = threading.Event(), threading.Event()
quiet = threading.Semaphore(0)
acked_total, failures = 0, []
running.set()


def connect():
    return redis.Redis(unix_socket_path=os.environ["STORE"], socket_timeout=20, retry=None)


class Writer(threading.Thread):
    def __init__(self, name):
        super().__init__(daemon=True)
        self.label, self.number, self.client = name, 0, connect()
        # When each number was acknowledged, by what was written; when the hub was found dead.
        self.acked = {"list": {}, "hash": {}, "text": {}, "both": {}, "script": {}}
        self.deaths = []

    def run(self):
        while not halted.is_set():
            if not running.is_set():
                quiet.release()
                running.wait()
            self.number += 1
            try:
                self.write(self.number)
            except (redis.ConnectionError, redis.TimeoutError):
                self.deaths.append(time.monotonic())
                time.sleep(0.005)
            except Exception as error:  # anything else is a finding
                failures.append(repr(error))
                return

    def write(self, n):
        name, client = self.label, self.client
        value = b"%d" % n
        self.note("list", n, client.rpush(f"list:{name}", value))
        self.note("hash", n, client.hset(f"hash:{name}", value, value))
        self.note("text", n, client.set(f"text:{name}", value))
        with client.pipeline(transaction=True) as both:
            both.set(f"left:{name}", value)
            both.rpush(f"pairs:{name}", value)
            both.set(f"right:{name}", value)
            self.note("both", n, both.execute())
        body = "redis.call('SET', KEYS[1], ARGV[1]) redis.call('SET', KEYS[2], ARGV[1]) return 1"
        self.note("script", n, client.eval(body, 2, f"one:{name}", f"two:{name}", value))

    def note(self, what, n, _reply):
        global acked_total
        self.acked[what][n] = time.monotonic()
        with lock:
            acked_total += 1
            if acked_total % REPORT_EVERY == 0:
                print("acked", acked_total, flush=True)

    def owed(self, what):
        """Numbers whose acknowledgement has to hold."""
        def excused(at):
            return any(0 <= death - at < tolerance for death in self.deaths)
        return {n for n, at in self.acked[what].items() if not excused(at)}

    def check(self, client):
        name = self.label
        elements = [int(word) for word in client.lrange(f"list:{name}", 0, -1)]
        assert elements == sorted(set(elements)), f"{name}: the list is out of order or has something twice: {[(a, b) for a, b in zip(elements, elements[1:]) if b <= a]} of {len(elements)}"
        missing = self.owed("list") - set(elements)
        assert not missing, f"{name}: acknowledged and gone from the list: {sorted(missing)[:10]}"
        missing = self.owed("hash") - {int(field) for field in client.hkeys(f"hash:{name}")}
        assert not missing, f"{name}: acknowledged and gone from the hash: {sorted(missing)[:10]}"
        pairs = [int(word) for word in client.lrange(f"pairs:{name}", 0, -1)]
        left, right = client.mget(f"left:{name}", f"right:{name}")
        assert left == right and (not pairs or int(left) == pairs[-1]), f"{name}: half a transaction: {left} {right} {pairs[-1:]}"
        missing = self.owed("both") - set(pairs)
        assert not missing, f"{name}: acknowledged and gone from transactions: {sorted(missing)[:10]}"
        one, two = client.mget(f"one:{name}", f"two:{name}")
        assert one == two, f"{name}: half a script: {one} {two}"
        for what, value in (("text", client.get(f"text:{name}")), ("script", one)):
            last = max(self.owed(what), default=0)
            assert int(value or 0) >= last, f"{name}: {what} is {value}, and {last} was acknowledged"
        return len(elements)


def main():
    writers = [Writer(f"w{number}") for number in range(CLIENTS)]
    for writer in writers:
        writer.start()
    for line in sys.stdin:
        word = line.strip()
        if word == "check":
            running.clear()
            for _ in writers:
                assert quiet.acquire(timeout=25), f"a writer does not come to rest {failures}"
            assert not failures, failures
            client = connect()
            print("checked", sum(writer.check(client) for writer in writers), flush=True)
            running.set()
        elif word == "end":
            break
    halted.set()
    assert not failures, failures
    assert all(writer.acked["both"] for writer in writers)
    print("deaths", sum(len(writer.deaths) for writer in writers), flush=True)


main()
