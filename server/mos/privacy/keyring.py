"""The keyring: opens the keys of subjects, keeps them in memory for a minute, forgets the erased.

    opened = await keyring.opened(org, subjects)      # one round trip, or none
    opened.sealer(subject, "account|name").seal_text(context, plain)

A subject is a person (the account's id) or, for what belongs to nobody alone, the organisation
itself. Keys are made when something is first sealed for somebody, and never again for the erased.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import structlog

from mos.db import Db, DbError, Pool, connect
from mos.kernel.settings import Settings
from mos.privacy import epochs, hierarchy, keystore
from mos.privacy.sealing import KeyGone, Sealer
from mos.privacy.subjects import Subjects

_log = structlog.get_logger(__name__)

# For how long an opened key may be used without the key store being asked again, seconds.
LIFE_S = 60.0
_SWEEP_S = 5.0
_AGAIN_S = 1.0
_TRIES = 5

Name = tuple[UUID, UUID]


class Person:
    """One subject's opened keys, by version, and the sealers made of them. Shows none of it."""

    __slots__ = ("_keys", "_sealers", "until")

    def __init__(self, keys: Mapping[int, bytes], until: float) -> None:
        """Keep keys until a moment of the monotonic clock."""
        self._keys = dict(keys)
        self._sealers: dict[str, Sealer] = {}
        self.until = until

    def sealer(self, place: str) -> Sealer:
        """Return what seals and opens the subject's values in "table|column"."""
        sealer = self._sealers.get(place)
        if sealer is None:
            keys = {
                version: hierarchy.record_key(key, place) for version, key in self._keys.items()
            }
            sealer = self._sealers[place] = Sealer(keys)
        return sealer

    def digest(self, place: str, text: bytes) -> str:
        """Return what two equal texts of the subject have in common in "table|column"."""
        return hierarchy.keyed_digest(self._keys[max(self._keys)], place, text)

    def blind(self, kind: str, value: str) -> bytes:
        """Return what a value is looked up by; of an organisation's own key alone."""
        return hierarchy.blind(self._keys[1], kind, value)

    def ledger_hash(self, subject: UUID) -> bytes:
        """Return how the ledger remembers `subject`; of an organisation's own key alone."""
        return hierarchy.ledger_hash(self._keys[1], subject)


class Opened:
    """The keys of some subjects, for the length of one request."""

    __slots__ = ("_people",)

    def __init__(self, people: Mapping[UUID, Person]) -> None:
        """Hold opened keys by subject."""
        self._people = people

    def person(self, subject: UUID) -> Person:
        """Return a subject's keys; raises KeyGone where there are none."""
        person = self._people.get(subject)
        if person is None:
            raise KeyGone("there is no key for this person")
        return person

    def sealer(self, subject: UUID, place: str) -> Sealer:
        """Return what seals a subject's values in "table|column"; raises KeyGone."""
        return self.person(subject).sealer(place)

    def __contains__(self, subject: UUID) -> bool:
        """Say whether a subject has a key."""
        return subject in self._people


class Keyring:
    """Opens subjects' keys out of the key store, with the epoch keys of a folder."""

    def __init__(
        self, pool: Pool, secrets: Path, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Ask the store behind `pool`; `secrets` is the folder of the epoch keys."""
        self._pool = pool
        self._secrets = secrets
        self._monotonic = monotonic
        self._people: dict[Name, Person] = {}
        self._epochs: dict[int, tuple[bytes, float]] = {}
        self.subjects = Subjects()
        # How often somebody was forgotten: what was asked for before that may not be kept.
        self._forgotten = 0

    async def opened(self, org: UUID, subjects: Iterable[UUID], *, make: bool = False) -> Opened:
        """Return the keys of `subjects`; with `make` who has none and was not erased gets one.

        One round trip to the key store for all that are not in memory. Raises OSError or DbError
        when it cannot be asked, EpochKeyMissing (an OSError) without the epoch key, and SealBroken
        for a key that was tampered with.
        """
        now = self._monotonic()
        found: dict[UUID, Person] = {}
        missing = []
        for subject in set(subjects):
            person = self._people.get((org, subject))
            if person is not None and person.until > now:
                found[subject] = person
            else:
                missing.append(subject)
        if missing:
            fetched = await self._fetch(org, missing)
            if make and (unmade := [each for each in missing if each not in fetched]):
                fetched |= await self._make(org, unmade)
            found |= fetched
        return Opened(found)

    async def erase(self, org: UUID, subject: UUID, now: datetime) -> int:
        """Delete a subject's keys for good; return how many versions there were.

        What was sealed for them opens nowhere from now on; copies of the key store die with the
        epoch. Every process forgets the opened keys at once.
        """
        opened = await self.opened(org, [org], make=True)
        hash_ = opened.person(org).ledger_hash(subject)
        async with self._pool.transaction() as db:
            count = await keystore.erase_subject(db, org, subject, hash_, now)
        self.forget(org, subject)
        return count

    async def is_erased(self, org: UUID, subject: UUID) -> bool:
        """Say whether somebody was erased."""
        opened = await self.opened(org, [org])
        if org not in opened:
            return False
        async with self._pool.transaction() as db:
            return await keystore.is_tombstoned(db, org, opened.person(org).ledger_hash(subject))

    def forget(self, org: UUID, subject: UUID) -> None:
        """Drop what is in memory of a subject."""
        self._forgotten += 1
        self._people.pop((org, subject), None)

    def forget_all(self) -> None:
        """Drop everything that is in memory."""
        self._forgotten += 1
        self._people.clear()
        self._epochs.clear()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear of erasures, and drop what is older than a minute, while the block runs."""
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._sweep())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            self.forget_all()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._pool.listen(keystore.CHANNEL) as heard:
                    # What was said before we listened, nobody told us.
                    self.forget_all()
                    async for payload in heard:
                        org, _, subject = payload.partition("/")
                        self.forget(UUID(org), UUID(subject))
            except (OSError, DbError) as error:
                _log.warning("keys_not_heard", kind=type(error).__name__)
            self.forget_all()
            await asyncio.sleep(_AGAIN_S)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = self._monotonic()
            for name in [name for name, person in self._people.items() if person.until <= now]:
                del self._people[name]
            for number in [number for number, (_, until) in self._epochs.items() if until <= now]:
                del self._epochs[number]

    async def _fetch(self, org: UUID, subjects: list[UUID]) -> dict[UUID, Person]:
        for attempt in range(1, _TRIES + 1):
            forgotten = self._forgotten
            async with self._pool.unscoped() as db:
                rows = await keystore.keys_of(db, org, subjects)
            try:
                keys = self._unwrap(org, rows)
            except epochs.EpochKeyMissing:
                # A rotation may have come between the look into the store and the file.
                if attempt == _TRIES:
                    raise
                continue
            return self._keep(org, keys, forgotten)
        raise AssertionError("unreachable")

    def _unwrap(self, org: UUID, rows: list[keystore.Wrapped]) -> dict[UUID, dict[int, bytes]]:
        wraps: dict[int, hierarchy.Wrap] = {}
        keys: dict[UUID, dict[int, bytes]] = {}
        for row in rows:
            wrap = wraps.get(row.epoch)
            if wrap is None:
                wrap = wraps[row.epoch] = hierarchy.Wrap(self._epoch(row.epoch), row.epoch, org)
            opened = wrap.unwrap(row.subject, row.version, row.wrapped)
            keys.setdefault(row.subject, {})[row.version] = opened
        return keys

    def _keep(
        self, org: UUID, keys: dict[UUID, dict[int, bytes]], forgotten: int
    ) -> dict[UUID, Person]:
        until = self._monotonic() + LIFE_S
        people = {subject: Person(versions, until) for subject, versions in keys.items()}
        if forgotten == self._forgotten:
            for subject, person in people.items():
                self._people[org, subject] = person
        return people

    def _epoch(self, number: int) -> bytes:
        now = self._monotonic()
        kept = self._epochs.get(number)
        if kept is None or kept[1] <= now:
            kept = self._epochs[number] = epochs.read(self._secrets, number), now + LIFE_S
        return kept[0]

    async def _make(self, org: UUID, subjects: list[UUID]) -> dict[UUID, Person]:
        """Return new keys of `subjects`, or those that somebody else has made meanwhile."""
        # The organisation's own first: the ledger of the erased is read with it.
        own = None
        if subjects != [org]:
            own = (await self.opened(org, [org], make=True)).person(org)
        for _ in range(_TRIES):
            async with self._pool.transaction() as db:
                current = await _current(db)
                wrap = hierarchy.Wrap(self._epoch(current), current, org)
                new = []
                for subject in subjects:
                    hash_ = own.ledger_hash(subject) if own and subject != org else bytes(32)
                    new.append((subject, hash_, wrap.wrap(subject, 1, hierarchy.new_key())))
                done = await keystore.add_keys(db, org, current, new, datetime.now(UTC))
            if done:
                return await self._fetch(org, subjects)
        raise ConnectionError("the epoch changed too often while keys were made")


@asynccontextmanager
async def open_keyring(settings: Settings, *, size: int = 4) -> AsyncIterator[Keyring]:
    """Yield the keyring of a deployment, which hears of erasures while the block runs.

    Raises OSError or DbError when the key store cannot be reached.
    """
    pool = await connect(settings.keys_url, role=settings.keys_role, size=size)
    try:
        ring = Keyring(pool, settings.secrets)
        async with ring.listening():
            yield ring
    finally:
        await pool.close()


class Unsealed:
    """In place of a keyring where values pass as they are: in simulations, of nobody."""


def keyring_of(db: Db) -> Keyring | Unsealed:
    """Return what opens the sealed values of a database. Raises RuntimeError where none does."""
    if not isinstance(db.keyring, Keyring | Unsealed):
        raise RuntimeError("this connection was opened without a keyring")  # noqa: TRY004  ours
    return db.keyring


async def _current(db: Db) -> int:
    living = [epoch.number for epoch in await keystore.epochs(db) if epoch.retired_at is None]
    if not living:
        raise epochs.EpochKeyMissing("the key store has no epoch: run `mos migrate`")
    return living[0]
