"""Who wrote what was not taken is told, and so is whoever can do something about it."""

import re

import pytest
from people import DESKTOP, People, go_offline
from playwright.sync_api import Page, expect
from test_first_day import plan
from test_medication import come_to, set_dose, space_of

pytestmark = pytest.mark.journey

SOON_MS = 60_000

# Ends all that somebody may do for anybody, as whoever manages: `name` is theirs.
END_RIGHTS = """async (name) => {
  const ask = (path, how = {}) => fetch(`/api/v1/${path}`, { headers: { 'x-mos': '1' }, ...how });
  const session = await (await ask('session')).json();
  const account = session.people.find((person) => person.name === name).id;
  const relations = await (await ask('relations')).json();
  const theirs = relations.filter((relation) => relation.account === account);
  for (const { id } of theirs) await ask(`relations/${id}`, { method: 'DELETE' });
  return theirs.length;
}"""


def test_an_author_whose_right_ended_is_told_and_colleagues_see_it_in_the_overview(people: People):
    author, manager = people.open("jonas", size=DESKTOP), people.open("eva", size=DESKTOP)
    expect(author.get_by_role("heading", name="Just nu")).to_be_visible(timeout=SOON_MS)
    go_offline(author)
    plan(author, "Amir", "Soppa", "12:20")
    assert manager.evaluate(END_RIGHTS, "Jonas Berg") > 0
    author.context.set_offline(False)

    told = author.get_by_text(re.compile(r"ändring(ar)? kunde inte sparas\."))
    expect(told.first).to_be_visible(timeout=SOON_MS)
    author.get_by_role("link", name="Se vad").click()
    expect(author.get_by_text("Behörigheten hade tagit slut").first).to_be_visible()
    expect(author.get_by_text(re.compile("Be .* att skriva in det")).first).to_be_visible()
    # They no longer see the plan, and so nothing of it is kept here.
    expect(author.get_by_text("En påminnelse", exact=True).first).to_be_visible()
    expect(author.get_by_text("Soppa")).to_have_count(0, timeout=SOON_MS)
    author.reload()
    read = author.get_by_role("button", name="Jag har läst det")
    expect(read.first).to_be_visible(timeout=SOON_MS)
    read.click()
    expect(author.get_by_text("Allt är sparat", exact=True)).to_be_visible()

    colleague = people.open("sara", size=DESKTOP)
    note = colleague.get_by_role("region", name="Kunde inte sparas")
    expect(note).to_be_visible(timeout=SOON_MS)
    note.get_by_role("link", name="Amir Haddad").click()
    expect(colleague.get_by_text("Påminnelsen ”Soppa”").first).to_be_visible(timeout=SOON_MS)
    colleague.get_by_text("Det som skrevs").first.click()


def test_whoever_decided_too_late_hears_what_holds_and_what_became_of_their_choice(people: People):
    nurse, other = people.open("ingrid", size=DESKTOP), people.open("ingrid", size=DESKTOP)
    medicines = f"/boende/{space_of(nurse, 'Amir Haddad')}/mediciner"
    come_to(nurse, f"{medicines}/ny")
    nurse.get_by_role("textbox", name="Läkemedel").fill("Waran")
    nurse.get_by_role("textbox", name="Hur mycket").fill("1,5")
    nurse.get_by_role("textbox", name="Enhet").fill("tablett")
    nurse.get_by_role("textbox", name="Tid").fill("08:10")
    nurse.get_by_role("button", name="Spara").click()
    come_to(other, medicines)
    expect(other.get_by_text("1,5 tablett · Varje dag 08:10")).to_be_visible(timeout=SOON_MS)
    go_offline(other)
    set_dose(other, "1")
    expect(other.get_by_text("Din ändring, inte bekräftad än")).to_be_visible(timeout=SOON_MS)
    set_dose(nurse, "2")
    expect(nurse.get_by_text("2 tablett · Varje dag 08:10")).to_be_visible(timeout=SOON_MS)
    other.context.set_offline(False)
    for each in (nurse, other):
        link = each.get_by_role("link", name="Se versionerna").first
        expect(link).to_be_visible(timeout=SOON_MS)
        link.click()

    go_offline(other)
    decide(other, "Välj ditt eget förslag", "Läkaren ringde")
    expect(other.get_by_text("Ditt val är sparat här")).to_be_visible()
    decide(nurse, "Behåll det som gäller", "Enligt provsvar i går")
    expect(nurse.get_by_text("Det är bestämt")).to_be_visible(timeout=SOON_MS)
    other.context.set_offline(False)

    expect(other.get_by_text("Ditt val kom för sent")).to_be_visible(timeout=SOON_MS)
    expect(other.get_by_text(re.compile("avgjorde det .*Enligt provsvar i går"))).to_be_visible()
    expect(other.get_by_text("2 tablett", exact=True)).to_be_visible()
    expect(other.get_by_text("Den här versionen, som inte gäller:")).to_be_visible()
    expect(other.get_by_text("1 tablett", exact=True)).to_be_visible()
    # It is told wherever they are, until they have read it.
    come_to(other, "/ej-sparat")
    expect(other.get_by_text("Det här gäller nu")).to_be_visible()
    other.get_by_role("button", name="Jag har läst det").click()
    expect(other.get_by_text("Allt är sparat", exact=True)).to_be_visible()


def decide(page: Page, choice: str, why: str) -> None:
    """Choose between the versions on the page."""
    page.get_by_role("radio", name=choice).check()
    page.get_by_role("textbox", name="Varför").fill(why)
    page.get_by_role("button", name="Bekräfta valet").click()
