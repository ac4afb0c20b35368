"""Journeys: the real app in a real browser against the real processes, at a chosen moment."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from people import ARGUMENTS, CHROMIUM, People
from playwright.sync_api import Browser, sync_playwright

from mos.ops.demo import PEOPLE
from mos.ops.rehearsal import Rehearsal

MORNING = "2026-11-28T07:57:00"  # a Saturday


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    """The driver."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Any) -> Iterator[Browser]:
    """One Chromium for all journeys; each person gets a window that shares nothing."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Rehearsal]:
    """A demo home of this test's own, early on a Saturday. Its logs must never name anybody."""
    with Rehearsal(tmp_path / "mos", MORNING) as rehearsal:
        yield rehearsal
    named = [word for person in PEOPLE for word in (*person.name.split(), person.email)]
    said = rehearsal.served_log
    assert [word for word in named if word in said] == []


@pytest.fixture
def people(home: Rehearsal, playwright: Any, browser: Browser) -> Iterator[People]:
    """The people of that home."""
    people = People(home, playwright, browser)
    yield people
    for context in people.contexts:
        context.close()
    assert people.faults == []
