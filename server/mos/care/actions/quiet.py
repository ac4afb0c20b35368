"""When people rest: what is not critical lets them."""

from typing import Annotated

from msgspec import Meta, Struct

from mos.care import store
from mos.care.actions.text import Zone, known_zone
from mos.care.model import Actor
from mos.db import Db
from mos.kernel.errors import Invalid

_Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]


class NewQuietHours(Struct, frozen=True, rename={"from_": "from"}, forbid_unknown_fields=True):
    """When to rest, wall times in a zone. `to` before `from` is the next morning."""

    from_: _Clock
    to: _Clock
    zone: Zone


async def quiet_hours(db: Db, actor: Actor) -> store.QuietHours | None:
    """Return when the actor rests; None: never."""
    return await store.quiet_hours(db, actor.org, actor.account)


async def keep_quiet_hours(db: Db, actor: Actor, wanted: NewQuietHours) -> store.QuietHours:
    """Let the actor rest then. Raises Invalid."""
    if wanted.from_ == wanted.to:
        raise Invalid("Quiet hours end at another time than they begin.", field="to")
    hours = store.QuietHours(wanted.from_, wanted.to, known_zone(wanted.zone))
    await store.save_quiet_hours(db, actor.org, actor.account, hours)
    return hours


async def end_quiet_hours(db: Db, actor: Actor) -> None:
    """Let the actor be told whenever it is."""
    await store.save_quiet_hours(db, actor.org, actor.account, None)
