"""The three measurements: start of N workers, successor of a killed one, cost at rest."""

import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import time

import processes

START_LIMIT_S = 180
SUCCESSOR_LIMIT_S = 12
LOOK_EVERY_S = 0.0002
# A scan of /proc may take a tenth of a core from the supervisor that is being watched, not more.
WATCH_SHARE = 0.1


class Failed(Exception):
    """A contender did not do what is measured; the message says what, and ends with its last words."""


class Running:
    """One supervisor with `count` workers, from its start to the end of the last process."""

    def __init__(self, contender, count):
        self.contender = contender
        self.count = count

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="supervise-"))
        self.log = open(self.directory / "output", "wb")
        command = self.contender.prepare(self.directory, self.count)
        environment = os.environ | {
            "HOME": str(self.directory),
            "PM2_HOME": str(self.directory / "pm2"),
            "XDG_RUNTIME_DIR": str(self.directory),
            "XDG_STATE_HOME": str(self.directory),
        }
        self.began = time.monotonic()
        self.pid = subprocess.Popen(
            command,
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        ).pid
        return self

    def __exit__(self, *_):
        processes.end_everything(self.pid, self.contender.patience_s)
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def wait_for_workers(self):
        """Seconds from the start of the supervisor until all workers run."""
        running, settled = set(), set()
        while True:
            scan_began = time.monotonic()
            self._find_workers(self.pid, running, settled)
            now = time.monotonic()
            if len(running) >= self.count:
                return now - self.began
            self._check_alive(f"{len(running)} of {self.count} workers")
            if now - self.began > START_LIMIT_S:
                raise self.failure(f"{len(running)} of {self.count} workers run after {START_LIMIT_S} s")
            time.sleep(max(LOOK_EVERY_S, (now - scan_began) * (1 / WATCH_SHARE - 1)))

    def workers(self):
        """The pids of the workers that run now."""
        running = set()
        self._find_workers(self.pid, running, set())
        return running

    def own_processes(self):
        """The pids of the supervisor and whatever it runs besides the workers, what it left to itself included."""
        workers = self.workers()
        return [pid for pid in processes.descendants(os.getpid()) if pid not in workers]

    def kill_one(self, victim):
        """Kills worker `victim`; seconds until another one runs in its place."""
        parent = self._parent(victim)
        siblings = set(processes.children(parent)) - {victim}
        began = time.monotonic()
        os.kill(victim, 9)
        while True:
            for pid in processes.children(parent):
                if pid != victim and pid not in siblings and self._is_worker(pid):
                    return time.monotonic() - began
            if time.monotonic() - began > SUCCESSOR_LIMIT_S:
                raise self.failure(f"no successor {SUCCESSOR_LIMIT_S} s after kill -9 of {victim}")
            time.sleep(LOOK_EVERY_S)

    def failure(self, what):
        """The error that says `what`, followed by the last lines the supervisor wrote."""
        last = (self.directory / "output").read_text(errors="replace").splitlines()[-5:]
        return Failed(f"{self.contender.name}: {what}" + "".join(f"\n    {line}" for line in last))

    def _find_workers(self, parent, running, settled):
        # What was seen running is not looked at again, nor is a process that has the one worker it is for:
        # a scan costs what is still to come, not what has come.
        for pid in processes.children(parent):
            if pid in running or pid in settled:
                continue
            if self._is_worker(pid):
                running.add(pid)
                if self.contender.one_worker_each and parent != self.pid:
                    settled.add(parent)
            else:
                self._find_workers(pid, running, settled)

    def _is_worker(self, pid):
        return processes.command_name(pid) == self.contender.worker and processes.state(pid) not in (None, "Z")

    def _parent(self, pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in status if line.startswith("PPid:"))

    def _check_alive(self, reached):
        if processes.state(self.pid) in (None, "Z"):
            raise self.failure(f"ended with {reached} running")


def start(contender, count):
    """Seconds until `count` workers run."""
    with Running(contender, count) as running:
        return {"start_s": running.wait_for_workers()}


def rest(contender, count, seconds, settle_s):
    """Memory, CPU and wake-ups of the supervisor's own processes over `seconds` with `count` workers at rest."""
    with Running(contender, count) as running:
        start_s = running.wait_for_workers()
        time.sleep(settle_s)
        own = running.own_processes()
        cpu_before, switches_before = processes.activity(own)
        began = time.monotonic()
        time.sleep(seconds)
        cpu_after, switches_after = processes.activity(own)
        elapsed = time.monotonic() - began
        rss_kib, pss_kib = processes.memory_kib(own)
        return {
            "start_s": start_s,
            "processes": len(own),
            "rss_mib": rss_kib / 1024,
            "pss_mib": pss_kib / 1024,
            "cpu_percent": 100 * (cpu_after - cpu_before) / elapsed,
            "wakeups": switches_after - switches_before,
        }


def respawn(contender, count, kills, settle_s):
    """Milliseconds from `kill -9` of one of `count` workers to its successor, for `kills` different workers.

    The time between a successor and the next kill is spread evenly over the contender's own period.
    """
    with Running(contender, count) as running:
        running.wait_for_workers()
        time.sleep(settle_s)
        milliseconds = []
        for victim in random.sample(sorted(running.workers()), kills):
            time.sleep(random.uniform(0, contender.period_s))
            milliseconds.append(1000 * running.kill_one(victim))
        return {"respawn_ms": milliseconds}
