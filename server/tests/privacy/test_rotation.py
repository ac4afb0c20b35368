"""From epoch to epoch: killed at each step, and what was erased is dead in every older copy."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from builders import LONG_AGO

from mos.db import connect
from mos.ops.settings import ROOT
from mos.privacy import epochs, hierarchy, keystore, root, rotation
from mos.privacy.keyring import Keyring
from mos.privacy.rotation import RotationRefused
from mos.privacy.seals import SealBroken

ORG = uuid4()
LATER = LONG_AGO + timedelta(days=7)


@pytest.fixture
async def owner(database):
    pool = await connect(database.keys_dsn, size=3)
    yield pool
    await pool.close()


async def rows(database):
    connection = await asyncpg.connect(database.keys_dsn)
    try:
        return await connection.fetch("SELECT * FROM subject_key ORDER BY subject_id")
    finally:
        await connection.close()


async def sealed_people(database, count=20):
    """Return people and a value of each, sealed in the present epoch."""
    people = [uuid4() for _ in range(count)]
    opened = await database.keyring.opened(ORG, people, make=True)
    return {each: opened.sealer(each, "a|b").seal(b"", each.bytes) for each in people}


async def all_open(database, owner, sealed):
    ring = Keyring(owner, database.settings.secrets)
    opened = await ring.opened(ORG, sealed)
    return all(
        opened.sealer(each, "a|b").open(b"", value) == each.bytes for each, value in sealed.items()
    )


async def test_everything_opens_after_a_rotation_and_the_old_key_is_gone(database, owner):
    secrets = database.settings.secrets
    sealed = await sealed_people(database)
    old = epochs.read(secrets, 1)

    done = await rotation.rotate(owner, secrets, LATER)

    assert (done.number, done.rewrapped) == (2, 21)  # and the organisation's own
    assert await all_open(database, owner, sealed)
    assert not epochs.key_file(secrets, 1).exists()
    assert epochs.read(secrets, 2) != old
    assert {row["epoch"] for row in await rows(database)} == {2}
    assert (epochs.key_file(secrets, 2).stat().st_mode & 0o777) == 0o600
    async with owner.transaction() as db:
        known = await keystore.epochs(db)
    assert known[0].retired_at == known[0].destroyed_at == LATER


async def test_an_old_copy_of_the_key_store_is_dead_after_the_epoch(database, owner):
    secrets = database.settings.secrets
    sealed = await sealed_people(database, 2)
    copy = await rows(database)
    elsa, bo = sealed
    await database.keyring.erase(ORG, elsa, LONG_AGO)
    await rotation.rotate(owner, secrets, LATER)

    # The thief has the old store, whole, and every key file that still exists.
    keys = [file.read_bytes() for file in secrets.glob("epoch-*.key")]
    for row in copy:
        for key in keys:
            with pytest.raises(SealBroken):
                hierarchy.Wrap(key, row["epoch"], ORG).unwrap(
                    row["subject_id"], row["version"], row["wrapped"]
                )
    assert await all_open(database, owner, {bo: sealed[bo]})


# A step of the rotation, before which the process is killed.
STEPS = {
    "the new key is written": "epochs.make",
    "its copy is sealed": "_seal_copy",
    "the epoch begins": "keystore.begin_epoch",
    "keys are wrapped anew": "keystore.rewrap",
    "a sample is verified": "verify",
    "the old key is destroyed": "epochs.destroy_before",
    "that is noted": "keystore.epoch_destroyed",
}

KILLED = """
import asyncio, os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from mos.db import connect
from mos.privacy import epochs, keystore, rotation

name, when = sys.argv[3], sys.argv[4]
place = {"epochs": epochs, "keystore": keystore}.get(name.split(".")[0], rotation)
word = name.rpartition(".")[2]
real = getattr(place, word)
rotation._AT_ONCE = 7
calls = 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

if asyncio.iscoroutinefunction(real):
    async def instead(*args, **kwargs):
        global calls
        calls += 1
        if when == "before" and calls == (2 if word == "rewrap" else 1):
            die()
        done = await real(*args, **kwargs)
        if when == "after":
            die()
        return done
else:
    def instead(*args, **kwargs):
        if when == "before":
            die()
        done = real(*args, **kwargs)
        if when == "after":
            die()
        return done

setattr(place, word, instead)

async def main():
    pool = await connect(sys.argv[1], size=2)
    await rotation.rotate(pool, Path(sys.argv[2]), datetime(2026, 1, 8, tzinfo=UTC))

asyncio.run(main())
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_any_step_everything_opens_and_it_goes_on_to_its_end(
    database, owner, step, when
):
    secrets = database.settings.secrets
    made = root.make()
    async with owner.transaction() as db:
        await keystore.set_root(db, made.recipient, LONG_AGO)
    sealed = await sealed_people(database)
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", KILLED, database.keys_dsn, str(secrets), STEPS[step], when],
        env=os.environ | {"PYTHONPATH": str(ROOT / "server")}, capture_output=True, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()

    assert await all_open(database, owner, sealed)
    # And what is sealed meanwhile is not lost either.
    sealed |= await sealed_people(database, 3)

    async def to_its_end():
        # The database may still be clearing up after the killed one.
        async with asyncio.timeout(20):
            while True:
                try:
                    return await rotation.rotate(owner, secrets, LATER)
                except RotationRefused:
                    await asyncio.sleep(0.05)

    done = await to_its_end()

    assert await all_open(database, owner, sealed)
    assert done.number >= 2
    current = epochs.read(secrets, done.number)
    assert sorted(file.name for file in secrets.glob("epoch-*")) == [
        f"epoch-{done.number}.age", f"epoch-{done.number}.key",
    ]  # fmt: skip
    copy = epochs.copy_file(secrets, done.number).read_bytes()
    assert root.open_copy(made.shares[1:], copy) == current


async def test_two_rotations_at_once_are_one(database, owner):
    sealed = await sealed_people(database)
    outcomes = await asyncio.gather(
        *(rotation.rotate(owner, database.settings.secrets, LATER) for _ in range(2)),
        return_exceptions=True,
    )

    assert await all_open(database, owner, sealed)
    assert sum(isinstance(each, rotation.Rotated) for each in outcomes) >= 1


async def test_a_key_made_while_the_epoch_changes_is_wrapped_by_the_new_one(database, owner):
    await sealed_people(database, 1)
    secrets = database.settings.secrets
    wrap = hierarchy.Wrap(epochs.read(secrets, 1), 1, ORG)
    elsa = uuid4()
    late = [(elsa, bytes(32), wrap.wrap(elsa, 1, hierarchy.new_key()))]
    await rotation.rotate(owner, secrets, LATER)

    async with database.keyring._pool.transaction() as db:
        assert not await keystore.add_keys(db, ORG, 1, late, LATER)
    assert elsa in await database.keyring.opened(ORG, [elsa], make=True)


async def test_a_key_that_was_tampered_with_stops_the_rotation_before_anything_is_destroyed(
    database, owner
):
    secrets = database.settings.secrets
    await sealed_people(database, 3)
    async with owner.transaction() as db:
        await db._connection.execute(
            "UPDATE subject_key SET wrapped = set_byte(wrapped, 30, 255 - get_byte(wrapped, 30)) "
            "WHERE ctid = (SELECT ctid FROM subject_key LIMIT 1)"
        )

    with pytest.raises(SealBroken):
        await rotation.rotate(owner, secrets, LATER)
    assert epochs.key_file(secrets, 1).exists()


async def test_another_stores_key_is_refused(database, owner):
    secrets = database.settings.secrets
    epochs.write(epochs.key_file(secrets, 1), hierarchy.new_key())

    with pytest.raises(epochs.EpochKeyMissing, match="another key store"):
        await rotation.prepare(owner, secrets, LATER)
