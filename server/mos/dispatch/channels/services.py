"""How organisations reach the services behind channels: by settings of their own, or by ours."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import structlog
from msgspec import Struct

from mos.db import Db
from mos.dispatch import store
from mos.dispatch.channels.message import Service

_log = structlog.get_logger(__name__)


class Seals(Protocol):
    """Seals for a context, and opens what was sealed for it (mos.privacy.seals)."""

    def seal(self, context: str, plain: bytes) -> bytes:
        """Return `plain` sealed for `context`."""
        ...

    def open(self, context: str, sealed: bytes) -> bytes:
        """Return what was sealed for `context`; raises ValueError for what does not open."""
        ...


class Services(Struct, frozen=True):
    """Finds the service of an organisation's channel. `ours` are the installation's, by channel."""

    seals: Seals
    ours: Mapping[str, Service]

    async def of(self, db: Db, channel: str, orgs: Sequence[UUID]) -> dict[UUID, Service]:
        """Return the services by organisation; one without any is absent."""
        found = dict.fromkeys(orgs, self.ours[channel]) if channel in self.ours else {}
        for row in await store.channels_of(db, channel, orgs):
            secret = self.opened(secret_context(row.org, channel), row.secret)
            if secret is not None:
                found[row.org] = Service(settings=row.settings, secret=secret.decode(), cap=row.cap)
            else:
                found.pop(row.org, None)
        return found

    def opened(self, context: str, sealed: bytes | None) -> bytes | None:
        """Return a secret, b"" where there is none, or None when it does not open any more."""
        if sealed is None:
            return b""
        try:
            return self.seals.open(context, sealed)
        except ValueError:
            # Another key than the one that it was sealed with: its administrator enters it anew.
            _log.error("seal_broken", context=context)
            return None


def secret_context(org: UUID, channel: str) -> str:
    """Return what a channel's secret is sealed for."""
    return f"channel/{org}/{channel}"


def contact_context(org: UUID, contact: UUID) -> str:
    """Return what a webhook's secret is sealed for."""
    return f"contact/{org}/{contact}"


def of_installation(settings: dict[str, Any], secret: str) -> Service:
    """Return the installation's own service."""
    return Service(settings=settings, secret=secret, is_ours=True)
