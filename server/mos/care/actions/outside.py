"""Addresses that people name for messages to go to: outside, unless an operator says otherwise.

A form can tell only what stands in it. What a name leads to is looked at again when a message is
sent (mos.dispatch.outward).
"""

from urllib.parse import urlsplit

from mos.dispatch.outward import Guard
from mos.kernel.errors import Invalid


def require_url(guard: Guard, url: str, *, field: str) -> None:
    """Let an https address outside pass; raises Invalid with a sentence that says what to do."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise Invalid("This is no address.", field=field) from None
    if not all("!" <= character <= "~" for character in url):
        raise Invalid("An address has no spaces, and letters from a to z alone.", field=field)
    # Without TLS only what an operator has named is called, by its address.
    if not host or (parts.scheme != "https" and not guard.allows_clear(url)):
        raise Invalid("Write an https address.", field=field)
    if parts.username is not None or parts.fragment:
        raise Invalid("Write the address without a user and without #.", field=field)
    require_outside(guard, host, field=field)


def require_outside(guard: Guard, host: str, *, field: str) -> None:
    """Let a host outside pass; raises Invalid."""
    if not guard.allows(host):
        raise Invalid(
            "This is an address inside a network of its own. Write one on the internet, or let the "
            "operator allow that network (MOS_CHANNEL_NETWORKS).",
            field=field,
        )
