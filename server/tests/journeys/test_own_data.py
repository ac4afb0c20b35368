"""All that there is of somebody, as a resident and a manager ask for it and fetch it."""

import json
from io import BytesIO
from pathlib import Path

import pytest
from people import DESKTOP, SOON_MS, TABLET, People
from playwright.sync_api import Page, expect
from pypdf import PdfReader
from test_first_day import through_welcome

from mos.ops.demo.plans import PLANS

pytestmark = pytest.mark.journey


def fetched(page: Page, button: str) -> bytes:
    with page.expect_download(timeout=SOON_MS) as waited:
        page.get_by_role("button", name=button).click()
    return Path(waited.value.path()).read_bytes()


def let_see_amir(admin: Page) -> None:
    """Let Eva, who manages the house, see Amir's day and medication."""
    api, headers = f"{people_url(admin)}/api/v1", {"x-mos": "1", "origin": people_url(admin)}
    asked = admin.context.request
    [eva] = [p["id"] for p in asked.get(f"{api}/accounts").json() if p["name"] == "Eva Holm"]
    [amir] = [
        r["space"] for r in asked.get(f"{api}/residents").json() if r["name"] == "Amir Haddad"
    ]
    new = {"account": eva, "space": amir, "permissions": ["plan.view", "medication.view"]}
    asked.post(f"{api}/relations", data=new, headers=headers, fail_on_status_code=True)


def people_url(page: Page) -> str:
    return page.url.split("/#")[0].rstrip("/")


def test_a_resident_asks_for_their_own_data_and_reads_them(people: People):
    page = people.open("amir", size=TABLET)
    through_welcome(page)
    page.evaluate("location.hash = '#/installningar'")
    expect(page.get_by_role("heading", name="Det som MOS har om dig")).to_be_visible(
        timeout=SOON_MS
    )
    page.get_by_role("button", name="Be om mina uppgifter").click()
    expect(page.get_by_text("Kan hämtas här till")).to_be_visible(timeout=2 * SOON_MS)

    paper = PdfReader(BytesIO(fetched(page, "Läs som PDF")))
    data = json.loads(fetched(page, "Allt som data"))

    words = "\n".join(sheet.extract_text() for sheet in paper.pages)
    assert "Det som finns om Amir Haddad" in words
    assert PLANS["amir"][0].title in words
    assert data["tables"]["account"][0]["name"] == "Amir Haddad"

    page.get_by_role("button", name="Ta bort").click()
    expect(page.get_by_role("button", name="Be om mina uppgifter")).to_be_visible(timeout=SOON_MS)


def test_a_manager_takes_out_a_residents_data_and_the_resident_sees_it(people: People):
    let_see_amir(people.open("admin", size=DESKTOP))
    page = people.open("eva", size=DESKTOP)
    page.goto(f"{people.home.url}/#/admin/residents")
    page.get_by_role("button", name="Mer om Amir Haddad").click()
    page.get_by_role("menuitem", name="Ta ut uppgifterna").click()
    dialog = page.get_by_role("dialog", name="Uppgifterna om Amir Haddad")
    dialog.get_by_role("button", name="Ta fram uppgifterna").click()
    expect(dialog.get_by_text("Kan hämtas här till")).to_be_visible(timeout=2 * SOON_MS)
    assert fetched(page, "Läs som PDF").startswith(b"%PDF-")

    amir = people.open("amir", size=TABLET)
    through_welcome(amir)
    amir.evaluate("location.hash = '#/installningar'")
    amir.get_by_role("link", name="Vem har sett mina uppgifter?").click()
    expect(amir.get_by_role("heading", name="Vem har sett mina uppgifter?")).to_be_visible(
        timeout=SOON_MS
    )
    shown = amir.get_by_role("listitem").filter(has_text="Eva Holm").first
    expect(shown).to_contain_text("Tog ut något som fil", timeout=SOON_MS)
