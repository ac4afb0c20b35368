"""What the edge gives to every handler."""

from datetime import datetime

from litestar.di import NamedDependency
from msgspec import Struct

from mos.care.actions.doorkeeper import Doorkeeper
from mos.care.actions.oidc.asking import Desk
from mos.care.actions.oidc.directory import Directory
from mos.care.model import Actor
from mos.db import Pool
from mos.dispatch import webpush
from mos.dispatch.channels.messengers import Messengers
from mos.kernel.settings import Settings
from mos.sync.model import Collections
from mos.sync.pokes import Hub


class Given(Struct, frozen=True):
    """The running process's parts, and the moment at which the request is answered."""

    settings: Settings
    pool: Pool
    door: Doorkeeper
    push: webpush.Post
    messengers: Messengers
    directory: Directory
    hub: Hub
    collections: Collections
    now: datetime

    @property
    def providers(self) -> Desk:
        """Return what it takes to ask an identity provider."""
        return Desk(
            self.pool,
            self.door,
            self.directory,
            self.messengers.services,
            self.settings.public_url,
            self.now,
        )


# A handler's parameters of these types must be called `given` and `me`.
FromEdge = NamedDependency[Given]
# Whoever is signed in; the request is refused (401) when nobody is.
SignedIn = NamedDependency[Actor]
