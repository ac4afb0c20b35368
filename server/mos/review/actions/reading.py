"""Reading the logs: managers and auditors all that is theirs, residents who has seen them."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from mos.audit.chain import moment
from mos.audit.model import Event, Kind
from mos.care import rules as care_rules
from mos.care import store as care
from mos.care.actions import permit
from mos.care.model import Actor, Permission, Reach, Role
from mos.db import Db
from mos.kernel.errors import Forbidden, Invalid
from mos.kernel.zones import instant_of, zone
from mos.review import rules, store
from mos.review.model import Access, Choices, Line, Named, Reading, SeenPage

_PAGE = 50
_USUAL = timedelta(days=30)
# Older than anything that is kept.
_EARLIEST = date(1900, 1, 1)
# A line's number is a bigint.
_LAST_LINE = 2**63 - 1
# A week, the day that is asked for included: more would not be read.
_SEEN_DAYS = timedelta(days=6)

Moment = Annotated[datetime, Meta(tz=True)]


class Asked(Struct, frozen=True):
    """Which accesses somebody asks for; without `since` the last thirty days before `until`."""

    space: UUID | None = None
    account: UUID | None = None
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None


class AccessPage(Struct, frozen=True):
    """Lines, latest first; `next` asks for those that follow, None where there are none."""

    entries: list[Access]
    next: str | None


class ChainPage(Struct, frozen=True):
    """Lines of the chain, latest first; `next` asks for those that follow."""

    lines: list[Line]
    next: int | None


async def reading_of(db: Db, actor: Actor, now: datetime) -> Reading:
    """Return what the actor may read; of those who may read nothing, nothing."""
    reach = await care.reach(db, actor, now)
    is_steward = bool(await care.stewards(db, actor.org, now, account=actor.account))
    return rules.reading(actor.role, reach, is_steward=is_steward)


async def require_accesses(db: Db, actor: Actor, now: datetime) -> Reading:
    """Let the rest of the transaction read the accesses that are the actor's; raises Forbidden."""
    reading = await reading_of(db, actor, now)
    if not reading.accesses:
        raise Forbidden("Only auditors and who manages a unit may read who saw what.")
    await store.let_read(db, reading)
    return reading


async def choices(db: Db, actor: Actor, now: datetime) -> Choices:
    """Return what the actor may read, and whom they can choose; raises Forbidden."""
    reading = await reading_of(db, actor, now)
    if not reading.accesses and not reading.chain:
        raise Forbidden("Only auditors and who manages may read the logs.")
    reach = await care.reach(db, actor, now)
    if actor.role is Role.AUDITOR:
        reach = Reach(everything=True, units=frozenset())
    residents = await care.residents_within(db, actor.org, reach) if reading.accesses else []
    people = await care.accounts_within(db, actor.org, reach, now)
    return Choices(
        accesses=reading.accesses,
        events=reading.chain,
        residents=[Named(each.space, each.name) for each in residents],
        people=[Named(each.id, each.name, each.role) for each in people],
    )


async def accesses(  # noqa: PLR0913  which, and how many
    db: Db,
    actor: Actor,
    asked: Asked,
    after: str | None,
    now: datetime,
    *,
    limit: int = _PAGE,
) -> AccessPage:
    """Return a page of the access log; raises Forbidden or Invalid."""
    await require_accesses(db, actor, now)
    place = _place(after) if after else None
    found = await store.accesses(db, actor.org, _filter(asked, now), place, limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    return AccessPage(shown, f"{shown[-1].at.isoformat()}/{shown[-1].id}" if more else None)


async def chain(  # noqa: PLR0913  which
    db: Db,
    actor: Actor,
    asked: Asked,
    now: datetime,
    *,
    event: Event | None,
    before: int | None,
) -> ChainPage:
    """Return a page of the organisation's chain; raises Forbidden or Invalid."""
    reading = await reading_of(db, actor, now)
    if not reading.chain:
        raise Forbidden("Only auditors and who manages the whole organisation may read this.")
    if before is not None and not 1 <= before <= _LAST_LINE:
        raise Invalid("Name the line by the number that it was shown with.", field="before")
    await store.let_read(db, reading)
    wanted = _filter(asked, now)
    found = await store.chain(
        db,
        actor.org,
        between=(moment(wanted.since), moment(wanted.until)),
        event=event,
        account=asked.account,
        before=before,
        limit=_PAGE + 1,
    )
    shown = found[:_PAGE]
    return ChainPage(shown, shown[-1].n if len(found) > _PAGE else None)


async def seen(db: Db, actor: Actor, space: UUID, before: date | None, now: datetime) -> SeenPage:
    """Return who has seen a resident's data on seven days up to `before`.

    Raises NotFound, and Invalid for a day in which no log was written.
    For the resident, for whoever has `log.view`, and for those who manage the resident.
    """
    await _require_view(db, actor, space, now)
    await store.let_read(db, Reading(everything=False, units=frozenset(), chain=False), [space])
    place = (await care.organisation(db, actor.org)).zone
    today = now.astimezone(zone(place)).date()
    last = before or today
    # At the ends of the calendar there is no day before, or no day after.
    if not _EARLIEST < last <= today + _USUAL:
        raise Invalid("Say a day between 1900 and this month.", field="before")
    since = last - _SEEN_DAYS
    begins = instant_of(since, 0, place)
    until = instant_of(last + timedelta(days=1), 0, place)
    found = await store.seen(db, actor.org, space, begins, until, place)
    earlier = await store.latest_before(db, actor.org, space, begins)
    day = earlier.astimezone(zone(place)).date() if earlier else None
    return SeenPage(since, place, found, day)


async def _require_view(db: Db, actor: Actor, space: UUID, now: datetime) -> None:
    access = await permit.access_to(db, actor, space, now)
    if access is not None and care_rules.may(actor, Permission.LOG_VIEW, access):
        return
    reading = await reading_of(db, actor, now)
    found = await care.residents_of_spaces(db, actor.org, [space])
    if not found or not (reading.everything or found[0].unit in reading.units):
        raise permit.no_such("resident")


def _filter(asked: Asked, now: datetime) -> store.Filter:
    until = asked.until or now + timedelta(seconds=1)
    if until.tzinfo is None or (asked.since and asked.since.tzinfo is None):
        raise Invalid("Say when with a time zone, as in 2026-11-29T00:00:00Z.", field="since")
    since = asked.since or until - _USUAL
    if since >= until:
        raise Invalid("The period ends before it begins.", field="until")
    return store.Filter(since, until, asked.space, asked.account, asked.kind)


def _place(text: str) -> tuple[datetime, UUID]:
    at, _, entry = text.partition("/")
    try:
        place = datetime.fromisoformat(at), UUID(entry)
    except ValueError as error:
        raise Invalid("There is no such place: begin again.", field="after") from error
    if place[0].tzinfo is None:
        raise Invalid("There is no such place: begin again.", field="after")
    return place
