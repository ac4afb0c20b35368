"""An organisation's rule that everybody who works there has a second step; for who manages all."""

from datetime import datetime

from msgspec import Struct

from mos.audit.model import Event
from mos.care import rules, store
from mos.care.actions.noting import note
from mos.care.actions.permit import require_whole
from mos.care.actions.step_up import require_step_up
from mos.care.model import Actor
from mos.db import Db


class Requirement(Struct, frozen=True):
    """From when on it is needed, null: by nobody; and how many of the staff have none yet."""

    since: datetime | None
    missing: int


class RequirementChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether everybody who works here needs one."""

    required: bool


async def requirement(db: Db, actor: Actor, now: datetime) -> Requirement:
    """Return the organisation's rule; raises Forbidden."""
    await require_whole(db, actor, now)
    found = await store.second_factor_rule(db, actor.org)
    return Requirement(found.since, found.missing)


async def require(db: Db, actor: Actor, wanted: RequirementChange, now: datetime) -> Requirement:
    """Turn the rule on, after a time of grace, or off; raises Forbidden or StepUpNeeded."""
    await require_whole(db, actor, now)
    await require_step_up(db, actor, now)
    await store.lock_organisation(db, actor.org)
    before = await store.second_factor_rule(db, actor.org)
    if wanted.required != (before.since is not None):
        since = now + rules.SECOND_FACTOR_GRACE if wanted.required else None
        await store.require_second_factor(db, actor.org, since)
        done: Event = "second_factor_required" if since else "second_factor_optional"
        note(db, actor, done, now)
    return await requirement(db, actor, now)
