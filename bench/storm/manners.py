"""What each program does by itself when it is told to stop, for each of three signals, one situation at a time.

* in flight: a request of 600 ms is under way when the signal comes. Is it answered?
* accepted: a connection on which nothing has been sent yet. Is what is sent 100 ms after the signal answered?
* idle: a kept connection, answered once. Is it closed, and when; or is a request 100 ms later answered?
* ends: seconds from the signal to the end of the process, with nothing open but the idle connection.
"""

import os
import select
import signal
import socket
import subprocess
import time

from .bare import Bare

SIGNALS = ("TERM", "INT", "QUIT")
STOP_LIMIT_S = 15.0
SLOW_MS = 600
IN_FLIGHT_S = 0.25
AFTER_SIGNAL_S = 0.1
ANSWER_LIMIT_S = 5
REQUEST = "GET {path} HTTP/1.1\r\nHost: manners\r\n\r\n"


class Connection:
    def __init__(self, address):
        self.socket = socket.create_connection(address, ANSWER_LIMIT_S)

    def ask(self, path="/"):
        self.socket.sendall(REQUEST.format(path=path).encode())

    def answer(self):
        """`answered`, or what happened instead."""
        received = b""
        try:
            while piece := self.socket.recv(65536):
                received += piece
                head, _, body = received.partition(b"\r\n\r\n")
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                if length and len(body) >= int(length[0].split(b":")[1]):
                    break
        except ConnectionResetError:
            return "cut off" if received else "reset"
        except TimeoutError:
            return "no answer"
        if not received:
            return "closed unanswered"
        return "answered" if received.startswith((b"HTTP/1.0 200", b"HTTP/1.1 200")) else "error answer"

    def closed(self, within_s):
        """Whether the other side has ended the connection, waiting that long at most."""
        readable, _, _ = select.select([self.socket], [], [], within_s)
        try:
            return bool(readable) and self.socket.recv(1, socket.MSG_PEEK) == b""
        except ConnectionResetError:
            return True

    def later(self):
        """Sends a request; what becomes of it, `closed` when the connection was at its end already."""
        if self.closed(0):
            return "closed"
        try:
            self.ask()
        except (BrokenPipeError, ConnectionResetError):
            return "closed"
        return self.answer()


def observe(program, name):
    """The row of `program` and the signal of that name, every situation with a process of its own."""
    number = getattr(signal, f"SIG{name}")
    row = {"program": program.name, "signal": name}
    for situation in (_in_flight, _accepted, _idle):
        with Bare(program, 1, STOP_LIMIT_S) as stage:
            row |= situation(stage, number)
    return row


def _in_flight(stage, number):
    if not stage.program.slow:
        return {"in_flight": "-"}
    connection = Connection(stage.address)
    connection.ask(f"/slow?ms={SLOW_MS}")
    time.sleep(IN_FLIGHT_S)
    os.kill(stage.serving[0].pid, number)
    return {"in_flight": connection.answer()}


def _accepted(stage, number):
    connection = Connection(stage.address)
    time.sleep(IN_FLIGHT_S)
    os.kill(stage.serving[0].pid, number)
    time.sleep(AFTER_SIGNAL_S)
    return {"accepted": connection.later()}


def _idle(stage, number):
    connection = Connection(stage.address)
    connection.ask()
    connection.answer()
    if connection.closed(AFTER_SIGNAL_S):
        return {"idle": "keeps none", "ends_s": stage.stop(stage.serving[0], number)}
    began = time.monotonic()
    os.kill(stage.serving[0].pid, number)
    time.sleep(AFTER_SIGNAL_S)
    idle = connection.later()
    if idle == "answered":
        idle += ", then closed" if connection.closed(1) else ", still kept"
    try:
        stage.serving[0].wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        return {"idle": idle, "ends_s": None}
    return {"idle": idle, "ends_s": time.monotonic() - began}
