"""Calls between workers over both protocols: each function is one check, named on the command line."""

import hashlib
import hmac
import os
import signal
import subprocess
import sys
import threading
import time

import redis
import zmq

from zeromq_peer import LOCAL, PATIENCE_MS, ask, main, socket, until


def store(**options):
    return redis.Redis(unix_socket_path=os.environ["STORE"], **options)


def worker(name, capacity=None):
    """A DEALER that serves."""
    made = socket(zmq.DEALER, LOCAL)
    made.send_multipart([b"SERVE", name] + ([capacity] if capacity else []))
    assert made.recv_multipart() == [b"OK"]
    return made


def answer(made, how=lambda body: body.upper()):
    """Answers one call; who asked."""
    verb, number, name, body, caller = made.recv_multipart()
    assert verb == b"CALL", verb
    made.send_multipart([b"REPLY", number, how(body)])
    return caller


def call(name, body, timeout=b"5000"):
    return ask(b"CALL", name, timeout, body)


def own_process(check):
    """This program once more, as a worker to be killed; it is ready when it says so."""
    child = subprocess.Popen([sys.executable, __file__, check], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    return child


def zeromq_worker_redis_caller():
    made = worker(b"upper")
    thread = threading.Thread(target=lambda: [answer(made) for _ in range(100)])
    thread.start()
    client = store()
    for number in range(100):
        assert client.execute_command("SERVICE.CALL", "upper", 5000, f"body {number}") == b"BODY %d" % number
    thread.join()


def redis_worker_zeromq_caller():
    client = store()
    assert client.execute_command("SERVICE.SERVE", "upper") == b"OK"

    def work():
        for _ in range(100):
            name, number, body, caller = client.execute_command("SERVICE.NEXT", 10)
            assert name == b"upper" and caller == b"default"
            assert client.execute_command("SERVICE.REPLY", number, body.upper()) == b"OK"

    thread = threading.Thread(target=work)
    thread.start()
    for number in range(100):
        assert call(b"upper", b"body %d" % number) == [b"OK", b"BODY %d" % number]
    thread.join()
    try:
        store().execute_command("SERVICE.NEXT", 1)
        raise AssertionError("nothing is served on this connection")
    except redis.ResponseError as error:
        assert "SERVICE.SERVE" in str(error), error


def failures_are_told():
    assert call(b"nobody", b"x") == [b"ERROR", b"no such service"]
    made = worker(b"fails")
    threading.Thread(target=lambda: made.send_multipart([b"FAIL", made.recv_multipart()[1], b"out of paper"])).start()
    assert call(b"fails", b"x") == [b"ERROR", b"the worker failed: out of paper"]
    made.send_multipart([b"REPLY", b"999999", b"x"])
    assert made.recv_multipart()[0] == b"ERROR"
    for wrong in ([b"CALL", b"fails"], [b"CALL", b"fails", b"0", b"x"], [b"CALL", b"fails", b"1e9", b"x"], [b"NOVERB"], [b"SERVE"]):
        assert ask(*wrong)[0] == b"ERROR", wrong
    made.send_multipart([b"LEAVE", b"fails"])
    assert made.recv_multipart() == [b"OK"]
    assert call(b"fails", b"x", b"100") == [b"ERROR", b"timed out"]


def timeouts_are_kept():
    made = worker(b"slow")
    began = time.monotonic()
    assert call(b"slow", b"x", b"300") == [b"ERROR", b"timed out"]
    assert 0.29 < time.monotonic() - began < 3
    number = made.recv_multipart()[1]
    made.send_multipart([b"REPLY", number, b"too late"])
    assert made.recv_multipart()[0] == b"ERROR"


def kill_me_zeromq():
    made = worker(b"mortal")
    print("ready", flush=True)
    made.recv_multipart()
    print("called", flush=True)
    time.sleep(60)


def kill_me_redis():
    client = store()
    client.execute_command("SERVICE.SERVE", "mortal")
    print("ready", flush=True)
    client.execute_command("SERVICE.NEXT")
    print("called", flush=True)
    time.sleep(60)


def dead_worker_fails_at_once():
    for kind in ("kill_me_zeromq", "kill_me_redis"):
        child = own_process(kind)
        outcome = []

        def ask_it():
            began = time.monotonic()
            try:
                outcome.append(store().execute_command("SERVICE.CALL", "mortal", 30_000, "x"))
            except redis.ResponseError as error:
                outcome.append((str(error), time.monotonic() - began))

        thread = threading.Thread(target=ask_it)
        thread.start()
        assert child.stdout.readline() == "called\n"
        killed = time.monotonic()
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        thread.join()
        assert outcome[0][0] == "CALLFAILED worker gone", outcome
        assert time.monotonic() - killed < 5


def calls_are_shared_evenly():
    """Three of ZeroMQ, one of Redis; four hundred calls, one after the other."""
    counts = {}

    def count(key, made):
        while True:
            try:
                answer(made, lambda body: b"%d" % key)
            except zmq.Again:
                return
            counts[key] = counts.get(key, 0) + 1

    def count_redis(client):
        while got := client.execute_command("SERVICE.NEXT", 1):
            counts["redis"] = counts.get("redis", 0) + 1
            client.execute_command("SERVICE.REPLY", got[1], b"redis")

    threads = []
    for key in range(3):
        made = worker(b"even")
        made.rcvtimeo = 1500
        threads.append(threading.Thread(target=count, args=(key, made)))
    client = store()
    client.execute_command("SERVICE.SERVE", "even")
    threads.append(threading.Thread(target=count_redis, args=(client,)))
    for thread in threads:
        thread.start()
    for _ in range(400):
        assert call(b"even", b"x")[0] == b"OK"
    for thread in threads:
        thread.join()
    assert sum(counts.values()) == 400 and len(counts) == 4, counts
    # The one that asks for each call may not have asked yet when its turn comes.
    assert all(80 <= counts[key] <= 140 for key in range(3)), counts


def capacity_is_kept():
    """A worker with room for two has two at a time, and gets the third when it has answered one."""
    made, caller = worker(b"two", b"2"), socket(zmq.DEALER, LOCAL)
    for number in range(3):
        caller.send_multipart([b"%d" % number, b"", b"CALL", b"two", b"10000", b"%d" % number])
    held = [made.recv_multipart() for _ in range(2)]
    assert made.poll(300) == 0
    made.send_multipart([b"REPLY", held[1][1], b"second"])
    assert caller.recv_multipart() == [b"1", b"", b"OK", b"second"]
    third = made.recv_multipart()
    assert third[3] == b"2"
    made.send_multipart([b"REPLY", third[1], b"third"])
    made.send_multipart([b"REPLY", held[0][1], b"first"])
    assert caller.recv_multipart() == [b"2", b"", b"OK", b"third"]
    assert caller.recv_multipart() == [b"0", b"", b"OK", b"first"]


def code(token, frames):
    mac = hmac.new(token, digestmod=hashlib.sha256)
    for frame in frames:
        mac.update(len(frame).to_bytes(8, "big") + frame)
    return mac.digest()


def signed(name, token, *words, at=None):
    head = [name, b"%d" % (at or time.time() * 1000), os.urandom(16)]
    return [b"SIGNED", *head, code(token, head + list(words)), *words]


def opened(name, token, frames):
    """The words of a signed message, if it is that service's."""
    assert frames[0] == b"SIGNED" and frames[1] == name, frames
    assert hmac.compare_digest(frames[4], code(token, frames[1:4] + frames[5:])), frames
    assert abs(int(frames[2]) / 1000 - time.time()) < 30
    return frames[5:]


def signatures():
    web, web_key = b"web", os.environ["TOKEN_WEB"].encode()
    job, job_key = b"job", os.environ["TOKEN_JOB"].encode()
    request = signed(web, web_key, b"PING")
    assert opened(web, web_key, ask(*request)) == [b"OK", b"PONG"]
    # The same once more.
    assert ask(*request)[0] == b"ERROR"
    altered = signed(web, web_key, b"PUB", b"topic", b"payload")
    altered[-1] = b"Payload"
    assert ask(*altered)[0] == b"ERROR"
    # Two frames made of one: the code holds the lengths.
    moved = signed(web, web_key, b"PUB", b"topic", b"payload")
    moved[-2:] = [b"topicp", b"ayload"]
    assert ask(*moved)[0] == b"ERROR"
    assert ask(*signed(web, web_key, b"PING", at=time.time() * 1000 - 60_000))[0] == b"ERROR"
    assert ask(*signed(web, web_key, b"PING", at=time.time() * 1000 + 60_000))[0] == b"ERROR"
    assert ask(*signed(web, job_key, b"PING"))[0] == b"ERROR"
    assert ask(*signed(b"", b"", b"PING"))[0] == b"ERROR"
    assert ask(b"SIGNED", b"web")[0] == b"ERROR"
    # A refused one uses nothing up: the same random bytes, signed rightly, are taken.
    assert opened(web, web_key, ask(*signed(web, web_key, b"SET", b"k", b"v"))) == [b"OK"]
    assert opened(web, web_key, ask(*signed(web, web_key, b"NOVERB")))[0] == b"ERROR"
    # A call: the worker reads who calls in a message signed for itself, the caller an answer signed for it.
    made = socket(zmq.DEALER, LOCAL)
    made.send_multipart(signed(job, job_key, b"SERVE", b"job"))
    assert opened(job, job_key, made.recv_multipart()) == [b"OK"]

    def work():
        verb, number, name, body, caller = opened(job, job_key, made.recv_multipart())
        assert (verb, name, body, caller) == (b"CALL", b"job", b"work", b"web")
        made.send_multipart(signed(job, job_key, b"REPLY", number, b"done"))

    thread = threading.Thread(target=work)
    thread.start()
    assert opened(web, web_key, ask(*signed(web, web_key, b"CALL", b"job", b"5000", b"work"))) == [b"OK", b"done"]
    thread.join()
    # What is asked is asked in the signer's name: `job` may only publish below `job.`.
    assert opened(job, job_key, ask(*signed(job, job_key, b"PUB", b"elsewhere", b"x")))[0] == b"ERROR"
    assert opened(job, job_key, ask(*signed(job, job_key, b"PUB", b"job.1", b"x")))[0] == b"OK"
    # The name of a lock counts as a key, of which `job` has none.
    for question in ((b"LOCK", b"door", b"60000"), (b"RENEW", b"door", b"1", b"60000"), (b"UNLOCK", b"door", b"1"), (b"LOCKINFO", b"door")):
        said = opened(job, job_key, ask(*signed(job, job_key, *question)))
        assert said[0] == b"ERROR" and b"may not use a lock" in said[1], said
    ok, fence = opened(web, web_key, ask(*signed(web, web_key, b"LOCK", b"signed", b"60000")))
    assert ok == b"OK" and int(fence) > 0
    assert opened(job, job_key, ask(*signed(job, job_key, b"LOCKS"))) == [b"OK"], "it may not know of it"
    assert opened(web, web_key, ask(*signed(web, web_key, b"UNLOCK", b"signed", fence))) == [b"OK", b"1"]


def locks_are_asked_for_by_requests():
    one, two = socket(zmq.REQ, LOCAL), socket(zmq.REQ, LOCAL)

    def said(made, *frames):
        made.send_multipart(frames)
        return made.recv_multipart()

    ok, fence = said(one, b"LOCK", b"door", b"60000", b"OWNER", b"me")
    assert ok == b"OK" and int(fence) > 0
    assert said(two, b"LOCK", b"door", b"60000") == [b"NIL"]
    assert said(two, b"LOCKINFO", b"door")[:4] == [b"OK", b"door", fence, b"me"]
    assert said(one, b"RENEW", b"door", fence, b"60000") == [b"OK", b"1"]
    assert said(one, b"LOCK", b"door", b"1")[0] == b"ERROR"
    two.send_multipart([b"LOCK", b"door", b"60000", b"WAIT", b"60000", b"SESSION"])
    until("somebody who waits", lambda: said(one, b"LOCKINFO", b"door")[6] == b"1")
    assert said(one, b"UNLOCK", b"door", fence) == [b"OK", b"1"]
    ok, later = two.recv_multipart()
    assert ok == b"OK" and int(later) > int(fence)
    assert said(one, b"UNLOCK", b"door", fence) == [b"OK", b"0"]
    assert len(said(one, b"LOCKS")) == 8
    # Over both protocols they are the same locks.
    assert store().execute_command("LOCK.ACQUIRE", "door", 60000) is None
    two.close(linger=0)
    ok, last = said(one, b"LOCK", b"door", b"60000", b"WAIT", b"60000")
    assert ok == b"OK" and int(last) > int(later)


if __name__ == "__main__":
    main(globals())
