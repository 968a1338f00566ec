"""How each server is set up: as its manual has it for speed, without an access log, with a queue of 4,096.

Nobody closes a connection because of its age or the number of its requests. Proxies tell who the client is, as they are
asked to in front of an application, and keep connections to the server behind them.
"""

import pathlib
import re
import shutil

from .stage import REPO, free_port

VENV = REPO / "target/peers/venv/bin"
APPLICATION_PYTHON = REPO / "target/peers/http/venv/bin/python"
APPLICATION = REPO / "bench/http_peers/application.py"
# Where root's instances have their folders; others have them where XDG_RUNTIME_DIR says.
RUN = pathlib.Path("/run/remuda")
REQUESTS_MAX = 1_000_000_000

NGINX = """daemon off;
worker_processes {workers};
pid {folder}/pid;
error_log {folder}/said;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_requests {requests};
    keepalive_timeout 300;
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        {server}
    }}
}}
"""

NGINX_UPSTREAM = "upstream back {{ server {address}; keepalive 128; keepalive_requests {requests}; }}"
NGINX_PASS = """location / {
            proxy_pass http://back;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }"""

HAPROXY = """global
    nbthread 1
    maxconn 4096
defaults
    mode http
    option forwardfor
    timeout connect 5s
    timeout client 300s
    timeout server 60s
frontend front
    bind 127.0.0.1:{port} backlog 4096
    default_backend back
backend back
    server one {address}
"""

CADDY = """{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
    bind 127.0.0.1
    root * {root}
    file_server
}}
"""

TWISTED = """[socket.web]
listen = "127.0.0.1:0"
backlog = 4096
[service.web]
command = "{twist} --log-level error web --listen systemd:domain=INET:index=0 --path {root}"
sockets = ["web"]
workers = {workers}
"""

GATEWAY = """[socket.http]
listen = "127.0.0.1:0"
backlog = 4096
[service.edge]
kind = "gateway"
sockets = ["http"]
[gateway]
access_log = "off"
[[route]]
match = "/*"
to = "{to}"
"""

WORKERS = """[socket.app]
listen = "127.0.0.1:0"
backlog = 4096
[service.app]
command = "{python} {application} $(socket.app)"
sockets = ["app"]
workers = {workers}
"""


def nginx(stage, name, server, workers=1, http=""):
    folder, port = stage.folder(name), free_port()
    text = NGINX.format(folder=folder, workers=workers, port=port, http=http, server=server, requests=REQUESTS_MAX)
    (folder / "nginx.conf").write_text(text, encoding="ascii")
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "said")]
    return stage.start(name, command, folder), ("127.0.0.1", port)


def nginx_files(stage, name, root, workers, cache):
    http = "open_file_cache max=1000 inactive=300s; open_file_cache_valid 60s;" if cache else ""
    return nginx(stage, name, f"root {root};", workers, http)


def nginx_proxy(stage, name, back):
    upstream = NGINX_UPSTREAM.format(address=_text(back), requests=REQUESTS_MAX)
    return nginx(stage, name, NGINX_PASS, http=upstream)


def haproxy(stage, name, back):
    folder, port = stage.folder(name), free_port()
    (folder / "haproxy.cfg").write_text(HAPROXY.format(port=port, address=_text(back)), encoding="ascii")
    return stage.start(name, ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")], folder), ("127.0.0.1", port)


def caddy_files(stage, name, root):
    folder, port = stage.folder(name), free_port()
    (folder / "Caddyfile").write_text(CADDY.format(port=port, root=root), encoding="ascii")
    command = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    return stage.start(name, command, folder), ("127.0.0.1", port)


def remuda_files(stage, name, remuda, root, workers):
    folder = stage.folder(name)
    # Otherwise it is named after its port, and two that let the kernel choose one have the same name.
    instance = f"{stage.directory.name}-{len(stage.started)}"
    stage.outside.append(RUN / instance)
    command = [remuda, "serve", str(root), "--instance", instance, "--listen", "127.0.0.1:0", "--workers", str(workers)]
    process = stage.start(name, command, folder)
    return process, listening(stage, process, "http")


def twisted_files(stage, name, remuda, root, workers):
    """`twist web`, its workers run by Remuda on one socket: it has no workers of its own."""
    process = up(stage, name, remuda, TWISTED.format(twist=VENV / "twist", root=root, workers=workers))
    return process, listening(stage, process, "web")


def gateway(stage, name, remuda, back):
    process = up(stage, name, remuda, GATEWAY.format(to=f"http://{_text(back)}"))
    return process, listening(stage, process, "http")


def application(stage, name, remuda, workers):
    """The application as a service, alone on its socket and behind the gateway of the same instance."""
    own = WORKERS.format(python=APPLICATION_PYTHON, application=APPLICATION, workers=workers)
    process = up(stage, name, remuda, own + GATEWAY.format(to="service:app"))
    return process, listening(stage, process, "app"), listening(stage, process, "http")


def up(stage, name, remuda, config):
    folder = stage.folder(name)
    (folder / "remuda.toml").write_text('[remuda]\nruntime_dir = "run"\n' + config, encoding="ascii")
    return stage.start(name, [remuda, "up", "--config", str(folder / "remuda.toml")], folder)


def listening(stage, process, socket):
    """The address of a socket of an instance, as the instance says it."""
    pattern = re.compile(rf"\b{socket} listens on (\S+):(\d+)")
    said = lambda: pattern.search((process.folder / "said").read_text(errors="replace"))  # noqa: E731
    found = stage.wait_until(said, process, f"socket {socket} listens")
    return found[1], int(found[2])


def missing(remuda):
    """What to do before everything can run, a line for each."""
    lines = [f"no {name}; install it with `bench/http_peers/install`" for name in NEEDED if not shutil.which(name)]
    if not shutil.which(remuda):
        lines.append(f"no {remuda}; build it with `cargo build --release --bin remuda`")
    return lines


def _text(address):
    return f"{address[0]}:{address[1]}"


NEEDED = ["nginx", "haproxy", "caddy", "wrk", str(VENV / "twist"), str(APPLICATION_PYTHON)]
