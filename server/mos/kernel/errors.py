"""What can go wrong on purpose. `mos.web` turns each kind into one status and one RFC 9457 body.

Refused
├── Invalid          400  wrong in itself; `field` names the place, the text what to do
├── Unauthenticated  401  nobody is signed in, or the sign-in has ended
├── Forbidden        403  signed in, but this is not theirs
├── NotFound         404  absent, or not theirs to know about (the two look alike)
├── Conflict         409  somebody was here first
├── TooMany          429  slow down; `retry_after_s` says for how long
└── Unavailable      503  what this needs does not answer just now
"""


class Refused(Exception):
    """A request that MOS declines, with a sentence that a person can act on."""

    code = "refused"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        """Keep `detail`, one sentence for a person; `code` is the stable word for programs."""
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code


class Invalid(Refused):
    """The request is wrong in itself. `field` is a dotted path into it, or None for the whole."""

    code = "invalid"

    def __init__(self, detail: str, *, field: str | None = None, code: str | None = None) -> None:
        """Name the `field` at fault, so that a form can point at it."""
        super().__init__(detail, code=code)
        self.field = field


class Unauthenticated(Refused):
    """Nobody is signed in here, or the session has ended."""

    code = "session_expired"


class Forbidden(Refused):
    """The actor is known and may not do this."""

    code = "forbidden"


class NotFound(Refused):
    """Absent, or not for this actor to know of."""

    code = "not_found"


class Conflict(Refused):
    """The world has moved on since the actor looked."""

    code = "conflict"


class TooMany(Refused):
    """Too many tries. `retry_after_s` is in seconds."""

    code = "too_many"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        """Say when the next try is welcome."""
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Unavailable(Refused):
    """What this needs, the keys of what lies sealed, does not answer just now."""

    code = "keys_away"
