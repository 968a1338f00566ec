"""An ASGI application that answers with the pid of its worker; `/slow?ms=N` answers after N ms."""

import asyncio
import os
import urllib.parse


async def app(scope, receive, send):
    """For uvicorn: `asgi_app:app`. Takes part in the lifespan protocol, so start and stop are seen to be clean."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(int(urllib.parse.parse_qs(scope["query_string"].decode())["ms"][0]) / 1000)
    body = str(os.getpid()).encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
