"""A WSGI application that says which worker answers."""

import os


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"hello from pid {os.getpid()}\n".encode()]
