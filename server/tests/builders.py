"""What a test needs to exist before it begins, made by plain SQL as the owner.

Each builder fills in what does not matter to the test; what matters is an argument.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from argon2 import PasswordHasher

from mos.db import Scope
from mos.dispatch.channels.services import secret_context
from mos.kernel.ids import named_id, new_id
from mos.privacy import seals, texts
from mos.privacy.texts import Text

if TYPE_CHECKING:
    from conftest import Database

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
PASSWORD = "a long enough password"
CAREGIVER_PERMISSIONS = (
    "plan.view", "plan.edit", "outcome.record", "alert.take", "meals.view", "medication.view",
)  # fmt: skip
RELATIVE_PERMISSIONS = ("plan.view", "alert.take")

# As cheap as Argon2 gets: a test proves that it is used, not that it is slow.
_cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True)
class Resident:
    """A person whose day is planned."""

    account: UUID
    space: UUID
    medication: UUID
    name: str


@dataclass(frozen=True)
class Home:
    """One organisation with one unit: an admin, a caregiver for the unit, and residents."""

    org: UUID
    unit: UUID
    admin: UUID
    caregiver: UUID
    residents: list[Resident]

    @property
    def resident(self) -> Resident:
        """The first resident."""
        return self.residents[0]

    @property
    def space(self) -> UUID:
        """The first resident's space."""
        return self.residents[0].space


async def an_organisation(
    database: "Database", *, name: str = "Solgläntan", zone: str = "Europe/Stockholm"
) -> UUID:
    """Make an organisation without anybody in it; return its id."""
    org = new_id(LONG_AGO)
    await database.sql(
        "INSERT INTO organisation (org_id, name, policy, zone, language, created_at) "
        "VALUES ($1, $2, 'family', $3, 'sv', $4)",
        org, name, zone, LONG_AGO,
    )  # fmt: skip
    return org


async def a_unit(database: "Database", org: UUID, *, name: str = "Eken") -> UUID:
    """Make a unit; return its id."""
    unit = new_id(LONG_AGO)
    await database.sql(
        "INSERT INTO unit (org_id, unit_id, name, zone, language, created_at) "
        "VALUES ($1, $2, $3, 'Europe/Stockholm', 'sv', $4)",
        org, unit, name, LONG_AGO,
    )  # fmt: skip
    return unit


async def an_account(
    database: "Database",
    org: UUID,
    role: str,
    *,
    name: str = "Kim",
    email: str | None = None,
    password: str | None = None,
) -> UUID:
    """Make an account, with a password when one is given; return its id."""
    account = new_id(LONG_AGO)
    await database.sql(
        "INSERT INTO account (org_id, account_id, role, name, email, language, created_at) "
        "VALUES ($1, $2, $3, $4, $5, 'sv', $6)",
        org, account, role, name, email, LONG_AGO,
    )  # fmt: skip
    if password is not None:
        await database.sql(
            "INSERT INTO credential (org_id, credential_id, account_id, kind, secret, created_at) "
            "VALUES ($1, $2, $3, 'password', $4, $5)",
            org, new_id(LONG_AGO), account, _cheap.hash(password), LONG_AGO,
        )  # fmt: skip
    return account


async def a_resident(
    database: "Database", org: UUID, unit: UUID, *, name: str = "Elsa", flat: str = "1"
) -> Resident:
    """Make a resident with an account and two empty spaces: their day and their medication."""
    account = await an_account(database, org, "resident", name=name)
    space = new_id(LONG_AGO)
    medication = named_id(space, "medication")
    await database.sql(
        "INSERT INTO space (org_id, space_id, kind, of_space) "
        "VALUES ($1, $2, 'resident', NULL), ($1, $3, 'medication', $2)",
        org, space, medication,
    )  # fmt: skip
    await database.sql(
        "INSERT INTO resident (org_id, space_id, medication_id, account_id, unit_id, flat) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        org, space, medication, account, unit, flat,
    )  # fmt: skip
    return Resident(account, space, medication, name)


async def a_relation(
    database: "Database",
    org: UUID,
    account: UUID,
    *,
    space: UUID | None = None,
    unit: UUID | None = None,
    permissions: tuple[str, ...] = CAREGIVER_PERMISSIONS,
    is_primary: bool = False,
    valid_to: datetime | None = None,
) -> UUID:
    """Let `account` help one resident (`space`) or all of a unit; return the relation's id."""
    relation = new_id(LONG_AGO)
    await database.sql(
        "INSERT INTO relation (org_id, relation_id, account_id, space_id, unit_id, permissions, "
        "is_primary, valid_from, valid_to) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        org, relation, account, space, unit, list(permissions), is_primary, LONG_AGO, valid_to,
    )  # fmt: skip
    return relation


async def a_device(
    database: "Database", org: UUID, account: UUID, *, seen_at: datetime = LONG_AGO
) -> UUID:
    """Make a device that rings for `account`, without push; return its id."""
    device = new_id(LONG_AGO)
    await database.sql(
        "INSERT INTO device (org_id, device_id, account_id, created_at, seen_at) "
        "VALUES ($1, $2, $3, $4, $5)",
        org, device, account, LONG_AGO, seen_at,
    )  # fmt: skip
    return device


async def a_contact(
    database: "Database",
    org: UUID,
    account: UUID | None,
    address: str,
    *,
    channel: str = "email",
    when: str = "always",
    verified: bool = True,
    secret: bytes | None = None,
    id: UUID | None = None,
    created_at: datetime = LONG_AGO,
) -> UUID:
    """Make a contact where messages are proved to arrive; return its id."""
    contact = id or new_id(LONG_AGO)
    async with database.app.transaction(Scope(org=org)) as db:
        lying = Text(contact, address, (account or org,))
        [sealed] = await texts.sealed(db, org, texts.CONTACT_ADDRESS, [lying])
    await database.sql(
        "INSERT INTO contact (org_id, contact_id, account_id, channel, address, when_told, secret, "
        "verified_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        org, contact, account, channel, sealed, when, secret, LONG_AGO if verified else None,
        created_at,
    )  # fmt: skip
    return contact


async def a_channel(
    database: "Database",
    org: UUID,
    channel: str,
    settings: dict[str, object],
    *,
    secret: str = "",
    cap: int | None = None,
) -> None:
    """Let an organisation have set up a channel."""
    seal = seals.load(database.settings.secrets / "seal.key")
    sealed = seal.seal(secret_context(org, channel), secret.encode()) if secret else None
    await database.sql(
        "INSERT INTO channel_settings (org_id, channel, settings, secret, cap, updated_at, "
        "updated_by) VALUES ($1, $2, $3, $4, $5, $6, $1)",
        org, channel, settings, sealed, cap, LONG_AGO,
    )  # fmt: skip


async def a_record(
    database: "Database", org: UUID, space: UUID, coll: str, doc: dict[str, object]
) -> UUID:
    """Let a space hold a record, as if it had been written last; return its id."""
    rec = new_id(LONG_AGO)
    await database.sql(
        "WITH s AS (UPDATE space SET head_seq = head_seq + 1 WHERE space_id = $2 "
        "RETURNING head_seq) INSERT INTO rec SELECT $1, $2, $3, $4, s.head_seq, $5, '{}' FROM s",
        org, space, rec, coll, doc,
    )  # fmt: skip
    return rec


async def a_home(
    database: "Database",
    *,
    residents: int = 1,
    name: str = "Solgläntan",
    email_domain: str = "example.test",
) -> Home:
    """Make a home; admin@ and caregiver@`email_domain` sign in with PASSWORD."""
    org = await an_organisation(database, name=name)
    unit = await a_unit(database, org)
    admin = await an_account(
        database, org, "admin", name="Alva", email=f"admin@{email_domain}", password=PASSWORD
    )
    caregiver = await an_account(
        database, org, "caregiver", name="Noor", email=f"caregiver@{email_domain}",
        password=PASSWORD,
    )  # fmt: skip
    await a_relation(database, org, caregiver, unit=unit)
    people = [
        await a_resident(database, org, unit, name=f"Elsa {number}", flat=str(number))
        for number in range(1, residents + 1)
    ]
    return Home(org, unit, admin, caregiver, people)
