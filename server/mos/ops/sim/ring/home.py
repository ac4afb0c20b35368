"""The home of a seed: units of residents with tablets, and supporters with phones."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from asyncpg.connection import Connection

from mos.care.actions.tokens import new_token, token_hash
from mos.kernel.ids import named_id, new_id
from mos.ops.sim.ring.service import PushService

ZONE = "Europe/Stockholm"
_LONG_AGO = datetime(2026, 11, 20, tzinfo=UTC)
_UNIT = 25
_PERMISSIONS = ["plan.view", "plan.edit", "outcome.record", "alert.take", "medication.view"]


@dataclass(eq=False)
class Device:
    """Somebody's device: who they are there, and what waits to be sent."""

    account: UUID
    id: UUID
    token: str
    spaces: list[UUID]
    subscription: str | None  # its name at the push service
    outbox: list[dict[str, Any]] = field(default_factory=list)
    written: int = 0
    hlc: str = ""
    offline_until: datetime | None = None


@dataclass(frozen=True)
class Home:
    """One organisation."""

    org: UUID
    tablets: list[Device]
    phones: list[Device]

    def phones_of(self, space: UUID) -> list[Device]:
        """Return the phones of those who help this resident."""
        return [phone for phone in self.phones if space in phone.spaces]


async def make_home(
    db: "Connection[Any]", residents: int, service: PushService, dice: Random
) -> Home:
    """Make the organisation, as the owner of the database. Two supporters help each unit."""
    org = new_id(_LONG_AGO)
    await db.execute(
        "INSERT INTO organisation (org_id, name, policy, zone, language, created_at) "
        "VALUES ($1, 'Sim', 'family', $2, 'sv', $3)",
        org, ZONE, _LONG_AGO,
    )  # fmt: skip
    home = Home(org, [], [])
    for start in range(0, residents, _UNIT):
        count = min(_UNIT, residents - start)
        await _make_unit(db, home, count, service, dice)
    await _sign_in(db, home, service)
    return home


async def _make_unit(
    db: "Connection[Any]", home: Home, residents: int, service: PushService, dice: Random
) -> None:
    unit = new_id(_LONG_AGO)
    await db.execute(
        "INSERT INTO unit (org_id, unit_id, name, zone, language, created_at) "
        "VALUES ($1, $2, 'Eken', $3, 'sv', $4)",
        home.org, unit, ZONE, _LONG_AGO,
    )  # fmt: skip
    accounts = [new_id(_LONG_AGO) for _ in range(residents)]
    spaces = [new_id(_LONG_AGO) for _ in range(residents)]
    medications = [named_id(space, "medication") for space in spaces]
    helpers = [new_id(_LONG_AGO) for _ in range(2)]
    await db.execute(
        "INSERT INTO account (org_id, account_id, role, name, language, created_at) "
        "SELECT $1::uuid, a, CASE WHEN a = ANY ($3::uuid[]) THEN 'caregiver' ELSE 'resident' END, "
        "'Kim', 'sv', $4::timestamptz FROM unnest($2::uuid[]) a",
        home.org, [*accounts, *helpers], helpers, _LONG_AGO,
    )  # fmt: skip
    await db.execute(
        "INSERT INTO space (org_id, space_id, kind, of_space) "
        "SELECT $1::uuid, s, 'resident', NULL FROM unnest($2::uuid[]) s UNION ALL "
        "SELECT $1::uuid, m, 'medication', s FROM unnest($2::uuid[], $3::uuid[]) x (s, m)",
        home.org, spaces, medications,
    )  # fmt: skip
    await db.execute(
        "INSERT INTO resident (org_id, space_id, medication_id, account_id, unit_id) "
        "SELECT $1::uuid, s, m, a, $5::uuid "
        "FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) x (s, m, a)",
        home.org, spaces, medications, accounts, unit,
    )  # fmt: skip
    await db.execute(
        "INSERT INTO relation (org_id, relation_id, account_id, unit_id, permissions, valid_from) "
        "SELECT $1::uuid, r, a, $4::uuid, $5::text[], $6::timestamptz "
        "FROM unnest($2::uuid[], $3::uuid[]) x (r, a)",
        home.org, [new_id(_LONG_AGO) for _ in helpers], helpers, unit, _PERMISSIONS, _LONG_AGO,
    )  # fmt: skip
    for account, space in zip(accounts, spaces, strict=True):
        subscribed = service.subscribe() if dice.random() < 0.7 else None
        home.tablets.append(_device(account, [space], subscribed))
    home.phones.extend(_device(account, spaces, service.subscribe()) for account in helpers)


def _device(account: UUID, spaces: list[UUID], subscription: str | None) -> Device:
    return Device(account, new_id(_LONG_AGO), new_token(), spaces, subscription)


async def _sign_in(db: "Connection[Any]", home: Home, service: PushService) -> None:
    devices = [*home.tablets, *home.phones]
    await db.executemany(
        "INSERT INTO device (org_id, device_id, account_id, push_endpoint, push_p256dh, push_auth, "
        "created_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        [
            (
                home.org, each.id, each.account,
                service.endpoint(each.subscription) if each.subscription else None,
                service.p256dh if each.subscription else None,
                service.auth if each.subscription else None, _LONG_AGO,
            )
            for each in devices
        ],
    )  # fmt: skip
    far = _LONG_AGO + timedelta(days=3650)
    await db.executemany(
        "INSERT INTO session (org_id, session_id, account_id, device_id, token_hash, created_at, "
        "seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
        [
            (home.org, new_id(_LONG_AGO), d.account, d.id, token_hash(d.token), _LONG_AGO, far)
            for d in devices
        ],
    )
