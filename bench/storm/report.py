"""The rows as Markdown."""

import collections

from markdown import table

from . import verdict
from .load import FATES


def _sum(rows, *keys):
    total = 0
    for row in rows:
        value = row
        for key in keys:
            value = value[key]
        total += value
    return total


def _groups(rows, *keys):
    """Rows with the same values of `keys`, in the order of their first."""
    groups = collections.OrderedDict()
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups.items()


def _counts(rows):
    return [str(_sum(rows, "ok_new") + _sum(rows, "ok_kept")), *(str(_sum(rows, "lost", fate)) for fate in FATES)]


def _times(rows):
    p50, p99 = (sorted(row[key] for row in rows)[len(rows) // 2] for key in ("p50_ms", "p99_ms"))
    return [f"{p50:.1f}", f"{p99:.0f}", f"{max(row['slowest_ms'] for row in rows):.0f}"]


def by_hand(rows):
    """What programs lose without any supervisor."""
    chosen = [row for row in rows if row["kind"] == "by hand"]
    if not chosen:
        return ""
    lines = [
        [program, signal, str(_sum(own, "ended")), *_counts(own), str(_sum(own, "hung")), *_times(own)]
        for (program, signal), own in _groups(chosen, "program", "signal")
    ]
    header = ["program", "signal", "ended", "ok", *FATES, "killed at its limit", "p50 ms", "p99 ms", "slowest ms"]
    return table("By hand: what a program loses by itself when told to stop", header, lines)


def storms(rows):
    """One table for every storm."""
    excuses = verdict.by_itself(rows)
    tables = []
    for (storm,), chosen in _groups([row for row in rows if row["kind"] == "storm"], "storm"):
        lines = []
        for (program, mode), own in _groups(chosen, "program", "mode"):
            judged = [sum(counts) for counts in zip(*(verdict.judge(row, excuses) for row in own), strict=True)]
            cells = [program, mode, str(_sum(own, "ended")), *_counts(own), *map(str, judged), *_times(own)]
            lines.append(cells)
        answers = ["in flight on the killed", "by the program", "by Remuda"]
        header = ["program", "mode", "ended", "ok", *FATES, *answers, "p50 ms", "p99 ms", "slowest ms"]
        tables.append(table(f"Remuda: {storm}", header, lines))
    return "\n".join(tables)


def successions(rows):
    """How long nobody answered in an upgrade, and how long a crash's next arbiter took to have the workers."""
    upgrades, crashes = ([row for row in rows if row.get("storm") == storm] for storm in ("upgrade", "crash"))
    tables = []
    if upgrades:
        lines = []
        for (program, mode), own in _groups(upgrades, "program", "mode"):
            gaps, stalls = (_spread([ms for row in own for ms in row[key]]) for key in ("client_gap_ms", "own_stall_ms"))
            elsewhere = max(row["elsewhere_gap_ms"] for row in own)
            lines.append([program, mode, *gaps, *stalls[1:], str(_sum(own, "client_cut_off")), f"{elsewhere:.0f}"])
        said = ["median by its own clock", "worst by its own clock", "connections cut off", "worst between upgrades"]
        header = ["program", "mode", "upgrades", "median", "worst", *said]
        tables.append(table("Upgrade: ms without an answer to a client that asks without an end", header, lines))
    if crashes:
        lines = []
        for (program, mode), own in _groups(crashes, "program", "mode"):
            lines.append([program, mode, *_spread([ms for row in own for ms in row["adopted_ms"]])])
        header = ["program", "mode", "crashes", "median", "worst"]
        tables.append(table("Crash: ms from the start of `remuda up` until it says that it has them", header, lines))
    return "\n".join(tables)


def _spread(figures):
    ordered = sorted(figures)
    return [str(len(ordered)), f"{ordered[len(ordered) // 2]:.0f}", f"{ordered[-1]:.0f}"]


def rivals(rows):
    """The reload storm over all supervisors."""
    reloads = [row for row in rows if row["kind"] == "storm" and (row["storm"], row["mode"]) == ("reload", "shared")]
    ours = [{**row, "contender": f"remuda reload ({row['program']})"} for row in reloads]
    theirs = [row for row in rows if row["kind"] == "rival"]
    if not theirs:
        return ""
    lines = []
    for (name,), own in _groups(ours + theirs, "contender"):
        lost = sum(sum(row["lost"].values()) for row in own)
        ended = _sum(own, "ended")
        cells = [name, str(ended), *_counts(own), f"{lost / ended:.2f}" if ended else "-", *_times(own)]
        lines.append(cells)
    header = ["supervisor", "ended", "ok", *FATES, "lost per end", "p50 ms", "p99 ms", "slowest ms"]
    return table("Reload: Remuda and others", header, lines)


def manners(rows):
    """What programs do when told to stop, one situation at a time."""
    chosen = [row for row in rows if row["kind"] == "manners"]
    if not chosen:
        return ""
    lines = []
    for row in chosen:
        ends = "not within 15" if row["ends_s"] is None else f"{row['ends_s']:.1f}"
        lines.append([row["program"], row["signal"], row["in_flight"], row["accepted"], row["idle"], ends])
    header = ["program", "signal", "request in flight", "accepted, not asked yet", "idle, kept", "ends after s"]
    return table("Manners of programs", header, lines)


def verdict_lines(rows):
    """The totals, and every row in which Remuda lost something."""
    excuses = verdict.by_itself(rows)
    chosen = [row for row in rows if row["kind"] == "storm"]
    judged = [(row, verdict.judge(row, excuses)) for row in chosen]
    asked = sum(row["ok_new"] + row["ok_kept"] + sum(row["lost"].values()) for row in chosen)
    lost = [(row, counts[2]) for row, counts in judged if counts[2]]
    lines = [
        f"{asked} requests through {_sum(chosen, 'ended')} ended workers: {sum(count for _, count in lost)} lost by"
        f" Remuda, {sum(counts[1] for _, counts in judged)} by programs that lose the like by hand,"
        f" {sum(counts[0] for _, counts in judged)} in flight on processes that were killed.",
        "",
    ]
    for row, count in lost:
        fates = ", ".join(f"{fate} {number}" for fate, number in row["lost"].items() if number)
        repeat = f"--storm {row['storm']} --mode {row['mode']} --peer '{row['program']}' --seed {row['seed']}"
        lines.append(f"* {count} lost ({fates}): `bench/loss {repeat}`")
    return "\n".join([*lines, ""] if lost else lines)
