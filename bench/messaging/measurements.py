"""The measurements: saturation, latency at a fixed rate, memory of a subscriber, a flood, and the store."""

import dataclasses
import time

import processes
from messaging import load
from messaging.servers import Failed, Wish

FAN_OUTS = (1, 8, 64, 1000)
PAYLOADS = (100, 1024)
# Messages on their way for each fan-out: enough for a server to batch, and fewer than any of them drops.
WINDOWS = {1: 1024, 8: 1024, 64: 512, 1000: 64}
OPEN_FAN_OUTS = (1, 8, 64)
PACED_PER_SECOND = 10_000
PACED_FAN_OUTS = (1, 8)
# A subscriber this slow is behind every server here from the first moments on.
SLOW_BYTES_PER_MS = 5_000
EVENT_SUBSCRIBERS = 8
EVENT_PATTERN = "__key*"
# Time for allocators and buffers to come to rest before memory is read.
MEMORY_SETTLE_S = 0.5


@dataclasses.dataclass(frozen=True)
class Lengths:
    """How long everything takes; the full run's, or those of `--quick`."""

    warm_up_ms: int = 150
    measure_ms: int = 500
    paced_ms: int = 1_000
    blast_ms: int = 2_000
    drain_ms: int = 10_000
    idle_subscribers: int = 2_000
    requests: int = 200_000


QUICK = Lengths(100, 250, 300, 500, 3_000, 500, 20_000)


class Bench:
    """The measurements with one generator and one set of lengths; each returns a row's figures."""

    def __init__(self, generator, lengths):
        self.generator = generator
        self.lengths = lengths

    def saturate(self, server, fan_out, payload_bytes, window):
        """Million deliveries a second, and what the server's processor time for a million is."""
        # Subscriptions of a thousand take longer to fill the pipe.
        stretch = 2 if fan_out >= 1000 else 1
        work = {
            "kind": "saturate",
            "window": window,
            "warm_up_ms": stretch * self.lengths.warm_up_ms,
            "measure_ms": stretch * self.lengths.measure_ms,
        }
        with server.run() as running:
            told = load.run(self.generator, running, fan_out, payload_bytes, work)
        if window is not None and (told["missing"] or told["misordered"] or told["stalled"] or told["disconnected"]):
            raise Failed(f"{server.name} was to lose nothing: {told}")
        if not told["deliveries"]:
            raise Failed(f"{server.name} delivered nothing: {told}")
        millions, seconds = told["deliveries"] / 1e6, told["elapsed_ns"] / 1e9
        wanted = told["published"] * fan_out
        return {
            "rate": millions / seconds,
            "cpu_s": told["servers_ns"] / 1e9 / millions if told["servers_ns"] else None,
            "generator_cpu": told["own_ns"] / told["elapsed_ns"],
            "missing": (told["missing"] / wanted) if wanted else 0,
            "misordered": told["misordered"],
            "disconnected": told["disconnected"],
        }

    def pace(self, server, fan_out, per_second=PACED_PER_SECOND):
        """Percentiles of latency, microseconds."""
        work = {
            "kind": "pace",
            "per_second": per_second,
            "warm_up_ms": self.lengths.warm_up_ms,
            "measure_ms": self.lengths.paced_ms,
        }
        with server.run() as running:
            told = load.run(self.generator, running, fan_out, 100, work)
        if told["missing"] or told["misordered"] or told["disconnected"] or not told["deliveries"]:
            raise Failed(f"{server.name} was to lose nothing: {told}")
        return {
            "p50_us": told["p50_ns"] / 1e3,
            "p99_us": told["p99_ns"] / 1e3,
            "p999_us": told["p999_ns"] / 1e3,
            "cpu_us": (told["servers_ns"] / 1e3 / told["deliveries"]) or None,
        }

    def memory(self, server):
        """PSS with nobody and with idle subscribers, KiB."""
        count = self.lengths.idle_subscribers
        with server.run() as running:
            if not running.pids:
                raise Failed(f"{server.name}: the process to look at is not given")
            time.sleep(MEMORY_SETTLE_S)
            before = processes.memory_kib(running.pids)[1]
            with load.connected(self.generator, running, count, {"kind": "idle"}):
                time.sleep(MEMORY_SETTLE_S)
                after = processes.memory_kib(running.pids)[1]
        return {"before_mib": before / 1024, "after_mib": after / 1024, "each_kib": (after - before) / count}

    def flood(self, server):
        """What becomes of a flood for a subscriber that keeps up and one that does not."""
        work = {
            "kind": "flood",
            "blast_ms": self.lengths.blast_ms,
            "slow_bytes_per_ms": SLOW_BYTES_PER_MS,
            "drain_ms": self.lengths.drain_ms,
        }
        with server.run(Wish(lossless=False)) as running:
            told = load.run(self.generator, running, 2, 100, work)
            reported = running.reported()
        published = told["published"]
        return {
            "published": published / 1e6,
            "fast_rate": told["fast_in_blast"] / 1e6 / (told["blast_ns"] / 1e9),
            "fast_missing": told["fast"]["missing"] / published,
            "slow_received": told["slow"]["received"] / published,
            "slow_missing": told["slow"]["missing"] / published,
            "misordered": told["fast"]["misordered"] + told["slow"]["misordered"],
            "ended": ", ".join(told["fast"]["ended"] + told["slow"]["ended"]) or "no",
            "reported": reported,
        }

    def store(self, server):
        """GET and SET by redis-benchmark, one and sixteen requests in a pipe."""
        with server.run() as running:
            # SET first, so that GET finds something.
            for pipeline in (1, 16):
                for test in ("set", "get"):
                    told = load.redis_benchmark(running, test, pipeline, self.lengths.requests)
                    yield {"what": f"{test.upper()} P={pipeline}", **told}

    def events(self, server):
        """SET while eight subscribers are told every change."""
        with server.run(Wish(key_events=True)) as running:
            work = {"kind": "watch", "pattern": EVENT_PATTERN}
            with load.connected(self.generator, running, EVENT_SUBSCRIBERS, work) as seen:
                told = load.redis_benchmark(running, "set", 16, self.lengths.requests)
        if not seen["bytes_max"] or seen["bytes_min"] != seen["bytes_max"] or seen["disconnected"]:
            raise Failed(f"{server.name}: subscribers of key events did not all have the same: {seen}")
        return {"what": "SET P=16, 8 subscribers of key events", **told, "bytes": seen["bytes_max"]}

    def fsync(self, server):
        """SET with every write on disk before its answer."""
        with server.run(Wish(fsync_always=True)) as running:
            for pipeline in (1, 16):
                told = load.redis_benchmark(running, "set", pipeline, self.lengths.requests)
                yield {"what": f"SET P={pipeline}, fsync always", **told}
