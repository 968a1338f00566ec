"""A WSGI application on bjoern, on the listening socket whose descriptor is the only argument."""

import socket
import sys

import bjoern

BODY = b"hello, world\n"
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]


def application(_environ, start_response):
    start_response("200 OK", HEADERS)
    return [BODY]


listener = socket.socket(fileno=int(sys.argv[1]))
# Several processes wait for the same connections: who comes second must not wait inside accept.
listener.setblocking(False)
bjoern.server_run(listener, application)
