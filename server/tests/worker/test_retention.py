"""What has had its time goes, once a day and by one worker, and leaves evidence."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest
from builders import a_home
from devices import Device

from mos.audit import access
from mos.db import DbError
from mos.dispatch.channels.messengers import Messengers
from mos.privacy import metrics, retention
from mos.privacy.retention import state, terms_of
from mos.wiring import PERSONAL_DATA
from mos.worker import retention as job
from mos.worker.loop import Worker
from mos.worker.retention import Retention

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
DAY = timedelta(days=1)
TERMS = {term.name: term for term in terms_of(PERSONAL_DATA)}


@pytest.fixture
async def home(database):
    return await a_home(database, residents=2)


async def run(database, now=NOW):
    await Retention(database.engine).run(now)


async def evidence(database, now=NOW):
    async with database.app.transaction() as db:
        return await retention.latest(db)


async def a_session(database, home, *, ended):
    await put(database, home, "session", ended)


async def held(database, home, account):
    await database.sql(
        "INSERT INTO legal_hold (org_id, account_id, why, set_by, set_at) "
        "VALUES ($1, $2, 'a case', $2, $3)",
        home.org, account, NOW,
    )  # fmt: skip


# One row of each class that the job drops, whose time counts from `at`; of an account, in a space.
A_HASH = "sha256(gen_random_uuid()::text::bytea)"
ROWS = {
    "session": "INSERT INTO session (org_id, session_id, account_id, token_hash, created_at, "
    f"seen_at, expires_at) SELECT org, gen_random_uuid(), account, {A_HASH}, at, at, at FROM v",
    "session_former": ", s AS (INSERT INTO session (org_id, session_id, account_id, token_hash, "
    f"created_at, seen_at, expires_at) SELECT org, gen_random_uuid(), account, {A_HASH}, at, at, "
    "'infinity' FROM v RETURNING session_id) "
    "INSERT INTO session_former (token_hash, org_id, session_id, until) "
    f"SELECT {A_HASH}, org, session_id, at FROM v, s",
    "challenge_spent": "INSERT INTO challenge_spent (challenge_hash, expires_at) "
    f"SELECT {A_HASH}, at FROM v",
    "sign_in_limit": "INSERT INTO sign_in_limit (key_hash, failures, window_start) "
    f"SELECT {A_HASH}, 1, at FROM v",
    "invitation": "INSERT INTO invitation (org_id, invitation_id, account_id, kind, token_hash, "
    "created_by, created_at, expires_at) "
    f"SELECT org, gen_random_uuid(), account, 'password', {A_HASH}, account, at, at FROM v",
    "contact_try": "INSERT INTO contact_try (org_id, account_id, at, try_id) "
    "SELECT org, account, at, gen_random_uuid() FROM v",
    "duty": ", r AS (INSERT INTO rota (org_id, rota_id, unit_id, name, weekdays, from_time, "
    "to_time, holidays, turn, accounts, valid_from, created_at) "
    "SELECT org, gen_random_uuid(), unit_id, 'Natt', '{mon}', '08:00', '20:00', 'none', 'day', "
    "'{}', '2020-01-01', at FROM v JOIN unit ON org_id = org RETURNING rota_id, unit_id) "
    "INSERT INTO duty (org_id, unit_id, account_id, from_at, to_at, rota_id) "
    "SELECT org, unit_id, account, at - interval '8 hours', at, rota_id FROM v, r",
    "unread_refusal": "INSERT INTO unread_refusal (org_id, account_id, op_id, space_id, coll, "
    "verdict, code, made_at, refused_at) "
    "SELECT org, account, gen_random_uuid(), space, '', 'invalid', 'x', at, at FROM v",
    "quarantine_stray": "INSERT INTO quarantine (org_id, space_id, op_id, account_id, reason, "
    "payload, received_at) "
    "SELECT org, gen_random_uuid(), gen_random_uuid(), account, 'x', '{}', at FROM v",
    "emergency": "INSERT INTO emergency (org_id, emergency_id, relation_id, account_id, space_id, "
    "unit_id, at, until, cause, reason) SELECT org, gen_random_uuid(), gen_random_uuid(), account, "
    "space, unit_id, at, at, 'urgent', '' FROM v JOIN resident r ON r.space_id = v.space",
    "delegation": "INSERT INTO delegation (org_id, delegation_id, given_by, account_id, task, "
    "detail, units, spaces, valid_from, valid_to, checked_on, checked_how, given_at) "
    "SELECT org, gen_random_uuid(), gen_random_uuid(), account, 'drops', '', "
    "ARRAY[gen_random_uuid()], '{}', at - interval '90 days', at, '2026-01-01', '', at FROM v",
    "export": "INSERT INTO export (org_id, export_id, account_id, asked_by, asked_at, language) "
    "SELECT org, gen_random_uuid(), account, gen_random_uuid(), at, 'sv' FROM v",
    "watch_window": "INSERT INTO watch_window (org_id, from_at, expected, told, late, excused, "
    "waiting, lost, silent, judged_at) SELECT org, at, 0, 0, 0, 0, 0, 0, 0, at FROM v",
    "delivery": "INSERT INTO delivery (org_id, space_id, kind, subject, step, account_id, "
    "device_id, channel, state, expires_at, created_at, settled_at) "
    "SELECT org, space, 'ring', gen_random_uuid()::text, 0, account, gen_random_uuid(), "
    "'webpush', 'sent', at, at, at FROM v",
}
TABLES = {"quarantine_stray": "quarantine"}
# Whoever is held by a case is asked for in these.
OF_SOMEBODY = [
    "session", "invitation", "duty", "unread_refusal", "quarantine_stray", "delivery", "emergency",
    "delegation",
]  # fmt: skip


async def put(database, home, name, at, *, account=None, resident=None):
    await database.sql(
        "WITH v AS (SELECT $1::uuid AS org, $2::uuid AS account, $3::timestamptz AS at, "
        "$4::uuid AS space) " + ROWS[name],
        home.org, account or home.caregiver, at, (resident or home.resident).space,
    )  # fmt: skip


async def number_of(database, name):
    [row] = await database.sql(f"SELECT count(*) AS n FROM {TABLES.get(name, name)}")
    return row["n"]


def test_each_class_that_the_job_drops_is_tried_here():
    assert set(ROWS) == {term.name for term in TERMS.values() if term.by == "job"}


@pytest.mark.parametrize("name", ROWS)
async def test_a_class_goes_when_its_time_has_come_and_no_sooner(name, database, home):
    kept = TERMS[name].kept
    older, younger = NOW - kept - timedelta(minutes=1), NOW - kept + timedelta(minutes=1)
    await put(database, home, name, older)
    await put(database, home, name, younger)
    await run(database)
    after = (await evidence(database))[name]

    assert await number_of(database, name) == 1
    assert (after.removed, after.failed, after.done_at) == (1, 0, NOW)
    # Of what has no end yet nothing is asked.
    assert after.oldest == (younger if kept else None)
    assert state(TERMS[name], after, NOW) == "kept"


@pytest.mark.parametrize("name", OF_SOMEBODY)
async def test_whoever_is_held_loses_nothing_of_it(name, database, home):
    at = NOW - TERMS[name].kept - 30 * DAY
    await held(database, home, home.caregiver)
    await put(database, home, name, at)
    await put(database, home, name, at + timedelta(hours=1), account=home.admin)
    await run(database)
    after = (await evidence(database))[name]

    assert await number_of(database, name) == 1
    assert (after.removed, after.oldest) == (1, None)
    assert state(TERMS[name], after, NOW) == "kept"


@pytest.mark.parametrize("name", ["unread_refusal", "delivery"])
async def test_what_is_in_a_held_residents_space_stays_whoever_it_is_of(name, database, home):
    at = NOW - TERMS[name].kept - 30 * DAY
    await held(database, home, home.resident.account)
    for resident in home.residents:
        await put(database, home, name, at, resident=resident)
    await run(database)

    [row] = await database.sql(f"SELECT space_id FROM {name}")
    assert row["space_id"] == home.space


async def test_messages_of_a_care_record_stay_with_it(database, home):
    others = await a_home(database, name="Andra", email_domain="other.test")
    await database.sql(
        "UPDATE organisation SET policy = 'care_record' WHERE org_id = $1", others.org
    )
    for each in (home, others):
        await put(database, each, "delivery", NOW - 500 * DAY)
    await run(database)

    [row] = await database.sql("SELECT org_id FROM delivery")
    assert row["org_id"] == others.org
    assert (await evidence(database))["delivery"].oldest is None


async def test_a_message_that_is_on_its_way_stays(database, home):
    await put(database, home, "delivery", NOW - 500 * DAY)
    await database.sql("UPDATE delivery SET next_at = $1, state = 'queued'", NOW)
    await run(database)

    assert await number_of(database, "delivery") == 1


async def test_a_lock_that_stands_is_no_old_try(database, home):
    await put(database, home, "sign_in_limit", NOW - 3 * DAY)
    await database.sql("UPDATE sign_in_limit SET locked_until = $1", NOW + DAY)
    await run(database)

    assert await number_of(database, "sign_in_limit") == 1


async def test_more_than_a_batch_goes_in_parts_and_one_line_counts_them(
    database, home, monkeypatch
):
    monkeypatch.setattr(job, "_AT_ONCE", 3)
    for _ in range(7):
        await a_session(database, home, ended=NOW - 91 * DAY)
    await run(database)

    assert await number_of(database, "session") == 0
    assert (await evidence(database))["session"].removed == 7


async def test_a_look_does_a_little_and_the_next_goes_on(database, home):
    worker = Retention(database.engine)
    await worker.look(NOW)
    begun = len(await evidence(database))
    # Killed here: another goes on from what stands in the database.
    worker = Retention(database.engine)
    for second in range(30):
        await worker.look(NOW + timedelta(seconds=second))

    assert 0 < begun < len(TERMS)
    assert set(await evidence(database)) == set(TERMS)


async def test_several_workers_do_it_once(database, home):
    for _ in range(20):
        await a_session(database, home, ended=NOW - 91 * DAY)
    await asyncio.gather(*[run(database) for _ in range(4)])
    await run(database)

    assert (await evidence(database))["session"].removed == 20
    assert len(await audit(database)) == 1


async def test_the_next_day_has_lines_of_its_own(database, home):
    for ended in (NOW - 91 * DAY, NOW - 89.5 * DAY):
        await a_session(database, home, ended=ended)
    await run(database)
    await run(database, NOW + timedelta(hours=3))
    first = (await evidence(database))["session"]
    await run(database, NOW + DAY)
    rows = await database.sql("SELECT day, removed FROM retention WHERE class = 'session'")

    assert first.removed == 1
    assert sorted((str(row["day"]), row["removed"]) for row in rows) == [
        ("2026-11-25", 1), ("2026-11-26", 1),
    ]  # fmt: skip


async def audit(database):
    rows = await database.sql(
        "SELECT org_id, content FROM audit WHERE event = 'retention_done' ORDER BY n"
    )
    return [(row["org_id"].int, msgspec.json.decode(row["content"])["says"]) for row in rows]


async def test_a_days_work_is_a_line_in_the_installations_chain(database, home):
    await a_session(database, home, ended=NOW - 91 * DAY)
    await run(database)

    assert await audit(database) == [(0, {"day": "2026-11-25", "removed": {"session": 1}})]


async def test_a_class_that_fails_is_known_and_keeps_no_other_waiting(database, home):
    await a_session(database, home, ended=NOW - 91 * DAY)
    await put(database, home, "duty", NOW - 91 * DAY)
    await database.sql(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'no'; END $$"
    )
    await database.sql(
        "CREATE TRIGGER no BEFORE DELETE ON session FOR EACH ROW EXECUTE FUNCTION no()"
    )
    worker = Retention(database.engine)
    with pytest.raises(DbError, match="no"):
        await worker.run(NOW)
    await worker.run(NOW + timedelta(seconds=1))
    known = await evidence(database)
    noted = await audit(database)
    await database.sql("DROP TRIGGER no ON session")
    await worker.run(NOW + timedelta(hours=2))
    after = (await evidence(database))["session"]

    assert "session" not in known
    assert known["duty"].removed == 1
    assert noted == []
    assert (after.removed, after.failed) == (1, 1)
    assert state(TERMS["session"], after, NOW) == "failed"
    assert await audit(database) == [
        (0, {"day": "2026-11-25", "removed": {"duty": 1, "session": 1}})
    ]


async def test_the_evidence_can_only_be_added_to(database):
    for pool in (database.app, database.engine):
        for attempt in (
            "UPDATE retention SET removed = 0", "DELETE FROM retention",
            "INSERT INTO retention (day, class, at) VALUES (now(), 'session', now())",
        ):  # fmt: skip
            async with pool.unscoped() as db:
                with pytest.raises(DbError, match="permission denied"):
                    await db._connection.execute(attempt)
    async with database.app.unscoped() as db:
        for attempt in (
            "retention_drop('session', now(), now(), 1)",
            "retention_oldest('op', now())",
        ):
            with pytest.raises(DbError, match="permission denied"):
                await db._connection.execute(f"SELECT {attempt}")


async def test_a_care_record_that_has_had_its_time_is_said_and_not_touched(database, home):
    await database.sql("UPDATE organisation SET policy = 'care_record'")
    await database.sql(
        "UPDATE resident SET archived_at = $1 WHERE space_id = $2", NOW - 3660 * DAY, home.space
    )
    await run(database)
    late = (await evidence(database))["care_record"]
    await held(database, home, home.resident.account)
    await run(database, NOW + DAY)
    kept = (await evidence(database))["care_record"]

    assert state(TERMS["care_record"], late, NOW) == "late"
    assert kept.oldest is None
    assert len(await database.sql("SELECT 1 FROM resident")) == 2


# ────────────────────────────────────────────────── what others drop is in the evidence too


def worker_of(database, archive=None):
    nobody = Messengers({}, services=None, guard=None, public_url="")
    return Worker(database.app, database.engine, None, nobody, archive=archive)


async def test_what_goes_as_a_space_is_looked_after_is_counted(database, home, tmp_path):
    device = Device(database, home.org, (home.space,))
    rec, later = uuid4(), NOW + 200 * DAY
    at = {"ms": int(NOW.timestamp() * 1000)}
    await device.push(device.set(rec, {"title": "x"}, **at), now=NOW)
    await device.push(device.set(rec, {"deleted": True}, **at), now=NOW)
    await device.push(device.set(uuid4(), {"title": "x"}, **at), now=NOW)
    await run(database, NOW + 179 * DAY)
    before = await evidence(database)
    await worker_of(database, tmp_path)._tidy(later)
    await run(database, later)
    after = await evidence(database)

    # Three ops, of which the first is not asked after.
    assert before["op"].oldest == NOW
    assert state(TERMS["op"], before["op"], NOW + 179 * DAY) == "late"
    assert (after["op"].removed, after["op"].oldest) == (2, None)
    assert (after["rec"].removed, after["rec"].oldest) == (1, None)


async def test_without_an_archive_to_go_to_nothing_is_late(database, home):
    device = Device(database, home.org, (home.space,))
    at = {"ms": int(NOW.timestamp() * 1000)}
    await device.push(*[device.set(uuid4(), {"title": "x"}, **at) for _ in range(3)], now=NOW)
    await Retention(database.engine, archives=False).run(NOW + 200 * DAY)

    assert (await evidence(database))["op"].oldest is None


async def test_the_oldest_deletion_that_remains_is_known(database, home):
    device = Device(database, home.org, (home.space,))
    at = {"ms": int(NOW.timestamp() * 1000)}
    rec = uuid4()
    await device.push(device.set(rec, {"title": "x"}, **at), now=NOW)
    await device.push(device.set(rec, {"deleted": True}, **at), now=NOW)
    await worker_of(database)._tidy(NOW + 10 * DAY)
    await run(database, NOW + 10 * DAY)

    assert (await evidence(database))["rec"].oldest == NOW


async def test_a_held_residents_deletions_stay(database, home):
    device = Device(database, home.org, (home.space,))
    at = {"ms": int(NOW.timestamp() * 1000)}
    rec = uuid4()
    await device.push(device.set(rec, {"title": "x"}, **at), now=NOW)
    await device.push(device.set(rec, {"deleted": True}, **at), now=NOW)
    await held(database, home, home.resident.account)
    await worker_of(database)._tidy(NOW + 200 * DAY)

    assert len(await database.sql("SELECT 1 FROM rec")) == 1


async def test_a_held_residents_settled_refusals_and_recordings_stay(database, home):
    for resident in home.residents:
        await database.sql(
            "INSERT INTO quarantine (org_id, space_id, op_id, reason, payload, received_at, "
            "handled_how, handled_by, handled_at) "
            "VALUES ($1, $2, gen_random_uuid(), 'x', '{}', $3, 'dropped', $4, $3)",
            home.org, resident.space, NOW, home.caregiver,
        )  # fmt: skip
        await database.sql(
            "INSERT INTO clip (org_id, space_id, clip_id, kind, body, size, added_by, added_at, "
            "unused_since) VALUES ($1, $2, sha256('x'), 'audio/webm', 'x', 1, $4, $3, $3)",
            home.org, resident.space, NOW, home.caregiver,
        )  # fmt: skip
    await held(database, home, home.resident.account)
    later = NOW + 401 * DAY
    await worker_of(database)._tidy(later)
    await run(database, later)
    after = await evidence(database, later)

    for name in ("quarantine", "clip"):
        rows = await database.sql(f"SELECT space_id FROM {name}")
        assert [row["space_id"] for row in rows] == [home.space], name
        assert (after[name].removed, after[name].oldest) == (1, None), name


async def a_line(database, home, at, resident):
    await database.sql(
        "INSERT INTO access_log (org_id, hour, entry_id, at, space_id, unit_id, account_id, role, "
        "kind, class, purpose) VALUES ($1, date_trunc('hour', $2::timestamptz), gen_random_uuid(), "
        "$2, $3, $4, $5, 'caregiver', 'read', 'day', 'care')",
        home.org, at, resident.space, home.unit, home.caregiver,
    )  # fmt: skip


async def keep_log(database, now):
    async with database.engine.transaction() as db:
        return [dropped.entries for dropped in await access.keep(db, now)]


async def test_of_a_month_of_the_access_log_what_is_held_stays(database, home):
    for resident in home.residents:
        await a_line(database, home, NOW, resident)
    later = NOW + 1900 * DAY
    await held(database, home, home.resident.account)
    assert await keep_log(database, NOW) == []
    assert await keep_log(database, later) == [1]
    rows = await database.sql("SELECT space_id FROM access_log")
    await run(database, later)
    while_held = (await evidence(database))["access_log"]
    await database.sql("DELETE FROM legal_hold")
    await run(database, later + DAY)
    lifted = (await evidence(database))["access_log"]
    again = await keep_log(database, later)

    assert [row["space_id"] for row in rows] == [home.space]
    assert while_held.oldest is None
    assert lifted.oldest == datetime(2026, 12, 1, tzinfo=UTC)
    assert state(TERMS["access_log"], lifted, later) == "late"
    assert again == [1]
    assert await database.sql("SELECT FROM access_log") == []


async def test_a_worker_does_it_among_its_passes_and_shows_how_late_it_is(database, home):
    await database.sql("UPDATE organisation SET policy = 'care_record'")
    await database.sql(
        "UPDATE resident SET archived_at = $1 WHERE space_id = $2", NOW - 3660 * DAY, home.space
    )
    await a_session(database, home, ended=NOW - 91 * DAY)
    worker = worker_of(database)
    for second in range(12):
        now = NOW + timedelta(seconds=second)
        await worker._passes["logs"](now)
        await worker._passes["retention"](now)
    shown = metrics.REGISTRY.get_sample_value

    assert set(await evidence(database)) == set(TERMS)
    assert shown("mos_retention_overdue_seconds", {"class": "session"}) == 0
    late = shown("mos_retention_overdue_seconds", {"class": "care_record"})
    assert late == pytest.approx(7 * 86400, abs=60)
    assert shown("mos_retention_ran_timestamp_seconds", {"class": "duty"}) >= NOW.timestamp()
