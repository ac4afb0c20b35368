"""Every screen of the app, and how to come to it in a demo home. For pictures and tests."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self, cast
from uuid import UUID

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect
from playwright.sync_api import Error as Failed

from mos.kernel.ids import new_id
from mos.kernel.zones import zone
from mos.ops.demo.people import PASSWORD, PEOPLE, RESIDENTS, ZONE
from mos.ops.rehearsal import Rehearsal
from mos.sync import hlc

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
    page.get_by_text(re.compile(r"sparat .*\d\d:\d\d")).wait_for()
    page.get_by_role("status", name="Hämtar").wait_for(state="detached")


def _press(button: str) -> Callable[[Page], None]:
    def steps(page: Page) -> None:
        _synced(page)
        page.get_by_role("button", name=button).first.click()

    return steps


def _sight(page: Page) -> None:
    _press("Vad Ingrid ser")(page)
    page.get_by_role("dialog").get_by_text("Får ").first.wait_for()


def _duty(page: Page) -> None:
    _synced(page)
    page.get_by_role("region", name="Vem har jour").wait_for()


def _identity(page: Page) -> None:
    """Show how an identity provider is set up."""
    page.get_by_label("Utfärdarens adress").fill("https://login.exempel.se/realms/kommunen")
    page.get_by_label("Vad tjänsten heter").fill("Kommunens inloggning")


def _channels(page: Page) -> None:
    """Show the channels, with a program of the home's own that hears of alerts."""
    _synced(page)
    page.get_by_role("button", name="Ny webhook").click()
    form = page.get_by_role("dialog", name="Ny webhook")
    form.get_by_role("textbox", name="Adress").fill("https://larm.example.org/mos")
    form.get_by_role("textbox", name="Namn").fill("Larmcentralen")
    form.get_by_role("button", name="Lägg till").click()
    secret = page.get_by_role("dialog", name="Hemligheten")
    secret.get_by_role("button", name="Stäng").last.click()
    page.get_by_text("Senaste svaren").click()
    page.get_by_text("Inget har skickats dit än.").wait_for()


def _templates(page: Page) -> None:
    """Make a template for what is critical, of meals."""
    _synced(page)
    page.get_by_role("button", name="Ny mall").click()
    page.get_by_role("combobox", name="Vad det är").select_option("meal")
    page.get_by_role("combobox", name="Hur viktigt").select_option("critical")
    page.get_by_role("button", name="Välj stegen").click()
    page.get_by_role("button", name="Spara").click()
    page.get_by_role("link", name="Mat, kritisk").wait_for()
    _let_undo_pass(page)


def _template(page: Page) -> None:
    """Show whom the template of meals would tell of for Elsa, after a change."""
    _synced(page)
    page.get_by_role("button", name="Lägg till ett steg").click()
    page.get_by_role("combobox", name="Visa namnen för").select_option("Elsa Lindqvist")
    page.get_by_role("complementary").or_(page.get_by_text("notis").first).first.wait_for()


def _logs(part: str | None = None) -> Callable[[Page], None]:
    """Show a part of the log; without `part` the only one that the person may see."""

    def steps(page: Page) -> None:
        _synced(page)
        if part is not None:
            page.get_by_role("radio", name=part).check()
        page.get_by_role("status", name="Hämtar loggen").wait_for(state="detached")
        page.get_by_role("main").get_by_role("listitem").first.wait_for()

    return steps


def _follow_up(page: Page) -> None:
    _logs("Stickprov")(page)
    page.get_by_role("button", name="Något annat").first.click()
    page.get_by_role("dialog", name="Vad det var").wait_for()


def leave_mikael_with_elsa(page: Page) -> None:
    """Leave Mikael with Elsa alone: everybody else in the house is somebody else's."""
    browser, url = cast(Browser, page.context.browser), page.url.split("#")[0]
    with browser.new_context(locale="sv-SE", timezone_id=ZONE) as context:
        other = context.new_page()
        other.goto(url)
        sign_in(other, "admin")
        other.goto("about:blank")
        api = f"{url}api/v1"
        people = context.request.get(f"{api}/accounts").json()
        residents = context.request.get(f"{api}/residents").json()
        [mikael] = [each["id"] for each in people if each["name"] == "Mikael Lund"]
        [elsa] = [each["space"] for each in residents if each["name"] == "Elsa Lindqvist"]
        headers = {"x-mos": "1", "origin": url.rstrip("/")}
        for each in context.request.get(f"{api}/relations").json():
            if each["account"] == mikael and each["unit"]:
                new = {k: each[k] for k in ("account", "permissions")} | {"space": elsa}
                context.request.post(
                    f"{api}/relations", data=new, headers=headers, fail_on_status_code=True
                )
                context.request.delete(
                    f"{api}/relations/{each['id']}", headers=headers, fail_on_status_code=True
                )


def open_in_an_emergency(page: Page, whom: str, why: str) -> None:
    """Open a resident of the house by emergency access, on its own screen."""
    page.get_by_role("combobox", name="Enhet").select_option("Björkbacken 1")
    page.get_by_role("combobox", name="Boende").select_option(whom)
    page.get_by_role("combobox", name="Anledning").select_option("Jag täcker upp för en kollega")
    page.get_by_role("textbox", name="Varför?").fill(why)
    page.get_by_role("button", name="Öppna i fyra timmar").click()
    page.get_by_role("heading", name="Öppet nu").wait_for()


def _emergency(page: Page) -> None:
    _synced(page)
    leave_mikael_with_elsa(page)
    page.reload()
    open_in_an_emergency(page, "Tor Åkesson", "Jonas är sjuk, jag har hela huset till i morgon.")


def _seen(page: Page) -> None:
    again = page.get_by_role("button", name="Påminn igen")
    page.get_by_role("heading", level=1).first.wait_for()
    if again.is_visible():
        again.click()
        _let_undo_pass(page)
    page.get_by_role("heading", name=re.compile("^Vem har sett")).wait_for()
    page.get_by_role("status", name="Hämtar loggen").wait_for(state="detached")


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


def _conflict(page: Page) -> None:
    """Come to the order that two nurses changed at the same time."""
    _synced(page)
    page.get_by_role("link", name="Se versionerna").first.click()
    page.get_by_role("radio").first.wait_for()


def _changed_order(page: Page) -> None:
    """Change the dose of the order that two nurses are at odds over, without saving it."""
    _synced(page)
    page.get_by_role("link", name="Metoprolol").first.click()
    page.get_by_role("textbox", name="Hur mycket").fill("0,5")
    page.get_by_text("Inte sparat").first.wait_for()


def _unsaved(page: Page) -> None:
    """Let a relative's device send a reminder that is not the relative's to write."""
    _synced(page)
    browser, url = cast(Browser, page.context.browser), page.url.split("#")[0]
    with browser.new_context(locale="sv-SE", timezone_id=ZONE) as context:
        other = context.new_page()
        other.goto(url)
        sign_in(other, "karin")
        other.goto("about:blank")
        session = context.request.get(f"{url}api/v1/session").json()
        # The first thing that this device ever wrote of her.
        op = {"n": 1, "space": session["residents"][0]["space"], "k": "set", "coll": "reminder"}
        context.request.post(
            f"{url}sync/v1/push",
            headers={"x-mos": "1", "origin": url.rstrip("/")},
            data=_push(session["device"], {**op, "f": _REFUSED}),
            fail_on_status_code=True,
        )
    page.reload()
    page.get_by_text("Karin Lindqvist").first.wait_for()
    page.get_by_text("Det som skrevs").first.click()


_REFUSED = {
    "title": "Karin ringer",
    "rule": {"kind": "once", "zone": ZONE, "at": "2026-11-29T15:00"},
}


def _push(device: str, op: dict[str, Any]) -> dict[str, Any]:
    """Return a push of one op about a new record, written now (docs/sync.md)."""
    now = datetime.now(UTC)
    clock = hlc.send(hlc.NEVER, int(now.timestamp() * 1000), UUID(device).hex[16:])
    ids = {"op": str(new_id(now)), "rec": str(new_id(now)), "hlc": clock}
    head = {"proto": 1, "schema": 1, "device_id": device, "batch": str(new_id(now))}
    return {**head, "client_now": now.isoformat(), "ops": [{**op, **ids}]}


def _pairing(page: Page) -> None:
    """Show the code by which a tablet becomes a resident's."""
    _synced(page)
    page.get_by_role("button", name="Koppla surfplatta").first.click()
    page.get_by_role("img", name="Rutkod med länken").wait_for()


def _pin(page: Page) -> None:
    """Begin to choose a picture PIN."""
    page.get_by_role("button", name="Välj en kod").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="Bildkod").check()
    dialog.get_by_role("button", name="Katt").click()


def _signing(page: Page) -> None:
    """Let a colleague who has a PIN on this device sign a dose, and give a wrong one first."""
    _synced(page)
    url = page.url.split("#")[0]
    ask = page.context.request
    session = ask.get(f"{url}api/v1/session").json()
    head = {"x-mos": "1", "origin": url.rstrip("/")}
    for key in ("sara", "mikael"):
        email = next(person.email for person in PEOPLE if person.key == key)
        body = {"email": email, "password": PASSWORD, "device_id": session["device"]}
        ask.post(f"{url}api/v1/session", headers=head, data=body, fail_on_status_code=True)
        if key == "sara":
            ask.put(f"{url}api/v1/account/pin", headers=head, data={"secret": "4937"})
    page.reload()
    _synced(page)
    dose = page.get_by_role("listitem").filter(has_text="Metoprolol").filter(has_text="11:45")
    dose.first.get_by_role("button", name="Vad hände?").click()
    outcome = page.get_by_role("dialog", name="Vad hände?")
    outcome.get_by_role("radio", name="Klar").check()
    outcome.get_by_role("button", name="Signera som någon annan").click()
    asked = page.get_by_role("dialog", name="Vem signerar?")
    asked.get_by_role("button", name="Sara Nyström").click()
    asked.get_by_label("PIN-kod").first.fill("9998")
    asked.get_by_role("button", name="Signera", exact=True).click()
    asked.get_by_text("Det är inte rätt kod").wait_for()


def _wipe(page: Page) -> None:
    """Ask what it means to make a lost tablet forget everything, of a resident who has one."""
    _synced(page)
    browser = cast(Browser, page.context.browser)
    with browser.new_context(locale="sv-SE", timezone_id=ZONE) as context:
        tablet = context.new_page()
        tablet.goto(page.url.split("#")[0])
        sign_in(tablet, "tor")
    page.get_by_role("button", name="Mer om Tor Åkesson").click()
    page.get_by_role("menuitem", name="Surfplattor").click()
    page.get_by_role("button", name="Töm surfplattan").click()
    page.get_by_role("dialog", name="Töm ").wait_for()


def _pictures(page: Page) -> None:
    _editor(page)
    page.get_by_role("button", name="Byt bild").click()
    page.get_by_role("dialog").get_by_role("listitem").first.wait_for()


def _calendar(page: Page) -> None:
    _synced(page)
    for _ in range(2):
        page.get_by_role("button", name="Ny kalenderadress").click()
        page.get_by_role("button", name="Skapa adress").click()
        page.get_by_role("textbox", name="Kalenderns adress").wait_for()
        page.get_by_role("dialog").get_by_role("button", name="Stäng").last.click()
    page.get_by_role("button", name="Ny kalenderadress").click()


SCREENS: tuple[Screen, ...] = (
    Screen("signin", None),
    Screen("claim", None, "/borja/2f7c-91ab-40de"),
    Screen("invitation", None, "/inbjudan/{link}"),
    Screen("code", None, "/inbjudan"),
    Screen("provider-cancelled", None, "/logga-in/leverantor?error=access_denied"),
    Screen("overview", "sara", steps=_overview),
    Screen("day", "sara", "/boende/{birgitta}", steps=_synced),
    Screen("signing", "mikael", "/boende/{gunnar}", steps=_signing),
    Screen("profile", "sara", "/boende/{elsa}/profil", steps=_synced),
    Screen("calendar", "sara", "/boende/{elsa}/profil", steps=_calendar),
    Screen("nothing-unsaved", "sara", "/boende/{elsa}/ej-sparat", steps=_synced),
    Screen("relative-overview", "karin", steps=_overview),
    Screen("unsaved", "sara", "/boende/{elsa}/ej-sparat", steps=_unsaved),
    Screen("medicines", "ingrid", "/boende/{gunnar}/mediciner", steps=_synced),
    Screen("conflict", "ingrid", "/boende/{gunnar}/mediciner", steps=_conflict),
    Screen("order", "ingrid", "/boende/{gunnar}/mediciner", steps=_changed_order),
    Screen("new-order", "ingrid", "/boende/{elsa}/mediciner/ny", steps=_order),
    Screen("plan-choice", "sara", "/planering", steps=_synced),
    Screen("plan", "sara", "/planering/{elsa}", steps=_synced),
    Screen("editor", "sara", "/planering/{elsa}", steps=_editor),
    Screen("new-reminder", "sara", "/planering/{elsa}/ny", steps=_synced),
    Screen("template", "sara", "/planering/{elsa}", steps=_press("Lägg in en vanlig dag")),
    Screen("picture-picker", "sara", "/planering/{elsa}", steps=_pictures),
    Screen("ladders", "sara", "/planering/{elsa}/larm", steps=_synced),
    Screen("see-as", "sara", "/som/{elsa}", steps=_arrive),
    Screen("start", "admin", "/admin/start", steps=_synced),
    Screen("units", "admin", "/admin/units", steps=_synced),
    Screen("people", "admin", "/admin/people", steps=_synced),
    Screen("new-person", "admin", "/admin/people", steps=_press("Ny person")),
    Screen("residents", "admin", "/admin/residents", steps=_synced),
    Screen("pairing", "eva", "/admin/residents", steps=_pairing),
    Screen("wipe", "eva", "/admin/residents", steps=_wipe),
    Screen("relations", "admin", "/admin/relations", steps=_synced),
    Screen("new-relation", "admin", "/admin/relations", steps=_press("Ny behörighet")),
    Screen("sight", "admin", "/admin/relations", steps=_sight),
    Screen("duty", "admin", "/admin/duty", steps=_duty),
    Screen("new-rota", "admin", "/admin/duty", steps=_press("Nytt jourschema")),
    Screen("ladder-templates", "admin", "/admin/ladders", steps=_templates),
    Screen("ladder-template", "admin", "/admin/ladders/meal/critical", steps=_template),
    Screen("identity", "admin", "/admin/identity", steps=_identity),
    Screen("channels", "admin", "/admin/channels", steps=_channels),
    Screen("log", "eva", "/admin/logs", steps=_logs("Vem har sett vad")),
    Screen("log-samples", "eva", "/admin/logs", steps=_logs("Stickprov")),
    Screen("log-sample", "eva", "/admin/logs", steps=_follow_up),
    Screen("emergency", "mikael", "/nodatkomst", steps=_emergency),
    Screen("log-emergencies", "eva", "/admin/logs", steps=_logs("Nödåtkomst")),
    Screen("log-security", "admin", "/admin/logs", steps=_logs()),
    Screen("seen", "karin", "/installningar/vem-har-sett/{elsa}", steps=_seen),
    Screen("settings", "sara", "/installningar"),
    Screen("pin", "sara", "/installningar", steps=_pin),
    Screen("ring-test", "sara", "/installningar/ringprov"),
    Screen("kit", "sara", "/kit"),
    Screen("welcome", "elsa", steps=_welcome),
    Screen("clock", "elsa", steps=_clock),
    Screen("clock-level-1", "gunnar", steps=_clock),
    Screen("pillar", "elsa", "/dagen", steps=_clock),
    Screen("help", "amir", steps=_help),
    Screen("seen-mine", "amir", "/installningar/vem-har-sett/{amir}", steps=_seen),
    Screen("alarm", "elsa", at=EVENING, steps=_alarm),
    Screen("night", "elsa", at=NIGHT, steps=_clock, at_night=True),
    Screen("clock-saturday", "amir", at=SATURDAY, steps=_clock),
)


def sign_in(page: Page, key: str) -> None:
    """Choose the person called `key` on the sign-in page of a demo; return when they are in."""
    person = next(person for person in PEOPLE if person.key == key)
    page.get_by_role("radio", name=_GROUPS.get(person.role, "Personal")).check()
    # This very button: where they come to may have another about the same person.
    button = page.get_by_role("button", name=person.name).element_handle()
    button.click()
    button.wait_for_element_state("hidden")


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
