"""Runs the cases of a script: every function of it whose name begins with `case_`, coroutines included.

Each has a time limit; the first that fails ends the script with its traceback. Where the hub is stands in `REDIS_URL`.
"""

import asyncio
import inspect
import os
import signal
import sys

URL = os.environ.get("REDIS_URL", "")
CASE_MAX_S = 20


def wait_until(what, is_so, within=10.0):
    """Asks again and again, pausing a little; fails when it takes too long."""
    import time

    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.01)


def run():
    script = sys.modules["__main__"]
    wanted = sys.argv[1:]
    cases = [(name, case) for name, case in vars(script).items() if name.startswith("case_")]
    for name, case in cases:
        if wanted and name not in wanted:
            continue
        signal.alarm(CASE_MAX_S)
        print(name, flush=True)
        if inspect.iscoroutinefunction(case):
            asyncio.run(case())
        else:
            case()
    signal.alarm(0)
    print("done", len(cases), flush=True)
