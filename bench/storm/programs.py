"""The programs under test: how each is told to serve the listening socket that it finds as descriptor 3.

All serve the same application of tests/peers/workers, except the example's own worker. Nothing that bears on a
stop is set: what they do when told to stop is what their users get.
"""

import dataclasses
import pathlib

REPO = pathlib.Path(__file__).resolve().parents[2]
WORKERS = REPO / "tests/peers/workers"
VENV = REPO / "target/peers/bench-venv/bin"
HELLO = REPO / "examples/hello/worker.py"


@dataclasses.dataclass(frozen=True)
class Program:
    """One program. `ready` is how it tells that it serves: `notify`, or `log:` and a regular expression. `slow`
    tells that it knows `/slow`; `stop_limit_s` is the time it gets to end by itself."""

    name: str
    command: list
    ready: str
    slow: bool = True
    stop_limit_s: int = 10


def _gunicorn(name, *options):
    command = [f"{VENV}/gunicorn", "--chdir", f"{WORKERS}", *options, "wsgi_app:app"]
    return Program(name, command, "notify")


ALL = [
    _gunicorn("gunicorn sync"),
    _gunicorn("gunicorn gthread", "--worker-class", "gthread", "--threads", "4"),
    Program(
        "uvicorn",
        [f"{VENV}/uvicorn", "--fd", "3", "--app-dir", f"{WORKERS}", "--no-access-log", "asgi_app:app"],
        "log:Application startup complete",
    ),
    Program("node", ["node", f"{WORKERS}/node_fd.js"], "log:listening on fd 3"),
    Program(
        "twistd",
        [
            *(f"{VENV}/twistd", "--nodaemon", "--pidfile=", "web", "--listen", "systemd:domain=INET:index=0"),
            *("--logfile", "/dev/null", "--wsgi", "wsgi_app.app"),
        ],
        "log:Site starting on",
        # Told to stop with requests in its threads, it waits for them, and they wait for it, without an end.
        stop_limit_s=1,
    ),
    Program("waitress", [f"{VENV}/python", f"{WORKERS}/waitress_fd.py"], "log:Serving on"),
    Program("chaussette", [f"{VENV}/chaussette", "--fd", "3", "wsgi_app.app"], "log:Serving on"),
    Program("hello", [f"{VENV}/python", f"{HELLO}"], "notify", slow=False),
]
ENVIRONMENT = {"PYTHONPATH": str(WORKERS), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
