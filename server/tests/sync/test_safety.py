"""Safety records: never merged, never overwritten unseen, and nothing proposed is ever lost."""

import asyncio
import json
import random
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from builders import a_home
from devices import COLLECTIONS, NOW, NOW_MS, Device, replayed
from msgspec import UNSET, Raw

from mos.db import Scope
from mos.kernel.ids import named_id, new_id
from mos.sync.actions import HookFailed, TooManyProposals, record
from mos.sync.apart import push_apart
from mos.sync.model import Pushed, PushHead, Result, SystemChange


@pytest.fixture
async def home(database):
    return await a_home(database)


@pytest.fixture
def device(database, home):
    return Device(database, home.org, (home.space,))


@pytest.fixture
def other(database, home):
    return Device(database, home.org, (home.space,))


def batched(ops):
    """As many as a push takes at once, and the next."""
    return [ops[at : at + 20] for at in range(0, len(ops), 20)]


async def records(device, rec):
    """Return the active value and the conflict of a safety record."""
    rows = (await device.pull())[device.spaces[0]]
    conflict = rows.get(str(named_id(device.spaces[0], f"conflict/{rec}")))
    return rows[str(rec)][2]["active"] if str(rec) in rows else None, conflict and conflict[2]


async def left_by_the_log(database, device):
    """Compare what stands in a space with its log, played again."""
    rows = (await device.pull())[device.spaces[0]]
    log = await database.sql("SELECT * FROM op ORDER BY seq")
    assert replayed(str(device.spaces[0]), log) == rows


async def begun(device, rec):
    first = device.safety(rec, {"dose": "5"})
    await device.push(first)
    return first["op"]


@pytest.mark.parametrize(
    ("made_days_ago", "ahead_days", "verdict"),
    [(0, 6, "applied"), (5, 6, "conflict"), (5, 0, "conflict"), (0, -6, "conflict")],
)
async def test_a_clock_that_runs_ahead_makes_no_old_dose_a_new_one(
    device, made_days_ago, ahead_days, verdict
):
    """P8, P13: what counts is when it was made, not what the clock, stamped anew, says."""
    day_ms, rec = 24 * 3_600_000, uuid4()
    made_ms = NOW_MS + (ahead_days - made_days_ago) * day_ms
    op = device.safety(rec, {"dose": "5"}, ms=made_ms)
    answer = await device.push(op, client_now=NOW + timedelta(days=ahead_days))

    assert answer.results[0].s == verdict
    assert answer.results[0].why == ("late" if verdict == "conflict" else UNSET)


@pytest.mark.parametrize(
    ("id_days_ago", "verdict"),
    [(5, "conflict"), (-1, "conflict"), (None, "conflict"), (0, "applied")],
)
async def test_a_clock_put_right_since_makes_no_old_dose_a_new_one(device, id_days_ago, verdict):
    """P8, P13: the clock of what was written still stands ahead; its id, made by the same, may."""
    op = device.safety(uuid4(), {"dose": "5"}, ms=NOW_MS + 24 * 3_600_000)
    if id_days_ago is not None:
        op |= {"op": str(new_id(NOW - timedelta(days=id_days_ago)))}
    answer = await device.push(op)

    assert answer.results[0].s == verdict
    assert answer.results[0].why == ("late" if verdict == "conflict" else UNSET)


@pytest.mark.parametrize(("after_s", "why"), [(-7200, "decided"), (3, UNSET)])
async def test_a_clock_put_right_since_overrules_no_decision(device, other, after_s, why):
    """P8, P13: written before the decision, it did not know of it, whatever its clock says."""
    rec = uuid4()
    base = await begun(device, rec)
    candidate = other.safety(rec, {"dose": "10"})
    await other.push(candidate)
    await device.push(device.resolve(rec, base, base=base, seen=[candidate["op"]]))
    op = device.safety(rec, {"dose": "20"}, base=base, ms=NOW_MS + 24 * 3_600_000)
    op |= {"op": str(new_id(NOW + timedelta(seconds=after_s)))}
    answer = await device.push(op, now=NOW + timedelta(seconds=5))

    assert answer.results[0].why == why


async def test_of_two_doses_over_one_base_exactly_one_is_active(database, device, other):
    """P8, P9: whoever commits first stays; the other is kept as a candidate."""
    for _ in range(10):
        rec = uuid4()
        base = await begun(device, rec)
        answers = await asyncio.gather(
            *(
                one.push(one.safety(rec, {"dose": str(one.id)}, base=base))
                for one in (device, other)
            )
        )

        verdicts = {answer.results[0].s: str(answer.results[0].op) for answer in answers}
        assert sorted(verdicts) == ["applied", "conflict"]
        active, conflict = await records(device, rec)
        assert active["ver"] == verdicts["applied"]
        assert (conflict["state"], list(conflict["candidates"])) == ("open", [verdicts["conflict"]])
    await left_by_the_log(database, device)


async def test_nobody_resolves_what_they_have_not_seen(database, device, other):
    for _ in range(10):
        rec = uuid4()
        base = await begun(device, rec)
        first = device.safety(rec, {"dose": "10"}, base=base)
        second = other.safety(rec, {"dose": "20"}, base=base)
        await device.push(first)
        await other.push(second)
        third = other.safety(rec, {"dose": "30"}, base=base)
        resolve = device.resolve(rec, second["op"], base=first["op"], seen=[second["op"]])
        answers = await asyncio.gather(device.push(resolve), other.push(third))

        resolved, raced = (answer.results[0] for answer in answers)
        active, conflict = await records(device, rec)
        assert raced.s == "conflict"
        assert third["op"] in conflict["candidates"]
        if resolved.s == "stale_resolve":
            assert (str(resolved.active), resolved.unseen) == (first["op"], [UUID(third["op"])])
            assert active["ver"] == first["op"]
        else:
            assert active["ver"] == resolve["op"]
    await left_by_the_log(database, device)


async def test_a_safety_batch_sent_twice_at_once_is_decided_once(database, device, other):
    rec = uuid4()
    base = await begun(device, rec)
    await other.push(other.safety(rec, {"dose": "20"}, base=base))
    ops = [
        device.safety(rec, {"dose": "10"}, base=base),
        device.event({"occ": "x"}),
        device.safety(uuid4(), {"dose": "1"}),
    ]
    first, second = await asyncio.gather(device.push(*ops), device.push(*ops))

    assert [result.seq for result in first.results] == [result.seq for result in second.results]
    assert {first.results[0].s, second.results[0].s} == {"conflict", "dup"}
    assert {first.results[0].why, second.results[0].why} == {"base"}
    await left_by_the_log(database, device)


async def test_a_connection_killed_in_the_middle_leaves_nothing_decided(database, device, home):
    rec = uuid4()
    base = await begun(device, rec)

    async def killed(_db, _org, _changes, _now):
        await database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'mos_app' AND state = 'idle in transaction'"
        )

    broken = replace(
        device, collections=COLLECTIONS | {"dose": replace(COLLECTIONS["dose"], applied=killed)}
    )
    ops = [
        device.safety(rec, {"dose": "10"}, base=base),
        device.safety(rec, {"dose": "20"}, base=base),
    ]
    with pytest.raises(Exception):  # noqa: B017, PT011  whatever the driver calls it
        await broken.push(*ops)
    assert (await records(device, rec))[0]["ver"] == base

    assert await device.verdicts(*ops) == ["applied", "conflict"]
    await left_by_the_log(database, device)


async def test_many_devices_over_few_doses_leave_what_their_log_says(database, home):
    """P8: doses, proposals and decisions, all at once."""
    devices = [Device(database, home.org, (home.space,)) for _ in range(4)]
    recs = [uuid4() for _ in range(2)]

    async def write(device, dice):
        for _ in range(15):
            rec = dice.choice(recs)
            active, conflict = await records(device, rec)
            base = active and active["ver"]
            if conflict and conflict["state"] == "open" and dice.random() < 0.5:
                seen = list(conflict["candidates"])
                choose = dice.choice([base, *seen])
                await device.push(device.resolve(rec, choose, base=base, seen=seen))
            else:
                v = {"dose": str(dice.randint(1, 9)), "double": dice.random() < 0.1}
                await device.push(device.safety(rec, v, base=base), device.event({"occ": "x"}))

    await asyncio.gather(
        *(write(device, random.Random(n)) for n, device in enumerate(devices))  # noqa: S311
    )
    await left_by_the_log(database, devices[0])


async def test_a_domain_hears_what_is_active_and_of_the_conflict(database, home, other):
    told: list = []

    async def applied(_db, _org, changes, _now):
        told.extend(changes)

    heard = {
        name: replace(one, applied=applied) if name in ("dose", "conflict") else one
        for name, one in COLLECTIONS.items()
    }
    device = Device(database, home.org, (home.space,), collections=heard)
    rec = uuid4()
    first = device.safety(rec, {"dose": "5"})
    same = device.safety(rec, {"dose": "5"}, base=first["op"])
    alone = device.safety(rec, {"dose": "9"}, base=str(uuid4()))
    await device.push(first, same, alone)

    active, conflict = told
    assert (active.kind, active.coll, active.rec, active.by) == (
        "safety",
        "dose",
        rec,
        device.account,
    )
    assert active.groups == active.doc
    assert active.groups["active"]["v"] == {"dose": "5"}
    assert (conflict.kind, conflict.coll, conflict.by, conflict.seq) == (
        "system",
        "conflict",
        None,
        4,
    )
    assert list(conflict.doc["candidates"]) == [alone["op"]]


async def test_a_safety_op_that_is_wrong_in_itself_is_refused_like_any_other(device):
    rec = uuid4()
    weak = replace(device, words=frozenset({"plan.edit"}))
    candidate = str(uuid4())
    answer = await weak.push(
        weak.safety(rec, {"dose": 5}),
        weak.resolve(rec, candidate, base=None, seen=[candidate]),
        weak.safety(rec, {"dose": "5"}) | {"coll": "reminder"},
        weak.set(uuid4(), {"state": "closed"}, coll="conflict"),
    )

    assert [(result.s, result.code) for result in answer.results] == [
        ("invalid", "invalid"),
        ("forbidden", "permission"),
        ("invalid", "kind"),
        ("forbidden", "group"),
    ]


async def test_a_conflict_holds_a_hundred_candidates_and_quarantine_the_rest(database, device):
    rec = uuid4()
    ops = [device.safety(rec, {"dose": str(n)}, base=str(uuid4())) for n in range(101)]
    verdicts = [word for some in batched(ops) for word in await device.verdicts(*some)]

    assert verdicts == ["conflict"] * 100 + ["invalid"]
    assert await database.sql("SELECT op_id, reason FROM quarantine") == [
        {"op_id": UUID(ops[-1]["op"]), "reason": "invalid conflict_full"}
    ]
    await left_by_the_log(database, device)


async def test_a_refused_decision_for_which_there_is_no_room_stays_with_its_device(device, home):
    rec = uuid4()
    double = device.safety(rec, {"dose": "9", "double": True})
    await device.push(double)
    for _ in range(2):
        await device.push(*(device.set(uuid4(), {"x": 1}, coll="weather") for _ in range(500)))
    resolve = device.resolve(rec, double["op"], base=None, seen=[double["op"]])

    assert await device.verdicts(resolve) == ["retry"]
    # It is known not to have come, and so is asked for.
    answer = await device.push(device.event({"occ": "x"}))
    assert answer.missing == {home.space: [[resolve["n"], resolve["n"]]]}


async def test_a_rule_for_two_people_that_stumbles_asks_for_two(database, home):
    def stumbles(_groups):
        raise ZeroDivisionError

    weak = COLLECTIONS | {"dose": replace(COLLECTIONS["dose"], second=stumbles)}
    device = Device(database, home.org, (home.space,), collections=weak)
    answer = await device.push(device.safety(uuid4(), {"dose": "5"}))

    assert (answer.results[0].s, answer.results[0].why) == ("conflict", "second")


async def test_nobody_alone_makes_what_takes_two_a_matter_of_one(database, device, other):
    rec = uuid4()
    double = device.safety(rec, {"dose": "9", "double": True})
    await device.push(double)
    agreed = other.resolve(rec, double["op"], base=None, seen=[double["op"]])
    await other.push(agreed)
    drop = device.safety(rec, {"dose": "9"}, base=agreed["op"])
    answer = await device.push(drop)
    assert (answer.results[0].s, answer.results[0].why) == ("conflict", "second")

    alone = device.resolve(rec, drop["op"], base=agreed["op"], seen=[drop["op"]])
    answer = await device.push(alone)
    assert (answer.results[0].s, answer.results[0].code) == ("forbidden", "second_signer")
    assert (await records(device, rec))[0]["v"] == {"dose": "9", "double": True}

    # Two may, and from then on one is enough.
    both = other.resolve(rec, drop["op"], base=agreed["op"], seen=[drop["op"]])
    after = device.safety(rec, {"dose": "7"}, base=both["op"])
    assert await other.verdicts(both) == ["applied"]
    assert await device.verdicts(after) == ["applied"]
    await left_by_the_log(database, device)


async def test_a_record_that_took_the_id_of_a_conflict_does_not_become_one(database, device, home):
    rec = uuid4()
    base = await begun(device, rec)
    taken = named_id(home.space, f"conflict/{rec}")
    stolen = SystemChange(space=home.space, coll="reminder", rec=taken, groups={"title": "x"})
    async with database.app.transaction(Scope(home.org, (home.space,))) as db:
        await record(db, home.org, [stolen], NOW)
    answer = await device.push(device.safety(rec, {"dose": "9"}, base=str(uuid4())))

    assert (answer.results[0].s, answer.results[0].code) == ("invalid", "rec_taken")
    rows = (await device.pull())[home.space]
    assert (rows[str(taken)][2], rows[str(rec)][2]["active"]["ver"]) == ({"title": "x"}, base)


async def test_nobody_takes_the_id_of_a_conflict_before_it_is_there(database, device, home):
    rec = uuid4()
    base = await begun(device, rec)
    name = str(named_id(home.space, f"conflict/{rec}"))
    ops = [
        device.set(name, {"title": "x"}),
        device.set(name, {"taken": {"by": "x"}}, coll="alert"),
        device.event({"occ": "x"}) | {"op": name},
        device.safety(name, {"dose": "5"}),
    ]
    answer = await device.push(*ops)

    assert [(result.s, result.code, result.path) for result in answer.results] == [
        ("invalid", "named", "rec"), ("invalid", "named", "rec"), ("invalid", "named", "op"),
        ("invalid", "named", "rec"),
    ]  # fmt: skip
    assert await device.verdicts(device.safety(rec, {"dose": "9"}, base=str(uuid4()))) == [
        "conflict"
    ]
    assert (await records(device, rec))[0]["ver"] == base


# ────────────────────────────────────────────────── groups


async def test_a_group_stands_or_falls_together(database, device, home):
    await device.push(device.set(rec := uuid4(), {"title": "Frukost"}))
    broken, whole = str(uuid4()), str(uuid4())
    answer = await device.push(
        device.set(uuid4(), {"title": "a"}, g=broken),
        device.set(uuid4(), {"title": "b"}, g=whole),
        device.set(rec, {"name": "x"}, coll="profile", g=broken),
        device.event({"occ": "x"}, g=whole),
        device.safety(uuid4(), {"dose": "1"}, g=broken),
        device.set(uuid4(), {"title": "c"}),
    )

    assert [(result.s, result.code or None) for result in answer.results] == [
        ("invalid", "group"),
        ("applied", None),
        ("invalid", "rec_taken"),
        ("applied", None),
        ("invalid", "group"),
        ("applied", None),
    ]
    assert answer.heads == {home.space: 4}
    assert len(await database.sql("SELECT 1 FROM quarantine")) == 3


async def test_what_a_broken_group_claimed_is_free(device, home):
    """Two groups break, one for what the other claims; neither keeps anybody from a record."""
    shared, mine, first, second = uuid4(), uuid4(), str(uuid4()), str(uuid4())
    answer = await device.push(
        device.set(shared, {"title": "a"}),
        device.set(mine, {"title": "b"}, g=first),
        device.set(mine, {"name": "c"}, coll="profile", g=second),
        device.set(shared, {"name": "d"}, coll="profile", g=first),
        device.set(mine, {"name": "e"}, coll="profile"),
    )

    assert [(result.s, result.code or None) for result in answer.results] == [
        ("applied", None),
        ("invalid", "group"),
        ("invalid", "rec_taken"),
        ("invalid", "rec_taken"),
        ("applied", None),
    ]
    assert (await device.pull())[home.space][str(mine)][:3] == ("profile", 2, {"name": "e"})


async def test_what_is_proposed_too_much_breaks_its_group(database, device, home):
    rec = uuid4()
    base = await begun(device, rec)
    for some in batched([device.safety(rec, {"dose": str(n)}) for n in range(100)]):
        await device.push(*some)
    group, free = str(uuid4()), uuid4()
    answer = await device.push(
        device.set(free, {"title": "a"}, g=group),
        device.event({"occ": "x"}),
        device.safety(rec, {"dose": "9"}, base=base, g=group),
        device.set(free, {"name": "b"}, coll="profile"),
        device.safety(uuid4(), {"dose": "1"}, g=group),
        device.safety(uuid4(), {"dose": "2"}),
    )

    assert [(result.s, result.code or None) for result in answer.results] == [
        ("invalid", "group"),
        ("applied", None),
        ("invalid", "conflict_full"),
        ("applied", None),
        ("invalid", "group"),
        ("applied", None),
    ]
    reasons = await database.sql("SELECT reason FROM quarantine ORDER BY reason")
    assert [row["reason"] for row in reasons] == [
        "invalid conflict_full", "invalid group", "invalid group",
    ]  # fmt: skip
    await left_by_the_log(database, device)


async def test_an_id_that_ordinary_and_safety_ops_claim_goes_to_the_ordinary(device):
    rec = uuid4()
    ops = [device.safety(rec, {"dose": "5"}), device.set(rec, {"title": "a"})]

    assert await device.verdicts(*ops) == ["invalid", "applied"]


async def test_a_conflict_is_about_one_collection(database, device, home):
    """Else a proposal of one could be chosen as if it were of the other."""
    device.collections = COLLECTIONS | {"diet": replace(COLLECTIONS["dose"], name="diet")}
    rec = uuid4()
    await device.push(device.safety(rec, {"dose": "5"}, base=str(uuid4())))
    answer = await device.push(device.safety(rec, {"dose": "9"}) | {"coll": "diet"})

    assert (answer.results[0].s, answer.results[0].code) == ("invalid", "rec_taken")


async def test_a_group_of_which_all_has_come_already_is_known_again(device):
    group = str(uuid4())
    ops = [device.set(uuid4(), {"title": "a"}, g=group), device.event({"occ": "x"}, g=group)]
    await device.push(*ops)

    assert await device.verdicts(*ops) == ["dup", "dup"]


async def test_a_group_for_which_there_is_no_room_stays_whole_with_its_device(database, device):
    for _ in range(2):
        await device.push(*(device.set(uuid4(), {"x": 1}, coll="weather") for _ in range(500)))
    await database.sql("DELETE FROM quarantine WHERE ctid IN (SELECT ctid FROM quarantine LIMIT 1)")
    group = str(uuid4())
    ops = [
        device.set(uuid4(), {"title": "a"}, g=group),
        device.set(uuid4(), {"title": 8}, g=group),
        device.set(uuid4(), {"title": "c"}, g=group),
    ]

    assert await device.verdicts(*ops) == ["retry", "retry", "retry"]
    assert len(await database.sql("SELECT 1 FROM quarantine")) == 999


async def test_more_than_fifty_ops_do_not_make_one_group(device):
    group = str(uuid4())
    answer = await device.push(*(device.event({"occ": "x"}, g=group) for _ in range(51)))

    assert {(result.s, result.code, result.path) for result in answer.results} == {
        ("invalid", "too_large", "g")
    }


async def test_what_is_halved_is_never_cut_through_a_group(device):
    """A domain crashes over one of a group: the whole group is set aside, and nothing else."""
    group = str(uuid4())
    ops = [device.event({"n": n}, g=group if 1 <= n <= 6 else None) for n in range(8)]
    applied: list = []

    async def apply(request, *, set_aside=False):
        texts = [bytes(raw) for raw in request.ops]
        if not set_aside and any(b'"n":5}' in text.replace(b" ", b"") for text in texts):
            raise HookFailed("completion")
        applied.append((len(texts), set_aside))
        return Pushed(NOW, [Result(uuid4(), "applied") for _ in texts], {}, {}, {})

    head = PushHead(
        proto=1, schema=1, device_id=device.id, client_now=NOW,
        ops=[Raw(json.dumps(op).encode()) for op in ops],
    )  # fmt: skip
    await push_apart(apply, head)

    assert sorted(applied) == [(1, False), (1, False), (6, True)]


# ────────────────────────────────────────────────── numbers, archive, floor


async def test_a_gap_in_a_devices_numbers_is_told_and_holds_up_nothing(device, home):
    """P26."""
    first, lost, late, last = (device.event({"occ": str(n)}) for n in range(4))
    await device.push(first)
    answer = await device.push(last)
    assert answer.acked == {home.space: 4}
    assert answer.missing == {home.space: [[2, 3]]}

    assert (await device.push(late)).missing == {home.space: [[2, 2]]}
    assert (await device.push(lost)).missing is UNSET


async def test_a_number_that_was_given_up_counts_again_when_it_comes(database, device, home):
    first, second = device.event({"occ": "a"}), device.event({"occ": "b"})
    await device.push(second)
    await database.sql("UPDATE device_space SET lost = missing, missing = '{}'")
    await device.push(first)

    assert await database.sql("SELECT lost, missing FROM device_space WHERE lost <> '{}'") == []


async def test_gaps_without_end_cost_no_more_than_some(database, device):
    ops = [device.event({"occ": str(n)}) for n in range(1000)][::2]
    await device.push(*ops)
    [kept] = await database.sql(
        "SELECT pg_column_size(missing) AS bytes, missing FROM device_space"
    )

    assert kept["bytes"] < 100


async def test_what_is_only_in_the_archive_is_not_taken_twice(database, device):
    rec = uuid4()
    old, never = device.set(rec, {"title": "old"}), device.set(rec, {"note": "never came"})
    event, last = device.event({"occ": "x"}), device.set(rec, {"minutes": 5})
    await device.push(old, event, last)
    await database.sql("DELETE FROM op WHERE seq < 3")
    await database.sql("UPDATE space SET archive_hlc = $1", event["hlc"])
    answer = await device.push(old, never, event)

    assert [(result.s, result.seq) for result in answer.results] == [
        ("dup", UNSET),
        ("applied", 4),
        ("dup", 2),
    ]


async def test_nothing_that_was_compacted_comes_back(database, device):
    """P19."""
    floor = device.set(uuid4(), {"title": "gone"})
    await database.sql("UPDATE space SET floor_hlc = $1", floor["hlc"])
    later = device.set(uuid4(), {"title": "new"}, ms=NOW_MS + 1)
    answer = await device.push(floor, later, device.event({"occ": "x"}, ms=NOW_MS - 5))

    assert [(result.s, result.code or None) for result in answer.results] == [
        ("invalid", "too_old"),
        ("applied", None),
        ("applied", None),
    ]


# ────────────────────────────────────────────────── two groups in one push


async def full_but(database, home, *rooms):
    """Doses with an open conflict each, in which so many more candidates have room."""
    me = Device(database, home.org, (home.space,))
    many = Device(database, home.org, (home.space,))
    recs = [uuid4() for _ in rooms]
    await me.push(*(me.safety(rec, {"dose": "1"}) for rec in recs))
    for rec, room in zip(recs, rooms, strict=True):
        for some in batched([many.safety(rec, {"dose": f"c{n}"}) for n in range(100 - room)]):
            await many.push(*some)
    return me, recs


async def test_a_proposal_of_a_refused_group_takes_no_room(database):
    """P7: the last place is that of whoever stands."""
    me, [rec, full] = await full_but(database, await a_home(database), 1, 0)
    bad, good = str(uuid4()), str(uuid4())
    answer = await me.push(
        me.safety(rec, {"dose": "a"}, g=bad), me.safety(full, {"dose": "b"}, g=bad),
        me.safety(rec, {"dose": "good"}, g=good),
    )  # fmt: skip

    assert [(result.s, result.code or None) for result in answer.results] == [
        ("invalid", "group"), ("invalid", "conflict_full"), ("conflict", None),
    ]  # fmt: skip


@pytest.mark.parametrize("grouped", [False, True])
async def test_an_id_that_a_refused_group_claimed_is_free_for_another_group(database, grouped):
    """P7."""
    me, [full] = await full_but(database, await a_home(database), 0)
    rec, bad, more = uuid4(), str(uuid4()), {"g": str(uuid4())} if grouped else {}
    answer = await me.push(
        me.set(rec, {"title": "y"}, g=bad), me.safety(full, {"dose": "z"}, g=bad),
        me.set(rec, {"name": "x"}, coll="profile", **more),
    )  # fmt: skip

    assert [(result.s, result.code or None) for result in answer.results] == [
        ("invalid", "group"), ("invalid", "conflict_full"), ("applied", None),
    ]  # fmt: skip


async def test_more_proposals_than_are_decided_at_once_are_not_begun(database):
    """P25: each writes a whole conflict anew, with the space locked."""
    me, [rec] = await full_but(database, await a_home(database), 1)
    ops = [me.safety(rec, {"dose": str(n)}) for n in range(20)]
    choice = me.resolve(rec, ops[0]["op"], base=None, seen=[ops[0]["op"]])
    for alone in (choice, me.safety(uuid4(), {"dose": "1"}), ops[0] | {"g": str(uuid4())}):
        with pytest.raises(TooManyProposals):
            await me.push(*ops, alone)

    assert await me.verdicts(*ops) == ["conflict"] + ["invalid"] * 19


async def test_what_stands_together_is_decided_at_once_however_many_they_are(device):
    group = str(uuid4())
    ops = [device.safety(uuid4(), {"dose": str(n)}, g=group) for n in range(50)]

    assert await device.verdicts(*ops) == ["applied"] * 50


async def test_a_proposal_that_would_swell_its_conflict_is_too_large(device):
    answer = await device.push(
        device.safety(uuid4(), {"dose": "x" * 4_096}), device.safety(uuid4(), {"dose": "x" * 3_500})
    )

    assert [(result.s, result.code or None) for result in answer.results] == [
        ("invalid", "too_large"), ("applied", None),
    ]  # fmt: skip
