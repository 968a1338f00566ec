"""Two hosts on one machine: two network namespaces with a pair of virtual Ethernet interfaces between them.

Making namespaces takes root. Without it both places are this machine's own network, and its loopback the wire.
"""

import contextlib
import ctypes
import dataclasses
import os
import subprocess

CLONE_NEWNET = 0x40000000
# 198.18.0.0/15 is for benchmarks of networks (RFC 2544), and no machine's own.
ADDRESSES = ("198.18.0.1", "198.18.0.2")


@dataclasses.dataclass(frozen=True)
class Place:
    """One host: its address for the other one, and the namespace it is; None for the machine itself."""

    address: str
    namespace: str | None

    @contextlib.contextmanager
    def inside(self):
        """What this thread starts or connects in the block is there."""
        if self.namespace is None:
            yield
            return
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(self.namespace)
            try:
                yield
            finally:
                _set(home)
        finally:
            os.close(home)


@contextlib.contextmanager
def two_places(wants_namespaces=True):
    """Yields two places; the namespaces are gone after the block, their processes have to be."""
    if not wants_namespaces or os.geteuid() != 0:
        yield Place("127.0.0.1", None), Place("127.0.0.1", None)
        return
    names = [f"remuda-bench-{os.getpid()}-{each}" for each in "ab"]
    try:
        for name in names:
            _ip("netns", "add", name)
        _ip("link", "add", "wire", "netns", names[0], "type", "veth", "peer", "name", "wire", "netns", names[1])
        for name, address in zip(names, ADDRESSES, strict=True):
            _ip("-n", name, "address", "add", f"{address}/30", "dev", "wire")
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "link", "set", "wire", "up")
        yield tuple(Place(address, f"/run/netns/{name}") for name, address in zip(names, ADDRESSES, strict=True))
    finally:
        for name in names:
            if os.path.exists(f"/run/netns/{name}"):
                _ip("netns", "delete", name)


def _ip(*words):
    subprocess.run(["ip", *words], check=True, timeout=30)


def _enter(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _set(descriptor)
    finally:
        os.close(descriptor)


def _set(descriptor):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"setns: {os.strerror(ctypes.get_errno())}")
