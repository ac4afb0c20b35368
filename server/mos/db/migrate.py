"""Numbered migrations, applied in order, each in its own transaction under one advisory lock.

A file is `NNNN_name_expand.sql` (safe beside the old code) or `NNNN_name_contract.sql` (only after
the old code is gone). What has been applied is remembered with a checksum: an edited file is
refused, because two installations would then differ without anybody knowing.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from typing import Any

import asyncpg

# One lock for all of MOS in a database: two starts at once apply each migration once.
_LOCK = 0x6D6F73_0001

_LOCK_TIMEOUT = "4s"
_ATTEMPTS = 5

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
  number      integer PRIMARY KEY,
  name        text NOT NULL,
  checksum    text NOT NULL,
  applied_at  timestamptz NOT NULL DEFAULT clock_timestamp()
)"""

ROLES = ("mos_app", "mos_engine")


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database is brought to: the package of its migrations, and the roles they name."""

    package: str
    roles: tuple[str, ...]


MAIN = Schema("mos.db.migrations", ROLES)


class MigrationError(Exception):
    """The schema cannot be brought to this release; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name and its text."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of the text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Status:
    """What is applied and what is pending, in order."""

    applied: list[Migration]
    pending: list[Migration]


def migrations(schema: Schema = MAIN) -> list[Migration]:
    """Return this release's migrations in order."""
    found = []
    for file in resources.files(schema.package).iterdir():
        if file.name.endswith(".sql"):
            number, _, _ = file.name.partition("_")
            found.append(Migration(int(number), file.name, file.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.number)


async def _applied(connection: "asyncpg.Connection[Any]") -> dict[int, tuple[str, str]]:
    exists = await connection.fetchval("SELECT to_regclass('schema_migration') IS NOT NULL")
    if not exists:
        return {}
    rows = await connection.fetch("SELECT number, name, checksum FROM schema_migration")
    return {row["number"]: (row["name"], row["checksum"]) for row in rows}


def _compare(known: list[Migration], applied: dict[int, tuple[str, str]]) -> Status:
    numbers = {migration.number for migration in known}
    newer = sorted(applied.keys() - numbers)
    if newer:
        raise MigrationError(
            f"this database was made by a newer MOS (migration {applied[newer[-1]][0]}): "
            "start that release or a later one; nothing was changed"
        )
    for migration in known:
        if migration.number in applied and applied[migration.number][1] != migration.checksum:
            raise MigrationError(
                f"migration {migration.name} differs from the one this database was made with: "
                "restore the released file; nothing was changed"
            )
    return Status(
        [m for m in known if m.number in applied], [m for m in known if m.number not in applied]
    )


async def status(dsn: str, schema: Schema = MAIN) -> Status:
    """Return what is applied and pending. Raises MigrationError for a newer or altered schema."""
    connection = await asyncpg.connect(dsn)
    try:
        return _compare(migrations(schema), await _applied(connection))
    finally:
        await connection.close()


async def migrate(
    dsn: str, schema: Schema = MAIN, *, passwords: dict[str, str] | None = None
) -> list[Migration]:
    """Bring the database to this release's schema; return the migrations that were applied.

    The login of `dsn` owns the schema. Its roles (`mos_app` and `mos_engine`) are made when absent:
    with `passwords` they may sign in themselves, without they are only taken by the owner's login
    (`SET ROLE` at connection start). Raises MigrationError.
    """
    connection = await asyncpg.connect(dsn)
    try:
        # Another start may be at it, and its migrations take the time they take.
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        todo = _compare(migrations(schema), await _applied(connection)).pending
        await _roles(connection, schema.roles, passwords or {})
        await connection.execute(_TABLE)
        for migration in todo:
            await _apply(connection, migration)
        return todo
    finally:
        await connection.close()


async def _apply(connection: "asyncpg.Connection[Any]", migration: Migration) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with connection.transaction():
                # Waiting longer for a table's lock would make everybody else queue behind us.
                await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)",
                    migration.number,
                    migration.name,
                    migration.checksum,
                )
        except asyncpg.LockNotAvailableError:
            if attempt == _ATTEMPTS:
                raise MigrationError(
                    f"migration {migration.name} could not get a table's lock in {attempt} tries: "
                    "try again when the system is calmer; nothing of it was applied"
                ) from None
        except asyncpg.PostgresError as error:
            raise MigrationError(
                f"migration {migration.name} failed: {error}; nothing of it was applied"
            ) from error
        else:
            return


async def _roles(
    connection: "asyncpg.Connection[Any]", roles: tuple[str, ...], passwords: dict[str, str]
) -> None:
    try:
        for role in roles:
            await _role(connection, role, passwords.get(role))
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationError(
            f"this login may not prepare the roles {' and '.join(roles)} ({error}): "
            "give it CREATEROLE, or create and grant them to it; nothing was changed"
        ) from None


async def _role(connection: "asyncpg.Connection[Any]", role: str, password: str | None) -> None:
    exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
    if not exists:
        # Roles belong to the whole server: another database's migration may be first.
        with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            await connection.execute(f"CREATE ROLE {role} NOLOGIN")
    if password is not None:
        secret = password.replace("'", "''")
        await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{secret}'")
    else:
        try:
            await connection.execute(f"SET ROLE {role}; RESET ROLE")
        except asyncpg.InsufficientPrivilegeError:
            await connection.execute(f"GRANT {role} TO CURRENT_USER")
    await connection.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
