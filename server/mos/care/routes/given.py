"""What the edge gives to every handler."""

from datetime import datetime

from litestar.di import NamedDependency
from msgspec import Struct

from mos.care.actions.sign_in import Doorkeeper
from mos.care.model import Actor
from mos.db import Pool
from mos.dispatch import webpush
from mos.kernel.settings import Settings
from mos.sync.pokes import Hub


class Given(Struct, frozen=True):
    """The running process's parts, and the moment at which the request is answered."""

    settings: Settings
    pool: Pool
    door: Doorkeeper
    push: webpush.Post
    hub: Hub
    now: datetime


# A handler's parameters of these types must be called `given` and `me`.
FromEdge = NamedDependency[Given]
# Whoever is signed in; the request is refused (401) when nobody is.
SignedIn = NamedDependency[Actor]
