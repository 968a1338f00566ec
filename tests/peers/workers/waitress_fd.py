"""waitress on descriptor 3: a program that takes a listening socket, but has no option for it."""

import logging
import socket

import waitress

import wsgi_app

logging.basicConfig(level=logging.INFO)
waitress.serve(wsgi_app.app, sockets=[socket.socket(fileno=3)])
