"""Whose ops a push carries: those of whoever sends it, or of a session that signed them."""

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from mos.care import rules, store
from mos.care.actions.session_keys import SessionKeys
from mos.care.model import Actor
from mos.db import Db
from mos.kernel.errors import Forbidden
from mos.sync.authorship import LATE
from mos.sync.model import Author, Collections, Held, PushHead, Reach, SignedBy
from mos.web.sync_access import grants


class Writer(Struct, frozen=True):
    """Who wrote a batch, and, where another session sends it, when theirs began and ended."""

    actor: Actor
    during: tuple[datetime, datetime] | None = None
    # Whose account is closed has lost every right, and may still have sent nothing of what was.
    is_disabled: bool = False


async def signed_writer(
    db: Db, keys: SessionKeys, sender: Actor, request: PushHead, signed: SignedBy
) -> Writer:
    """Return whose session signed the batch; raises Forbidden, the same whatever is wrong.

    It may have ended, but it was opened on the device that sends, in the same organisation.
    """
    ops = (bytes(op) for op in request.ops)
    is_signed = keys.is_signed(
        signed.sid, signed.mac, device=request.device_id, batch=request.batch, ops=ops
    )
    found = await store.session_author(db, sender.org, signed.sid) if is_signed else None
    if found is None or found.device != request.device_id:
        raise Forbidden("This was signed by no session of this device.", code="not_the_author")
    actor = structs.replace(sender, account=found.account, role=found.role, session=signed.sid)
    return Writer(actor, (found.since, found.until), found.disabled)


async def author_of(
    db: Db, writer: Writer, request: PushHead, collections: Collections, now: datetime
) -> Author:
    """Return the author of a batch and where they may, or might until lately."""
    actor = writer.actor
    accesses = [] if writer.is_disabled else await store.access(db, actor, now)
    granted = grants(actor, accesses)
    reach = {space: frozenset(grant.permissions) for space, grant in granted.items()}
    # Nearly always they may what they wrote: then nobody asks what they might before.
    asks = _is_beyond(request, reach, collections)
    return Author(
        org=actor.org,
        account=actor.account,
        session=actor.session,
        device=request.device_id,
        reach=reach,
        had=await _had(db, actor, now) if asks else {},
        during=writer.during,
        schema=request.schema,
    )


async def _had(db: Db, actor: Actor, now: datetime) -> dict[UUID, tuple[Held, ...]]:
    had: dict[UUID, tuple[Held, ...]] = defaultdict(tuple)
    for ended in await store.ended_access(db, actor, after=now - LATE, now=now):
        # What one might not see, one did not write in either.
        words = frozenset(word.value for word in rules.words_in(ended.kind, ended.permissions))
        if words:
            had[ended.space] += (Held(words, ended.since, ended.until),)
    return had


class _Place(Struct, frozen=True):
    space: Any = None
    k: Any = None
    coll: Any = None


_place = msgspec.json.Decoder(_Place).decode


def _is_beyond(request: PushHead, reach: Reach, collections: Collections) -> bool:
    """Say whether a batch names a space beyond `reach`, or an event that it does not allow.

    What cannot be read is judged elsewhere.
    """
    words = {str(space): given for space, given in reach.items()}
    for op in request.ops:
        try:
            place = _place(op)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        given = words.get(str(place.space))
        if given is None:
            return True
        collection = collections.get(str(place.coll)) if place.k == "event" else None
        if collection is not None and collection.write not in given:
            return True
    return False
