"""Clips: what somebody has recorded to be heard in place of a voice."""

from datetime import datetime, timedelta
from uuid import UUID

from mos.care import store as care
from mos.care.actions import permit
from mos.care.model import Actor, Permission
from mos.care.rules import may
from mos.db import Db, Pool, Scope
from mos.kernel.errors import Conflict, Invalid
from mos.privacy.sealing import KeyGone
from mos.speech import rules, store
from mos.speech.model import Clip

# A change that drops a clip can be taken back, and a device may be on its way with one that refers
# to it.
KEPT = timedelta(days=7)
# Of one resident: some hundred recordings.
_MOST_CLIPS = 300
_MOST_BYTES = 40_000_000


async def add_clip(  # noqa: PLR0913  one more than five
    pool: Pool, actor: Actor, space: UUID, name: str, *, audio: bytes, now: datetime
) -> None:
    """Keep a clip that reminders of a resident's day can refer to. A second time changes nothing.

    Raises NotFound: not theirs to plan for; Invalid: no clip, or another one than its name says;
    Conflict: there are too many.
    """
    clip = _read_name(name)
    async with pool.transaction(Scope(org=actor.org, spaces=(space,))) as db:
        await _require_day(db, actor, space, Permission.PLAN_EDIT, now)
        kind = rules.kind_of(audio)
        if rules.name_of(audio) != clip:
            raise Invalid(
                "A clip is called by its SHA-256, and this one is another.",
                field="audio",
                code="clip_differs",
            )
        await care.lock_space(db, actor.org, space)
        held = await store.clips_held(db, actor.org, space, but=clip)
        if held.count >= _MOST_CLIPS or held.bytes + len(audio) > _MOST_BYTES:
            raise Conflict(
                "This resident has as many clips as there is room for: remove some first.",
                code="clips_full",
            )
        try:
            await store.add_clip(
                db, actor.org, space, clip, kind=kind, body=audio, by=actor.account, now=now
            )
        except KeyGone:
            raise permit.no_such("resident") from None


async def read_clip(pool: Pool, actor: Actor, space: UUID, name: str, now: datetime) -> Clip:
    """Return a clip of a resident whose plan the actor sees. Raises NotFound."""
    clip = _read_name(name)
    async with pool.transaction(Scope(org=actor.org, spaces=(space,))) as db:
        await _require_day(db, actor, space, Permission.PLAN_VIEW, now)
        found = await store.clip(db, actor.org, space, clip)
    if found is None:
        raise permit.no_such("clip")
    return found


async def tidy_clips(db: Db, org: UUID, space: UUID, now: datetime) -> int:
    """Delete what no reminder of a locked space has referred to for KEPT; return how many."""
    used = await store.used_clips(db, org, space)
    if used is None:
        return 0
    await store.mark_clips(db, org, space, used, now)
    return await store.forget_clips(db, org, space, now - KEPT)


async def _require_day(
    db: Db, actor: Actor, space: UUID, permission: Permission, now: datetime
) -> None:
    spaces = await permit.seen_spaces(db, actor, space, now)
    if not may(actor, permission, spaces[space]):
        raise permit.no_such("resident")


def _read_name(name: str) -> bytes:
    try:
        clip = bytes.fromhex(name)
    except ValueError:
        clip = b""
    if clip.hex() != name or len(clip) != 32:
        raise permit.no_such("clip")
    return clip
