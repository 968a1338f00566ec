import http.server
import socketserver


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        with open("log", "a") as log:
            log.write(self.requestline + "\n")
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = handle_any

    def address_string(self):
        return "client"


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


Server("socket", Handler).serve_forever()
