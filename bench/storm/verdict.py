"""Who lost a request: the process that was killed, the program by its own manners, or Remuda.

* In a kill, what had been accepted by the killed process is lost with it; nothing else is excused.
* In an upgrade and in a crash of Remuda no worker is told anything, so nothing is excused.
* Where workers are told to stop, a program is excused for what it also loses by hand: one that drops what it has
  accepted for `reset`, `short` and `stale`, one that only closes kept connections under a request for `stale`.
* `refused`, `timed out` and `5xx` are never a program's manner when another worker serves.
"""

import collections

DROPS = ("reset", "short")
# Storms in which no worker is told to stop.
UNTOLD = ("kill", "upgrade", "crash")


def by_itself(rows):
    """The fates each program is excused for, from what was measured by hand with TERM."""
    seen = collections.defaultdict(set)
    for row in rows:
        if row["kind"] == "by hand" and row["signal"] == "TERM":
            seen[row["program"]] |= {fate for fate, count in row["lost"].items() if count}
    excuses = {}
    for program, fates in seen.items():
        dropped = fates.intersection(DROPS)
        excuses[program] = {*DROPS, "stale"} if dropped else fates & {"stale"}
    return excuses


def judge(row, excuses):
    """Losses of a storm by who is to answer: (on the killed process, by the program, by Remuda)."""
    on_killed = sum(row["on_killed"].values())
    rest = {fate: count - row["on_killed"][fate] for fate, count in row["lost"].items()}
    excused = set() if row["storm"] in UNTOLD else excuses.get(row["program"], set())
    by_program = sum(count for fate, count in rest.items() if fate in excused)
    return on_killed, by_program, sum(rest.values()) - by_program


def suspects(rows):
    """Programs that lost something under Remuda which they did not lose by hand, and that may yet be theirs."""
    excuses = by_itself(rows)
    found = []
    for row in rows:
        if row["kind"] != "storm" or row["storm"] in UNTOLD or not judge(row, excuses)[2]:
            continue
        rest = {fate for fate, count in row["lost"].items() if count} - excuses.get(row["program"], set())
        if rest.intersection((*DROPS, "stale")) and row["program"] not in found:
            found.append(row["program"])
    return found
