"""The list of domains and what each plugs into synchronisation and the engine. Decides nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from mos.audit import log
from mos.audit import personal_data as audit_data
from mos.audit.model import Happened
from mos.calendar import personal_data as calendar_data
from mos.calendar import store as calendar
from mos.care import personal_data as care_data
from mos.care import store as care_store
from mos.care.actions import delegations, duty
from mos.db import Db, Scope
from mos.dispatch import erasure as dispatch_erasure
from mos.dispatch import personal_data as dispatch_data
from mos.meals import synced as meals_synced
from mos.medication import store as medication
from mos.medication import synced as medication_synced
from mos.plan import actions as plan
from mos.plan import store as plan_store
from mos.plan import synced as plan_synced
from mos.privacy import personal_data as privacy_data
from mos.privacy.declaring import Table
from mos.privacy.keyring import Keyring, keyring_of
from mos.review import personal_data as review_data
from mos.review.actions import samples
from mos.rights import personal_data as rights_data
from mos.rights import store as rights
from mos.speech import personal_data as speech_data
from mos.speech import store as speech
from mos.speech.actions import clips
from mos.sync import erasure
from mos.sync import personal_data as sync_data
from mos.sync.model import Change, Collection

# What reads all that rings.
_SOURCES = (plan_store.reminders, medication.orders)


def _followed(collection: Collection) -> Collection:
    """Return a collection whose changes the other domains follow after the one it belongs to."""
    first, then = collection.applied, medication_synced.FOLLOWS.get(collection.name)
    if first is None or then is None:
        return collection
    marks = medication_synced.MARKS.get(collection.name)

    async def applied(db: Db, org: UUID, changes: list[Change], now: datetime) -> None:
        await first(db, org, changes, now)
        await then(db, org, changes, now)

    return replace(collection, applied=applied, marks=marks)


# In the order in which one push is followed.
COLLECTIONS: dict[str, Collection] = {
    collection.name: _followed(collection)
    for collection in (
        *medication_synced.SYNCED,
        *plan_synced.synced(_SOURCES),
        *meals_synced.SYNCED,
    )
}

# What every table holds of whom.
PERSONAL_DATA: tuple[Table, ...] = (
    *care_data.PERSONAL_DATA,
    *sync_data.PERSONAL_DATA,
    *dispatch_data.PERSONAL_DATA,
    *calendar_data.PERSONAL_DATA,
    *audit_data.PERSONAL_DATA,
    *review_data.PERSONAL_DATA,
    *speech_data.PERSONAL_DATA,
    *rights_data.PERSONAL_DATA,
    *privacy_data.PERSONAL_DATA,
)

# What the worker asks of the domains: to keep plans ahead, to show alerts, and to tidy.
AHEAD_BELOW = plan.RENEW_BELOW
DUTY_BELOW = duty.RENEW_BELOW
short_rotas = care_store.short_rotas
renew_duty = duty.renew
organisations_that_delegate = care_store.organisations_that_delegate
tend_delegations = delegations.tend
draw_samples = samples.draw
retire = plan.retire
record_alerts = plan.record_alerts
tidy_clips = clips.tidy_clips


async def materialise(db: Db, org: UUID, spaces: Sequence[UUID], now: datetime) -> None:
    """Plan all that rings in `spaces`, reminders and orders, for the next 48 h."""
    await erasure.keep_out(db, org, spaces)
    await plan.materialise(db, org, spaces, now, _SOURCES)


async def erase(db: Db, org: UUID, space: UUID, now: datetime) -> bool:
    """Delete all that anybody knows of what a space holds, and of the medication beside it.

    Returns False where there is no such space. Sets the transaction's scope.
    """
    medication = care_store.medication_of(space)
    await db.scope(Scope(org, (space, medication)))
    await erasure.close(db, org, (space, medication))
    for each in (space, medication):
        await dispatch_erasure.erase(db, org, each)
        await calendar.erase(db, org, each)
        await speech.erase(db, org, each)
    await rights.erase_of_space(db, org, space)
    await erasure.erase(db, org, medication, now)
    log.note(db, org, Happened(event="erased", of=space), now)
    return await erasure.erase(db, org, space, now)


async def erase_person(
    db: Db, org: UUID, account: UUID, now: datetime, *, despite: str | None = None
) -> bool:
    """Erase somebody whole: their keys, what their space holds, and all that says who they were.

    The keys go first and at once: from then on nothing of them opens anywhere, and what is left
    where this fails half-way is taken by asking again. Copies of the key store die with the epoch
    (docs/keys.md). `despite` says why, where the law would have kept them. Returns False where
    there is no such account. Sets the transaction's scope.
    """
    await db.scope(Scope(org))
    kept = await care_store.kept_for(db, org, account)
    if kept is None:
        return False
    ring = keyring_of(db)
    if isinstance(ring, Keyring):
        await ring.erase(org, account, now)
    if kept.space is not None:
        await erase(db, org, kept.space, now)
    await db.scope(Scope(org, tuple(await care_store.spaces_of_organisation(db, org))))
    await speech.erase_voice(db, org, account)
    await db.scope(Scope(org))
    await rights.erase(db, org, account)
    await care_store.forget_person(db, org, kept, now, despite=despite)
    log.note(db, org, Happened(event="erased", of=account), now)
    return True
