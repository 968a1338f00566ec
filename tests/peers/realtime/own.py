"""A server of python-socketio on the listener it was started with, which knows of the others by its manager at the hub."""

import os

import socketio
import uvicorn

server = socketio.AsyncServer(async_mode="asgi", client_manager=socketio.AsyncRedisManager(os.environ["REDIS_URL"]))


@server.event
async def who(sid):
    return os.getpid()


@server.event
async def enter(sid, room):
    await server.enter_room(sid, room)
    return True


@server.event
async def say(sid, text, room=None):
    await server.emit("said", text, room=room)


class Telling(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print("listens")


Telling(uvicorn.Config(socketio.ASGIApp(server), fd=3, log_level="warning")).run()
