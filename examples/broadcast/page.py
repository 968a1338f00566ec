"""The page, and the ASGI side that both variants share: GET / is the page, GET /events streams what is said, POST /say says it."""

import asyncio
import os

PAGE = """<!doctype html>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Broadcast</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 2rem auto; padding: 0 1rem; }
  ol { list-style: none; padding: 0; min-height: 12rem; border: 1px solid #8888; border-radius: .5rem; padding: .5rem 1rem; }
  form { display: flex; gap: .5rem; }
  input { flex: 1; font: inherit; padding: .4rem; }
  button { font: inherit; padding: .4rem 1rem; }
  :root { color-scheme: light dark; }
</style>
<h1>Broadcast</h1>
<p>This page was served by the worker in slot <b id="slot">SLOT</b>.</p>
<ol id="said" aria-live="polite"></ol>
<form><input name="text" aria-label="Message" placeholder="Say something" autocomplete="off" autofocus><button>Say</button></form>
<script>
  const said = document.getElementById("said");
  new EventSource("events").onmessage = event => {
    const line = document.createElement("li");
    line.textContent = event.data;
    said.append(line);
  };
  document.querySelector("form").onsubmit = event => {
    event.preventDefault();
    const text = event.target.text.value.trim();
    if (text) fetch("say", { method: "POST", body: text });
    event.target.text.value = "";
  };
</script>
"""

QUEUE_MAX = 100


class Application:
    """An ASGI application around a bus: `publish(text)` sends, `listen(hear)` calls `hear(text)` for whatever anybody sent."""

    def __init__(self, publish, listen):
        self.publish = publish
        self.listen = listen
        self.windows = set()
        self.listener = None

    def hear(self, text):
        for queue in self.windows:
            if not queue.full():
                queue.put_nowait(text)

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
        elif scope["path"] == "/events":
            await self.events(receive, send)
        elif scope["path"] == "/say" and scope["method"] == "POST":
            await self.publish(await body(receive))
            await respond(send, 204, b"")
        elif scope["path"] == "/":
            page = PAGE.replace("SLOT", os.environ.get("REMUDA_SLOT", "none"))
            await respond(send, 200, page.encode(), b"text/html; charset=utf-8")
        else:
            await respond(send, 404, b"not found\n")

    async def lifespan(self, receive, send):
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.listener = asyncio.create_task(self.listen(self.hear))
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self.listener.cancel()
                for queue in self.windows:
                    queue.put_nowait(None)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def events(self, receive, send):
        queue = asyncio.Queue(QUEUE_MAX + 1)
        self.windows.add(queue)
        gone = asyncio.create_task(disconnected(receive, queue))
        try:
            headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            # Tells the window that it is listening now.
            await send({"type": "http.response.body", "body": b": listening\n\n", "more_body": True})
            while (text := await queue.get()) is not None:
                lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
                await send({"type": "http.response.body", "body": f"{lines}\n".encode(), "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self.windows.discard(queue)
            gone.cancel()


async def disconnected(receive, queue):
    while (await receive())["type"] != "http.disconnect":
        pass
    queue.put_nowait(None)


async def body(receive):
    text = b""
    while True:
        message = await receive()
        text += message.get("body", b"")
        if not message.get("more_body"):
            return text.decode(errors="replace")[:1000]


async def respond(send, status, content, kind=b"text/plain"):
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": content})
