"""What an attempt to tell somebody came to."""

from typing import Literal

from msgspec import Struct

_MOST_WORDS = 300


class Result(Struct, frozen=True):
    """What became of a message.

    `sent`: the service took it, and no more: that it was read only a person's act shows.
    `later`: to be tried again. `gone`: there is no such address any more. `refused`: trying again
    is of no use.

    `code` is a short word for logs and metrics; `retry_after_s` is the service's own wish. `words`
    is what the service said, for whoever tests a channel: never stored, never logged.
    """

    outcome: Literal["sent", "gone", "later", "refused"]
    code: str
    retry_after_s: float | None = None
    words: str = ""
    # What the service says that the message cost, in hundredths of its money.
    cost: int | None = None


def cut(words: str) -> str:
    """Return a service's words, made harmless for a screen and no longer than 300 letters."""
    return "".join(c if c.isprintable() else " " for c in words).strip()[:_MOST_WORDS]
