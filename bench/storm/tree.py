"""A process and all below it: frozen, looked at, killed."""

import os
import signal
import time

import processes
from .load import Kill

FREEZE_LIMIT_S = 5
REMOTE_ADDRESS, INODE = 2, 9


def kill_hard(pid):
    """`kill -9` of `pid`; its tree is frozen first, so that what it had accepted is known exactly.

    Only `pid` itself is killed: what is left of its tree is its supervisor's to end.
    """
    tree = [pid, *processes.descendants(pid)]
    for each in tree:
        os.kill(each, signal.SIGSTOP)
    limit = time.monotonic() + FREEZE_LIMIT_S
    while any(processes.state(each) not in ("T", "Z", None) for each in tree):
        if time.monotonic() > limit:
            raise RuntimeError(f"process {pid} and its tree did not stop within {FREEZE_LIMIT_S} s")
        time.sleep(0.0005)
    ports = _client_ports(set().union(*map(_socket_inodes, tree)))
    moment = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    return Kill(moment, frozenset(ports))


def _socket_inodes(pid):
    inodes = set()
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
            if target.startswith("socket:["):
                inodes.add(target[len("socket:[") : -1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return inodes


def _client_ports(inodes):
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return {int(row[REMOTE_ADDRESS].rpartition(":")[2], 16) for row in rows if row[INODE] in inodes}
