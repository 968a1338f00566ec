"""The supervisors under test: how each is told to keep N copies of `sleep 1000` running.

Each runs in the foreground with its configuration and state in a directory of its own. What decides a figure
is left at the supervisor's default: circus's check every 5 s, supervisord's tick and `startsecs`, the second
s6 and runit wait between two starts. What only adds cost that the others do not have is turned off: log
files, and pm2's look at version control.
"""

import dataclasses
import json
import os
import pathlib
import shutil
from collections.abc import Callable

REPO = pathlib.Path(__file__).resolve().parents[2]
VENV = REPO / "target/peers/venv/bin"
PM2 = REPO / "target/peers/node/node_modules/.bin/pm2-runtime"
WORKER = "sleep"
WORKER_COMMAND = "sleep 1000"


@dataclasses.dataclass(frozen=True)
class Contender:
    """One supervisor.

    `prepare` writes what it needs for N workers into a directory and returns the command line. `worker` is the
    kernel's name of a worker that runs. `period_s` is the longest of its own clocks: kills fall at moments
    spread evenly over it, so that none is measured in step with it. `patience_s` is the time it gets to end by
    itself, for those that keep state outside their directory. `one_worker_each` tells of those that put a
    process of their own between themselves and every worker.
    """

    name: str
    program: str
    prepare: Callable[[pathlib.Path, int], list[str]]
    worker: str = WORKER
    period_s: float = 0.25
    patience_s: float = 0.0
    one_worker_each: bool = False

    def missing(self):
        """What to do before it can run, None when it is there."""
        if shutil.which(self.program):
            return None
        how = "cargo build --release --bin remuda" if self.name == "remuda" else "bench/peers"
        return f"{self.name}: no {self.program}; install it with `{how}`"


def remuda(binary):
    def prepare(directory, count):
        config = directory / "remuda.toml"
        config.write_text(
            f'[remuda]\nruntime_dir = "run"\n'
            f'[service.bench]\ncommand = "{WORKER_COMMAND}"\nworkers = {count}\nrestart = "always"\n',
            encoding="ascii",
        )
        return [binary, "up", "-c", str(config)]

    return Contender("remuda", binary, prepare, patience_s=10.0)


def circus(directory, count):
    (directory / "circus.ini").write_text(
        f"""[circus]
endpoint = ipc://{directory}/control
pubsub_endpoint = ipc://{directory}/events
[watcher:bench]
cmd = {WORKER_COMMAND}
numprocesses = {count}
copy_env = True
""",
        encoding="ascii",
    )
    return [str(VENV / "circusd"), str(directory / "circus.ini")]


def supervisord(directory, count):
    (directory / "supervisord.conf").write_text(
        f"""[supervisord]
nodaemon = true
logfile = {directory}/log
pidfile = {directory}/pid
minfds = {4 * count + 1024}
minprocs = {count + 200}
[program:bench]
command = {WORKER_COMMAND}
process_name = bench%(process_num)04d
numprocs = {count}
autorestart = true
stdout_logfile = NONE
stderr_logfile = NONE
""",
        encoding="ascii",
    )
    return [str(VENV / "supervisord"), "-c", str(directory / "supervisord.conf")]


def pm2(directory, count):
    app = {
        "name": "bench",
        "script": shutil.which(WORKER),
        "args": WORKER_COMMAND.split()[1:],
        "interpreter": "none",
        "exec_mode": "fork",
        "instances": count,
        "vizion": False,
        "out_file": "/dev/null",
        "error_file": "/dev/null",
    }
    (directory / "ecosystem.json").write_text(json.dumps({"apps": [app]}), encoding="ascii")
    return [str(PM2), "start", str(directory / "ecosystem.json")]


def _service_directories(directory, count):
    for number in range(count):
        service = directory / "services" / f"bench{number:04}"
        service.mkdir(parents=True)
        run = service / "run"
        run.write_text(f"#!/bin/sh\nexec {WORKER_COMMAND}\n", encoding="ascii")
        run.chmod(0o755)
    return str(directory / "services")


def s6(directory, count):
    return ["s6-svscan", "-c", str(count + 8), _service_directories(directory, count)]


def runit(directory, count):
    return ["runsvdir", _service_directories(directory, count)]


def gunicorn(directory, count):
    """Its workers are its own: forks of the loaded application. They count from the fork on."""
    (directory / "application.py").write_text("def app(environ, start_response):\n    return []\n", encoding="ascii")
    bind = f"unix:{directory}/socket"
    workers = ["--workers", str(count), "--preload"]
    return [str(VENV / "gunicorn"), "--chdir", str(directory), "--bind", bind, *workers, "application:app"]


def all_contenders(remuda_binary):
    """Every contender, Remuda first: the ratios are to it."""
    return [
        remuda(os.path.abspath(remuda_binary)),
        Contender("s6", "s6-svscan", s6, period_s=1.0, one_worker_each=True),
        Contender("runit", "runsvdir", runit, period_s=1.0, one_worker_each=True),
        Contender("circus", str(VENV / "circusd"), circus, period_s=5.0),
        Contender("pm2", str(PM2), pm2),
        Contender("supervisord", str(VENV / "supervisord"), supervisord, period_s=1.0),
        Contender("gunicorn", str(VENV / "gunicorn"), gunicorn, worker="gunicorn", period_s=1.0),
    ]
