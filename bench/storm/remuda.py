"""Remuda on the stage, and the storms it is put through."""

import json
import shlex
import time

from . import programs, succession, tree
from .stage import Stage, gone

MAX_AGE_S = 1
STORM_LIMIT_S = 90
# How long workers are alone between two arbiters, and the load has for itself between two upgrades.
ALONE_S = 0.2
BETWEEN_S = 0.05
# One slot is killed again and again, so its pauses would grow to a minute, as they should; here they are not measured.
QUICK_RETRY = '{ base = "100ms", cap = "100ms", crash_loop_after = 1000 }'


class Remuda(Stage):
    """`workers` workers of `program` on one socket of `mode`; `settings` are further lines of the service."""

    name = "remuda"

    def __init__(self, binary, program, mode, workers, settings=""):
        self.binary = binary
        self.program = program
        self.mode = mode
        self.count = workers
        self.settings = settings
        self.applied = 0
        self.begun = 0
        # Further figures of a storm, for its row.
        self.figures = {}

    def launch(self):
        self.write_config()
        self.begin()
        self.wait_until(self._runs, "all workers ready")
        host, _, port = self.status()["sockets"][0]["address"].rpartition(":")
        self.address = (host, int(port))

    def begin(self):
        """Starts an arbiter."""
        self.arbiter = self.run([self.binary, "up", "--quiet"])
        self.pid = self.arbiter.pid

    @property
    def control(self):
        return self.directory / "run/control.sock"

    def write_config(self):
        """Writes remuda.toml; a variable of the workers changes with every call of `storm_apply`."""
        pairs = programs.ENVIRONMENT | {"APPLIED": str(self.applied)}
        variables = "\n".join(f"{name} = {json.dumps(value)}" for name, value in pairs.items())
        (self.directory / "remuda.toml").write_text(
            f"""[remuda]
runtime_dir = "{self.directory}/run"
[socket.web]
listen = "127.0.0.1:0"
mode = "{self.mode}"
[service.web]
command = {json.dumps(self.program.command)}
sockets = ["web"]
workers = {self.count}
ready = {json.dumps(self.program.ready)}
stop = {{ timeout = "{self.program.stop_limit_s}s" }}
{self.settings}
[service.web.env]
{variables}
""",
            encoding="ascii",
        )

    def status(self):
        return json.loads(self.ask([self.binary, "status", "--json"]))

    def command(self, line):
        return self.ask([self.binary, *shlex.split(line)])

    def seats(self):
        """The workers of the service by slot."""
        return {each["slot"]: each for each in self.status()["services"][0]["workers"] if each["phase"] == "ready"}

    def workers_begun(self):
        """How many workers there have been, as far as this was asked while the last of them lived."""
        self.begun = max(self.begun, *(each["id"] for each in self.status()["services"][0]["workers"]))
        return self.begun

    def _runs(self):
        if gone(self.pid):
            raise self.failure("ended by itself")
        # Its control socket comes first, its workers after that.
        return self.control.exists() and len(self.seats()) == self.count


def storm_reload(stage, times):
    for _ in range(times):
        stage.command("reload web")


def storm_restart(stage, times):
    for number in range(times):
        stage.command(f"restart web.{number % stage.count}")


def storm_kill(stage, times):
    kills = []
    for number in range(times):
        victim = stage.seats()[number % stage.count]
        kills.append(tree.kill_hard(victim["pid"]))

        def replaced(slot=victim["slot"], old=victim["id"]):
            return stage.seats().get(slot, {"id": old})["id"] > old

        stage.wait_until(replaced, f"a successor of worker {victim['pid']}")
    return kills


def storm_scale(stage, times):
    for _ in range(times):
        stage.command(f"scale web={stage.count + 2}")
        stage.workers_begun()
        stage.command(f"scale web={stage.count}")


def storm_apply(stage, times):
    for _ in range(times):
        stage.applied += 1
        stage.write_config()
        stage.command("apply")


def storm_age(stage, times):
    wanted = stage.count * (times + 1)
    stage.wait_until(lambda: stage.workers_begun() >= wanted, f"{wanted} workers by age", STORM_LIMIT_S)


def storm_upgrade(stage, times):
    workers = succession.pids(stage.status())
    own, windows = [], []
    with succession.Asker(stage.control) as asker:
        for _ in range(times):
            began = time.monotonic()
            said = json.loads(stage.command("upgrade --json"))
            windows.append((began, time.monotonic()))
            own.append(said["stall_ms"])
            time.sleep(BETWEEN_S)
        heard = asker.finish()
    succession.same_workers(stage, workers)
    stage.figures = {
        "own_stall_ms": own,
        "client_gap_ms": succession.longest_within(heard["gaps"], windows),
        "client_answers": heard["answers"],
        "client_cut_off": heard["cut_off"],
        "elsewhere_gap_ms": succession.longest_outside(heard["gaps"], windows),
    }


def storm_crash(stage, times):
    workers = succession.pids(stage.status())
    adopted = []
    for _ in range(times):
        stage.arbiter.kill()
        stage.arbiter.wait()
        time.sleep(ALONE_S)
        began = time.monotonic()
        stage.begin()
        succession.wait_adopted(stage, workers)
        adopted.append(round(1000 * (time.monotonic() - began), 1))
    stage.figures = {"adopted_ms": adopted}


# Name of a storm: what it does, with how many workers (None: as many as asked), and further lines of the service.
STORMS = {
    "reload": (storm_reload, None, ""),
    "restart": (storm_restart, None, ""),
    "kill": (storm_kill, None, f"backoff = {QUICK_RETRY}"),
    "scale": (storm_scale, None, ""),
    "apply": (storm_apply, None, ""),
    "max_age": (storm_age, None, f'max_age = "{MAX_AGE_S}s"'),
    "upgrade": (storm_upgrade, None, ""),
    "crash": (storm_crash, None, ""),
    "singleton": (storm_reload, 1, "singleton = true"),
}
