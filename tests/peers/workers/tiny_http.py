"""The HTTP half of the test workers: an accept loop on an inherited listener that drains on a signal.

A worker that drains closes its own copy of the listener and answers what it has accepted; whatever still waits
in the queue belongs to the other holders of the socket. Every answer closes its connection (HTTP/1.0).
"""

import http.server
import json
import os
import select
import signal
import socket
import socketserver
import time
import urllib.parse


class Answer(http.server.BaseHTTPRequestHandler):
    """`/` and unknown paths: the pid. `/slow?ms=N`: the pid after N ms. `/about`: what this worker was given."""

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/slow":
            time.sleep(int(urllib.parse.parse_qs(url.query)["ms"][0]) / 1000)
        body = json.dumps(about()) if url.path == "/about" else str(os.getpid())
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        """Silent, so that a test finds in the log only what the worker means to say."""


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """One thread for each connection; closing the server waits for all of them."""

    daemon_threads = False
    timeout = 0

    def __init__(self, fd):
        super().__init__(("", 0), Answer, bind_and_activate=False)
        self.socket.close()
        # Several workers wait on one listener, so a wake-up may find the connection gone. The flag belongs to
        # the socket and so to all its holders: it is set, which all of them do, and never taken back.
        os.set_blocking(fd, False)
        self.socket = socket.socket(fileno=fd)


def about():
    """Pid, working directory, environment, open fds (number to target) and blocked or ignored signals."""
    fds = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            fds[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            continue  # the fd this listing was read through
    with open("/proc/self/status", encoding="ascii") as status:
        signals = dict(line.split(":\t") for line in status.read().splitlines() if line.startswith("Sig"))
    return {
        "pid": os.getpid(),
        "ppid": os.getppid(),
        "cwd": os.getcwd(),
        "environment": dict(os.environ),
        "fds": fds,
        "signals": signals,
    }


def serve(fd, stop_signals=(signal.SIGTERM,), on_ready=lambda: None):
    """Accepts on `fd` until one of `stop_signals` arrives, finishes what was accepted, and returns.

    `on_ready` is called once, when the signals are caught and the next connection would be served.
    """
    ours, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    numbers = bytes(int(number) for number in stop_signals)
    for number in stop_signals:
        signal.signal(number, lambda *_: None)
    server = Server(fd)
    on_ready()
    while True:
        readable, _, _ = select.select([server, ours], [], [])
        if ours in readable and any(number in numbers for number in ours.recv(64)):
            break
        if server in readable:
            server.handle_request()
    server.server_close()
