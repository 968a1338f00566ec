"""The servers under test: how each is started alone on loopback, and where publishers and subscribers find it.

Every measurement gets a fresh server in a directory of its own, on ports the kernel chose. Limits are those a
server has by itself, with two exceptions. Nothing is written to disk unless that is what is measured. And libzmq's
high-water mark is 100,000 messages where saturation without loss is measured, since its default of 1,000 is below
what the window lets through.
"""

import dataclasses
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

import processes

REPO = pathlib.Path(__file__).resolve().parents[2]
FORWARDER_SOURCE = REPO / "bench/hub_peers/forwarder.c"
START_LIMIT_S = 15
STOP_PATIENCE_S = 5
LOSSLESS_MARK = 100_000
DEFAULT_MARK = 1_000
# A port that was free may be taken until the server binds it.
PORT_ATTEMPTS = 3


class Failed(Exception):
    """A server or the load generator did not do what is measured; the message says what."""


@dataclasses.dataclass
class Running:
    """A server that answers: where, and what the load generator must know of it."""

    dialect: str
    publish: str
    subscribe: str
    pids: list[int]
    login: tuple[str, str] | None = None
    # Paths of the network namespaces from which clients connect; None: the harness's own.
    publish_from: str | None = None
    subscribe_from: str | None = None
    reported: callable = lambda: None


@dataclasses.dataclass(frozen=True)
class Wish:
    """What a measurement wants of a server beyond its defaults."""

    lossless: bool = True
    fsync_always: bool = False
    key_events: bool = False


class Server:
    """One contender; `with server.run(wish) as running` starts it and ends it on every way out."""

    name = ""

    def missing(self):
        """What to do before it can run, None when it is there."""
        return None

    def start(self, directory, log, wish):
        """Starts it; returns a Running."""
        raise NotImplementedError

    def run(self, wish=None):
        """The context of one run."""
        return _Run(self, wish or Wish())


class _Run:
    def __init__(self, server, wish):
        self.server = server
        self.wish = wish

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hub-"))
        self.log = open(self.directory / "output", "wb")
        try:
            return self.server.start(self.directory, self.log, self.wish)
        except BaseException as error:
            last = (self.directory / "output").read_text(errors="replace").splitlines()[-5:]
            self.__exit__()
            if isinstance(error, (Failed, OSError)):
                lines = "".join(f"\n    {line}" for line in last)
                raise Failed(f"{self.server.name} does not start: {error}{lines}") from error
            raise

    def __exit__(self, *_):
        processes.end_everything()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def spawn(command, directory, log, **more):
    """Starts a process of a server, in a session of its own; its output goes to `log`."""
    return subprocess.Popen(
        command, cwd=directory, stdin=subprocess.DEVNULL, stderr=log, **({"stdout": log} | more), start_new_session=True
    )


def wait(what, look, process=None):
    """The first true result of `look`; Failed when `process` ends or the time does."""
    limit = time.monotonic() + START_LIMIT_S
    while not (found := look()):
        if process is not None and process.poll() is not None:
            raise Failed(f"it ended with {process.returncode} before {what}")
        if time.monotonic() > limit:
            raise Failed(f"not {what} after {START_LIMIT_S} s")
        time.sleep(0.01)
    return found


def answers(port):
    """Whether somebody listens on this port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def not_installed(name, program):
    """What to do when `program` is not there."""
    return None if shutil.which(program) else f"{name}: no {program}; install it with `tests/peers/hub/install`"


def redis_info(address, section, login=None):
    """A section of INFO as a dictionary; empty where the server has none."""
    host, _, port = address.rpartition(":")
    words = [b"INFO", section.encode()]
    requests = [[b"AUTH", *(each.encode() for each in login)]] if login else []
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        for words in [*requests, words, [b"QUIT"]]:
            connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    lines = answer.decode(errors="replace").split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith(("$", "+", "-")))


class Redis(Server):
    """redis-server; everything in one process."""

    name = "redis"

    def missing(self):
        return not_installed(self.name, "redis-server")

    def start(self, directory, log, wish):
        for attempt in range(PORT_ATTEMPTS):
            port = free_port()
            command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
            command += ["--dir", str(directory)]
            command += ["--appendonly", "yes" if wish.fsync_always else "no", "--appendfsync", "always"]
            command += ["--notify-keyspace-events", "KEA" if wish.key_events else ""]
            process = spawn(command, directory, log)
            try:
                wait("listening", lambda: answers(port), process)
                break
            except Failed:
                if attempt + 1 == PORT_ATTEMPTS:
                    raise
        address = f"127.0.0.1:{port}"

        def reported():
            # Redis 7.0 counts them nowhere.
            said = (directory / "output").read_text(errors="replace").count("overcoming of output buffer limits")
            return f"{said} closed at its output buffer limit (log)" if said else "nothing (log)"

        return Running("redis", address, address, [process.pid], reported=reported)


class Forwarder(Server):
    """A forwarder in C with libzmq, of one of two kinds."""

    def __init__(self, kind, dialect):
        self.name = f"zmq-{kind}"
        self.kind = kind
        self.dialect = dialect

    def missing(self):
        if shutil.which("cc") and pathlib.Path("/usr/include/zmq.h").exists():
            return None
        return f"{self.name}: no cc or no zmq.h; install them with `tests/peers/hub/install`"

    def start(self, directory, log, wish):
        mark = LOSSLESS_MARK if wish.lossless else DEFAULT_MARK
        command = [str(forwarder()), self.kind, str(mark)]
        process = spawn(command, directory, log, stdout=subprocess.PIPE)
        endpoints = process.stdout.readline().decode().replace("tcp://", "").split()
        process.stdout.close()
        if len(endpoints) != 2:
            raise Failed("it named no endpoints")
        return Running(self.dialect, *endpoints, [process.pid], reported=lambda: "nothing")


def forwarder():
    """The forwarder's binary, compiled when it is older than its source."""
    binary = REPO / "target/hub_peers/forwarder"
    if not binary.exists() or binary.stat().st_mtime < FORWARDER_SOURCE.stat().st_mtime:
        binary.parent.mkdir(parents=True, exist_ok=True)
        fresh = binary.with_suffix(f".{os.getpid()}")
        command = ["cc", "-O2", "-Wall", "-Wextra", "-o", fresh, FORWARDER_SOURCE, "-lzmq"]
        subprocess.run(command, check=True, timeout=120)
        fresh.rename(binary)
    return binary


class Nats(Server):
    """nats-server, core publish and subscribe."""

    name = "nats"

    def missing(self):
        return not_installed(self.name, "nats-server")

    def start(self, directory, log, wish):
        ports = directory / "ports"
        ports.mkdir()
        command = ["nats-server", "-a", "127.0.0.1", "-p", "-1", "-m", "-1", "--ports_file_dir", str(ports)]
        process = spawn(command, directory, log)

        def found():
            for file in ports.glob("*.ports"):
                try:
                    return json.loads(file.read_text())
                except ValueError:
                    return None
            return None

        urls = wait("listening", found, process)
        address = urls["nats"][0].removeprefix("nats://")
        monitor = urls["monitoring"][0]

        def reported():
            with urllib.request.urlopen(f"{monitor}/varz", timeout=5) as answer:
                count = json.load(answer)["slow_consumers"]
            return f"{count} slow consumers (varz)"

        return Running("nats", address, address, [process.pid], reported=reported)


class Remuda(Server):
    """Remuda's hub as `remuda up` starts it, over one of its two protocols.

    A worker of a second service writes its environment to a file: addresses and the token come to this program by
    the way they come to any worker. Only the hub's own process is counted, and the memory of nothing else.
    """

    def __init__(self, binary, protocol):
        self.name = f"remuda-{protocol}"
        self.protocol = protocol
        self.binary = binary

    def missing(self):
        if os.access(self.binary, os.X_OK):
            return None
        return f"{self.name}: no {self.binary}; build it with `cargo build --release --bin remuda`"

    def start(self, directory, log, wish):
        durability = 'fsync = "always"' if wish.fsync_always else "durable = false"
        (directory / "remuda.toml").write_text(remuda_config(directory, durability), encoding="ascii")
        return remuda_up(self.binary, self.protocol, directory, log)


def remuda_config(directory, durability, more=""):
    """The text of a config: a hub, and a worker that tells where it is; `more` are further tables."""
    written = directory / "environment"
    return f"""[remuda]
runtime_dir = "run"
[bus]
[store]
{durability}
[hub]
state = "state"
[service.probe]
command = ["sh", "-c", "env > {written}.new && mv {written}.new {written} && exec sleep 1000"]
{more}"""


def remuda_surroundings(directory):
    """An environment in which everything of an instance is in its directory."""
    return os.environ | {name: str(directory) for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")}


def remuda_up(binary, protocol, directory, log):
    """Starts the instance whose config is in `directory`; a Running once a worker has told where its hub is."""
    written = directory / "environment"
    command = [binary, "up", "-c", str(directory / "remuda.toml")]
    process = spawn(command, directory, log, env=remuda_surroundings(directory))
    wait("running a worker beside its hub", written.exists, process)
    lines = (line.partition("=") for line in written.read_text().splitlines())
    environment = {key: value for key, _, value in lines}
    hubs = wait("showing a process of its hub", lambda: list(hubs_below(process.pid)), process)
    return remuda_running(protocol, environment.get("REMUDA_BUS_TCP"), environment.get("REDIS_URL"), hubs)


class RemudaElsewhere(Server):
    """A hub that somebody else started and ends: it is the same one in every run."""

    def __init__(self, protocol, bus, store, pid):
        self.name = f"remuda-{protocol}"
        self.protocol = protocol
        self.found = (bus, store, [pid] if pid else [])

    def missing(self):
        wanted = self.found[0] if self.protocol == "zmtp" else self.found[1]
        return None if wanted else f"{self.name}: its address is not given"

    def start(self, directory, log, wish):
        if wish.fsync_always:
            raise Failed("a running hub does not change its fsync")
        return remuda_running(self.protocol, *self.found)


def remuda_running(protocol, bus, store, pids):
    """A Running of the hub with these addresses: `tcp://HOST:PORT` or a path, and `redis://USER:TOKEN@HOST:PORT/0`."""
    if protocol == "zmtp":
        if not bus:
            raise Failed("it named no TCP endpoint of its bus")
        address = bus.removeprefix("tcp://").removeprefix("ipc://")
        # One endpoint serves every socket type; two, as `PUSH,SUB`, are what a forwarder has.
        publish, _, subscribe = address.partition(",")
        subscribe = subscribe.removeprefix("tcp://").removeprefix("ipc://") or publish
        return Running("zeromq_push", publish, subscribe, pids, reported=lambda: _hub_report(store))
    if not store:
        raise Failed("it named no address of its store")
    address, login = _store(store)
    return Running("redis", address, address, pids, login=login, reported=lambda: _hub_report(store))


def _store(url):
    if "//" not in url:
        return url, None
    parts = urllib.parse.urlsplit(url)
    address = f"{parts.hostname}:{parts.port}"
    if not parts.password:
        return address, None
    return address, (urllib.parse.unquote(parts.username or "default"), urllib.parse.unquote(parts.password))


def _hub_report(store):
    """What INFO of the store says about lost messages."""
    if not store:
        return "not asked"
    address, login = _store(store)
    told = redis_info(address, "all", login)
    words = ("drop", "disconnect", "lost")
    losses = {key: value for key, value in told.items() if any(word in key for word in words)}
    found = [f"{key} {value}" for key, value in losses.items() if value != "0"]
    return ", ".join(found) + " (INFO)" if found else "nothing (INFO)"


def hubs_below(pid):
    """Processes below `pid` that run as `worker hub`."""
    for each in processes.descendants(pid):
        try:
            words = pathlib.Path(f"/proc/{each}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[1:3] == [b"worker", b"hub"]:
            yield each


def all_servers(options):
    """Every contender, redis first: the ratios are to it."""
    if options.remuda_bus or options.remuda_store:
        found = (options.remuda_bus, options.remuda_store, options.pid)
        ours = [RemudaElsewhere(protocol, *found) for protocol in ("zmtp", "resp")]
    else:
        ours = [Remuda(os.path.abspath(options.remuda), protocol) for protocol in ("zmtp", "resp")]
    forwarders = [Forwarder("pull-pub", "zeromq_push"), Forwarder("xsub-xpub", "zeromq_pub")]
    return [Redis(), *forwarders, Nats(), *ours]
