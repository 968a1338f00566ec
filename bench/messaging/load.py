"""Runs of the load generator and of redis-benchmark against a server that runs."""

import contextlib
import csv
import json
import subprocess

import processes
from messaging.servers import Failed

RUN_LIMIT_S = 60
BENCHMARK_LIMIT_S = 120


def plan(running, subscribers, payload_bytes, work):
    """The plan of a run as bench/load/src/plan.rs reads it."""
    return json.dumps(
        {
            "dialect": running.dialect,
            "publish": running.publish,
            "subscribe": running.subscribe,
            "login": running.login,
            "publish_from": running.publish_from,
            "subscribe_from": running.subscribe_from,
            "subscribers": subscribers,
            "payload_bytes": payload_bytes,
            "servers": running.pids,
            "work": work,
        }
    )


def run(generator, running, subscribers, payload_bytes, work):
    """What the generator reports of one run."""
    command = [generator, plan(running, subscribers, payload_bytes, work)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise Failed(f"the load generator had not ended after {RUN_LIMIT_S} s") from expired
    if done.returncode:
        raise Failed(done.stderr.strip())
    return json.loads(done.stdout)


@contextlib.contextmanager
def connected(generator, running, subscribers, work):
    """Keeps subscribers connected for the time of the block; yields a dictionary that has the report after it."""
    process = subprocess.Popen(
        [generator, plan(running, subscribers, 8, work)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout.readline() != "ready\n":
            raise Failed(process.communicate(timeout=RUN_LIMIT_S)[1].strip())
        report = {}
        yield report
        out, said = process.communicate(timeout=RUN_LIMIT_S)
        if process.returncode:
            raise Failed(said.strip())
        report.update(json.loads(out))
    except subprocess.TimeoutExpired as expired:
        raise Failed(f"the load generator had not ended after {RUN_LIMIT_S} s") from expired
    finally:
        process.kill()
        process.wait()


def redis_benchmark(running, test, pipeline, requests):
    """Requests a second and server CPU seconds of one test of redis-benchmark."""
    host, _, port = running.publish.rpartition(":")
    command = ["redis-benchmark", "-h", host, "-p", port, "-t", test, "-n", str(requests), "-c", "50", "-d", "64"]
    command += ["-r", "100000", "-P", str(pipeline), "--csv"]
    if running.login:
        command += ["--user", running.login[0], "-a", running.login[1]]
    cpu_before = processes.activity(running.pids)[0]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BENCHMARK_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as expired:
        raise Failed(f"redis-benchmark {test} had not ended after {BENCHMARK_LIMIT_S} s") from expired
    cpu_s = processes.activity(running.pids)[0] - cpu_before
    rows = list(csv.DictReader(done.stdout.splitlines()))
    if done.returncode or len(rows) != 1:
        said = " ".join((done.stderr or done.stdout).split())
        raise Failed(f"redis-benchmark {test} failed: {said[:300]}")
    per_second = float(rows[0]["rps"])
    return {
        "per_second": per_second,
        "cpu_s": cpu_s,
        "per_cpu_second": requests / cpu_s if cpu_s else None,
        "p99_ms": float(rows[0]["p99_latency_ms"]),
    }
