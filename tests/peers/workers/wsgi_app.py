"""A WSGI application that answers with the pid of its worker; `/slow?ms=N` answers after N ms."""

import os
import time
import urllib.parse


def app(environ, start_response):
    """For gunicorn, waitress, chaussette: `wsgi_app:app` (chaussette also takes `wsgi_app.app`)."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(int(urllib.parse.parse_qs(environ["QUERY_STRING"])["ms"][0]) / 1000)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
