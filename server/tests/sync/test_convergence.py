"""Convergence: whatever the order, batching and repetition, all devices end with the same records.

Random traces with few records, groups and moments, so that they do conflict; the reference is the
merge of docs/sync.md in plain Python. The numbers are those of the protocol's invariants.
"""

from uuid import UUID, uuid5

import pytest
from builders import a_home, a_resident
from devices import NOW_MS, Device, Reference
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mos.kernel.ids import MOS

trace = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _made_of(space: UUID, name: str) -> UUID:
    """The same id for the same name, and none that is kept for names."""
    return UUID(int=uuid5(space, name).int, version=4)


RECORDS = [_made_of(MOS, name) for name in "abc"]
GROUPS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["a", "b", ""]),
        "note": st.sampled_from([None, ["y"], {"deep": 1}]),
        "deleted": st.booleans(),
    },
).map(lambda groups: groups or {"title": "c"})


@st.composite
def histories(draw):
    """Ops of three devices as (device, milliseconds, kind, record, groups), in their own order."""
    moments = st.integers(-3, 3).map(lambda step: NOW_MS + step * 1000)
    writes = st.tuples(
        st.integers(0, 2),
        moments,
        st.sampled_from(["set", "set", "set", "event", "profile"]),
        st.sampled_from(RECORDS),
        GROUPS,
    )
    return draw(st.lists(writes, min_size=1, max_size=14))


def written(devices, history) -> list[tuple[Device, dict]]:
    ops = []
    for index, ms, kind, rec, groups in history:
        device = devices[index]
        match kind:
            case "event":
                ops.append((device, device.event({"of": str(rec)}, ms=ms)))
            case "profile":
                ops.append((device, device.set(rec, groups, coll="profile", ms=ms)))
            case _:
                ops.append((device, device.set(rec, groups, ms=ms)))
    return ops


async def three_devices(database, home):
    resident = await a_resident(database, home.org, home.unit)
    return [Device(database, home.org, (resident.space,)) for _ in range(3)]


def batches(draw, ops):
    """Any order, cut anywhere, some of it sent again; each batch is one device's."""
    order = draw(st.permutations([*ops, *draw(st.lists(st.sampled_from(ops), max_size=6))]))
    out: list[tuple[Device, list[dict]]] = []
    for device, op in order:
        if out and out[-1][0] is device and draw(st.booleans()):
            out[-1][1].append(op)
        else:
            out.append((device, [op]))
    return out


@pytest.fixture
async def home(database):
    return await a_home(database)


@trace
@given(history=histories(), data=st.data())
async def test_every_order_converges_to_the_reference(database, home, history, data):
    """P1, P2, P4, P6, P22: verdicts, records, places and fingerprints are the reference's."""
    devices = await three_devices(database, home)
    space = devices[0].spaces[0]
    reference = Reference()
    for device, batch in batches(data.draw, written(devices, history)):
        expected = [reference.take(op, str(device.account)) for op in batch]
        results = (await device.push(*batch)).results
        assert [(result.s, result.seq or None) for result in results] == expected
        if data.draw(st.booleans()):
            await data.draw(st.sampled_from(devices)).pull(limit=data.draw(st.integers(1, 4)))

    for device in devices:
        assert (await device.pull()).get(space, {}) == reference.recs
    places = await database.sql("SELECT seq FROM op WHERE space_id = $1 ORDER BY seq", space)
    assert [row["seq"] for row in places] == list(range(1, reference.seq + 1))


@trace
@given(history=histories(), data=st.data())
async def test_two_orders_of_the_same_ops_leave_the_same_record(database, home, history, data):
    """P2: values and clocks do not depend on the order (places do)."""
    ends = []
    # One record per collection: whose the record is, the first to arrive decides.
    history = [
        (index, ms, kind, _made_of(rec, kind), groups) for index, ms, kind, rec, groups in history
    ]
    devices = await three_devices(database, home)
    ops = written(devices, history)
    for _ in range(2):
        space = (await a_resident(database, home.org, home.unit)).space
        for device in devices:
            device.spaces = (space,)
        for device, batch in batches(data.draw, ops):
            await device.push(*[op | {"space": str(space)} for op in batch])
        rows = (await devices[0].pull())[space]
        ends.append({rec: (coll, doc, clk) for rec, (coll, _seq, doc, clk) in rows.items()})

    assert ends[0] == ends[1]


@trace
@given(moments=st.lists(st.integers(-200_000, 200_000), min_size=1, max_size=12), data=st.data())
async def test_no_kept_clock_is_ahead_and_a_device_keeps_its_order(database, home, moments, data):
    """P12, P13: whatever a device's clock does, the last it wrote is what stands."""
    device = (await three_devices(database, home))[0]
    ops = [
        device.set(RECORDS[0], {"title": str(number)}, ms=NOW_MS + moment)
        for number, moment in enumerate(moments)
    ]
    while ops:
        size = data.draw(st.integers(1, len(ops)))
        batch, ops = ops[:size], ops[size:]
        assert set(await device.verdicts(*batch)) == {"applied"}

    kept = await database.sql("SELECT hlc FROM op WHERE space_id = $1 ORDER BY n", device.spaces[0])
    clocks = [row["hlc"] for row in kept]
    assert clocks == sorted(set(clocks))
    assert max(int(clock[:12], 16) for clock in clocks) <= NOW_MS + 60_000
    [(_coll, _seq, doc, _clk)] = (await device.pull())[device.spaces[0]].values()
    assert doc == {"title": str(len(moments) - 1)}


@trace
@given(
    ops=st.lists(st.tuples(st.sampled_from(RECORDS), st.booleans()), min_size=2, max_size=10),
    data=st.data(),
)
async def test_a_fingerprint_shows_every_row_that_is_missing_twice_or_stale(
    database, home, ops, data
):
    """P22: what the server counts differs as soon as one row does."""
    device = (await three_devices(database, home))[0]
    space = device.spaces[0]
    await device.push(*[device.set(rec, {"title": "x", "deleted": gone}) for rec, gone in ops])
    rows = await device.pull()
    live = [rec for rec, row in rows[space].items() if row[2]["deleted"] is not True]
    if not live:
        return
    rec = data.draw(st.sampled_from(live))
    coll, seq, doc, clk = rows[space].pop(rec)
    match data.draw(st.sampled_from(["missing", "stale", "twice"])):
        case "stale":
            rows[space][rec] = (coll, seq - 1, doc, clk)
        case "twice":
            rows[space] |= {rec: (coll, seq, doc, clk), str(UUID(int=1)): (coll, seq, doc, clk)}
        case _:
            pass
    # Another op, so that the space is in the answer: its check must not agree.
    await device.push(device.set(UUID(int=2), {"title": "y"}))
    with pytest.raises(AssertionError):
        await device.pull()


async def test_an_old_app_changes_what_it_knows_and_carries_the_rest(database, home):
    """P21: a group that only a newer app knows stays as it was."""
    new, old, _ = await three_devices(database, home)
    [space] = new.spaces
    await new.push(new.set(RECORDS[0], {"title": "a", "of_tomorrow": {"deep": [1]}}))
    await old.pull()
    await old.push(old.set(RECORDS[0], {"title": "b"}, ms=NOW_MS + 1))

    for device in (new, old):
        doc = (await device.pull())[space][str(RECORDS[0])][2]
        assert doc == {"title": "b", "of_tomorrow": {"deep": [1]}}
