"""The variant with ZeroMQ: a SUB and a PUSH socket, and nothing else."""

import os

import zmq
import zmq.asyncio

from page import Application

context = zmq.asyncio.Context()
push = None


async def publish(text):
    await push.send_multipart([b"chat", text.encode()])


async def listen(hear):
    global push
    push = context.socket(zmq.PUSH)
    push.connect(os.environ["REMUDA_BUS_PUSH"])
    sub = context.socket(zmq.SUB)
    sub.connect(os.environ["REMUDA_BUS_SUB"])
    sub.subscribe(b"chat")
    while True:
        _topic, text = await sub.recv_multipart()
        hear(text.decode())


application = Application(publish, listen)
