"""Ask for all that there is of somebody, see how far it is, and fetch it.

Everybody asks for their own. Of a resident does, too, whoever manages their unit and sees both
their day and their medication: what is fetched is no more than they may see. Nobody fetches what
another has asked for, and what was lost since (a role, a relation) is asked for in vain.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.audit import access
from mos.audit.model import Touch
from mos.care import rules as care_rules
from mos.care import store as care
from mos.care.actions import permit
from mos.care.actions.noting import note, who
from mos.care.actions.step_up import StepUpNeeded, ways
from mos.care.model import Actor, Role
from mos.db import Db, Pool, Scope
from mos.kernel.errors import Conflict, Forbidden
from mos.kernel.ids import new_id
from mos.privacy.sealing import KeyGone, Sealer
from mos.rights import rules, store
from mos.rights.model import Export, Form, Language


class Asking(Struct, frozen=True, forbid_unknown_fields=True):
    """Of whom: the `space` of a resident's day, or without one yourself; the PDF's language."""

    language: Language
    space: UUID | None = None


class Fetched(Struct, frozen=True):
    """A file on its way out."""

    pieces: AsyncIterator[bytes]
    size: int
    at: datetime


async def mine(db: Db, actor: Actor, now: datetime) -> list[Export]:
    """Return what the actor has asked for within a week, the latest first."""
    return await store.exports(db, actor.org, actor.account, now)


async def ask(db: Db, actor: Actor, wanted: Asking, now: datetime) -> Export:
    """Ask for it; what is on its way, or less than an hour old, is not made twice.

    Raises NotFound, Forbidden or StepUpNeeded.
    """
    account = await _whom(db, actor, wanted.space, now)
    await _require_proof(db, actor, now)
    await store.lock_asking(db, actor.org, account, actor.account)
    there = await store.exports(db, actor.org, actor.account, now, account=account)
    if there and not rules.is_made_anew(there[0].state, there[0].asked_at, now):
        return there[0]
    export = new_id(now)
    await store.ask_anew(
        db, actor.org, export, account, by=actor.account, language=wanted.language, now=now
    )
    note(db, actor, "exported", now, of=account, export=export, step="asked")
    [made] = await store.exports(db, actor.org, actor.account, now, one=export)
    return made


async def drop(db: Db, actor: Actor, export: UUID) -> None:
    """Delete what the actor has asked for; raises NotFound."""
    if not await store.drop(db, actor.org, export, by=actor.account):
        raise permit.no_such("export")


async def fetch(pool: Pool, actor: Actor, export: UUID, form: Form, now: datetime) -> Fetched:
    """Return a file that the actor has asked for; of a resident, the access log says so.

    Raises NotFound, Forbidden or StepUpNeeded, and Conflict (`not_made`) while it is none.
    """
    async with pool.transaction(Scope(actor.org)) as db:
        found = await store.exports(db, actor.org, actor.account, now, one=export)
        if not found:
            raise permit.no_such("export")
        [it] = found
        if it.account != actor.account:
            await _whom(db, actor, it.space, now)
        await _require_proof(db, actor, now)
        size = it.json_size if form == "json" else it.pdf_size
        if size is None:
            raise Conflict("It is not made yet.", code="not_made")
        try:
            sealer = await store.sealer_of(db, actor.org, it.account)
        except KeyGone:
            raise permit.no_such("export") from None
        await store.fetched(db, actor.org, export, now)
        note(db, actor, "exported", now, of=it.account, export=export, step="fetched", form=form)
        if it.space is not None:
            medication = care.medication_of(it.space)
            touched = [Touch(it.space, "day"), Touch(medication, "medication")]
            await access.log(db, who(actor), "exported", touched, now)
    return Fetched(_pieces(pool, actor.org, it, form, sealer), size, it.asked_at)


async def _pieces(
    pool: Pool, org: UUID, it: Export, form: Form, sealer: Sealer | None
) -> AsyncIterator[bytes]:
    n = 0
    while True:
        # A piece at a time: whoever is slow to fetch keeps no connection of the database.
        async with pool.transaction(Scope(org)) as db:
            piece = await store.piece(db, org, it, form, n, sealer)
        if piece is None:
            return
        yield piece
        n += 1


async def _whom(db: Db, actor: Actor, space: UUID | None, now: datetime) -> UUID:
    """Return whose account it is; raises NotFound or Forbidden where it is not theirs to ask."""
    if space is None:
        return actor.account
    if actor.role is Role.RESIDENT:
        [*found] = await care.residents_of_spaces(db, actor.org, [space])
        if not found or found[0].account != actor.account:
            raise permit.no_such("resident")
        return actor.account
    if actor.role is Role.ADMIN:
        raise Forbidden("Administrators see nobody's day: whoever manages the unit may do this.")
    resident = await permit.managed_resident(db, actor, space, now)
    seen = (await permit.seen_residents(db, actor, now)).get(space, {})
    if care.medication_of(space) not in seen:
        raise Forbidden("Only who sees both the day and the medication may do this.")
    return resident.account


async def _require_proof(db: Db, actor: Actor, now: datetime) -> None:
    """Let those pass who have just proved who they are, and residents who have nothing to do so.

    A resident's tablet is signed in by a link: it is all that they have.
    """
    if care_rules.is_stepped_up(actor.strong_at, now):
        return
    methods = await ways(db, actor)
    if methods or actor.role is not Role.RESIDENT:
        raise StepUpNeeded(methods)
