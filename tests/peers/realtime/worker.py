"""A worker behind Socket.IO clients of a gateway: it only publishes and subscribes.

It does what the protocol's own tests expect of a server: says what a client authenticated with, sends back what comes,
answers where an answer is asked for, moves clients between rooms, and lets in who knows the word.
"""

import json
import os
import sys

import redis

hub = redis.Redis.from_url(os.environ["REDIS_URL"])


def publish(topic, **letter):
    hub.publish(topic, json.dumps(letter, separators=(",", ":")))


def on_event(endpoint, letter):
    sid, event, args = letter["sid"], letter["event"], letter["args"]
    back = {"sid": sid, "namespace": letter["namespace"], "attachments": letter.get("attachments", [])}
    if "ack" in letter:
        del back["namespace"]
        publish(f"{endpoint}.reply", ack=letter["ack"], args=args, **back)
    elif event == "message":
        publish(f"{endpoint}.emit", event="message-back", args=args, **back)
    elif event == "ask me":
        publish(f"{endpoint}.emit", event="question", args=args, ack="word", timeout_ms=args[0], sid=sid)
    elif event == "join":
        publish(f"{endpoint}.join", sid=sid, room=args[0])
        publish(f"{endpoint}.emit", event="joined", sid=sid)
    elif event == "leave":
        publish(f"{endpoint}.leave", sid=sid, room=args[0])
        publish(f"{endpoint}.emit", event="left", sid=sid)
    elif event == "shout":
        publish(f"{endpoint}.emit", **args[0])
    elif event == "let me go":
        publish(f"{endpoint}.close", sid=sid, whole=bool(args and args[0]))


def main():
    listening = hub.pubsub(ignore_subscribe_messages=True)
    kinds = ["event", "connect", "disconnect", "ack"]
    listening.subscribe(*(f"{endpoint}.{kind}" for endpoint in ("live", "asked") for kind in kinds))
    # Whoever waits for this worker finds it by this key.
    hub.set("realtime-worker", "ready")
    for message in listening.listen():
        endpoint, kind = message["channel"].decode().split(".")
        letter = json.loads(message["data"])
        if kind == "event":
            on_event(endpoint, letter)
        elif kind == "connect" and endpoint == "live":
            publish("live.emit", event="auth", args=[letter["auth"] or {}], sid=letter["sid"], namespace=letter["namespace"])
        elif kind == "connect":
            if (letter["auth"] or {}).get("word") == "please":
                assert "user-agent" in letter["headers"] or letter["headers"] == {}, letter
                publish("asked.accept", sid=letter["sid"], room=["polite"])
            elif (letter["auth"] or {}).get("word") != "silence":
                publish("asked.refuse", sid=letter["sid"], message="say please", data={"code": 7})
        elif kind in ("ack", "disconnect"):
            hub.rpush(f"{endpoint}.{kind}", json.dumps(letter, separators=(",", ":")))


if __name__ == "__main__":
    sys.exit(main())
