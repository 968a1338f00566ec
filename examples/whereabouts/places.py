"""Places near a point, as an HTTP service: `GET /?location=34.06,-118.44&radius=10000`.

An offline stand-in for the look-up that the herd asks, with a handful of places in `places.json`. Whoever has a real one
sets PLACES_URL instead.
"""

import json
import math
import os
import socket
from pathlib import Path

from aiohttp import web

PLACES = json.loads(Path(__file__).with_name("places.json").read_text())
EARTH_METRES = 6_371_000


def distance(a, b):
    """Metres along the earth's surface between two points in degrees."""
    (lat_a, lon_a), (lat_b, lon_b) = [[math.radians(degrees) for degrees in point] for point in (a, b)]
    chord = math.sin((lat_b - lat_a) / 2) ** 2
    chord += math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_METRES * math.asin(math.sqrt(chord))


async def nearby(request):
    try:
        here = [float(degrees) for degrees in request.query["location"].split(",")]
        radius = float(request.query["radius"])
        _, _ = here
    except (KeyError, ValueError):
        return web.json_response({"status": "INVALID_REQUEST", "results": []}, status=400)
    found = sorted((distance(here, place["location"]), place["name"], place) for place in PLACES)
    results = [
        {"name": name, "geometry": {"location": dict(zip(("lat", "lng"), place["location"]))}, "distance": round(metres)}
        for metres, name, place in found
        if metres <= radius
    ]
    text = json.dumps({"results": results, "status": "OK" if results else "ZERO_RESULTS"}, indent=3, ensure_ascii=False)
    return web.Response(text=text + "\n", content_type="application/json")


if __name__ == "__main__":
    application = web.Application()
    application.router.add_get("/", nearby)
    listener = socket.socket(fileno=int(os.environ["REMUDA_SOCKET_PLACES"]))
    web.run_app(application, sock=listener, print=None)
