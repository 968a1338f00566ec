"""Rows of measurements as markdown tables: median (min–max), and how many times Remuda's median that is."""

import statistics

from markdown import table

REFERENCE = "remuda"


def spread(values, digits):
    """`median (min–max)`, or the value alone when there is one; `-` for none."""
    if not values:
        return "-"
    median = f"{statistics.median(values):.{digits}f}"
    return median if len(values) == 1 else f"{median} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def ratio(rows, name, measured):
    """The median over rounds of name / Remuda within one round, as `×2.5`; `-` where there is no such pair.

    Paired by round, because absolute figures drift between rounds by more than most differences.
    """
    ours = {row["round"]: measured(row) for row in rows if row["contender"] == REFERENCE}
    pairs = [
        measured(row) / ours[row["round"]]
        for row in rows
        if row["contender"] == name and ours.get(row["round"])
    ]
    return f"×{statistics.median(pairs):.2f}" if pairs else "-"


def _names(rows):
    return list(dict.fromkeys(row["contender"] for row in rows))


def start_table(rows):
    """One table for each number of workers."""
    tables = []
    for count in sorted({row["workers"] for row in rows}):
        chosen = [row for row in rows if row["workers"] == count]
        lines = [
            [
                name,
                spread([row["start_s"] for row in chosen if row["contender"] == name], 3),
                ratio(chosen, name, lambda row: row["start_s"]),
                str(sum(row["contender"] == name for row in chosen)),
            ]
            for name in _names(chosen)
        ]
        title = f"Start until all of {count} workers run, seconds"
        tables.append(table(title, ["supervisor", "median (min–max)", "to Remuda", "rounds"], lines))
    return "\n".join(tables)


def respawn_table(rows, count):
    """All kills of a contender together; the ratio is of the medians of each round."""
    lines = []
    for name in _names(rows):
        values = sorted(value for row in rows if row["contender"] == name for value in row["respawn_ms"])
        p90 = values[min(len(values) - 1, int(0.9 * len(values)))]
        lines.append(
            [
                name,
                f"{statistics.median(values):.1f}",
                f"{p90:.1f}",
                f"{values[0]:.1f}–{values[-1]:.1f}",
                ratio(rows, name, lambda row: statistics.median(row["respawn_ms"])),
                str(len(values)),
            ]
        )
    header = ["supervisor", "median ms", "p90 ms", "min–max", "to Remuda", "kills"]
    return table(f"`kill -9` of one of {count} workers until its successor runs", header, lines)


def rest_table(rows, count, seconds):
    """Memory, idle CPU and wake-ups; wake-ups are voluntary context switches of all threads."""
    lines = []
    for name in _names(rows):
        own = [row for row in rows if row["contender"] == name]
        cells = [name, str(own[-1]["processes"])]
        for key, digits in (("pss_mib", 1), ("rss_mib", 1), ("cpu_percent", 3), ("wakeups", 0)):
            cells.append(spread([row[key] for row in own], digits))
        lines.append([*cells, ratio(rows, name, lambda row: row["pss_mib"])])
    header = ["supervisor", "own processes", "PSS MiB", "RSS MiB", "CPU, % of a core", "wake-ups", "PSS to Remuda"]
    return table(f"At rest for {seconds:g} s with {count} workers, workers excluded", header, lines)
