"""What may be a short link's target, and what its id looks like. No sockets, no clock, no store.

Who follows a short link does not see where it leads, so targets are plain: http and https alone, no names and passwords
in front of the host (`https://bank.example@evil.example/`), nothing that browsers and programs read differently.
"""

import re
import secrets
import string
from urllib.parse import quote, urlsplit, urlunsplit

LENGTH_MAX = 2048
# 62 ** 8 ids: two servers of a herd that do not hear of each other draw the same one once in a lifetime.
ID_LENGTH = 8

_DIGITS = string.digits + string.ascii_letters
_ID = re.compile(r"[0-9A-Za-z]{8}")
_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")
# What stays as it is in each part; `%` too, as what comes encoded is encoded.
_PLAIN = "%/:@!$&'()*+,;=~?#[]"


class Unfit(ValueError):
    """This is no target; the text says why not."""


def target(text, own_host=""):
    """The URL of `text` in ASCII, as it is kept. Raises `Unfit`."""
    text = text.strip()
    if not text:
        raise Unfit("There is no URL.")
    if len(text) > LENGTH_MAX:
        raise Unfit(f"The URL has more than {LENGTH_MAX} characters.")
    if _CONTROL.search(text):
        raise Unfit("The URL contains blanks, backslashes or control characters.")
    try:
        parts = urlsplit(text)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError as error:
        raise Unfit("This is no URL.") from error
    if parts.scheme not in ("http", "https"):
        raise Unfit("Only URLs that begin with http:// or https:// are shortened.")
    if parts.username is not None or parts.password is not None:
        raise Unfit("The URL contains a name or password.")
    if not re.fullmatch(r"[0-9a-z._-]+|[0-9a-f:.]+", host):
        raise Unfit("The URL names no host.")
    place = f"[{host}]" if ":" in host else host
    if port is not None:
        place += f":{port}"
    if place == own_host.lower():
        raise Unfit("The URL is one of this service itself.")
    rest = [quote(part, safe=_PLAIN) for part in (parts.path or "/", parts.query, parts.fragment)]
    url = urlunsplit((parts.scheme, place, *rest))
    if len(url) > LENGTH_MAX:
        raise Unfit(f"The URL has more than {LENGTH_MAX} characters, once it is encoded.")
    return url


def new_id():
    """An id by chance."""
    return "".join(secrets.choice(_DIGITS) for _ in range(ID_LENGTH))


def is_id(text):
    """Whether this may be the id of a link."""
    return _ID.fullmatch(text) is not None
