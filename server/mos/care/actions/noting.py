"""What an actor does that security rests on goes into the audit log, with who they are."""

from datetime import datetime
from typing import Any
from uuid import UUID

from mos.audit import log
from mos.audit.model import INSTALLATION, Event, Happened, Who
from mos.care.model import Actor
from mos.db import Db


def who(actor: Actor) -> Who:
    """Return an actor as the logs know them."""
    return Who(actor.org, actor.account, actor.session, actor.device)


def note(
    db: Db, actor: Actor, event: Event, now: datetime, *, of: UUID | None = None, **says: Any
) -> None:
    """Add a line to the audit log when the transaction commits: ids, words and numbers alone."""
    log.note_by(db, who(actor), event, now, of=of, **says)


def note_failed(  # noqa: PLR0913  what a line says
    db: Db, org: UUID, whom: UUID | None, way: str, now: datetime, *, locked: bool = False
) -> None:
    """Add that somebody was not let in: to `whom`, where that is anybody of this organisation's.

    `locked`: and that the door is closed for a while now. No address is written down.
    """
    log.note(db, org, Happened(event="sign_in_failed", of=whom, says={"way": way}), now)
    if locked:
        log.note(db, org, Happened(event="locked_out", of=whom, says={"way": way}), now)


def chain_of(org: UUID, *, is_known: bool) -> UUID:
    """Return whose chain it goes into: of an organisation that there is not, the installation's."""
    return org if is_known else INSTALLATION
