"""PINs that end with something else, each with a line in the audit log of its own."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from mos.care import store
from mos.care.actions.noting import note
from mos.care.model import Actor
from mos.db import Db

# With what a PIN ended that nobody removed by itself.
Why = Literal["password", "signed_out", "device"]


async def end_pins_of_account(  # noqa: PLR0913  whose, and with what
    db: Db, actor: Actor, account: UUID, now: datetime, *, why: Why, kept: UUID | None = None
) -> None:
    """Let none of an account's PINs open anything any more, but the one on the device `kept`."""
    ended = await store.remove_pins_of_account(db, actor.org, account, kept=kept)
    for pin in ended:
        note(db, actor, "pin_removed", now, of=pin.account, on=pin.device, why=why)


async def end_pins_of_device(db: Db, actor: Actor, device: UUID, now: datetime) -> None:
    """Let nobody's PIN open anything any more on a device that has ended."""
    for pin in await store.remove_pins_of_device(db, actor.org, device):
        note(db, actor, "pin_removed", now, of=pin.account, on=pin.device, why="device")
