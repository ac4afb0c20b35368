"""Clips: what may be kept, who may keep and hear it, and when it is gone."""

import base64
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from builders import a_home, a_record, a_relation, a_resident, an_account
from recordings import a_webm, an_mp4

from mos import wiring
from mos.db import Scope
from mos.kernel.errors import Invalid
from mos.plan.model.reminder import check_reminder
from mos.privacy.keyring import keyring_of
from mos.speech import rules
from mos.speech.actions import clips

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
WORDS = b"Mamma, nu ar det mat"


# ───────────────────────────────────────────────────────────── what is a clip
@pytest.mark.parametrize(
    ("clip", "kind"),
    [
        (a_webm(), "audio/webm"),
        (a_webm(frames=1500, of=bytes(200)), "audio/webm"),
        (an_mp4(), "audio/mp4"),
        (an_mp4(fragmented=False), "audio/mp4"),
    ],
)
def test_a_voice_as_browsers_record_it_is_a_clip(clip, kind):
    assert rules.kind_of(clip) == kind


@pytest.mark.parametrize(
    "bytes_",
    [
        b"",
        b"\0" * 64,
        b"<html><script>alert(1)</script></html>",
        b"ID3\4" + bytes(400),
        b"RIFF\x24\0\0\0WAVEfmt " + bytes(40),
        a_webm(doc_type=b"matroska"),
        a_webm(codec=b"V_VP9"),
        a_webm(codec=b"A_VORBIS"),
        a_webm(kind=b"\x01"),
        a_webm(tracks=2),
        a_webm(tracks=0),
        a_webm(frames=0),
        a_webm() + b"\xec\x80" * 30_000,
        b"\x1a\x45\xdf\xa3\xff" + a_webm()[12:],
        an_mp4(codec=b"avc1"),
        an_mp4(handler=b"vide"),
        an_mp4(tracks=2),
        an_mp4(tracks=0),
        b"\0\0\0\x08ftyp\0\0\0\x08mdat",
        b"\0\0\0\x08ftyp" + b"\0\0\0\x04moov" * 10,
    ],
)
def test_what_is_no_voice_of_a_browser_is_no_clip(bytes_):
    with pytest.raises(Invalid) as refused:
        rules.kind_of(bytes_)
    assert refused.value.code in {"no_clip", "clip_too_large"}


@pytest.mark.parametrize("whole", [a_webm(), an_mp4(), an_mp4(fragmented=False)])
def test_a_clip_that_was_cut_short_anywhere_is_none(whole):
    # Behind the last whole frame of what Chromium writes nothing says that there was another one.
    frame = 16
    for end in range(1, len(whole)):
        if whole.startswith(b"\x1a\x45") and (len(whole) - end) % frame == 0:
            continue
        with pytest.raises(Invalid):
            rules.kind_of(whole[:end])


def test_more_than_half_a_minute_of_sound_is_too_large():
    with pytest.raises(Invalid) as refused:
        rules.kind_of(a_webm(frames=2000, of=bytes(200)))
    assert refused.value.code == "clip_too_large"


# ───────────────────────────────────────────────────────────── the reminder's word for it
def test_a_reminder_names_its_clip_or_none():
    check_reminder({"clip": None})
    check_reminder({"clip": {"id": "0" * 64, "seconds": 4}})


@pytest.mark.parametrize(
    "clip",
    [
        {}, "0" * 64, {"id": "0" * 64}, {"id": "0" * 63, "seconds": 4},
        {"id": "G" * 64, "seconds": 4}, {"id": "0" * 64, "seconds": 31},
        {"id": "0" * 64, "seconds": 0}, {"id": "0" * 64, "seconds": 4, "by": "x"},
    ],
)  # fmt: skip
def test_anything_else_is_refused(clip):
    with pytest.raises(Invalid):
        check_reminder({"clip": clip})


# ───────────────────────────────────────────────────────────── who keeps and hears it
def path_of(space, clip):
    return f"residents/{space}/clips/{sha256(clip).hexdigest()}"


def body_of(clip):
    return {"audio": base64.b64encode(clip).decode()}


async def test_what_a_supporter_records_the_resident_hears(site):
    home = await a_home(site.database)
    caregiver = await site.as_account(home.org, home.caregiver)
    tablet = await site.as_account(home.org, home.resident.account)
    clip = a_webm(of=WORDS)

    kept = await caregiver.put(path_of(home.space, clip), body_of(clip))
    again = await caregiver.put(path_of(home.space, clip), body_of(clip))
    heard = await tablet.get(path_of(home.space, clip))

    assert (kept.status_code, again.status_code) == (204, 204)
    assert (heard.status_code, heard.content) == (200, clip)
    assert heard.headers["content-type"] == "audio/webm"
    assert heard.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert heard.headers["x-content-type-options"] == "nosniff"


async def test_a_clip_lies_sealed_under_the_residents_own_key(site):
    home = await a_home(site.database, residents=2)
    caregiver = await site.as_account(home.org, home.caregiver)
    clip = a_webm(of=WORDS)
    await caregiver.put(path_of(home.space, clip), body_of(clip))

    [row] = await site.database.sql("SELECT body FROM clip")
    assert WORDS not in row["body"]
    other = path_of(home.residents[1].space, a_webm())
    assert (await caregiver.put(other, body_of(a_webm()))).status_code == 204
    await site.database.sql("DELETE FROM clip WHERE space_id = $1", home.residents[1].space)
    # Moved to somebody else's place it opens no more.
    await site.database.sql("UPDATE clip SET space_id = $1", home.residents[1].space)
    moved = await caregiver.get(path_of(home.residents[1].space, clip))
    assert moved.status_code == 500
    # And without the key nothing opens it.
    await site.database.sql("UPDATE clip SET space_id = $1", home.space)
    async with site.database.app.transaction(Scope(home.org)) as db:
        await keyring_of(db).erase(home.org, home.resident.account, NOW)
    assert (await caregiver.get(path_of(home.space, clip))).status_code == 404
    again = await caregiver.put(path_of(home.space, a_webm()), body_of(a_webm()))
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("clip", "status", "code"),
    [
        (b"GIF89a" + bytes(60), 400, "no_clip"),
        (a_webm(frames=2000, of=bytes(200)), 400, "clip_too_large"),
        (a_webm()[:-4], 400, "clip_cut_short"),
    ],
)
async def test_the_server_looks_at_the_bytes(site, clip, status, code):
    home = await a_home(site.database)
    caregiver = await site.as_account(home.org, home.caregiver)

    answer = await caregiver.put(path_of(home.space, clip), body_of(clip))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await site.database.sql("SELECT FROM clip") == []


async def test_a_clip_under_another_name_is_refused(site):
    home = await a_home(site.database)
    caregiver = await site.as_account(home.org, home.caregiver)

    answer = await caregiver.put(path_of(home.space, a_webm()), body_of(a_webm(of=WORDS)))

    assert (answer.status_code, answer.json()["code"]) == (400, "clip_differs")


@pytest.mark.parametrize("name", ["0" * 63, "G" * 64, "A" * 64, "0" * 64, "%00", "0 " * 32])
async def test_a_name_that_is_none_leads_nowhere(site, name):
    home = await a_home(site.database)
    caregiver = await site.as_account(home.org, home.caregiver)

    assert (await caregiver.get(f"residents/{home.space}/clips/{name}")).status_code == 404


async def test_another_organisations_resident_gets_no_clip_and_shows_none(site):
    home, others = await a_home(site.database), await a_home(site.database, email_domain="b.test")
    ours = await site.as_account(home.org, home.caregiver)
    theirs = await site.as_account(others.org, others.caregiver)
    clip = a_webm()
    await ours.put(path_of(home.space, clip), body_of(clip))

    assert (await theirs.put(path_of(home.space, clip), body_of(clip))).status_code == 404
    assert (await theirs.get(path_of(home.space, clip))).status_code == 404
    # The same bytes of another resident are another clip.
    assert (await theirs.get(path_of(others.space, clip))).status_code == 404
    assert len(await site.database.sql("SELECT FROM clip")) == 1


async def test_who_only_looks_hears_and_records_nothing(site):
    home = await a_home(site.database)
    relative = await an_account(site.database, home.org, "relative")
    await a_relation(
        site.database, home.org, relative, space=home.space, permissions=("plan.view",)
    )
    caregiver = await site.as_account(home.org, home.caregiver)
    looking = await site.as_account(home.org, relative)
    clip = a_webm()
    await caregiver.put(path_of(home.space, clip), body_of(clip))

    assert (await looking.get(path_of(home.space, clip))).status_code == 200
    other = a_webm(of=WORDS)
    assert (await looking.put(path_of(home.space, other), body_of(other))).status_code == 404
    # The space of medication has no reminders to refer to one.
    medication = path_of(home.resident.medication, other)
    assert (await caregiver.put(medication, body_of(other))).status_code == 404


async def test_there_is_room_for_some_hundred_clips(site, monkeypatch):
    monkeypatch.setattr(clips, "_MOST_CLIPS", 2)
    home = await a_home(site.database)
    caregiver = await site.as_account(home.org, home.caregiver)
    some = [a_webm(frames=frames) for frames in (1, 2, 3)]

    answers = [await caregiver.put(path_of(home.space, each), body_of(each)) for each in some]

    assert [answer.status_code for answer in answers] == [204, 204, 409]
    assert answers[-1].json()["code"] == "clips_full"
    # What is there already is no more.
    assert (await caregiver.put(path_of(home.space, some[0]), body_of(some[0]))).status_code == 204


# ───────────────────────────────────────────────────────────── when it is gone
async def tidied(site, home, at):
    async with site.database.app.transaction(Scope(home.org, (home.space,))) as db:
        await wiring.tidy_clips(db, home.org, home.space, at)
    return len(await site.database.sql("SELECT FROM clip"))


async def a_kept(site, home, clip):
    caregiver = await site.as_account(home.org, home.caregiver)
    assert (await caregiver.put(path_of(home.space, clip), body_of(clip))).status_code == 204
    await site.database.sql("UPDATE clip SET unused_since = $1", NOW)


async def test_a_clip_goes_a_week_after_its_reminder_dropped_it(site):
    home = await a_home(site.database)
    clip = a_webm()
    await a_kept(site, home, clip)
    named = {"id": sha256(clip).hexdigest(), "seconds": 1}
    breakfast = await a_record(
        site.database, home.org, home.space, "reminder", {"title": "Mat", "clip": named}
    )

    assert await tidied(site, home, NOW + timedelta(days=30)) == 1
    await site.database.sql(
        "UPDATE rec SET doc = doc || '{\"clip\": null}' WHERE rec_id = $1", breakfast
    )
    assert await tidied(site, home, NOW + timedelta(days=31)) == 1
    assert await tidied(site, home, NOW + timedelta(days=38)) == 1
    assert await tidied(site, home, NOW + timedelta(days=38, minutes=1)) == 0


async def test_a_reminder_that_comes_back_within_the_week_has_its_clip(site):
    home = await a_home(site.database)
    clip = a_webm()
    await a_kept(site, home, clip)
    named = {"id": sha256(clip).hexdigest(), "seconds": 1}
    doc = {"title": "Mat", "clip": named, "deleted": True}
    breakfast = await a_record(site.database, home.org, home.space, "reminder", doc)

    assert await tidied(site, home, NOW + timedelta(days=6)) == 1
    await site.database.sql(
        "UPDATE rec SET doc = doc || '{\"deleted\": false}' WHERE rec_id = $1", breakfast
    )
    assert await tidied(site, home, NOW + timedelta(days=7)) == 1
    assert await tidied(site, home, NOW + timedelta(days=90)) == 1


async def test_a_clip_that_no_reminder_ever_names_goes_too(site):
    home = await a_home(site.database)
    await a_kept(site, home, a_webm())

    assert await tidied(site, home, NOW + timedelta(days=6)) == 1
    assert await tidied(site, home, NOW + timedelta(days=8)) == 0


async def test_a_word_of_a_later_release_for_a_clip_spoils_nothing(site):
    home = await a_home(site.database)
    clip = a_webm()
    await a_kept(site, home, clip)
    for word in ("later", {"id": 7}, {"ids": []}):
        await a_record(site.database, home.org, home.space, "reminder", {"clip": word})

    assert await tidied(site, home, NOW + timedelta(days=8)) == 0


async def test_who_is_erased_takes_their_clips_along_and_nobody_elses(site):
    home = await a_home(site.database)
    other = await a_resident(site.database, home.org, home.unit, name="Olle")
    caregiver = await site.as_account(home.org, home.caregiver)
    clip = a_webm()
    for space in (home.space, other.space):
        await caregiver.put(path_of(space, clip), body_of(clip))

    async with site.database.app.transaction() as db:
        await wiring.erase(db, home.org, home.space, NOW)

    assert await site.database.sql("SELECT space_id FROM clip") == [{"space_id": other.space}]
