"""A passkey from its making to a step-up, in Chromium with an authenticator of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from people import DESKTOP, People
from playwright.sync_api import Browser, Page, expect
from test_family import claim

from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

MORNING = "2026-11-28T07:57:00"


class NamedHome(Rehearsal):
    """A home at a name: browsers make no passkeys for an IP address."""

    @property
    def url(self) -> str:
        return super().url.replace("127.0.0.1", "localhost")

    def start(self) -> None:
        self._environ["MOS_PUBLIC_URL"] = self.url
        super().start()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Rehearsal]:
    with NamedHome(tmp_path / "mos", MORNING, empty=True) as home:
        yield home


@pytest.fixture
def people(home: Rehearsal, playwright: Any, browser: Browser) -> Iterator[People]:
    people = People(home, playwright, browser)
    yield people
    for context in people.contexts:
        context.close()
    assert people.faults == []


def with_a_phones_keys(page: Page) -> None:
    """Give the page an authenticator that keeps passkeys and knows its person at once."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_a_passkey_signs_in_without_typing_and_proves_who_one_is(people: People, home: Rehearsal):
    anna = people.visit(size=DESKTOP)
    with_a_phones_keys(anna)
    claim(anna, home)

    anna.goto(f"{home.url}/#/installningar")
    anna.get_by_role("button", name="Gör en lösennyckel här").click()
    expect(anna.get_by_text("Gjord", exact=False)).to_be_visible()

    anna.get_by_role("button", name="Logga ut här").click()
    anna.get_by_role("dialog").get_by_role("button", name="Logga ut").click()
    anna.get_by_role("button", name="Logga in utan lösenord").click()
    expect(anna.get_by_role("button", name="Logga in utan lösenord")).to_have_count(0)

    people.move_to("2026-11-28T08:12:00", anna)
    anna.goto(f"{home.url}/#/installningar")
    anna.get_by_role("button", name="Ta bort", exact=False).first.click()
    anna.get_by_role("dialog").get_by_role("button", name="Ta bort").click()
    asked = anna.get_by_role("dialog", name="Visa att det är du")
    expect(asked).to_be_visible()
    asked.get_by_role("button", name="Fortsätt").click()
    # What was to be done goes on by itself.
    expect(anna.get_by_text("Du har ingen lösennyckel än.")).to_be_visible()
