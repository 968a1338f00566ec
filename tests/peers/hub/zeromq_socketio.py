"""Two Socket.IO servers in two processes that share their rooms through python-socketio's own `ZmqManager`.

The manager asks for eventlet's form of pyzmq, whose one difference is that it gives way to green threads. The servers here
have threads of the system, so pyzmq itself takes its place; the manager is used as it is.
"""

import os
import subprocess
import sys
import threading
import types

import zmq

green = types.ModuleType("eventlet.green")
green.zmq = zmq
sys.modules.update({"eventlet": types.ModuleType("eventlet"), "eventlet.green": green, "eventlet.green.zmq": zmq})

import socketio  # noqa: E402

from zeromq_peer import until  # noqa: E402


def server():
    """A server whose rooms are shared, and what it was told to send to them."""
    port = os.environ["PUB"].rsplit(":", 1)[1]
    manager = socketio.ZmqManager(f"zmq+{os.environ['PULL']}+{port}")
    made = socketio.Server(async_mode="threading", client_manager=manager)
    told = []
    handle = manager._handle_emit
    manager._handle_emit = lambda message: (told.append(message), handle(message))
    # What the first client that connects does.
    manager.initialize()
    return made, told


def other():
    made, told = server()
    # It says that it is there until it is answered.
    until("the first server's word", lambda: made.emit("there", {}) or any(one["event"] == "hello" for one in told))
    message = next(one for one in told if one["event"] == "hello")
    assert message["data"] == [{"number": 1}] and message["room"] == "room", message
    print("heard", flush=True)
    os._exit(0)


def main():
    child = subprocess.Popen([sys.executable, __file__, "other"], stdout=subprocess.PIPE, text=True)
    made, told = server()
    until("the second server", lambda: any(one["event"] == "there" for one in told))
    made.emit("hello", {"number": 1}, room="room")
    assert child.stdout.readline() == "heard\n"
    assert child.wait() == 0
    print("heard", flush=True)
    os._exit(0)


if __name__ == "__main__":
    threading.excepthook = lambda args: (sys.__excepthook__(*args[:3]), os._exit(1))
    other() if sys.argv[1:] == ["other"] else main()
