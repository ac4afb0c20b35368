"""Who may do what: every route of the API, asked by everybody.

A route without an entry here fails the test. What is refused because it is somebody else's must
look exactly like what does not exist.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from browsers import Browser, Site
from builders import Home, a_home, a_relation, a_resident, a_unit, an_account

from mos.care.model import Role
from mos.web.api import PREFIX, create_api

OK = 200  # any success

ROLES = ("resident", "relative", "caregiver", "nurse", "manager", "admin", "auditor")
# The seven roles with what is usual for them, the relative who manages the family's home, and three
# who look in from outside.
EVERYBODY = (
    "nobody", *ROLES, "head_of_family", "manager_elsewhere", "other_resident", "admin_of_others",
)  # fmt: skip


def _all(status: int, **but: int) -> dict[str, int]:
    return {**dict.fromkeys(EVERYBODY, status), "nobody": 401, **but}


_MANAGERS = {"manager": OK, "head_of_family": OK, "admin": OK}
# Open to all; to whoever is signed in; to nobody but the owner.
OPEN = _all(OK, nobody=OK)
SIGNED_IN = _all(OK)
OWN = _all(404)
# Lists and additions: those who manage see their own part.
MANAGING = _all(403, **_MANAGERS, manager_elsewhere=OK, admin_of_others=OK)
# Additions to this home's unit.
MANAGING_HERE = _all(403, **_MANAGERS, manager_elsewhere=400, admin_of_others=400)
# One thing of this home.
MANAGED = _all(403, **_MANAGERS, manager_elsewhere=404, admin_of_others=404)
ADMIN_ONLY = _all(403, admin=OK, admin_of_others=OK)
# A resident's own, their supporters', and those who manage their unit.
SEEN = _all(404, resident=OK, relative=OK, caregiver=OK, nurse=OK, **_MANAGERS)


# What only those see who see the plan; and what only those do who are told of alarms.
SEES_PLAN = _all(404, **dict.fromkeys(
    ("resident", "relative", "caregiver", "nurse", "manager", "head_of_family"), OK))  # fmt: skip
ACTS = SEES_PLAN | dict.fromkeys(("resident", "manager", "head_of_family"), 404)


@dataclass
class World:
    """One home with everybody in it, and another organisation."""

    site: Site
    home: Home
    others: Home
    accounts: dict[str, tuple[UUID, UUID]]

    @property
    def database(self) -> Any:
        return self.site.database

    async def browser(self, who: str) -> Browser:
        if who == "nobody":
            return await self.site.browser()
        return await self.site.as_account(*self.accounts[who])


@dataclass(frozen=True)
class Ask:
    """A request: its path, its body, and whether its last id can be swapped for an unknown one."""

    path: str
    body: Any = None


Make = Callable[[World, Browser], Awaitable[Ask]]


async def _world(site: Site) -> World:
    database = site.database
    home = await a_home(database)
    others = await a_home(database, name="Andra", email_domain="other.test")
    elsewhere = await a_unit(database, home.org, name="Linden")
    other_resident = await a_resident(database, home.org, elsewhere, name="Olle")
    accounts = {
        "resident": home.resident.account,
        "caregiver": home.caregiver,
        "admin": home.admin,
        "other_resident": other_resident.account,
    }
    for role in ("relative", "nurse", "manager", "auditor"):
        accounts[role] = await an_account(database, home.org, role, name=role)
    accounts["manager_elsewhere"] = await an_account(database, home.org, "manager", name="other")
    await a_relation(database, home.org, accounts["relative"], space=home.space)
    await a_relation(database, home.org, accounts["nurse"], unit=home.unit)
    managing = ("plan.view", "care.manage")
    await a_relation(database, home.org, accounts["manager"], unit=home.unit, permissions=managing)
    accounts["head_of_family"] = await an_account(database, home.org, "relative", name="head")
    head = accounts["head_of_family"]
    await a_relation(database, home.org, head, unit=home.unit, permissions=managing)
    await a_relation(
        database, home.org, accounts["manager_elsewhere"], unit=elsewhere, permissions=managing
    )
    return World(
        site,
        home,
        others,
        {who: (home.org, account) for who, account in accounts.items()}
        | {"admin_of_others": (others.org, others.admin)},
    )


# ────────────────────────────────────────────────────────────── what is asked


def _plain(path: str, body: Any = None) -> Make:
    async def make(_world: World, _browser: Browser) -> Ask:
        return Ask(path, body)

    return make


async def _a_supporter(world: World, _browser: Browser, tail: str = "", body: Any = None) -> Ask:
    account = await an_account(
        world.database, world.home.org, "caregiver", email=f"{uuid4()}@example.test"
    )
    await a_relation(world.database, world.home.org, account, unit=world.home.unit)
    return Ask(f"accounts/{account}{tail}", body)


def _supporter(tail: str = "", body: Any = None) -> Make:
    async def make(world: World, browser: Browser) -> Ask:
        return await _a_supporter(world, browser, tail, body)

    return make


async def _new_account(world: World, _browser: Browser) -> Ask:
    return Ask(
        "accounts",
        {
            "role": "caregiver", "name": "Ny", "email": f"{uuid4()}@example.test",
            "language": "sv", "units": [str(world.home.unit)],
        },
    )  # fmt: skip


async def _change_unit(world: World, _browser: Browser) -> Ask:
    return Ask(f"units/{world.home.unit}", {"name": "Nytt namn"})


async def _new_resident(world: World, _browser: Browser) -> Ask:
    return Ask("residents", {"name": "Ny", "unit": str(world.home.unit), "language": "sv"})


async def _change_resident(world: World, _browser: Browser) -> Ask:
    return Ask(f"residents/{world.home.space}", {"flat": "9"})


async def _resident_devices(world: World, _browser: Browser) -> Ask:
    return Ask(f"residents/{world.home.space}/devices")


async def _resident_ended_devices(world: World, _browser: Browser) -> Ask:
    return Ask(f"residents/{world.home.space}/devices/ended")


async def _quarantine(world: World, _browser: Browser) -> Ask:
    return Ask(f"residents/{world.home.space}/quarantine")


async def _refused_op(world: World, _browser: Browser) -> Ask:
    op = uuid4()
    await world.database.sql(
        "INSERT INTO quarantine (org_id, space_id, op_id, reason, payload, received_at) "
        "VALUES ($1, $2, $3, 'forbidden permission', '{}', now())",
        world.home.org, world.home.space, op,
    )  # fmt: skip
    return Ask(f"residents/{world.home.space}/quarantine/{op}/handled", {"how": "dropped"})


async def _new_relation(world: World, _browser: Browser) -> Ask:
    relative = await an_account(world.database, world.home.org, "relative")
    return Ask(
        "relations",
        {
            "account": str(relative), "space": str(world.home.space),
            "permissions": ["plan.view"],
        },
    )  # fmt: skip


def _relation(body: Any = None) -> Make:
    async def make(world: World, _browser: Browser) -> Ask:
        relative = await an_account(world.database, world.home.org, "relative")
        relation = await a_relation(
            world.database, world.home.org, relative, space=world.home.space,
            permissions=("plan.view",),
        )  # fmt: skip
        return Ask(f"relations/{relation}", body)

    return make


def _device(tail: str = "", body: Any = None) -> Make:
    """Something of a device that belongs to nobody who asks."""

    async def make(world: World, _browser: Browser) -> Ask:
        owner = await an_account(world.database, world.home.org, "caregiver")
        browser = await world.site.as_account(world.home.org, owner)
        return Ask(f"devices/{browser.device}{tail}", body)

    return make


async def _session(world: World, _browser: Browser) -> Ask:
    owner = await an_account(world.database, world.home.org, "caregiver")
    await world.site.as_account(world.home.org, owner)
    [row] = await world.database.sql("SELECT session_id FROM session WHERE account_id = $1", owner)
    return Ask(f"sessions/{row['session_id']}")


async def _accept(world: World, browser: Browser) -> Ask:
    admin = await world.site.as_account(world.home.org, world.home.admin)
    path = f"accounts/{world.home.resident.account}/invitations"
    link = (await admin.post(path, {"kind": "device"})).json()
    return Ask("invitations/accept", {"token": link["token"], "device_id": str(uuid4())})


async def _open(world: World, browser: Browser) -> Ask:
    accept = await _accept(world, browser)
    return Ask("invitations/open", {"token": accept.body["token"]})


async def _elsewhere(_world: World, _browser: Browser) -> Ask:
    return Ask("session/device", {"device_id": str(uuid4())})


async def _sign_in(world: World, _browser: Browser) -> Ask:
    from builders import PASSWORD

    body = {
        "email": "caregiver@example.test",
        "password": PASSWORD,
        "organisation": str(world.home.org),
        "device_id": str(uuid4()),
    }
    return Ask("session", body)


_SUBSCRIPTION = {"endpoint": "https://push.example/1", "p256dh": "A" * 87, "auth": "A" * 22}
_RING_TEST = {"sound": True, "permission": "granted", "push": False}
_CLAIM = {
    "token": "x" * 43,
    "organisation": {
        "name": "X", "policy": "family", "zone": "Europe/Stockholm", "language": "sv",
    },
    "name": "X",
    "email": "x@example.test",
    "password": "a long enough password",
    "device_id": str(uuid4()),
}  # fmt: skip

MATRIX: dict[str, tuple[dict[str, int], Make]] = {
    "GET /installation": (OPEN, _plain("installation")),
    # Claimed long ago: the same for everybody.
    "POST /claim": (dict.fromkeys(EVERYBODY, 409), _plain("claim", _CLAIM)),
    "POST /session": (OPEN, _sign_in),
    "POST /invitations/open": (OPEN, _open),
    "POST /invitations/accept": (OPEN, _accept),
    "GET /session": (SIGNED_IN, _plain("session")),
    "PUT /session/device": (SIGNED_IN, _elsewhere),
    "DELETE /session": (SIGNED_IN, _plain("session")),
    "GET /sessions": (SIGNED_IN, _plain("sessions")),
    "DELETE /sessions": (SIGNED_IN, _plain("sessions")),
    "DELETE /sessions/{session_id}": (OWN, _session),
    "PATCH /account": (SIGNED_IN, _plain("account", {"language": "fi"})),
    # None of these accounts has that password: everybody is asked for their own.
    "POST /account/password": (
        _all(400),
        _plain("account/password", {"current": "not it", "new": "quite another long one"}),
    ),
    "GET /units": (MANAGING, _plain("units")),
    "POST /units": (
        ADMIN_ONLY,
        _plain("units", {"name": "Ny", "zone": "Europe/Stockholm", "language": "sv"}),
    ),
    "PATCH /units/{unit_id}": (MANAGED, _change_unit),
    "GET /accounts": (MANAGING, _plain("accounts")),
    "POST /accounts": (MANAGING_HERE, _new_account),
    "PATCH /accounts/{account_id}": (MANAGED, _supporter("", {"name": "Nytt namn"})),
    "POST /accounts/{account_id}/invitations": (
        MANAGED,
        _supporter("/invitations", {"kind": "password"}),
    ),
    "DELETE /accounts/{account_id}/sessions": (MANAGED, _supporter("/sessions")),
    "GET /residents": (MANAGING, _plain("residents")),
    "POST /residents": (MANAGING_HERE, _new_resident),
    "PATCH /residents/{space}": (MANAGED, _change_resident),
    "GET /residents/{space}/devices": (SEEN, _resident_devices),
    "GET /residents/{space}/devices/ended": (SEEN, _resident_ended_devices),
    "GET /residents/{space}/quarantine": (SEES_PLAN, _quarantine),
    "POST /residents/{space}/quarantine/{op}/handled": (ACTS, _refused_op),
    "GET /relations": (MANAGING, _plain("relations")),
    "POST /relations": (MANAGING_HERE, _new_relation),
    "PATCH /relations/{relation_id}": (MANAGED, _relation({"consent": "Nytt"})),
    "DELETE /relations/{relation_id}": (MANAGED, _relation()),
    "GET /devices": (SIGNED_IN, _plain("devices")),
    "GET /devices/ended": (SIGNED_IN, _plain("devices/ended")),
    "PUT /devices/{device_id}": (OWN, _device("", {"name": "Min"})),
    "DELETE /devices/{device_id}": (OWN, _device()),
    "PUT /devices/{device_id}/push": (OWN, _device("/push", _SUBSCRIPTION)),
    "DELETE /devices/{device_id}/push": (OWN, _device("/push")),
    "POST /devices/{device_id}/ring-test": (OWN, _device("/ring-test")),
    "PUT /devices/{device_id}/ring-test": (OWN, _device("/ring-test", _RING_TEST)),
    "GET /push-key": (SIGNED_IN, _plain("push-key")),
}


def _nothing() -> Any:
    raise AssertionError("no request is made")


def routes() -> list[str]:
    """Every route that the application has, as "METHOD /path" without the types of its ids."""
    return sorted(
        f"{method} {route.path_format.removeprefix(PREFIX)}"
        for route in create_api(_nothing).routes
        for method in route.methods - {"OPTIONS"}
    )


def test_every_route_has_its_place_in_the_matrix():
    assert routes() == sorted(MATRIX)


def test_everybody_is_asked():
    assert set(ROLES) == set(Role)
    for expected, _ in MATRIX.values():
        assert set(expected) == set(EVERYBODY)


@pytest.mark.parametrize("route", sorted(MATRIX))
async def test_everybody_may_do_what_the_matrix_says_and_no_more(site, route):
    method = route.partition(" ")[0]
    expected, make = MATRIX[route]
    world = await _world(site)
    await _claimed(site)

    found = {}
    for who in EVERYBODY:
        browser = await world.browser(who)
        ask = await make(world, browser)
        answer = await browser.ask(method, ask.path, ask.body)
        found[who] = OK if answer.is_success else answer.status_code
        if not answer.is_success:
            assert answer.headers["content-type"] == "application/problem+json"

    assert found == expected


ID_ROUTES = [route for route in sorted(MATRIX) if "{" in route]


@pytest.mark.parametrize("route", ID_ROUTES)
async def test_what_is_somebody_elses_looks_like_what_does_not_exist(site, route):
    method = route.partition(" ")[0]
    expected, make = MATRIX[route]
    world = await _world(site)
    for who in [who for who in EVERYBODY if expected[who] in (403, 404)]:
        browser = await world.browser(who)
        ask = await make(world, browser)

        theirs = await browser.ask(method, ask.path, ask.body)
        kind, _, tail = ask.path.partition("/")
        missing = f"{kind}/{uuid4()}{tail[36:]}"
        absent = await browser.ask(method, missing, ask.body)

        assert (theirs.status_code, theirs.json()) == (absent.status_code, absent.json()), who


@pytest.mark.parametrize("route", ID_ROUTES)
async def test_another_organisations_ids_are_refused_and_change_nothing(site, route):
    method = route.partition(" ")[0]
    _, make = MATRIX[route]
    world = await _world(site)
    browser = await world.browser("admin_of_others")
    ask = await make(world, browser)
    before = await _everything(site)

    answer = await browser.ask(method, ask.path, ask.body)

    assert answer.status_code == 404
    assert await _everything(site) == before


BODY_IDS = ["POST /accounts", "POST /residents", "POST /relations"]


@pytest.mark.parametrize("route", BODY_IDS)
async def test_another_organisations_ids_in_a_body_are_refused_and_change_nothing(site, route):
    _, make = MATRIX[route]
    world = await _world(site)
    browser = await world.browser("admin_of_others")
    ask = await make(world, browser)
    before = await _everything(site)

    answer = await browser.post(ask.path, ask.body)

    assert answer.status_code == 400
    assert await _everything(site) == before


UNSAFE = [route for route in sorted(MATRIX) if not route.startswith("GET ")]


@pytest.mark.parametrize("route", UNSAFE)
async def test_nothing_changes_for_a_request_from_another_site(site, route):
    method = route.partition(" ")[0]
    _, make = MATRIX[route]
    world = await _world(site)
    browser = await world.browser("admin")
    ask = await make(world, browser)
    before = await _everything(site)

    for headers in (
        {"x-mos": "0"},
        {"x-mos": "1", "sec-fetch-site": "cross-site"},
        {"x-mos": "1", "sec-fetch-site": "same-site"},
        {"x-mos": "1", "origin": "https://evil.example"},
        {"x-mos": "1", "origin": "null"},
    ):
        answer = await browser.ask(method, ask.path, ask.body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site"), headers

    assert await _everything(site) == before


async def _claimed(site: Site) -> None:
    await site.database.sql(
        "INSERT INTO installation (demo, claimed_at, created_at) VALUES (false, now(), now())"
    )


async def _everything(site: Site) -> dict[str, Any]:
    """All that people's requests could change, but for when they were last seen."""
    tables = ("unit", "account", "resident", "relation", "invitation", "credential", "rec")
    found: dict[str, Any] = {
        table: await site.database.sql(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        for table in tables
    }
    found["session"] = await site.database.sql(
        "SELECT session_id, revoked_at FROM session ORDER BY 1"
    )
    found["device"] = await site.database.sql(
        "SELECT device_id, account_id, name, push_endpoint, ring_test, revoked_at "
        "FROM device ORDER BY 1"
    )
    return found
