"""What all stages share: a directory, a supervisor in it, and the end of everything that was started."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import processes
from . import programs
from .load import Failed

LOOK_EVERY_S = 0.02
END_PATIENCE_S = 10
LAST_LINES = 5


def environment(directory):
    """Variables of a supervisor and of what it runs, with all state in `directory`."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "USER")}
    state = ("HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")
    return kept | programs.ENVIRONMENT | {name: str(directory) for name in state}


class Stage:
    """A supervisor with workers, from its start to the end of the last process: a context manager.

    A subclass says in `launch` what to run, and in `workers` which pids serve at the moment.
    """

    name = "stage"

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="loss-"))
        self.log = open(self.directory / "output", "wb")
        self.pid = None
        try:
            self.launch()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        processes.end_everything(self.pid, END_PATIENCE_S)
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, command, **more):
        """Starts `command` in the stage's directory, its output in the stage's log; returns the process."""
        settings = {"cwd": self.directory, "env": environment(self.directory), "stdin": subprocess.DEVNULL}
        settings |= {"stdout": self.log, "stderr": self.log, "start_new_session": True}
        return subprocess.Popen(command, **(settings | more))

    def ask(self, command, limit_s=60):
        """Runs `command` to its end and returns what it printed; raises Failed when it says no."""
        try:
            done = subprocess.run(
                command, cwd=self.directory, env=environment(self.directory), capture_output=True, timeout=limit_s
            )
        except subprocess.TimeoutExpired as error:
            raise self.failure(f"`{' '.join(command)}` did not end within {limit_s} s") from error
        if done.returncode:
            raise self.failure(f"`{' '.join(command)}` ended with {done.returncode}: {done.stderr.decode().strip()}")
        return done.stdout.decode()

    def wait_until(self, holds, what, limit_s=30):
        """Waits until `holds()`; raises Failed that names `what` when it does not within `limit_s`."""
        limit = time.monotonic() + limit_s
        while not holds():
            if time.monotonic() > limit:
                raise self.failure(f"{what} not reached within {limit_s} s")
            time.sleep(LOOK_EVERY_S)

    def failure(self, what):
        """The error that says `what`, followed by the last lines the supervisor wrote."""
        last = (self.directory / "output").read_text(errors="replace").splitlines()[-LAST_LINES:]
        return Failed(f"{self.name}: {what}" + "".join(f"\n    {line}" for line in last))


def gone(pid):
    return processes.state(pid) in (None, "Z")
