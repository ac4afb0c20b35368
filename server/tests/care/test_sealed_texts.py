"""Flats, consents, addresses and names of devices lie sealed, and go with whom they are about."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from builders import a_home, a_relation

from mos.care import store
from mos.care.model import Reach
from mos.care.store.resealing import seal_texts
from mos.db import Scope, connect
from mos.privacy.sealing import KeyGone, is_sealed
from mos.privacy.seals import SealBroken
from mos.privacy.texts import Text, opened, sealed, shown

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
PLACE = "relation|consent"
# Every column, as it lies.
LYING = {
    "flat": "SELECT flat AS t FROM resident",
    "consent": "SELECT consent AS t FROM relation",
    "device": "SELECT name AS t FROM device",
    "passkey": "SELECT name AS t FROM passkey",
    "address": "SELECT address AS t FROM contact",
    "label": "SELECT label AS t FROM contact",
}


@pytest.fixture
async def home(database):
    return await a_home(database, residents=2)


@pytest.fixture
async def owner(database):
    pool = await connect(database.owner_dsn, size=2, keyring=database.keyring)
    yield pool
    await pool.close()


async def lying(database, name):
    """What stands in a column, as whoever has the disk reads it."""
    return [row["t"] for row in await database.owner.fetch(LYING[name])]


async def written_before(database, home):
    """What an earlier release wrote: one plain text of each kind."""
    org, person = home.org, home.resident.account
    await database.sql("UPDATE resident SET flat = 'Lgh 1204'")
    relation = await a_relation(database, org, home.caregiver, space=home.space)
    await database.sql(
        "UPDATE relation SET consent = CASE WHEN relation_id = $1 THEN 'Elsa sa ja' "
        "ELSE 'Anställd' END", relation,
    )  # fmt: skip
    await database.sql(
        "INSERT INTO device (org_id, device_id, account_id, name, created_at, seen_at) "
        "VALUES ($1, $2, $3, 'Köksplattan', $4, $4)", org, uuid4(), person, NOW,
    )  # fmt: skip
    await database.sql(
        "INSERT INTO passkey (org_id, passkey_id, account_id, credential, public_key, sign_count, "
        "transports, synced, name, created_at) "
        "VALUES ($1, $2, $3, 'c', 'k', 0, '{}', false, 'Noors nyckel', $4)",
        org, uuid4(), home.caregiver, NOW,
    )  # fmt: skip
    for account, channel, address in (
        (home.caregiver, "email", "noor@hemma.test"), (None, "webhook", "https://larm.test/hook"),
    ):  # fmt: skip
        await database.sql(
            "INSERT INTO contact (org_id, contact_id, account_id, channel, address, label, "
            "when_told, secret, verified_at, created_at) "
            "VALUES ($1, $2, $3, $4, $5, 'Hemma hos Noor', 'always', '', $6, $6)",
            org, uuid4(), account, channel, address, NOW,
        )  # fmt: skip


async def read(database, home):
    """Everything, as the application gives it to people."""
    async with database.app.transaction(Scope(org=home.org)) as db:
        org = home.org
        people = [resident.space for resident in home.residents]
        reach = Reach(everything=True, units=frozenset())
        return {
            "flats": [each.flat for each in await store.residents_of_spaces(db, org, people)],
            "consents": sorted(
                each.consent for each in await store.relations_within(db, org, reach, NOW)
            ),
            "devices": [
                each.name for each in await store.devices_of_account(db, org, home.resident.account)
            ],
            "passkeys": [each.name for each in await store.passkeys_of(db, org, home.caregiver)],
            "contacts": [
                (each.address, each.label)
                for owner in (home.caregiver, None)
                for each in await store.contacts_of(db, org, owner)
            ],
        }


async def test_what_an_earlier_release_wrote_reads_as_before_and_is_sealed_after(
    database, owner, home
):
    await written_before(database, home)
    before = await read(database, home)
    assert before == {
        "flats": ["Lgh 1204", "Lgh 1204"], "consents": ["Anställd", "Elsa sa ja"],
        "devices": ["Köksplattan"], "passkeys": ["Noors nyckel"],
        "contacts": [("noor@hemma.test", "Hemma hos Noor"),
                     ("https://larm.test/hook", "Hemma hos Noor")],
    }  # fmt: skip
    counted = await seal_texts(owner, check=True)
    assert (counted.plain, await lying(database, "flat")) == (10, ["Lgh 1204"] * 2)

    done = await seal_texts(owner)

    assert (done.plain, done.gone) == (10, 0)
    for name in LYING:
        assert all(map(is_sealed, await lying(database, name))), name
    assert await read(database, home) == before
    again = await seal_texts(owner, check=True)
    assert (again.plain, again.rows) == (0, 10)
    assert (await seal_texts(owner)).plain == 0


async def test_what_was_changed_while_it_was_being_sealed_is_not_put_back(
    database, owner, home, monkeypatch
):
    await written_before(database, home)
    real = sealed

    async def slow(db, org, place, texts):
        found = await real(db, org, place, texts)
        await database.owner.execute("UPDATE resident SET flat = 'Lgh 7' WHERE flat = 'Lgh 1204'")
        return found

    monkeypatch.setattr("mos.privacy.texts.sealed", slow)
    await seal_texts(owner)

    assert (await read(database, home))["flats"] == ["Lgh 7", "Lgh 7"]
    monkeypatch.undo()
    assert (await seal_texts(owner)).plain == 2


async def test_equal_addresses_of_one_person_are_known_to_be_equal_after_sealing(
    database, owner, home
):
    await written_before(database, home)
    await seal_texts(owner)

    digests = await database.owner.fetch("SELECT address_digest AS d FROM contact")

    assert len({row["d"] for row in digests}) == 2
    assert all(len(row["d"]) == 32 for row in digests)


async def test_of_two_equal_addresses_that_were_written_meanwhile_both_are_sealed(
    database, owner, home
):
    await written_before(database, home)
    await seal_texts(owner)
    await database.sql(
        "INSERT INTO contact (org_id, contact_id, account_id, channel, address, when_told, "
        "created_at) VALUES ($1, $2, $3, 'email', 'noor@hemma.test', 'always', $4)",
        home.org, uuid4(), home.caregiver, NOW,
    )  # fmt: skip

    assert (await seal_texts(owner)).plain == 1
    assert all(map(is_sealed, await lying(database, "address")))


@pytest.mark.parametrize("which", ["the resident", "the supporter"])
async def test_a_consent_of_two_goes_with_either(database, home, which):
    org, of = home.org, (home.caregiver, home.resident.account)
    gone = of[1] if which == "the resident" else of[0]
    row = uuid4()
    async with database.app.transaction(Scope(org=org)) as db:
        [lies] = await sealed(db, org, PLACE, [Text(row, "Elsa sa ja", of)])
        assert await opened(db, org, PLACE, [Text(row, lies, of)]) == ["Elsa sa ja"]

        await database.keyring.erase(org, gone, NOW)

        with pytest.raises(KeyGone):
            await opened(db, org, PLACE, [Text(row, lies, of)])
        assert await shown(db, org, PLACE, [Text(row, lies, of)]) == [""]
        # And nothing more is kept of them.
        assert await sealed(db, org, PLACE, [Text(row, "Elsa sa ja", of)]) == [""]


async def test_a_text_opens_in_its_own_row_and_column_alone(database, home):
    org, of = home.org, (home.caregiver,)
    row = uuid4()
    async with database.app.transaction(Scope(org=org)) as db:
        [lies] = await sealed(db, org, PLACE, [Text(row, "Anställd", of)])

        for place, other in ((PLACE, uuid4()), ("resident|flat", row)):
            with pytest.raises(SealBroken):
                await opened(db, org, place, [Text(other, lies, of)])


async def test_a_text_that_looks_sealed_as_somebody_wrote_it_is_sealed_and_comes_back(
    database, home
):
    org, of, row, wrote = home.org, (home.caregiver,), uuid4(), "\x01SAAAA"
    async with database.app.transaction(Scope(org=org)) as db:
        [lies] = await sealed(db, org, PLACE, [Text(row, wrote, of)])

        assert lies != wrote
        assert await opened(db, org, PLACE, [Text(row, lies, of)]) == [wrote]


async def test_many_texts_are_one_question_to_the_key_store(database, home, monkeypatch):
    org = home.org
    people = [resident.account for resident in home.residents]
    lies = [Text(uuid4(), "Lgh", (person,)) for person in people]
    async with database.app.transaction(Scope(org=org)) as db:
        sealed_ = await sealed(db, org, "resident|flat", lies)
        database.keyring.forget_all()
        asked = []
        real = database.keyring._fetch
        monkeypatch.setattr(
            database.keyring, "_fetch", lambda org, who: asked.append(len(who)) or real(org, who)
        )
        found = [Text(each.row, text, each.of) for each, text in zip(lies, sealed_, strict=True)]

        assert await shown(db, org, "resident|flat", found) == ["Lgh"] * len(people)
        # What is empty or plain needs no key.
        assert await shown(db, org, "resident|flat", [Text(uuid4(), "", (uuid4(),))]) == [""]

    assert asked == [len(people)]
