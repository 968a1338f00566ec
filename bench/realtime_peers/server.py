"""python-socketio on aiohttp: GET /emit sends to all. Prints its port."""

import asyncio
import socket

import socketio
from aiohttp import web

server = socketio.AsyncServer(async_mode="aiohttp")
app = web.Application()
server.attach(app)
count = 0


async def emit(_request):
    global count
    count += 1
    await server.emit("news", f"{count:.>40}")
    return web.Response(text="ok")


async def main():
    app.router.add_get("/emit", emit)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    await web.SockSite(runner, listener).start()
    print(listener.getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
