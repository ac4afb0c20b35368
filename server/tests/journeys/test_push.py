"""A push that a real browser receives, opens and shows, sent by the real worker."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from firefox import MISSING, Autopush, a_firefox, find, until
from push_service import push_service

from mos.ops.demo import PEOPLE
from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

DAY = "2026-11-28"
SHOWN = """navigator.serviceWorker.getRegistration()
  .then((registration) => registration.getNotifications())
  .then((all) => all.length && all.map(({ title }) => title))"""


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
    assert named
    assert all(title.endswith((" har missats", " är inte klart än")) for title in named)


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
