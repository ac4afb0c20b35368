"""What speech reads of records, and the clips that it keeps, sealed for their resident."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.db import Db, Queries
from mos.privacy.keyring import Unsealed, keyring_of
from mos.privacy.sealing import KeyGone, Sealer
from mos.speech import rules
from mos.speech.model import Clip, ClipKind, Held, Planned
from mos.sync import store as records

_PLACE = "clip|body"


class _Answer(Struct, frozen=True):
    yes: bool


_sql = Queries(__package__, "store.sql")
_PLANNED = _sql.query("planned", Planned)
_CLIP = _sql.query("clip", Clip)
_CLIPS_HELD = _sql.query("clips_held", Held)
_ADD_CLIP = _sql.command("add_clip")
_HAS_CLIPS = _sql.query("has_clips", _Answer)
_MARK_CLIPS = _sql.command("mark_clips")
_FORGET_CLIPS = _sql.command("forget_clips")
_ERASE_CLIPS = _sql.command("erase_clips")
_ERASE_VOICE = _sql.command("erase_voice")


async def planned(db: Db, spaces: Sequence[UUID], rec: UUID) -> Planned | None:
    """Return the reminder or order of this id in one of `spaces`, which the scope must show."""
    found = await db.one(_PLANNED, spaces=list(spaces), rec=rec)
    opened = await records.opened(db, found.coll, [found]) if found else []
    return opened[0] if opened else None


async def clip(db: Db, org: UUID, space: UUID, clip: bytes) -> Clip | None:
    """Return a clip, opened; None where there is none, or its resident was erased."""
    found = await db.one(_CLIP, org=org, space=space, clip=clip)
    if found is None:
        return None
    with suppress(KeyGone):
        sealer = await _sealer(db, org, space)
        if sealer is None:
            return found
        return Clip(found.kind, sealer.open(_context(org, space, clip), found.body))
    return None


async def clips_held(db: Db, org: UUID, space: UUID, *, but: bytes) -> Held:
    """Return how much a resident's clips are, one of them not counted."""
    held = await db.one(_CLIPS_HELD, org=org, space=space, but=but)
    return held or Held(0, 0)


async def add_clip(  # noqa: PLR0913  one more than five
    db: Db,
    org: UUID,
    space: UUID,
    clip: bytes,
    *,
    kind: ClipKind,
    body: bytes,
    by: UUID,
    now: datetime,
) -> None:
    """Keep a clip, sealed; one that is there already stays. Raises KeyGone of somebody erased."""
    sealer = await _sealer(db, org, space, make=True)
    sealed = sealer.seal(_context(org, space, clip), body) if sealer else body
    await db.run(
        _ADD_CLIP,
        org=org,
        space=space,
        clip=clip,
        kind=kind,
        body=sealed,
        size=len(body),
        by=by,
        now=now,
    )


async def used_clips(db: Db, org: UUID, space: UUID) -> set[bytes] | None:
    """Return which clips a space's reminders refer to; None where it keeps no clips at all."""
    answer = await db.one(_HAS_CLIPS, org=org, space=space)
    if answer is None or not answer.yes:
        return None
    docs = await records.docs_of_spaces(db, [space], "reminder")
    return rules.clips_of(found.doc for found in docs)


async def mark_clips(
    db: Db, org: UUID, space: UUID, used: Collection[bytes], now: datetime
) -> None:
    """Note which of a space's clips are used, and since when the others are not."""
    await db.run(_MARK_CLIPS, org=org, space=space, used=list(used), now=now)


async def forget_clips(db: Db, org: UUID, space: UUID, before: datetime) -> int:
    """Delete a space's clips that were not used since a moment; return how many."""
    return await db.run(_FORGET_CLIPS, org=org, space=space, before=before)


async def erase(db: Db, org: UUID, space: UUID) -> None:
    """Delete every clip of a space, which must be in the scope."""
    await db.run(_ERASE_CLIPS, org=org, space=space)


async def _sealer(db: Db, org: UUID, space: UUID, *, make: bool = False) -> Sealer | None:
    ring = keyring_of(db)
    if isinstance(ring, Unsealed):
        return None
    subject = (await ring.subjects.of(db, org, [space]))[space]
    return (await ring.opened(org, [subject], make=make)).sealer(subject, _PLACE)


def _context(org: UUID, space: UUID, clip: bytes) -> bytes:
    return f"{org}|{space}|{clip.hex()}".encode()


async def erase_voice(db: Db, org: UUID, account: UUID) -> None:
    """Delete what an account has recorded for the spaces in scope."""
    await db.run(_ERASE_VOICE, org=org, account=account)
