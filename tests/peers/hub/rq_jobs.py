"""What RQ's jobs do."""


def add(a, b):
    return a + b


def fail():
    raise ValueError("no")
