"""A web server on a socket it did not open: Python's standard library and nothing else."""

import http.server
import os
import select
import signal
import socket


class Hello(http.server.BaseHTTPRequestHandler):
    timeout = 5  # seconds a silent client may hold this worker

    def do_GET(self):
        environ = os.environ
        who = f"slot {environ.get('REMUDA_SLOT')} generation {environ.get('REMUDA_GENERATION')} pid {os.getpid()}"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"hello from {who}\n".encode())

    def address_string(self):
        # On a Unix socket a client has no address, and http.server logs the first part of it.
        return self.client_address[0] if self.client_address else "unix"


# The socket is fd 3. Several workers wait on it, so a wake-up may find the connection gone: hence no blocking.
server = http.server.HTTPServer(("", 0), Hello, bind_and_activate=False)
server.socket = socket.socket(fileno=3)
server.socket.setblocking(False)
server.timeout = 0

# SIGTERM ends the loop between two requests, never within one.
stop, wake = socket.socketpair()
wake.setblocking(False)
signal.set_wakeup_fd(wake.fileno())
signal.signal(signal.SIGTERM, lambda *_: None)

# Ready: one datagram, no library.
if address := os.environ.get("NOTIFY_SOCKET"):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.connect("\0" + address[1:] if address[0] == "@" else address)
        manager.send(b"READY=1")

address = server.socket.getsockname()
if server.socket.family == socket.AF_UNIX:
    where = "unix:" + os.fsdecode(address).replace("\0", "@")
else:
    host, port = address[:2]
    where = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
print(f"pid {os.getpid()} serves {where}", flush=True)
while True:
    readable, _, _ = select.select([server, stop], [], [])
    if stop in readable:
        break
    server.handle_request()
print(f"pid {os.getpid()} is done", flush=True)
