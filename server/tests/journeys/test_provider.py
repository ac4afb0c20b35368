"""Sign-in by a real identity provider, from the administrator's page to a step-up."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from identity_provider import RealProvider, real_provider
from people import DESKTOP, SOON_MS, People
from playwright.sync_api import Browser, Page, expect
from test_phone_codes import look
from test_pins import sign_out

from mos.ops.demo.people import ZONE
from mos.ops.rehearsal import Rehearsal

pytestmark = pytest.mark.journey

LABEL = "Kommunens inloggning"


class OwnHome(Rehearsal):
    """A home whose organisation may have its provider on this machine."""

    def start(self) -> None:
        self._environ |= {"MOS_PUBLIC_URL": self.url, "MOS_CHANNEL_NETWORKS": "127.0.0.0/8"}
        super().start()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Rehearsal]:
    # At the hour that it is: browsers judge the provider's cookies by their own clock.
    with OwnHome(tmp_path / "mos", local(), empty=True) as home:
        yield home


@pytest.fixture
def provider(home: Rehearsal) -> Iterator[RealProvider]:
    with real_provider(f"{home.url}/oidc/callback") as provider:
        provider.move_to(home.now())
        yield provider


@pytest.fixture
def people(home: Rehearsal, playwright: Any, browser: Browser) -> Iterator[People]:
    people = People(home, playwright, browser)
    yield people
    for context in people.contexts:
        context.close()
    assert people.faults == []


def local(**later: float) -> str:
    """Wall time in the home's zone, now or later."""
    return f"{datetime.now(ZoneInfo(ZONE)) + timedelta(**later):%Y-%m-%dT%H:%M:%S}"


def claim(page: Page, home: Rehearsal) -> None:
    """Claim the home for a care provider, as its administrator."""
    page.goto(f"{home.url}/#/borja/{home.claim_token}")
    page.get_by_role("radio", name="En vårdverksamhet").check()
    page.get_by_role("textbox", name="Verksamhetens namn").fill("Solgläntan")
    page.get_by_role("textbox", name="Ditt namn").fill("Anna Ek")
    page.get_by_role("textbox", name="E-post").fill("anna@example.org")
    page.get_by_label("Välj ett lösenord").first.fill("en lång promenad")
    page.get_by_role("button", name="Börja").click()
    expect(page.get_by_role("heading", name="Kom igång")).to_be_visible(timeout=SOON_MS)


def set_up(page: Page, home: Rehearsal, provider: RealProvider) -> None:
    """Write what the provider's people gave, and try it."""
    page.goto(f"{home.url}/#/admin/people")
    page.get_by_role("link", name="Ställ in").click()
    expect(page.get_by_role("textbox", name="Adress att ge tjänsten")).to_have_value(
        f"{home.url}/oidc/callback", timeout=SOON_MS
    )
    page.get_by_label("Utfärdarens adress").fill(f"{provider.issuer}/")
    page.get_by_role("button", name="Prova").click()
    expect(page.get_by_text("Tjänsten kallar sig något annat")).to_be_visible(timeout=SOON_MS)
    page.get_by_label("Utfärdarens adress").fill(provider.issuer)
    page.get_by_role("button", name="Prova").click()
    expect(page.get_by_text("Tjänsten svarar som den ska.")).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_text(f"{provider.issuer}/auth")).to_be_visible()
    page.get_by_label("Vad tjänsten heter").fill(LABEL)
    page.get_by_label("Klientens id").fill(provider.client_id)
    page.get_by_label("Klientens hemlighet").fill(provider.client_secret)
    page.get_by_role("button", name="Spara", exact=True).click()
    expect(page.get_by_text("Sparat.")).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_label("Klientens hemlighet")).to_have_value("")
    look(page, "provider-admin")


def invited(page: Page) -> str:
    """Add somebody who helps; return the link that lets them in."""
    page.get_by_role("link", name="Personer").first.click()
    page.get_by_role("button", name="Ny person").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Namn").fill("Vera Berg")
    dialog.get_by_label("E-post").fill("vera@example.org")
    dialog.get_by_role("button", name="Lägg till").click()
    link = page.get_by_role("dialog").get_by_role("textbox", name="Länken")
    expect(link).to_be_visible(timeout=SOON_MS)
    return link.input_value()


def at_the_provider(page: Page, who: str) -> None:
    page.get_by_label("Namn").fill(who)
    page.get_by_role("button", name="Logga in").click()


def test_an_invited_person_comes_by_the_provider_again_and_again_and_proves_it_there(
    people: People, home: Rehearsal, provider: RealProvider
) -> None:
    owner = people.visit(size=DESKTOP)
    claim(owner, home)
    set_up(owner, home, provider)
    link = invited(owner)

    vera = people.visit(size=DESKTOP)
    vera.goto(link)
    vera.get_by_role("button", name=f"Fortsätt med {LABEL}").click()
    at_the_provider(vera, "unsure")
    expect(vera.get_by_role("link", name="Inställningar").first).to_be_visible(timeout=SOON_MS)
    assert "code=" not in vera.url

    vera.goto(f"{home.url}/#/installningar")
    sign_out(vera)
    look(vera, "provider-door")
    vera.get_by_role("button", name=f"Fortsätt med {LABEL}").click()
    at_the_provider(vera, "unsure")
    expect(vera.get_by_role("link", name="Inställningar").first).to_be_visible(timeout=SOON_MS)

    # What matters asks once more, in a tab of the provider's; what was to be done goes on here.
    people.move_to(local(minutes=15), vera, owner)
    provider.move_to(home.now())
    vera.goto(f"{home.url}/#/installningar")
    vera.get_by_role("button", name="Kom igång").click()
    dialog = vera.get_by_role("dialog", name="Visa att det är du")
    away = dialog.get_by_role("link", name=f"Fortsätt med {LABEL}")
    expect(away).to_be_visible(timeout=SOON_MS)
    look(vera, "provider-step-up")
    with vera.context.expect_page() as opened:
        away.click()
    at_the_provider(opened.value, "unsure")
    expect(vera.locator(".key")).to_be_visible(timeout=SOON_MS)


def test_what_went_wrong_at_the_provider_is_told_in_words_and_leads_back(
    people: People, home: Rehearsal, provider: RealProvider
) -> None:
    owner = people.visit(size=DESKTOP)
    claim(owner, home)
    set_up(owner, home, provider)

    stranger = people.visit(size=DESKTOP)
    stranger.get_by_role("button", name=f"Fortsätt med {LABEL}").click()
    at_the_provider(stranger, "stranger")
    expect(stranger.get_by_text("Du är inte kopplad till något konto här än.")).to_be_visible(
        timeout=SOON_MS
    )
    look(stranger, "provider-unknown")
    stranger.get_by_role("button", name="Till inloggningen").click()
    stranger.get_by_role("button", name=f"Fortsätt med {LABEL}").click()
    at_the_provider(stranger, "nobody at all")
    expect(stranger.get_by_text("Inloggningen avbröts.")).to_be_visible(timeout=SOON_MS)
    assert "Nobody is called" not in stranger.content()
    assert "error" not in stranger.url
