"""Servers that run side by side in one temporary directory, from their start to the end of the last process."""

import http.client
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

import processes

REPO = pathlib.Path(__file__).resolve().parents[2]
LOOK_EVERY_S = 0.02
START_LIMIT_S = 30
END_PATIENCE_S = 5
LAST_LINES = 8


class Failed(Exception):
    """A server or a measurement did not do what it should; the message says what, and ends with its last words."""


class Server:
    """One that runs: the address it serves, and the processes that are its own."""

    def __init__(self, name, address, pids):
        self.name = name
        self.address = address
        self.pids = pids

    @property
    def url(self):
        return f"http://{self.address[0]}:{self.address[1]}"


class Stage:
    """A context manager; at its end everything that was started is gone."""

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-http-"))
        # Workers of nginx are nobody when its master is root.
        self.directory.chmod(0o755)
        self.started = []
        # Folders outside of the directory that are to go with it.
        self.outside = []
        return self

    def __exit__(self, *_):
        for process in self.started:
            process.terminate()
        limit = time.monotonic() + END_PATIENCE_S
        while time.monotonic() < limit and any(process.poll() is None for process in self.started):
            time.sleep(LOOK_EVERY_S)
        processes.end_everything()
        for folder in (self.directory, *self.outside):
            shutil.rmtree(folder, ignore_errors=True)

    def folder(self, name):
        """A new folder of the stage, for all that one server writes; its name is one that config files can hold."""
        folder = self.directory / re.sub(r"[^a-z0-9]+", "-", name)
        folder.mkdir()
        return folder

    def start(self, name, command, folder, environment=None):
        """Starts `command` in `folder`, what it says in `folder`/said; returns the process."""
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "USER")}
        state = ("HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
        with open(folder / "said", "wb") as said:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=kept | {key: str(folder) for key in state} | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        process.folder, process.name = folder, name
        self.started.append(process)
        return process

    def wait_until(self, holds, process, what):
        """Waits until `holds()` says something that is true, and returns it; raises Failed that names `what`."""
        limit = time.monotonic() + START_LIMIT_S
        while not (answer := holds()):
            if process.poll() is not None:
                raise failure(process, f"ended before {what}")
            if time.monotonic() > limit:
                raise failure(process, f"{what}: not within {START_LIMIT_S} s")
            time.sleep(LOOK_EVERY_S)
        return answer

    def server(self, process, address, path, length, name=None):
        """The server that `process` runs, once it answers `path` with as many bytes as it should."""
        self.wait_until(lambda: answers(address, path) == length, process, f"{path} with {length:,} bytes")
        return Server(name or process.name, address, [process.pid, *processes.descendants(process.pid)])


def answers(address, path):
    """The length of what a GET of `path` brings, None when it is no 200."""
    connection = http.client.HTTPConnection(*address, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        return len(body) if response.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def failure(process, what):
    """The error that says `what`, followed by the last lines the server wrote."""
    last = (process.folder / "said").read_text(errors="replace").splitlines()[-LAST_LINES:]
    return Failed(f"{process.name}: {what}" + "".join(f"\n    {line}" for line in last))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
