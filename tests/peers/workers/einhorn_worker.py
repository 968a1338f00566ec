"""A worker of the einhorn dialect: serves EINHORN_FD_0, says it is up over EINHORN_SOCK_PATH, drains on USR2.

Environment: ACK_DELAY_MS (0) puts the acknowledgement off; NEVER_ACK=1 leaves it out.
"""

import json
import os
import signal
import socket
import sys
import time

import tiny_http


def acknowledge():
    """Sends the one line einhorn's manual ack mode waits for; there is no reply."""
    if os.environ.get("NEVER_ACK"):
        return
    time.sleep(int(os.environ.get("ACK_DELAY_MS", "0")) / 1000)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        control.settimeout(10)
        control.connect(os.environ["EINHORN_SOCK_PATH"])
        control.sendall(json.dumps({"command": "worker:ack", "pid": os.getpid()}).encode() + b"\n")


def main():
    if int(os.environ["EINHORN_MASTER_PID"]) != os.getppid():
        sys.exit(f"EINHORN_MASTER_PID is {os.environ['EINHORN_MASTER_PID']}, the parent is {os.getppid()}")
    if int(os.environ["EINHORN_FD_COUNT"]) < 1:
        sys.exit("EINHORN_FD_COUNT is 0: there is nothing to serve")
    tiny_http.serve(
        int(os.environ["EINHORN_FD_0"]), stop_signals=(signal.SIGUSR2, signal.SIGTERM), on_ready=acknowledge
    )


if __name__ == "__main__":
    main()
