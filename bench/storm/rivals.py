"""Other supervisors on the stage, each with workers of the same application and its own way to replace them.

What they do not have by themselves is not added: no settings beyond the address, the number of workers and what a
graceful reload asks for in their manuals.
"""

import json
import os
import shutil
import signal
import socket
import time

import processes
from . import programs
from .bare import Bare
from .stage import Stage

VENV = programs.VENV
PM2 = programs.REPO / "target/peers/node/node_modules/.bin"
PM2_APP = programs.REPO / "bench/storm/pm2_app.js"
REPLACE_LIMIT_S = 45
CLOCK_STEP_S = 2


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Rival(Stage):
    """One supervisor. `replace` has all workers replaced once and returns when the last old one is gone."""

    key = ""
    program = ""

    def __init__(self, workers):
        self.count = workers

    def launch(self):
        self.address = ("127.0.0.1", free_port())
        self.pid = self.run(self.prepare(*self.address)).pid
        self.wait_until(self._serves, "all workers")

    def _serves(self):
        try:
            socket.create_connection(self.address, 1).close()
        except OSError:
            return False
        return len(self.workers()) >= self.count

    def workers(self):
        """Pids of the workers. Here: the supervisor's children."""
        return set(processes.children(self.pid))

    def replace(self):
        old = self.workers()
        self.begin_replacement()
        self.wait_until(lambda: not old & self.workers(), f"replacement of {len(old)} workers", REPLACE_LIMIT_S)
        self.wait_until(lambda: len(self.workers()) >= self.count, "all workers", REPLACE_LIMIT_S)

    def begin_replacement(self):
        os.kill(self.pid, signal.SIGHUP)

    @classmethod
    def missing(cls):
        """What to do before it can run, None when it is there."""
        return None if shutil.which(cls.program) else f"{cls.name}: no {cls.program}; install it with `bench/peers`"


class Circus(Rival):
    key = "circus"
    name = "circus reload (chaussette)"
    program = str(VENV / "circusd")
    options = ()

    def prepare(self, host, port):
        (self.directory / "circus.ini").write_text(
            f"""[circus]
endpoint = ipc://{self.directory}/control
pubsub_endpoint = ipc://{self.directory}/events
[watcher:web]
cmd = {VENV}/chaussette --fd $(circus.sockets.web) wsgi_app.app
numprocesses = {self.count}
use_sockets = True
copy_env = True
[socket:web]
host = {host}
port = {port}
""",
            encoding="ascii",
        )
        return [self.program, str(self.directory / "circus.ini")]

    def begin_replacement(self):
        control = ["--endpoint", f"ipc://{self.directory}/control", "--timeout", "30"]
        self.ask([str(VENV / "circusctl"), *control, "reload", "web", *self.options])


class CircusSequential(Circus):
    key = "circus-sequential"
    name = "circus reload --sequential (chaussette)"
    options = ("--sequential",)


class GunicornSync(Rival):
    key = "gunicorn-sync"
    name = "gunicorn sync HUP"
    program = str(VENV / "gunicorn")
    options = ()

    def prepare(self, host, port):
        shared = ["--workers", str(self.count), "--bind", f"{host}:{port}", "--chdir", str(programs.WORKERS)]
        return [self.program, *shared, *self.options, "wsgi_app:app"]


class GunicornThreads(GunicornSync):
    key = "gunicorn-gthread"
    name = "gunicorn gthread HUP"
    options = ("--worker-class", "gthread", "--threads", "4")


class Granian(Rival):
    key = "granian"
    name = "granian HUP"
    program = str(VENV / "granian")

    def prepare(self, host, port):
        options = ["--interface", "wsgi", "--workers", str(self.count), "--host", host, "--port", str(port)]
        return [self.program, *options, "wsgi_app:app"]

    def workers(self):
        # Besides its workers it keeps one process that follows their shared resources.
        return {pid for pid in super().workers() if "granian" in (processes.command_name(pid) or "")}


class Uwsgi(Rival):
    key = "uwsgi"
    name = "uwsgi reload"
    program = str(VENV / "uwsgi")
    trigger = "--touch-reload"

    def prepare(self, host, port):
        self.touched = self.directory / "touched"
        self.touched.touch()
        self.touches = 0
        options = ["--master", "--need-app", "--lazy-apps", "--workers", str(self.count), "--disable-logging"]
        application = ["--chdir", str(programs.WORKERS), "--module", "wsgi_app:app"]
        home = ["--virtualenv", str(VENV.parent)]
        return [
            *(self.program, "--http-socket", f"{host}:{port}", self.trigger, str(self.touched)),
            *(*options, *application, *home),
        ]

    def begin_replacement(self):
        # It compares whole seconds.
        self.touches += 1
        moment = time.time() + CLOCK_STEP_S * self.touches
        os.utime(self.touched, (moment, moment))


class UwsgiChain(Uwsgi):
    key = "uwsgi-chain"
    name = "uwsgi chain reload"
    trigger = "--touch-chain-reload"

    def replace(self):
        super().replace()
        # A touch while the chain still looks at its last worker is dropped.
        said = self.directory / "output"
        done = lambda: said.read_text(errors="replace").count("chain reloading complete") >= self.touches  # noqa: E731
        self.wait_until(done, "the end of the chain", REPLACE_LIMIT_S)


class Nginx(Rival):
    """Its workers are proxies; behind them is one node process that is never replaced."""

    key = "nginx"
    name = "nginx reload (proxy)"
    program = "nginx"

    def prepare(self, host, port):
        backend = next(each for each in programs.ALL if each.name == "node")
        self.backend = Bare(backend, 1).__enter__()
        upstream_host, upstream_port = self.backend.address
        (self.directory / "nginx.conf").write_text(
            f"""daemon off;
worker_processes {self.count};
pid {self.directory}/pid;
error_log {self.directory}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {self.directory}/body;
    proxy_temp_path {self.directory}/proxy;
    fastcgi_temp_path {self.directory}/fastcgi;
    uwsgi_temp_path {self.directory}/uwsgi;
    scgi_temp_path {self.directory}/scgi;
    upstream backend {{ server {upstream_host}:{upstream_port}; keepalive 32; }}
    server {{
        listen {host}:{port};
        location / {{
            proxy_pass http://backend;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
""",
            encoding="ascii",
        )
        return [self.program, "-c", str(self.directory / "nginx.conf")]

    def __exit__(self, *error):
        super().__exit__(*error)
        if hasattr(self, "backend"):
            self.backend.__exit__(*error)


class Pm2(Rival):
    key = "pm2"
    name = "pm2 reload (node cluster)"
    program = str(PM2 / "pm2-runtime")

    def prepare(self, host, port):
        app = {"name": "web", "script": str(PM2_APP), "exec_mode": "cluster", "instances": self.count}
        app |= {"env": {"PORT": str(port)}, "vizion": False, "out_file": "/dev/null", "error_file": "/dev/null"}
        (self.directory / "ecosystem.json").write_text(json.dumps({"apps": [app]}), encoding="ascii")
        return [self.program, "start", str(self.directory / "ecosystem.json")]

    def workers(self):
        # They name themselves by their script; their parent, pm2's own process, does not.
        return {pid for pid in processes.descendants(os.getpid()) if _command_line(pid).endswith(PM2_APP.name)}

    def begin_replacement(self):
        self.ask([str(PM2 / "pm2"), "reload", "web"])


def _command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


ALL = [
    Circus,
    CircusSequential,
    GunicornSync,
    GunicornThreads,
    Granian,
    Uwsgi,
    UwsgiChain,
    Nginx,
    Pm2,
]
