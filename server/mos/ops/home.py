"""Makes the database of one home: schema, and either the demo or an empty house to be claimed."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg
from msgspec import Struct

from mos.care.actions import new_claim_token
from mos.db import Db, Queries, connect
from mos.db.migrate import MigrationError, migrate
from mos.ops.data_directory import Kind, Refused
from mos.privacy.keyring import Keyring

_OLDEST = 15


class Home(Struct, frozen=True):
    """What kind of home a database holds, and whether somebody has claimed it."""

    demo: bool
    claimed: bool


class _Version(Struct, frozen=True):
    major: int


class _Number(Struct, frozen=True):
    number: int


_sql = Queries(__package__)
_PRESENT_HOME = _sql.query("present_home", Home)
_BEGIN_EMPTY_HOME = _sql.command("begin_empty_home")
_CLAIM_HOME = _sql.command("claim_home")
_ORGANISATION_NAMED = _sql.query("organisation_named", _Number)
_SERVER_VERSION = _sql.query("server_version", _Version)


@dataclass(frozen=True)
class Prepared:
    """A home that is ready to be served; `claim` is the token that claims an unclaimed one."""

    demo: bool
    claim: str | None


async def create_database(dsn: str, name: str) -> None:
    """Create the database `name` beside the one behind `dsn`, unless it is there."""
    connection = await asyncpg.connect(dsn)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()


async def prepare_home(
    dsn: str,
    kind: Kind,
    now: datetime,
    *,
    passwords: dict[str, str] | None,
    asked: bool,
    keyring: Keyring,
) -> Prepared:
    """Migrate the owner's database at `dsn` and make the home in it when there is none.

    `keyring` seals what a demo holds. `asked`: the kind was asked for, so another one that is there
    is refused. Raises Refused.
    """
    try:
        await _require_version(dsn)
        await migrate(dsn, passwords=passwords)
        return await _prepare(dsn, kind, now, keyring, asked=asked)
    except MigrationError as error:
        raise Refused(str(error)) from None
    except asyncpg.DiskFullError:
        raise Refused("the disk of the database is full: free some space and start again") from None
    except asyncpg.InvalidPasswordError:
        raise Refused("the database refuses the login: check DATABASE_URL") from None
    except (OSError, asyncpg.CannotConnectNowError) as error:
        raise Refused(f"cannot reach the database: {error}") from None
    except (
        asyncpg.InvalidCatalogNameError,
        asyncpg.InvalidAuthorizationSpecificationError,
    ) as error:
        raise Refused(f"the database refuses: {error}") from None


async def _require_version(dsn: str) -> None:
    pool = await connect(dsn, size=1)
    try:
        async with pool.transaction() as db:
            found = await db.one(_SERVER_VERSION)
    finally:
        await pool.close()
    if found is None or found.major < _OLDEST:
        raise Refused(
            f"the database is PostgreSQL {found.major if found else '?'}: "
            f"MOS needs {_OLDEST} or later; nothing was changed"
        )


async def _prepare(
    dsn: str, kind: Kind, now: datetime, keyring: Keyring, *, asked: bool
) -> Prepared:
    pool = await connect(dsn, size=1)
    try:
        async with pool.transaction() as db:
            home = await db.one(_PRESENT_HOME)
        if home is None and kind == "demo":
            # Here and not above: an installation without a demo never even reads its password.
            from mos.ops.demo.seed import seed  # noqa: PLC0415

            await seed(dsn, now, keyring)
            return Prepared(demo=True, claim=None)
        if home is not None and asked and home.demo != (kind == "demo"):
            present = "a demo home" if home.demo else "a home of its own, no demo"
            raise Refused(f"the database holds {present}: leave --{kind} out, or use another one")
        async with pool.transaction() as db:
            if home is None:
                await db.run(_BEGIN_EMPTY_HOME, now=now)
                home = Home(demo=False, claimed=False)
            # Only its hash is kept, so each start until the claim prints a new one.
            claim = None if home.demo or home.claimed else await new_claim_token(db, now)
        return Prepared(demo=home.demo, claim=claim)
    finally:
        await pool.close()


async def take_home(db: Db, organisation: str, now: datetime) -> None:
    """Let whoever brings real people have this installation; its claim token opens nothing more.

    Raises Refused where there is none, where it is a demo, or where `organisation` is there.
    """
    home = await db.one(_PRESENT_HOME)
    if home is None:
        raise Refused("there is no home yet: start `./mos up --empty` once")
    if home.demo:
        raise Refused("that is a demo home: bring real people into one of their own")
    found = await db.one(_ORGANISATION_NAMED, name=organisation)
    if found is not None and found.number:
        raise Refused(f"there is an organisation {organisation} already: name another")
    await db.run(_CLAIM_HOME, now=now)
