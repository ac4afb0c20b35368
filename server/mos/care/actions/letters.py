"""Mail to people's own addresses about their account; never about whom they help or live with."""

from datetime import datetime
from uuid import UUID

from mos.care import store
from mos.db import Pool, Scope
from mos.dispatch.channels.compose import moment
from mos.dispatch.channels.message import Message
from mos.dispatch.channels.messengers import Messengers
from mos.dispatch.channels.result import Result
from mos.dispatch.channels.words import Kind, words
from mos.kernel.ids import new_id

CHANNEL = "email"


async def send(  # noqa: PLR0913  to whom, what and when
    pool: Pool,
    messengers: Messengers,
    org: UUID,
    account: UUID,
    kind: Kind,
    *,
    now: datetime,
    **parts: str,
) -> Result:
    """Send a mail to an account's address, in its language, outside of any transaction.

    What could not be sent is not tried again: whoever waits for it asks anew.
    """
    async with pool.transaction(Scope(org=org)) as db:
        person = await store.account(db, org, account)
    if person is None or person.email is None:
        return Result("refused", "no_address")
    said = words(person.language, kind, url=messengers.public_url, **parts)
    message = Message(
        id=new_id(now),
        to=person.email,
        subject=said.subject,
        text=said.text,
        data={"type": kind, "timestamp": moment(now), "data": {}},
    )
    return await messengers.send(pool, org, CHANNEL, message, now)
