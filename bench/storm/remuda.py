"""Remuda on the stage, and the storms it is put through."""

import json
import shlex

from . import programs, tree
from .stage import Stage, gone

MAX_AGE_S = 1
STORM_LIMIT_S = 90


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

    def launch(self):
        self.write_config()
        self.pid = self.run([self.binary, "up", "--quiet"]).pid
        self.wait_until(self._runs, "all workers ready")
        host, _, port = self.status()["sockets"][0]["address"].rpartition(":")
        self.address = (host, int(port))

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
        self.ask([self.binary, *shlex.split(line)])

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
        return (self.directory / "run/control.sock").exists() and len(self.seats()) == self.count


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


# Name of a storm: what it does, with how many workers (None: as many as asked), and further lines of the service.
STORMS = {
    "reload": (storm_reload, None, ""),
    "restart": (storm_restart, None, ""),
    "kill": (storm_kill, None, ""),
    "scale": (storm_scale, None, ""),
    "apply": (storm_apply, None, ""),
    "max_age": (storm_age, None, f'max_age = "{MAX_AGE_S}s"'),
    "singleton": (storm_reload, 1, "singleton = true"),
}
