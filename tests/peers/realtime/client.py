"""python-socketio's client in both transports, with worker.py behind the endpoint."""

import asyncio
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "hub"))

import cases  # noqa: E402
import redis  # noqa: E402
import socketio  # noqa: E402

GATEWAY = os.environ["GATEWAY"]
hub = redis.Redis.from_url(os.environ["REDIS_URL"])
cases.wait_until("the worker", lambda: hub.get("realtime-worker") == b"ready")


async def talk(transports):
    client = socketio.AsyncClient(reconnection=False)
    heard = asyncio.Queue()
    client.on("message-back", lambda *args: heard.put_nowait(args))
    client.on("auth", lambda auth: heard.put_nowait(auth))
    client.on("question", lambda ms: ("yes", b"!"))
    await client.connect(GATEWAY, transports=transports, auth={"token": 1})
    assert await heard.get() == {"token": 1}
    await client.emit("message", ("text", {"a": [1, None]}, b"\x00\xff"))
    assert await heard.get() == ("text", {"a": [1, None]}, b"\x00\xff")
    assert await client.call("anything", {"x": 1}) == {"x": 1}
    assert await client.call("anything", b"bytes") == b"bytes"
    await client.emit("ask me", 5000)
    # Long enough for pings, which come each 300 ms here.
    await asyncio.sleep(0.8)
    assert client.connected
    assert await client.call("anything", 2) == 2
    await client.disconnect()


async def case_by_polling():
    await talk(["polling"])


async def case_by_websocket():
    await talk(["websocket"])


async def case_by_both():
    await talk(["polling", "websocket"])


if __name__ == "__main__":
    cases.run()
