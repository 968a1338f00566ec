"""Tables of one server beside two: what the second adds, in the same round.

An added time is a difference and a kept rate a ratio, each of two runs that followed one another.
"""

from markdown import table
from messaging.tables import spread

REFERENCE = "redis"


def of_pair(rows, name, key):
    """(value with one server, value with two) of each round that has both."""
    found = {}
    for row in rows:
        if row["server"] == name:
            found.setdefault(row["round"], {})[row["hosts"]] = row[key]
    return {number: (both[1], both[2]) for number, both in found.items() if both.get(1) and both.get(2)}


def _names(rows):
    return list(dict.fromkeys(row["server"] for row in rows))


def latency(rows):
    """A table for each rate: percentiles of both, what is added, and processor time."""
    parts = []
    for rate in sorted({row["per_second"] for row in rows}):
        chosen = [row for row in rows if row["per_second"] == rate]
        lines = []
        for name in _names(chosen):
            cells = [name]
            for key, digits in (("p50_us", 0), ("p99_us", 0), ("p999_us", 0)):
                cells += [spread([pair[at] for pair in of_pair(chosen, name, key).values()], digits) for at in (0, 1)]
            added = [two - one for one, two in of_pair(chosen, name, "p50_us").values()]
            cpu = of_pair(chosen, name, "cpu_us").values()
            cells += [spread(added, 0), spread([pair[0] for pair in cpu], 1), spread([pair[1] for pair in cpu], 1)]
            lines.append(cells)
        header = ["servers", "p50 over one, µs", "over two", "p99 over one", "over two", "p99.9 over one", "over two"]
        header += ["**added p50**", "CPU µs a message, one", "two"]
        parts.append(table(f"Latency at {rate:,} messages a second of 100 B, from the time due", header, lines))
    return "\n".join(parts)


def saturation(rows):
    """A table for each size of message: rates over one and two, what is kept, how two compare, processor time."""
    parts = []
    for payload in sorted({row["payload"] for row in rows}):
        for fan_out in sorted({row["fan_out"] for row in rows if row["payload"] == payload}):
            chosen = [row for row in rows if (row["payload"], row["fan_out"]) == (payload, fan_out)]
            theirs = of_pair(chosen, REFERENCE, "rate")
            lines = []
            for name in _names(chosen):
                rates, cpu = of_pair(chosen, name, "rate"), of_pair(chosen, name, "cpu_s").values()
                versus = [pair[1] / theirs[number][1] for number, pair in rates.items() if number in theirs]
                cells = [name, *(spread([pair[at] for pair in rates.values()], 2) for at in (0, 1))]
                cells += ["×" + spread([two / one for one, two in rates.values()], 2)]
                cells += ["×" + spread(versus, 2) if versus else "-"]
                cells += [spread([pair[at] for pair in cpu], 3) for at in (0, 1)]
                lines.append(cells)
            header = ["servers", "million/s over one", "over two", "**kept**", "two, to redis' two"]
            header += ["server CPU s a million, one", "two"]
            title = f"Saturation, {payload:,} B, fan-out {fan_out}: million deliveries a second"
            parts.append(table(title, header, lines))
    return "\n".join(parts)


def catching_up(rows):
    """A table of absences."""
    lines = []
    for row in rows:
        times = "-" if row["wire_bytes"] is None else f"{row['wire_bytes'] / row['changes_bytes']:.1f} ×"
        wire = "-" if row["wire_bytes"] is None else f"{row['wire_bytes'] / 1024:,.0f}"
        cells = [f"{row['keys']:,}", f"{row['changed']:,}", f"{row['changes_bytes'] / 1024:,.0f}", wire, times]
        cells += [f"{row[key]:.2f}" for key in ("answers_s", "equal_s")]
        cells += [f"{1000 * row['giver_cpu_s']:.0f}", f"{row['copied_s']:.1f}"]
        lines.append(cells)
    header = ["keys", "changed", "of the changes, KiB", "on the wire, KiB", "times", "start to answering, s"]
    header += ["start to equal, s", "CPU of the other, ms", "(first copy of all, s)"]
    return table("A server that was away", header, lines) if lines else ""
