"""The keyring against a real key store: made once, kept a minute, forgotten with the person."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from builders import LONG_AGO

from mos.db import connect
from mos.privacy.epochs import EpochKeyMissing, key_file
from mos.privacy.keyring import LIFE_S, Keyring
from mos.privacy.sealing import KeyGone

ORG = uuid4()


@pytest.fixture
async def keys(database):
    connection = await asyncpg.connect(database.keys_dsn)
    yield connection
    await connection.close()


class Hand:
    """A clock that stands until it is moved, in seconds."""

    def __init__(self):
        self.at = 1000.0

    def __call__(self):
        return self.at


async def other_process(database, monotonic=None):
    pool = await connect(database.settings.keys_url, size=2)
    if monotonic is None:
        return pool, Keyring(pool, database.settings.secrets)
    return pool, Keyring(pool, database.settings.secrets, monotonic=monotonic)


async def test_a_key_is_made_when_something_is_first_sealed_and_stays(database):
    elsa = uuid4()
    opened = await database.keyring.opened(ORG, [elsa], make=True)
    text = opened.sealer(elsa, "account|name").seal_text(b"here", b"Elsa")
    pool, other = await other_process(database)
    again = await other.opened(ORG, [elsa], make=True)
    await pool.close()

    assert again.sealer(elsa, "account|name").open_text(b"here", text) == b"Elsa"


async def test_two_processes_that_make_a_key_at_once_get_the_same(database):
    people = [uuid4() for _ in range(5)]
    pool, other = await other_process(database)
    both = await asyncio.gather(
        database.keyring.opened(ORG, people, make=True),
        other.opened(ORG, list(reversed(people)), make=True),
    )
    await pool.close()

    for person in people:
        sealed = both[0].sealer(person, "a|b").seal(b"", b"x")
        assert both[1].sealer(person, "a|b").open(b"", sealed) == b"x"


async def test_who_has_no_key_opens_nothing(database):
    opened = await database.keyring.opened(ORG, [uuid4()])

    with pytest.raises(KeyGone):
        opened.sealer(uuid4(), "a|b")


async def test_an_erased_persons_values_open_nowhere_and_no_new_key_is_made(database):
    elsa, bo = uuid4(), uuid4()
    opened = await database.keyring.opened(ORG, [elsa, bo], make=True)
    assert elsa in opened

    assert await database.keyring.erase(ORG, elsa, LONG_AGO) == 1

    pool, other = await other_process(database)
    for ring in (database.keyring, other):
        found = await ring.opened(ORG, [elsa, bo], make=True)
        assert elsa not in found
        assert bo in found
    await pool.close()
    assert await database.keyring.is_erased(ORG, elsa)
    assert not await database.keyring.is_erased(ORG, bo)


async def test_the_ledger_of_the_erased_names_nobody(database, keys):
    elsa = uuid4()
    await database.keyring.opened(ORG, [elsa], make=True)
    await database.keyring.erase(ORG, elsa, LONG_AGO)

    [row] = await keys.fetch("SELECT * FROM tombstone")
    assert elsa.bytes not in row["hash"]
    assert await keys.fetchval("SELECT count(*) FROM subject_key WHERE subject_id = $1", elsa) == 0


async def test_other_processes_forget_an_erased_person_at_once(database):
    elsa = uuid4()
    pool, other = await other_process(database)
    try:
        async with other.listening():
            await other.opened(ORG, [elsa], make=True)
            await database.keyring.erase(ORG, elsa, LONG_AGO)
            async with asyncio.timeout(10):
                while (ORG, elsa) in other._people:  # noqa: ASYNC110  it is told by the database
                    await asyncio.sleep(0.01)
    finally:
        await pool.close()


async def test_an_opened_key_lives_a_minute(database, keys):
    elsa, clock = uuid4(), Hand()
    pool, ring = await other_process(database, clock)
    try:
        await ring.opened(ORG, [elsa], make=True)
        await keys.execute("DELETE FROM subject_key WHERE subject_id = $1", elsa)
        clock.at += LIFE_S - 1
        assert elsa in await ring.opened(ORG, [elsa])
        clock.at += 1
        assert elsa not in await ring.opened(ORG, [elsa])
    finally:
        await pool.close()


async def test_without_the_epoch_key_nothing_opens_and_it_is_said(database):
    elsa = uuid4()
    await database.keyring.opened(ORG, [elsa], make=True)
    key_file(database.settings.secrets, 1).unlink()
    pool, other = await other_process(database)
    try:
        with pytest.raises(EpochKeyMissing, match="mos keys recover"):
            await other.opened(ORG, [elsa])
    finally:
        await pool.close()


async def test_no_key_shows_in_what_is_printed(database):
    elsa = uuid4()
    opened = await database.keyring.opened(ORG, [elsa], make=True)
    person = opened.person(elsa)
    key = next(iter(person._keys.values()))

    for thing in (database.keyring, opened, person, person.sealer("a|b")):
        assert key.hex() not in repr(thing)
        assert repr(key) not in repr(thing)


async def test_the_app_may_open_keys_and_neither_change_nor_delete_them(database):
    await database.keyring.opened(ORG, [uuid4()], make=True)
    app = await asyncpg.connect(database.settings.keys_url)
    try:
        for statement in (
            "UPDATE subject_key SET wrapped = wrapped",
            "DELETE FROM subject_key",
            "DELETE FROM tombstone",
            "UPDATE epoch SET retired_at = now()",
            "INSERT INTO epoch (number, fingerprint, begun_at) VALUES (2, '', now())",
            "SELECT keys_lock(gen_random_uuid(), '{}')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
    finally:
        await app.close()
