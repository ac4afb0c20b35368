"""The drill: somebody erased is unreadable everywhere, in old backups too; others are whole."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import asyncpg
from disk import checkpoint, grepped
from real_up import Up

from mos.care import store
from mos.care.model import Reach
from mos.db import Scope, connect
from mos.ops.clusters import keys_cluster, main_cluster
from mos.ops.demo.plans import PLANS
from mos.ops.settings import ROOT
from mos.privacy.keyring import Keyring
from mos.privacy.sealing import KeyGone
from mos.sync.sealing import records_of

ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith("MOS_")} | {
    "PYTHONPATH": str(ROOT / "server"), "COLUMNS": "200",
}  # fmt: skip
GONE, STAYS = "elsa", "amir"


def mos(data, *words, said=""):
    return subprocess.run(
        [sys.executable, "-m", "mos.ops.cli", *words, "--data", str(data)],
        capture_output=True, text=True, check=False, env=ENVIRON, input=said,
    )  # fmt: skip


def copied(folder, to):
    """Copy a stopped home, or a part of it, with its owners."""
    subprocess.run(["cp", "-a", str(folder), str(to)], check=True)


def titles(key):
    return {planned.title for planned in PLANS[key]}


async def people(data):
    """Return organisation, account and space of the demo's residents, by first name."""
    owner = await asyncpg.connect(dsn_of(data))
    rows = await owner.fetch(
        "SELECT a.org_id, a.account_id, r.space_id, a.name "
        "FROM account a JOIN resident r USING (account_id)"
    )
    await owner.close()
    return {row["name"].split()[0].lower(): row for row in rows}


def dsn_of(data, make=main_cluster):
    cluster = make(data, data / "secrets")
    cluster.find_socket()
    return cluster.dsn()


async def readable(data, person):
    """Return the titles of a person's plan that open with all the keys that there are."""
    keys = await connect(dsn_of(data, keys_cluster), size=2)
    pool = await connect(dsn_of(data), size=1, keyring=Keyring(keys, data / "secrets"))
    try:
        async with pool.transaction(Scope(person["org_id"], (person["space_id"],))) as db:
            rows = await db._connection.fetch(
                "SELECT rec_id, doc FROM rec WHERE space_id = $1 AND coll = 'reminder'",
                person["space_id"],
            )
            records = await records_of(db, person["org_id"], [person["space_id"]])
            found = set()
            for row in rows:
                doc = row["doc"] if isinstance(row["doc"], dict) else json.loads(row["doc"])
                try:
                    opened = records.doc(person["space_id"], "reminder", row["rec_id"], doc)
                except KeyGone:
                    continue
                found.add(opened["title"])
            return found
    finally:
        await pool.close()
        await keys.close()


async def told_of(data, person):
    """Return a person's flat and what those who help them rest on, as far as it opens."""
    keys = await connect(dsn_of(data, keys_cluster), size=2)
    pool = await connect(dsn_of(data), size=1, keyring=Keyring(keys, data / "secrets"))
    org, space = person["org_id"], person["space_id"]
    try:
        async with pool.transaction(Scope(org)) as db:
            [lives] = await store.residents_of_spaces(db, org, [space])
            whole = Reach(everything=True, units=frozenset())
            relations = await store.relations_within(db, org, whole, datetime.now(UTC))
            consents = {each.consent for each in relations if each.space == space}
            return {lives.flat, *consents} - {""}
    finally:
        await pool.close()
        await keys.close()


def erased_after_refusals(data, ids):
    """A hold refuses, then the law; with a reason it is done."""
    held = mos(data, "erase", "hold", *ids, "Mål 12-26")
    refused = mos(data, "erase", "person", *ids, "--yes", "--despite", "Beslut")
    assert (held.returncode, "a hold is set (Mål 12-26)" in refused.stderr) == (0, True), (
        held.stderr
    )
    assert mos(data, "erase", "lift", *ids).returncode == 0
    refused = mos(data, "erase", "person", *ids, "--yes")
    assert (refused.returncode, "ten years" in refused.stderr) == (1, True)
    erased = mos(data, "erase", "person", *ids, "--yes", "--despite", "Aldrig en journal: övning")
    assert erased.returncode == 0, erased.stderr


def test_an_erased_person_is_unreadable_in_every_backup_and_the_other_is_whole(tmp_path):
    data, backup = tmp_path / "home", tmp_path / "backup"
    up = Up(data, "--demo")
    up.ready()
    everybody = asyncio.run(people(data))
    gone, stays = everybody[GONE], everybody[STAYS]
    assert asyncio.run(readable(data, gone)) == titles(GONE)
    agreed = {"1", "Elsa har sagt ja, 3 mars 2026"}
    assert asyncio.run(told_of(data, gone)) == agreed
    up.stop()
    # A full backup: both clusters, and no secrets beside them.
    copied(data, backup)
    shutil.rmtree(backup / "secrets")

    up = Up(data, "--demo")
    up.ready()
    ids = str(gone["org_id"]), str(gone["account_id"])
    erased_after_refusals(data, ids)
    assert mos(data, "keys", "rotate").returncode == 0
    ledger = mos(data, "erase", "list")
    assert ids[1] in ledger.stdout
    assert asyncio.run(readable(data, gone)) == set()
    assert asyncio.run(readable(data, stays)) == titles(STAYS)
    assert asyncio.run(people(data)).keys() >= {"-", STAYS}
    checkpoint(data)
    up.stop()
    secret = sorted({*titles(GONE), *agreed} - titles(STAYS) - {"1"})
    assert grepped(data, secret) == []
    assert grepped(backup, secret) == []

    # The disk is lost. First only the data come back from the backup: the key store is today's.
    restored = tmp_path / "restored"
    copied(backup, restored)
    shutil.rmtree(restored / "keys")
    for folder in ("keys", "secrets"):
        copied(data / folder, restored / folder)
    up = Up(restored, "--demo")
    up.ready()
    assert asyncio.run(readable(restored, gone)) == set()
    assert asyncio.run(told_of(restored, gone)) == set()
    assert asyncio.run(readable(restored, stays)) == titles(STAYS)
    assert asyncio.run(told_of(restored, stays)) == {"2", "Amir har sagt ja, 12 maj 2026"}
    assert GONE in asyncio.run(people(restored))
    replayed = mos(restored, "erase", "replay", "-", said=ledger.stdout)
    assert (replayed.returncode, ids[1] in replayed.stdout) == (0, True), replayed.stderr
    assert GONE not in asyncio.run(people(restored))
    assert asyncio.run(readable(restored, stays)) == titles(STAYS)
    up.stop()

    # A thief of the whole backup, old key store included, and of today's secrets: no epoch key of
    # then is left anywhere, so it does not even start.
    stolen = tmp_path / "stolen"
    copied(backup, stolen)
    copied(data / "secrets", stolen / "secrets")
    thief = Up(stolen, "--demo")
    assert thief.ended() == 1, thief.said
    assert "epoch" in thief.said
