"""The load as the harness holds it: a generator's life, and the account of what became of every request."""

import collections
import dataclasses
import json
import pathlib
import select
import subprocess
import sys

GENERATOR = pathlib.Path(__file__).with_name("generator.py")
WARM_LIMIT_S = 30
END_LIMIT_S = 30
# A killed process's connections are reset at once; later losses on a port of the same number are others.
KILL_NOTICED_S = 2
FAILURES_SHOWN = 100
FATES = ("refused", "reset", "stale", "timed out", "5xx", "short")


class Failed(Exception):
    """Something did not do what is measured; the message says what, and ends with its last words."""


@dataclasses.dataclass(frozen=True)
class Kill:
    """A process tree, killed at `moment` while frozen; `ports` are its clients' ends of what it had accepted."""

    moment: float
    ports: frozenset


class Load:
    """Clients that go on from `with` until `finish()`."""

    def __init__(self, address, new, kept, seed):
        self.command = [sys.executable, str(GENERATOR), *map(str, address), str(new), str(kept), str(seed)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        readable, _, _ = select.select([self.process.stdout], [], [], WARM_LIMIT_S)
        if not readable or self.process.stdout.readline() != b"warm\n":
            self.__exit__()
            raise Failed(f"not every client had its first answer within {WARM_LIMIT_S} s")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def finish(self):
        """Ends the load and returns the generator's account."""
        output, _ = self.process.communicate(timeout=END_LIMIT_S)
        return json.loads(output)


def account(raw, kills=()):
    """The figures of one storm from a generator's account. `lost` counts by fate, `on_killed` what of it was
    in flight on a killed process: accepted by it, and not answered before it was frozen."""
    fates = collections.Counter(raw["fates"].get("new", {})) + collections.Counter(raw["fates"].get("kept", {}))
    on_killed = collections.Counter(
        failure["fate"] for failure in raw["failures"] if any(_was_on(failure, kill) for kill in kills)
    )
    elsewhere = [failure for failure in raw["failures"] if not any(_was_on(failure, kill) for kill in kills)]
    latencies = raw["latencies_ms"]
    return {
        "ok_new": raw["fates"].get("new", {}).get("ok", 0),
        "ok_kept": raw["fates"].get("kept", {}).get("ok", 0),
        "lost": {fate: fates[fate] for fate in FATES},
        "on_killed": {fate: on_killed[fate] for fate in FATES},
        # Those that were on no killed process, to look into.
        "failures": elsewhere[:FAILURES_SHOWN],
        "idle_closes": raw["idle_closes"],
        "pids": len(raw["pids"]),
        "p50_ms": _share(latencies, 0.50),
        "p99_ms": _share(latencies, 0.99),
        "slowest_ms": _share(latencies, 1.0),
        "generator_cpu": round(raw["generator_cpu"], 3),
        "seconds": round(raw["elapsed_s"], 2),
    }


def _was_on(failure, kill):
    # On a connection with answers before, a request may be sent in the moment between the kill and the close.
    began_in_time = failure["began"] <= kill.moment or failure["answers_before"]
    ended_in_time = kill.moment <= failure["ended"] <= kill.moment + KILL_NOTICED_S
    return failure["port"] in kill.ports and began_in_time and ended_in_time


def _share(ordered, share):
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
