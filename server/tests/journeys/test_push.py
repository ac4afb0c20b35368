"""A push that a real browser receives, opens and shows, sent by the real worker."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from firefox import MISSING, Autopush, a_firefox, find, until
from push_service import push_service

from mos.dispatch import vapid
from mos.ops.demo import PEOPLE
from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

DAY = "2026-11-28"
# What the phone shows, once something late or missed is among it: other messages may come first.
SHOWN = """navigator.serviceWorker.getRegistration()
  .then((registration) => registration.getNotifications())
  .then((all) => all.map(({ title }) => title))
  .then((all) => all.some((title) => /( har missats| är inte klart än)$/.test(title)) && all)"""


@pytest.fixture
def program() -> str:
    """The browser. On a developer's machine it may be missing, in CI nothing may."""
    found = find()
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(MISSING)
    return found


def test_a_phone_whose_app_is_closed_shows_who_has_missed_what(program: str, tmp_path: Path):
    # In a thread of its own: the other journeys' browser keeps a loop in this one.
    with ThreadPoolExecutor() as threads:
        codes, titles = threads.submit(asyncio.run, _told_while_closed(program, tmp_path)).result()

    # The browser has opened every message, and the service worker knew the name that none holds.
    assert set(codes) == {100}
    residents = tuple(person.name for person in PEOPLE if person.role == "resident")
    named = [title for title in titles if title.startswith(residents)]
    late = {title for title in named if title.endswith((" har missats", " är inte klart än"))}
    assert late
    # No nurse of this home has a phone: what waits for their decision is told to everybody.
    rest = set(named) - late
    assert all(title.endswith(": något väntar på ett beslut") for title in rest), rest


async def _told_while_closed(program: str, place: Path) -> tuple[list[int], list[str]]:
    """Return how a caregiver's phone settled what it was sent while closed, and what it shows."""
    async with push_service(service := Autopush()):
        detour = {"MOS_PUSH_REWRITE": f"{service.url}={service.here}"}
        with Rehearsal(place / "mos", f"{DAY}T07:57:00", environ=detour) as home:
            async with a_firefox(program, place / "profile", service) as phone:
                await phone.open(home.url)
                await phone.press("label", "Personal")
                await phone.press("button", "Jonas Berg")
                await phone.until("document.body.innerText.includes('Just nu')")
                # At the next start a phone that was allowed to takes messages.
                await phone.allow_notifications(home.url)
                await phone.open(home.url)
                await until(lambda: '/push", "status": 204' in home.served_log)

                await phone.open("about:blank")
                home.move_to(f"{DAY}T09:30:00")
                await until(lambda: service.acknowledged)
                await phone.open(home.url)
                return service.acknowledged, await phone.until(SHOWN)


def test_after_a_new_key_a_phone_subscribes_anew_by_itself_and_is_told(
    program: str, tmp_path: Path
):
    with ThreadPoolExecutor() as threads:
        told, keys, old, new = threads.submit(
            asyncio.run, _told_by_a_new_key(program, tmp_path)
        ).result()

    assert set(told) == {100}
    assert old not in keys
    assert keys == {new}


async def _told_by_a_new_key(program: str, place: Path) -> tuple[list[int], set[str], str, str]:
    """Return how a phone settled what came after a renewal, and by which keys it was signed.

    Beside them stand the old key and the new one.
    """
    async with push_service(service := Autopush()):
        detour = {"MOS_PUSH_REWRITE": f"{service.url}={service.here}"}
        with Rehearsal(place / "mos", f"{DAY}T07:57:00", environ=detour) as home:
            async with a_firefox(program, place / "profile", service) as phone:
                await phone.open(home.url)
                await phone.press("label", "Personal")
                await phone.press("button", "Jonas Berg")
                await phone.until("document.body.innerText.includes('Just nu')")
                await phone.allow_notifications(home.url)
                await phone.open(home.url)
                await until(lambda: '/push", "status": 204' in home.served_log)
                await phone.open("about:blank")

                (file,) = (place / "mos" / "home").rglob("vapid.pem")
                old = vapid.load_or_make(file).public_key
                vapid.renew(file.parent, home.now())
                new = vapid.load_or_make(file).public_key
                # `mos serve` and `mos work` begin anew, and so does the app.
                home.stop()
                home.start()
                before = home.served_log.count('/push", "status": 204')
                await phone.open(home.url)
                await until(lambda: home.served_log.count('/push", "status": 204') > before)
                service.posts.clear()
                service.acknowledged.clear()

                await phone.open("about:blank")
                home.move_to(f"{DAY}T09:30:00")
                await until(lambda: service.acknowledged)
                keys = {
                    part.strip().removeprefix("k=")
                    for post in service.posts
                    for part in post["authorization"].removeprefix("vapid ").split(",")
                    if part.strip().startswith("k=")
                }
                return service.acknowledged, keys, old, new
