"""What is planned, said aloud by the server: whose words, in which voice, and without one."""

import os
import shutil
import stat
from pathlib import Path
from uuid import UUID

import pytest
from builders import a_home, a_record, a_relation, an_account

from mos.kernel.errors import NotFound
from mos.speech import routes, rules
from mos.speech.actions.voice import Voice
from mos.speech.model import Planned, Words

RULE = {
    "zone": "Europe/Stockholm", "kind": "weekly", "days": ["mon"], "times": ["08:00"],
    "start": "2026-01-01",
}  # fmt: skip
BREAKFAST = {"title": "Frukost", "note": "Gröt och kaffe.", "rule": RULE}
ORDER = {
    "active": {
        "v": {
            "drug": "Alvedon", "strength": "500 mg", "dose": "1", "unit": "tablett", "text": "",
            "kind": "times", "stopped": None, "until": None, "rule": RULE,
        }
    }
}  # fmt: skip


A_SPACE = UUID(int=1)


def said(coll, doc):
    return rules.words_of(Planned(A_SPACE, A_SPACE, A_SPACE, coll, doc), "sv")


# ───────────────────────────────────────────────────────────── the words
@pytest.mark.parametrize(
    ("coll", "doc", "text"),
    [
        ("reminder", BREAKFAST, "Frukost. Gröt och kaffe"),
        ("reminder", {"title": "Frukost"}, "Frukost"),
        ("reminder", {"title": " [[f'u]] <b>Mat</b> "}, "f'u b Mat /b"),
        ("order", ORDER, "Alvedon 500 mg. 1 tablett"),
    ],
)
def test_what_is_said_is_what_is_planned_and_no_command_to_the_voice(coll, doc, text):
    assert said(coll, doc).text == text


@pytest.mark.parametrize(
    ("coll", "doc"),
    [
        ("reminder", {"title": "", "note": " "}),
        ("reminder", BREAKFAST | {"deleted": True}),
        ("order", {"active": {"v": ORDER["active"]["v"] | {"stopped": {"at": "", "why": ""}}}}),
    ],
)
def test_what_is_not_planned_any_more_says_nothing(coll, doc):
    assert said(coll, doc) is None


def test_what_is_said_is_no_longer_than_a_person_listens():
    assert len(said("reminder", {"title": "a" * 80, "note": "b " * 2000}).text) == 500


# ───────────────────────────────────────────────────────────── the voice
needs_voice = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed here"
)


def is_sound(body):
    return body[:3] == b"ID3" or (body[0] == 0xFF and body[1] & 0xE0 == 0xE0) or body[:4] == b"RIFF"


@needs_voice
@pytest.mark.parametrize("language", ["sv", "en", "fi"])
async def test_each_language_has_a_voice(language):
    sound = await Voice().say(Words(language, "Frukost klockan 8"))

    assert is_sound(sound.body)
    assert len(sound.body) > 2000


@needs_voice
async def test_without_a_packer_the_sound_is_a_wav_that_browsers_play():
    voice = Voice(packer=None)

    sound = await voice.say(Words("sv", "Frukost"))

    assert sound.kind == "audio/wav"
    assert sound.body[:4] == b"RIFF"


@needs_voice
async def test_words_that_begin_with_a_dash_are_words():
    assert is_sound((await Voice().say(Words("sv", "--help"))).body)


def a_program(tmp_path: Path, text: str) -> str:
    path = tmp_path / "speaker"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return os.fspath(path)


@pytest.mark.parametrize("text", ["exit 1", "exit 0", "cat >/dev/null; head -c 4000000 /dev/zero"])
async def test_a_voice_that_fails_or_talks_without_end_is_no_voice(tmp_path, text):
    voice = Voice(speaker=a_program(tmp_path, text), packer=None)

    with pytest.raises(NotFound) as refused:
        await voice.say(Words("sv", "Frukost"))
    assert refused.value.code == "no_voice"


async def test_the_same_words_are_said_once(tmp_path):
    count = tmp_path / "count"
    voice = Voice(speaker=a_program(tmp_path, f"echo x >>{count}; cat"), packer=None)

    for text in ("Frukost", "Frukost", "Lunch", "Frukost"):
        assert (await voice.say(Words("sv", text))).body == text.encode()

    assert count.read_text().count("x") == 2


# ───────────────────────────────────────────────────────────── who hears it
@pytest.fixture
def speaker(tmp_path, monkeypatch):
    """A voice whose sounds are its words."""
    voice = Voice(speaker=a_program(tmp_path, "cat"), packer=None)
    monkeypatch.setattr(routes, "voice", lambda: voice)


async def test_a_resident_hears_what_is_planned_and_is_told_when_it_is_the_same(site, speaker):
    home = await a_home(site.database)
    breakfast = await a_record(site.database, home.org, home.space, "reminder", BREAKFAST)
    order = await a_record(site.database, home.org, home.resident.medication, "order", ORDER)
    tablet = await site.as_account(home.org, home.resident.account)
    path = f"residents/{home.space}/speech"

    heard = await tablet.get(f"{path}/{breakfast}")
    assert (heard.status_code, heard.text) == (200, "Frukost. Gröt och kaffe")
    assert heard.headers["content-type"] == "audio/wav"
    assert heard.headers["cache-control"] == "private, no-cache"
    assert (await tablet.get(f"{path}/{order}")).text == "Alvedon 500 mg. 1 tablett"
    again = await tablet.ask(
        "GET", f"{path}/{breakfast}", headers={"if-none-match": heard.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_orders_are_said_to_those_alone_who_see_medication(site, speaker):
    home = await a_home(site.database)
    order = await a_record(site.database, home.org, home.resident.medication, "order", ORDER)
    relative = await an_account(site.database, home.org, "relative")
    await a_relation(
        site.database, home.org, relative, space=home.space, permissions=("plan.view",)
    )
    browser = await site.as_account(home.org, relative)

    assert (await browser.get(f"residents/{home.space}/speech/{order}")).status_code == 404


async def test_a_server_without_a_voice_says_so(site, monkeypatch):
    monkeypatch.setattr(routes, "voice", lambda: Voice(speaker=None, packer=None))
    home = await a_home(site.database)
    breakfast = await a_record(site.database, home.org, home.space, "reminder", BREAKFAST)
    tablet = await site.as_account(home.org, home.resident.account)

    answer = await tablet.get(f"residents/{home.space}/speech/{breakfast}")

    assert (answer.status_code, answer.json()["code"]) == (404, "no_voice")
