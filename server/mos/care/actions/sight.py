"""What a person sees and may do, told to whoever manages them: "vad ser Anna?"."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care import rules, store
from mos.care.actions import permit
from mos.care.model import Actor, Permission
from mos.db import Db
from mos.kernel.errors import Invalid


class Sight(Struct, frozen=True):
    """What one person may do for one resident, in the order of the table; empty: nothing.

    A word that holds in neither of the resident's two spaces, since that space is not seen, is not
    here, whatever a relation says.
    """

    space: UUID
    permissions: list[Permission]


async def sight_of(
    db: Db, actor: Actor, account: UUID, now: datetime, *, at: datetime | None
) -> list[Sight]:
    """Return what `account` may do for each resident whom the actor manages, by their name.

    At `now`, or as it will be at a later instant, if nobody changes anything. It is reckoned by
    the function that opens the doors (`store.access`), not by a copy of its rules. Raises
    Forbidden, NotFound, or Invalid for an instant that has been: the log says what was seen then.
    """
    reach = await permit.require_reach(db, actor, now)
    found = await store.accounts_within(db, actor.org, reach, now, account=account)
    if not found:
        raise permit.no_such("account")
    moment = at or now
    if moment.tzinfo is None or moment < now:
        raise Invalid("Give now or later, with a zone; the log tells of before.", field="at")
    person = found[0]
    who = Actor(
        org=actor.org, account=person.id, role=person.role, session=actor.session, device=None
    )
    accesses = [] if person.disabled else await store.access(db, who, moment)
    held: dict[UUID, frozenset[Permission]] = {}
    for access in accesses:
        of = access.of or access.space
        held[of] = held.get(of, frozenset()) | rules.words_in(access.kind, access.permissions)
    residents = await store.residents_within(db, actor.org, reach)
    return [
        Sight(resident.space, [each for each in Permission if each in held.get(resident.space, ())])
        for resident in residents
        if resident.archived_at is None
    ]
