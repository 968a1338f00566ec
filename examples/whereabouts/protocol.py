"""The line protocol of the server herd: what a line means, and what is answered. No sockets, no clock, no store.

    IAMAT kiwi.cs.ucla.edu +34.068930-118.445127 1520023934.918963997
    WHATSAT kiwi.cs.ucla.edu 10 5
    AT Goloman +0.263873386 kiwi.cs.ucla.edu +34.068930-118.445127 1520023934.918963997

Numbers are exact: times are counted in nanoseconds as integers, and operands are given back as they came, byte for byte.
"""

import re
from dataclasses import dataclass

RADIUS_MAX_KM = 50
ITEMS_MAX = 20
# The longest line that is answered, without its end. Behind a longer one nobody can tell where the next begins.
LINE_MAX_BYTES = 65_536
# Later than this beyond the server's own clock, nobody can have been anywhere.
FUTURE_MAX_NS = 3600 * 10**9

_SPACE = re.compile(rb"[ \t\r\n\f\v]+")
_TIME = re.compile(rb"[0-9]{1,12}(\.[0-9]{1,9})?")
_NUMBER = re.compile(rb"[0-9]{1,9}")
_DEGREES = re.compile(rb"([+-])([0-9]+)(\.[0-9]+)?")
_PLACE = re.compile(rb"([+-][0-9]+(?:\.[0-9]+)?)([+-][0-9]+(?:\.[0-9]+)?)([+-][0-9]+(?:\.[0-9]+)?)?/?")


@dataclass(frozen=True)
class Report:
    """Somebody is somewhere: IAMAT."""

    client: bytes
    place: bytes
    time: bytes

    def at_ns(self):
        return nanoseconds(self.time)

    def line(self, server, received_ns):
        """The AT line of a server that heard it at `received_ns`."""
        skew = received_ns - self.at_ns()
        sign = "+" if skew >= 0 else "-"
        seconds, rest = divmod(abs(skew), 10**9)
        head = f"AT {server} {sign}{seconds}.{rest:09} ".encode()
        return head + b" ".join([self.client, self.place, self.time])


@dataclass(frozen=True)
class Question:
    """What is near somebody: WHATSAT."""

    client: bytes
    radius_km: int
    items: int


def parse(line):
    """A Report, a Question, or None for anything else."""
    words = [word for word in _SPACE.split(line) if word]
    if len(words) != 4:
        return None
    verb, client, first, second = words
    if verb == b"IAMAT":
        if coordinates(first) is None or not _TIME.fullmatch(second):
            return None
        return Report(client, first, second)
    if verb == b"WHATSAT":
        if not (_NUMBER.fullmatch(first) and _NUMBER.fullmatch(second)):
            return None
        radius, items = int(first), int(second)
        if not (0 < radius <= RADIUS_MAX_KM and 0 < items <= ITEMS_MAX):
            return None
        return Question(client, radius, items)
    return None


def invalid(line):
    """The answer to a line that is no command."""
    return b"? " + line + b"\n"


def nanoseconds(time):
    """POSIX seconds with up to nine decimals as a whole number of nanoseconds."""
    seconds, _, fraction = time.partition(b".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, b"0") or b"0")


def coordinates(place):
    """Latitude and longitude of ISO 6709 as decimal texts, or None. Degrees may be followed by minutes and seconds, the
    place by an altitude and a slash."""
    match = _PLACE.fullmatch(place)
    if not match:
        return None
    latitude, longitude = _degrees(match[1], 2, 90), _degrees(match[2], 3, 180)
    return None if latitude is None or longitude is None else (latitude, longitude)


def _degrees(text, width, limit):
    sign, whole, fraction = _DEGREES.fullmatch(text).groups()
    fraction = fraction or b""
    if len(whole) <= width:
        if float(whole + fraction) > limit:
            return None
        return (sign + whole + fraction).decode().lstrip("+")
    if len(whole) not in (width + 2, width + 4):
        return None
    parts = [float(whole[:width])]
    parts += [float(whole[at : at + 2]) for at in range(width, len(whole), 2)]
    parts[-1] += float(b"0" + fraction)
    if any(part >= 60 for part in parts[1:]):
        return None
    degrees = sum(part / 60**power for power, part in enumerate(parts))
    return None if degrees > limit else f"{'-' if sign == b'-' else ''}{degrees:.9f}"


def bare(line):
    """A line without its end, if it has one."""
    return line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line


class Lines:
    """Bytes that come in pieces, as lines. A line that is longer than one may be is the end: behind it is nothing."""

    def __init__(self):
        self.rest = bytearray()
        self.is_too_long = False

    def feed(self, piece):
        """The lines that are whole now, without their ends."""
        lines = []
        *ended, rest = piece.split(b"\n")
        for part in ended:
            line = bare(b"%s%s\n" % (self.rest, part))
            self.rest.clear()
            if len(line) > LINE_MAX_BYTES:
                self.is_too_long = True
                return lines
            lines.append(line)
        self.rest += rest
        # The first byte of an end of line is none of the line.
        self.is_too_long = len(self.rest) - self.rest.endswith(b"\r") > LINE_MAX_BYTES
        return lines

    def last(self):
        """What stood behind the last end of line, as the lines that it is: one, or none."""
        rest = bytes(self.rest)
        self.rest.clear()
        self.is_too_long = len(rest) > LINE_MAX_BYTES
        return [rest] if rest and not self.is_too_long else []


def answer(at, places):
    """The answer to WHATSAT: the AT line, and what the look-up gave, runs of newlines squeezed, two at the end."""
    text = re.sub(rb"\n{2,}", b"\n", places).rstrip(b"\n")
    return at + b"\n" + text + b"\n\n"
