"""What programs are made of that are at work while a hub is reloaded: parts, each in a thread, and their progress.

A part that fails is a finding, whatever the error is; it is told at once, so that nobody waits for progress any more.
"""

import threading

stopping = threading.Event()
failures, parts, counted = [], [], {}
at_work = set()
progress = 0
lock = threading.Lock()


def advance():
    """A part has done a piece of its work; of many that is said."""
    global progress
    at_work.add(threading.current_thread().name)
    with lock:
        progress += 1
        if progress % 200 == 0:
            print("progress", progress, flush=True)


def part(function):
    """Runs in a thread of its own, under its name, once the parts are started."""
    def run():
        try:
            function()
        except Exception as error:
            failures.append(f"{function.__name__}: {error!r}")
            print("progress failed", failures[-1], flush=True)
    parts.append(threading.Thread(target=run, name=function.__name__, daemon=True))
    return function
