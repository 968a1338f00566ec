"""One turn of one server: wrk for some seconds, and what the processors did meanwhile."""

import json
import pathlib
import resource
import subprocess

import processes

from .stage import REPO, Failed, answers

REPORT = REPO / "bench/http_peers/report.lua"
FAILURES = ("connect", "read", "write", "status", "timeout")
# wrk waits for what is under way, which a server that is stuck may keep up.
OVERTIME_S = 20
WARM_UP_REQUESTS = 5


def turn(target, work, seconds):
    """The figures of one turn. Raises Failed when wrk does not end, or what came is shorter than what was asked for."""
    behind, front = target.behind, target.front.pids
    before = processes.activity(front)[0], processes.activity(behind)[0]
    client = _client_cpu()
    said = wrk(target, work, seconds)
    front_s = processes.activity(front)[0] - before[0]
    behind_s = processes.activity(behind)[0] - before[1]
    requests = said["requests"]
    if not requests:
        raise Failed(f"{target.front.name}: no request of {work.name} was answered: {said}")
    if said["bytes"] < requests * work.length:
        raise Failed(f"{target.front.name}: {requests} answers of {work.name} had {said['bytes']} bytes only")
    elapsed = said["duration_us"] / 1e6
    return {
        "rate": requests / elapsed,
        "cpu_us": (front_s + behind_s) * 1e6 / requests,
        "front_us": front_s * 1e6 / requests,
        "cores": (front_s + behind_s) / elapsed,
        "client_cores": (_client_cpu() - client) / elapsed,
        "p50_ms": said["p50_us"] / 1e3,
        "p99_ms": said["p99_us"] / 1e3,
        "requests": requests,
        "failed": sum(said[kind] for kind in FAILURES),
        "failures": {kind: said[kind] for kind in FAILURES if said[kind]},
    }


def warm_up(target, work):
    """A few requests, whose answers are counted to the byte, so that no first turn pays for what is done once."""
    for _ in range(WARM_UP_REQUESTS):
        length = answers(target.front.address, work.path)
        if length != work.length:
            raise Failed(f"{target.front.name}: {work.path} brought {length} bytes, not {work.length}")


def memory_mib(target):
    """PSS of the server's own processes; None where it has none."""
    return processes.memory_kib(target.front.pids)[1] / 1024 if target.front.pids else None


def wrk(target, work, seconds):
    command = ["wrk", f"-t{work.threads}", f"-c{work.connections}", f"-d{seconds}s", "-s", str(REPORT)]
    if not work.is_kept:
        command += ["-H", "Connection: close"]
    try:
        done = subprocess.run(
            [*command, target.front.url + work.path], capture_output=True, text=True, timeout=seconds + OVERTIME_S
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{target.front.name}: wrk did not end with {work.name}") from error
    if done.returncode:
        raise Failed(f"{target.front.name}: wrk ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def version(command, pattern):
    """What `command` says of its version, as far as `pattern` finds it."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    found = pattern.search(done.stdout + done.stderr)
    return found[1] if found else "?"


def _client_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
