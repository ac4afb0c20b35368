"""Notices: what some people should know, and nobody has to take."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from mos.db import Db, Queries

_sql = Queries(__package__, "notices.sql")

_TELL_PEOPLE = _sql.command("tell_people")


async def tell_people(  # noqa: PLR0913  what names the notice
    db: Db,
    org: UUID,
    space: UUID,
    subject: str,
    accounts: Sequence[UUID],
    *,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Queue a notice to these accounts; `subject` is "kind/id", and its kind all that is said.

    `space`, which must be in the scope, is whom it is about.
    """
    await db.run(
        _TELL_PEOPLE,
        org=org,
        space=space,
        subject=subject,
        accounts=accounts,
        expires=expires_at,
        now=now,
    )
