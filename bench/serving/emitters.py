"""Servers that emit to Socket.IO clients, each with what triggers an emit: a request, or a message on its bus.

For the gateway the emit is a message that a worker publishes on the hub, so that its figures have one process more in
them: the hub's CPU is counted, its memory too. So are Redis' where socket.io has several processes.
"""

import dataclasses
import json
import os
import shutil

import processes

from .servers import listening, up
from .stage import REPO, Failed, free_port

PEERS = REPO / "target/peers/hub"
PROGRAMS = REPO / "bench/realtime_peers"
# The letter and the peers' events carry as many bytes.
TEXT = "." * 40

GATEWAY = """[bus]
[store]
[socket.http]
listen = "127.0.0.1:0"
backlog = 4096
[service.edge]
kind = "gateway"
sockets = ["http"]
workers = {workers}
[gateway]
access_log = "off"
[[route]]
match = "/socket.io/*"
socketio = "live"
[service.worker]
command = "sh -c 'echo $REDIS_URL > {url}; exec sleep 100000'"
"""


@dataclasses.dataclass(frozen=True)
class Emitter:
    """A server that runs: where clients connect, whose processes count, and how an emit is made to happen."""

    address: str
    pids: list
    trigger_address: str
    greeting: str
    trigger: str


def gateway(workers):
    def start(stage, options, name):
        url = stage.directory / "url"
        process = up(stage, "remuda", options.remuda, GATEWAY.format(workers=workers, url=url))
        host, port = listening(stage, process, "http")
        wanted = {"remuda-gateway": workers, "remuda-hub": 1}

        def own():
            named = {pid: processes.command_name(pid) for pid in processes.descendants(process.pid)}
            found = [pid for pid, name in named.items() if name in wanted]
            return found if len(found) == sum(wanted.values()) else None

        pids = stage.wait_until(own, process, f"{workers} gateways and a hub")
        said = lambda: (process.folder / "said").read_text(errors="replace")  # noqa: E731
        stage.wait_until(lambda: "worker" in said() and url.exists() and url.read_text().strip(), process, "the worker")
        login, address = url.read_text().strip().removeprefix("redis://").split("/")[0].split("@")
        user, token = login.split(":")
        letter = json.dumps({"event": "news", "args": [TEXT]})
        greeting, trigger = _resp("AUTH", user, token), _resp("PUBLISH", "live.emit", letter)
        return Emitter(f"{host}:{port}", pids, address, greeting, trigger)

    return start


def socket_io(count):
    def start(stage, options, name):
        environment = {"PEERS": str(PEERS), "PROCESSES": str(count)}
        pids = []
        if count > 1:
            redis = _redis(stage)
            environment["REDIS_URL"] = f"redis://127.0.0.1:{redis.port}"
            pids.append(redis.pid)
        return _peer(stage, ["node", str(PROGRAMS / "server.mjs")], environment, pids)

    return start


def python_socketio(stage, options, name):
    return _peer(stage, [str(PEERS / "venv/bin/python"), str(PROGRAMS / "server.py")], {}, [])


def missing(remuda):
    """What to do before everything can run, a line for each."""
    needed = ("node", "redis-server", str(PEERS / "venv/bin/python"))
    lines = [f"no {each}; install it with `tests/peers/hub/install`" for each in needed if not shutil.which(each)]
    if not os.access(remuda, os.X_OK):
        lines.append(f"no {remuda}; build it with `cargo build --release --bin remuda`")
    return lines


def _redis(stage):
    folder, port = stage.folder("redis"), free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = stage.start("redis", command, folder)
    said = lambda: (folder / "said").read_text(errors="replace")  # noqa: E731
    stage.wait_until(lambda: "Ready to accept connections" in said(), process, "it accepts connections")
    process.port = port
    return process


def _peer(stage, command, environment, pids):
    folder = stage.folder("peer")
    process = stage.start("peer", command, folder, environment)
    said = lambda: (folder / "said").read_text(errors="replace").strip()  # noqa: E731
    text = stage.wait_until(said, process, "it listens")
    if not text.isdigit():
        raise Failed(f"{' '.join(command)} said: {text}")
    address = f"127.0.0.1:{text}"
    request = f"GET /emit HTTP/1.1\r\nHost: {address}\r\n\r\n"
    return Emitter(address, [process.pid, *processes.descendants(process.pid), *pids], address, "", request)


def _resp(*words):
    return f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)


ALL = {
    "socket.io, 1 process": socket_io(1),
    "socket.io, 2 processes and Redis": socket_io(2),
    "python-socketio": python_socketio,
    "remuda, 1 gateway": gateway(1),
    "remuda, 2 gateways": gateway(2),
}
