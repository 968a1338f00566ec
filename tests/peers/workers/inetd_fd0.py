"""A worker of the fd-0 dialect: its standard input is the listening socket, as FastCGI programs have it."""

import os
import socket
import sys

import tiny_http

LISTENER_FD = 0


def main():
    with socket.socket(fileno=os.dup(LISTENER_FD)) as listener:
        if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            sys.exit("fd 0 is a socket that does not listen")
    tiny_http.serve(LISTENER_FD)


if __name__ == "__main__":
    main()
