"""What open apps hear when people, roles and relations change: at once, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from browsers import Browser, Site
from builders import PASSWORD, Home, a_home, a_relation, a_resident, a_unit, an_account

from mos.sync.pokes import announce
from mos.web.app import create_app

SOON_S = 5


@dataclass
class Served(Site):
    """The application behind a socket, as browsers meet it."""

    async def browser(self, **headers: str) -> Browser:  # type: ignore[override]
        """A fresh browser; it connects from this machine."""
        http = httpx.AsyncClient(base_url=self.base_url, headers=headers)
        return Browser(await self.stack.enter_async_context(http))

    async def page(self, browser: Browser) -> "Page":
        """An open page of a browser, after its first word."""
        page = Page(await self.stack.enter_async_context(_stream(browser.http)))
        assert await page.next() == "heads"
        return page


@asynccontextmanager
async def _stream(http: httpx.AsyncClient) -> AsyncIterator[AsyncIterator[str]]:
    async with http.stream("GET", "/sync/v1/poke", timeout=SOON_S) as answer:
        assert answer.status_code == 200
        yield answer.aiter_lines()


class Page:
    """The event stream of one open page."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        """Read the stream behind `lines`."""
        self._lines = lines

    async def next(self) -> str:
        """Return the name of the next event, or "end"."""
        async with asyncio.timeout(SOON_S):
            async for line in self._lines:
                if line.startswith("event: "):
                    return line.removeprefix("event: ")
            return "end"


@pytest.fixture
async def site(database, clock) -> AsyncIterator[Served]:
    config = uvicorn.Config(
        create_app(database.settings, clock), host="127.0.0.1", port=0, log_config=None
    )
    server = uvicorn.Server(config)
    async with AsyncExitStack() as stack:
        running = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(config.app, clock, database, stack, f"http://127.0.0.1:{port}")
        server.should_exit = True
        await stack.aclose()
        await running


@dataclass
class World:
    """A home with a second unit and somebody who works only there."""

    site: Served
    home: Home
    nurse: UUID
    relation: UUID
    olle: UUID
    stranger: UUID
    admin: Browser


@pytest.fixture
async def world(site) -> World:
    home = await a_home(site.database)
    nurse = await an_account(site.database, home.org, "nurse", name="Nils", password=PASSWORD)
    relation = await a_relation(site.database, home.org, nurse, unit=home.unit)
    elsewhere = await a_unit(site.database, home.org, name="Linden")
    olle = await a_resident(site.database, home.org, elsewhere, name="Olle")
    stranger = await an_account(site.database, home.org, "caregiver", name="Stina")
    await a_relation(site.database, home.org, stranger, unit=elsewhere)
    admin = await site.as_account(home.org, home.admin)
    return World(site, home, nurse, relation, olle.space, stranger, admin)


Change = Callable[[World], Awaitable[httpx.Response]]


def _add_person(world: World) -> Any:
    return world.admin.post(
        "accounts",
        {
            "role": "caregiver",
            "name": "Ny",
            "email": "ny@example.test",
            "language": "sv",
            "units": [str(world.home.unit)],
        },
    )


def _change_person(**change: Any) -> Change:
    return lambda world: world.admin.patch(
        f"accounts/{world.nurse}", {"email": "nils@example.test", **change}
    )


async def _add_relation(world: World) -> httpx.Response:
    account = await an_account(world.site.database, world.home.org, "relative", name="Rut")
    return await world.admin.post(
        "relations",
        {
            "account": str(account),
            "space": str(world.home.space),
            "permissions": ["plan.view"],
        },
    )


async def _rename_oneself(world: World) -> httpx.Response:
    nurse = await world.site.as_account(world.home.org, world.nurse)
    return await nurse.patch("account", {"name": "Nilla"})


CHANGES: dict[str, Change] = {
    "somebody new": _add_person,
    "a name": _change_person(name="Nilla"),
    "a role": _change_person(role="caregiver"),
    "a disabled account": _change_person(disabled=True),
    "a new relation": _add_relation,
    "what a relation gives": lambda world: world.admin.patch(
        f"relations/{world.relation}", {"permissions": ["plan.view"]}
    ),
    "the end of a relation": lambda world: world.admin.delete(f"relations/{world.relation}"),
    "one's own name": _rename_oneself,
    "a new resident": lambda world: world.admin.post(
        "residents", {"name": "Ebbe", "unit": str(world.home.unit), "language": "sv"}
    ),
    "a resident who moves away": lambda world: world.admin.patch(
        f"residents/{world.home.space}", {"archived": True}
    ),
    "a unit's name": lambda world: world.admin.patch(
        f"units/{world.home.unit}", {"name": "Boken"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_whoever_shows_a_person_or_a_place_hears_of_its_change(world, change):
    site, org = world.site, world.home.org
    caregiver = await site.page(await site.as_account(org, world.home.caregiver))
    stranger = await site.page(await site.as_account(org, world.stranger))

    answer = await change(world)

    assert answer.is_success, answer.text
    assert await caregiver.next() == "acl"
    # Those elsewhere hear nothing of it: the next that they hear is what happens there.
    await announce(site.database.app, org, {world.olle: 1})
    assert await stranger.next() == "heads"


async def test_the_session_says_what_was_poked_about(world):
    site = world.site
    caregiver = await site.as_account(world.home.org, world.home.caregiver)
    page = await site.page(caregiver)

    await _add_person(world)
    assert await page.next() == "acl"

    people = (await caregiver.get("session")).json()["people"]
    assert "Ny" in {person["name"] for person in people}


async def test_a_residents_tablet_hears_of_a_new_supporter(world):
    site = world.site
    tablet = await site.page(await site.as_account(world.home.org, world.home.resident.account))

    await _add_relation(world)

    assert await tablet.next() == "acl"


@pytest.mark.parametrize(
    "parting",
    ["sessions", "this session", "device", "password", "by an administrator", "by a link"],
)
async def test_a_page_whose_session_was_ended_elsewhere_ends_at_once(world, parting):
    site, home = world.site, world.home
    lost = await site.signed_in("caregiver@example.test")
    here = await site.signed_in("caregiver@example.test")
    page = await site.page(lost)

    match parting:
        case "sessions":
            answer = await here.delete("sessions")
        case "this session":
            sessions = (await here.get("sessions")).json()
            other = next(each["id"] for each in sessions if not each["current"])
            answer = await here.delete(f"sessions/{other}")
        case "device":
            answer = await here.delete(f"devices/{lost.device}")
        case "password":
            body = {"current": PASSWORD, "new": "quite another long one"}
            answer = await here.post("account/password", body)
        case "by an administrator":
            answer = await world.admin.delete(f"accounts/{home.caregiver}/sessions")
        case _:
            path = f"accounts/{home.caregiver}/invitations"
            link = (await world.admin.post(path, {"kind": "password"})).json()
            phone = await site.browser()
            answer = await phone.post(
                "invitations/accept",
                {
                    "token": link["token"],
                    "device_id": str(phone.device),
                    "password": "quite another long one",
                },
            )

    assert answer.is_success, answer.text
    if parting == "device":
        assert await page.next() == "wipe"
    assert await page.next() == "end"
