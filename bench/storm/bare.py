"""No supervisor at all: a listener held by the harness, workers started on it by hand.

What is lost here is lost by the program: the listener stays open, a successor serves before its predecessor is
told to stop, and nothing but one signal is done to it. It is the measure of what a supervisor can be blamed for.
"""

import os
import re
import signal
import socket
import subprocess
import time

import processes
from .stage import Stage, environment, gone

BACKLOG = 2048
READY_LIMIT_S = 30
# The descriptor becomes 3 and LISTEN_PID the program's own pid, as in the protocol of systemd.
LAUNCH = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$@" 3<&%d'


class Bare(Stage):
    name = "by hand"

    def __init__(self, program, workers, stop_limit_s=None):
        self.program = program
        self.count = workers
        self.stop_limit_s = stop_limit_s or program.stop_limit_s
        self.begun = 0
        self.hung = 0

    def launch(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(BACKLOG)
        self.address = self.listener.getsockname()
        self.serving = [self.start() for _ in range(self.count)]

    def __exit__(self, *error):
        super().__exit__(*error)
        self.listener.close()

    def start(self):
        """Starts one worker and returns its process once it has said that it serves."""
        self.begun += 1
        said = self.directory / f"said{self.begun}"
        notified = str(self.directory / f"notify{self.begun}")
        fd = self.listener.fileno()
        with open(said, "wb") as output, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(notified)
            variables = environment(self.directory) | {"NOTIFY_SOCKET": notified}
            command = ["bash", "-c", LAUNCH % fd, "bash", *self.program.command]
            worker = self.run(command, env=variables, pass_fds=[fd], stdout=output, stderr=subprocess.STDOUT)
            self._wait_ready(worker, said, notify)
        return worker

    def _wait_ready(self, worker, said, notify):
        kind, _, pattern = self.program.ready.partition(":")
        notify.settimeout(0.01)

        def ready():
            if gone(worker.pid):
                raise self.failure(f"{self.program.name} ended: {said.read_text(errors='replace')[-500:]}")
            if kind == "log":
                return re.search(pattern, said.read_text(errors="replace"))
            try:
                return b"READY=1" in notify.recv(4096)
            except TimeoutError:
                return False

        self.wait_until(ready, f"{self.program.name} ready", READY_LIMIT_S)

    def stop(self, worker, number=signal.SIGTERM):
        """Seconds until `worker` ended after one signal, None when it had to be killed at its limit."""
        began = time.monotonic()
        os.kill(worker.pid, number)
        try:
            worker.wait(self.stop_limit_s)
            return time.monotonic() - began
        except subprocess.TimeoutExpired:
            self.hung += 1
            processes.kill_tree(worker.pid)
            worker.wait()
            return None

    def replace_all(self, number=signal.SIGTERM):
        """Each worker in turn: a new one serves, then the old one is told to stop."""
        for index, old in enumerate(self.serving):
            self.serving[index] = self.start()
            self.stop(old, number)
