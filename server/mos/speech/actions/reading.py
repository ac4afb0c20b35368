"""Reading aloud what is planned."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from mos.care import store as care
from mos.care.actions import permit
from mos.care.model import Actor
from mos.db import Db, Pool, Scope
from mos.speech import rules, store
from mos.speech.actions.voice import Voice
from mos.speech.model import Sound, Words


class Said(Struct, frozen=True):
    """What is said of a record: its tag, and the sound unless the device has it already."""

    tag: str
    sound: Sound | None


async def read_aloud(  # noqa: PLR0913  one more than five
    pool: Pool, voice: Voice, actor: Actor, space: UUID, rec: UUID, *, has: str, now: datetime
) -> Said:
    """Return a reminder or an order of a resident, said aloud in their language.

    `has` is the header If-None-Match. Raises NotFound: no such record, not theirs to see, or (code
    `no_voice`) nobody here to say it.
    """
    async with pool.transaction(Scope(org=actor.org, spaces=(space,))) as db:
        words = await _words(db, actor, space, rec, now)
    tag = rules.tag_of(words, voice.name)
    if tag in {each.strip().removeprefix("W/") for each in has.split(",")}:
        return Said(tag, None)
    return Said(tag, await voice.say(words))


async def _words(db: Db, actor: Actor, space: UUID, rec: UUID, now: datetime) -> Words:
    spaces = list(await permit.seen_spaces(db, actor, space, now))
    await db.widen(set(spaces) - {space})
    planned = await store.planned(db, spaces, rec)
    people = await care.residents_of_spaces(db, actor.org, [space])
    words = rules.words_of(planned, people[0].language) if planned and people else None
    if words is None:
        raise permit.no_such("resident" if not people else "record")
    return words
