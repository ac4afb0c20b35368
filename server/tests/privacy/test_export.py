"""A person is given all that there is of them: every table, opened, and nothing of anybody else."""

import json
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from pypdf import PdfReader

from mos.care import store as care
from mos.db import Scope, connect
from mos.ops.demo.people import PEOPLE
from mos.ops.demo.plans import PLANS
from mos.ops.demo.seed import seed
from mos.ops.export import NoSuchPerson, Opener, export
from mos.privacy import exporting
from mos.privacy.declaring import table
from mos.privacy.exporting import keys_of, rows
from mos.review import store as review
from mos.sync.archive import archive
from mos.wiring import PERSONAL_DATA

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)


@pytest.fixture
async def demo(database):
    """A demo home, its owner's pool, and its people's accounts by key."""
    await seed(database.owner_dsn, NOW, database.keyring)
    pool = await connect(database.owner_dsn, size=2, keyring=database.keyring)
    found = await database.sql("SELECT org_id, account_id, name FROM account")
    names = {person.name: person.key for person in PEOPLE}
    pool.org = found[0]["org_id"]
    pool.accounts = {names[row["name"]]: row["account_id"] for row in found}
    yield pool
    await pool.close()


async def exported(pool, account, **more):
    parts, seen = [], []
    done = await export(
        pool, pool.org, account, NOW, parts.append,
        progress=lambda name, count: seen.append((name, count)), **more,
    )  # fmt: skip
    return json.loads(b"".join(parts)), done, seen


async def test_a_resident_is_given_plan_outcomes_and_medication_opened(demo, monkeypatch):
    monkeypatch.setattr(exporting, "PAGE", 50)
    given, done, seen = await exported(demo, demo.accounts["elsa"])

    docs = [row["doc"] for row in given["tables"]["rec"]]
    titles = {doc["title"] for doc in docs if "title" in doc and "category" in doc}
    assert titles >= {planned.title for planned in PLANS["elsa"]}
    assert any("active" in doc and "drug" in doc["active"]["v"] for doc in docs)
    assert any(row["val"].get("v", {}).get("st") == "done" for row in given["tables"]["op"])
    assert given["tables"]["account"][0]["name"].startswith("Elsa")
    assert done.rows == sum(map(len, given["tables"].values()))
    # More than a page of it, and each row once.
    assert len(given["tables"]["op"]) > 50
    assert len({(row["space_id"], row["seq"]) for row in given["tables"]["op"]}) == len(
        given["tables"]["op"]
    )
    assert [count for _, count in seen] == sorted(count for _, count in seen)


async def test_nothing_of_anybody_else_and_no_secret_is_in_it(demo):
    text = json.dumps((await exported(demo, demo.accounts["elsa"]))[0], ensure_ascii=False)
    others = {planned.title for key, plans in PLANS.items() if key != "elsa" for planned in plans}

    assert [title for title in others - {p.title for p in PLANS["elsa"]} if title in text] == []
    hidden = {each.name: {c for c in each.columns if each.columns[c] == "hidden"}
              for each in PERSONAL_DATA}  # fmt: skip
    given = json.loads(text)["tables"]
    assert [name for name in given for row in given[name] if hidden[name] & row.keys()] == []


async def test_every_sealed_column_that_is_declared_is_opened(demo, database):
    """A sample's note lies under the organisation's key: whoever was drawn is given it too."""
    org, elsa = demo.org, demo.accounts["elsa"]
    [home] = await database.sql(
        "SELECT space_id, unit_id FROM resident WHERE account_id = $1", elsa
    )
    month, entry = date(2026, 10, 1), uuid4()
    await database.sql(
        "INSERT INTO access_draw VALUES ($1, $2, '', 1, 1, $3) ON CONFLICT DO NOTHING",
        org, month, NOW,
    )  # fmt: skip
    await database.sql(
        "INSERT INTO access_sample (org_id, month, entry_id, at, space_id, unit_id, account_id, "
        "role, kind, class, purpose) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, 'nurse', 'read', 'day', 'care')",
        org, month, entry, NOW, home["space_id"], home["unit_id"], demo.accounts["sara"],
    )  # fmt: skip
    async with demo.transaction(Scope(org)) as db:
        await review.review(
            db, org, month, entry, outcome="follow_up", note="Fråga varför",
            by=demo.accounts["eva"], now=NOW,
        )  # fmt: skip

    given, _, _ = await exported(demo, elsa)

    assert [row["note"] for row in given["tables"]["access_sample"] if row["note"]] == [
        "Fråga varför"
    ]


async def test_why_somebody_opened_them_in_an_emergency_is_given_in_words(demo, database):
    org, elsa = demo.org, demo.accounts["elsa"]
    [home] = await database.sql(
        "SELECT space_id, unit_id FROM resident WHERE account_id = $1", elsa
    )
    new = care.NewEmergency(
        id=uuid4(), relation=uuid4(), account=demo.accounts["sara"], space=home["space_id"],
        resident_account=elsa, unit=home["unit_id"], at=NOW, until=NOW, cause="urgent",
        reason="Hon svarade inte i porttelefonen.",
    )  # fmt: skip
    async with demo.transaction(Scope(org)) as db:
        await care.add_emergency(db, org, new)

    given, _, _ = await exported(demo, elsa)

    assert [row["reason"] for row in given["tables"]["emergency"]] == [new.reason]


async def test_a_resident_is_given_who_has_a_relation_to_them(demo, database):
    [whose] = await database.sql(
        "SELECT r.account_id, l.account_id AS helper FROM relation l "
        "JOIN resident r USING (space_id) WHERE l.consent <> '' LIMIT 1"
    )
    sheets = []
    given, _, _ = await exported(demo, whose["account_id"], readable=sheets.append)

    assert str(whose["helper"]) in {row["account_id"] for row in given["tables"]["relation"]}
    [helper] = await database.sql("SELECT name FROM account WHERE account_id = $1", whose["helper"])
    words = "".join(page.extract_text() for page in PdfReader(BytesIO(sheets[0])).pages)
    assert "Vem som hjälper" in words
    assert helper["name"] in words


async def test_a_supporter_is_given_their_own_and_no_residents_day(demo):
    given, _, _ = await exported(demo, demo.accounts["sara"])

    assert given["tables"]["relation"]
    assert given["tables"]["account"][0]["name"].startswith("Sara")
    assert "rec" not in given["tables"]


async def test_where_they_live_what_they_agreed_to_and_how_they_are_reached_is_given_in_words(
    demo, database
):
    org, karin = demo.org, demo.accounts["karin"]
    contact = care.Contact(
        id=uuid4(), channel="email", address="karin@hemma.test", label="Hemma", when="always",
        verified=True, gone=False, created_at=NOW,
    )  # fmt: skip
    async with demo.transaction(Scope(org)) as db:
        await care.add_contact(db, org, karin, contact, now=NOW)
        await care.take_device(db, org, uuid4(), account=karin, name="Karins telefon", now=NOW)
        # What only the machine needs is left out, though it lies sealed.
        await care.begin_totp(db, org, karin, b"x" * 20, NOW)

    given, _, _ = await exported(demo, karin)
    elsa, _, _ = await exported(demo, demo.accounts["elsa"])

    tables = given["tables"]
    assert [row["consent"] for row in tables["relation"]] == ["Elsa har sagt ja, 3 mars 2026"]
    assert [(row["address"], row["label"]) for row in tables["contact"]] == [
        ("karin@hemma.test", "Hemma")
    ]
    assert "Karins telefon" in [row["name"] for row in tables["device"]]
    assert [row.keys() & {"secret", "pending"} for row in tables["totp"]] == [set()]
    assert [row["flat"] for row in elsa["tables"]["resident"]] == ["1"]


async def test_what_went_into_the_archive_is_in_it_too(demo, database, tmp_path):
    org, elsa = demo.org, demo.accounts["elsa"]
    [home] = await database.sql("SELECT space_id FROM resident WHERE account_id = $1", elsa)
    async with demo.transaction(Scope(org, (home["space_id"],))) as db:
        moved = await archive(db, tmp_path, org, home["space_id"], NOW + timedelta(days=120))
    assert moved > 0

    given, _, _ = await exported(demo, elsa, archive=tmp_path)

    assert len(given["archive"]) == moved
    assert any("title" in line["val"] for line in given["archive"])


async def test_every_table_that_says_of_whom_its_rows_are_can_be_read_page_by_page(demo):
    async with demo.transaction(Scope(demo.org)) as db:
        keys = await keys_of(db)
        for each in PERSONAL_DATA:
            if each.of and each.store == "data":
                assert [
                    page async for page in rows(db, each, demo.org, [uuid4()], keys[each.name])
                ] == []


async def test_a_sealed_column_that_nobody_opens_is_never_given_sealed(demo):
    new = table(
        "new", "It.", purpose="To.", goes="never: a test", space="space_id", link="space_id",
        health="told", sealed="told",
    )  # fmt: skip
    opener = Opener(None, UUID(int=1), None)

    with pytest.raises(NotImplementedError, match=r"new\.told"):
        await opener.row(new, {"space_id": UUID(int=2), "told": "x"})


async def test_who_is_not_there_is_told_so(demo):
    with pytest.raises(NoSuchPerson):
        await exported(demo, uuid4())
