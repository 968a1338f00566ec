"""python-socketio over the hub: two server processes, each with clients of its own; what one emits reaches all."""

import asyncio
import os
import subprocess
import sys

import socketio
from aiohttp import web

from cases import URL, run


def serve():
    """One server; prints its port."""
    manager = socketio.AsyncRedisManager(URL)
    server = socketio.AsyncServer(async_mode="aiohttp", client_manager=manager)
    app = web.Application()
    server.attach(app)

    @server.event
    async def enter(sid, room):
        await server.enter_room(sid, room)
        return os.getpid()

    @server.event
    async def say(sid, data):
        await server.emit("said", data["text"], room=data.get("room"))

    async def main():
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        print(site._server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_event_loop().run_in_executor(None, sys.stdin.read)

    asyncio.run(main())


async def listener(port, heard):
    client = socketio.AsyncClient()
    client.on("said", lambda text: heard.append(text))
    await client.connect(f"http://127.0.0.1:{port}")
    return client


async def until(what, is_so):
    for _ in range(2000):
        if is_so():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"waited for {what}")


async def case_an_emit_in_one_process_reaches_clients_of_the_other():
    servers = [
        subprocess.Popen([sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        ports = [int(server.stdout.readline()) for server in servers]
        heard = [], []
        clients = [await listener(port, own) for port, own in zip(ports, heard)]
        pids = [await client.call("enter", "room") for client in clients]
        assert pids[0] != pids[1] and set(pids) == {server.pid for server in servers}
        # The managers subscribe in the background: the first that arrives says that both do.
        for first, there in ((0, 1), (1, 0)):
            for _ in range(500):
                await clients[first].emit("say", {"text": "hello?"})
                await asyncio.sleep(0.02)
                if heard[there]:
                    break
        [own.clear() for own in heard]
        await asyncio.sleep(0.1)
        [own.clear() for own in heard]
        for number in range(100):
            await clients[0].emit("say", {"text": number})
        await until("all in both", lambda: len(heard[0]) >= 100 and len(heard[1]) >= 100)
        # Each is handled by a task of its own, and published when that comes to it: no order is promised.
        assert sorted(heard[0]) == sorted(heard[1]) == list(range(100)), heard
        [own.clear() for own in heard]
        await clients[1].emit("say", {"text": "to the room", "room": "room"})
        await until("the room", lambda: heard[0] and heard[1])
        outside = socketio.AsyncRedisManager(URL, write_only=True)
        await outside.emit("said", "from outside", room="room")
        await until("the outside", lambda: "from outside" in heard[0] and "from outside" in heard[1])
        for client in clients:
            await client.disconnect()
    finally:
        for server in servers:
            server.stdin.close()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else run()
