"""A tablet's disk is put back from an image, or is in two tablets at once: numbers and clocks come
twice, and still nothing is lost that any of them holds, and nothing counts twice."""

from collections import Counter
from copy import deepcopy
from random import Random

from real_home import RealDevice, RealHome, record


def a_note(number, text):
    return {"k": "set", "coll": "reminder", "rec": record(number), "f": {"note": text}}


def a_call():
    return {"k": "event", "coll": "help", "v": {"at": "2026-11-27T07:00:00Z", "why": "help"}}


def writes(device, space, *drafts):
    return {op["op"] for op in device.write(space, *drafts)}


async def settle(*devices):
    for device in [*devices, *devices, *devices]:
        await device.meet_until_done()


async def logged(real):
    rows = await real.sql("SELECT op_id::text FROM op WHERE device_id IS NOT NULL")
    return Counter(row["op_id"] for row in rows)


async def test_a_tablet_put_back_from_an_image_goes_on_and_all_that_was_sent_is_there_once():
    """P3, P26: what only the later disk held is gone with it; what the server had, it keeps."""
    dice = Random(31)  # noqa: S311  a repeatable game
    async with RealHome() as real:
        space = str(real.home.space)
        tablet, phone = [await real.device(name, dice=dice) for name in ("tablet", "phone")]
        await settle(tablet, phone)
        kept = writes(tablet, space, a_note(0, "före"), a_call())
        await settle(tablet)
        kept |= writes(tablet, space, a_call())  # waits in the image
        image = deepcopy(tablet.device.disk)
        await settle(tablet)
        kept |= writes(tablet, space, a_note(0, "sedan"), a_note(1, "ny"), a_call())
        await settle(tablet, phone)
        only_there = writes(tablet, space, a_call())

        tablet.device.disk = image
        tablet.restart()
        # It does not know yet that it has given these numbers before.
        kept |= writes(tablet, space, a_note(2, "efter"), a_call())
        await settle(tablet, phone)
        kept |= writes(tablet, space, a_call())
        await settle(tablet, phone)
        log = await logged(real)

    assert log == dict.fromkeys(kept, 1)
    assert not only_there & log.keys()
    assert tablet.rows[space] == phone.rows[space]
    assert {rec: row[2]["note"] for rec, row in phone.rows[space].items() if "note" in row[2]} == {
        record(0): "sedan", record(1): "ny", record(2): "efter",
    }  # fmt: skip


async def test_two_tablets_from_one_image_both_bring_what_they_wrote():
    """P1, P3, P6: the same device twice, with the same numbers for different things."""
    dice = Random(32)  # noqa: S311  a repeatable game
    async with RealHome() as real:
        space = str(real.home.space)
        first, phone = [await real.device(name, dice=dice) for name in ("tablet", "phone")]
        await settle(first, phone)
        kept = writes(first, space, a_note(0, "före"), a_call())
        await settle(first)
        disk = deepcopy(first.device.disk)
        second = RealDevice(
            "twin", first.device.account, first.id, first._token, first.line
        )  # fmt: skip
        second.device.disk = disk

        for turn in range(3):
            for tablet in (first, second):
                text = f"{tablet.device.name} {turn}"
                kept |= writes(tablet, space, a_note(turn, text), a_call(), a_call())
            await settle(first, second)
        kept |= writes(second, space, a_call())
        await settle(second, first, phone)
        log = await logged(real)

    assert log == dict.fromkeys(kept, 1)
    assert first.rows[space] == second.rows[space] == phone.rows[space]
    assert first.device.unsent() == second.device.unsent() == []
