"""What somebody cannot eat, and how soft their food must be: two versions, and a person decides."""

import importlib.util
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from people import DESKTOP, People
from playwright.sync_api import Page, expect
from test_medication import come_to, space_of
from test_pins import look
from test_told import decide

from mos.kernel.ids import named_id
from mos.ops.demo.people import PASSWORD
from mos.ops.rehearsal import Rehearsal
from mos.ops.settings import ROOT

pytestmark = pytest.mark.journey

SOON_MS = 60_000
PHONE = {"width": 390, "height": 844}
HOUR_MS = 3_600_000

_spec = importlib.util.spec_from_file_location(
    "sync_client", ROOT / "docs" / "examples" / "sync_client.py"
)
sync_client: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sync_client)


class Device(sync_client.Client):
    """Somebody's device elsewhere, which also proposes what people have to confirm."""

    def __init__(self, home: Rehearsal, key: str, folder: Path) -> None:
        super().__init__(home.url, folder / f"{key}-{uuid.uuid4()}.json")
        self.home = home
        self.sign_in(f"{key}@bjorkbacken.example", PASSWORD)
        self.sync()

    def propose(self, space, coll, rec, v, *, hours_ago=0) -> None:
        """Write down a proposal over nothing; `sync` sends it."""
        number = self.kept["n"].get(space, 0) + 1
        op = {"op": str(uuid.uuid4()), "n": number, "space": space, "hlc": self._stamp()}
        early = int(op["hlc"][:12], 16) - hours_ago * HOUR_MS
        op |= {"hlc": f"{early:012x}{op['hlc'][12:]}", "k": "safety", "coll": coll}
        op |= {"rec": str(rec), "base": None, "trunk": None, "v": v}
        self.kept["n"][space] = number
        self.kept["outbox"].append(op)

    def at(self) -> str:
        return self.home.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def conflict(page: Page, resident: str, about: str) -> None:
    """Go to the versions from the alert that calls for somebody."""
    alert = page.get_by_role("listitem").filter(has_text=f"{resident} · {about}")
    expect(alert).to_be_visible(timeout=SOON_MS)
    alert.get_by_role("link", name="Se versionerna").click()


def looks(page: Page, name: str) -> None:
    """Keep its pictures: on a desktop and a phone, by day and in the dark."""
    for size, where in ((DESKTOP, "desktop"), (PHONE, "phone")):
        page.set_viewport_size(size)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.wait_for_timeout(300)
            look(page, f"{name}-{where}-{theme}")
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")


def test_a_lowered_allergy_that_came_late_is_kept_apart_until_somebody_decides(
    people: People, home: Rehearsal, tmp_path: Path
):
    nurse = people.open("ingrid", size=DESKTOP)
    space = space_of(nurse, "Elsa Lindqvist")
    sara, henrik = Device(home, "sara", tmp_path), Device(home, "henrik", tmp_path)
    allergy = sara.event(
        space, "allergy",
        {"key": "PEANUTS", "severity": "anaphylaxis", "source": "Journalen", "at": sara.at()},
    )  # fmt: skip
    sara.sync()
    henrik.sync()
    henrik.propose(
        space, "allergy_lowering", named_id(uuid.UUID(space), "allergy/PEANUTS"),
        {"key": "PEANUTS", "covers": [allergy], "to": "intolerance", "why": "Provokation gick bra"},
        hours_ago=30,
    )  # fmt: skip
    henrik.sync()
    # Meanwhile she has eaten, and somebody has written it down.
    come_to(nurse, f"/boende/{space}")
    meal = nurse.get_by_role("listitem").filter(has_text="Frukost")
    meal.get_by_role("button", name="Klar").click()

    come_to(nurse, "/")
    conflict(nurse, "Elsa", "En mildare allergi")
    expect(nurse.get_by_role("heading", name="2 olika versioner")).to_be_visible()
    holds = nurse.get_by_role("article", name="Sara Nyström")
    expect(holds).to_contain_text("Gäller nu")
    expect(holds).to_contain_text("Anafylaxi")
    expect(holds).to_contain_text("Källa: Journalen.")
    proposal = nurse.get_by_role("article", name="Henrik Dahl")
    expect(proposal).to_contain_text("Överkänslighet")
    expect(proposal).to_contain_text("Provokation gick bra")
    expect(proposal).to_contain_text("Kom fram mer än ett dygn senare.")
    eaten = nurse.get_by_role("region", name="Ätet under tiden")
    expect(eaten).to_contain_text("Frukost: Klar, Du")
    looks(nurse, "allergy-conflict")

    # Something worse was written down after the proposal: choosing that would not take it away.
    sara.event(
        space, "allergy",
        {"key": "PEANUTS", "severity": "allergy", "source": "", "at": sara.at()},
    )  # fmt: skip
    sara.sync()
    expect(proposal).to_contain_text("Allergi gäller ändå", timeout=SOON_MS)
    decide(nurse, "Behåll det som gäller", "Dietisten ser först")
    expect(nurse.get_by_text("Det är bestämt")).to_be_visible(timeout=SOON_MS)
    expect(nurse.get_by_text("Dietisten ser först")).to_be_visible()
    expect(nurse.get_by_role("heading", name="Jordnötter")).to_be_visible()
    stands = nurse.get_by_role("region", name="Det här gäller nu")
    expect(stands).to_contain_text("Anafylaxi")
    looks(nurse, "allergy-decided")


def test_two_textures_stand_side_by_side_and_the_chosen_one_holds(
    people: People, home: Rehearsal, tmp_path: Path
):
    nurse = people.open("ingrid", size=DESKTOP)
    space = space_of(nurse, "Gunnar Öberg")
    sara, henrik = Device(home, "sara", tmp_path), Device(home, "henrik", tmp_path)
    texture = named_id(uuid.UUID(space), "texture")
    soft = {
        "food": {"scale": "iddsi", "level": 5},
        "drink": None,
        "source": "Logoped",
        "why": "Ny tand",
    }
    thick = soft | {"drink": 2, "food": {"scale": "iddsi", "level": 4}, "why": "Hostar vid måltid"}
    sara.propose(space, "texture", texture, soft)
    sara.sync()
    henrik.propose(space, "texture", texture, thick)
    henrik.sync()

    conflict(nurse, "Gunnar", "Matens konsistens")
    holds = nurse.get_by_role("article", name="Sara Nyström")
    expect(holds).to_contain_text("IDDSI nivå 5")
    proposal = nurse.get_by_role("article", name="Henrik Dahl")
    expect(proposal.get_by_role("deletion")).to_have_text(
        [re.compile("5$"), re.compile("Vanlig$"), re.compile("Ny tand$")]
    )
    expect(proposal.get_by_role("insertion")).to_have_text(
        [re.compile("4$"), re.compile("IDDSI nivå 2$"), re.compile("Hostar vid måltid$")]
    )
    expect(nurse.get_by_text("Det som gäller nu fortsätter att gälla")).to_be_visible()
    expect(nurse.get_by_text("ringer")).to_have_count(0)
    looks(nurse, "texture-conflict")

    decide(nurse, "Välj förslaget från Henrik Dahl", "Logopeden ringde")
    expect(nurse.get_by_text("Det är bestämt")).to_be_visible(timeout=SOON_MS)
    expect(nurse.get_by_role("region", name="Det här gäller nu")).to_contain_text("IDDSI nivå 4")
    sara.sync()
    assert sara.kept["rows"][space][str(texture)][3]["active"]["v"] == thick
