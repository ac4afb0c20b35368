"""Who may do what: every route of the API, asked by everybody.

A route without an entry here fails the test. What is refused because it is somebody else's must
look exactly like what does not exist.
"""

import base64
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import pytest
from browsers import Browser, Site
from builders import (
    Home,
    a_channel,
    a_contact,
    a_home,
    a_record,
    a_relation,
    a_resident,
    a_unit,
    an_account,
)
from recordings import a_webm

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
SIGNS = {who: 409 if status == OK else status for who, status in SEES_PLAN.items()}
EDITS_PLAN = _all(404, relative=OK, caregiver=OK, nurse=OK)
ACTS = SEES_PLAN | dict.fromkeys(("resident", "manager", "head_of_family"), 404)


# Who opens somebody in an emergency.
GIVES_CARE = _all(403, caregiver=OK, nurse=OK)
# Nurses who decide about medication here.
DELEGATES = _all(403, nurse=OK)
# The accesses: of the units that one manages, or all.
READS_LOGS = _all(403, manager=OK, head_of_family=OK, auditor=OK, manager_elsewhere=OK)


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


async def _lost_tablet(world: World, _browser: Browser) -> Ask:
    tablet = await world.site.as_account(world.home.org, world.home.resident.account)
    return Ask(f"residents/{world.home.space}/devices/{tablet.device}/wipe")


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


_ROTA = {
    "name": "Kväll", "weekdays": ["mon"], "from": "16:00", "to": "07:00",
    "valid_from": "2026-11-01",
}  # fmt: skip
_STEPS = [{"tell": "all", "after": 0}]
_WHEN = "category=meal&criticality=normal&at=2026-11-27T07:00:00Z"


async def _new_rota(world: World, _browser: Browser) -> Ask:
    body = _ROTA | {"accounts": [str(world.home.caregiver)]}
    return Ask(f"units/{world.home.unit}/rotas", body)


def _rota(tail: str = "", body: Any = None) -> Make:
    async def make(world: World, browser: Browser) -> Ask:
        admin = await world.site.as_account(world.home.org, world.home.admin)
        new = await _new_rota(world, browser)
        rota = (await admin.post(new.path, new.body)).json()["id"]
        await admin.put(f"rotas/{rota}/changes/2026-12-24", {"account": None})
        fits = body | {"accounts": new.body["accounts"]} if body and "name" in body else body
        return Ask(f"rotas/{rota}{tail}", fits)

    return make


async def _template(world: World, _browser: Browser) -> Ask:
    await world.database.sql(
        "INSERT INTO ladder_template SELECT org_id, '*', '*', '[{}]', org_id, now() "
        "FROM organisation ON CONFLICT DO NOTHING"
    )
    return Ask("ladder-templates")


async def _sample(world: World, _browser: Browser) -> Ask:
    month, entry = "2026-10-01", uuid4()
    await world.database.sql(
        "INSERT INTO access_draw VALUES ($1, '2026-10-01', 'seed', 1, 1, now()) "
        "ON CONFLICT DO NOTHING",
        world.home.org,
    )
    await world.database.sql(
        "INSERT INTO access_sample (org_id, month, entry_id, at, space_id, unit_id, account_id, "
        "role, kind, class, purpose) VALUES ($1, '2026-10-01', $2, now(), $3, $4, $5, "
        "'caregiver', 'read', 'day', 'care')",
        world.home.org, entry, world.home.space, world.home.unit, world.home.caregiver,
    )  # fmt: skip
    return Ask(f"logs/samples/{month}/{entry}", {"outcome": "reasonable"})


async def _emergency(world: World, _browser: Browser) -> Ask:
    """What a nurse who is nobody of these has opened of the home's resident."""
    nurse, emergency = await an_account(world.database, world.home.org, "nurse"), uuid4()
    await world.database.sql(
        "INSERT INTO emergency (org_id, emergency_id, relation_id, account_id, space_id, unit_id, "
        "at, until, cause, reason) VALUES ($1, $2, $2, $3, $4, $5, $6, $7, 'urgent', '')",
        world.home.org, emergency, nurse, world.home.space, world.home.unit,
        world.site.clock.now, world.site.clock.now + timedelta(hours=4),
    )  # fmt: skip
    return Ask(f"emergencies/{emergency}")


async def _emergency_looked_at(world: World, browser: Browser) -> Ask:
    made = await _emergency(world, browser)
    return Ask(f"logs/{made.path}", {"outcome": "reasonable"})


async def _asking(world: World, _browser: Browser) -> Ask:
    """All that there is of the home's resident: for whoever manages them and sees everything."""
    await world.database.sql(
        "UPDATE relation SET permissions = permissions || '{medication.view}' "
        "WHERE 'care.manage' = ANY (permissions)"
    )
    return Ask("exports", {"language": "sv", "space": str(world.home.space)})


def _export(tail: str = "") -> Make:
    """What somebody who is none of these has asked for of themselves."""

    async def make(world: World, _browser: Browser) -> Ask:
        nurse, export = await an_account(world.database, world.home.org, "nurse"), uuid4()
        await world.database.sql(
            "INSERT INTO export (org_id, export_id, account_id, asked_by, asked_at, language) "
            "VALUES ($1, $2, $3, $3, $4, 'sv')",
            world.home.org, export, nurse, world.site.clock.now,
        )  # fmt: skip
        return Ask(f"exports/{export}{tail}")

    return make


def _in_care(make: Make) -> Make:
    """The same where the organisation keeps a care record."""

    async def made(world: World, browser: Browser) -> Ask:
        await world.database.sql("UPDATE organisation SET policy = 'care_record'")
        return await make(world, browser)

    return made


async def _unit_to_open(world: World, _browser: Browser) -> Ask:
    return Ask(f"emergencies/units/{world.home.unit}/residents")


async def _opening(world: World, _browser: Browser) -> Ask:
    unit = await a_unit(world.database, world.home.org, name="Linden")
    other = await a_resident(world.database, world.home.org, unit)
    reason = "Täcker hela huset i natt."
    return Ask("emergencies", {"space": str(other.space), "cause": "cover", "reason": reason})


def _delegating(make: Make) -> Make:
    """The same where the nurse decides about medication, in a care record."""

    async def made(world: World, browser: Browser) -> Ask:
        await world.database.sql(
            "UPDATE relation SET permissions = '{plan.view,medication.view,medication.edit}' "
            "WHERE account_id = $1",
            world.accounts["nurse"][1],
        )
        return await _in_care(make)(world, browser)

    return made


async def _delegation(world: World, _browser: Browser) -> Ask:
    return Ask(
        "delegations",
        {
            "account": str(world.home.caregiver), "task": "drops", "units": [str(world.home.unit)],
            "first": "2026-11-25", "last": "2027-11-24", "checked_on": "2026-11-25",
            "checked_how": "Visade mig.",
        },
    )  # fmt: skip


async def _revocation(world: World, _browser: Browser) -> Ask:
    """Of what another nurse has given."""
    delegation, nurse = uuid4(), await an_account(world.database, world.home.org, "nurse")
    now = world.site.clock.now
    await world.database.sql(
        "INSERT INTO delegation (org_id, delegation_id, given_by, account_id, task, detail, units, "
        "spaces, valid_from, valid_to, checked_on, checked_how, given_at) VALUES "
        "($1, $2, $3, $4, 'drops', '', $5, '{}', $6, $7, '2026-11-01', 'x', $6)",
        world.home.org, delegation, nurse, world.home.caregiver, [world.home.unit], now,
        now + timedelta(days=90),
    )  # fmt: skip
    return Ask(f"delegations/{delegation}/revocation", {"why": "Slutar."})


def _of_resident(tail: str, body: Any = None) -> Make:
    async def make(world: World, _browser: Browser) -> Ask:
        return Ask(f"residents/{world.home.space}/{tail}", body)

    return make


def _of_unit(tail: str) -> Make:
    async def make(world: World, _browser: Browser) -> Ask:
        return Ask(f"units/{world.home.unit}/{tail}")

    return make


async def _spoken(world: World, _browser: Browser) -> Ask:
    reminder = await a_record(
        world.database, world.home.org, world.home.space, "reminder", {"title": "Mat"}
    )
    return Ask(f"residents/{world.home.space}/speech/{reminder}")


async def _new_clip(world: World, _browser: Browser) -> Ask:
    audio = a_webm()
    body = {"audio": base64.b64encode(audio).decode()}
    return Ask(f"residents/{world.home.space}/clips/{sha256(audio).hexdigest()}", body)


async def _clip(world: World, browser: Browser) -> Ask:
    ask = await _new_clip(world, browser)
    caregiver = await world.browser("caregiver")
    assert (await caregiver.put(ask.path, ask.body)).status_code == 204
    return Ask(ask.path)


async def _feed(world: World, _browser: Browser) -> Ask:
    feed = uuid4()
    await world.database.sql(
        "INSERT INTO calendar_feed (org_id, space_id, feed_id, token_hash, says, medication, "
        "created_by, created_at) VALUES ($1, $2, $3, $4, 'plain', false, $5, now())",
        world.home.org, world.home.space, feed, feed.bytes, world.home.caregiver,
    )  # fmt: skip
    return Ask(f"residents/{world.home.space}/calendar-feeds/{feed}")


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


# A well-formed credential of nobody's.
_CREDENTIAL = {
    "id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {"clientDataJSON": "AAAA"},
}  # fmt: skip


def _passkey(body: Any = None) -> Make:
    async def make(world: World, _browser: Browser) -> Ask:
        passkey = uuid4()
        await world.database.sql(
            "INSERT INTO passkey (org_id, passkey_id, account_id, credential, public_key, "
            "sign_count, transports, synced, name, created_at) "
            "VALUES ($1, $2, $3, $4, '', 0, '{}', false, 'Telefon', now())",
            world.home.org, passkey, world.home.caregiver, passkey.bytes,
        )  # fmt: skip
        return Ask(f"account/passkeys/{passkey}", body)

    return make


# What an identity provider might have answered, to somebody who never went there.
_ANSWER = {"code": "a-code", "state": "a-state"}
_PROVIDER = {"issuer": "http://127.0.0.1:9", "client_id": "mos", "label": "Kommunen"}


async def _outset(world: World, browser: Browser) -> Ask:
    body = {"device_id": str(browser.device), "organisation": str(world.home.org)}
    return Ask("session/oidc", body)


async def _identity(world: World, browser: Browser) -> Ask:
    made = await _a_supporter(world, browser, "/identity")
    await world.database.sql(
        "INSERT INTO identity (org_id, account_id, issuer, subject_hash, way, linked_at) "
        "VALUES ($1, $2, $3, $4, 'self', now())",
        world.home.org, UUID(made.path.split("/")[1]), _PROVIDER["issuer"], uuid4().bytes,
    )  # fmt: skip
    return made


async def _provider(world: World, _browser: Browser) -> Ask:
    for org in (world.home.org, world.others.org):
        await world.database.sql(
            "INSERT INTO identity_provider (org_id, issuer, client_id, label, scopes, by_email, "
            "strong_acr, strong_amr, updated_at, updated_by) "
            "VALUES ($1, $2, 'mos', 'Kommunen', '{}', false, '{}', '{}', now(), $1) "
            "ON CONFLICT DO NOTHING",
            org, _PROVIDER["issuer"],
        )  # fmt: skip
    return Ask("organisation/identity-provider")


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


async def _invitation_mail(world: World, browser: Browser) -> Ask:
    made = await _a_supporter(world, browser, "/invitations")
    admin = await world.site.as_account(world.home.org, world.home.admin)
    link = (await admin.post(made.path, {"kind": "password"})).json()
    return Ask(f"{made.path}/{link['id']}/mail", {"token": link["token"]})


async def _invitation(world: World, browser: Browser) -> Ask:
    made = await _a_supporter(world, browser, "/invitations")
    admin = await world.site.as_account(world.home.org, world.home.admin)
    link = (await admin.post(made.path, {"kind": "password"})).json()
    return Ask(f"{made.path}/{link['id']}")


def _resident_pin(body: Any = None) -> Make:
    """The PIN of a resident on their tablet, which is known by its cookie."""

    async def make(world: World, _browser: Browser) -> Ask:
        tablet = await world.site.as_account(world.home.org, world.home.resident.account)
        await world.database.sql(
            "UPDATE device SET bound_hash = $2 WHERE device_id = $1",
            tablet.device, tablet.device.bytes,
        )  # fmt: skip
        await world.database.sql(
            "INSERT INTO pin (org_id, device_id, account_id, kind, secret, set_by, set_at) "
            "VALUES ($1, $2, $3, 'pin', '-', $3, now())",
            world.home.org, tablet.device, world.home.resident.account,
        )  # fmt: skip
        return Ask(f"residents/{world.home.space}/devices/{tablet.device}/pin", body)

    return make


async def _signature(world: World, _browser: Browser) -> Ask:
    body = {
        "account": str(world.home.caregiver), "secret": "4937", "space": str(world.home.space),
    }  # fmt: skip
    return Ask("session/signature", body)


async def _own_pin(world: World, browser: Browser) -> Ask:
    """Somebody's own PIN on the device that they ask from, where they are signed in."""
    await world.database.sql(
        "INSERT INTO pin (org_id, device_id, account_id, kind, secret, set_by, set_at) "
        "SELECT org_id, device_id, account_id, 'pin', '-', account_id, now() "
        "FROM device WHERE device_id = $1 ON CONFLICT DO NOTHING",
        browser.device,
    )
    return Ask("account/pin")


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


async def _set_up(world: World, browser: Browser) -> Ask:
    return Ask("session/second-factor", (await _sign_in(world, browser)).body)


async def _forgotten(world: World, _browser: Browser) -> Ask:
    body = {"email": "caregiver@example.test", "organisation": str(world.home.org)}
    return Ask("password-resets", body)


async def _forgotten_ways(world: World, _browser: Browser) -> Ask:
    return Ask(f"password-resets?organisation={world.home.org}")


def _contact(tail: str = "", body: Any = None) -> Make:
    """A contact that belongs to nobody who asks."""

    async def make(world: World, _browser: Browser) -> Ask:
        owner = await an_account(world.database, world.home.org, "caregiver")
        contact = await a_contact(world.database, world.home.org, owner, f"{uuid4()}@example.org")
        return Ask(f"me/contacts/{contact}{tail}", body)

    return make


async def _webhook(world: World, _browser: Browser) -> Ask:
    address = f"https://{uuid4()}.example.org/"
    webhook = await a_contact(
        world.database, world.home.org, None, address, channel="webhook", secret=b"-"
    )
    return Ask(f"webhooks/{webhook}")


def _of_webhook(tail: str, body: Any = None) -> Make:
    async def make(world: World, browser: Browser) -> Ask:
        return Ask((await _webhook(world, browser)).path + tail, body)

    return make


async def _new_webhook(_world: World, _browser: Browser) -> Ask:
    return Ask("webhooks", {"address": f"https://{uuid4()}.example.org/"})


async def _channel_there(world: World, _browser: Browser) -> Ask:
    await world.database.sql("DELETE FROM channel_settings")
    for org in (world.home.org, world.others.org):
        await a_channel(world.database, org, "email", {})
    return Ask("channels/email")


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
    "GET /password-resets": (OPEN, _forgotten_ways),
    "POST /password-resets": (OPEN, _forgotten),
    "POST /invitations/open": (OPEN, _open),
    "POST /invitations/accept": (OPEN, _accept),
    "GET /session": (SIGNED_IN, _plain("session")),
    "PUT /session/device": (SIGNED_IN, _elsewhere),
    "DELETE /session": (SIGNED_IN, _plain("session")),
    "GET /sessions": (SIGNED_IN, _plain("sessions")),
    "DELETE /sessions": (SIGNED_IN, _plain("sessions")),
    "DELETE /sessions/{session_id}": (OWN, _session),
    # Here the public address is one that no browser makes passkeys for: all are told so.
    "GET /session/pins": (OPEN, _plain("session/pins")),
    # Without the device's cookie nobody gets in.
    "POST /session/pin": (
        dict.fromkeys(EVERYBODY, 401),
        _plain(
            "session/pin",
            {"account": str(uuid4()), "secret": "4937", "device_id": str(uuid4())},
        ),
    ),
    # They see no such space, or have no cookie of the device: nobody's PIN is even looked at.
    "POST /session/signature": (SIGNS, _signature),
    # Whoever manages people, on the device that they are signed in on.
    "PUT /device/signer-question": (
        MANAGING,
        _plain("device/signer-question", {"asks": True}),
    ),
    "GET /account/pin": (SIGNED_IN, _plain("account/pin")),
    "PUT /account/pin": (SIGNED_IN, _plain("account/pin", {"secret": "4937"})),
    "DELETE /account/pin": (SIGNED_IN, _own_pin),
    "PUT /residents/{space}/devices/{device}/pin": (MANAGED, _resident_pin({"secret": "4937"})),
    "DELETE /residents/{space}/devices/{device}/pin": (MANAGED, _resident_pin()),
    "POST /session/passkey/options": (
        _all(409, nobody=409),
        _plain("session/passkey/options", {"device_id": str(uuid4())}),
    ),
    "POST /session/passkey": (
        _all(409, nobody=409),
        _plain("session/passkey", {"credential": _CREDENTIAL, "device_id": str(uuid4())}),
    ),
    "GET /session/step-up": (SIGNED_IN, _plain("session/step-up")),
    "POST /session/step-up/password": (
        _all(403),
        _plain("session/step-up/password", {"password": "a guess"}),
    ),
    "POST /session/step-up/passkey": (
        _all(409),
        _plain("session/step-up/passkey", {"credential": _CREDENTIAL}),
    ),
    # None of them has codes, and nobody guesses one.
    "POST /session/step-up/code": (_all(403), _plain("session/step-up/code", {"code": "123456"})),
    # Nobody has to set anything up here.
    "POST /session/second-factor": (dict.fromkeys(EVERYBODY, 409), _set_up),
    "GET /organisation/second-factor": (ADMIN_ONLY, _plain("organisation/second-factor")),
    "PUT /organisation/second-factor": (
        ADMIN_ONLY,
        _plain("organisation/second-factor", {"required": False}),
    ),
    "POST /session/oidc": (dict.fromkeys(EVERYBODY, 409), _outset),
    "POST /session/oidc/return": (
        dict.fromkeys(EVERYBODY, 401),
        _plain("session/oidc/return", {"answer": _ANSWER, "device_id": str(uuid4())}),
    ),
    "POST /session/oidc/code": (
        dict.fromkeys(EVERYBODY, 401),
        _plain("session/oidc/code", {"ticket": "a.b", "code": "123456", "device_id": str(uuid4())}),
    ),
    "POST /session/step-up/oidc": (_all(409), _plain("session/step-up/oidc")),
    "POST /session/step-up/oidc/return": (
        _all(401),
        _plain("session/step-up/oidc/return", _ANSWER),
    ),
    "GET /account/identity": (SIGNED_IN, _plain("account/identity")),
    "POST /account/identity": (
        _all(409, resident=403, other_resident=403),
        _plain("account/identity"),
    ),
    "POST /account/identity/return": (_all(401), _plain("account/identity/return", _ANSWER)),
    "DELETE /account/identity": (OWN, _plain("account/identity")),
    "DELETE /accounts/{account_id}/identity": (MANAGED, _identity),
    "GET /organisation/identity-provider": (
        ADMIN_ONLY,
        _plain("organisation/identity-provider"),
    ),
    "PUT /organisation/identity-provider": (
        ADMIN_ONLY,
        _plain("organisation/identity-provider", _PROVIDER),
    ),
    "DELETE /organisation/identity-provider": (ADMIN_ONLY, _provider),
    "POST /organisation/identity-provider/test": (
        ADMIN_ONLY,
        _plain("organisation/identity-provider/test", {"issuer": _PROVIDER["issuer"]}),
    ),
    "GET /account/totp": (SIGNED_IN, _plain("account/totp")),
    "POST /account/totp": (_all(OK, resident=403, other_resident=403), _plain("account/totp")),
    "POST /account/totp/confirm": (_all(409), _plain("account/totp/confirm", {"code": "123456"})),
    "DELETE /account/totp": (_all(409), _plain("account/totp")),
    "POST /account/recovery-codes": (_all(409), _plain("account/recovery-codes")),
    "GET /account/passkeys": (SIGNED_IN, _plain("account/passkeys")),
    "POST /account/passkeys/options": (_all(409), _plain("account/passkeys/options")),
    "POST /account/passkeys": (
        _all(409),
        _plain("account/passkeys", {"name": "Telefon", "credential": _CREDENTIAL}),
    ),
    "PATCH /account/passkeys/{passkey_id}": (_all(404, caregiver=OK), _passkey({"name": "Ny"})),
    "DELETE /account/passkeys/{passkey_id}": (_all(404, caregiver=OK), _passkey()),
    "PATCH /account": (SIGNED_IN, _plain("account", {"language": "fi"})),
    # None of these accounts has that password: everybody is asked for their own.
    "POST /account/password": (
        _all(400),
        _plain("account/password", {"current": "not it", "new": "quite another long one"}),
    ),
    "GET /me/contacts": (SIGNED_IN, _plain("me/contacts")),
    # No channel is set up here: everybody may ask, and is told so.
    "POST /me/contacts": (
        _all(409),
        _plain("me/contacts", {"channel": "email", "address": "a@example.org"}),
    ),
    "POST /me/contacts/{contact_id}/code": (OWN, _contact("/code")),
    "POST /me/contacts/{contact_id}/verify": (OWN, _contact("/verify", {"code": "123456"})),
    "PATCH /me/contacts/{contact_id}": (OWN, _contact("", {"label": "Min"})),
    "DELETE /me/contacts/{contact_id}": (OWN, _contact()),
    "POST /me/contacts/{contact_id}/test": (OWN, _contact("/test")),
    # Who manages the whole organisation; an administrator of others sees their own.
    "GET /channels": (ADMIN_ONLY, _plain("channels")),
    "PUT /channels/{channel}": (
        ADMIN_ONLY,
        _plain(
            "channels/email",
            {"settings": {"host": "mail.example.org", "sender": "mos@example.org"}},
        ),
    ),
    "DELETE /channels/{channel}": (ADMIN_ONLY, _channel_there),
    "POST /channels/{channel}/test": (
        ADMIN_ONLY,
        _plain("channels/email/test", {"to": "a@example.org"}),
    ),
    "GET /webhooks": (ADMIN_ONLY, _plain("webhooks")),
    "POST /webhooks": (ADMIN_ONLY, _new_webhook),
    "DELETE /webhooks/{webhook_id}": (_all(403, admin=OK, admin_of_others=404), _webhook),
    "PATCH /webhooks/{webhook_id}": (
        _all(403, admin=OK, admin_of_others=404),
        _of_webhook("", {"paused": True}),
    ),
    "POST /webhooks/{webhook_id}/secret": (
        _all(403, admin=OK, admin_of_others=404),
        _of_webhook("/secret"),
    ),
    "GET /webhooks/{webhook_id}/answers": (
        _all(403, admin=OK, admin_of_others=404),
        _of_webhook("/answers"),
    ),
    "POST /webhooks/{webhook_id}/test": (
        _all(403, admin=OK, admin_of_others=404),
        _of_webhook("/test"),
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
    "GET /accounts/{account_id}/invitations/{invitation_id}": (MANAGED, _invitation),
    "POST /accounts/{account_id}/invitations/{invitation_id}/mail": (MANAGED, _invitation_mail),
    "DELETE /accounts/{account_id}/invitations": (MANAGED, _supporter("/invitations")),
    "GET /accounts/{account_id}/sight": (MANAGED, _supporter("/sight")),
    "DELETE /accounts/{account_id}/second-factor": (MANAGED, _supporter("/second-factor")),
    "DELETE /accounts/{account_id}/sessions": (MANAGED, _supporter("/sessions")),
    "GET /residents": (MANAGING, _plain("residents")),
    "POST /residents": (MANAGING_HERE, _new_resident),
    "PATCH /residents/{space}": (MANAGED, _change_resident),
    "GET /residents/{space}/devices": (SEEN, _resident_devices),
    "GET /residents/{space}/devices/ended": (SEEN, _resident_ended_devices),
    "GET /residents/devices": (SIGNED_IN, _plain("residents/devices")),
    "GET /residents/quarantine": (SIGNED_IN, _plain("residents/quarantine")),
    "GET /residents/{space}/quarantine": (SEES_PLAN, _quarantine),
    "POST /residents/{space}/quarantine/{op}/handled": (ACTS, _refused_op),
    "GET /relations": (MANAGING, _plain("relations")),
    "POST /relations": (MANAGING_HERE, _new_relation),
    "PATCH /relations/{relation_id}": (MANAGED, _relation({"consent": "Nytt"})),
    "DELETE /relations/{relation_id}": (MANAGED, _relation()),
    "POST /residents/{space}/devices/{device}/wipe": (MANAGED, _lost_tablet),
    "GET /devices": (SIGNED_IN, _plain("devices")),
    "GET /devices/ended": (SIGNED_IN, _plain("devices/ended")),
    "PUT /devices/{device_id}": (OWN, _device("", {"name": "Min"})),
    "POST /device/heartbeat": (SIGNED_IN, _plain("device/heartbeat", {"kiosk": True})),
    "DELETE /devices/{device_id}": (OWN, _device()),
    "PUT /devices/{device_id}/push": (OWN, _device("/push", _SUBSCRIPTION)),
    "DELETE /devices/{device_id}/push": (OWN, _device("/push")),
    "POST /devices/{device_id}/ring-test": (OWN, _device("/ring-test")),
    "PUT /devices/{device_id}/ring-test": (OWN, _device("/ring-test", _RING_TEST)),
    "GET /ladder-templates": (_all(OK, auditor=403), _plain("ladder-templates")),
    "PUT /ladder-templates": (MANAGING, _plain("ladder-templates", {"steps": _STEPS})),
    "DELETE /ladder-templates": (MANAGING, _template),
    "GET /residents/{space}/ladder": (SEES_PLAN, _of_resident(f"ladder?{_WHEN}")),
    "POST /residents/{space}/ladder": (
        SEEN,
        _of_resident(
            "ladder",
            {
                "category": "meal",
                "criticality": "normal",
                "at": "2026-11-27T07:00:00Z",
                "steps": _STEPS,
            },
        ),
    ),
    "GET /residents/{space}/alarm-load": (SEES_PLAN, _of_resident("alarm-load")),
    "GET /residents/{space}/calendar-feeds": (EDITS_PLAN, _of_resident("calendar-feeds")),
    "POST /residents/{space}/calendar-feeds": (
        EDITS_PLAN,
        _of_resident("calendar-feeds", {"says": "titles"}),
    ),
    "DELETE /residents/{space}/calendar-feeds/{feed}": (EDITS_PLAN, _feed),
    "GET /residents/{space}/speech/{rec}": (SEES_PLAN, _spoken),
    "PUT /residents/{space}/clips/{clip}": (EDITS_PLAN, _new_clip),
    "GET /residents/{space}/clips/{clip}": (SEES_PLAN, _clip),
    "GET /me/alarm-load": (SIGNED_IN, _plain("me/alarm-load")),
    "GET /me/quiet-hours": (SIGNED_IN, _plain("me/quiet-hours")),
    "PUT /me/quiet-hours": (
        SIGNED_IN,
        _plain("me/quiet-hours", {"from": "22:00", "to": "06:00", "zone": "Europe/Stockholm"}),
    ),
    "DELETE /me/quiet-hours": (SIGNED_IN, _plain("me/quiet-hours")),
    "GET /dead-letters": (MANAGING, _plain("dead-letters")),
    "GET /self-watch": (MANAGING, _plain("self-watch")),
    "GET /units/{unit_id}/rotas": (MANAGED, _of_unit("rotas")),
    "POST /units/{unit_id}/rotas": (MANAGED, _new_rota),
    "PUT /rotas/{rota_id}": (MANAGED, _rota("", _ROTA)),
    "DELETE /rotas/{rota_id}": (MANAGED, _rota()),
    "PUT /rotas/{rota_id}/changes/{day}": (
        MANAGED,
        _rota("/changes/2026-12-25", {"account": None}),
    ),
    "DELETE /rotas/{rota_id}/changes/{day}": (MANAGED, _rota("/changes/2026-12-24")),
    "GET /units/{unit_id}/duty": (MANAGED, _of_unit("duty")),
    "GET /me/duty": (SIGNED_IN, _plain("me/duty")),
    "GET /logs": (READS_LOGS | dict.fromkeys(("admin", "admin_of_others"), OK), _plain("logs")),
    "GET /logs/accesses": (READS_LOGS, _plain("logs/accesses")),
    "GET /logs/accesses/export": (READS_LOGS, _plain("logs/accesses/export?form=json")),
    "GET /logs/events": (
        _all(403, **dict.fromkeys(("admin", "admin_of_others", "auditor"), OK)),
        _plain("logs/events"),
    ),
    "GET /logs/samples": (READS_LOGS, _plain("logs/samples")),
    "PUT /logs/samples/{month}/{entry_id}": (
        _all(403, manager=OK, head_of_family=OK, auditor=OK, manager_elsewhere=404),
        _sample,
    ),
    "GET /logs/emergencies": (READS_LOGS, _plain("logs/emergencies")),
    "PUT /logs/emergencies/{emergency_id}": (
        _all(403, manager=OK, head_of_family=OK, auditor=OK, manager_elsewhere=404),
        _emergency_looked_at,
    ),
    "GET /emergencies/units": (GIVES_CARE, _in_care(_plain("emergencies/units"))),
    "GET /emergencies/units/{unit_id}/residents": (
        GIVES_CARE,
        _in_care(_unit_to_open),
    ),
    "GET /emergencies/mine": (SIGNED_IN, _plain("emergencies/mine")),
    "POST /emergencies": (GIVES_CARE, _in_care(_opening)),
    "DELETE /emergencies/{emergency_id}": (_all(404, **_MANAGERS), _emergency),
    "GET /delegations": (DELEGATES, _delegating(_plain("delegations"))),
    "GET /delegations/choices": (DELEGATES, _delegating(_plain("delegations/choices"))),
    "GET /delegations/mine": (SIGNED_IN, _plain("delegations/mine")),
    "POST /delegations": (DELEGATES, _delegating(_delegation)),
    "POST /delegations/{delegation_id}/revocation": (DELEGATES, _delegating(_revocation)),
    "GET /exports": (SIGNED_IN, _plain("exports")),
    "POST /exports": (
        _all(403, **_MANAGERS, resident=OK, other_resident=404, manager_elsewhere=404)
        | {"admin": 403},
        _asking,
    ),
    "GET /exports/{export_id}/file": (OWN, _export("/file")),
    "DELETE /exports/{export_id}": (OWN, _export()),
    "GET /residents/{space}/accesses": (
        _all(404, resident=OK, manager=OK, head_of_family=OK, auditor=OK),
        _of_resident("accesses"),
    ),
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


_ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# A channel is called by its name, which everybody knows.
ID_ROUTES = [route for route in sorted(MATRIX) if "{" in route and "{channel}" not in route]


@pytest.mark.parametrize("route", ID_ROUTES)
async def test_what_is_somebody_elses_looks_like_what_does_not_exist(site, route):
    method = route.partition(" ")[0]
    expected, make = MATRIX[route]
    world = await _world(site)
    for who in [who for who in EVERYBODY if expected[who] in (403, 404)]:
        browser = await world.browser(who)
        ask = await make(world, browser)

        theirs = await browser.ask(method, ask.path, ask.body)
        missing = re.sub(_ID, str(uuid4()), ask.path, count=1)
        absent = await browser.ask(method, missing, ask.body)

        assert (theirs.status_code, theirs.json()) == (absent.status_code, absent.json()), who


@pytest.mark.parametrize("route", ID_ROUTES)
async def test_another_organisations_ids_are_refused_and_change_nothing(site, route):
    method = route.partition(" ")[0]
    expected, make = MATRIX[route]
    world = await _world(site)
    browser = await world.browser("admin_of_others")
    ask = await make(world, browser)
    before = await _everything(site)

    answer = await browser.ask(method, ask.path, ask.body)

    # Hidden, or what no administrator does anywhere; `test_what_is_somebody_elses…` compares both.
    assert expected["admin_of_others"] in (403, 404)
    assert answer.status_code == expected["admin_of_others"]
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
    tables = (
        "unit", "account", "resident", "relation", "invitation", "credential", "contact", "rec",
        "totp", "recovery_code", "passkey", "identity", "identity_provider",
    )  # fmt: skip
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
