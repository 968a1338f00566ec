"""Celery does real work through the hub: tasks, results, chords, times, control."""

import os
import subprocess
import sys
import time

from celery import chain, chord, group

from cases import run, wait_until
from celery_app import add, app, fail, third_time_lucky, total

here = os.path.dirname(os.path.abspath(__file__))


def case_work():
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "--pool", "threads", "-c", "4", "-l", "warning", "-n", "one@hub"],
        cwd=here,
    )
    try:
        assert add.delay(2, 3).get(timeout=15) == 5
        assert group(add.s(n, n) for n in range(50))().get(timeout=15) == [2 * n for n in range(50)]
        assert chord((add.s(n, 1) for n in range(10)), total.s())().get(timeout=15) == 55
        assert chain(add.s(1, 2), add.s(4))().get(timeout=15) == 7
        start = time.monotonic()
        assert add.apply_async((1, 1), countdown=0.3).get(timeout=15) == 2 and time.monotonic() - start >= 0.3
        assert third_time_lucky.delay().get(timeout=15) == 2
        failed = fail.delay()
        try:
            failed.get(timeout=15)
            raise AssertionError("it succeeded")
        except ValueError:
            assert failed.failed()
        assert app.control.ping(timeout=2) == [{"one@hub": {"ok": "pong"}}]
        assert "celery_app.add" in app.control.inspect(timeout=2).registered()["one@hub"]
        later = add.apply_async((1, 1), countdown=3600)
        wait_until("the worker to have it", lambda: any(app.control.inspect(timeout=1).scheduled().values()))
        later.revoke()
        wait_until("it to be revoked", lambda: later.id in str(app.control.inspect(timeout=1).revoked()))
        assert app.control.purge() == 0
        late = add.apply_async((2, 2), expires=0.01, countdown=0.2)
        wait_until("the late one", lambda: late.state == "REVOKED")
    finally:
        worker.terminate()
        try:
            worker.wait(10)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


if __name__ == "__main__":
    run()
