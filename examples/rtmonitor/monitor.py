"""Tells every browser how busy this server is, twice a second, and knows of none of them.

What is published on `monitor.emit` the gateways of all servers in the herd hand to their Socket.IO clients as an event
named `sample`. The worker keeps no list of clients, opens no port and waits for nobody.
"""

import json
import os
import socket
import sys
import time

from hub import Hub, Refused

INTERVAL_SECONDS = float(os.environ.get("MONITOR_INTERVAL", "0.5"))


class Processor:
    """What share of the processors' time went where since it was asked last, from /proc/stat (proc_stat(5))."""

    def __init__(self):
        self.before = self._times()

    @staticmethod
    def _times():
        with open("/proc/stat", encoding="ascii") as stat:
            # Guests' time, which follows, is contained in the user's.
            return [int(ticks) for ticks in stat.readline().split()[1:9]]

    def shares(self):
        now = self._times()
        # Waiting for disks is known to run backwards at times.
        user, nice, system, idle, disk, interrupt, soft, stolen = (
            max(new - old, 0) for new, old in zip(now, self.before)
        )
        self.before = now
        used = user + nice + system + interrupt + soft + stolen
        whole = max(used + idle + disk, 1)
        return {"used": round(100 * used / whole, 2), "disk": round(100 * disk / whole, 2)}


def memory():
    """MiB in use, in buffers, in the cache, free, and in all, from /proc/meminfo (proc_meminfo(5))."""
    with open("/proc/meminfo", encoding="ascii") as lines:
        kib = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in lines)}
    total, free, buffers = kib["MemTotal"], kib["MemFree"], kib["Buffers"]
    cached = kib["Cached"] + kib.get("SReclaimable", 0) - kib.get("Shmem", 0)
    amounts = {"used": total - free - buffers - cached, "buffers": buffers, "cached": cached, "free": free, "total": total}
    return {name: round(amount / 1024, 1) for name, amount in amounts.items()}


def herd(hub):
    """This server's name, and the servers it knows of with their states; alone, the machine's name and nobody."""
    view = hub.ask(["HUB.HERD"])[0]
    if isinstance(view, Refused):
        return socket.gethostname(), []
    view = json.loads(view)
    members = [{"name": member["name"], "state": member["state"]} for member in view["members"] if member["name"]]
    return (view["name"] or socket.gethostname(), members) if view["herd"] else (socket.gethostname(), [])


def main():
    hub, processor = Hub(os.environ["REDIS_URL"]), Processor()
    at = time.monotonic()
    while True:
        at = max(at + INTERVAL_SECONDS, time.monotonic())
        time.sleep(at - time.monotonic())
        try:
            name, members = herd(hub)
            sample = {"server": name, "at": time.time(), "cpu": processor.shares(), "memory": memory(), "herd": members}
            # A browser that does not keep up does without old samples.
            letter = {"event": "sample", "args": [sample], "volatile": True}
            hub.ask(["PUBLISH", "monitor.emit", json.dumps(letter)])
        except OSError as error:
            print(f"the hub: {error}; trying again", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
