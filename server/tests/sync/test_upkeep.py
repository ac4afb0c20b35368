"""The past of a space: forgotten, archived, erased; and nothing that was deleted comes back."""

import asyncio
import gzip
import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from asyncpg import LockNotAvailableError
from builders import a_home
from devices import NOW, NOW_MS, Device
from unsealing import opened

from mos import wiring
from mos.care.store import medication_of
from mos.db import Scope
from mos.dispatch import engine
from mos.dispatch.channels.messengers import Messengers
from mos.ops.erase import _Entry, _known, _replay
from mos.privacy.sealing import is_sealed
from mos.sync import erasure
from mos.sync.archive import file_of
from mos.worker.loop import Worker

# How a sealed value begins in JSON: the mark, the way, the first version of a key.
SEALED = "\\u0001SAQAB"


DAY_MS = 86_400_000


@pytest.fixture
async def home(database):
    return await a_home(database)


@pytest.fixture
async def device(database, home):
    return Device(database, home.org, (home.space,))


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


def worker_of(database, archive=None):
    nobody = Messengers({}, services=None, guard=None, public_url="")
    return Worker(database.app, database.engine, None, nobody, archive=archive)


async def tidy(database, now, archive=None):
    await worker_of(database, archive)._tidy(now)


def another(device):
    return Device(device.database, device.org, device.spaces)


async def a_past(device, count=3, *, deleted=1, at=NOW):
    """Reminders, of which the first `deleted` are deleted at once; return their ids."""
    ms = int(at.timestamp() * 1000)
    recs = [uuid4() for _ in range(count)]
    await device.push(*[device.set(rec, {"title": "x"}, ms=ms) for rec in recs], now=at)
    await device.push(
        *[device.set(rec, {"deleted": True}, ms=ms) for rec in recs[:deleted]], now=at
    )
    return recs


# ────────────────────────────────────────────────── deletions


async def test_what_was_deleted_is_forgotten_after_half_a_year_and_no_sooner(device, database):
    deleted, *kept = await a_past(device)
    await tidy(database, NOW + timedelta(days=179))
    before = len(await database.sql("SELECT 1 FROM rec"))
    await tidy(database, NOW + timedelta(days=181))
    rows = await database.sql("SELECT rec_id FROM rec")
    [space] = await database.sql("SELECT floor_seq, floor_hlc FROM space WHERE kind = 'resident'")

    assert before == 3
    assert {row["rec_id"] for row in rows} == set(kept)
    assert space["floor_seq"] == 4
    # Two months on from the deletions that went: the longest that a device works by itself.
    assert int(space["floor_hlc"][:12], 16) == NOW_MS + 61 * DAY_MS
    assert deleted not in {row["rec_id"] for row in rows}


async def test_who_was_away_meanwhile_begins_anew_and_agrees(device, database):
    reader, late = another(device), another(device)
    deleted, *_ = await a_past(device, deleted=0)
    await late.pull()
    await device.push(device.set(deleted, {"deleted": True}))
    await reader.pull()
    await tidy(database, NOW + timedelta(days=181))
    up_to_date = await reader.pull_once()
    answer = await late.pull_once()
    rows = await late.pull()
    fresh = another(device)

    assert up_to_date.reset == []
    assert [(reset.why, reset.snap) for reset in answer.reset] == [
        ("floor", f"/sync/v1/snapshot/{device.spaces[0]}")
    ]
    assert rows == await fresh.pull()
    assert str(deleted) not in rows[device.spaces[0]]


async def test_a_cold_pull_in_pages_ends_although_the_past_was_forgotten(device, database):
    """A page's cursor may lie below the floor: whoever began after it has missed nothing."""
    await a_past(device, 30, deleted=10)
    await device.push(*[device.set(uuid4(), {"title": "x"}) for _ in range(5)])
    await tidy(database, NOW + timedelta(days=181))
    fresh = another(device)
    pages = 0
    while True:
        answer = await fresh.pull_once(limit=3)
        assert answer.reset == []
        pages += 1
        if not any(space.more for space in answer.spaces):
            break

    assert pages > 5
    assert len(fresh.rows[device.spaces[0]]) == 25
    assert fresh.cursors[device.spaces[0]].count(".") == 2


async def test_a_deletion_by_a_clock_that_is_behind_is_forgotten_no_sooner(device, database):
    """P19: it looks old, and others have not heard of it."""
    tablet, rec = another(device), uuid4()
    await device.push(device.set(rec, {"title": "x"}, ms=NOW_MS - 400 * DAY_MS))
    await device.push(device.set(rec, {"deleted": True}, ms=NOW_MS - 300 * DAY_MS))
    await tidy(database, NOW + timedelta(hours=1))
    edit = tablet.set(rec, {"title": "again"}, ms=NOW_MS)
    said = await tablet.verdicts(edit, now=NOW + timedelta(hours=2))
    kept = await database.sql("SELECT doc FROM rec")
    await tidy(database, NOW + timedelta(days=181))

    assert said == ["applied"]
    assert kept == [{"doc": {"title": "again", "deleted": True}}]
    assert await database.sql("SELECT 1 FROM rec") == []


# ────────────────────────────────────────────────── the archive


async def test_old_ops_move_to_the_archive_and_new_ones_stay(device, database, home, archive):
    ops = [device.set(uuid4(), {"title": str(number)}) for number in range(5)]
    await device.push(*ops)
    new = NOW + timedelta(days=80)
    await device.push(device.set(uuid4(), {"title": "new"}), now=new)
    await tidy(database, NOW + timedelta(days=89), archive)
    hot = len(await database.sql("SELECT 1 FROM op"))
    await tidy(database, NOW + timedelta(days=91), archive)
    left = await database.sql("SELECT seq, hlc FROM op ORDER BY seq")
    file = file_of(archive, home.org, home.space)
    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    [space] = await database.sql("SELECT archive_hlc FROM space WHERE kind = 'resident'")

    assert hot == 6
    # The last old one proves the cursors that stand there.
    assert [row["seq"] for row in left] == [5, 6]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4]
    assert [line["op_id"] for line in lines] == [op["op"] for op in ops[:4]]
    # What people wrote lies sealed in the file, as it lay in the database.
    assert all(is_sealed(line["val"]["title"]) for line in lines)
    plain = await opened(database.owner, database.keyring, lines)
    assert [line["val"] for line in plain] == [op["f"] for op in ops[:4]]
    assert space["archive_hlc"] == ops[3]["hlc"]
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


async def test_a_second_batch_is_added_to_the_file(device, database, home, archive):
    for days in (0, 10):
        at = NOW + timedelta(days=days)
        await device.push(*[device.set(uuid4(), {"title": "x"}) for _ in range(3)], now=at)
        await tidy(database, at + timedelta(days=91), archive)
    lines = gzip.decompress(file_of(archive, home.org, home.space).read_bytes()).splitlines()

    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("ahead", [0, 50 * 365 * DAY_MS])
async def test_a_number_given_again_is_a_new_op_whatever_clock_was_archived(
    device, database, archive, ahead
):
    """P3: one wrong clock in the past, and a tablet whose disk was put back from a copy."""
    wrong, later = another(device), NOW + timedelta(days=91)
    await device.push(*[device.event({"occ": str(number)}) for number in range(5)])
    await wrong.push(wrong.event({"occ": "w"}, ms=NOW_MS + ahead))
    await device.push(device.event({"occ": "last"}))
    await tidy(database, later, archive)
    device.sent[device.spaces[0]] = 2
    klar = device.event({"occ": "today"}, ms=NOW_MS + 91 * DAY_MS)
    [result] = (await device.push(klar, now=later)).results

    assert result.s == "applied"
    assert len(await database.sql("SELECT 1 FROM rec WHERE rec_id::text = $1", klar["op"])) == 1


async def test_what_claimed_a_clock_ahead_is_known_from_the_archive_by_that(
    device, database, archive
):
    """P6: it is stamped anew each time, always later than what is archived."""
    ahead, beside = device.set(uuid4(), {"title": "x"}, ms=NOW_MS + 400 * DAY_MS), another(device)
    await device.push(ahead)
    await beside.push(beside.event({"occ": "1"}), beside.event({"occ": "2"}))
    await tidy(database, NOW + timedelta(days=91), archive)
    # Somebody else's clock is as far ahead, and was not heard of.
    beside.sent[beside.spaces[0]] = 0
    other = beside.set(uuid4(), {"title": "y"}, ms=NOW_MS + 300 * DAY_MS)

    assert await device.verdicts(ahead, now=NOW + timedelta(days=91)) == ["dup"]
    assert await beside.verdicts(other, now=NOW + timedelta(days=91)) == ["applied"]


async def test_a_quiet_space_goes_on_where_it_was(device, database, archive):
    reader, slow, cold = another(device), another(device), another(device)
    await device.push(*[device.set(uuid4(), {"title": "x"}) for _ in range(6)])
    await reader.pull()
    await slow.pull_once(limit=2)
    await tidy(database, NOW + timedelta(days=400), archive)
    await device.push(device.set(uuid4(), {"title": "new"}), now=NOW + timedelta(days=400))

    assert (await reader.pull_once()).reset == []
    # A place of which there is no proof any more is begun anew.
    assert [reset.why for reset in (await slow.pull_once(limit=2)).reset] == ["floor"]
    assert await cold.pull(limit=2) == await reader.pull()


async def test_what_cannot_be_written_is_not_forgotten(device, database, tmp_path):
    (tmp_path / "archive").write_text("this is no folder")
    await device.push(*[device.set(uuid4(), {"title": "x"}) for _ in range(3)])
    with pytest.raises(OSError, match="archive"):
        await tidy(database, NOW + timedelta(days=91), tmp_path / "archive")

    assert len(await database.sql("SELECT 1 FROM op")) == 3


async def test_what_came_while_the_servers_clock_was_ahead_is_not_lost(
    device, database, home, archive
):
    """P3: behind it lie ops that are older, and those alone may not leave."""
    await device.push(device.set(uuid4(), {"title": "x"}), now=NOW + timedelta(days=1))
    await device.push(*[device.set(uuid4(), {"title": "x"}) for _ in range(4)])
    for days in (90.5, 92):
        await tidy(database, NOW + timedelta(days=days), archive)
    left = await database.sql("SELECT seq FROM op ORDER BY seq")
    lines = gzip.decompress(file_of(archive, home.org, home.space).read_bytes()).splitlines()

    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4]
    assert [row["seq"] for row in left] == [5]


async def test_a_space_that_cannot_be_looked_after_keeps_no_other_waiting(database, archive):
    home = await a_home(database, residents=4, email_domain="four.test")
    spaces = tuple(resident.space for resident in home.residents)
    device = Device(database, home.org, spaces)
    for space in spaces:
        ops = [device.set(uuid4(), {"title": "x"}, space=space) for _ in range(3)]
        await device.push(*ops)
    for space in spaces[:2]:
        file_of(archive, home.org, space).mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        await tidy(database, NOW + timedelta(days=91), archive)
    left = await database.sql("SELECT space_id, count(*) AS n FROM op GROUP BY space_id")

    assert {row["space_id"]: row["n"] for row in left} == dict(
        zip(spaces, (3, 3, 1, 1), strict=True)
    )


async def test_each_space_is_looked_after_once_a_day(device, database):
    await tidy(database, NOW)
    await database.sql("UPDATE space SET floor_seq = 7")
    [before] = await database.sql("SELECT tidied_at FROM space WHERE kind = 'resident'")
    await tidy(database, NOW + timedelta(hours=23))
    [still] = await database.sql("SELECT tidied_at FROM space WHERE kind = 'resident'")
    await tidy(database, NOW + timedelta(hours=25))
    [after] = await database.sql("SELECT tidied_at FROM space WHERE kind = 'resident'")

    assert (before["tidied_at"], still["tidied_at"]) == (NOW, NOW)
    assert after["tidied_at"] == NOW + timedelta(hours=25)


async def test_what_was_settled_long_ago_is_forgotten_and_what_waits_is_not(database, home):
    await database.sql(
        "INSERT INTO quarantine (org_id, space_id, op_id, reason, payload, received_at, "
        "handled_how, handled_by, handled_at) "
        "SELECT $1, $2, gen_random_uuid(), h::text, '{}', $3::timestamptz, "
        "CASE WHEN h > 0 THEN 'dropped' END, CASE WHEN h > 0 THEN $4::uuid END, "
        "CASE WHEN h > 0 THEN $3::timestamptz + h * interval '1 day' END "
        "FROM (VALUES (0), (1), (3)) AS v (h)",
        home.org, home.space, NOW, home.caregiver,
    )  # fmt: skip
    await tidy(database, NOW + timedelta(days=402))
    rows = await database.sql("SELECT reason FROM quarantine ORDER BY reason")

    assert [row["reason"] for row in rows] == ["0", "3"]


# ────────────────────────────────────────────────── erasure


async def erase(database, home, now=NOW):
    async with database.app.transaction() as db:
        return await wiring.erase(db, home.org, home.space, now)


async def everywhere(database):
    """Every row of every table, as one text."""
    tables = await database.sql(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace "
        "AND c.relkind = 'r' AND c.relname <> 'erasure'"
    )
    texts = [
        row["text"]
        for table in tables
        for row in await database.sql(f"SELECT to_jsonb(t)::text AS text FROM {table['relname']} t")
    ]
    return "\n".join(texts)


async def test_nothing_of_an_erased_space_is_left_anywhere(device, database, home, archive):
    rec = uuid4()
    await device.push(
        device.set(rec, {"title": "Hemligt"}), device.set(uuid4(), {"title": "Hemligt"}),
        device.set(uuid4(), {"title": "Hemligt"}, coll="unheard"),
    )  # fmt: skip
    await tidy(database, NOW + timedelta(days=91), archive)
    file = file_of(archive, home.org, home.space)
    assert file.exists()
    before = await everywhere(database)
    assert SEALED in before
    assert "Hemligt" not in before
    reader = another(device)
    await reader.pull()

    assert await erase(database, home)
    await tidy(database, NOW + timedelta(days=91, minutes=1), archive)
    text = await everywhere(database)
    late = await device.verdicts(device.set(rec, {"title": "Hemligt"}), {"op": str(uuid4()),
        "space": str(home.space), "secret": "Hemligt"})  # fmt: skip
    pulled = await reader.pull_once()

    assert SEALED not in text
    assert str(rec) not in text
    assert not file.exists()
    assert late == ["gone", "gone"]
    assert SEALED not in await everywhere(database)
    assert await database.sql("SELECT 1 FROM device_space") == []
    assert [(gone.why, gone.purge) for gone in pulled.gone] == [("erased", True)]
    [space] = await database.sql(
        "SELECT state, epoch, head_seq, live_n FROM space WHERE kind = 'resident'"
    )
    assert space == {"state": 2, "epoch": 1, "head_seq": 2, "live_n": 0}


@pytest.mark.parametrize("sees", [True, False])
async def test_what_is_on_its_way_while_a_space_is_erased_is_erased_too(
    device, database, home, sees
):
    """P18: what the push wrote is there when the erasure looks, or finds the space erased."""
    op = device.set(uuid4(), {"title": "Hemligt"})
    writer = device if sees else replace(device, spaces=())
    async with database.app.transaction() as db:
        await writer.push_in(db, json.dumps([op]))
        erasing = asyncio.create_task(erase(database, home))
        await asyncio.wait({erasing}, timeout=0.3)
    assert await erasing

    assert SEALED not in await everywhere(database)


async def test_what_becomes_due_while_a_space_is_erased_is_erased_too(device, database, home):
    await database.sql(
        "INSERT INTO due (org_id, space_id, occ, reminder_id, at, first_at, ends_at, category, "
        "criticality, checkable, grace_s, ring_start, ring_again) "
        "VALUES ($1, $2, 'x@2026-11-27T08:00', gen_random_uuid(), $3, $3, $3, 'meal', 'normal', "
        "true, 60, true, false)",
        home.org, home.space, NOW,
    )  # fmt: skip
    async with database.engine.transaction() as db:
        assert await engine.claim(db, NOW + timedelta(seconds=1), 10) == 1
        erasing = asyncio.create_task(erase(database, home))
        await asyncio.wait({erasing}, timeout=0.3)
    assert await erasing

    for table in ("due", "occurrence", "answer", "alert", "delivery"):
        assert await database.sql(f"SELECT 1 FROM {table}") == []


async def test_a_plan_that_is_made_while_a_space_is_erased_waits_and_finds_nothing(database, home):
    """P18: nobody has planned it before, so there is no horizon at which the two would meet."""
    spaces = (home.space, medication_of(home.space))
    async with database.app.transaction(Scope(home.org, spaces)) as db:
        await erasure.close(db, home.org, spaces)
        with pytest.raises(LockNotAvailableError):
            async with database.app.transaction(Scope(home.org, spaces)) as worker:
                await worker._connection.execute("SET LOCAL lock_timeout = '20ms'")
                await wiring.materialise(worker, home.org, spaces, NOW)


async def test_what_was_erased_is_erased_again_after_a_restore(device, database, home):
    await erase(database, home)
    ledger, _ = await _known(database.app)
    # The backup was made before.
    await database.sql("DELETE FROM erasure")
    await database.sql("UPDATE space SET state = 0")
    await device.push(device.set(uuid4(), {"title": "Hemligt"}))
    kept = [_Entry(each.org, each.at, each.space) for each in ledger]
    again = await _replay(database.app, kept)

    assert {(entry.org, entry.space, entry.at) for entry in ledger} == {
        (home.org, home.space, NOW), (home.org, medication_of(home.space), NOW)
    }  # fmt: skip
    assert again == [each.space for each in ledger]
    assert "Hemligt" not in await everywhere(database)
    assert (await _known(database.app))[0] == ledger
    assert await _replay(database.app, kept) == []


async def test_another_organisations_space_is_not_erased_by_a_wrong_name(device, database, home):
    others = await a_home(database, name="Andra", email_domain="other.test")
    await device.push(device.set(uuid4(), {"title": "x"}))
    async with database.app.transaction() as db:
        assert not await wiring.erase(db, others.org, home.space, NOW)

    assert len(await database.sql("SELECT 1 FROM rec")) == 1


# ────────────────────────────────────────────────── what comes late


async def test_an_op_that_is_in_the_archive_is_known_when_it_comes_again(device, database, archive):
    ops = [device.set(uuid4(), {"title": str(number)}) for number in range(4)]
    later = NOW + timedelta(days=91)
    await device.push(*ops)
    await tidy(database, later, archive)
    before = await database.sql("SELECT * FROM rec ORDER BY seq")

    assert await device.verdicts(*ops, now=later) == ["dup"] * 4
    assert await database.sql("SELECT * FROM rec ORDER BY seq") == before
    assert await database.sql("SELECT 1 FROM quarantine") == []


async def test_an_op_in_the_archive_is_known_by_the_clock_that_its_device_claimed(
    device, database, archive
):
    hours_ahead = [device.set(uuid4(), {"title": t}, ms=NOW_MS + 7_200_000) for t in "ab"]
    await device.push(*hours_ahead)
    later = NOW + timedelta(days=91)
    await tidy(database, later, archive)

    assert await device.verdicts(*hours_ahead, now=later) == ["dup", "dup"]


async def test_what_came_before_the_erasure_is_gone_though_its_archive_once_knew_it(
    device, database, home, archive
):
    ops = [device.set(uuid4(), {"title": t}) for t in "ab"]
    await device.push(*ops)
    later = NOW + timedelta(days=91)
    await tidy(database, later, archive)
    await erase(database, home, later)

    assert await device.verdicts(*ops, now=later) == ["gone", "gone"]
    assert await device.verdicts(*ops, now=later) == ["gone", "gone"]


async def test_a_clock_that_runs_ahead_brings_nothing_back_that_was_forgotten(device, database):
    """P13, P19: what counts is when it was written, not what the clock, stamped anew, says."""
    [rec] = await a_past(device, 1)
    tablet, later = another(device), NOW + timedelta(days=181)
    ahead = timedelta(days=200)
    old = tablet.set(rec, {"title": "again"}, ms=NOW_MS + 230 * DAY_MS)
    fresh = tablet.set(uuid4(), {"title": "new"}, ms=NOW_MS + 380 * DAY_MS)
    await tidy(database, later)
    answer = await tablet.push(old, fresh, now=later, client_now=later + ahead)

    assert [(result.s, str(result.code)) for result in answer.results] == [
        ("invalid", "too_old"), ("applied", "UNSET"),
    ]  # fmt: skip


async def test_nothing_that_was_forgotten_comes_back(device, database):
    """A tablet that was off for half a year still has a change to what was deleted meanwhile."""
    [rec] = await a_past(device, 1)
    tablet, later = another(device), NOW + timedelta(days=181)
    # The longest that it may have worked by itself.
    old = tablet.set(rec, {"title": "again"}, ms=NOW_MS + 60 * DAY_MS)
    fresh = tablet.set(uuid4(), {"title": "new"}, ms=NOW_MS + 181 * DAY_MS)
    await tidy(database, later)
    answer = await tablet.push(old, fresh, now=later)

    assert [(result.s, str(result.code)) for result in answer.results] == [
        ("invalid", "too_old"), ("applied", "UNSET"),
    ]  # fmt: skip
    rows = await database.sql("SELECT rec_id FROM rec")
    assert [str(row["rec_id"]) for row in rows] == [fresh["rec"]]
    assert len(await database.sql("SELECT 1 FROM quarantine")) == 1


async def test_a_space_that_cannot_be_tidied_is_in_the_evidence(device, database, archive):
    await device.push(*[device.set(uuid4(), {"title": "x"}) for _ in range(3)])
    file_of(archive, device.org, device.spaces[0]).mkdir(parents=True)
    later = NOW + timedelta(days=91)
    with pytest.raises(IsADirectoryError):
        await tidy(database, later, archive)
    rows = await database.sql("SELECT class, failed FROM retention ORDER BY class")

    assert [(row["class"], row["failed"]) for row in rows] == [
        ("op", 1), ("quarantine", 1), ("rec", 1),
    ]  # fmt: skip
