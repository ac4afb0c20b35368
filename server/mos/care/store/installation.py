"""The installation itself: whether it is claimed, and what a demo offers."""

from datetime import datetime

from msgspec import Struct

from mos.care.model import Role
from mos.db import Db, Queries

_sql = Queries(__package__, "installation.sql")


class Installation(Struct, frozen=True):
    """Whether this installation is a demo, and whether it has been claimed."""

    demo: bool
    demo_password: str | None
    claimed: bool
    claim_hash: bytes | None


class DemoAccount(Struct, frozen=True):
    """A sign-in that a demo offers. `face` is the picture of a resident's profile, else empty."""

    email: str
    name: str
    role: Role
    face: str


_THIS_INSTALLATION = _sql.query("this_installation", Installation)
_DEMO_ACCOUNTS = _sql.query("demo_accounts", DemoAccount)
_OFFER_CLAIM = _sql.command("offer_claim")
_CLAIM = _sql.command("claim")


async def this_installation(db: Db) -> Installation | None:
    """Return this installation's state, or None before `mos` has prepared it."""
    return await db.one(_THIS_INSTALLATION)


async def demo_accounts(db: Db) -> list[DemoAccount]:
    """Return the sign-ins that a demo offers; none in any other installation."""
    return await db.all(_DEMO_ACCOUNTS)


async def offer_claim(db: Db, claim_hash: bytes) -> bool:
    """Let the holder of a token claim the installation; False when it is claimed already."""
    return await db.run(_OFFER_CLAIM, claim_hash=claim_hash) == 1


async def claim(db: Db, claim_hash: bytes, now: datetime) -> bool:
    """Claim the installation; False when the token is wrong or somebody was faster."""
    return await db.run(_CLAIM, claim_hash=claim_hash, now=now) == 1
