"""The variant with Redis: one client that publishes, one that listens."""

import asyncio
import os

import redis.asyncio
from redis.exceptions import ConnectionError

from page import Application

client = redis.asyncio.from_url(os.environ["REDIS_URL"])


async def publish(text):
    await client.publish("chat", text)


async def listen(hear):
    while True:
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
                await pubsub.subscribe("chat")
                async for message in pubsub.listen():
                    hear(message["data"].decode())
        except ConnectionError:
            # The hub was replaced; the next one is there in a moment.
            await asyncio.sleep(0.1)


application = Application(publish, listen)
