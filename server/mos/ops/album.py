"""Every screen of the app, and how to come to it in a demo home. For pictures and tests."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Self

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect
from playwright.sync_api import Error as Failed

from mos.kernel.zones import zone
from mos.ops.demo.people import PEOPLE, RESIDENTS, ZONE
from mos.ops.rehearsal import Rehearsal

NOON = "2026-11-27T12:14:00"  # a Friday
EVENING = "2026-11-27T20:00:05"
NIGHT = "2026-11-28T02:47:00"
SATURDAY = "2026-11-28T10:20:00"

PHONE: ViewportSize = {"width": 390, "height": 844}
TABLET: ViewportSize = {"width": 1180, "height": 820}
DESKTOP: ViewportSize = {"width": 1440, "height": 900}

Theme = Literal["light", "dark"]
# Under what the sign-in page of a demo shows people.
_GROUPS = {"resident": "Boende", "relative": "Anhöriga"}
_PATIENCE_MS = 15_000
_SETTLED = """Promise.all([
  document.fonts.ready,
  ...[...document.images]
    .filter((each) => each.checkVisibility() && each.getBoundingClientRect().top < innerHeight)
    .map((each) => each.decode()),
]).then(() => null)"""


class Broken(Exception):
    """A screen did not come, or its script failed; the text says how."""


def _no_steps(_: Page) -> None:
    """Stay where the path leads."""


@dataclass(frozen=True)
class Screen:
    """One screen: who sees it, when, where, and what is done there first.

    In `path`, `{elsa}` stands for the space of the resident called so, `{link}` for the secret of a
    new invitation.
    """

    name: str
    person: str | None
    path: str = "/"
    at: str = NOON
    steps: Callable[[Page], None] = _no_steps
    at_night: bool = False

    @property
    def moment(self) -> datetime:
        """Return when it is looked at, in the demo's zone."""
        return datetime.fromisoformat(self.at).replace(tzinfo=zone(ZONE))

    @property
    def themes(self) -> tuple[Theme, ...]:
        """Return the themes it has. Night is a theme of its own, whatever the system's."""
        return ("dark",) if self.at_night else ("light", "dark")

    @property
    def is_for_residents(self) -> bool:
        """Return whether residents press its buttons."""
        return any(p.key == self.person and p.role == "resident" for p in PEOPLE)


# ── what is done on a screen before it is looked at


def _arrive(page: Page) -> None:
    """Wait for the resident's day."""
    day = page.locator("main ol > li").first
    day.or_(page.get_by_role("heading", name="natt")).wait_for(state="attached")


def _let_undo_pass(page: Page) -> None:
    """Let the ten seconds go by in which something can be undone; then the screen is quiet."""
    undo = page.get_by_role("button", name="Ångra", exact=True)
    undo.wait_for()
    page.clock.run_for(11_000)
    undo.wait_for(state="detached")


def _welcome(page: Page) -> None:
    """Put the meal off that rings, so that the guidance of the first time shows."""
    _arrive(page)
    again = page.get_by_role("button", name="Påminn igen")
    if again.is_visible():
        again.click()
        _let_undo_pass(page)
    page.get_by_role("dialog").wait_for()


def _clock(page: Page) -> None:
    """Follow the guidance to its end."""
    _arrive(page)
    if not page.evaluate("Object.keys(localStorage).includes('mos.welcomed')"):
        _welcome(page)
    while page.get_by_role("button", name="Nästa").is_visible():
        page.get_by_role("button", name="Nästa").click()
    skip = page.get_by_role("button", name="Hoppa över")
    if skip.is_visible():
        skip.click()


def _help(page: Page) -> None:
    _clock(page)
    page.get_by_role("button", name="Hjälp").click()
    page.get_by_role("button", name="Jag klarar mig").wait_for()


def _alarm(page: Page) -> None:
    page.get_by_role("button", name="Jag har tagit den").wait_for()


def _synced(page: Page) -> None:
    """Wait until all that the server has is here."""
    page.get_by_text(re.compile(r"sparat \d\d:\d\d")).wait_for()
    page.get_by_role("status", name="Hämtar").wait_for(state="detached")


def _press(button: str) -> Callable[[Page], None]:
    def steps(page: Page) -> None:
        _synced(page)
        page.get_by_role("button", name=button).first.click()

    return steps


def _overview(page: Page) -> None:
    _synced(page)
    guide = page.get_by_role("button", name="Jag förstår")
    if guide.is_visible():
        guide.click()
    # A working day: what was missed has been taken care of, but for the latest.
    take = page.get_by_role("button", name="Jag tar det")
    while (waiting := take.count()) > 1:
        take.last.click()
        expect(take).to_have_count(waiting - 1)
        _let_undo_pass(page)


def _editor(page: Page) -> None:
    _synced(page)
    page.get_by_role("link", name="Lunch").first.click()
    page.get_by_role("textbox", name="Namn").wait_for()


def _order(page: Page) -> None:
    """Try to save an empty order, so that it says what is missing."""
    _synced(page)
    page.get_by_role("button", name="Spara").click()
    page.get_by_role("alert").first.wait_for()


def _pictures(page: Page) -> None:
    _editor(page)
    page.get_by_role("button", name="Byt bild").click()
    page.get_by_role("dialog").get_by_role("listitem").first.wait_for()


SCREENS: tuple[Screen, ...] = (
    Screen("signin", None),
    Screen("claim", None, "/borja/2f7c-91ab-40de"),
    Screen("invitation", None, "/inbjudan/{link}"),
    Screen("overview", "sara", steps=_overview),
    Screen("day", "sara", "/boende/{birgitta}", steps=_synced),
    Screen("profile", "sara", "/boende/{elsa}/profil", steps=_synced),
    Screen("unsaved", "sara", "/boende/{elsa}/ej-sparat", steps=_synced),
    Screen("medicines", "ingrid", "/boende/{elsa}/mediciner", steps=_synced),
    Screen("new-order", "ingrid", "/boende/{elsa}/mediciner/ny", steps=_order),
    Screen("plan-choice", "sara", "/planering", steps=_synced),
    Screen("plan", "sara", "/planering/{elsa}", steps=_synced),
    Screen("editor", "sara", "/planering/{elsa}", steps=_editor),
    Screen("new-reminder", "sara", "/planering/{elsa}/ny", steps=_synced),
    Screen("template", "sara", "/planering/{elsa}", steps=_press("Lägg in en vanlig dag")),
    Screen("picture-picker", "sara", "/planering/{elsa}", steps=_pictures),
    Screen("see-as", "sara", "/som/{elsa}", steps=_arrive),
    Screen("relative-overview", "karin", steps=_overview),
    Screen("start", "admin", "/admin/start", steps=_synced),
    Screen("units", "admin", "/admin/units", steps=_synced),
    Screen("people", "admin", "/admin/people", steps=_synced),
    Screen("new-person", "admin", "/admin/people", steps=_press("Ny person")),
    Screen("residents", "admin", "/admin/residents", steps=_synced),
    Screen("relations", "admin", "/admin/relations", steps=_synced),
    Screen("new-relation", "admin", "/admin/relations", steps=_press("Ny behörighet")),
    Screen("settings", "sara", "/installningar"),
    Screen("ring-test", "sara", "/installningar/ringprov"),
    Screen("kit", "sara", "/kit"),
    Screen("welcome", "elsa", steps=_welcome),
    Screen("clock", "elsa", steps=_clock),
    Screen("clock-level-1", "gunnar", steps=_clock),
    Screen("pillar", "elsa", "/dagen", steps=_clock),
    Screen("help", "amir", steps=_help),
    Screen("alarm", "elsa", at=EVENING, steps=_alarm),
    Screen("night", "elsa", at=NIGHT, steps=_clock, at_night=True),
    Screen("clock-saturday", "amir", at=SATURDAY, steps=_clock),
)


def sign_in(page: Page, key: str) -> None:
    """Choose the person called `key` on the sign-in page of a demo; return when they are in."""
    person = next(person for person in PEOPLE if person.key == key)
    page.get_by_role("radio", name=_GROUPS.get(person.role, "Personal")).check()
    button = page.get_by_role("button", name=person.name)
    button.click()
    button.wait_for(state="detached")


@dataclass
class Album:
    """Opens screens in a demo home that is at `NOON` or before. Screens come in the table's order.

    The home's clock only moves forward: a screen of the evening cannot be followed by one of noon.
    """

    home: Rehearsal
    browser: Browser
    _contexts: dict[tuple[str | None, str], BrowserContext] = field(default_factory=dict)
    _at: str = NOON

    def open(self, screen: Screen) -> Page:
        """Return a new page that shows the screen, on a tablet in daylight. Raises Broken."""
        self._come_to(screen.at)
        context = self._context(screen)
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.set_default_timeout(_PATIENCE_MS)
        try:
            page.goto(f"{self.home.url}/#{self._path(screen, context)}")
            page.get_by_role("heading", level=1).first.wait_for(state="attached")
            screen.steps(page)
            # However long that took, it is looked at in the minute that was meant.
            page.clock.set_fixed_time(screen.moment)
            page.clock.run_for(1_100)
            page.mouse.move(0, 0)
            self.settle(page)
        except Failed as failure:
            raise Broken(str(failure).splitlines()[0]) from failure
        if page.locator("main.broken").count():
            faults.append("the screen's own files did not come")
        if faults:
            raise Broken(faults[0])
        return page

    def settle(self, page: Page) -> None:
        """Wait until letters and pictures are there."""
        page.evaluate(_SETTLED)

    def close(self) -> None:
        """Close every page."""
        for context in self._contexts.values():
            context.close()
        self._contexts.clear()

    def __enter__(self) -> Self:
        """Begin with nothing open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every page."""
        self.close()

    def _come_to(self, local: str) -> None:
        if local > self._at:
            self.home.move_to(local)
            self._at = local

    def _context(self, screen: Screen) -> BrowserContext:
        """Return the window in which the screen's person is signed in at its moment."""
        key = (screen.person, screen.at)
        if key not in self._contexts:
            context = self._contexts[key] = self._new_context(screen.moment)
            if screen.person is not None:
                self._sign_in(context, screen.person)
        return self._contexts[key]

    def _new_context(self, moment: datetime) -> BrowserContext:
        context = self.browser.new_context(locale="sv-SE", timezone_id=ZONE, viewport=TABLET)
        context.clock.install(time=moment)
        return context

    def _sign_in(self, context: BrowserContext, key: str) -> None:
        page = context.new_page()
        page.goto(self.home.url)
        sign_in(page, key)
        page.close()

    def _path(self, screen: Screen, context: BrowserContext) -> str:
        path = screen.path
        if "{link}" in path:
            return path.format(link=self._invite())
        if "{" in path:
            answer = context.request.get(f"{self.home.url}/api/v1/session").json()
            spaces = {each["name"]: each["space"] for each in answer["residents"]}
            return path.format_map(
                {each.key: spaces[each.name] for each in RESIDENTS if each.name in spaces}
            )
        return path

    def _invite(self) -> str:
        """Return the secret of a new link for one of the staff."""
        context = self._new_context(self.home.now())
        api, head = f"{self.home.url}/api/v1", {"x-mos": "1", "origin": self.home.url}
        self._sign_in(context, "admin")
        accounts = context.request.get(f"{api}/accounts").json()
        wanted = next(each for each in accounts if each["name"] == "Mikael Lund")
        answer = context.request.post(
            f"{api}/accounts/{wanted['id']}/invitations", headers=head, data={"kind": "password"}
        )
        token = str(answer.json()["token"])
        context.close()
        return token
