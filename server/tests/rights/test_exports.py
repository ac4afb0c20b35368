"""People ask in the app for all that there is of them; a worker makes it, and they fetch it."""

import asyncio
import json
from datetime import timedelta
from io import BytesIO

import pytest
from builders import a_home, a_record, a_relation, a_resident, an_account
from pypdf import PdfReader

from mos.db import DbError
from mos.rights import store
from mos.rights.actions import setting
from mos.rights.actions.making import Overtaken, make
from mos.rights.model import Readable, Section
from mos.wiring import PERSONAL_DATA, erase_person
from mos.worker.exports import Exports

SEES = ("plan.view", "medication.view", "care.manage")


@pytest.fixture
async def home(site):
    home = await a_home(site.database)
    await a_record(site.database, home.org, home.space, "reminder", {
        "title": "Gröt med lingon", "category": "meal",
        "rule": {"kind": "weekly", "days": ["mon", "thu"], "times": ["08:00"],
                 "zone": "Europe/Stockholm", "start": "2026-01-05"},
    })  # fmt: skip
    return home


@pytest.fixture
async def manager(site, home):
    account = await an_account(site.database, home.org, "manager", name="Eva")
    await a_relation(site.database, home.org, account, unit=home.unit, permissions=SEES)
    return await site.as_account(home.org, account)


async def made(site):
    """Let a worker make what waits."""
    exports = Exports(site.database.app)
    await exports.look(site.clock.now)
    await exports.idle()


async def asked(browser, **of):
    answer = await browser.post("exports", {"language": "sv"} | of)
    assert answer.status_code == 201, answer.text
    return answer.json()


def text_of(pdf):
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


async def test_a_resident_asks_for_their_own_and_reads_it_in_words(site, home):
    elsa = await site.as_account(home.org, home.resident.account)
    export = await asked(elsa, space=str(home.space))
    assert (export["state"], export["pdf_size"]) == ("waiting", None)
    await made(site)

    [listed] = (await elsa.get("exports")).json()
    pdf = await elsa.get(f"exports/{export['id']}/file?form=pdf")
    data = await elsa.get(f"exports/{export['id']}/file?form=json")

    assert listed["state"] == "made"
    assert (len(pdf.content), len(data.content)) == (listed["pdf_size"], listed["json_size"])
    words = text_of(pdf.content)
    assert "Gröt med lingon" in words
    assert "mån, tors 08:00" in words
    assert str(home.org) not in words
    given = json.loads(data.content)["tables"]
    assert given["account"][0]["name"] == home.resident.name
    assert any(row["doc"].get("title") == "Gröt med lingon" for row in given["rec"])


@pytest.mark.parametrize(
    ("language", "says"),
    [("sv", "Det som är planerat"), ("en", "What is planned"), ("fi", "Mitä on suunniteltu")],
)
async def test_it_is_written_in_the_language_that_was_asked_for(site, home, language, says):
    elsa = await site.as_account(home.org, home.resident.account)
    export = await asked(elsa, language=language)
    await made(site)

    pdf = (await elsa.get(f"exports/{export['id']}/file")).content

    reader = PdfReader(BytesIO(pdf))
    assert says in text_of(pdf)
    # A screen reader is told the language, the title and what is a table.
    assert reader.trailer["/Root"]["/Lang"] == language
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


async def test_staff_ask_for_their_own_and_get_nobodys_day(site, home):
    noor = await site.signed_in("caregiver@example.test")
    export = await asked(noor)
    await made(site)

    given = (await noor.get(f"exports/{export['id']}/file?form=json")).json()["tables"]

    assert given["account"][0]["name"] == "Noor"
    assert "rec" not in given
    assert "Gröt" not in text_of((await noor.get(f"exports/{export['id']}/file")).content)


async def test_whoever_manages_and_sees_a_resident_asks_for_them_and_the_log_says_so(
    site, home, manager
):
    export = await asked(manager, space=str(home.space))
    await made(site)

    assert (await manager.get(f"exports/{export['id']}/file?form=json")).is_success

    rows = await site.database.sql(
        "SELECT space_id, kind, class FROM access_log WHERE kind = 'exported' ORDER BY class"
    )
    assert [(row["kind"], row["class"]) for row in rows] == [
        ("exported", "day"), ("exported", "medication"),
    ]  # fmt: skip
    elsa = await site.as_account(home.org, home.resident.account)
    seen = (await elsa.get(f"residents/{home.space}/accesses")).json()["seen"]
    assert [(each["person"], each["exported"]) for each in seen] == [("Eva", True)]


async def test_nobody_asks_for_whom_they_do_not_see_and_administrators_for_nobody(site, home):
    blind = await an_account(site.database, home.org, "manager", name="Bo")
    await a_relation(site.database, home.org, blind, unit=home.unit,
                     permissions=("plan.view", "care.manage"))  # fmt: skip
    other = await a_resident(site.database, home.org, home.unit, name="Olle")
    for who, status in (
        (blind, 403), (home.admin, 403), (home.caregiver, 403), (other.account, 404),
    ):  # fmt: skip
        browser = await site.as_account(home.org, who)
        answer = await browser.post("exports", {"language": "sv", "space": str(home.space)})
        assert answer.status_code == status, who


async def test_only_who_asked_fetches_it(site, home, manager):
    export = await asked(manager, space=str(home.space))
    await made(site)
    elsa = await site.as_account(home.org, home.resident.account)

    for method, path in (("GET", "/file"), ("DELETE", "")):
        answer = await elsa.ask(method, f"exports/{export['id']}{path}", None)
        assert answer.status_code == 404
    assert (await elsa.get("exports")).json() == []


async def test_whoever_may_no_longer_see_a_resident_fetches_nothing(site, home, manager):
    export = await asked(manager, space=str(home.space))
    await made(site)
    await site.database.sql(
        "UPDATE relation SET permissions = '{plan.view,care.manage}' "
        "WHERE 'care.manage' = ANY (permissions)"
    )

    assert (await manager.get(f"exports/{export['id']}/file")).status_code == 403


async def test_they_prove_once_more_who_they_are_to_ask_and_to_fetch(site, home):
    noor = await site.signed_in("caregiver@example.test")
    export = await asked(noor)
    await made(site)
    site.clock.move(minutes=6)

    for answer in (
        await noor.post("exports", {"language": "sv"}),
        await noor.get(f"exports/{export['id']}/file"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "step_up_needed")


async def test_a_resident_whose_tablet_is_all_they_have_is_not_asked_for_more(site, home):
    elsa = await site.as_account(home.org, home.resident.account)
    site.clock.move(minutes=6)

    await asked(elsa)


async def test_asking_again_soon_makes_no_second_one_and_later_another(site, home):
    elsa = await site.as_account(home.org, home.resident.account)
    first = await asked(elsa)
    await made(site)
    assert (await asked(elsa))["id"] == first["id"]

    site.clock.move(hours=1)
    second = await asked(elsa)

    assert second["id"] != first["id"]
    assert [each["id"] for each in (await elsa.get("exports")).json()] == [second["id"]]


async def test_two_who_ask_at_once_are_answered_one(site, home):
    elsa = await site.as_account(home.org, home.resident.account)

    both = await asyncio.gather(asked(elsa), asked(elsa))

    assert both[0]["id"] == both[1]["id"]


async def test_after_seven_days_nobody_fetches_it(site, home):
    elsa = await site.as_account(home.org, home.resident.account)
    export = await asked(elsa)
    await made(site)
    site.clock.move(days=7)

    assert (await elsa.get("exports")).json() == []
    assert (await elsa.get(f"exports/{export['id']}/file")).status_code == 404


async def test_what_is_not_made_yet_is_not_fetched(site, home):
    elsa = await site.as_account(home.org, home.resident.account)
    export = await asked(elsa)

    answer = await elsa.get(f"exports/{export['id']}/file")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_made")


async def test_it_lies_sealed_and_goes_when_its_person_is_erased(site, home, manager):
    export = await asked(manager, space=str(home.space))
    await made(site)
    bodies = [row["body"] for row in await site.database.sql("SELECT body FROM export_part")]
    assert bodies
    assert not any(b"ingon" in body or b"%PDF" in body for body in bodies)

    async with site.database.app.transaction() as db:
        await erase_person(db, home.org, home.resident.account, site.clock.now)

    assert await site.database.sql("SELECT FROM export_part") == []
    assert (await manager.get(f"exports/{export['id']}/file")).status_code == 404


async def test_what_they_delete_is_gone(site, home):
    elsa = await site.as_account(home.org, home.resident.account)
    export = await asked(elsa)
    await made(site)

    assert (await elsa.delete(f"exports/{export['id']}")).is_success

    assert await site.database.sql("SELECT FROM export_part") == []


async def claimed(site, after=timedelta(0)):
    async with site.database.app.transaction() as db:
        return await store.claim(db, site.clock.now + after)


async def finish(site, claim):
    await make(
        site.database.app, claim, PERSONAL_DATA, site.clock.now, archive=None,
        progress=lambda _rows: None,
    )  # fmt: skip


async def test_when_a_worker_dies_another_makes_it_and_what_the_first_still_writes_is_not_kept(
    site, home
):
    await asked(await site.as_account(home.org, home.resident.account))
    dead = await claimed(site)
    assert await claimed(site, timedelta(minutes=1)) is None
    other = await claimed(site, timedelta(minutes=3))

    await finish(site, other)
    parts = await site.database.sql("SELECT form, n FROM export_part ORDER BY 1, 2")
    with pytest.raises((Overtaken, DbError)):
        await finish(site, dead)

    assert other.tries == 2
    assert await site.database.sql("SELECT form, n FROM export_part ORDER BY 1, 2") == parts


async def test_what_cannot_be_made_is_given_up_after_three_tries_and_said(site, home, monkeypatch):
    elsa = await site.as_account(home.org, home.resident.account)
    first = await asked(elsa)

    def breaks(_document):
        raise RuntimeError("no paper")

    with monkeypatch.context() as broken:
        broken.setattr(setting, "pdf", breaks)
        for _ in range(3):
            await made(site)
            site.clock.move(minutes=3)

    [listed] = (await elsa.get("exports")).json()
    assert listed["state"] == "failed"
    assert await site.database.sql("SELECT FROM export_part") == []
    # Asked for again, it is tried again.
    again = await asked(elsa)
    await made(site)
    assert again["id"] != first["id"]
    assert (await elsa.get(f"exports/{again['id']}/file")).is_success


async def test_how_far_it_is_can_be_seen_while_it_is_made(site, home, monkeypatch):
    elsa = await site.as_account(home.org, home.resident.account)
    await asked(elsa)
    stopped, go_on = asyncio.Event(), asyncio.Event()
    to_thread = asyncio.to_thread

    async def slowly(work, *args):
        if work is not setting.pdf:
            return await to_thread(work, *args)
        stopped.set()
        await go_on.wait()
        return await to_thread(work, *args)

    monkeypatch.setattr("mos.rights.actions.making.asyncio.to_thread", slowly)
    exports = Exports(site.database.app)
    await exports.look(site.clock.now)
    await stopped.wait()
    await exports.look(site.clock.now)

    [listed] = (await elsa.get("exports")).json()
    go_on.set()
    await exports.idle()

    assert listed["state"] == "waiting"
    assert listed["rows"] > 0


def test_what_people_wrote_is_never_read_as_markup():
    evil = '#panic("x") $a$ *b* <c> @d \\ `e` //f'
    section = Section(evil, evil, [evil], [1], [[evil]])

    words = text_of(setting.pdf(Readable("sv", evil, "{page}/{pages}", [evil], [section])))

    assert words.count("panic") == 6
    assert "1/1" in words
