"""What whoever runs the server does for somebody who has no way in left.

Whoever may run these commands holds the database anyway. Each leaves its line in the audit log.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.audit import log
from mos.audit.model import Happened
from mos.care import store
from mos.care.actions.invitations import reset_link
from mos.db import Db


class LetIn(Struct, frozen=True):
    """A link for another password, once and for half an hour, and what was removed."""

    account: UUID
    link: str
    totp: bool
    passkeys: int


async def let_in(db: Db, org: UUID, email: str, now: datetime, *, address: str) -> LetIn | None:
    """Remove what an account has beside its password, sign it out everywhere, and make a link.

    `address` is where people open MOS. None where nobody who may sign in by password has the
    address `email`. Its PINs end when the link is used, as with any new password.
    """
    known = await store.known_by_email(db, org, email.strip().lower())
    if known is None or known.disabled:
        return None
    passkeys = await store.remove_passkeys(db, org, known.account)
    totp = await store.remove_totp(db, org, known.account)
    await store.end_sessions(db, org, known.account, now)
    says = {"totp": totp, "passkeys": passkeys, "operator": True}
    log.note(db, org, Happened(event="second_factor_reset", of=known.account, says=says), now)
    link = await reset_link(db, org, known.account, now, address=address)
    return LetIn(known.account, link, totp, passkeys)
