"""Each peer as one server and as two that pass messages on: publishers at the first, subscribers at the second.

What the peers have for it: Redis a replica, to which the master's messages go; NATS a cluster of two; libzmq a second
forwarder, whose SUB is connected to the first one's PUB; Remuda a herd of two, over TLS as always. Clients of either
server are on its own host, as workers are.
"""

import contextlib
import dataclasses
import json
import subprocess
import urllib.request

from messaging import servers
from messaging.servers import LOSSLESS_MARK, Failed, Running, Server, free_port, redis_info, spawn, wait

COMMAND_LIMIT_S = 30


class Alone(Server):
    """A server of bench/hub on the first of the two places, with all its clients."""

    def __init__(self, server, places):
        self.name = f"{server.name} ×1"
        self.server = server
        self.place = places[0]

    def missing(self):
        return self.server.missing()

    def start(self, directory, log, wish):
        with self.place.inside():
            running = self.server.start(directory, log, wish)
        here = self.place.namespace
        return dataclasses.replace(running, publish_from=here, subscribe_from=here)


class Pair(Server):
    """Two servers; `first` and `second` start them, each on its place."""

    def __init__(self, server, places):
        self.name = f"{server.name} ×2"
        self.server = server
        self.places = places

    def missing(self):
        return self.server.missing()

    def start(self, directory, log, wish):
        folders = [directory / name for name in ("first", "second")]
        for folder in folders:
            folder.mkdir()
        with self.places[0].inside():
            first = self.first(folders[0], log)
        with self.places[1].inside():
            second = self.second(folders[1], log, first)
        self.settle(folders, first, second)
        return dataclasses.replace(
            first,
            subscribe=second.subscribe,
            pids=[*first.pids, *second.pids],
            publish_from=self.places[0].namespace,
            subscribe_from=self.places[1].namespace,
        )

    def first(self, folder, log):
        """Starts the server that messages are published on."""
        raise NotImplementedError

    def second(self, folder, log, first):
        """Starts the one that is subscribed to."""
        raise NotImplementedError

    def settle(self, folders, first, second):
        """Waits until the two are linked; where it cannot be asked for, the generator's probes find out."""


class Redis(Pair):
    """A master and its replica."""

    def first(self, folder, log):
        return self._server(folder, log, [])

    def second(self, folder, log, first):
        running = self._server(folder, log, ["--replicaof", self.places[0].address, first.publish.rpartition(":")[2]])
        linked = lambda: redis_info(running.publish, "replication").get("master_link_status") == "up"  # noqa: E731
        wait("linked with its master", linked)
        return running

    def _server(self, folder, log, more):
        port = free_port()
        addresses = dict.fromkeys(["127.0.0.1", *(place.address for place in self.places)])
        # An address of the other place is none of this one's: a dash lets Redis pass over it.
        bound = [address if address == "127.0.0.1" else f"-{address}" for address in addresses]
        command = ["redis-server", "--port", str(port), "--bind", *bound, "--protected-mode", "no", "--save", ""]
        process = spawn([*command, "--dir", str(folder), "--repl-diskless-sync-delay", "0", *more], folder, log)
        wait("listening", lambda: servers.answers(port), process)
        return Running("redis", f"127.0.0.1:{port}", f"127.0.0.1:{port}", [process.pid])


class Forwarders(Pair):
    """PULL to PUB on the first, SUB to PUB on the second."""

    def first(self, folder, log):
        return self._forwarder(folder, log, "pull-pub", self.places[0].address)

    def second(self, folder, log, first):
        return self._forwarder(folder, log, "sub-pub", f"tcp://{first.subscribe}")

    def _forwarder(self, folder, log, kind, where):
        command = [str(servers.forwarder()), kind, str(LOSSLESS_MARK), where]
        process = spawn(command, folder, log, stdout=subprocess.PIPE)
        endpoints = process.stdout.readline().decode().replace("tcp://", "").split()
        process.stdout.close()
        if len(endpoints) != 2:
            raise Failed("it named no endpoints")
        return Running("zeromq_push", *endpoints, [process.pid])


class Nats(Pair):
    """A cluster of two."""

    def first(self, folder, log):
        self.route = f"nats://{self.places[0].address}:{free_port()}"
        return self._server(folder, log, ["--cluster", self.route])

    def second(self, folder, log, first):
        own = f"nats://{self.places[1].address}:{free_port()}"
        return self._server(folder, log, ["--cluster", own, "--routes", self.route], is_routed=True)

    def _server(self, folder, log, more, is_routed=False):
        command = ["nats-server", "-a", "127.0.0.1", "-p", "-1", "-m", "-1", "--ports_file_dir", str(folder)]
        process = spawn([*command, "--cluster_name", "bench", *more], folder, log)
        urls = wait("listening", lambda: _ports(folder), process)
        address, monitor = urls["nats"][0].removeprefix("nats://"), urls["monitoring"][0]

        def routes():
            with urllib.request.urlopen(f"{monitor}/routez", timeout=5) as answer:
                return json.load(answer)["num_routes"]

        if is_routed:
            wait("linked with the other server", routes, process)
        return Running("nats", address, address, [process.pid])


class Remuda(Pair):
    """A herd of two, made by the commands an operator uses."""

    # What stands in `[store]`, and in `[herd]` beside addresses.
    config = 'durable = false\nauth = "none"', ""

    def first(self, folder, log):
        self.at = f"{self.places[0].address}:{free_port()}"
        self._configure(folder, f'[herd]\nlisten = "{self.at}"\n')
        self.command(folder, "herd", "init", "--name", "bench", "--node", "a", "--address", self.at)
        running = self._up(folder, log)
        self.token = self.command(folder, "herd", "invite")
        return running

    def second(self, folder, log, first):
        own = f"{self.places[1].address}:{free_port()}"
        self._configure(folder, f'[herd]\nlisten = "{own}"\npeers = ["{self.at}"]\n')
        self.command(folder, "herd", "join", "-", "--node", "b", "--address", own, told=self.token)
        return self._up(folder, log)

    def _up(self, folder, log):
        running = servers.remuda_up(self.server.binary, self.server.protocol, folder, log)
        # The generator logs in with one name and token, and each server has its own: it needs none.
        return dataclasses.replace(running, login=None)

    def settle(self, folders, first, second):
        def are_linked():
            # Until then the answer to "is everybody there" is no, which is code 1.
            told = json.loads(self.command(folders[1], "peers", "--json", answers=(0, 1)))
            return sum(member["state"] == "here" for member in told["members"]) == 2

        wait("two nodes that see each other", are_linked)

    def _configure(self, folder, herd):
        store, more = self.config
        text = servers.remuda_config(folder, store, herd + more)
        (folder / "remuda.toml").write_text(text, encoding="ascii")

    def down(self, folder):
        """Stops the instance in a folder."""
        self.command(folder, "down")

    def up_again(self, folder, log):
        """Starts it again."""
        (folder / "environment").unlink()
        return self._up(folder, log)

    def command(self, folder, *words, told=None, answers=(0,)):
        """What a command says about the instance in a folder; Failed when it ends with another code."""
        command = [self.server.binary, *words, "-c", str(folder / "remuda.toml")]
        surroundings = servers.remuda_surroundings(folder)
        done = subprocess.run(
            command, input=told or "", capture_output=True, text=True, env=surroundings, timeout=COMMAND_LIMIT_S, check=False
        )
        if done.returncode not in answers:
            raise Failed(f"`remuda {' '.join(words)}` ended with {done.returncode}: {done.stderr.strip()[:300]}")
        return done.stdout


def _ports(folder):
    for file in folder.glob("*.ports"):
        with contextlib.suppress(ValueError):
            return json.loads(file.read_text())
    return None


def contenders(binary, places):
    """Everybody, alone and as two: the pairs (one server, two servers), redis first."""
    ours = [servers.Remuda(binary, protocol) for protocol in ("zmtp", "resp")]
    alone = [servers.Redis(), servers.Forwarder("pull-pub", "zeromq_push"), servers.Nats(), *ours]
    kinds = [Redis, Forwarders, Nats, Remuda, Remuda]
    return [(Alone(server, places), kind(server, places)) for server, kind in zip(alone, kinds, strict=True)]
