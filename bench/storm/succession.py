"""Another arbiter in the place of the last one: how long nobody answers, and whether it has the same workers."""

import http.client
import json
import pathlib
import select
import socket
import subprocess
import sys
import time

from .load import Failed

ASKER = pathlib.Path(__file__).with_name("asker.py")
WARM_LIMIT_S = 30
END_LIMIT_S = 30
ADOPTION_LIMIT_S = 30
LOOK_EVERY_S = 0.001


class Asker:
    """A client that asks the control socket at `path` from `with` until `finish()`."""

    def __init__(self, path):
        self.command = [sys.executable, str(ASKER), str(path)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        readable, _, _ = select.select([self.process.stdout], [], [], WARM_LIMIT_S)
        if not readable or self.process.stdout.readline() != b"warm\n":
            self.__exit__()
            raise Failed(f"the control socket has not answered within {WARM_LIMIT_S} s")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def finish(self):
        """Ends the asking and returns its account."""
        output, _ = self.process.communicate(timeout=END_LIMIT_S)
        return json.loads(output)


def longest_within(gaps, windows):
    """The longest of the gaps that overlap each of `windows`, in ms; 0 where there is none."""
    return [
        round(1000 * max((to - since for since, to in gaps if since < ended and to > began), default=0), 1)
        for began, ended in windows
    ]


def longest_outside(gaps, windows):
    """The longest gap that overlaps none of `windows`, in ms; 0 where there is none."""
    outside = [
        to - since for since, to in gaps if not any(since < ended and to > began for began, ended in windows)
    ]
    return round(1000 * max(outside, default=0), 1)


def pids(status):
    """Pids of the workers that are ready, by slot."""
    return {each["slot"]: each["pid"] for each in status["services"][0]["workers"] if each["phase"] == "ready"}


def same_workers(stage, workers):
    """Raises Failed unless `workers` are the workers of the stage."""
    if (now := pids(stage.status())) != workers:
        raise stage.failure(f"the workers were {workers} and are {now}")


def wait_adopted(stage, workers):
    """Returns as soon as the arbiter that has just been started says that it has `workers`."""
    limit = time.monotonic() + ADOPTION_LIMIT_S
    while True:
        try:
            now = pids(_status(stage.control))
        except (ConnectionError, FileNotFoundError, http.client.HTTPException):
            if time.monotonic() > limit:
                raise stage.failure(f"nobody answers for {ADOPTION_LIMIT_S} s") from None
            time.sleep(LOOK_EVERY_S)
            continue
        if now != workers:
            raise stage.failure(f"the workers were {workers} and are {now}")
        return


def _status(path):
    connection = http.client.HTTPConnection("loss", timeout=ADOPTION_LIMIT_S)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(ADOPTION_LIMIT_S)
    try:
        connection.sock.connect(str(path))
        connection.request("GET", "/v1/status")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
