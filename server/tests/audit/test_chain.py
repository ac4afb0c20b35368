"""The audit log: every change behind MOS's back is noticed, and the line is named."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from builders import an_organisation

from mos.audit import chain, log, roots, signing
from mos.audit.model import Happened
from mos.db import Scope
from mos.worker.logs import Logs

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


async def a_chain(database, **named):
    """Make an organisation whose month was drawn from: a look adds nothing to its chain."""
    org = await an_organisation(database, **named)
    await database.sql(
        "INSERT INTO access_draw (org_id, month, seed, lines, drawn, drawn_at) "
        "VALUES ($1, $2, '', 0, 0, $3)",
        org, date(2026, 10, 1), NOW,
    )  # fmt: skip
    return org


async def add(database, org, *names, now=NOW):
    async with database.app.transaction(Scope(org=org)) as db:
        for name in names:
            log.note(db, org, Happened(event="exported", says={"name": name}), now)


@pytest.fixture
async def orgs(database):
    """Two chains of four lines; a root has signed the first three of each."""
    made = [await a_chain(database, name=name) for name in ("A", "B")]
    for org in made:
        await add(database, org, "one", "two", "three")
    await sign(database)
    for org in made:
        await add(database, org, "four", now=NOW + timedelta(hours=1))
    return made


async def sign(database, now=NOW):
    await Logs(database.engine, database.settings.secrets).look(now)


async def lines_of(database, org):
    return await database.sql("SELECT * FROM audit WHERE org_id = $1 ORDER BY n", org)


async def found(database, since=None):
    """What a look finds, as (chain, line, why); chains by their organisation, None for roots."""
    folder = database.settings.secrets
    verdict = await roots.verify(database.engine, folder, since=since, seen=lambda _n, _of: None)
    return [(broken.org, broken.n, broken.why) for broken in verdict.broken]


async def test_what_nobody_touched_holds(orgs, database):
    assert await found(database) == []
    rows = await database.sql(
        "SELECT n, event, content FROM audit WHERE org_id = $1 ORDER BY n", orgs[0]
    )
    assert [row["n"] for row in rows] == [1, 2, 3, 4]
    assert rows[0]["content"] == (
        '{"at":"2026-11-25T09:00:00.000Z","event":"exported","says":{"name":"one"}}'
    )


async def test_the_database_and_python_make_the_same_hash(orgs, database):
    rows = await lines_of(database, orgs[0])
    before = chain.START
    for row in rows:
        assert row["hash"] == chain.hash_of(before, orgs[0], row["n"], row["content"])
        before = row["hash"]


_WRONG = "it was changed, or stands in the wrong place"


@pytest.mark.parametrize(
    ("tampering", "line", "why"),
    [
        ("UPDATE audit SET content = replace(content, 'two', 'too') WHERE $ AND n = 2", 2, _WRONG),
        ("UPDATE audit SET hash = sha256('x') WHERE $ AND n = 2", 2, _WRONG),
        ("DELETE FROM audit WHERE $ AND n = 2", 2, "missing (line 2)"),
        ("DELETE FROM audit WHERE $ AND n IN (1, 2)", 1, "missing (lines 1 to 2)"),
        ("DELETE FROM audit WHERE $ AND n = 4", 4, "missing (line 4)"),
        ("DELETE FROM audit WHERE $", 1, "missing (lines 1 to 4)"),
        ("UPDATE audit SET n = n + 10 WHERE $ AND n = 2", 2, "missing (line 2)"),
        ("UPDATE audit_head SET hash = sha256('x') WHERE $", 4, "the chain's head says"),
        ("UPDATE audit_head SET n = 3 WHERE $", 3, "the chain's head says"),
        ("DELETE FROM audit_head WHERE $", 1, "it lies after the chain's end"),
    ],
)
async def test_a_superusers_tampering_is_found_in_its_line(orgs, database, tampering, line, why):
    await database.owner.execute(tampering.replace("$", f"org_id = '{orgs[0]}'"))

    broken = await found(database)
    assert broken
    assert {org for org, _, _ in broken} == {orgs[0]}
    assert any(n == line and said.startswith(why) for _, n, said in broken), broken


async def test_two_lines_that_changed_places_are_found(orgs, database):
    await database.owner.execute(
        "UPDATE audit a SET content = b.content, hash = b.hash FROM audit b "
        "WHERE a.org_id = $1 AND b.org_id = $1 AND a.n IN (2, 3) AND b.n = 5 - a.n", orgs[0],
    )  # fmt: skip
    assert (orgs[0], 2, _WRONG) in await found(database)


async def test_lines_that_were_swapped_between_organisations_are_found(orgs, database):
    await database.owner.execute(
        "UPDATE audit a SET content = b.content, hash = b.hash FROM audit b "
        "WHERE a.org_id <> b.org_id AND a.org_id = ANY ($1) AND b.org_id = ANY ($1) AND a.n = b.n",
        orgs,
    )
    await database.owner.execute(
        "UPDATE audit_head a SET hash = b.hash FROM audit_head b "
        "WHERE a.org_id <> b.org_id AND a.org_id = ANY ($1) AND b.org_id = ANY ($1)",
        orgs,
    )
    broken = await found(database)
    assert {(org, n) for org, n, _ in broken} >= {(org, 1) for org in orgs}


async def test_a_tail_cut_off_with_its_head_is_found_by_the_root_that_signed_it(orgs, database):
    await database.owner.execute("DELETE FROM audit WHERE org_id = $1 AND n > 1", orgs[0])
    [first] = await lines_of(database, orgs[0])
    await database.owner.execute(
        "UPDATE audit_head SET n = 1, signed_n = 1, hash = $2 WHERE org_id = $1",
        orgs[0], first["hash"],
    )  # fmt: skip
    assert await found(database) == [(orgs[0], 3, "missing, though root 1 has signed it")]


async def test_a_chain_written_anew_from_a_line_on_is_found_by_the_root(orgs, database):
    """Whoever knows how makes hashes that agree; a signature they cannot make."""
    rows = await lines_of(database, orgs[0])
    before = chain.START
    for row in rows:
        content = row["content"].replace("two", "too")
        before = chain.hash_of(before, orgs[0], row["n"], content)
        await database.owner.execute(
            "UPDATE audit SET content = $3, hash = $4 WHERE org_id = $1 AND n = $2",
            orgs[0], row["n"], content, before,
        )  # fmt: skip
    await database.owner.execute(
        "UPDATE audit_head SET hash = $2 WHERE org_id = $1", orgs[0], before
    )

    [broken] = await found(database)
    assert broken == (orgs[0], 3, "root 1 has signed another line, or others before it")


async def test_all_of_it_gone_with_its_roots_is_found_by_what_lies_beside_the_key(orgs, database):
    await database.owner.execute("TRUNCATE audit, audit_head, audit_root")

    assert await found(database) == [(None, 1, "it was signed on this machine, and is missing")]


async def test_a_root_that_was_changed_removed_or_forged_is_found(orgs, database):
    await sign(database, NOW + timedelta(days=1))
    await sign(database, NOW + timedelta(days=2))
    assert await found(database) == []

    forged = chain.canonical({"at": "x", "before": "", "heads": {}, "no": 2})
    before = await database.sql("SELECT * FROM audit_root WHERE no = 2")
    await database.owner.execute("UPDATE audit_root SET content = $1 WHERE no = 2", forged)
    assert (None, 2, "the signature is wrong") in await found(database)
    await database.owner.execute("DELETE FROM audit_root WHERE no = 2")
    broken = await found(database)
    assert (None, 3, "the root before it is missing or another") in broken
    assert (None, 2, "it was signed on this machine, and is missing") in broken
    assert before


async def test_roots_of_before_a_rotation_hold_and_those_of_a_strangers_key_do_not(
    orgs, database, tmp_path
):
    folder = database.settings.secrets
    signing.make(folder)
    await sign(database, NOW + timedelta(days=1))
    assert await found(database) == []
    assert len({row["key"] for row in await database.sql("SELECT key FROM audit_root")}) == 2

    stranger = tmp_path / "stranger"
    stranger.mkdir()
    signing.make(stranger)
    await Logs(database.engine, stranger).look(NOW + timedelta(days=2))
    assert await found(database) == [(None, 3, "the signature is wrong")]


async def test_a_look_from_a_day_on_begins_at_the_root_before(orgs, database):
    await sign(database, NOW + timedelta(days=1))
    await add(database, orgs[0], "five", now=NOW + timedelta(days=2))
    since = (NOW + timedelta(days=2)).date()
    verdict = await roots.verify(
        database.engine, database.settings.secrets, since=since, seen=lambda _n, _of: None
    )
    assert (verdict.lines, verdict.broken) == (1, [])

    await database.owner.execute(
        "UPDATE audit SET hash = sha256('x') WHERE org_id = $1 AND n = 5", orgs[0]
    )
    assert (orgs[0], 5, _WRONG) in await found(database, since)


async def test_a_day_is_signed_once_whoever_does_it(orgs, database):
    await asyncio.gather(*[sign(database, NOW + timedelta(days=1)) for _ in range(3)])

    assert len(await database.sql("SELECT * FROM audit_root")) == 2
    assert await found(database) == []


async def test_many_at_once_make_one_chain_without_a_gap(database):
    org = await a_chain(database)
    await asyncio.gather(*[add(database, org, f"a{n}", f"b{n}") for n in range(20)])

    assert await found(database) == []
    rows = await lines_of(database, org)
    assert [row["n"] for row in rows] == list(range(1, 41))


async def test_what_was_rolled_back_has_not_happened(database):
    org = await a_chain(database)
    with pytest.raises(RuntimeError):
        async with database.app.transaction(Scope(org=org)) as db:
            log.note(db, org, Happened(event="exported"), NOW)
            raise RuntimeError
    async with database.app.transaction(Scope(org=org)) as db:
        with pytest.raises(RuntimeError):
            async with db.part():
                log.note(db, org, Happened(event="exported"), NOW)
                raise RuntimeError
        log.note(db, org, Happened(event="erased"), NOW)

    assert [row["event"] for row in await database.sql("SELECT event FROM audit")] == ["erased"]


async def test_the_app_cannot_write_past_the_chain_nor_into_anothers(orgs, database):
    app = await asyncpg.connect(database.settings.app_url)
    try:
        await app.execute(f"SELECT set_config('mos.org', '{orgs[0]}', false)")
        for attempt in (
            "INSERT INTO audit (org_id, n, content, hash) VALUES (mos_org(), 9, '{}', '')",
            "UPDATE audit SET hash = ''",
            "DELETE FROM audit",
            "UPDATE audit_head SET n = 0",
            "SELECT * FROM audit_head",
            "SELECT * FROM audit_root",
            f"SELECT audit_append('{orgs[1]}', ARRAY['{{}}'])",
            "SELECT audit_sign(9, 'today', '', '', '', '{}', '{}')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(attempt)
        assert await app.fetchval("SELECT count(*) FROM audit") == 0
        await app.execute("SELECT set_config('mos.log_chain', 'yes', false)")
        assert await app.fetchval("SELECT count(*) FROM audit") == 4
        assert await app.fetchval("SELECT count(*) FROM audit WHERE org_id <> mos_org()") == 0
    finally:
        await app.close()


async def test_a_line_of_nobodys_chain_can_be_looked_along_too(database):
    stray = uuid4()
    await add(database, stray, "one")
    assert await found(database) == []
