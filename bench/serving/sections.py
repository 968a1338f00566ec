"""The three parts of a run: which servers are compared at what work.

All servers of a part run side by side from its start to its end, idle while it is not their turn.
"""

import dataclasses

import processes

from . import servers
from .stage import Server

KIB = 1024
SIZES = {"/1k": KIB, "/100k": 100 * KIB, "/10m": 10 * KIB * KIB}
APPLICATION_LENGTH = len(b"hello, world\n")
APPLICATION_WORKERS = 2
TWISTED_WORKERS = 4


@dataclasses.dataclass(frozen=True)
class Work:
    """What is asked for, and how: `kept` connections, or one for each request."""

    name: str
    path: str
    length: int
    connections: int = 64
    threads: int = 1
    is_kept: bool = True


@dataclasses.dataclass(frozen=True)
class Target:
    """A server under load, and the processes behind it that work for the same requests."""

    front: Server
    behind: tuple = ()


@dataclasses.dataclass(frozen=True)
class Section:
    """`start(stage, remuda)` gives the targets; the `reference` is whom ratios are to, `about` what is compared."""

    name: str
    title: str
    about: str
    reference: str
    works: tuple
    start: object


def files(stage):
    """The folder that everybody serves; contents that no compression and no cleverness shortens."""
    root = stage.folder("root")
    for path, length in SIZES.items():
        (root / path.removeprefix("/")).write_bytes(b"remuda, " * (length // 8))
    return root


def _static(stage, remuda):
    root = files(stage)
    path, length = "/1k", SIZES["/1k"]
    begun = [
        servers.remuda_files(stage, "remuda, 1 worker", remuda, root, 1),
        servers.remuda_files(stage, "remuda, 2 workers", remuda, root, 2),
        servers.nginx_files(stage, "nginx, 1 worker, file cache", root, 1, cache=True),
        servers.nginx_files(stage, "nginx, 2 workers, file cache", root, 2, cache=True),
        servers.nginx_files(stage, "nginx, 2 workers", root, 2, cache=False),
        servers.caddy_files(stage, "caddy", root),
        servers.twisted_files(stage, f"twist web, {TWISTED_WORKERS} workers", remuda, root, TWISTED_WORKERS),
    ]
    return [Target(stage.server(process, address, path, length)) for process, address in begun]


def _proxy(stage, remuda):
    root = files(stage)
    path, length = "/1k", SIZES["/1k"]
    back = stage.server(*servers.nginx_files(stage, "the server behind", root, 1, cache=True), path, length)
    begun = [
        servers.gateway(stage, "remuda gateway, 1 worker", remuda, back.address),
        servers.nginx_proxy(stage, "nginx, 1 worker", back.address),
        servers.haproxy(stage, "haproxy, 1 thread", back.address),
    ]
    fronts = [Target(stage.server(process, address, path, length)) for process, address in begun]
    return [*fronts, Target(back)]


def _application(stage, remuda):
    instance, app, edge = servers.application(stage, "application", remuda, APPLICATION_WORKERS)
    checked = lambda process, address: stage.server(process, address, "/", APPLICATION_LENGTH)  # noqa: E731
    whole = checked(instance, app)
    checked(instance, edge)
    gateway = [pid for pid in whole.pids if processes.command_name(pid) == GATEWAY_NAME]
    workers = tuple(pid for pid in whole.pids if pid not in gateway)
    targets = [
        Target(Server("direct", app, []), workers),
        Target(Server("behind remuda's gateway", edge, gateway), workers),
    ]
    for begun in (
        servers.nginx_proxy(stage, "behind nginx, 1 worker", app),
        servers.haproxy(stage, "behind haproxy, 1 thread", app),
    ):
        targets.append(Target(checked(*begun), workers))
    return targets


# What the kernel calls the gateway's process.
GATEWAY_NAME = "remuda-gateway"[:15]

SECTIONS = (
    Section(
        "static",
        "Files",
        "A folder, served.",
        "nginx, 2 workers, file cache",
        (
            Work("1 KiB", "/1k", SIZES["/1k"]),
            Work("1 KiB, a connection for each request", "/1k", SIZES["/1k"], is_kept=False),
            Work("100 KiB", "/100k", SIZES["/100k"]),
            # One thread of the generator is full with these before any server is.
            Work("10 MiB", "/10m", SIZES["/10m"], connections=16, threads=2),
        ),
        _static,
    ),
    Section(
        "proxy",
        "Passing on",
        "Proxies in front of a fast server (nginx, 1 worker, file cache); the processor time is the proxy's alone.",
        "nginx, 1 worker",
        (Work("1 KiB", "/1k", SIZES["/1k"]), Work("100 KiB", "/100k", SIZES["/100k"])),
        _proxy,
    ),
    Section(
        "direct",
        "An application",
        f"bjoern, {APPLICATION_WORKERS} workers on one socket of Remuda's, reached directly and behind proxies of one thread.",
        "behind nginx, 1 worker",
        (
            Work("hello", "/", APPLICATION_LENGTH),
            Work("hello, a connection for each request", "/", APPLICATION_LENGTH, is_kept=False),
        ),
        _application,
    ),
)
