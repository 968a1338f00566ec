"""Where in the world an address is, as far as a small table knows: `places.csv`, offline.

The longest prefix wins. Addresses that are nowhere in the world (this machine's own, private networks) get a place of the
table by a hash, so that the demo has something to show: the same address and link are always in the same place.
"""

import csv
import hashlib
import ipaddress
from collections import Counter
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    country: str
    latitude: float
    longitude: float


class Places:
    def __init__(self, path=Path(__file__).with_name("places.csv")):
        self.by_prefix = {}
        with open(path, encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(line for line in lines if not line.startswith("#")):
                place = Place(row["country"], float(row["latitude"]), float(row["longitude"]))
                self.by_prefix[ipaddress.ip_network(row["prefix"])] = place
        self.lengths = {
            version: sorted({net.prefixlen for net in self.by_prefix if net.version == version}, reverse=True)
            for version in (4, 6)
        }
        # Continents have many networks, and nobody is in the middle of one.
        counts = Counter(self.by_prefix.values())
        self.exact = [place for place, count in counts.items() if count == 1]

    def of(self, address, salt=""):
        """The place of an address, or None. `salt` tells apart what has the same address that is nowhere."""
        try:
            address = ipaddress.ip_address(address)
        except ValueError:
            return None
        address = getattr(address, "ipv4_mapped", None) or address
        if address.is_private or address.is_loopback or address.is_link_local:
            digest = hashlib.sha256(f"{address} {salt}".encode()).digest()
            return self.exact[int.from_bytes(digest[:8], "big") % len(self.exact)]
        for length in self.lengths[address.version]:
            place = self.by_prefix.get(ipaddress.ip_network((address, length), strict=False))
            if place:
                return place
        return None
