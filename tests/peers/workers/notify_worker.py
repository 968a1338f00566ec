"""A worker of the systemd dialect whose manners are chosen by its environment.

It accepts on fd 3 when LISTEN_FDS says there is one, tells NOTIFY_SOCKET that it is ready, pings the watchdog
at half of WATCHDOG_USEC, and drains on SIGTERM. Each of these changes that:

    READY_DELAY_MS=N     ready N ms after the start (0)
    NEVER_READY=1        never says so
    STATUS=TEXT          sends STATUS=TEXT with READY=1
    WATCHDOG_STOP_MS=N   no ping later than N ms after the start; it goes on serving
    IGNORE_TERM=1        SIGTERM does nothing; SIGUSR1 drains instead
    FORK_ESCAPE=FILE     leaves a grandchild in a session of its own, which ignores SIGTERM and SIGHUP,
                         and whose pid is in FILE (whole or not at all)
    FLOOD=1              writes numbered lines to stdout as fast as they are taken
    CRASH=HOW:N          N ms after the start exits with code HOW, or dies by the signal HOW (SIGSEGV)
    SAY=TEXT             prints TEXT on stdout and on stderr before anything else
"""

import os
import signal
import socket
import sys
import threading
import time

import tiny_http

LISTENER_FD = 3
ESCAPEE_LIFE_S = 300


def notify(message):
    """One datagram to NOTIFY_SOCKET, `@` meaning the abstract namespace; nothing without one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(address.replace("@", "\0", 1) if address.startswith("@") else address)
        sender.sendall(message.encode())


def become_ready():
    if os.environ.get("NEVER_READY"):
        return
    time.sleep(int(os.environ.get("READY_DELAY_MS", "0")) / 1000)
    status = os.environ.get("STATUS")
    notify("READY=1" + (f"\nSTATUS={status}" if status else ""))


def ping(interval_s, until):
    while until is None or time.monotonic() < until:
        notify("WATCHDOG=1")
        time.sleep(interval_s)


def flood():
    number = 0
    while True:
        os.write(1, f"flood line {number:012}\n".encode())
        number += 1


def crash(how, delay_ms):
    time.sleep(int(delay_ms) / 1000)
    if how.isdigit():
        os._exit(int(how))
    os.kill(os.getpid(), signal.Signals[how])


def escape(path):
    """Forks twice with a new session in between: nothing but a cgroup or descent still ties it to us."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with open(path + ".part", "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    os.rename(path + ".part", path)
    time.sleep(ESCAPEE_LIFE_S)
    os._exit(0)


def start(target, *args):
    threading.Thread(target=target, args=args, daemon=True).start()


def main():
    environ = os.environ
    if "SAY" in environ:
        print(environ["SAY"], flush=True)
        print(environ["SAY"], file=sys.stderr, flush=True)
    # The fork comes before any thread: a forked child of a threaded process owns no thread but one.
    if "FORK_ESCAPE" in environ:
        escape(environ["FORK_ESCAPE"])
    stop_signals = (signal.SIGTERM,)
    if environ.get("IGNORE_TERM"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop_signals = (signal.SIGUSR1,)
    listens = int(environ.get("LISTEN_FDS", "0")) > 0
    # Threads inherit the mask, so it is set before the first: else a signal ends the process by way of one.
    if not listens:
        signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    if "FLOOD" in environ:
        start(flood)
    if "CRASH" in environ:
        start(crash, *environ["CRASH"].split(":"))
    if int(environ.get("WATCHDOG_USEC", "0")):
        stop_ms = environ.get("WATCHDOG_STOP_MS")
        until = None if stop_ms is None else time.monotonic() + int(stop_ms) / 1000
        start(ping, int(environ["WATCHDOG_USEC"]) / 2_000_000, until)

    if listens:
        if int(environ["LISTEN_PID"]) != os.getpid():
            sys.exit(f"LISTEN_PID is {environ['LISTEN_PID']}, this process is {os.getpid()}")
        tiny_http.serve(LISTENER_FD, stop_signals, on_ready=become_ready)
    else:
        become_ready()
        signal.sigwait(stop_signals)
    notify("STOPPING=1")


if __name__ == "__main__":
    main()
