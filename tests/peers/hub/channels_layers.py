"""channels-redis over the hub: both of its layers."""

import asyncio
import os

import django
from django.conf import settings

settings.configure()
django.setup()

from channels_redis.core import RedisChannelLayer  # noqa: E402
from channels_redis.pubsub import RedisPubSubChannelLayer  # noqa: E402

from cases import URL, run  # noqa: E402


async def messages(layer_of):
    one, other = layer_of(), layer_of()
    channel = await one.new_channel()
    await other.send(channel, {"type": "test.message", "n": 1})
    assert (await asyncio.wait_for(one.receive(channel), 10))["n"] == 1
    channels = [await one.new_channel(), await other.new_channel()]
    for layer, name in zip((one, other), channels):
        await layer.group_add("group", name)
    for n in range(50):
        await one.group_send("group", {"type": "test.message", "n": n})
    for layer, name in zip((one, other), channels):
        got = [(await asyncio.wait_for(layer.receive(name), 10))["n"] for _ in range(50)]
        assert got == list(range(50)), got
    await one.group_discard("group", channels[0])
    await other.group_send("group", {"type": "test.message", "n": 99})
    assert (await asyncio.wait_for(other.receive(channels[1]), 10))["n"] == 99
    waiting = asyncio.create_task(one.receive(channels[0]))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    waiting.cancel()
    for layer in (one, other):
        await layer.flush()
        if hasattr(layer, "close_pools"):
            await layer.close_pools()


async def case_the_core_layer():
    await messages(lambda: RedisChannelLayer(hosts=[URL], prefix=f"core{os.getpid()}", capacity=200))


async def case_the_core_layer_encrypts_and_expires():
    layer = RedisChannelLayer(hosts=[URL], prefix="expires", expiry=1, capacity=1)
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "a"})
    try:
        await layer.send(channel, {"type": "b"})
        raise AssertionError("the channel is full")
    except Exception as error:
        assert type(error).__name__ == "ChannelFull", error
    await layer.close_pools()


async def case_the_pubsub_layer():
    await messages(lambda: RedisPubSubChannelLayer(hosts=[URL], prefix=f"pubsub{os.getpid()}"))


if __name__ == "__main__":
    run()
