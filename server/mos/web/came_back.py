"""Where identity providers send people back to: into the app, at this address and no other.

The answer stands in the query, which our own page must read, and no log. It moves behind the `#`,
whatever it says; the page then asks the API what it is worth, in a request of its own that carries
the session's cookie, which no request from another site does.
"""

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlencode

from mos.care.actions.oidc.asking import CALLBACK
from mos.web.health import Answer

__all__ = ["CALLBACK", "came_back"]

_PAGE = "/#/logga-in/leverantor"
_NAMES = ("code", "state", "iss", "error")
_LONGEST = 4096


def came_back(scope: Any) -> Answer:
    """Return the way into the app, with what the provider's answer holds and no more."""
    try:
        said = parse_qs(scope["query_string"].decode("ascii"), max_num_fields=20)
    except ValueError:
        said = {}
    # Said twice, it is nobody's answer.
    told = {name: said[name][0] for name in _NAMES if len(said.get(name, ())) == 1}
    kept = {name: value for name, value in told.items() if len(value) <= _LONGEST}
    location = f"{_PAGE}?{urlencode(kept)}"
    return Answer(
        HTTPStatus.SEE_OTHER,
        b"text/plain; charset=utf-8",
        b"",
        headers=((b"location", location.encode()), (b"cache-control", b"no-store")),
    )
