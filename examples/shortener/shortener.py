"""Makes short links, follows them, and tells the map of every visit.

A gateway stands in front and has checked the form of each request; several of these workers share one socket, and keep
nothing: links and counts are in the store, which the herd shares, visits are published on `map.emit`, from where the
gateways of all servers send them to the browsers that look at a map.
"""

import html
import json
import os
import signal
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from urllib.parse import parse_qs

import links
from hub import Hub, Refused
from places import Places

# Each draws an id that is free on this server; more than one in a row being taken is a defect, not bad luck.
DRAWS_MAX = 5
LINKS_SHOWN = 1000
PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))

hub = Hub(os.environ["REDIS_URL"])
places = Places()


class Full(Exception):
    """The store takes no more."""


def shorten(url):
    """The id of a new link to `url`."""
    for _ in range(DRAWS_MAX):
        drawn = links.new_id()
        reply = hub.ask(["SET", f"shortener:link:{drawn}", url, "NX"])[0]
        if reply == "OK":
            # Whoever asks how often is told 0. It adds nothing to what another server may have counted by now; a SET might.
            hub.ask(["INCRBY", f"shortener:hits:{drawn}", 0])
            return drawn
        if isinstance(reply, Refused):
            raise Full(str(reply))
    raise Full("no id is free")


def visited(drawn, url, address):
    """Counts a visit, and tells of it. Not of whom: an address stays here."""
    hits = hub.ask(["INCR", f"shortener:hits:{drawn}"])[0]
    place = places.of(address, salt=drawn)
    visit = {"id": drawn, "url": url, "hits": hits if isinstance(hits, int) else None, "place": place and vars(place)}
    hub.ask(["PUBLISH", "map.emit", json.dumps({"event": "visit", "args": [visit]})])


def statistics():
    """All links with their counts, those visited most first."""
    cursor, keys = "0", set()
    while True:
        cursor, found = hub.ask(["SCAN", cursor, "MATCH", "shortener:link:*", "COUNT", 1000])[0]
        keys.update(found)
        if cursor == "0" or len(keys) >= LINKS_SHOWN:
            break
    drawn = [key.rpartition(":")[2] for key in sorted(keys)[:LINKS_SHOWN]]
    if not drawn:
        return {"links": [], "complete": True}
    urls, hits = hub.ask(
        ["MGET", *(f"shortener:link:{each}" for each in drawn)], ["MGET", *(f"shortener:hits:{each}" for each in drawn)]
    )
    rows = [{"id": each, "url": url, "hits": int(count or 0)} for each, url, count in zip(drawn, urls, hits) if url]
    rows.sort(key=lambda row: (-row["hits"], row["url"]))
    return {"links": rows, "complete": cursor == "0" and len(keys) <= LINKS_SHOWN}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "shortener"
    # Longer than the gateway keeps a connection that has nothing to do.
    timeout = 5

    def do_POST(self):
        self.guarded(self.post)

    def do_GET(self):
        self.guarded(self.get)

    do_HEAD = do_GET

    def guarded(self, method):
        """What goes wrong with the store is told, and not the client's fault."""
        try:
            method()
        except links.Unfit as error:
            self.refuse(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except Full as error:
            print(f"the store: {error}", file=sys.stderr, flush=True)
            self.refuse(HTTPStatus.INSUFFICIENT_STORAGE, "There is no room for another link.")
        except (BrokenPipeError, ConnectionResetError) as error:
            print(f"the gateway: {error}", file=sys.stderr, flush=True)
            self.close_connection = True
        except OSError as error:
            print(f"the hub: {error}", file=sys.stderr, flush=True)
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "The store is away for a moment.", {"Retry-After": "1"})
        # The gateway asks another worker when this one is to end.
        self.close_connection |= self.server.is_ending

    def post(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            return self.refuse(HTTPStatus.LENGTH_REQUIRED, "The body's length is not told.")
        body = self.rfile.read(int(length)).decode(errors="replace")
        host = self.headers.get("Host", "")
        kind = self.headers.get_content_type()
        if kind == "application/x-www-form-urlencoded" and (form := parse_qs(body).get("url")):
            drawn = shorten(links.target(form[0], host))
            return self.answer(HTTPStatus.SEE_OTHER, "", {"Location": f"/shortened/{drawn}"})
        url = links.target(json.loads(body)["url"] if kind == "application/json" else body, host)
        drawn = shorten(url)
        short = f"{self.headers.get('X-Forwarded-Proto', 'http')}://{host}/r/{drawn}"
        if kind == "application/json":
            made = json.dumps({"id": drawn, "short": short, "url": url})
            return self.answer(HTTPStatus.CREATED, made, {"Location": short}, "application/json")
        return self.answer(HTTPStatus.CREATED, f"{short}\n", {"Location": short})

    def get(self):
        path = self.path.partition("?")[0]
        if path == "/stats":
            return self.answer(HTTPStatus.OK, json.dumps(statistics()), kind="application/json")
        drawn = path.removeprefix("/r/")
        url = hub.ask(["GET", f"shortener:link:{drawn}"])[0] if links.is_id(drawn) else None
        if not isinstance(url, str):
            return self.refuse(HTTPStatus.NOT_FOUND, "There is no such short link.")
        if self.command == "GET":
            visited(drawn, url, self.headers.get("X-Client", ""))
        return self.answer(HTTPStatus.SEE_OTHER, f"{url}\n", {"Location": url, "X-Robots-Tag": "noindex"})

    def refuse(self, status, why, fields=()):
        """Says it in the form that was asked for."""
        if "text/html" in self.headers.get("Accept", ""):
            page = PAGE.substitute(title=html.escape(status.phrase), text=html.escape(why))
            return self.answer(status, page, fields, "text/html")
        if self.headers.get_content_type() == "application/json":
            problem = json.dumps({"title": status.phrase, "status": status, "detail": why})
            return self.answer(status, problem, fields, "application/problem+json")
        return self.answer(status, f"{why}\n", fields)

    def answer(self, status, text, fields=(), kind="text/plain"):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind if kind.endswith("json") else f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in dict(fields).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        """The gateway has an access log."""


class Server(ThreadingHTTPServer):
    """Serves the socket that Remuda bound."""

    # At the end, requests that are being answered are.
    daemon_threads = False
    is_ending = False

    def __init__(self):
        super().__init__(("", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(fileno=int(os.environ["REMUDA_SOCKET_LINKS"]))
        # All workers are told of a connection, and one of them gets it: the others must not wait for the next.
        self.socket.setblocking(False)
        self.server_name, self.server_port = "shortener", 0

    def get_request(self):
        return self.socket.accept()[0], ("gateway", 0)

    def end(self, *_):
        self.is_ending = True
        # It waits until the loop, which runs on this thread, has ended.
        threading.Thread(target=self.shutdown).start()


if __name__ == "__main__":
    server = Server()
    signal.signal(signal.SIGTERM, server.end)
    signal.signal(signal.SIGINT, server.end)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
