"""One server of the herd: the line protocol over TCP, TLS, UDP and WebSocket.

The worker keeps nothing. Who is where goes to the store at REDIS_URL, under a key of its own for each client and each
server that was told: only that server writes it, so two servers never overwrite each other, and Remuda brings it to all
others. Which report is the latest is decided by the clients' own times.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import ssl
import sys
import time
from pathlib import Path

import aiohttp
import redis.asyncio
from aiohttp import WSCloseCode, WSMsgType, web

import protocol

SERVER = os.environ.get("WHEREABOUTS_NAME", "Goloman")
# All servers that may have been told, this one included.
SERVERS = os.environ.get("WHEREABOUTS_SERVERS", SERVER).split()
PLACES_URL = os.environ.get("PLACES_URL", "")
# Reports are forgotten after a day without another one.
KEPT_SECONDS = 24 * 3600
LOOK_UP_SECONDS = 5
ASKED_AT_ONCE = 16
# So long a client that said too much may go on, unheard: closing at once would take back what it was answered.
LINGER_SECONDS = 2
TOO_LONG = f"a line longer than {protocol.LINE_MAX_BYTES:,} bytes"

log = logging.getLogger(SERVER)


class Server:
    def __init__(self, store, http):
        self.store = store
        self.http = http
        self.asking = asyncio.Semaphore(ASKED_AT_ONCE)

    async def reply(self, line):
        """What is answered to a line."""
        command = protocol.parse(line)
        if isinstance(command, protocol.Report):
            said = await self.report(command)
        elif isinstance(command, protocol.Question):
            said = await self.question(command)
        else:
            said = None
        return protocol.invalid(line) if said is None else said

    async def report(self, report):
        now = time.time_ns()
        if report.at_ns() > now + protocol.FUTURE_MAX_NS:
            return None
        line = report.line(SERVER, now)
        # Reports of one client may come through several connections: the later time stays.
        async with self.store.pipeline() as pipeline:
            while True:
                try:
                    key = b"whereabouts:%s:%s" % (report.client, SERVER.encode())
                    await pipeline.watch(key)
                    known = await pipeline.get(key)
                    if known is not None and moment(known) >= report.at_ns():
                        return line + b"\n"
                    pipeline.multi()
                    pipeline.set(key, line, ex=KEPT_SECONDS)
                    await pipeline.execute()
                    return line + b"\n"
                except redis.WatchError:
                    continue

    async def question(self, question):
        keys = [b"whereabouts:%s:%s" % (question.client, server.encode()) for server in SERVERS]
        known = [line for line in await self.store.mget(keys) if line is not None]
        if not known:
            return None
        latest = max(known, key=moment)
        places = await self.places(latest.split()[4], question)
        return protocol.answer(latest, places)

    async def places(self, place, question):
        latitude, longitude = protocol.coordinates(place)
        asked = {"location": f"{latitude},{longitude}", "radius": str(question.radius_km * 1000)}
        try:
            async with self.asking, self.http.get(PLACES_URL, params=asked) as response:
                found = await response.text()
                response.raise_for_status()
            document = json.loads(found)
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
            log.error("look-up of places: %s", error or type(error).__name__)
            return json.dumps({"results": [], "status": "UNAVAILABLE"}).encode()
        if len(document.get("results", [])) > question.items:
            document["results"] = document["results"][: question.items]
            found = json.dumps(document, indent=3, ensure_ascii=False)
        return found.encode()

    async def converse(self, reader, writer):
        """A TCP or TLS connection: lines are answered in their order."""
        peer = name_of(writer.get_extra_info("peername"))
        log.info("%s connected", peer)
        lines = protocol.Lines()
        try:
            while True:
                piece = await reader.read(65536)
                for line in lines.feed(piece) if piece else lines.last():
                    if line.strip():
                        writer.write(await self.said(peer, line))
                await writer.drain()
                if lines.is_too_long:
                    log.error("%s sent %s", peer, TOO_LONG)
                    await linger(reader, writer)
                    return
                if not piece:
                    return
        except ConnectionError as error:
            log.info("%s: %s", peer, error)
        finally:
            writer.close()
            log.info("%s disconnected", peer)

    async def said(self, peer, line):
        log.info("%s > %r", peer, line)
        try:
            reply = await self.reply(line)
        except redis.RedisError as error:
            log.error("the store: %s", error)
            reply = protocol.invalid(line)
        log.info("%s < %r", peer, reply)
        return reply

    async def websocket(self, request):
        """One message, one command; one message, one answer."""
        peer = request.remote
        # The longest line with its end is shorter than what aiohttp refuses by itself.
        conversation = web.WebSocketResponse(max_msg_size=protocol.LINE_MAX_BYTES + 3, heartbeat=30)
        await conversation.prepare(request)
        log.info("%s connected by websocket", peer)
        async for message in conversation:
            if message.type is WSMsgType.TEXT:
                line = protocol.bare(message.data.encode())
                if len(line) > protocol.LINE_MAX_BYTES:
                    await conversation.close(code=WSCloseCode.MESSAGE_TOO_BIG)
                    break
                reply = await self.said(peer, line)
                await conversation.send_str(reply.decode(errors="replace"))
        if conversation.close_code == WSCloseCode.MESSAGE_TOO_BIG:
            log.error("%s sent %s", peer, TOO_LONG)
        log.info("%s disconnected", peer)
        return conversation


class Datagrams(asyncio.DatagramProtocol):
    """One datagram, one command; one datagram, one answer, if it fits."""

    def __init__(self, server):
        self.server = server
        self.tasks = set()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, line, peer):
        if len(self.tasks) >= 1000:
            log.error("%s is not answered: too many are", name_of(peer))
            return
        task = asyncio.ensure_future(self.answer(protocol.bare(line), peer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def answer(self, line, peer):
        self.transport.sendto(await self.server.said(name_of(peer), line), peer)


def moment(line):
    """The client's time in an AT line."""
    return protocol.nanoseconds(line.split()[5])


async def linger(reader, writer):
    """Says that no more is answered, and lets what is on its way come to nothing."""

    async def ended():
        while await reader.read(65536):
            pass

    if writer.can_write_eof():
        writer.write_eof()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(ended(), LINGER_SECONDS)


def name_of(peer):
    return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "somebody"


def inherited(name):
    """The socket that Remuda bound under this name, if it did."""
    descriptor = os.environ.get(f"REMUDA_SOCKET_{name.upper()}")
    return socket.socket(fileno=int(descriptor)) if descriptor else None


async def serve():
    store = redis.asyncio.from_url(os.environ["REDIS_URL"], retry_on_error=[redis.ConnectionError])
    timeout = aiohttp.ClientTimeout(total=LOOK_UP_SECONDS)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        server = Server(store, http)
        closing = []
        if tcp := inherited(os.environ.get("WHEREABOUTS_SOCKET", "lines")):
            closing.append(await asyncio.start_server(server.converse, sock=tcp))
        if tls := inherited("tls"):
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            folder = Path(os.environ["TLS_FOLDER"])
            context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
            closing.append(await asyncio.start_server(server.converse, sock=tls, ssl=context))
        if udp := inherited("datagrams"):
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: Datagrams(server), sock=udp)
            closing.append(transport)
        if listener := inherited("websocket"):
            application = web.Application()
            application.router.add_get("/", server.websocket)
            runner = web.AppRunner(application, handle_signals=False)
            await runner.setup()
            await web.SockSite(runner, listener).start()
        log.info("%s is there", SERVER)
        await ended.wait()
        for listener in closing:
            listener.close()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    asyncio.run(serve())
