"""Push: every op gets its verdict, nothing that came is lost, and no op harms another."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from builders import a_home
from devices import COLLECTIONS, NOW, NOW_MS, Device

from mos.db import Db, Scope
from mos.kernel.errors import Invalid
from mos.sync import actions, hlc, store
from mos.sync.model import SystemChange


@pytest.fixture
async def home(database):
    return await a_home(database, residents=2)


@pytest.fixture
def device(database, home):
    return Device(database, home.org, (home.space,))


async def quarantine(database) -> list[tuple[str, str]]:
    rows = await database.sql("SELECT op_id, reason FROM quarantine ORDER BY reason")
    return [(str(row["op_id"]), row["reason"]) for row in rows]


async def test_an_op_gets_the_next_place_and_its_record(device, home):
    answer = await device.push(
        device.set(uuid4(), {"title": "Frukost"}), device.event({"occ": "x"})
    )
    rows = (await device.pull())[home.space]

    assert [(result.s, result.seq) for result in answer.results] == [("applied", 1), ("applied", 2)]
    assert answer.acked == {home.space: 2}
    assert answer.heads == {home.space: 2}
    assert sorted(row[0] for row in rows.values()) == ["completion", "reminder"]


async def test_the_author_of_an_event_comes_from_the_session(device, home):
    op = device.event({"occ": "x", "by": "somebody else"})
    await device.push(op)

    coll, _seq, doc, _clk = (await device.pull())[home.space][op["op"]]
    assert (coll, doc["by"]) == ("completion", str(device.account))


async def test_what_was_sent_twice_has_the_same_verdict_and_place(device):
    rec = uuid4()
    late = device.set(rec, {"title": "older"})
    ops = [device.set(rec, {"title": "newer"}), late, device.event({"occ": "x"})]
    first = await device.push(*ops)
    again = await device.push(*reversed(ops))

    assert [result.s for result in first.results] == ["applied", "superseded", "applied"]
    assert [(result.op, result.was, result.seq) for result in reversed(again.results)] == [
        (result.op, result.s, result.seq) for result in first.results
    ]
    assert {result.s for result in again.results} == {"dup"}
    assert again.heads == first.heads


async def test_what_is_acknowledged_never_moves_back(device, home):
    old, new = device.event({"occ": "x"}), device.event({"occ": "y"})
    await device.push(old, new)

    assert (await device.push(old)).acked == {home.space: 2}


async def test_one_op_twice_in_a_batch_counts_once(device):
    op = device.set(uuid4(), {"title": "Frukost"})
    answer = await device.push(op, op)

    assert [(result.s, result.seq) for result in answer.results] == [("applied", 1), ("dup", 1)]
    assert answer.heads == {device.spaces[0]: 1}


async def test_a_refused_op_says_why_and_is_kept(database, device, home):
    rec, event = uuid4(), device.event({"occ": "x"})
    await device.push(device.set(rec, {"title": "Frukost"}), event)
    ops = {
        "invalid unknown_collection": device.set(uuid4(), {"x": 1}, coll="weather"),
        "invalid kind": device.event({"occ": "x"}, coll="reminder"),
        "invalid invalid": device.set(uuid4(), {"title": 8}),
        "invalid rec_taken": device.set(rec, {"name": "Elsa"}, coll="profile"),
        "invalid malformed": device.set(uuid4(), {"title": "x"}) | {"hlc": "yesterday"},
        "invalid unknown_kind": device.set(uuid4(), {"title": "x"}) | {"k": "wish"},
        "invalid nul": device.set(uuid4(), {"title": "a\0b"}),
        "invalid too_large": device.set(uuid4(), {"title": "a" * 70_000}),
        "forbidden group": device.set(uuid4(), {"taken": None, "what": {}}, coll="alert"),
        "forbidden no_access": device.set(uuid4(), {"title": "x"}, space=uuid4()),
    }
    answer = await device.push(*ops.values())

    said = [f"{result.s} {result.code}" for result in answer.results]
    assert said == list(ops)
    assert sorted(await quarantine(database)) == sorted(
        (op["op"], reason) for reason, op in ops.items()
    )
    assert answer.heads == {home.space: 2}
    assert answer.acked == {home.space: device.sent[home.space]}


async def test_a_refusal_points_at_the_field(device):
    title, clock, group, unknown, absent = (await device.push(
        device.set(uuid4(), {"title": 8}),
        device.set(uuid4(), {"title": "x"}) | {"hlc": "yesterday"},
        device.set(uuid4(), {"what": {}}, coll="alert"),
        device.set(uuid4(), {"title": "x"}) | {"mood": "good"},
        {name: part for name, part in device.set(uuid4(), {"title": "x"}).items() if name != "hlc"},
    )).results  # fmt: skip

    assert (title.path, clock.path, group.path) == ("title", "hlc", "what")
    assert (unknown.code, unknown.path) == ("malformed", "mood")
    assert (absent.code, absent.path) == ("malformed", "hlc")


async def test_a_check_that_stumbles_blocks_nothing_behind_it(database, home):
    def stumbles(_groups):
        raise ZeroDivisionError

    weak = COLLECTIONS | {"profile": replace(COLLECTIONS["profile"], check=stumbles)}
    device = Device(database, home.org, (home.space,), collections=weak)
    stumbling = device.set(uuid4(), {"name": "x"}, coll="profile")
    answer = await device.push(stumbling, device.event({"occ": "x"}))

    assert [result.s for result in answer.results] == ["invalid", "applied"]
    assert await quarantine(database) == [(stumbling["op"], "invalid check_failed")]


async def test_a_batch_of_which_nothing_can_be_read_is_answered_all_the_same(device, home):
    answer = await device.push(
        {"op": str(uuid4()), "space": str(home.space), "k": "set", "n": "one"}
    )

    assert [(result.s, result.code) for result in answer.results] == [("invalid", "malformed")]
    assert answer.acked == {home.space: 0}


async def test_quarantine_keeps_what_the_device_wrote(database, device):
    await device.push(
        device.set(uuid4(), {"x": "Åse"}, coll="weather"), device.set(uuid4(), {"title": "a\0b"})
    )

    kept = await database.sql("SELECT payload FROM quarantine ORDER BY reason")
    assert json.loads(kept[0]["payload"])["f"] == {"title": "a\0b"}
    assert kept[1]["payload"]["val"] == {"x": "Åse"}


def refusable(device, length=0):
    """An op of a collection that there is not."""
    return device.set(uuid4(), {"x": "y" * length}, coll="weather")


async def test_a_device_can_fill_quarantine_so_far_and_loses_nothing_beyond(database, device, home):
    for _ in range(2):
        await device.push(*(refusable(device) for _ in range(500)))
    over = refusable(device)
    good = device.event({"occ": "x"})
    answer = await device.push(over, good)

    assert [(result.s, result.code, result.after_ms) for result in answer.results] == [
        ("retry", msgspec.UNSET, 60_000),
        ("applied", msgspec.UNSET, msgspec.UNSET),
    ]
    assert len(await quarantine(database)) == 1000
    # Another device is not held back, nor is this one a day later.
    other = Device(database, home.org, (home.space,))
    assert await other.verdicts(refusable(other)) == ["invalid"]
    assert await device.verdicts(over, now=NOW + timedelta(hours=24)) == ["invalid"]


async def test_quarantine_is_bounded_by_its_size_too(database, device, home):
    big = [refusable(device, 60_000) for _ in range(80)]
    first = [await device.verdicts(*big[start : start + 16]) for start in range(0, 80, 16)]
    verdicts = [verdict for part in first for verdict in part]
    (kept,) = await database.sql("SELECT sum(bytes)::int AS bytes FROM quarantine")

    # Sealed, what it keeps is a third larger than what was sent.
    assert verdicts == ["invalid"] * 52 + ["retry"] * 28
    assert 4_100_000 < kept["bytes"] <= 4 * 2**20
    # What is kept already is said again, whatever room there is.
    assert await device.verdicts(*big[:16]) == ["invalid"] * 16


async def test_refused_ops_in_spaces_that_are_not_theirs_count_too(database, device):
    foreign = [device.set(uuid4(), {"title": "x"}, space=uuid4()) for _ in range(1001)]
    verdicts = []
    for start in range(0, 1001, 500):
        verdicts += await device.verdicts(*foreign[start : start + 500])

    assert verdicts == ["forbidden"] * 1000 + ["retry"]


async def test_what_has_no_room_is_not_acknowledged(database, device, home):
    await device.push(*(refusable(device) for _ in range(1000)))
    answer = await device.push(refusable(device))

    assert answer.acked == {home.space: 1000}


async def test_a_resident_may_tick_but_not_plan(database, home):
    resident = Device(database, home.org, (home.space,), words=frozenset({"outcome.record"}))
    answer = await resident.push(resident.event({"occ": "x"}), resident.set(uuid4(), {"title": ""}))

    assert [(result.s, result.code) for result in answer.results] == [
        ("applied", msgspec.UNSET),
        ("forbidden", "permission"),
    ]


async def test_an_event_can_not_take_over_a_record(device, home):
    """A resident may write events only: one with a reminder's id must not write the reminder."""
    rec = uuid4()
    await device.push(device.set(rec, {"title": "Frukost"}))
    answer = await device.push(device.event({"title": "x"}) | {"op": str(rec)})

    assert answer.results[0].code == "rec_taken"
    assert (await device.pull())[home.space][str(rec)][2] == {"title": "Frukost"}


async def test_an_event_can_not_be_added_to_what_the_server_wrote(database, device, home):
    rec = uuid4()
    await record(
        database, home, SystemChange(space=home.space, coll="completion", rec=rec, groups={"v": 1})
    )
    assert await device.verdicts(device.event({"occ": "x"}) | {"op": str(rec)}) == ["dup"]
    assert (await device.pull())[home.space][str(rec)][2] == {"v": 1}


async def test_bad_ops_do_not_touch_the_verdicts_of_good_ones(database, home):
    resident = home.residents
    alone, mixed = (Device(database, home.org, (one.space,)) for one in resident)
    rec = uuid4()
    good = [mixed.set(rec, {"title": str(number)}) for number in range(4)]
    bad = [
        mixed.set(rec, {"title": 8}),
        mixed.set(rec, {"name": "x"}, coll="profile"),
        mixed.set(rec, {"title": "x"}, space=uuid4()),
        mixed.set(rec, {"title": [[[[{}]]]]}) | {"extra": 1},
    ]
    batch = [op for pair in zip(good, bad, strict=True) for op in pair]
    spoiled = (await mixed.push(*batch)).results[::2]
    clean = (await alone.push(*[op | {"space": str(alone.spaces[0])} for op in good])).results

    assert spoiled == clean


async def test_another_organisations_space_is_forbidden_and_stays_as_it_was(database, device):
    other = await a_home(database, name="Björken", email_domain="other.test")
    before = await database.sql("SELECT * FROM space WHERE space_id = $1", other.space)
    # Even a session that claims to reach it sees nothing: row-level security is the second fence.
    liar = replace(device, spaces=(other.space,))
    for sender in (device, liar):
        answer = await sender.push(sender.set(uuid4(), {"title": "x"}, space=other.space))
        assert (answer.results[0].s, answer.results[0].code) == ("forbidden", "no_access")
        assert answer.heads == answer.acked == {}

    assert await database.sql("SELECT * FROM space WHERE space_id = $1", other.space) == before
    for table in ("op", "rec", "device_space", "quarantine"):
        rows = await database.sql(f"SELECT 1 FROM {table} WHERE org_id = $1", other.org)
        assert rows == [], table


async def test_a_frozen_space_takes_nothing_and_keeps_what_came(database, device, home):
    await database.sql("UPDATE space SET state = 1 WHERE space_id = $1", home.space)
    result = (await device.push(device.set(uuid4(), {"title": "x"}))).results[0]

    assert (result.s, result.code) == ("forbidden", "frozen")
    assert len(await quarantine(database)) == 1


async def test_an_erased_space_keeps_nothing_of_a_late_op(database, device, home):
    await database.sql("UPDATE space SET state = 2 WHERE space_id = $1", home.space)
    stranger = replace(device, spaces=())
    ops = [device.set(uuid4(), {"title": "secret"}), device.set(uuid4(), {"title": 8})]

    assert await device.verdicts(*ops) == ["gone", "gone"]
    # Who no longer sees the space learns no more than of one that never was.
    unknown = stranger.set(uuid4(), {"title": "x"}, space=uuid4())
    answer = await stranger.push(*ops, unknown)
    assert {result.code for result in answer.results} == {"no_access"}
    assert await quarantine(database) == [(unknown["op"], "forbidden no_access")]


async def test_a_device_that_lost_its_access_hears_nothing_of_its_old_op(device, database):
    op = device.set(uuid4(), {"title": "x"})
    await device.push(op)
    result = (await replace(device, spaces=()).push(op)).results[0]

    assert (result.s, result.code, result.seq) == ("forbidden", "no_access", msgspec.UNSET)


async def test_a_right_that_was_lost_does_not_change_an_old_verdict(device):
    op = device.set(uuid4(), {"title": "x"})
    await device.push(op)
    result = (await replace(device, words=frozenset()).push(op)).results[0]

    assert (result.s, result.was, result.seq, result.code) == ("dup", "applied", 1, msgspec.UNSET)


# ────────────────────────────────────────────────── clocks


async def test_a_clock_an_hour_ahead_is_stamped_anew_in_the_devices_order(database, device, home):
    rec = uuid4()
    ops = [device.set(rec, {"title": str(n)}, ms=NOW_MS + 3_600_000) for n in range(3)]
    answer = await device.push(*ops)
    rows = await database.sql("SELECT hlc, hlc_claimed FROM op ORDER BY seq")

    assert [result.s for result in answer.results] == ["applied"] * 3
    assert [str(op) for op in answer.restamped] == [op["op"] for op in ops]
    assert [row["hlc"] for row in rows] == list(answer.restamped.values())
    assert [row["hlc_claimed"] for row in rows] == [op["hlc"] for op in ops]
    assert [hlc.millis(row["hlc"]) for row in rows] == [NOW_MS] * 3
    assert (await device.pull())[home.space][str(rec)][2] == {"title": "2"}


async def test_a_stamped_op_that_comes_again_is_stamped_as_before(device):
    op = device.set(uuid4(), {"title": "x"}, ms=NOW_MS + 3_600_000)
    first = await device.push(op)
    again = await device.push(op, now=NOW + timedelta(minutes=5))

    assert again.restamped == first.restamped
    assert again.results[0].s == "dup"


async def test_a_device_keeps_its_order_over_batches_of_one_millisecond(device, home):
    rec = uuid4()
    for number in range(3):
        await device.push(device.set(rec, {"title": str(number)}, ms=NOW_MS + 3_600_000))

    assert (await device.pull())[home.space][str(rec)][2] == {"title": "2"}


async def test_the_order_holds_where_only_the_later_op_is_too_far_ahead(device, home):
    rec = uuid4()
    await device.push(
        device.set(rec, {"title": "first"}, ms=NOW_MS + 60_000),
        device.set(rec, {"title": "second"}, ms=NOW_MS + 60_001),
    )

    assert (await device.pull())[home.space][str(rec)][2] == {"title": "second"}


async def test_a_clock_days_behind_is_taken_as_it_is_and_the_skew_kept(database, device):
    behind = NOW - timedelta(days=3)
    op = device.set(uuid4(), {"title": "x"}, ms=NOW_MS - 259_200_000)
    answer = await device.push(op, client_now=behind)

    assert answer.restamped == {}
    assert await database.sql("SELECT hlc FROM op") == [{"hlc": op["hlc"]}]
    assert await database.sql("SELECT skew_ms FROM device_space") == [{"skew_ms": -259_200_000}]


# ────────────────────────────────────────────────── domains


def listening(told, coll="reminder", error=None):
    async def applied(db, org, changes, now):
        told.append(changes)
        if error is not None:
            raise error

    return COLLECTIONS | {coll: replace(COLLECTIONS[coll], applied=applied)}


async def test_a_domain_hears_of_what_changed_once_per_push(database, home):
    told: list = []
    device = Device(
        database, home.org, tuple(one.space for one in home.residents), collections=listening(told)
    )
    rec, other = uuid4(), uuid4()
    late = device.set(rec, {"title": "late"})
    ops = [
        device.set(rec, {"title": "a"}),
        late,
        device.set(rec, {"minutes": 5}),
        device.set(other, {"title": "b"}, space=device.spaces[1]),
        device.event({"occ": "x"}),
        device.set(rec, {"title": 8}),
    ]
    await device.push(*ops)
    await device.push(*ops)

    [changes] = told
    assert [(change.rec, change.groups, change.seq) for change in changes] == [
        (rec, {"title": "a"}, 1),
        (rec, {"minutes": 5}, 3),
        (other, {"title": "b"}, 1),
    ]
    assert changes[0].doc == changes[1].doc == {"title": "a", "minutes": 5}
    assert {(change.by, change.device, change.at) for change in changes} == {
        (device.account, device.id, NOW)
    }


@pytest.mark.parametrize("error", [Invalid("no"), ZeroDivisionError()])
async def test_a_hook_that_fails_undoes_the_whole_push(database, home, error):
    device = Device(database, home.org, (home.space,), collections=listening([], error=error))
    op = device.set(uuid4(), {"title": "x"})
    with pytest.raises(actions.HookFailed, match="reminder"):
        await device.push(op, device.set(uuid4(), {"title": 8}))

    for table in ("op", "rec", "device_space", "quarantine"):
        assert await database.sql(f"SELECT 1 FROM {table}") == []
    assert await replace(device, collections=COLLECTIONS).verdicts(op) == ["applied"]


async def record(database, home, *changes, now=NOW):
    async with database.app.transaction(Scope(home.org, (home.space,))) as db:
        return await actions.record(db, home.org, list(changes), now)


async def test_what_the_server_records_beats_every_clock_in_the_record(database, device, home):
    rec = uuid4()
    await device.push(device.set(rec, {"taken": {"by": "x"}}, coll="alert", ms=NOW_MS + 50_000))
    changes = await record(
        database,
        home,
        SystemChange(space=home.space, coll="alert", rec=rec, groups={"taken": None}),
        SystemChange(space=home.space, coll="alert", rec=rec, groups={"taken": {"by": "y"}}),
    )

    coll, seq, doc, clk = (await device.pull())[home.space][str(rec)]
    assert (coll, seq, doc) == ("alert", 3, {"taken": {"by": "y"}})
    assert clk["taken"].endswith("0" * 16)
    assert [(change.kind, change.by, change.seq) for change in changes] == [
        ("system", None, 2),
        ("system", None, 3),
    ]


async def test_what_the_server_recorded_gives_way_to_a_later_tap(database, device, home):
    rec = uuid4()
    await record(
        database, home, SystemChange(space=home.space, coll="alert", rec=rec, groups={"taken": 1})
    )
    op = device.set(rec, {"taken": 2}, coll="alert", ms=NOW_MS + 1)

    assert await device.verdicts(op, now=NOW + timedelta(seconds=1)) == ["applied"]
    assert (await device.pull())[home.space][str(rec)][2] == {"taken": 2}


async def test_a_record_with_an_id_of_its_own_is_made_once(database, home):
    change = SystemChange(
        space=home.space, coll="alert", rec=uuid4(), groups={"what": {}}, op=uuid4()
    )
    assert len(await record(database, home, change)) == 1
    assert await record(database, home, change) == []


async def test_the_server_refuses_to_record_outside_its_scope_or_over_another_record(
    database, device, home
):
    rec = uuid4()
    await device.push(device.set(rec, {"title": "x"}))
    for space, what in ((home.residents[1].space, "no_access"), (home.space, "rec_taken")):
        with pytest.raises(ValueError, match=what):
            await record(
                database, home, SystemChange(space=space, coll="alert", rec=rec, groups={"what": 1})
            )


async def test_the_server_passes_over_frozen_spaces(database, home):
    await database.sql("UPDATE space SET state = 1 WHERE space_id = $1", home.space)
    change = SystemChange(space=home.space, coll="alert", rec=uuid4(), groups={"what": {}})

    assert await record(database, home, change) == []
    assert await quarantine(database) == []


async def test_a_domain_reads_its_records_without_the_deleted_ones(database, device, home):
    kept, dropped = uuid4(), uuid4()
    await device.push(
        device.set(kept, {"title": "a"}),
        device.set(dropped, {"title": "b"}),
        device.set(dropped, {"deleted": True}),
        device.set(uuid4(), {"name": "Elsa"}, coll="profile"),
    )
    async with database.app.transaction(Scope(home.org, (home.space,))) as db:
        docs = await store.docs(db, home.space, "reminder")

    assert [(doc.space, doc.rec, doc.doc) for doc in docs] == [(home.space, kept, {"title": "a"})]


# ────────────────────────────────────────────────── bounds


@pytest.mark.parametrize("size", [1, 50, 500])
async def test_a_push_is_three_statements_however_many_ops_it_carries(device, monkeypatch, size):
    # The keys are at hand: they are asked for once a minute.
    await device.push(device.event({"occ": "x"}))
    asked = []
    for name in ("all", "one", "run", "records", "scope"):
        monkeypatch.setattr(Db, name, counted(getattr(Db, name), asked))
    ops = [device.set(UUID(int=n % 7), {"title": str(n)}) for n in range(size)]
    await device.push(*ops)

    # The last is the access log's.
    assert asked == ["scope", "all", "run"]


def counted(method, asked):
    async def call(self, *args, **params):
        asked.append(method.__name__)
        return await method(self, *args, **params)

    return call


async def test_numbers_that_jsonb_and_browsers_read_differently_do_no_harm(device, home):
    texts = ["123456789012345678901234567890", "1e400", "0e999999999", "1e-999999999", "-0.0"]
    verdicts = []
    for text in texts:
        op = json.dumps(device.set(uuid4(), {"minutes": "?"})).replace('"?"', text)
        verdicts += [result.s for result in (await device.push_text(f"[{op}]")).results]

    assert verdicts == ["invalid", "invalid", "applied", "applied", "applied"]
    await device.pull()


@pytest.mark.parametrize(("depth", "verdict"), [(20, "applied"), (40, "invalid"), (800, "invalid")])
async def test_deep_values_are_refused_alone(device, depth, verdict):
    deep = json.dumps(device.set(uuid4(), {"note": "?"})).replace('"?"', "[" * depth + "]" * depth)
    good = json.dumps(device.set(uuid4(), {"title": "x"}))
    answer = await device.push_text(f"[{deep},{good}]")

    assert [result.s for result in answer.results] == [verdict, "applied"]
