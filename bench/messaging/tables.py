"""Rows of measurements as markdown: median (min–max), and the ratio to redis of the same round.

Paired by round, because absolute figures drift between rounds by more than most differences.
"""

import statistics

from markdown import table

REFERENCE = "redis"


def spread(values, digits):
    """`median (min–max)`, or the value alone when there is one; `-` for none."""
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    median = f"{statistics.median(values):,.{digits}f}"
    return median if len(values) == 1 else f"{median} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def ratio(rows, name, key, reference_rows=None, reference=REFERENCE):
    """`×2.5 (2.1–3.0)` of the rows of `name` to those of the reference in the same round; empty where none pairs."""
    pool = rows if reference_rows is None else reference_rows
    theirs = {row["round"]: row[key] for row in pool if row["server"] == reference and row[key]}
    own = [row for row in rows if row["server"] == name and row[key] is not None and row["round"] in theirs]
    values = [row[key] / theirs[row["round"]] for row in own]
    if not values:
        return ""
    median = f"×{statistics.median(values):.2f}"
    return median if len(values) == 1 else f"{median} ({min(values):.2f}–{max(values):.2f})"


def _cell(rows, name, key, digits):
    """The figures themselves for redis; for others their median and how they compare."""
    own = [row[key] for row in rows if row["server"] == name and row[key] is not None]
    if name == REFERENCE or not own:
        return spread(own, digits)
    compared = ratio(rows, name, key)
    return f"{statistics.median(own):,.{digits}f} {compared}" if compared else spread(own, digits)


def _names(rows):
    return list(dict.fromkeys(row["server"] for row in rows))


def _grid(title, rows, columns):
    """A line for each server, a column for each (heading, filter, key, digits)."""
    if not rows:
        return ""
    lines = [
        [name, *(_cell([row for row in rows if wanted(row)], name, key, digits) for _, wanted, key, digits in columns)]
        for name in _names(rows)
    ]
    return table(title, ["server", *(heading for heading, *_ in columns)], lines)


def saturation(rows):
    """A table of rates and one of processor time for each size of message, and those of the open window."""
    parts = []
    kinds = dict.fromkeys((row["payload"], row["window"]) for row in rows)
    for payload, window in kinds:
        chosen = [row for row in rows if (row["payload"], row["window"]) == (payload, window)]
        fan_outs = sorted({row["fan_out"] for row in chosen})
        how = "with a window of credit, nothing lost" if window == "credit" else "held by TCP alone"
        for key, digits, what in (
            ("rate", 2, "million deliveries a second"),
            ("cpu_s", 3, "server CPU seconds for a million deliveries"),
        ):
            columns = [(f"fan-out {n:,}", lambda row, n=n: row["fan_out"] == n, key, digits) for n in fan_outs]
            parts.append(_grid(f"Saturation, {payload:,} B, {how}: {what}", chosen, columns))
        if window == "open":
            parts.append(_open_losses(chosen))
    return "\n".join(parts)


def _open_losses(rows):
    lossy = [row for row in rows if row["missing"] or row["disconnected"] or row["misordered"]]
    if not lossy:
        return "With TCP alone to hold the publisher nothing was lost.\n"
    told = (
        f"{row['server']} at fan-out {row['fan_out']}, round {row['round'] + 1}: {100 * row['missing']:.2f} % missing, "
        f"{row['disconnected']} disconnected, {row['misordered']} out of order"
        for row in lossy
    )
    return "Lost with TCP alone to hold the publisher:\n\n" + "".join(f"- {line}\n" for line in told)


def latency(rows, per_second):
    """One table: both percentiles, and what a delivery costs when nothing can be batched."""
    columns = []
    for fan_out in sorted({row["fan_out"] for row in rows}):
        wanted = lambda row, fan_out=fan_out: row["fan_out"] == fan_out  # noqa: E731
        columns += [
            (f"×{fan_out} p50, µs", wanted, "p50_us", 0),
            (f"×{fan_out} p99, µs", wanted, "p99_us", 0),
            (f"×{fan_out} CPU µs a delivery", wanted, "cpu_us", 1),
        ]
    return _grid(f"Latency at {per_second:,} messages a second, from the time due", rows, columns)


def memory(rows, count):
    """Memory without and with subscribers."""
    everything = lambda row: True  # noqa: E731
    columns = [
        ("nobody, MiB", everything, "before_mib", 1),
        (f"{count:,} subscribers, MiB", everything, "after_mib", 1),
        ("KiB each", everything, "each_kib", 1),
    ]
    return _grid("Memory (PSS) of the server", rows, columns)


def flood(rows, seconds, slow_bytes_per_ms):
    """What became of a flood; shares are of what was published."""
    if not rows:
        return ""
    lines = []
    for name in _names(rows):
        own = [row for row in rows if row["server"] == name]
        share = lambda key: spread([100 * row[key] for row in own], 2)  # noqa: E731, B023
        cells = [name, spread([row["published"] for row in own], 2), spread([row["fast_rate"] for row in own], 2)]
        cells += [share("fast_missing"), share("slow_received"), share("slow_missing")]
        cells += [" / ".join(dict.fromkeys(row["ended"] for row in own))]
        cells += [" / ".join(dict.fromkeys(row["reported"] or "-" for row in own))]
        lines.append(cells)
    header = ["server", "published, million", "fast reader, million/s", "lost to it, %", "slow reader had, %"]
    header += ["lost to it, %", "connection ended", "the server reports"]
    rate = slow_bytes_per_ms / 1000
    return table(f"A flood of {seconds:g} s, one fast reader and one of {rate:g} MB/s", header, lines)


def store(rows):
    """GET and SET, each as requests a second and per CPU second of the server."""
    whats = list(dict.fromkeys(row["what"] for row in rows))
    parts = []
    units = (("per_second", "requests a second"), ("per_cpu_second", "requests per CPU second of the server"))
    for key, title in units:
        columns = [(what, lambda row, what=what: row["what"] == what, key, 0) for what in whats]
        parts.append(_grid(f"Store: {title}", rows, columns))
    return "\n".join(parts)


def kept(rows, plain_rows):
    """How much of its own speed without it a server keeps with key events or fsync."""
    if not rows:
        return ""
    whats = list(dict.fromkeys(row["what"] for row in rows))
    lines = []
    for name in _names(rows):
        cells = [name]
        for what in whats:
            own = [row for row in rows if row["what"] == what]
            plain = [row for row in plain_rows if row["what"] == what.partition(",")[0]]
            for key in ("per_second", "per_cpu_second"):
                cells.append(ratio(own, name, key, plain, name) or "-")
        lines.append(cells)
    header = ["server", *(f"{what}: {unit}" for what in whats for unit in ("requests/s", "per CPU second"))]
    return table("Store: what is kept of its own speed without", header, lines)
