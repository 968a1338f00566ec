"""What /proc says about a supervisor and its workers, and the way to end them all.

The harness makes itself a subreaper, so whatever a supervisor leaves behind, daemons included, becomes a child
of the harness and is found and killed with the rest.
"""

import ctypes
import os
import pathlib
import signal
import time

PR_SET_CHILD_SUBREAPER = 36
END_LIMIT_S = 30


def become_subreaper():
    """From now on orphaned descendants are handed to this process instead of process 1."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def children(pid):
    """Pids of the children of every thread of `pid`; empty once it is gone."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as file:
                found += map(int, file.read().split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def descendants(pid):
    """Pids below `pid`, parents before their children."""
    found = children(pid)
    for each in found:
        found += children(each)
    return found


def command_name(pid):
    """The kernel's name of the process, None once it is gone."""
    try:
        with open(f"/proc/{pid}/comm", "rb", buffering=0) as file:
            return file.read(64).decode().rstrip("\n")
    except (FileNotFoundError, ProcessLookupError):
        return None


def state(pid):
    """The kernel's one letter for the state of `pid` (`Z` for a zombie), None once it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return file.read(4096).rpartition(b")")[2].split()[0].decode()
    except (FileNotFoundError, ProcessLookupError):
        return None


def reap():
    """Collects every child of ours that has ended."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def kill_tree(pid):
    """SIGKILL for `pid` and all below it."""
    for each in [pid, *descendants(pid)]:
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            continue


def end_everything(graceful=None, patience_s=0.0):
    """Ends all descendants of the harness: `graceful` first by SIGTERM, after `patience_s` all by SIGKILL.

    Raises RuntimeError when something is still alive after 30 s.
    """
    if graceful is not None and patience_s > 0 and state(graceful) not in (None, "Z"):
        os.kill(graceful, signal.SIGTERM)
        patience_ends = time.monotonic() + patience_s
        while state(graceful) not in (None, "Z") and time.monotonic() < patience_ends:
            time.sleep(0.01)
    limit = time.monotonic() + END_LIMIT_S
    while alive := descendants(os.getpid()):
        # Parents come first in the list: a worker that dies before its supervisor would be replaced.
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        reap()
        if time.monotonic() > limit:
            raise RuntimeError(f"{len(alive)} processes survive SIGKILL for {END_LIMIT_S} s, among them {alive[:5]}")
        time.sleep(0.01)


def memory_kib(pids):
    """(RSS, PSS) of all `pids` together in KiB; a process that is gone or a zombie counts nothing."""
    rss = pss = 0
    for pid in pids:
        try:
            lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        sizes = {key: int(rest.split()[0]) for key, _, rest in (line.partition(":") for line in lines[1:])}
        rss += sizes.get("Rss", 0)
        pss += sizes.get("Pss", 0)
    return rss, pss


def activity(pids):
    """(seconds on a CPU, voluntary context switches) of all threads of `pids` since each began."""
    cpu_ns = switches = 0
    for pid in pids:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                task = pathlib.Path(f"/proc/{pid}/task/{thread}")
                cpu_ns += int((task / "schedstat").read_text(encoding="ascii").split()[0])
                for line in (task / "status").read_text(encoding="ascii").splitlines():
                    if line.startswith("voluntary_ctxt_switches:"):
                        switches += int(line.split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return cpu_ns / 1e9, switches
