"""Rows as markdown: median (min–max), ratios to one server of the same round, and what became of the aims."""

import statistics

from markdown import table
from messaging.tables import ratio, spread

# What was aimed at: ours, the figure, theirs (the best of them in each round), and at least or at most how many times.
AIMS = (
    ("static", "1 KiB", "remuda, 2 workers", "rate", ("nginx, 2 workers, file cache",), "at least", 1.2),
    ("static", "1 KiB", "remuda, 1 worker", "cpu_us", ("nginx, 1 worker, file cache",), "at most", 1.0),
    (
        *("static", "1 KiB, a connection for each request", "remuda, 1 worker", "cpu_us"),
        *(("nginx, 1 worker, file cache",), "at most", 1.0),
    ),
    ("static", "100 KiB", "remuda, 1 worker", "cpu_us", ("nginx, 1 worker, file cache",), "at most", 1.0),
    ("static", "10 MiB", "remuda, 1 worker", "cpu_us", ("nginx, 1 worker, file cache",), "at most", 1.0),
    ("proxy", "1 KiB", "remuda gateway, 1 worker", "rate", ("nginx, 1 worker", "haproxy, 1 thread"), "at least", 1.0),
    ("proxy", "1 KiB", "remuda gateway, 1 worker", "cpu_us", ("nginx, 1 worker", "haproxy, 1 thread"), "at most", 1.0),
    ("proxy", "100 KiB", "remuda gateway, 1 worker", "rate", ("haproxy, 1 thread",), "at least", 1.0),
    ("proxy", "100 KiB", "remuda gateway, 1 worker", "cpu_us", ("haproxy, 1 thread",), "at most", 1.0),
    ("direct", "hello", "direct", "rate", ("behind nginx, 1 worker",), "at least", 1.2),
    ("direct", "hello, a connection for each request", "direct", "rate", ("behind nginx, 1 worker",), "at least", 1.2),
    ("direct", "hello", "direct", "rate", ("behind remuda's gateway",), "at least", 1.2),
)
FIGURES = {"rate": "requests/s", "cpu_us": "CPU a request"}


def work_table(section, work, rows):
    """All servers at one work."""
    chosen = [row for row in rows if (row["section"], row["work"]) == (section.name, work.name)]
    if not chosen:
        return ""
    is_direct = section.name == "direct"
    lines = []
    for name in dict.fromkeys(row["server"] for row in chosen):
        own = [row for row in chosen if row["server"] == name]
        median = lambda key: statistics.median(row[key] for row in own)  # noqa: E731, B023
        cells = [name, f"{median('rate'):,.0f}", f"{median('cpu_us'):,.1f}"]
        for at, key in ((1, "rate"), (2, "cpu_us")):
            if name != section.reference and (compared := ratio(chosen, name, key, reference=section.reference)):
                cells[at] += f" {compared}"
        if is_direct:
            cells.append("-" if name == "direct" else spread([row["front_us"] for row in own], 1))
        cells += [f"{median('p50_ms'):.2f}", f"{median('p99_ms'):.2f}"]
        cells += [f"{sum(row['failed'] for row in own):,} of {sum(row['requests'] for row in own):,}"]
        lines.append([*cells, f"{median('cores'):.2f} + {median('client_cores'):.2f}"])
    fronts = ["of it the proxy's, µs"] if is_direct else []
    header = ["server", "requests/s", "CPU, µs a request", *fronts, "p50 ms", "p99 ms", "failed", "cores: servers + wrk"]
    return table(f"{section.title}, {work.name}", header, lines)


def memory_table(section, rows):
    """Memory of all processes of each server, after its load."""
    lines = [
        [row["server"], str(row["processes"]), f"{row['pss_mib']:.1f}"]
        for row in rows
        if row["section"] == section.name and row["pss_mib"] is not None
    ]
    return table(f"{section.title}, memory after the load", ["server", "processes", "PSS, MiB"], lines) if lines else ""


def aims_table(rows):
    """Each aim beside what was measured: the ratio to the best of the peers in the same round."""
    lines = []
    for section, work, ours, key, peers, bound, aim in AIMS:
        ratios = _ratios([row for row in rows if (row["section"], row["work"]) == (section, work)], ours, key, peers)
        if not ratios:
            continue
        median = statistics.median(ratios)
        is_met = median >= aim if bound == "at least" else median <= aim
        measured = f"×{median:.2f} ({min(ratios):.2f}–{max(ratios):.2f})" if len(ratios) > 1 else f"×{median:.2f}"
        whom = peers[0] if len(peers) == 1 else f"the better of {' and '.join(peers)}"
        what = f"{section}, {work}: {FIGURES[key]}, {ours} to {whom}"
        lines.append([what, f"{bound} ×{aim:g}", measured, "met" if is_met else "**not met**"])
    return table("Against the aims", ["what", "aim", "measured", ""], lines) if lines else ""


def _ratios(rows, ours, key, peers):
    best = max if key == "rate" else min
    ratios = []
    for own in (row for row in rows if row["server"] == ours):
        theirs = [row[key] for row in rows if row["round"] == own["round"] and row["server"] in peers]
        if len(theirs) == len(peers):
            ratios.append(own[key] / best(theirs))
    return ratios
