"""Trips that begin and end inside one session."""

from datetime import datetime

from msgspec import Struct

from mos.care import store
from mos.care.actions.doorkeeper import count, session_limit
from mos.care.actions.oidc import trips
from mos.care.actions.oidc.asking import Answer, Desk, Told, hear
from mos.care.actions.oidc.trips import Kind, Trip
from mos.care.model import Actor
from mos.db import Scope


class HeardInSession(Struct, frozen=True):
    """Whom the provider names, and when the actor set out to it."""

    told: Told
    asked_at: datetime


def trip_of(desk: Desk, actor: Actor, kind: Kind, provider: store.IdentityProvider) -> Trip:
    """Return a trip that ends in the session in which it began."""
    return Trip(
        kind=kind,
        org=actor.org,
        provider=trips.fingerprint(provider),
        begun=int(desk.now.timestamp()),
        random=trips.random(),
        session=actor.session,
        account=actor.account,
    )


async def heard(
    desk: Desk, actor: Actor, kind: Kind, cookie: str | None, answer: Answer
) -> HeardInSession:
    """Return whom the provider names; raises Unauthenticated, Conflict or TooMany.

    Tries are counted for the session, as those of a password are.
    """
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        limit = session_limit(desk.door, actor)
        await count(db, limit, desk.now)
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        packed = await trips.come_back(
            db, desk.door, cookie, state=answer.state, kinds=(kind,), now=desk.now
        )
    if (packed.trip.org, packed.trip.session) != (actor.org, actor.session):
        raise trips.ended()
    told = await hear(desk, packed, answer)
    async with desk.pool.transaction(Scope(org=actor.org)) as db:
        await store.forget_tries(db, limit.key)
    return HeardInSession(told, packed.trip.begun_at)
